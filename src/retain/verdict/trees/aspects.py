"""The things that can change the result of a run, and where a record holds it.

This is the one place that says so. A difference in any of these can explain a change of metrics;
where a run's metrics change and none differs, the records hold no explanation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

from retain.record.document import Record
from retain.record.trees_document import Aspect, Cause
from retain.verdict.config_keys import differing_keys
from retain.wording import format_value

MAX_SHOWN = 60
"""Maximum number of characters of a value of a record that is shown."""
HASH = re.compile("[0-9a-f]{64}")
HASH_DIGITS = 8
"""Digits of a hash that are shown."""
Values = Mapping[str, str]
"""The values of a record on one aspect, by name."""


def _data(record: Record) -> Values:
    return {
        "customers": record.data.fingerprint,
        "rows": str(record.data.n_rows),
        "declined": str(record.data.n_positives),
    }


def _folds(record: Record) -> Values:
    return {"folds": record.split.fingerprint}


def _code(record: Record) -> Values:
    return {"code": record.environment.code_sha256}


def _packages(record: Record) -> Values:
    own = {"python": record.environment.python, "platform": record.environment.platform}
    return {**own, **record.environment.packages}


def _seed(record: Record) -> Values:
    return {"seed": str(record.seed)}


def _metrics(record: Record) -> Values:
    return dict.fromkeys(record.metrics, "+")


READERS: Mapping[Aspect, Callable[[Record], Values]] = {
    "data": _data,
    "folds": _folds,
    "code": _code,
    "packages": _packages,
    "metrics": _metrics,
    "seed": _seed,
}
"""Reader of each aspect but the config, which is compared key by key."""
OWN_ASPECT = ("seed", "data", "study")
"""Nodes of a config that are aspects of their own, or change nothing.

Of data their fingerprint counts, wherever they lie.
"""
SEED_PARAMETERS = ("random_state", "random_seed")
"""Parameters of components that the run's seed sets."""


def find_causes(main: Record, branch: Record) -> tuple[Cause, ...]:
    """Return what differs between two runs and can explain another result.

    Folds that follow from other customers, and metrics from another config, are not named beside
    them.
    """
    causes = [
        Cause(aspect=aspect, name=name, main=was, branch=now)
        for aspect, read in READERS.items()
        if aspect != "metrics" or main.state == branch.state
        for name, was, now in _differences(read(main), read(branch))
    ]
    causes += _config_causes(main, branch)
    follows = set()
    if any(one.aspect == "data" for one in causes):
        follows.add("folds")
    if any(one.aspect == "config" and one.name.startswith("metrics.") for one in causes):
        follows.add("metrics")
    return tuple(one for one in causes if one.aspect not in follows)


def _differences(main: Values, branch: Values) -> Iterator[tuple[str, str, str]]:
    for name in {**main, **branch}:
        was, now = main.get(name, "-"), branch.get(name, "-")
        if was != now:
            yield shorten(name), *_show_two(was, now)


def _show_two(was: str, now: str) -> tuple[str, str]:
    """Return the beginnings of two values, or what follows where these are the same.

    >>> _show_two("ab" * 32, "cd" * 32), _show_two("ab" * 32, "ab" * 31 + "cd")
    (('abababab', 'cdcdcdcd'), ('…ab', '…cd'))
    """
    are_hashes = HASH.fullmatch(was) and HASH.fullmatch(now)
    most = HASH_DIGITS if are_hashes else MAX_SHOWN
    if was[:most] == now[:most]:
        n_same = next(n for n in count() if was[n : n + 1] != now[n : n + 1])
        was, now = f"…{was[n_same:]}", f"…{now[n_same:]}"
    return (was[:most], now[:most]) if are_hashes else (shorten(was), shorten(now))


def _config_causes(main: Record, branch: Record) -> Iterator[Cause]:
    one, other = (
        {key: node for key, node in run.config.items() if key not in OWN_ASPECT}
        for run in (main, branch)
    )
    if one == other:
        return
    for key, (was, now) in differing_keys([one, other]).items():
        of_seed = key.rpartition(".")[2] in SEED_PARAMETERS
        if of_seed and (was, now) == (main.seed, branch.seed):
            continue
        yield Cause(aspect="config", name=shorten(key), main=_show(was), branch=_show(now))


def _show(value: Any) -> str:
    return shorten(format_value(value))


def shorten(text: str) -> str:
    """Return the beginning of a text from a record.

    >>> shorten("x" * 100) == "x" * 60 + "…"
    True
    """
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
