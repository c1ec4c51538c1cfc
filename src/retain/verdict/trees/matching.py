"""Pairs of runs of two trees that were asked for alike.

The id of a run follows from its config, so data that moved, another seed or another default give
the same wish another id. Runs are paired by the first of these that they have in common: the id;
the config without seed and data; the words that were typed, without those of seed and data; the
config without its validation too, so that runs on other folds are the same runs; and without what
is only measured or checked, which changes no score.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retain.record.document import Record, identifying_text
from retain.verdict.candidates import without_seed
from retain.verdict.trees.aspects import OWN_ASPECT

NOT_ASKED = ("seed", "data", "study", "study.name", "study.question", "outputs", "workers")
"""Keys of overrides that say where, on what and with which seed, not what to run."""
NOT_SCORED = ("metrics", "audit")
"""Nodes of a config that change what is said of scores, and no score."""


@dataclass(frozen=True)
class Matching:
    """The runs of both trees in pairs, and those that only one of them has."""

    pairs: tuple[tuple[Record, Record], ...]
    new: tuple[Record, ...]
    gone: tuple[Record, ...]


def match_runs(main: Sequence[Record], branch: Sequence[Record]) -> Matching:
    """Return each run of ``main`` with that of ``branch`` that was asked for alike.

    Each run is in one pair at most. Among several alike, those of the lowest seeds are paired.
    """
    pairs: list[tuple[Record, Record]] = []
    gone, new = _by_seed(main), _by_seed(branch)
    for key in (_id, _config, _overrides, _config_on_any_folds, _config_of_scores):
        found, gone, new = _match_by(key, gone, new)
        pairs += found
    order = {id(record): index for index, record in enumerate(main)}
    pairs.sort(key=lambda pair: order[id(pair[0])])
    return Matching(tuple(pairs), tuple(new), tuple(gone))


def _by_seed(records: Sequence[Record]) -> list[Record]:
    return sorted(records, key=lambda record: record.seed)


def _match_by(
    key: Callable[[Record], str], main: Sequence[Record], branch: Sequence[Record]
) -> tuple[list[tuple[Record, Record]], list[Record], list[Record]]:
    """Return the pairs of equal keys, and what is left of both."""
    if not main or not branch:
        return [], [*main], [*branch]
    waiting: dict[str, list[Record]] = defaultdict(list)
    for record in reversed(branch):
        waiting[key(record)].append(record)
    pairs, left = [], []
    for record in main:
        alike = waiting.get(key(record))
        if alike:
            pairs.append((record, alike.pop()))
        else:
            left.append(record)
    taken = {id(other) for _, other in pairs}
    return pairs, left, [record for record in branch if id(record) not in taken]


def _id(record: Record) -> str:
    return record.id


def _config(record: Record) -> str:
    """Return the text of what was asked: the config without seed and data."""
    return _text_without(record, OWN_ASPECT)


def _config_on_any_folds(record: Record) -> str:
    return _text_without(record, (*OWN_ASPECT, "validation"))


def _config_of_scores(record: Record) -> str:
    return _text_without(record, (*OWN_ASPECT, "validation", *NOT_SCORED))


def _text_without(record: Record, keys: Sequence[str]) -> str:
    nodes = {
        key: identifying_text(key, without_seed(node, record.seed))
        for key, node in record.config.items()
        if key not in keys
    }
    return json.dumps(nodes, sort_keys=True)


def _overrides(record: Record) -> str:
    """Return the words that were typed, without those of ``NOT_ASKED``."""
    words = (text.lstrip("+~") for text in record.overrides)
    kept = sorted(
        word
        for word in words
        if (key := word.partition("=")[0]) not in NOT_ASKED and not key.startswith("data.")
    )
    return json.dumps(kept)
