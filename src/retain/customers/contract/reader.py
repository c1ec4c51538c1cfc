"""Any set of raw tables under a contract, read as one table of customers."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from retain.customers.contract.cleaning import clean
from retain.customers.contract.contract import Contract, parse_contract
from retain.customers.contract.derived import parse_derived_features
from retain.customers.contract.periods import find_period_gaps
from retain.customers.contract.raw_table import RawTable, read_table
from retain.customers.customers import Customers
from retain.customers.files.encoding import resolve_path
from retain.customers.files.invalid_rows import InvalidRows, drop_invalid, raise_invalid
from retain.errors import examples
from retain.schema import Cleaning, parse


def read(  # noqa: PLR0913 - the keys of a data config
    *,
    dir: str,  # noqa: A002 - data.dir is what the user types
    tables: Mapping[str, Any],
    profit_unit: str,
    cleaning: Mapping[str, Any] | None = None,
    derived: Mapping[str, Any] | None = None,
    has_target: bool = True,
) -> Customers:
    """Return the customers of the raw files in ``dir``, one row each, checked against the contract.

    Parameters
    ----------
    dir
        The folder with the files the tables name.
    tables
        The contract: a ``TableSpec`` by table name. A table without a period has one row a
        customer; one with a period has a row a customer and period, and its columns become
        ``<name>_<period>``.
    profit_unit
        What one unit of profit is, in words.
    cleaning
        A ``Cleaning``: what becomes of newcomers and outliers.
    derived
        A ``DerivedSpec`` by feature name.
    has_target
        False for customers who are only to be scored: the target column is not read, and who
        breaks the contract is left out, told in the funnel, instead of the files being refused.

    Raises
    ------
    RetainError
        The contract contradicts itself, or a file breaks it.
    """
    contract = parse_contract(tables, has_target=has_target)
    rules = parse(Cleaning, cleaning or {}, "cleaning")
    columns = {key: feature.column for key, feature in contract.features.items()}
    wanted = parse_derived_features(derived, columns)
    folder = resolve_path(dir, "data.dir")
    raw = {
        key: read_table(folder, key, spec, contract.key(key), drop_invalid=not has_target)
        for key, spec in contract.tables.items()
    }
    ids, unreadable = _ids(raw, drop_invalid=not has_target)
    raw = {key: table.reindex(ids) for key, table in raw.items()}
    customers = drop_invalid(_assemble(contract, raw, ids), unreadable)
    unit = profit_unit if customers.profit is not None else None
    customers = replace(customers, derived_features=wanted, profit_unit=unit)
    customers = clean(customers, rules, contract.measures)
    log = logging.getLogger(__name__)
    log.info("customers: %s; %d features", customers.describe_funnel(), len(columns))
    return customers


def _assemble(contract: Contract, raw: Mapping[str, RawTable], ids: pd.Index) -> Customers:
    """One row a customer; those whose answer is missing have no target and are left out."""
    found = contract.features
    features = {
        key: raw[one.source.table].values(one.source.name, one.period) for key, one in found.items()
    }
    activity = _of_role(contract, "target", raw)
    target = _parse_answers(contract, "target", activity)
    consent = _parse_answers(contract, "consent", _of_role(contract, "consent", raw))
    customers = Customers(
        features=pd.DataFrame(features, index=ids, copy=False),
        columns={key: feature.column for key, feature in found.items()},
        target=None if target is None else target.astype("int64"),
        target_label=contract.target_label,
        profit=_of_role(contract, "profit", raw),
        contactable=None if consent is None else consent.rename("contactable"),
    )
    if activity is None or not activity.isna().any():
        return customers
    return customers.filter(activity.notna(), "no target", "the target is missing")


def _ids(raw: Mapping[str, RawTable], *, drop_invalid: bool) -> tuple[pd.Index, list[InvalidRows]]:
    """Return the ids of all tables, and the rows to leave out.

    Unless ``drop_invalid`` anybody to leave out is a reason to refuse the files.
    """
    first, *rest = sorted(raw.values(), key=lambda table: table.periods is not None)
    ids = first.ids
    found = [one for table in raw.values() for one in table.invalid]
    for table in rest:
        if not table.ids.equals(first.ids):
            found += _find_unshared_ids(first, table)
            ids = ids.append(table.ids.difference(ids, sort=False))
    if not drop_invalid:
        raise_invalid(found)
    found += _find_gaps(raw.values(), ids)
    if not drop_invalid:
        raise_invalid(found)
    return ids.rename("customer_id"), found


def _find_unshared_ids(first: RawTable, other: RawTable) -> list[InvalidRows]:
    alone, theirs = first.ids.difference(other.ids), other.ids.difference(first.ids)
    sides = ((first, alone, other), (other, theirs, first))
    return [
        InvalidRows(
            f"{has.description}, column {has.spec.columns[has.key].raw!r}: {len(alone)} ids are "
            f"not in {lacks.description}: {examples(alone[:5].tolist())}; expected the same "
            "customers in both.",
            alone,
        )
        for has, alone, lacks in sides
        if len(alone) > 0
    ]


def _find_gaps(tables: Iterable[RawTable], ids: pd.Index) -> list[InvalidRows]:
    """Return a missing row is a missing value of every column of a long table."""
    found: list[InvalidRows] = []
    for table in tables:
        values = [spec for key, spec in table.spec.columns.items() if key != table.key]
        if table.spec.period is None or table.periods is None or all(s.nullable for s in values):
            continue
        of_rows = table.ids.take(table.rows)
        found += find_period_gaps(of_rows, table.periods, ids, table.spec.period, table.description)
    return found


def _of_role(contract: Contract, role: str, raw: Mapping[str, RawTable]) -> pd.Series | None:
    """Return the values of the one column of this role; such a table has one row a customer."""
    source = contract.role(role)
    if source is None:
        return None
    return raw[source.table].values(source.name).rename(role)


def _parse_answers(contract: Contract, role: str, answers: pd.Series | None) -> pd.Series | None:
    """Return whether each answer is the positive one; a missing answer is not."""
    source = contract.role(role)
    if source is None or answers is None:
        return None
    return (answers == source.spec.positive).astype(bool)
