"""The study and the files that every reader under test starts from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from retain.record.study import StudyDirectory

Read = Callable[[], object]
Reader = Callable[[Random], Read]


@dataclass(frozen=True)
class Ground:
    """A study with a verdict, whose files are the valid ones, and a folder for hostile ones."""

    study: StudyDirectory
    folder: Path
