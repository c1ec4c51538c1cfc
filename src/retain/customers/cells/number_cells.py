"""The distinct cells of a column that is not plain, and the one format that they allow."""

from __future__ import annotations

import re
from functools import cached_property
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retain.customers.cells.arrow_cells import DictionaryColumn
from retain.customers.cells.cell_patterns import (
    AROUND,
    MAX_EXACT_DIGITS,
    CellPattern,
    clean_text,
    digits_of,
    find_patterns,
)
from retain.customers.cells.number_format import FileMarks, Marks, NumberFormat
from retain.customers.cells.number_marks import (
    OTHER_MARK,
    MarkEvidence,
    fill_digits,
    is_open,
    number_pattern,
)
from retain.customers.cells.number_shapes import CellShape
from retain.customers.cells.numbers import n_cells, normalise_digits, preview
from retain.customers.columns import key_name
from retain.errors import RetainError, type_value

MIN_WEAK_NUMBERS = 20
"""Distinct numbers from which a unit that may be part of a code is believed to be a unit."""
MIN_CODE_LETTERS = 3
"""Letters of the code of a currency; fewer may mean anything."""
MAX_PATTERNS = 10_000
"""Patterns of a column that are looked at, the most frequent ones; numbers have some hundreds."""
_HEAD = 5_000  # cells whose mark may be either


def to_floats(texts: pa.Array) -> NDArray[np.float64]:
    """Return plain numbers as floats, NaN where missing or too large."""
    bare = pc.if_else(pc.starts_with(texts, "+"), pc.utf8_slice_codeunits(texts, 1), texts)
    values = bare.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.where(np.isfinite(values), values, np.nan)


class NumberCells:
    """The distinct cells of a column, by the patterns of their digits.

    ``where`` is the name of the column in messages.
    """

    def __init__(self, column: DictionaryColumn, texts: pa.Array, where: str) -> None:
        texts = normalise_digits(texts)
        self.column, self.texts, self.where = column, texts, where
        self.counts = column.counts()
        texts_of_patterns, codes = find_patterns(texts)
        rows = np.bincount(codes, weights=self.counts, minlength=len(texts_of_patterns))
        frequent = np.argsort(-rows, kind="stable")[:MAX_PATTERNS].tolist()
        self.patterns = _number_patterns({code: texts_of_patterns[code] for code in frequent})
        self._order = np.argsort(codes, kind="stable")
        self._ends = np.cumsum(np.bincount(codes, minlength=len(texts_of_patterns)))
        is_like = np.zeros(len(texts_of_patterns), dtype=bool)
        is_like[list(self.patterns)] = True
        self.is_like = is_like[codes]

    def _cells_of(self, code: int) -> NDArray[np.intp]:
        """Return the indices of the cells of a pattern."""
        start = self._ends[code - 1] if code else 0
        indices: NDArray[np.intp] = self._order[start : self._ends[code]]
        return indices

    @property
    def shapes(self) -> dict[str, CellShape]:
        """The shapes of the cells, by the text with ``#`` for the number."""
        patterns = self.patterns.values()
        return {one.shape_text: one.shape for one in patterns if one.shape is not None}

    @property
    def are_mostly_numbers(self) -> bool:
        """True if more than half of the cells look like numbers."""
        return bool(2 * self.counts[self.is_like].sum() > self.counts.sum())

    @property
    def has_odd_signs(self) -> bool:
        """True if some numbers have a factor, or a minus elsewhere than in front."""
        return any(
            one.factor != 1 or (one.sign < 0 and text[0] not in "-\u2212")
            for text, one in self.shapes.items()
        )

    @cached_property
    def _evidence(self) -> MarkEvidence:
        """The digits of each pattern, and of up to ``_HEAD`` cells whose mark may be either."""
        cores: list[str] = []
        counts: list[int] = []
        for code, pattern in self.patterns.items():
            selected = self._cells_of(code)
            rows = self.counts[selected]
            if not is_open(pattern.core):
                cores.append(pattern.core.replace("0", "1"))
                counts.append(int(rows.sum()))
                continue
            digits = digits_of(self.texts.take(pa.array(selected)), pattern)
            open_rows = rows[digits[:, 0] > 0]
            texts = fill_digits(pattern.core, digits[digits[:, 0] > 0][:_HEAD])
            cores += [*texts, fill_digits(pattern.core, 0 * digits[:1])[0]]
            counts += [int(n) for n in open_rows[:_HEAD]]
            counts.append(int(rows[digits[:, 0] == 0].sum()))
        used = [(core, n) for core, n in zip(cores, counts, strict=True) if n]
        counted = np.array([n for _, n in used], dtype=np.int64)
        return MarkEvidence(pa.array([core for core, _ in used], type=pa.string()), counted)

    def find_format(self, marks: FileMarks, name: str) -> NumberFormat | None:
        """Return the format of the numbers; None if most cells are none, or are codes.

        Raises
        ------
        RetainError
            Most cells are numbers, and two readings fit, or they have different units.
        """
        forced = marks.formats.get(name)
        evidence = self._evidence
        try:
            unit = self._find_unit(evidence, is_sure=forced is not None)
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
        return self._evidence.sure

    @property
    def has_marks(self) -> bool:
        """True if some number has a decimal or a grouping mark."""
        return self._evidence.has_marks

    @property
    def n_like(self) -> int:
        """Rows that look like numbers in some format."""
        return int(self.counts[self.is_like].sum())

    def _find_unit(self, evidence: MarkEvidence, *, is_sure: bool) -> CellShape | None:
        """Return a shape with the unit of the column; None if its cells may be codes."""
        used = [one for one in self.shapes.values() if one.unit]
        with_unit = {_plain_unit(one.unit): one for one in used}
        if not with_unit:
            return CellShape()
        strong = {key: one for key, one in with_unit.items() if not one.is_weak}
        n_numbers = int(self.is_like.sum())
        may_be_codes = n_numbers <= MIN_WEAK_NUMBERS or len(with_unit) > 1
        if may_be_codes and not (is_sure or strong or evidence.has_marks):
            return None
        if len(with_unit) > 1:
            self._refuse_units([one.unit for one in with_unit.values()])
        unit: CellShape = next(iter(with_unit.values()))
        self._check_everywhere(unit)
        return unit

    def _refuse_units(self, units: list[str]) -> NoReturn:
        cells = preview(self.column.distinct[self.is_like])
        problem = f"{self.where}: cells have the units {', '.join(map(repr, units[:5]))}: {cells}"
        raise RetainError(f"{problem}; expected one unit in a column. Convert them to one.")

    def _check_everywhere(self, unit: CellShape) -> None:
        """Raise if some numbers have a unit, and others, not zero, have none.

        A word or letter beside a number may be its sign or its scale: CR, D, thousand, cents. The
        sign or code of a currency is neither.
        """
        is_letters = unit.unit.isalpha() and len(unit.unit) < MIN_CODE_LETTERS
        if unit.unit_kind == "currency" and not is_letters:
            return
        without = np.zeros(len(self.texts), dtype=bool)
        for code, pattern in self.patterns.items():
            if pattern.shape is not None and not pattern.shape.unit:
                without[self._cells_of(code)] = True
        zero = pc.match_substring_regex(self.texts, "^[-+]?[0.,]+$")
        without &= ~zero.to_numpy(zero_copy_only=False).astype(bool)
        if without.any():
            count = n_cells(int(self.counts[without].sum()))
            sign = "a percent sign" if unit.unit_kind == "percent" else repr(unit.unit)
            shown = preview(self.column.distinct[without])
            problem = f"{self.where}: {count} without {sign}: {shown}"
            raise RetainError(f"{problem}; expected it in all cells, or in none.")

    def _find_marks(self, evidence: MarkEvidence, marks: FileMarks, name: str) -> tuple[str, str]:
        """Return the decimal and the grouping mark; raise if two readings fit."""
        decimal = evidence.decimal
        if decimal is None and len(evidence.open_marks) == 1:
            (mark,) = evidence.open_marks
            other = OTHER_MARK[mark]
            role = marks.resolve(mark, name, is_grouped=evidence.is_grouped)
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
        key = marks.key if marks.is_one_key else f"{marks.key}.{key_name(name)}"
        first, second = (
            type_value(key, one.example) for one in (NumberFormat(other, mark), NumberFormat(mark))
        )
        raise RetainError(
            f"{problem}, and nothing in the column or the file says which. "
            f"Type {first} for {whole}, or {second} for {part}."
        )

    def values(self, number_format: NumberFormat) -> NDArray[np.float64]:
        """Return the value of each distinct cell in a format, NaN where it does not fit."""
        values = np.full(len(self.texts), np.nan)
        expected = re.compile(number_pattern(number_format))
        for code, pattern in self.patterns.items():
            if expected.match(pattern.core):
                selected = self._cells_of(code)
                texts = self.texts.take(pa.array(selected))
                values[selected] = _pattern_values(texts, pattern, number_format.decimal)
        return values


