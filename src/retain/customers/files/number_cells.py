"""The distinct cells of a column that is not plain, cut into digits and what stands around."""

from __future__ import annotations

import re
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retain.customers.files.arrow_cells import DictionaryColumn
from retain.customers.files.columns import snake_case
from retain.customers.files.number_format import FileMarks, Marks, NumberFormat
from retain.customers.files.number_marks import (
    LIKE_NUMBER,
    OTHER_MARK,
    MarkEvidence,
    number_pattern,
)
from retain.customers.files.number_shapes import CellShape, parse_shape
from retain.customers.files.numbers import n_cells, preview
from retain.errors import RetainError, type_value

CORE = "[0-9](?:[0-9., ']*[0-9])?"
AROUND = "^[^0-9]+|[^0-9]+$"
MAX_SHAPE_CHARACTERS = 24
"""Longest text around the digits of a number."""
MIN_WEAK_NUMBERS = 20
"""Distinct numbers from which a unit that may be part of a code is believed to be a unit."""
_HEAD = 5_000  # numbers among which a weak unit needs different ones
INVISIBLE = "[\u200b\u200e\u200f\u061c\u2066-\u2069]+"
_WIDE_SPACE = "[\u00a0\u2002-\u200a\u202f\u3000]"


def clean_texts(texts: pa.Array) -> pa.Array:
    """Return texts with ordinary spaces and apostrophes, and without marks of direction."""
    if pc.all(pc.string_is_ascii(texts)).as_py():
        return texts
    texts = pc.replace_substring_regex(texts, INVISIBLE, "")
    texts = pc.replace_substring_regex(texts, _WIDE_SPACE, " ")
    return pc.utf8_trim_whitespace(pc.replace_substring(texts, "’", "'"))


def to_floats(texts: pa.Array) -> NDArray[np.float64]:
    """Return plain numbers as floats, NaN where missing or too large."""
    bare = pc.if_else(pc.starts_with(texts, "+"), pc.utf8_slice_codeunits(texts, 1), texts)
    values = bare.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.where(np.isfinite(values), values, np.nan)


