"""CSV files for spreadsheets: no cell is a formula, and each opens with a double click."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import pandas as pd

from retain.customers.reading import DroppedRow
from retain.record.estimates import Estimate
from retain.storage.writing import atomic_write
from retain.verdict.headings import CODES, ENGLISH, RUSSIAN, restore_codes, translate_codes

if TYPE_CHECKING:
    import pyarrow as pa


MANY = 20_000
"""Number of rows above which ``write_csv_arrow`` writes a table."""
FORMULA = "'*(?:[ \t\r\n\u00a0\u3000]*[=+@|＝＋－＠-]|[\t\r\n])"
"""Start of a text that a spreadsheet may read as a formula.

Leading apostrophes match too, so that escaping can be undone. Valid for Python and Arrow (RE2).
"""
CONTROL = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
"""Control characters, which ``REPLACEMENT`` replaces."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_FORMULA, _CONTROL = re.compile(FORMULA), re.compile(CONTROL)


def escape_formula(cell: Any) -> Any:
    """Return a cell, with an apostrophe before a text that a spreadsheet would read as a formula.

    >>> [escape_formula(cell) for cell in ("=HYPERLINK(0)", " @x", "plain", -1.5)]
    ["'=HYPERLINK(0)", "' @x", 'plain', -1.5]
    """
    if not isinstance(cell, str):
        return cell
    text = _CONTROL.sub(REPLACEMENT, cell)
    return f"'{text}" if _FORMULA.match(text) else text


