"""The data contract: the tables of a source, checked before any file is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from retain.customers.customers import Column, Kind
from retain.errors import RetainError, did_you_mean
from retain.record.estimates import DisplayName
from retain.schema.contract import ColumnSpec, TableSpec
from retain.schema.names import RESERVED
from retain.schema.parsing import check_mapping, parse

_ONCE = ("target", "profit", "consent")
_KINDS = {"target": ("category",), "consent": ("category",), "profit": ("integer", "number")}


@dataclass(frozen=True, slots=True)
class Source:
    """One column of one table."""

    table: str
    name: str
    spec: ColumnSpec

    @property
    def key(self) -> str:
        """The config key of the column."""
        return f"tables.{self.table}.columns.{self.name}"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: its source column and, in a long table, its period."""

    source: Source
    period: str | None
    column: Column


@dataclass(frozen=True, slots=True)
class Contract:
    """The tables of a source by contract name."""

    tables: Mapping[str, TableSpec]

    def sources(self) -> Iterator[Source]:
        """Yield every column of every table, in order."""
        for table, spec in self.tables.items():
            for name, column in spec.columns.items():
                yield Source(table, name, column)

    def role(self, role: str) -> Source | None:
        """Return the first column with this role."""
        return next((source for source in self.sources() if source.spec.role == role), None)

    def key(self, table: str) -> str:
        """Return the contract name of the column that joins ``table`` to the others.

        A column declared as a feature also joins if it is the id of another table.
        """
        columns = self.tables[table].columns
        own = [name for name, spec in columns.items() if spec.role == "id"]
        others = {source.name for source in self.sources() if source.spec.role == "id"}
        keys = own or [name for name in columns if name in others]
        if len(keys) != 1:
            listed = ", ".join(map(repr, keys)) or "no column"
            where = f"tables.{table}.columns"
            raise RetainError.at(where, f"{listed} has role id", "expected exactly one id")
        return keys[0]

    @property
    def target_label(self) -> DisplayName | None:
        """The display name of the positive class; None without a target."""
        source = self.role("target")
        if source is None or source.spec.positive is None:
            return None
        column = _column(source.name, source.spec)
        level = column.level(source.spec.positive)
        return DisplayName(f"{column.en}: {level.en}", f"{column.ru}: {level.ru}")

    @property
    def features(self) -> dict[str, Feature]:
        """The features by name, one per period in long tables."""
        return {f.column.name: f for source in self.sources() for f in self._features(source)}

    @property
    def measures(self) -> dict[str, list[str]]:
        """The number features of each period column, earliest period first."""
        by_measure: dict[str, list[str]] = {}
        for name, feature in self.features.items():
            if feature.period is not None and feature.column.kind == "number":
                by_measure.setdefault(feature.source.name, []).append(name)
        return by_measure

    def _features(self, source: Source) -> Iterator[Feature]:
        spec, period = source.spec, self.tables[source.table].period
        if spec.role != "feature" and not (spec.role == "consent" and spec.group):
            return
        if period is None or source.name == self.key(source.table):
            yield Feature(source, None, _column(source.name, spec))
            return
        for key in period.order:
            labels = period.labels.get(key, {})
            en, ru = (labels.get(language, key) for language in ("en", "ru"))
            yield Feature(source, key, _column(source.name, spec, f"_{key}", f", {en}", f", {ru}"))


def parse_contract(tables: Mapping[str, Any], *, has_target: bool = True) -> Contract:
    """Return the contract of config nodes, or raise one error with all contradictions.

    ``has_target=False`` leaves the target out, for customers to be scored.
    """
    nodes = check_mapping("tables", tables)
    parsed = {name: parse(TableSpec, node, f"tables.{name}") for name, node in nodes.items()}
    contract = Contract(parsed if has_target else _without_target(parsed))
    if not parsed:
        raise RetainError.at("tables", "it is empty", "expected at least one table")
    wrong = [line for check in _CHECKS for line in check(contract)]
    if wrong:
        raise RetainError("\n".join(wrong))
    return contract


def _column(name: str, spec: ColumnSpec, suffix: str = "", en: str = "", ru: str = "") -> Column:
    kind: Kind = "category" if spec.type == "category" else "number"
    group = spec.group or "other"
    levels = {
        key: DisplayName(one.en or key, one.ru or key) for key, one in spec.categories.items()
    }
    texts = ((spec.en or name) + en, (spec.ru or name) + ru)
    return Column(name + suffix, group, kind, *texts, levels)