def _number_patterns(texts: dict[int, str]) -> dict[int, CellPattern]:
    """Return the patterns that are numbers in some format, by their codes.

    Different words behind numbers, as in addresses, are no units.
    """
    patterns = {code: CellPattern(text) for code, text in texts.items()}
    like = {code: one for code, one in patterns.items() if one.shape is not None}
    words = {
        _plain_unit(one.shape.unit)
        for one in like.values()
        if one.shape is not None and one.shape.unit_kind == "other"
    }
    if len(words) <= 1:
        return like
    return {
        code: one
        for code, one in like.items()
        if one.shape is not None and one.shape.unit_kind != "other"
    }


def _pattern_values(texts: pa.Array, pattern: CellPattern, decimal: str) -> NDArray[np.float64]:
    """Return the values of texts of one pattern."""
    shape, places = pattern.shape or CellShape(), pattern.places()
    if shape.has_exponent or len(places) > MAX_EXACT_DIGITS:
        plain = [_plain_number(clean_text(text), shape, decimal) for text in texts.to_pylist()]
        return to_floats(pa.array(plain)) * shape.scale
    digits = digits_of(texts, pattern)
    powers = 10 ** np.arange(len(places) - 1, -1, -1, dtype=np.int64)
    n_decimals = sum(one == "0" for one in pattern.core.partition(decimal)[2])
    values: NDArray[np.float64] = (digits @ powers) / 10.0**n_decimals * shape.scale
    return values


def _plain_number(text: str, shape: CellShape, decimal: str) -> str:
    """Return the digits of a number with a point, and its exponent."""
    if not shape.has_exponent:
        text = shape.lead + re.sub(AROUND, "", text)
    keep = f"[^0-9{decimal}]" if not shape.has_exponent else f"[^0-9eE+{decimal}-]"
    return re.sub(keep, "", text.replace("\u2212", "-")).replace(decimal, ".")


def _mark_of(cell: str) -> str:
    return "," if "," in cell else "."


def _plain_unit(unit: str) -> str:
    return re.sub("[. ]", "", unit).casefold()
