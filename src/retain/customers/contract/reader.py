"""Reader of raw tables under a contract as one table of customers, cleaned step by step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from retain.customers.cells.invalid_rows import InvalidRows, drop_invalid, raise_invalid
from retain.customers.contract.contract import Contract, parse_contract
from retain.customers.contract.derived import parse_derived_features
from retain.customers.contract.periods import find_period_gaps
from retain.customers.contract.raw_table import RawTable, read_table
from retain.customers.customers import CleaningStep, Customers
from retain.customers.files.encoding import TextOptions, resolve_path
from retain.customers.files.role_columns import log_customers
from retain.errors import RetainError, examples
from retain.record.estimates import DisplayName
from retain.schema.contract import Cleaning, NewcomerRule, OutlierRule, Policy
from retain.schema.names import Translated
from retain.schema.parsing import parse


def read(  # noqa: PLR0913 - the keys of a data config
    *,
    dir: str,  # noqa: A002 - data.dir is what the user types
    tables: Mapping[str, Any],
    profit_unit: str | Mapping[str, str],
    cleaning: Mapping[str, Any] | None = None,
    derived: Mapping[str, Any] | None = None,
    has_target: bool = True,
    encoding: str | None = None,
) -> Customers:
    """Return the customers of the raw files in ``dir``, checked against the contract.

    Parameters
    ----------
    dir
        Folder of the files.
    tables
        The contract: a ``TableSpec`` by table name. A table without a period has one row per
        customer; one with a period has a row per customer and period, and its columns become
        ``<name>_<period>``.
    profit_unit
        Unit of profit in words, in one text or in a text by language.
    cleaning
        A ``Cleaning``: rules for newcomers and outliers.
    derived
        A ``DerivedSpec`` by feature name.
    has_target
        False for customers to be scored: the target is not read, and customers with invalid rows
        are dropped with a funnel step instead of raising.
    encoding
        Encoding of the files, None to detect that of each.

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
    source = TextOptions(encoding=encoding, encoding_key="data.encoding")
    raw = {
        key: read_table(folder, key, spec, contract.key(key), source, drop_invalid=not has_target)
        for key, spec in contract.tables.items()
    }
    ids, unreadable = _ids(raw, drop_invalid=not has_target)
    raw = {key: table.reindex(ids) for key, table in raw.items()}
    customers = drop_invalid(_assemble(contract, raw, ids), unreadable)
    unit = _parse_unit(profit_unit) if customers.profit is not None else None
    customers = replace(customers, derived_features=wanted, profit_unit=unit)
    customers = clean(customers, rules, contract.measures)
    log_customers(customers)
    return customers


def _assemble(contract: Contract, raw: Mapping[str, RawTable], ids: pd.Index) -> Customers:
    """Return one row per customer; those with a missing target are left out."""
    contract_features = contract.features
    features = {
        key: raw[one.source.table].values(one.source.name, one.period)
        for key, one in contract_features.items()
    }
    activity = _of_role(contract, "target", raw)
    target = _parse_answers(contract, "target", activity)
    consent = _parse_answers(contract, "consent", _of_role(contract, "consent", raw))
    customers = Customers(
        features=pd.DataFrame(features, index=ids, copy=False),
        columns={key: feature.column for key, feature in contract_features.items()},
        target=None if target is None else target.astype("int64"),
        target_label=contract.target_label,
        profit=_of_role(contract, "profit", raw),
        contactable=None if consent is None else consent.rename("contactable"),
    )
    if activity is None or not activity.isna().any():
        return customers
    return customers.filter(activity.notna(), "no target", "the target is missing")


def _parse_unit(unit: str | Mapping[str, str]) -> str | DisplayName:
    if isinstance(unit, str):
        return unit
    return DisplayName(**parse(Translated, unit, "data.profit_unit").model_dump())


def _ids(raw: Mapping[str, RawTable], *, drop_invalid: bool) -> tuple[pd.Index, list[InvalidRows]]:
    """Return the ids of all tables and the invalid rows; raise for them unless ``drop_invalid``."""
    first, *rest = sorted(raw.values(), key=lambda table: table.periods is not None)
    ids = first.ids
    invalid = [one for table in raw.values() for one in table.invalid]
    for table in rest:
        if not table.ids.equals(first.ids):
            invalid += _find_unshared_ids(first, table)
            ids = ids.append(table.ids.difference(ids, sort=False))
    if not drop_invalid:
        raise_invalid(invalid)
    invalid += _find_gaps(raw.values(), ids)
    if not drop_invalid:
        raise_invalid(invalid)
    return ids.rename("customer_id"), invalid


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
    """Return customers without a row of some period, where columns are not nullable."""
    gaps: list[InvalidRows] = []
    for table in tables:
        values = [spec for key, spec in table.spec.columns.items() if key != table.key]
        if table.spec.period is None or table.periods is None or all(s.nullable for s in values):
            continue
        of_rows = table.ids.take(table.rows)
        gaps += find_period_gaps(of_rows, table.periods, ids, table.spec.period, table.description)
    return gaps