@dataclass(frozen=True)
class ExportDialect:
    """The form of exported tables: ``en`` has commas, ``ru`` is what a Russian Excel opens."""

    language: Literal["en", "ru"] = "en"

    @property
    def separator(self) -> str:
        """The mark between cells."""
        return ";" if self.language == "ru" else ","

    @property
    def decimal(self) -> str:
        """The mark before decimals."""
        return "," if self.language == "ru" else "."

    def headings(self, table: pd.DataFrame) -> list[str]:
        """Return the headings of a table in the language."""
        names = RUSSIAN if self.language == "ru" else {}
        return [names.get(str(name), str(name)) for name in table]

    def codes(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with codes, and booleans, in the language."""
        if self.language == "en":
            return table
        return table.assign(
            **{name: translate_codes(table[name]) for name in CODES if name in table}
        )

    def head(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with headings in the language, formulas escaped."""
        return table.set_axis([escape_formula(name) for name in self.headings(table)], axis=1)


ENGLISH_DIALECT = ExportDialect()


def read_exported(raw: bytes) -> pd.DataFrame:
    """Return the cells of an exported table as texts, headings and codes as in the ``en`` dialect.

    A comma within a number of the ``ru`` dialect is not told from a text; ``parse_exported``
    reads it.
    """
    header = raw[:10_000].split(b"\n", 1)[0].decode("utf-8-sig", errors="replace")
    separator = ";" if ";" in header else ","
    cells = pd.read_csv(
        io.BytesIO(raw), dtype="str", keep_default_na=False, encoding="utf-8-sig", sep=separator
    )
    if separator == ";":
        cells = cells.rename(columns=ENGLISH)
        return cells.assign(**{name: restore_codes(cells[name]) for name in CODES if name in cells})
    return cells


def parse_exported(cells: pd.Series) -> pd.Series:
    """Return the numbers of an exported column, NaN for other texts.

    >>> parse_exported(pd.Series(["1.5", "1,5", "x"])).tolist()
    [1.5, 1.5, nan]
    """
    texts = cells.str.replace(",", ".", regex=False)
    return pd.to_numeric(texts, errors="coerce").astype("float64")


def to_csv(
    table: pd.DataFrame,
    path: Path | IO[str],
    *,
    header: bool = True,
    dialect: ExportDialect = ENGLISH_DIALECT,
) -> None:
    """Write ``table`` as UTF-8 CSV, formulas escaped in cells and headers."""
    table = dialect.codes(table)
    texts = table.select_dtypes(["object", "str", "category"]).map(escape_formula)
    safe = dialect.head(table.assign(**{str(name): texts[name] for name in texts}))
    marks: dict[str, Any] = {"sep": dialect.separator, "decimal": dialect.decimal}
    safe.to_csv(
        path, index=False, header=header, encoding="utf-8-sig", lineterminator="\n", **marks
    )


def write_csv(table: pd.DataFrame, path: Path, dialect: ExportDialect = ENGLISH_DIALECT) -> None:
    """Write ``table`` atomically by ``to_csv``, or many rows by ``write_csv_arrow``."""
    if len(table) > MANY:
        write_csv_arrow(table, path, dialect)
    else:
        write_csv_chunks([table], path, dialect)


def flatten_estimates(
    row: Iterable[tuple[str, object]], unknown: Collection[str] = ()
) -> dict[str, object]:
    """Return cells by name, and of a number with its interval three; ``unknown`` ones may be None.

    >>> row = {"arm": "mail", "gain": Estimate(2.0, 1.0, 3.0), "net": None}
    >>> flatten_estimates(row.items(), ["net"])  # doctest: +NORMALIZE_WHITESPACE
    {'arm': 'mail', 'gain': 2.0, 'gain_low': 1.0, 'gain_high': 3.0,
     'net': None, 'net_low': None, 'net_high': None}
    """
    cells: dict[str, object] = {}
    for name, value in row:
        if isinstance(value, Estimate):
            cells |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        elif value is None and name in unknown:
            cells |= dict.fromkeys((name, f"{name}_low", f"{name}_high"))
        else:
            cells[name] = value
    return cells


def write_dropped_rows(rows: Sequence[DroppedRow], path: Path) -> None:
    """Write rows that are no customers: ``file, line, text, reason``."""
    columns = ["file", "line", "text", "reason"]
    write_csv(pd.DataFrame([asdict(row) for row in dict.fromkeys(rows)], columns=columns), path)


def write_csv_arrow(
    table: pd.DataFrame, path: Path, dialect: ExportDialect = ENGLISH_DIALECT
) -> None:
    """Write a table atomically, ten times as fast as ``to_csv``.

    The cells are the same, except that texts are quoted and whole floats have no point.
    """
    import pyarrow as pa
    from pyarrow import csv

    table = dialect.codes(table)
    columns = [_arrow(table[name], dialect) for name in table]
    cells = pa.table(columns, names=[str(place) for place in range(len(columns))])
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        header = dialect.head(table.head(0))
        names = header.to_csv(index=False, lineterminator="\n", sep=dialect.separator)
        file.write(names.encode("utf-8-sig"))
        options = csv.WriteOptions(include_header=False, delimiter=dialect.separator)
        csv.write_csv(cells, file, options)


def _arrow(values: pd.Series, dialect: ExportDialect) -> pa.Array:
    """Return a column for Arrow, formulas escaped, booleans and decimals as ``to_csv`` has them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pa.array(values, from_pandas=True)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "True", "False")
    if pa.types.is_floating(column.type) and dialect.decimal != ".":
        return pc.replace_substring(pc.cast(column, pa.string()), ".", dialect.decimal)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    if pc.any(pc.match_substring_regex(column, CONTROL)).as_py():
        column = pc.replace_substring_regex(column, CONTROL, REPLACEMENT)
    if pc.any(pc.match_substring_regex(column, f"^{FORMULA}")).as_py():
        column = pc.replace_substring_regex(column, f"^({FORMULA})", r"'\1")
    return column


def write_csv_chunks(
    parts: Iterable[pd.DataFrame], path: Path, dialect: ExportDialect = ENGLISH_DIALECT
) -> None:
    """Write a table in chunks, atomically, as ``to_csv`` does."""
    with (
        atomic_write(path) as temporary,
        temporary.open("w", encoding="utf-8-sig", newline="") as file,
    ):
        for number, part in enumerate(parts):
            to_csv(part, file, header=number == 0, dialect=dialect)
