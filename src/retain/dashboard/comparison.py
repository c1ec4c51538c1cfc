"""N runs beside each other: settings, metrics paired by fold, curves, customers who moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from retain.dashboard.rows import BROKEN, UNFINISHED, RunRow
from retain.dashboard.settings import find_settings
from retain.dashboard.texts import shorten
from retain.errors import RetainError
from retain.learning.scores import Scores
from retain.record.comparison_document import MeanCurve, MetricDifference, RunDifference
from retain.record.document import Record
from retain.verdict.config_keys import label_run
from retain.verdict.curves import mean_curves
from retain.verdict.difference import compare_pair
from retain.verdict.paired import METRIC
from retain.wording import format_value
from retain.workflows.runs import try_read_scores

MAX_SCORES = 500_000
"""Rows of scores of a run that are read for a page."""
LETTERS = "ABCDEFGH"
MAX_TEXT = 300
"""Characters of a setting."""


@dataclass(frozen=True)
class ComparedRun:
    """A run with the letter by which the page calls it.

    Attributes
    ----------
    record
        None if it cannot be read, or there is none.
    tag
        ``winner``, ``tied`` or empty, as its study's verdict says.
    label
        The settings by which it differs from the others.
    difference
        To run A; None of A itself, and if the two cannot be compared, for the reason ``unlike``.
    folds, fold_gaps
        ROC-AUC by fold, and the differences to run A on the folds that both have.
    curves
        By name; empty without scores.
    """

    letter: str
    row: RunRow
    record: Record | None
    tag: str = ""
    label: str = ""
    difference: RunDifference | None = None
    unlike: str = ""
    folds: tuple[float, ...] = ()
    fold_gaps: tuple[float, ...] = ()
    curves: Mapping[str, MeanCurve] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The study and the id, as a link names the run."""
        return f"{self.row.study}/{self.row.id}"

    @property
    def gap(self) -> MetricDifference | None:
        """The difference of ROC-AUC to run A."""
        metrics = () if self.difference is None else self.difference.metrics
        return next((one for one in metrics if one.name == METRIC), None)


@dataclass(frozen=True)
class RunComparison:
    """Runs beside each other, the first of which all others are held against.

    ``settings`` are the texts of each key that differs, one for each run.
    """

    runs: tuple[ComparedRun, ...]
    settings: dict[str, list[str]]
    metrics: tuple[str, ...]

    @property
    def paired_runs(self) -> tuple[ComparedRun, ...]:
        """The runs with a difference to the first."""
        return tuple(run for run in self.runs if run.gap is not None)

    @property
    def gap_ends(self) -> list[float]:
        """All numbers that the picture of the differences shows."""
        gaps = [run.gap.difference for run in self.paired_runs if run.gap is not None]
        dots = [gap for run in self.paired_runs for gap in run.fold_gaps]
        return [*(end for one in gaps for end in (one.low, one.high)), *dots]


def compare_rows(rows: Sequence[tuple[RunRow, str]]) -> RunComparison:
    """Compare runs, each with its tag, with the first of them.

    Differences have the intervals of ``verdict.paired``; they are not corrected for the number of
    runs, as those of a verdict are.
    """
    records = [_read(row) for row, _ in rows]
    scores = [_read_scores(row, record) for (row, _), record in zip(rows, records, strict=True)]
    settings = _settings(records)
    folds = [_folds(row) for row, _ in rows]
    runs = []
    for at, (row, tag) in enumerate(rows):
        record = records[at]
        difference, unlike = _compare(records[0], record, scores[0], scores[at], first=at == 0)
        values = {key: texts[at] for key, texts in settings.items()}
        known = scores[at]
        runs.append(
            ComparedRun(
                letter=LETTERS[at],
                row=row,
                record=record,
                tag=tag,
                label=label_run({**values, "id": row.id}, list(values), " · "),
                difference=difference,
                unlike=unlike,
                folds=folds[at],
                fold_gaps=tuple(b - a for a, b in zip(folds[0], folds[at], strict=False)),
                curves={} if known is None else mean_curves(known),
            )
        )
    first = records[0]
    return RunComparison(tuple(runs), settings, () if first is None else tuple(first.metrics))


def _read(row: RunRow) -> Record | None:
    """Return the record of a run, None without one that agrees with itself."""
    if row.state in (BROKEN, UNFINISHED):
        return None
    try:
        return row.directory.read()
    except RetainError:
        return None


def _read_scores(row: RunRow, record: Record | None) -> Scores | None:
    if record is None or record.state != "done":
        return None
    if record.data.n_rows * record.split.n_repeats > MAX_SCORES:
        return None
    return try_read_scores(row.directory, record)


def _folds(row: RunRow) -> tuple[float, ...]:
    found = row.fold_values(METRIC)
    return () if found is None else tuple(found.tolist())


def _settings(records: Sequence[Record | None]) -> dict[str, list[str]]:
    configs: list[Mapping[str, Any]] = [{} if one is None else one.config for one in records]
    found = find_settings(configs) if all(configs) and len(configs) > 1 else {}
    return {
        key: [format_value(value)[:MAX_TEXT] for value in values] for key, values in found.items()
    }


def _compare(
    a: Record | None, b: Record | None, one: Scores | None, other: Scores | None, *, first: bool
) -> tuple[RunDifference | None, str]:
    """Return the difference of two finished runs, or why there is none."""
    if first or a is None or b is None or a.state != "done" or b.state != "done":
        return None, ""
    try:
        return compare_pair(a, b, (one, other)), ""
    except RetainError as error:
        return None, shorten(error)
