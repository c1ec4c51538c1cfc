"""The decorators that register a component, each of which says what a component of its kind has."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from retain.errors import RetainError
from retain.plugins.registry import Kind, Plugin, register
from retain.storage.paths import conf_dir

Target = TypeVar("Target", bound=Callable[..., Any])
ESTIMATOR = ("get_params", "set_params")
NEEDS: dict[Kind, tuple[str, ...]] = {
    "model": ("fit", "predict", "predict_proba or decision_function", *ESTIMATOR),
    "sampler": ("fit_resample", *ESTIMATOR),
    "scaling": ("fit", "transform", *ESTIMATOR),
    "calibration": ("fit", "predict"),
}
"""Methods of a class by kind."""
NOT_GROUPS = ("derived", "plugins", "max_categories")
"""Keys of ``features`` that switch no group."""
GROUPS: dict[Kind, str] = {
    "model": "model",
    "sampler": "sampler",
    "scaling": "scaling",
    "calibration": "calibration",
    "source": "data",
    "segmentation": "segmentation",
    "launcher": "hydra/launcher",
}
"""The config group whose options a kind adds to."""


def model(name: str, *, types: Sequence[str] = ()) -> Callable[[Target], Target]:
    """Register a classifier of scikit-learn's kind as ``model=NAME``.

    Its parameters are those of ``__init__``, with their defaults; a ``random_state`` gets the
    run's seed. It is fitted on numbers (categories are one-hot columns), with targets 0 and 1.

    Parameters
    ----------
    types
        Dotted paths of other classes in a fitted model, which its file may then hold.

    Raises
    ------
    RetainError
        A method is missing, or the name is taken.

    >>> @model("always_even")
    ... class AlwaysEven:
    ...     def fit(self, X, y): ...
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: the model 'always_even' (AlwaysEven) lacks predict, predict_proba \
or decision_function, get_params, set_params; expected a class with fit, predict, predict_proba \
or decision_function, get_params, set_params.
    """
    return _register("model", name, types=types)


def sampler(name: str, *, types: Sequence[str] = ()) -> Callable[[Target], Target]:
    """Register a resampler of imbalanced-learn's kind (``fit_resample``) as ``sampler=NAME``.

    It changes training rows alone.
    """
    return _register("sampler", name, types=types)


def scaling(name: str, *, types: Sequence[str] = ()) -> Callable[[Target], Target]:
    """Register a transformer of scikit-learn's kind as ``scaling=NAME``.

    It is fitted on the numbers of the training rows, and keeps their columns.
    """
    return _register("scaling", name, types=types)


def calibration(name: str, *, types: Sequence[str] = ()) -> Callable[[Target], Target]:
    """Register a calibration of probabilities as ``calibration=NAME``.

    A class made without arguments. ``fit(probability, target)`` gets probabilities of rows that the
    model was not fitted on, from folds within the training rows, and ``predict(probability)``
    returns calibrated ones; all arrays have the shape (n,). The order should be kept.
    """
    return _register("calibration", name, types=types)


def metric(
    name: str,
    *,
    higher_is_better: bool,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    per_customer: bool = False,
    profit: bool = False,
) -> Callable[[Target], Target]:
    """Register a metric, computed where ``metrics.plugins=[NAME]`` names it.

    Parameters
    ----------
    bounds
        Lowest and highest possible value, within which intervals stay.
    per_customer
        False: the function returns the metric of a set of customers. True: it returns an array of
        shape (n,), the mean of which is the metric.
    profit
        True: the function takes the profit of each customer as a third argument, and the metric is
        left out where there is none.

    Notes
    -----
    The function takes ``target`` (0 or 1) and ``probability``, arrays of shape (n,).
    """
    if not bounds[0] < bounds[1]:
        raise RetainError(f"the metric {name!r} has the bounds {bounds}; expected (LOW, HIGH).")
    return _register(
        "metric",
        name,
        arguments=3 if profit else 2,
        higher_is_better=higher_is_better,
        bounds=bounds,
        per_customer=per_customer,
        profit=profit,
    )


def feature(
    name: str, *, inputs: Sequence[str], group: str | None = None, en: str = "", ru: str = ""
) -> Callable[[Target], Target]:
    """Register a feature, added where ``features.plugins=[NAME]`` names it.

    Parameters
    ----------
    inputs
        Features that it is computed from. Where one is switched off, so is this one.
    group
        The feature group of a function; a class belongs to that of its input.
    en, ru
        Display names.

    Notes
    -----
    A function takes a table with the inputs as columns and returns one number a row, which depends
    on that row alone. A class learns within the training rows of each fold: it has one input,
    ``fit(values, target)`` and ``transform(values)``, and counts as an encoding of the input in
    explanations, as one-hot columns do.
    """

    def decorate(target: Target) -> Target:
        fitted = inspect.isclass(target)
        _check_feature(name, inputs, group, fitted=fitted)
        return _register(
            "feature",
            name,
            needs=("fit", "transform") if fitted else (),
            inputs=tuple(inputs),
            group=group,
            fitted=fitted,
            en=en,
            ru=ru,
        )(target)

    return decorate


def source(name: str) -> Callable[[Target], Target]:
    """Register a function that returns ``Customers`` as ``data=NAME``.

    Its parameters are the keys of ``data``, with their defaults; one without a default has to be
    typed. A record cannot make retain call it: for a recorded source ``data=NAME`` is typed again.
    """
    return _register("source", name)


def offer_rule(name: str) -> Callable[[Target], Target]:
    """Register a rule on customers, used where a rule says ``plugin: NAME``.

    The function takes ``features`` (a table), ``risk`` and ``profit`` (arrays of shape (n,), profit
    missing where it is not known), and returns for each customer True, False, or None where it
    cannot be said. Offers name rules in ``include_if`` and ``exclude_if``, segments in ``when``.
    """
    return _register("offer rule", name, arguments=3)


def segmentation(name: str) -> Callable[[Target], Target]:
    """Register a way to divide customers as ``segmentation=NAME``.

    The function takes ``features``, ``risk`` and ``profit`` as an offer rule does, and its own
    parameters by keyword. It returns the segments by name, each a rule as conf/segmentation holds
    them, ``{"when": {"risk": {"at_least": 0.5}}}``, first to last; whom no rule fits is in
    ``others``. The rules are recorded, so that later customers need no plug-in.
    """
    return _register("segmentation", name, arguments=3)


def launcher(name: str) -> Callable[[Target], Target]:
    """Register a way to run jobs elsewhere as ``hydra/launcher=NAME``.

    The function returns a ``concurrent.futures.Executor``; its parameters are the keys of
    ``hydra.launcher``. A job is a picklable function; the folder of outputs must be seen by all
    machines. As many runs are submitted at a time as ``workers`` says.
    """
    return _register("launcher", name)


def _register(
    kind: Kind,
    name: str,
    *,
    needs: tuple[str, ...] = (),
    arguments: int = 0,
    types: Sequence[str] = (),
    **keywords: Any,
) -> Callable[[Target], Target]:
    _check_name(kind, name)

    def decorate(target: Target) -> Target:
        _check_target(kind, name, target, needs or NEEDS.get(kind, ()))
        _check_arguments(kind, name, target, arguments)
        register(Plugin(kind, name, target, keywords, tuple(types)))
        return target

    return decorate


def _check_name(kind: Kind, name: str) -> None:
    if not (name.isascii() and name.isidentifier()):
        expected = "expected letters, digits and _, the first no digit"
        raise RetainError(f"the {kind} {name!r} has no plain name; {expected}.")
    group = GROUPS.get(kind)
    if group is not None and (conf_dir() / group / f"{name}.yaml").is_file():
        raise RetainError(
            f"the {kind} {name!r} is one of retain's own, {group}={name}; expected another name."
        )


def _check_target(kind: Kind, name: str, target: Any, needs: tuple[str, ...]) -> None:
    if not callable(target):
        raise RetainError(f"the {kind} {name!r} is {target!r}; expected a function.")
    expected = f"expected a class with {', '.join(needs)}"
    if needs and not inspect.isclass(target):
        raise RetainError(f"the {kind} {name!r} is no class; {expected}.")
    lacking = [
        text
        for text in needs
        if not any(callable(getattr(target, one, None)) for one in text.split(" or "))
    ]
    if lacking:
        found = f"the {kind} {name!r} ({target.__name__}) lacks {', '.join(lacking)}"
        raise RetainError(f"{found}; {expected}.")


def _check_arguments(kind: Kind, name: str, target: Callable[..., Any], count: int) -> None:
    """Raise unless a function can be called with so many arguments."""
    if not count:
        return
    try:
        inspect.signature(target).bind(*range(count))
    except TypeError as error:
        raise RetainError(
            f"the {kind} {name!r} ({target.__name__}) is called with {count} arguments: {error}."
        ) from None


def _check_feature(name: str, inputs: Sequence[str], group: str | None, *, fitted: bool) -> None:
    if isinstance(inputs, str) or not inputs:
        raise RetainError(f"the feature {name!r} has the inputs {inputs!r}; expected [NAME, …].")
    if fitted and (len(inputs) != 1 or group is not None):
        raise RetainError(
            f"the feature {name!r} is a class, which encodes one feature and belongs to its group; "
            "expected inputs=[NAME] and no group."
        )
    if not fitted and (group is None or group in NOT_GROUPS):
        expected = f"expected group=NAME, none of {', '.join(NOT_GROUPS)}"
        raise RetainError(f"the feature {name!r} has the group {group!r}; {expected}.")
