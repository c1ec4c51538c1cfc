"""Reader of a single table as customers, without a contract."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from retain.customers.contract.derived import parse_derived_features
from retain.customers.customers import Column, Customers, DisplayName, FunnelStep, Kind
from retain.customers.files.booleans import parse_consent, parse_positive
from retain.customers.files.columns import (
    Roles,
    assign_roles,
    canonical_names,
    check_required_columns,
)
from retain.customers.files.encoding import resolve_path
from retain.customers.files.invalid_rows import InvalidRows, drop_invalid
from retain.customers.files.number_column import require_numbers
from retain.customers.files.numbers import n_cells, preview
from retain.customers.files.table_file import Table, configure_marks, open_table
from retain.customers.files.types import (
    InferredColumn,
    as_text,
    coerce_type,
    infer_type,
    mask_na_strings,
    uninformative_reason,
)
from retain.errors import RetainError, examples, type_value
from retain.wording import describe_count

_WHOLE = "0|-?[1-9][0-9]{0,17}"  # an id with leading zeros is a text

MAX_MESSAGES = 5
"""Columns about which one error speaks."""
log = logging.getLogger(__name__)


def read(  # noqa: PLR0913 - the keys of conf/data/table.yaml
    *,
    path: str,
    id: str | None = None,  # noqa: A002 - data.id is what the user types
    target: str | None = None,
    positive: str | float | bool | None = None,
    profit: str | None = None,
    profit_unit: str | None = None,
    consent: str | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    derived: Mapping[str, Any] | None = None,
    keep_columns: Sequence[str] = (),
    categorical_columns: Sequence[str] = (),
    encoding: str | None = None,
    sheet: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    number_format: Mapping[str, str] | None = None,
    date_format: Mapping[str, str] | None = None,
    known_kinds: Mapping[str, Kind] | None = None,
) -> Customers:
    """Return the customers of one file with one row per customer.

    Columns may be given by file name or canonical name (``customerID`` or ``customer_id``).

    Parameters
    ----------
    path
        A CSV file in any usual dialect, JSON lines, a Parquet file or a workbook; a CSV file or
        JSON lines may be packed by gzip, bzip2 or zip.
    id, target, profit, consent
        Columns of the id (None: the row number), the target, the profit and the consent to be
        contacted. They are not features, except an id or consent column listed in ``groups``.
    positive
        The value of the target that means a decline; may be None for answers like yes and no.
    profit_unit
        Unit of profit, in words.
    groups
        Columns by feature group; other columns are in group ``other``.
    derived
        A ``DerivedSpec`` by feature name.
    keep_columns
        Columns to keep although they are constant, empty or different in every row.
    categorical_columns
        Columns to read as categories although their cells are numbers or dates.
    encoding
        Encoding of a text file, None to detect it.
    sheet
        Sheet of a workbook, None if only one has cells.
    decimal, thousands
        The decimal and the grouping mark of columns whose numbers allow two readings.
    number_format
        The number 1234.56 as a column writes it, such as ``1.234,56``, by column.
    date_format
        The ``strptime`` format of the dates of a column, such as ``%d/%m/%Y``, by column.
    known_kinds
        For customers to be scored: the kinds of the model's features. These columns are read as
        this kind and always kept. Customers with an invalid cell are dropped with a funnel step.

    Raises
    ------
    RetainError
        The file or a name is wrong, features of ``known_kinds`` or ids are missing, ids repeat, or
        a column does not fit its role.
    """
    unit = _unit(profit, profit_unit)
    table = open_table(resolve_path(path, "data.path"), encoding=encoding, sheet=sheet)
    names = canonical_names(list(table.cells.columns))
    formats = {"number_format": number_format or {}, "date_format": date_format or {}}
    marks = configure_marks(table.marks, names, decimal, thousands, formats)
    table = replace(table, marks=marks)
    check_required_columns(known_kinds or (), [*names.values(), *(derived or {})])
    wanted = {"id": id, "target": target, "profit": profit, "consent": consent}
    roles = assign_roles(names, wanted, groups or {}, keep_columns, categorical_columns)
    ids = _ids(table, roles.id)
    features, unreadable = _infer_features(table, roles, ids, known_kinds or {})
    customers = _assemble(table, roles, ids, features, positive)
    if known_kinds is None:
        customers = _drop_uninformative(customers, roles, features)
    customers = drop_invalid(customers, unreadable)
    computed = parse_derived_features(derived, customers.columns)
    customers = replace(customers, profit_unit=unit, derived_features=computed)
    log.info("customers: %s; %d features", customers.describe_funnel(), len(customers.columns))
    return customers


def _unit(profit: str | None, unit: str | None) -> str | None:
    if profit is not None and not unit:
        expected = "expected what one unit of profit is, such as data.profit_unit='euro a month'"
        raise RetainError.at("data.profit_unit", f"it is {unit!r}", expected)
    return unit if profit is not None else None


def _log_reading(name: str, reading: str) -> None:
    if reading:
        log.info("column %r: %s", name, reading)


# --- columns -------------------------------------------------------------------------------------


def _infer_features(
    table: Table, roles: Roles, ids: pd.Index, known_kinds: Mapping[str, Kind]
) -> tuple[dict[str, InferredColumn], list[InvalidRows]]:
    """Return features by canonical name and invalid rows; raise for all unreadable columns."""
    inferred: dict[str, InferredColumn] = {}
    unreadable: list[InvalidRows] = []
    wrong: list[str] = []
    for name in roles.features:
        cells, key = table.cells[name], roles.names[name]
        try:
            if key in known_kinds:
                inferred[key], odd = coerce_type(cells, table.marks, name, known_kinds[key], ids)
                unreadable += odd
            elif name in roles.categorical_columns:
                inferred[key] = InferredColumn("category", as_text(cells))
            else:
                inferred[key] = infer_type(cells, table.marks, name)
        except RetainError as error:
            wrong.append(str(error))
        else:
            _log_reading(name, inferred[key].reading)
    if wrong:
        more = len(wrong) - MAX_MESSAGES
        rest = [f"… and {more} more columns."] if more > 0 else []
        raise RetainError("\n".join([*wrong[:MAX_MESSAGES], *rest]))
    return inferred, unreadable


def _assemble(
    table: Table,
    roles: Roles,
    ids: pd.Index,
    features: Mapping[str, InferredColumn],
    positive: str | float | bool | None,  # noqa: FBT001 - a value of the target
) -> Customers:
    """Return one row per customer; those without a target are left out."""
    values = {key: one.cells for key, one in features.items()}
    frame = pd.DataFrame(values, index=table.cells.index)
    answers = None if roles.target is None else mask_na_strings(table.cells[roles.target])
    target = None if answers is None else _target(answers, positive, f"column {roles.target!r}")
    profit = None if roles.profit is None else _profit(table, roles.profit)
    consent = None if roles.consent is None else _consent(table, roles.consent)
    customers = Customers(
        features=frame.set_axis(ids),
        columns={column.name: column for column in _columns(roles, features)},
        target=None if target is None else target.set_axis(ids).rename("target"),
        target_label=_target_label(roles.target, answers, target),
        profit=None if profit is None else profit.set_axis(ids).rename("profit"),
        contactable=None if consent is None else consent.set_axis(ids).rename("contactable"),
    )
    if answers is None or not answers.isna().any():
        return customers
    return customers.filter(answers.notna(), "no target", f"no value in column {roles.target!r}")


def _columns(roles: Roles, features: Mapping[str, InferredColumn]) -> Iterator[Column]:
    for name in roles.features:
        key = roles.names[name]
        group = roles.groups.get(name, "other")
        yield Column(key, group, features[key].kind, en=name, ru=name)


def _drop_uninformative(
    customers: Customers, roles: Roles, features: Mapping[str, InferredColumn]
) -> Customers:
    """Drop constant, empty and identifying columns, each with a funnel step."""
    # an id listed in a group stays: the audit reports it with figures
    keep = [*roles.keep_columns, *(name for name in (roles.id,) if name in roles.groups)]
    kept_keys = {roles.names[name] for name in keep}
    reasons = {
        key: uninformative_reason(
            customers.features[key],
            is_quantity=features[key].is_date or bool(features[key].reading),
        )
        for key in customers.columns
        if key not in kept_keys
    }
    useless = {key: reason for key, reason in reasons.items() if reason}
    if not useless:
        return customers
    left = {key: column for key, column in customers.columns.items() if key not in useless}
    listed = "; ".join(
        f"{customers.columns[key].en!r} is {reasons}" for key, reasons in useless.items()
    )
    reason = f"{listed}. To keep one: {type_value('data.keep_columns', [next(iter(useless))])}"
    if not left:
        raise RetainError(f"no feature is left; columns left out: {reason}")
    step = FunnelStep("columns left out", len(customers), len(customers), reason)
    features_left = customers.features[list(left)]
    return replace(
        customers, features=features_left, columns=left, funnel=(*customers.funnel, step)
    )


def _target(
    answers: pd.Series,
    positive: str | float | bool | None,  # noqa: FBT001 - a value of the target
    where: str,
) -> pd.Series:
    positives = parse_positive(answers.dropna(), positive, where)
    return positives.reindex(answers.index, fill_value=False).astype("int64")


def _target_label(
    name: str | None, answers: pd.Series | None, target: pd.Series | None
) -> DisplayName | None:
    """Return the positive answer as in the file."""
    if answers is None or target is None:
        return None
    label = f"{name} = {answers[target == 1].iloc[0]}"
    return DisplayName(label, label)


def _profit(table: Table, name: str) -> pd.Series:
    cells, where = table.cells[name], f"column {name!r}"
    if cells.dtype == "str":
        parsed = require_numbers(mask_na_strings(cells), table.marks, name)
        _log_reading(name, parsed.reading)
        return parsed.cells()
    inferred = infer_type(cells, table.marks, name)
    if inferred.is_date:
        raise RetainError.at(where, "it holds dates", "expected numbers, as it is the profit")
    return inferred.cells


def _consent(table: Table, name: str) -> pd.Series:
    return parse_consent(mask_na_strings(table.cells[name]), f"column {name!r}")


def _ids(table: Table, name: str | None) -> pd.Index:
    """Return ids: int64 if all are whole numbers, else texts; row numbers without a column."""
    if name is None:
        log.info("%s: no data.id, so the row number is the id", table.path.name)
        return pd.RangeIndex(1, len(table.cells) + 1, name="customer_id")
    cells = mask_na_strings(table.cells[name])
    missing = cells.index[cells.isna()]
    if len(missing) > 0:
        rows = examples(f"row {row + 2}" for row in missing[:5])  # the header is row 1
        problem = f"column {name!r}: {n_cells(len(missing))} missing ({rows})"
        raise RetainError(f"{problem}; expected an id in every row, or data.id=null.")
    repeated = cells[cells.duplicated()]
    if not repeated.empty:
        are = describe_count(repeated.nunique(), "id is", "ids are")
        problem = f"column {name!r}: {are} repeated: {preview(repeated)}"
        raise RetainError(f"{problem}; expected one row per customer.")
    whole = table.cells[name].dtype == "int64" or bool(cells.str.fullmatch(_WHOLE).all())
    return pd.Index(cells.astype("int64") if whole else cells, name="customer_id")
