"""The ids of a raw table: whose each row is.

May import: errors, schema and customers.dialect, numerals.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retain.customers.dialect import Sheet
from retain.customers.numerals import cells_are, shown
from retain.errors import RetainError, examples
from retain.schema import ColumnSpec

_WHOLE = "[+-]?[0-9]{1,18}(?:[.,]0*)?"  # 18 digits fit int64; some tools export 7 as 7.0
_DIGITS = 18


def ids_of_rows(sheet: Sheet, column: str, spec: ColumnSpec, where: str) -> pd.Series:
    """The id of each row."""
    if spec.type == "integer" and _are_digits(sheet.table.column(column)):
        whole = sheet.table.column(column).cast(pa.int64())
        return pd.Series(whole.to_numpy(), name="customer_id")
    cells, at = sheet.column(column).cells(), f"{where}, column {spec.raw!r}"
    empty = cells.index[cells.isna()]
    if len(empty) > 0:
        rows = examples(f"row {row + 2}" for row in empty[:5])  # the header is row 1
        raise RetainError(f"{at}: {cells_are(len(empty))} empty ({rows}); expected an id.")
    if spec.type != "integer":
        return cells.rename("customer_id")
    wrong = cells[~cells.str.fullmatch(_WHOLE).astype(bool)]
    if not wrong.empty:
        found = f"{cells_are(len(wrong))} not a whole number: {shown(wrong)}"
        raise RetainError.at(at, found, "expected ids that are whole numbers")
    whole = cells.str.replace("[.,]0*$", "", regex=True)
    return whole.str.removeprefix("+").astype("int64").rename("customer_id")


def customers_of(ids: pd.Series) -> tuple[NDArray[np.intp], pd.Index]:
    """For each row the place of its customer, and the customers in order of appearance."""
    if ids.dtype == "str" or not ids.is_monotonic_increasing:
        rows, customers = pd.factorize(ids)
        return rows, pd.Index(customers, name="customer_id")
    values = ids.to_numpy()
    fresh = np.append(True, values[1:] != values[:-1])
    return np.cumsum(fresh) - 1, pd.Index(values[fresh], name="customer_id")


def _are_digits(texts: pa.ChunkedArray) -> bool:
    """Whether the texts are digits and nothing else, few enough for int64."""
    if not pa.types.is_string(texts.type):
        return False
    longest = pc.max(pc.binary_length(texts)).as_py()
    return bool(longest <= _DIGITS and pc.all(pc.ascii_is_decimal(texts)).as_py())
