"""The classes that a config may name, by public module, and the rejected ones.

A record may come from an untrusted author: classes that are not registered here are neither
imported nor called. Imports nothing heavy by itself.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from retain.errors import RetainError, did_you_mean, nearest
from retain.plugins.registry import find_path

LIBRARIES = ("sklearn", "imblearn", "lightgbm", "catboost", "retain")
MODULES: Mapping[str, tuple[str, ...]] = {
    "sklearn": (
        "calibration",
        "cluster",
        "covariance",
        "cross_decomposition",
        "decomposition",
        "discriminant_analysis",
        "dummy",
        "ensemble",
        "feature_selection",
        "gaussian_process",
        "impute",
        "isotonic",
        "kernel_approximation",
        "kernel_ridge",
        "linear_model",
        "manifold",
        "mixture",
        "multiclass",
        "multioutput",
        "naive_bayes",
        "neighbors",
        "neural_network",
        "preprocessing",
        "random_projection",
        "semi_supervised",
        "svm",
        "tree",
    ),
    "imblearn": ("combine", "ensemble", "over_sampling", "under_sampling"),
}
"""Modules whose estimators are all registered, except those in ``REFUSED``."""
CLASSES = (
    "lightgbm.LGBMClassifier",
    "lightgbm.LGBMRegressor",
    "catboost.CatBoostClassifier",
    "catboost.CatBoostRegressor",
    "retain.learning.bg_nbd.BgNbd",
    "retain.learning.bg_nbd.ParetoNbd",
    "retain.learning.blend.Blend",
    "retain.learning.recency_rule.RecencyRule",
)
"""Classes registered individually."""
_FUNCTION = "a function is its parameter"
_OWN_PIPELINE = "retain puts the pipeline together, and a pipeline's memory is a cache of pickles"
_OWN_TUNING = "retain validates and tunes: type tuning=optuna"
_TEXTS = "it reads texts, pictures or files, which customers are not"
_RANKS = "it ranks the rows of groups, and is no classifier"
_BASE = "it is what others are derived from"
_NETWORK = "it starts servers and connects to machines"
REFUSED: Mapping[str, str] = {
    "sklearn.pipeline": _OWN_PIPELINE,
    "imblearn.pipeline": _OWN_PIPELINE,
    "sklearn.compose": _OWN_PIPELINE,
    "sklearn.model_selection": _OWN_TUNING,
    "sklearn.feature_extraction": _TEXTS,
    "sklearn.frozen": "it takes what is fitted already, and a config can hold nothing of the kind",
    "sklearn.preprocessing.FunctionTransformer": _FUNCTION,
    "imblearn.FunctionSampler": _FUNCTION,
    "imblearn.base": _FUNCTION,
    "imblearn.metrics": "it is a distance that samplers use themselves",
    "lightgbm.LGBMRanker": _RANKS,
    "lightgbm.LGBMModel": _BASE,
    "lightgbm.DaskLGBMClassifier": _NETWORK,
    "lightgbm.DaskLGBMRegressor": _NETWORK,
    "lightgbm.DaskLGBMRanker": _NETWORK,
    "catboost.CatBoostRanker": _RANKS,
    "catboost.CatBoost": _BASE,
}
"""Reason why a module or class of a library is not registered."""


def find_class(where: str, path: str) -> Any:
    """Return the class at a dotted path if it is registered or in a trusted package.

    Plug-ins are registered, and the environment variable ``RETAIN_TRUST=PACKAGE,PACKAGE`` adds
    trusted packages.

    Raises
    ------
    RetainError
        The class is neither, or does not exist.
    """
    module, _, name = path.rpartition(".")
    package = path.partition(".")[0]
    trusted = tuple(filter(None, os.environ.get("RETAIN_TRUST", "").split(",")))
    if package in LIBRARIES:
        _check_registered(where, path)
    elif package not in trusted:
        if (plugin := find_path(path)) is not None:
            return plugin.target
        raise RetainError(
            f"{where}._target_ is {path!r}, which no plug-in registers; only "
            f"{', '.join((*LIBRARIES, *trusted))} may be built. To allow a package of yours: "
            "export RETAIN_TRUST=PACKAGE"
        )
    target = _import(where, path, module, name)
    home = str(getattr(target, "__module__", "")).partition(".")[0]
    if home not in (*LIBRARIES, *trusted):
        raise RetainError(f"{where}._target_ is {path!r}, which {module} only imports.")
    return target


def _check_registered(where: str, path: str) -> None:
    module, _, name = path.rpartition(".")
    for refused in (path, module, module.rpartition(".")[0]):
        if refused in REFUSED:
            raise RetainError(
                f"{where}._target_ is {path!r}, which may not be built: {REFUSED[refused]}."
            )
    package, _, inner = module.partition(".")
    if path not in CLASSES and inner not in MODULES.get(package, ()):
        paths = {registered.rpartition(".")[2]: registered for registered in _registered_names()}
        close = nearest(name, paths)
        hint = f" Did you mean {paths[close]!r}?" if close else ""
        raise RetainError(
            f"{where}._target_ is {path!r}, which is not registered: neither among the public "
            f"classes of scikit-learn and imbalanced-learn nor {', '.join(CLASSES)}.{hint}"
        )


def _import(where: str, path: str, module: str, name: str) -> Any:
    try:
        holder = import_module(module)
    except ModuleNotFoundError as error:
        lacking = error.name or module
        raise RetainError(
            f"{where}._target_ is {path!r}: there is no module {lacking!r}."
        ) from None
    except ValueError:
        raise RetainError(f"{where}._target_ is {path!r}; expected MODULE.CLASS.") from None
    except (ImportError, OSError) as error:
        hint = " Debian: apt-get install libgomp1." if "libgomp" in str(error) else ""
        raise RetainError(f"{module} cannot be loaded: {error}.{hint}") from error
    try:
        return getattr(holder, name)
    except (AttributeError, ImportError):  # scikit-learn raises the latter for experimental classes
        hint = did_you_mean(name, dir(holder))
        raise RetainError(
            f"{where}._target_ is {path!r}: {module} has no {name!r}.{hint}"
        ) from None


def _registered_names() -> list[str]:
    """Return dotted paths of registered classes in already imported modules, for a hint."""
    import sys

    names = [f"{package}.{module}" for package in MODULES for module in MODULES[package]]
    loaded = {name: sys.modules[name] for name in names if name in sys.modules}
    return [*CLASSES, *(f"{name}.{one}" for name in loaded for one in _public(loaded[name]))]


def _public(module: Any) -> list[str]:
    """Return the public estimators of a module: in ``__all__``, or defined in it."""
    names = getattr(module, "__all__", None) or [
        name
        for name, one in vars(module).items()
        if getattr(one, "__module__", "") == module.__name__ and not name.startswith("_")
    ]
    return [name for name in names if is_estimator(vars(module).get(name))]


def is_estimator(value: Any) -> bool:
    """Return whether a value is a class with a ``fit`` method."""
    return inspect.isclass(value) and hasattr(value, "fit")


def registered_classes() -> Iterator[str]:
    """Yield the dotted path of every registered class, importing all their modules."""
    for package, modules in MODULES.items():
        for module in (f"{package}.{one}" for one in modules):
            for name in _public(import_module(module)):
                if f"{module}.{name}" not in REFUSED:
                    yield f"{module}.{name}"
    yield from CLASSES
