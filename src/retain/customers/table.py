"""Reader of a single table as customers, without a contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from retain.customers.cells.booleans import Answer
from retain.customers.cells.invalid_rows import InvalidRows, drop_invalid
from retain.customers.cells.trained_columns import coerce_type
from retain.customers.cells.types import (
    InferredColumn,
    as_text,
    infer_type,
    mask_na_strings,
    uninformative_reason,
)
from retain.customers.columns import (
    Roles,
    assign_roles,
    canonical_names,
    check_required_columns,
    find_columns,
    rename_reserved,
)
from retain.customers.contract.derived import parse_derived_features
from retain.customers.customers import CleaningStep, Column, Customers, Kind
from retain.customers.files.bad_rows import parse_policy
from retain.customers.files.encoding import TextOptions, resolve_path
from retain.customers.files.role_columns import (
    fill_blank_answers,
    log_customers,
    log_reading,
    parse_consent_column,
    parse_ids,
    parse_profit,
    parse_target,
    target_label,
)
from retain.customers.files.table_columns import (
    describe_columns,
    drop_named,
    mask_missing_values,
)
from retain.customers.files.table_file import FileTable, configure_marks, open_table
from retain.customers.files.table_rows import drop_aggregates, drop_bad_cells, drop_other_rows
from retain.customers.reading import Reading, SourceColumn
from retain.errors import RetainError, type_value

MAX_MESSAGES = 5
"""Columns about which one error speaks."""
MAX_LISTED = 20
"""Columns left out that one step of the funnel lists."""


def read(  # noqa: PLR0913 - the keys of conf/data/table.yaml
    *,
    path: str,
    id: str | None = None,  # noqa: A002 - data.id is what the user types
    target: str | None = None,
    positive: Answer | Sequence[Answer] | None = None,
    profit: str | None = None,
    profit_unit: str | None = None,
    consent: str | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    derived: Mapping[str, Any] | None = None,
    keep_columns: Sequence[str] = (),
    categorical_columns: Sequence[str] = (),
    drop_columns: Sequence[str] = (),
    missing_values: Sequence[Answer] = (),
    bad_rows: str = "error",
    bad_rows_share: float = 0.01,
    totals_rows: str = "auto",
    header_line: int | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    number_format: Mapping[str, str] | None = None,
    date_format: Mapping[str, str] | None = None,
    known_kinds: Mapping[str, Kind] | None = None,
    known_sources: Mapping[str, SourceColumn] | None = None,
    named_columns: Mapping[str, Sequence[str]] | None = None,
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
        The value or values of the target that mean a decline; may be None for answers like yes
        and no.
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
    drop_columns
        Columns to leave out.
    missing_values
        Cells that mean a missing value, in any column.
    bad_rows, bad_rows_share
        ``error``, or ``drop`` for rows that cannot be read, up to this share of all rows.
    totals_rows
        ``auto`` leaves out rows that sum up the others, and raises where that is not certain;
        ``drop`` leaves out all rows with a word of totals, ``keep`` none.
    header_line
        Line of the column names in a text or a sheet, from 1; None: detected.
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
    known_sources
        The columns of the training file by feature: they say which column is which feature, and
        decide where its cells allow two readings.
    named_columns
        Columns that other keys of a command name, by key. They are always kept.

    Raises
    ------
    RetainError
        The file or a name is wrong, features of ``known_kinds`` or ids are missing, ids repeat, or
        a column does not fit its role.
    """
    unit = _unit(profit, profit_unit)
    policy = parse_policy(bad_rows, bad_rows_share)
    source = TextOptions(encoding=encoding, policy=policy, header_line=header_line)
    table = open_table(
        resolve_path(path, "data.path"), source, sheet=None if sheet is None else str(sheet)
    )
    all_columns = list(table.cells.columns)
    table = drop_named(table, drop_columns, skip_unknown=known_kinds is not None)
    names = canonical_names(list(table.cells.columns), known_sources or {})
    formats = {"number_format": number_format or {}, "date_format": date_format or {}}
    marks = configure_marks(table.marks, names, decimal, thousands, formats)
    by_key = {key: name for name, key in names.items()}
    trained = {by_key[key]: one for key, one in (known_sources or {}).items() if key in by_key}
    table = replace(table, marks=replace(marks, trained=trained))
    wanted = {"id": id, "target": target, "profit": profit, "consent": consent}
    for key, listed in (named_columns or {}).items():
        keep_columns = [*keep_columns, *find_columns(listed, names, key)]
    roles = assign_roles(names, wanted, groups or {}, keep_columns, categorical_columns)
    roles = rename_reserved(roles)
    check_required_columns(known_kinds or (), [*roles.names.values(), *(derived or {})])
    table = mask_missing_values(table, missing_values)
    table = drop_other_rows(table, roles.id, totals_rows)
    if known_kinds is None:
        table = drop_bad_cells(table, roles, policy)
    ids = parse_ids(table, roles.id)
    features, unreadable = _infer_features(table, roles, ids, known_kinds or {})
    customers_only = drop_aggregates(table, roles, features, totals_rows)
    if customers_only is not table:
        table, ids = customers_only, parse_ids(customers_only, roles.id)
        features, unreadable = _infer_features(table, roles, ids, known_kinds or {})
    customers = _assemble(table, roles, ids, features, positive)
    useless = {} if known_kinds is not None else _find_useless(customers, roles, features)
    customers = drop_invalid(_drop_columns(customers, useless), unreadable)
    computed = parse_derived_features(derived, customers.columns)
    columns = tuple(describe_columns(all_columns, table, roles, features, useless))
    reading = Reading(columns, table.dropped)
    customers = replace(customers, profit_unit=unit, derived_features=computed, reading=reading)
    log_customers(customers)
    return customers


