"""Which runs may stand in one table. Unlike runs are refused, and the difference is named.

May import: errors, schema, record, customers, learning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from retain.errors import RetainError
from retain.record import Record

Aspect = Callable[[Record], str]

ASPECTS: tuple[tuple[str, Aspect], ...] = (
    ("customers", lambda r: f"{r.data.rows} rows, fingerprint {r.data.fingerprint[:12]}"),
    ("target", lambda r: f"{r.data.positives} declined"),
    ("splits", lambda r: f"{r.split.folds} folds × {r.split.repeats}, {r.split.fingerprint[:12]}"),
    ("metrics", lambda r: ", ".join(r.metrics)),
    ("metric definitions", lambda r: str(r.config["metrics"]["fractions"])),
)
"""What must be the same, and how it is told. A metric's name does not tell its top share whole."""


def refuse_unlike(records: Sequence[Record]) -> None:
    """Raise a ``RetainError`` naming each aspect in which finished runs differ, with examples."""
    problems = [
        told for name, aspect in ASPECTS if (told := _difference(name, aspect, records)) is not None
    ]
    if problems:
        raise RetainError(
            "these runs cannot stand in one table:\n"
            + "\n".join(problems)
            + "\nCompare them apart (study.name=… keeps them in folders of their own), or launch "
            "the line again to redo what is outdated."
        )


def _difference(name: str, aspect: Aspect, records: Sequence[Record]) -> str | None:
    ids: dict[str, list[str]] = {}
    for record in records:
        ids.setdefault(aspect(record), []).append(record.id)
    if len(ids) == 1:
        return None
    parts = [f"{told} ({len(runs)} runs, such as {runs[0]})" for told, runs in ids.items()]
    return f"  {name}: " + " against ".join(parts)
