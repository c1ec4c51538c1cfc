"""The things that can change the result of a run, and where a record holds it.

This is the one place that says so. A difference in any of these can explain a change of metrics;
where a run's metrics change and none differs, the records hold no explanation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from retain.record.document import Record
from retain.record.trees_document import Aspect, Cause
from retain.verdict.config_keys import differing_keys
from retain.wording import format_value

MAX_SHOWN = 60
"""Maximum number of characters of a value of a record that is shown."""
HASH_DIGITS = 8
Values = Mapping[str, str]
"""The values of a record on one aspect, by name."""


def _data(record: Record) -> Values:
    return {
        "customers": record.data.fingerprint[:HASH_DIGITS],
        "rows": str(record.data.n_rows),
        "declined": str(record.data.n_positives),
    }


def _folds(record: Record) -> Values:
    return {"folds": record.split.fingerprint[:HASH_DIGITS]}


def _code(record: Record) -> Values:
    return {"code": record.environment.code_sha256[:HASH_DIGITS]}


def _packages(record: Record) -> Values:
    own = {"python": record.environment.python, "platform": record.environment.platform}
    return {**own, **record.environment.packages}


def _seed(record: Record) -> Values:
    return {"seed": str(record.seed)}


READERS: Mapping[Aspect, Callable[[Record], Values]] = {
    "data": _data,
    "folds": _folds,
    "code": _code,
    "packages": _packages,
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

    Folds that follow from other customers are not named beside them.
    """
    causes = [
        Cause(aspect=aspect, name=name, main=was, branch=now)
        for aspect, read in READERS.items()
        for name, was, now in _differences(read(main), read(branch))
    ]
    causes += _config_causes(main, branch)
    if any(one.aspect == "data" for one in causes):
        causes = [one for one in causes if one.aspect != "folds"]
    return tuple(causes)


def _differences(main: Values, branch: Values) -> Iterator[tuple[str, str, str]]:
    for name in {**main, **branch}:
        was, now = main.get(name, "-"), branch.get(name, "-")
        if was != now:
            yield shorten(name), shorten(was), shorten(now)


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