class NumberCells:
    """The distinct cells of a column, cut into digits and what stands around them."""

    def __init__(self, column: DictionaryColumn, texts: pa.Array, where: str) -> None:
        self.column, self.texts, self.where = column, texts, where
        self.counts = column.counts()
        encoded = pc.replace_substring_regex(texts, CORE, "#").dictionary_encode()
        self.shape_texts = encoded.dictionary.to_pylist()
        self.shapes = [_parse_short(shape) for shape in self.shape_texts]
        self.codes = encoded.indices.to_numpy()
        self.cores = self._cores()
        like = pc.match_substring_regex(self.cores, LIKE_NUMBER).to_numpy(zero_copy_only=False)
        has_shape = np.array([one is not None for one in self.shapes], dtype=bool)[self.codes]
        self.is_like = has_shape & (
            like.astype(bool) | self._per_cell("has_exponent", default=False)
        )

    def _per_cell(self, name: str, *, default: object) -> NDArray[Any]:
        """Return an attribute of the shape of each distinct cell."""
        values = np.array([default if one is None else getattr(one, name) for one in self.shapes])
        per_cell: NDArray[Any] = values[self.codes]
        return per_cell

    def _cores(self) -> pa.Array:
        """Return the digits and marks of the cells; of those with an exponent the whole cells."""
        cores = pc.replace_substring_regex(self.texts, AROUND, "")
        if any(one is not None and one.lead for one in self.shapes):
            leads = pa.array(self._per_cell("lead", default=""))
            cores = pc.binary_join_element_wise(leads, cores, "")
        if any(one is not None and one.has_exponent for one in self.shapes):
            science = pa.array(self._per_cell("has_exponent", default=False))
            cores = pc.if_else(science, self.texts, cores)
        return cores

    @property
    def are_mostly_numbers(self) -> bool:
        """Whether more than half of the cells look like numbers."""
        return bool(2 * self.counts[self.is_like].sum() > self.counts.sum())

    def find_format(self, marks: FileMarks, name: str) -> NumberFormat | None:
        """Return the format of the numbers; None if most cells are none, or are codes.

        Raises
        ------
        RetainError
            Most cells are numbers, and two readings fit, or they have different units.
        """
        forced = marks.formats.get(name)
        like = pa.array(self.is_like)
        evidence = MarkEvidence(self.cores.filter(like), self.counts[self.is_like])
        try:
            unit = self._find_unit(evidence)
            decimal, grouping = (
                (forced.decimal, forced.grouping)
                if forced
                else self._find_marks(evidence, marks, name)
            )
        except RetainError:
            if forced or self.are_mostly_numbers:
                raise
            return None
        if unit is None:
            return None
        return NumberFormat(decimal, grouping, unit.unit, unit.unit_kind)

    @property
    def sure_marks(self) -> Marks:
        """The marks that are surely decimal marks, and those that surely group."""
        if not self.are_mostly_numbers:
            return frozenset(), frozenset()
        like = pa.array(self.is_like)
        return MarkEvidence(self.cores.filter(like), self.counts[self.is_like]).sure

    @property
    def n_like(self) -> int:
        """Rows that look like numbers in some format."""
        return int(self.counts[self.is_like].sum())

    @property
    def has_odd_signs(self) -> bool:
        """Whether some numbers have a factor, or a minus elsewhere than in front."""
        return any(
            one is not None and (one.factor != 1 or (one.sign < 0 and shape[0] not in "-\u2212"))
            for one, shape in zip(self.shapes, self.shape_texts, strict=True)
        )

    def _find_unit(self, evidence: MarkEvidence) -> CellShape | None:
        """Return a shape with the unit of the column; None if its cells are codes."""
        used = [self.shapes[code] for code in np.unique(self.codes[self.is_like])]
        with_unit = {_plain_unit(one.unit): one for one in used if one is not None and one.unit}
        if not with_unit:
            return CellShape()
        strong = {key: one for key, one in with_unit.items() if not one.is_weak}
        n_numbers = len(set(self.cores.filter(pa.array(self.is_like)).to_pylist()[:_HEAD]))
        if not strong and not evidence.has_marks and n_numbers <= MIN_WEAK_NUMBERS:
            return None
        if len(with_unit) > 1:
            if all(one.unit_kind == "other" for one in with_unit.values()):
                return None
            self._refuse_units([one.unit for one in with_unit.values()])
        unit: CellShape = next(iter(with_unit.values()))
        self._check_percent(unit)
        return unit

    def _refuse_units(self, units: list[str]) -> NoReturn:
        cells = preview(self.column.distinct[self.is_like])
        problem = f"{self.where}: cells have the units {', '.join(map(repr, units[:5]))}: {cells}"
        raise RetainError(f"{problem}; expected one unit in a column. Convert them to one.")

    def _check_percent(self, unit: CellShape) -> None:
        """Raise if some numbers have a percent sign and others, not zero, have none."""
        if unit.unit_kind != "percent":
            return
        has_unit = self._per_cell("unit", default="") != ""
        zero = pc.match_substring_regex(self.cores, "^[0.,]+$").to_numpy(zero_copy_only=False)
        without = self.is_like & ~has_unit & ~zero.astype(bool)
        if without.any():
            problem = f"{self.where}: {n_cells(int(self.counts[without].sum()))} without a percent "
            shown = preview(self.column.distinct[without])
            raise RetainError(f"{problem}sign: {shown}; expected it in all cells, or in none.")

    def _find_marks(self, evidence: MarkEvidence, marks: FileMarks, name: str) -> tuple[str, str]:
        """Return the decimal and the grouping mark; raise if two readings fit."""
        decimal = evidence.decimal
        if decimal is None and len(evidence.open_marks) == 1:
            (mark,) = evidence.open_marks
            other = OTHER_MARK[mark]
            role = marks.resolve(mark, is_grouped=evidence.is_grouped)
            if evidence.space_grouping:
                role = "decimal"
            if role is None:
                self._refuse(mark, evidence.open_example, marks, name)
            decimal = mark if role == "decimal" else other
            return decimal, evidence.space_grouping if role == "decimal" else mark
        if decimal is None and evidence.open_marks:
            self._refuse(_mark_of(evidence.open_example), evidence.open_example, marks, name)
        decimal = decimal or marks.default
        return decimal, evidence.grouping(decimal)

    def _refuse(self, mark: str, cell: str, marks: FileMarks, name: str) -> NoReturn:
        other = OTHER_MARK[mark]
        whole, part = cell.replace(mark, ""), cell.replace(mark, ".")
        part = part.rstrip("0").rstrip(".")
        problem = f"{self.where}: {cell!r} may be {whole} or {part}"
        if not marks.key:
            raise RetainError(f"{problem}; write the numbers of the file without grouping marks.")
        key = marks.key if marks.is_one_key else f"{marks.key}.{snake_case(name)}"
        first, second = (
            type_value(key, one.example) for one in (NumberFormat(other, mark), NumberFormat(mark))
        )
        raise RetainError(
            f"{problem}, and nothing in the column or the file says which. "
            f"Type {first} for {whole}, or {second} for {part}."
        )

    def values(self, number_format: NumberFormat) -> NDArray[np.float64]:
        """Return the value of each distinct cell in a format, NaN where it does not fit."""
        fits = pc.match_substring_regex(self.cores, number_pattern(number_format))
        fits = pc.and_(fits, pa.array(self.is_like))
        bare = pc.if_else(fits, self.cores, pa.scalar(None, pa.string()))
        removed = "".join({number_format.grouping, " "} - {"", number_format.decimal})
        bare = pc.replace_substring_regex(bare, f"[{removed}]", "")
        if number_format.decimal == ",":
            bare = pc.replace_substring(bare, ",", ".")
        values = to_floats(bare)
        scaled: NDArray[np.float64] = values * self._per_cell("scale", default=1.0)
        return scaled


def _mark_of(cell: str) -> str:
    return "," if "," in cell else "."


def _parse_short(shape: str | None) -> CellShape | None:
    if shape is None or "#" not in shape or len(shape) > MAX_SHAPE_CHARACTERS:
        return None
    return parse_shape(shape)


def _plain_unit(unit: str) -> str:
    return re.sub("[. ]", "", unit).casefold()