def _of_role(contract: Contract, role: str, raw: Mapping[str, RawTable]) -> pd.Series | None:
    """Return the values of the one column of this role; its table has one row per customer."""
    source = contract.role(role)
    if source is None:
        return None
    return raw[source.table].values(source.name).rename(role)


def _parse_answers(contract: Contract, role: str, answers: pd.Series | None) -> pd.Series | None:
    """Return a mask of the positive answers; a missing answer is False."""
    source = contract.role(role)
    if source is None or answers is None:
        return None
    return (answers == source.spec.positive).astype(bool)


@dataclass(frozen=True, slots=True)
class _RuleResult:
    """The customers a rule affects, and their repaired columns (rows of these customers only)."""

    name: str
    reason: str
    values: Mapping[str, str | float]
    affected: pd.Series
    repaired: pd.DataFrame


def clean(
    customers: Customers, rules: Cleaning, measures: Mapping[str, Sequence[str]]
) -> Customers:
    """Return the customers after all configured steps, newcomers before outliers.

    ``measures`` maps a measure to its features, one per period, earliest first. Each rule uses
    only a customer's own row, so cleaning before any split leaks nothing.
    """
    kept = np.ones(len(customers), dtype=bool)
    if rules.newcomers is not None:
        columns = _columns("newcomers", rules.newcomers, measures)
        finding = _find_newcomers(customers.features[columns], rules.newcomers)
        customers, kept = _apply_policy(customers, kept, finding, rules.newcomers.policy)
    if rules.outliers is not None:
        columns = _columns("outliers", rules.outliers, measures)
        finding = _find_outliers(customers.features[columns], rules.outliers)
        customers, kept = _apply_policy(customers, kept, finding, rules.outliers.policy)
    return customers if kept.all() else customers.rows(kept)


def _columns(
    step: str, rule: NewcomerRule | OutlierRule, measures: Mapping[str, Sequence[str]]
) -> list[str]:
    if rule.measure not in measures:
        where = f"cleaning.{step}.measure"
        raise RetainError(f"{where}: {RetainError.unknown('measure', rule.measure, [*measures])}")
    return list(measures[rule.measure])


def _find_newcomers(values: pd.DataFrame, rule: NewcomerRule) -> _RuleResult:
    """Find newcomers: customers with a missing or non-positive value in some period."""
    silent = ~(values > 0)
    is_newcomer = silent.any(axis=1)
    reason = f"no positive {rule.measure} in some period"
    repaired = values[is_newcomer].mask(silent[is_newcomer])
    return _RuleResult("newcomers", reason, {"measure": rule.measure}, is_newcomer, repaired)


def _find_outliers(every: pd.DataFrame, rule: OutlierRule) -> _RuleResult:
    """Find outliers: values far above the positive median of the customer's other periods.

    A median is at least the minimum, so only customers with a value far above their minimum need
    one.
    """
    values = every[every.max(axis=1) > rule.times * every.min(axis=1)]
    others = pd.DataFrame(
        {name: values.drop(columns=name).median(axis=1) for name in values}, index=values.index
    )
    above = (others > 0) & (values > rule.times * others)
    is_high = above.any(axis=1)
    is_outlier = pd.Series(every.index.isin(values.index[is_high]), index=every.index)
    reason = f"a {rule.measure} above {rule.times:g} × the median of the customer's other periods"
    repaired = values[is_high].mask(above[is_high], others[is_high])
    rule_values: dict[str, str | float] = {"measure": rule.measure, "times": rule.times}
    return _RuleResult("outlier", reason, rule_values, is_outlier, repaired)


def _apply_policy(
    customers: Customers, kept: np.ndarray, finding: _RuleResult, policy: Policy
) -> tuple[Customers, np.ndarray]:
    """Apply the policy; return the customers with a funnel step, and a mask of those kept."""
    affected = finding.affected.to_numpy() & kept
    ids, before = customers.features.index[affected].tolist(), int(kept.sum())
    if policy == "drop":
        kept = kept & ~affected
        left, reason = int(kept.sum()), finding.reason
        step = CleaningStep(
            finding.name, before, left, reason, dropped=tuple(ids), values=dict(finding.values)
        )
        if not kept.any():
            customers.rows(kept)  # raises
    else:
        listed = f": {examples(ids)}" if ids else ""
        done = "repaired" if policy == "repair" else "kept as they are"
        reason = f"{finding.reason}; {len(ids)} found and {done}{listed}"
        step = CleaningStep(finding.name, before, before, reason)
    features = customers.features
    if policy == "repair":
        features = features.copy()
        features.loc[affected, finding.repaired.columns] = finding.repaired.loc[
            features.index[affected]
        ]
    return replace(customers, features=features, funnel=(*customers.funnel, step)), kept
