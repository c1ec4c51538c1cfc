"""The sealed test of the winner, and the ledger of every access."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import pandas as pd
from pydantic import Field

from retain.errors import RetainError
from retain.learning.metric_selection import Metric
from retain.learning.scores import Scores
from retain.record.comparison_document import SealedAccess, SealedMetric, VersusRandom
from retain.record.document import Record
from retain.storage.reading import MissingFileError, parse_json, read_json_lines
from retain.storage.schemas import check_schema
from retain.storage.writing import write_text
from retain.verdict.sealed_intervals import Sample, find_design_effect, metric_interval
from retain.verdict.versus_random import NOT_TESTED

SCHEMA: Final = 2
"""Of a line of the ledger; counts up when the meaning of a key changes."""


@dataclass(frozen=True)
class SealedTest:
    """The winner on customers not used by any run: metrics with intervals, and all accesses.

    ``chance`` says whether its ranking is shown to beat a random one.
    """

    customers: int
    metrics: dict[str, SealedMetric]
    accesses: tuple[SealedAccess, ...]
    chance: VersusRandom = NOT_TESTED

    @property
    def description(self) -> str:
        """The number of accesses to the sealed test, as a sentence."""
        count = len(self.accesses)
        if count == 1:
            return "The sealed test was opened once."
        return (
            f"The sealed test was opened {count} times, for different winners: its result may be "
            "too optimistic."
        )


class Access(SealedAccess):
    """A line of the ledger."""

    schema_: Literal[2] = Field(default=SCHEMA, alias="schema")


@dataclass(frozen=True)
class Ledger:
    """Every access to a sealed test, oldest first, one JSON object per line of ``path``.

    Studies of the same customers have the same sealed test, so the ledgers of neighbouring studies
    (``others``) count too.
    """

    path: Path
    others: tuple[Path, ...] = ()

    @property
    def own(self) -> list[Access]:
        """Every line of this ledger; unreadable ones are an error."""
        return _read_lines(self.path)

    def entries(self, data: str) -> list[Access]:
        """Return the accesses to these customers' sealed test, without repetitions.

        The same winner on the same customers and splits counts once. Unreadable lines are an error.
        """
        every = [one for path in (self.path, *self.others) for one in _read_lines(path)]
        first: dict[tuple[str, str, str], Access] = {}
        for opening in sorted(every, key=lambda one: one.accessed_at):
            if opening.data_fingerprint == data:
                first.setdefault(_access_key(opening), opening)
        return list(first.values())

    def add(self, record: Record, roc_auc: float) -> list[Access]:
        """Add an access to this ledger, and return all accesses.

        The caller holds the study's lock, and writes the verdict afterwards.
        """
        new = _new_access(record, roc_auc)
        own = _read_lines(self.path)
        if not any(_access_key(old) == _access_key(new) for old in own):
            lines = [opening.model_dump_json(by_alias=True) for opening in (*own, new)]
            write_text(self.path, "\n".join(lines) + "\n")
        return self.entries(new.data_fingerprint)

    def access_number(self, record: Record) -> int:
        """Return the number that an access for this winner has or would have, from 1."""
        keys = [_access_key(one) for one in self.entries(record.data.fingerprint)]
        key = _access_key(_new_access(record, 0.0))
        return (keys.index(key) if key in keys else len(keys)) + 1


def _new_access(record: Record, roc_auc: float) -> Access:
    return Access(
        accessed_at=datetime.now(UTC).isoformat(timespec="seconds"),
        study=record.study,
        run_id=record.id,
        data_fingerprint=record.data.fingerprint,
        split_fingerprint=record.split.fingerprint,
        roc_auc=roc_auc,
    )


def _read_lines(path: Path) -> list[Access]:
    try:
        lines = list(read_json_lines(path))
    except MissingFileError:
        return []
    return [_parse_access(line, f"{path}, line {number}") for number, line in lines]


def _parse_access(line: bytes, where: str) -> Access:
    try:
        tree = parse_json(line, where)
    except RetainError:
        tree = None
    if isinstance(tree, dict):
        schema = tree.get("schema", 1)  # retain 0.1 wrote none
        anew = "move the ledger away, which forgets these accesses"
        check_schema(schema, SCHEMA, where, anew=anew)
    try:
        return Access.model_validate(tree)
    except ValueError:
        raise RetainError(
            f"{where} is not an opening of a sealed test; it must not be edited. Restore it from a "
            "copy."
        ) from None


def _access_key(opening: Access) -> tuple[str, str, str]:
    return opening.run_id, opening.data_fingerprint, opening.split_fingerprint


def score_sealed_test(
    scores: Scores,
    profit: pd.Series | None,
    metrics: Sequence[Metric],
    *,
    groups: pd.Series,
    simulations: int,
) -> dict[str, SealedMetric]:
    """Return each metric on the sealed test with its 95 % interval; see ``metric_interval``.

    The calibration error is free of its bias, by ``simulations`` with a fixed seed. ``groups`` are
    the duplicate groups of at least these customers.
    """
    table = scores.table
    money = None if profit is None else profit.loc[table["customer_id"]].to_numpy()
    sample = Sample(
        table["target"].to_numpy(),
        table["probability"].to_numpy(),
        money,
        find_design_effect(groups.loc[table["customer_id"]].to_numpy()),
    )
    return {
        metric.name: SealedMetric(
            **metric_interval(metric, sample, simulations=simulations),
            higher_is_better=metric.higher_is_better,
        )
        for metric in metrics
    }
