"""Python arguments as the words of a command line, and commands without their output."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import pandas as pd

from retain.cli.overrides import Arguments
from retain.cli.terminal.output import silent_output
from retain.errors import RetainError, hydra_word

SWEPT = (list, range, np.ndarray, pd.Series, pd.Index)
"""Types whose values are swept."""


def to_words(keys: Mapping[str, object], *, swept: bool = False) -> tuple[str, ...]:
    """Return the overrides that set keys as Python's arguments name and hold them.

    A key inside another is named with two underscores, as in scikit-learn, or with a dot. None is
    ``null``.

    Parameters
    ----------
    swept
        A list is the values of a sweep, as ``model=svc,logreg``; a tuple still is one list.

    Raises
    ------
    RetainError
        A value is neither plain nor a list or mapping of plain values.

    >>> to_words({"model": ["svc", "logreg"], "validation__folds": 3}, swept=True)
    ('model=svc,logreg', 'validation.folds=3')
    >>> to_words({"data.drop_columns": ["a b"], "data.groups": {"site": ["pages"]}, "seed": None})
    ("data.drop_columns=['a b']", 'data.groups={site:[pages]}', 'seed=null')
    """
    return tuple(_iter_words(keys, swept=swept))


def _iter_words(keys: Mapping[str, object], *, swept: bool) -> Iterator[str]:
    for name, value in keys.items():
        key = name.replace("__", ".")
        values = list(value) if swept and isinstance(value, SWEPT) else [value]
        yield f"{key}={','.join(_word(key, item) for item in values)}"


def _word(key: str, value: object) -> str:
    """Return a value as Hydra's grammar takes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{k}:{_word(key, v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return "[" + ",".join(_word(key, item) for item in value) + "]"
    if isinstance(value, os.PathLike):
        return hydra_word(os.fspath(value))
    if isinstance(value, str | int | float):
        return hydra_word(value)
    if isinstance(value, np.generic):
        return _word(key, value.item())
    found = f"it is a {type(value).__name__}"
    raise RetainError.at(key, found, "expected a name, a number, a text, or a list of them")


def command(
    keys: Mapping[str, object],
    *words: str,
    multirun: bool = False,
    config_dirs: Sequence[Path] = (),
) -> Arguments:
    """Return the command line of words followed by keys."""
    typed = (*words, *to_words(keys, swept=multirun))
    return Arguments(typed, multirun=multirun, config_dirs=tuple(config_dirs))


def output(*, quiet: bool) -> AbstractContextManager[None]:
    """Return a context in which commands print nothing if ``quiet``."""
    return silent_output() if quiet else nullcontext()