def _unit(profit: str | None, unit: str | None) -> str | None:
    if profit is not None and not unit:
        expected = "expected what one unit of profit is, such as data.profit_unit='euro a month'"
        raise RetainError.at("data.profit_unit", f"it is {unit!r}", expected)
    return unit if profit is not None else None


# --- columns -------------------------------------------------------------------------------------


def _infer_features(
    table: FileTable, roles: Roles, ids: pd.Index, known_kinds: Mapping[str, Kind]
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
            log_reading(name, inferred[key].reading)
    if wrong:
        more = len(wrong) - MAX_MESSAGES
        rest = [f"… and {more} more columns."] if more > 0 else []
        raise RetainError("\n".join([*wrong[:MAX_MESSAGES], *rest]))
    return inferred, unreadable


def _assemble(
    table: FileTable,
    roles: Roles,
    ids: pd.Index,
    features: Mapping[str, InferredColumn],
    positive: Answer | Sequence[Answer] | None,
) -> Customers:
    """Return one row per customer; those without a target are left out."""
    values = {key: one.cells for key, one in features.items()}
    frame = pd.DataFrame(values, index=table.cells.index)
    answers = None
    if roles.target is not None:
        found = mask_na_strings(table.cells[roles.target])
        answers = fill_blank_answers(found, positive, roles.target)
    target = None if answers is None else parse_target(answers, positive, str(roles.target))
    profit = None if roles.profit is None else parse_profit(table, roles.profit)
    consent = None if roles.consent is None else parse_consent_column(table, roles.consent)
    customers = Customers(
        features=frame.set_axis(ids),
        columns={column.name: column for column in _columns(roles, features)},
        target=None if target is None else target.set_axis(ids).rename("target"),
        target_label=target_label(roles.target, answers, target),
        profit=None if profit is None else profit.set_axis(ids).rename("profit"),
        contactable=None if consent is None else consent.set_axis(ids).rename("contactable"),
        funnel=table.steps,
    )
    if answers is None or not answers.isna().any():
        return customers
    return customers.filter(answers.notna(), "no target", f"no value in column {roles.target!r}")


def _columns(roles: Roles, features: Mapping[str, InferredColumn]) -> Iterator[Column]:
    for name in roles.features:
        key = roles.names[name]
        group = roles.groups.get(name, "other")
        column = features[key]
        source = column.source or SourceColumn(name=name)
        yield Column(key, group, column.kind, en=str(name), ru=str(name), source=source)


def _find_useless(
    customers: Customers, roles: Roles, features: Mapping[str, InferredColumn]
) -> dict[str, str]:
    """Return constant, empty and identifying features with the reason."""
    # an id listed in a group stays: the audit reports it with figures
    keep = [*roles.keep_columns, *(name for name in (roles.id,) if name in roles.groups)]
    kept_keys = {roles.names[name] for name in keep}
    reasons = {
        key: uninformative_reason(customers.features[key], is_quantity=features[key].is_quantity)
        for key in customers.columns
        if key not in kept_keys
    }
    return {key: reason for key, reason in reasons.items() if reason}


def _drop_columns(customers: Customers, useless: Mapping[str, str]) -> Customers:
    """Return the customers without these features, with one funnel step."""
    if not useless:
        return customers
    left = {key: column for key, column in customers.columns.items() if key not in useless}
    names = [customers.columns[key].en for key in useless]
    pairs = zip(names[:MAX_LISTED], useless.values(), strict=False)
    listed = "; ".join(f"{name!r} is {reason}" for name, reason in pairs)
    more = len(names) - MAX_LISTED
    listed += f"; and {more:,} more (describe=true)" if more > 0 else ""
    reason = f"{listed}. To keep one: {type_value('data.keep_columns', names[:1])}"
    if not left:
        raise RetainError(f"no feature is left; columns left out: {reason}")
    step = CleaningStep("columns left out", len(customers), len(customers), reason)
    features_left = customers.features[list(left)]
    return replace(
        customers, features=features_left, columns=left, funnel=(*customers.funnel, step)
    )
