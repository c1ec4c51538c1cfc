"""A result that lies on disk, and the reading of its tables."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from retain.errors import RetainError
from retain.library.display import Result
from retain.storage.pinned import read_pinned
from retain.storage.reading import MAX_TABLE_BYTES, read_bytes
from retain.verdict.export import parse_exported, read_exported
from retain.wording import format_ci

if TYPE_CHECKING:
    from retain.record.comparison_document import SealedMetric
    from retain.record.estimates import Estimate

MANY = 100
"""An amount from which on decimals say nothing."""


@dataclass(frozen=True, repr=False)
class SavedResult(Result):
    """A folder that a command or function wrote.

    ``overrides`` are the words by which this process made it; none if it was only loaded.
    """

    path: Path
    overrides: tuple[str, ...] = ()

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Copy all files into a new folder, and return its path.

        Raises
        ------
        RetainError
            The folder exists, or cannot be written.
        """
        target = Path(folder)
        try:
            return Path(shutil.copytree(self.path, target, symlinks=True))
        except OSError as error:
            raise RetainError.unwritable(target, error, "save(FOLDER)") from None


def read_rows(
    path: Path, files: Mapping[str, str] | None = None, document: str = ""
) -> pd.DataFrame:
    """Return the rows of a CSV file that a command wrote, in either dialect.

    ``files`` are the hashes that ``document`` beside it holds; None if it holds none.

    Raises
    ------
    RetainError
        The file is missing, or is not the one the document speaks of.
    """
    if files is None:
        content = read_bytes(path, max_bytes=MAX_TABLE_BYTES, within=path.parent)
    else:
        sha256 = files.get(path.name, "nothing")
        content = read_pinned(path, sha256, document, max_bytes=MAX_TABLE_BYTES, within=path.parent)
    return read_exported(content).apply(_parse_column)


def _parse_column(cells: pd.Series) -> pd.Series:
    """Return a column of numbers or yes and no if all its cells are such, else of texts."""
    numbers, texts = parse_exported(cells), cells.mask(cells == "")
    if texts.isin(["True", "False"]).all():
        return texts == "True"
    if texts.isna().all() or not numbers.notna().equals(texts.notna()):
        return texts
    return numbers.astype("int64") if (numbers % 1 == 0).all() else numbers


def format_estimate(found: Estimate | SealedMetric) -> str:
    """Return an estimate with its interval."""
    spec = ",.0f" if abs(found.high) >= MANY else ".3f"
    return f"{found.value:{spec}} ({format_ci(found.low, found.high, spec)})"
