"""Checks of the parameters that a config passes to a registered class.

Parameters must be plain values. Those for files, folders, hosts, functions, caches, devices or
machines are rejected in every spelling of a library, and so are texts that look like one of these.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from retain.errors import RetainError, did_you_mean
from retain.learning.forbidden_parameters import FIXED, PLAIN, REFUSED, THREADS

LONGEST_TEXT = 200
MOST_VALUES = 10_000
MOST_LEVELS = 10
_WORDS = re.compile(r"[\w .:,;=+~%<>\[\]()*-]*")
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_HOST = re.compile(r"[\w.-]+:\d+|\d+\.\d+\.\d+\.\d+(:\d+)?|.*://.*")


def check_parameter(where: str, target: Any, name: str, value: Any, threads: int) -> None:
    """Raise if a parameter of a class is not allowed, or its value is not plain.

    Nested components are skipped: they are checked when they are built.

    Parameters
    ----------
    where
        Config key of the class, such as ``"model"``.
    threads
        Number of compute threads of the run.

    Raises
    ------
    RetainError
        Naming the parameter and the reason.
    """
    library = library_of(target)
    own = _own_name(library, name)
    reason, hint = REFUSED.get(library, REFUSED["sklearn"]).get(own), ""
    if reason is None and library in PLAIN and own not in PLAIN[library]:
        reason, hint = "nobody has judged yet what it can do", did_you_mean(own, PLAIN[library])
    if reason is not None:
        spelled = "" if own == name else f" (LightGBM's {own})"
        raise RetainError(f"{where}.{name}{spelled} may not be set: {reason}.{hint}")
    fixed = FIXED.get(library, {})
    if own in fixed and value != fixed[own]:
        raise RetainError.at(f"{where}.{name}", f"it is {value!r}", f"expected {fixed[own]!r}")
    if own in THREADS and not _is_thread_count(value, threads):
        expected = f"expected 1 to {threads}, as many as the run has; type threads=NUMBER for more"
        raise RetainError.at(f"{where}.{name}", f"it is {value!r}", expected)
    check_plain(f"{where}.{name}", value, texts_of=library)


def library_of(target: Any) -> str:
    """Return the package a class is defined in."""
    return str(target.__module__).partition(".")[0]


def _own_name(library: str, name: str) -> str:
    """Return the library's canonical name of a parameter."""
    return lightgbm_aliases().get(name, name) if library == "lightgbm" else name


@cache
def lightgbm_aliases() -> dict[str, str]:
    """Return LightGBM's canonical name of a parameter by alias."""
    from lightgbm.basic import _ConfigAliases

    table = _ConfigAliases._get_all_param_aliases()  # noqa: SLF001 - there is no public list
    return {alias: name for name, aliases in table.items() for alias in (name, *aliases)}


def _is_thread_count(value: Any, threads: int) -> bool:
    return value is None or (type(value) is int and 1 <= value <= threads)


@cache
def parameter_names(target: Any) -> list[str]:
    """Return the parameters of a class or function, for LightGBM from its table of aliases."""
    if hasattr(target, "_get_param_names"):
        names = set(target._get_param_names())  # noqa: SLF001 - scikit-learn's own protocol
        return sorted(names | set(lightgbm_aliases() if library_of(target) == "lightgbm" else ()))
    parameters = inspect.signature(target).parameters.values()
    return sorted(p.name for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD)


def check_plain(where: str, value: Any, *, texts_of: str = "") -> None:
    """Raise if a value does not consist of finite numbers, short texts, true, false and null.

    Parameters
    ----------
    texts_of
        A library whose texts are plain words; texts for others may be any, such as column names.

    >>> check_plain("model.hidden_layer_sizes", [32, 16])
    >>> check_plain("model.kernel", "os.system", texts_of="sklearn")
    Traceback (most recent call last):
    ...
    retain.errors.RetainError: model.kernel: it is 'os.system'; expected a plain word or number: \
no path, no host, no dotted name.
    """
    if _count(value, MOST_LEVELS) > MOST_VALUES:
        expected = f"expected up to {MOST_VALUES:,} values, {MOST_LEVELS} levels deep"
        raise RetainError.at(where, "it is too large", expected)
    _check_plain(where, value, texts_of)


def _count(value: Any, levels: int) -> float:
    """Return the number of values; infinite if they are nested too deep."""
    if not isinstance(value, Mapping | list | tuple):
        return 1
    if levels == 0:
        return math.inf
    inner = value.values() if isinstance(value, Mapping) else value
    return 1 + sum(_count(item, levels - 1) for item in inner)


def _check_plain(where: str, value: Any, texts_of: str) -> None:
    if isinstance(value, Mapping):
        if "_target_" in value:
            return
        for key, item in value.items():
            _check_plain(where, key, texts_of)
            _check_plain(f"{where}.{key}", item, texts_of)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check_plain(f"{where}[{index}]", item, texts_of)
    elif isinstance(value, str):
        _check_text(where, value, texts_of)
    elif value is not None and not isinstance(value, bool | int) and not _is_finite(value):
        raise RetainError.at(where, f"it is {value!r}", "expected a finite number or a plain word")


def _is_finite(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _check_text(where: str, text: str, texts_of: str) -> None:
    plain = len(text) <= LONGEST_TEXT and text.isprintable()
    if texts_of in REFUSED:
        strange = _DOTTED.fullmatch(text) or _HOST.fullmatch(text) or not _WORDS.fullmatch(text)
        # LightGBM joins its parameters by blanks: text after a blank would be another parameter
        plain = plain and not strange and not (texts_of == "lightgbm" and re.search(r"[\s=]", text))
    if not plain:
        expected = "expected a plain word or number: no path, no host, no dotted name"
        raise RetainError.at(where, f"it is {text[:LONGEST_TEXT]!r}", expected)
