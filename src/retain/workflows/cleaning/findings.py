"""Things that may go, things that stay and why, and the kinds of both."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Literal

from retain.record.directory import RunDirectory
from retain.storage.snapshot import Snapshot
from retain.storage.writing import TMP_PATTERN

Category = Literal["failed", "outdated", "cached", "trash"]
SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True)
class Kind:
    """A kind of things that may go: what they are, and why none of them is missed."""

    category: Category
    name: str
    reason: str


FAILED = Kind("failed", "failed runs", "no result names them; a sweep does them again")
INTERRUPTED = Kind("failed", "interrupted runs", "they have no record and no folds")
OUTDATED = Kind("outdated", "runs of other code", "done again since; no result names them")
TABLE = Kind("cached", "tables of purchase logs", "built again from the log when needed")
FOLDS = Kind("cached", "folds of runs that are done", "their records are there")
UNFINISHED = Kind("cached", "unfinished files", "a command was killed while it wrote them")
LEFTOVER = Kind(
    "trash", "leftovers of retain-clean", "it was killed while it deleted them; they always go"
)


@dataclass(frozen=True)
class Finding:
    """A thing that may go: its path in the folder of outputs, and how it was found there.

    ``run`` is the run that it is or is part of, None for all else.
    """

    kind: Kind
    path: PurePath
    snapshot: Snapshot
    run: RunDirectory | None = None


@dataclass
class Findings:
    """All that may go from a folder of outputs, and what stays, by kind and reason.

    Parameters
    ----------
    outputs
        The folder.
    chosen
        Whether a category may go.
    older_than
        Days since the last change.
    """

    outputs: Path
    chosen: Mapping[Category, bool]
    older_than: float
    going: list[Finding] = field(default_factory=list)
    staying: Counter[tuple[str, str]] = field(default_factory=Counter)

    def keep(self, kind: Kind, reason: str) -> None:
        """Count a thing that stays."""
        self.staying[kind.name, reason] += 1

    def add(
        self,
        kind: Kind,
        path: Path,
        *,
        run: RunDirectory | None = None,
        known: frozenset[str] | None = None,
    ) -> None:
        """Let a thing go, unless it is too young, cannot be read, or holds what is not retain's.

        Parameters
        ----------
        run
            The run that it is or is part of.
        known
            All names that may be in it, beside unfinished files; None for any.
        """
        if not self.chosen[kind.category]:
            self.keep(kind, f"{kind.category}=false")
            return
        try:
            snapshot = Snapshot.of(path)
        except OSError:
            self.keep(kind, "they cannot be read")
            return
        unknown = known is not None and any(
            name not in known and not fnmatchcase(name, TMP_PATTERN) for name in snapshot.names
        )
        if unknown or not snapshot.is_plain:
            self.keep(kind, "something in them was not written by retain")
        elif time.time() - snapshot.changed_at < self.older_than * SECONDS_PER_DAY:
            self.keep(kind, f"they changed later than older_than={self.older_than:g} days ago")
        else:
            self.going.append(Finding(kind, path.relative_to(self.outputs), snapshot, run))
