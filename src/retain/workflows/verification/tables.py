"""The tables of a verdict held against it, each made again by what made it first."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from retain.campaign.tables import segments_table
from retain.explanations.tables import features_table, groups_table
from retain.record.study import StudyDirectory
from retain.record.verdict_document import VerdictDocument
from retain.report.text.segments import contrast_message
from retain.report.text.words import words
from retain.storage.reading import MAX_TABLE_BYTES, read_bytes
from retain.verdict.export import ExportDialect, parse_exported, read_exported, to_csv
from retain.workflows.verification.agreement import count_equal, count_equal_cells


def check_table(path: Path, recomputed: pd.DataFrame, folder: Path) -> int:
    """Return the number of cells of a CSV file, which are those of a table.

    Raises
    ------
    DisagreementError
        With the first cell that differs.
    RetainError
        If the file cannot be read.
    """
    cells = _read(path, folder)
    text = io.StringIO()
    to_csv(recomputed, text, dialect=ExportDialect("ru" if cells.attrs["is_russian"] else "en"))
    return count_equal_cells(cells, read_exported(text.getvalue().encode()), str(path))


def _read(path: Path, folder: Path) -> pd.DataFrame:
    raw = read_bytes(path, max_bytes=MAX_TABLE_BYTES, within=folder)
    cells = read_exported(raw)
    cells.attrs["is_russian"] = b";" in raw.split(b"\n", 1)[0]
    return cells


def check_tables(
    study: StudyDirectory, saved: VerdictDocument, language: str
) -> Iterator[tuple[str, int]]:
    """Yield the name of each table that the verdict has in itself, and its number of values."""
    folder = study.verdict
    leaderboard = pd.DataFrame(list(saved.leaderboard))
    yield study.leaderboard.name, check_table(study.leaderboard, leaderboard, folder)
    if saved.explanations is not None:
        features, groups = saved.explanations.features, saved.explanations.groups
        yield study.features.name, check_table(study.features, features_table(features), folder)
        yield study.groups.name, check_table(study.groups, groups_table(groups), folder)
    if saved.segments is not None:
        table = segments_table(
            saved.segments, lambda one: words(language).plain(contrast_message(one))
        )
        yield study.segments.name, check_table(study.segments, table, folder)
        yield study.customers.name, _check_customers(study, saved)


def _check_customers(study: StudyDirectory, saved: VerdictDocument) -> int:
    """Return the number of counts and sums of customers, which are those of ``customers.csv``."""
    cells = _read(study.customers, study.verdict)
    counts = {str(name): int(n) for name, n in cells["origin"].value_counts().items()}
    count = count_equal(saved.n_scored, counts, f"{study.verdict_json}, n_scored")
    by_segment = cells.groupby("segment", sort=False)
    profit = parse_exported(cells["profit"]) if "profit" in cells else None
    for one in saved.segments or ():
        rows = by_segment.groups.get(one.segment, pd.Index([]))
        found = {"n_customers": one.n_customers, "share": one.share}
        recomputed = {"n_customers": len(rows), "share": len(rows) / len(cells)}
        if one.total_profit is not None and profit is not None:
            found["total_profit"] = one.total_profit
            recomputed["total_profit"] = float(profit.loc[rows].sum())
        count += count_equal(found, recomputed, f"{study.verdict_json}, segment {one.segment!r}")
    return count