def _without_target(tables: Mapping[str, TableSpec]) -> dict[str, TableSpec]:
    def without_target(table: TableSpec) -> TableSpec:
        columns = {name: spec for name, spec in table.columns.items() if spec.role != "target"}
        return table.model_copy(update={"columns": columns})

    return {name: without_target(table) for name, table in tables.items()}


# --- checks: each yields messages ----------------------------------------------------------------


def _check_roles_unique(contract: Contract) -> Iterable[str]:
    for role in _ONCE:
        keys = [source.key for source in contract.sources() if source.spec.role == role]
        if len(keys) > 1:
            yield f"role {role} is given to {', '.join(keys)}; expected at most one column."


def _check_role_types(contract: Contract) -> Iterable[str]:
    for source in contract.sources():
        wanted = _KINDS.get(source.spec.role, (source.spec.type,))
        if source.spec.type not in wanted:
            problem = f"{source.key}.type is {source.spec.type!r}"
            yield f"{problem}; expected {' or '.join(wanted)} for role {source.spec.role}."


def _check_category_names(contract: Contract) -> Iterable[str]:
    for source in contract.sources():
        if source.spec.type == "category" and source.name != contract.key(source.table):
            yield from _vocabulary(source)


def _vocabulary(source: Source) -> Iterable[str]:
    names: dict[str, str] = {}
    if not source.spec.categories:
        yield f"{source.key}.categories is empty; expected a raw value for each category."
    for name, category in source.spec.categories.items():
        for raw in (category.raw, *category.aliases):
            if names.setdefault(raw, name) != name:
                yield f"{source.key}: {raw!r} stands for both {names[raw]!r} and {name!r}."


def _check_positive(contract: Contract) -> Iterable[str]:
    for source in contract.sources():
        spec, categories = source.spec, list(source.spec.categories)
        if spec.role not in ("target", "consent") or spec.type != "category":
            continue
        if spec.positive not in categories:
            hint = did_you_mean(spec.positive or "", categories)
            problem = f"{source.key}.positive is {spec.positive!r}"
            yield f"{problem}; expected one of {', '.join(categories)}.{hint}"
        if spec.role == "target" and len(categories) != 2:
            yield f"{source.key}.categories names {len(categories)} values; expected exactly two."


def _check_period_names(contract: Contract) -> Iterable[str]:
    for table, spec in contract.tables.items():
        if spec.period is None:
            continue
        where, order, names = f"tables.{table}.period", spec.period.order, spec.period.names
        yield from (f"{where}.names.{p} is missing." for p in order if not names.get(p))
        for unknown in (p for p in names if p not in order):
            yield f"{where}: {RetainError.unknown('period', unknown, order)}"
        raws = [raw for p in names.values() for raw in p]
        if len(set(raws)) < len(raws) or len(set(order)) < len(order):
            yield f"{where}: a period stands twice; expected each name once."
        roles = {c.role for c in spec.columns.values()} - {"id", "feature"}
        for role in sorted(roles):
            problem = f"tables.{table} has a period and a column of role {role}"
            yield f"{problem}; expected {role} in a table of one row a customer."


def _check_id_types(contract: Contract) -> Iterable[str]:
    keys = {table: contract.key(table) for table in contract.tables}
    kinds = {t: contract.tables[t].columns[key].type == "integer" for t, key in keys.items()}
    if len(set(kinds.values())) > 1:
        others = ", ".join(f"{t}.{keys[t]}" for t, whole in kinds.items() if not whole)
        yield f"ids are whole numbers in some tables but not in {others}; expected one type."


def _check_feature_names(contract: Contract) -> Iterable[str]:
    seen: dict[str, str] = {}
    for source in contract.sources():
        for feature in contract._features(source):  # noqa: SLF001 - same file
            name = feature.column.name
            if name in seen:
                problem = f"{source.key} and {seen[name]} both become feature {name!r}"
                yield f"{problem}; expected another name for one of them."
            if name in RESERVED and name != "profit":  # few rules use profit
                yield f"{source.key}: {name!r} is a word of rules; expected another name."
            seen[name] = source.key
    if not seen:
        yield "tables name no column of role feature; expected at least one."


_CHECKS: tuple[Callable[[Contract], Iterable[str]], ...] = (
    _check_roles_unique,
    _check_role_types,
    _check_category_names,
    _check_positive,
    _check_period_names,
    _check_id_types,
    _check_feature_names,
)
