"""The reader of purchase logs: customers at one or several snapshots."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from retain.customers.customers import Customers
from retain.customers.files.role_columns import log_customers
from retain.customers.purchases.cleaning.row_filter import RowFilter, check_ids
from retain.customers.purchases.content_hash import hash_log
from retain.customers.purchases.engines import cache as table_cache
from retain.customers.purchases.engines import duckdb as duck
from retain.customers.purchases.engines import spark
from retain.customers.purchases.engines.connection import connect, parse_memory_limit
from retain.customers.purchases.features import sql_script
from retain.customers.purchases.features.label import check_measure
from retain.customers.purchases.features.query import FeatureQuery
from retain.customers.purchases.features.result import TableFacts
from retain.customers.purchases.features.snapshots import (
    SnapshotCalendar,
    check_windows,
    single_snapshot,
    snapshots_from_log,
)
from retain.customers.purchases.features.store_level import read_store_levels
from retain.customers.purchases.log import (
    Log,
    LogOptions,
    list_optional_columns,
    open_log,
)
from retain.customers.purchases.parsing.conditions import check_condition
from retain.customers.purchases.readers.location import locate_log
from retain.errors import RetainError
from retain.schema.parsing import check_mapping, parse
from retain.schema.purchases import LabelRule, LogColumns, LogFormat, LogPolicy, SnapshotRule
from retain.storage.paths import parse_path

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection

ENGINES = ("duckdb", "spark")
logger = logging.getLogger(__name__)


def read(  # noqa: PLR0913 - the keys of conf/data/purchases.yaml
    *,
    path: str,
    table: str | None,
    columns: Mapping[str, Any],
    where: str | None,
    exclude: Sequence[str | int] | None,
    profit_unit: str | None,
    format: Mapping[str, Any],  # noqa: A002 - the key of the config
    policy: Mapping[str, Any],
    label: Mapping[str, Any],
    snapshots: Mapping[str, Any],
    windows: Sequence[int],
    has_target: bool,
    snapshot: str | date | None,
    engine: str,
    memory_limit: str,
    cache: str | None,
) -> Customers:
    """Return the regular customers of a purchase log, one row per customer and snapshot.

    Features use purchases strictly before a snapshot, the target those of the horizon after it.
    With ``has_target`` False there is one snapshot, one row per customer and no target.

    Parameters
    ----------
    path, table
        Location of the log, as in ``open_log``.
    columns, format, policy, label, snapshots
        Fields of ``LogColumns``, ``LogFormat``, ``LogPolicy``, ``LabelRule`` and ``SnapshotRule``.
    where
        Condition of the rows to read, None for all rows.
    exclude
        Ids of customers to leave out, None if nobody was asked about guests.
    profit_unit
        Unit of money, such as ``euro a month``; required if the log has an amount or a profit.
    windows
        Lengths of the feature windows in days.
    snapshot
        The snapshot if ``has_target`` is False; None for the day after the log.
    engine
        ``duckdb`` or ``spark``: both give the same table.
    memory_limit
        Memory of the engine, such as ``1GB``; beyond it, data are spilled to disk.
    cache
        Folder in which built tables are kept, None for no cache.

    Raises
    ------
    RetainError
        An option or the log is wrong, the log is too short, or no customer is regular.
    """
    log_keys = {
        "path": path,
        "table": table,
        "columns": columns,
        "where": where,
        "exclude": exclude,
        "format": format,
        "policy": policy,
    }
    label_keys = {"label": label, "snapshots": snapshots, "windows": windows}
    other_keys = {"has_target": has_target, "snapshot": snapshot, "engine": engine}
    request = parse_request({**log_keys, **label_keys, **other_keys, "memory_limit": memory_limit})
    unit = _check_profit_unit(request.options.columns, profit_unit)
    rule = check_measure(request.label, request.optional_columns)
    folder = parse_path("data.cache", cache) if cache else None
    built = table_cache.build_or_load(
        folder, request.cache_key(), request.build_table, request.is_current
    )
    # SciPy, which this loads, has no use while the table is built
    from retain.customers.purchases.to_customers import (
        LabelRequest,
        build_customers,
        describe_rates,
    )

    roles = request.options.columns.model_dump(exclude_none=True).items()
    logger.info("columns: %s", ", ".join(f"{role} {column!r}" for role, column in roles))
    label_request = LabelRequest(rule, request.optional_columns, unit, has_target)
    customers = build_customers(built, label_request)
    for message in describe_rates(built.facts) if has_target else ():
        logger.info("%s", message)
    log_customers(customers)
    return customers


def parse_request(keys: Mapping[str, Any]) -> LogRequest:
    """Return the checked keys of ``read``, without ``profit_unit`` and ``cache``."""
    return LogRequest(
        path=keys["path"],
        table=keys["table"],
        options=LogOptions(
            columns=parse(LogColumns, keys["columns"], "data.columns"),
            format=parse(LogFormat, keys["format"], "data.format"),
            policy=parse(LogPolicy, keys["policy"], "data.policy"),
            rows=RowFilter(check_condition(keys["where"]), check_ids(keys["exclude"])),
        ),
        label=parse(LabelRule, keys["label"], "data.label"),
        snapshots=parse(SnapshotRule, _parse_last_date(keys["snapshots"]), "data.snapshots"),
        windows=check_windows(keys["windows"]),
        has_target=_check_has_target(keys["has_target"], keys["snapshot"]),
        snapshot=parse_day(keys["snapshot"], "data.snapshot"),
        engine=_check_engine(keys["engine"]),
        memory_bytes=parse_memory_limit(keys["memory_limit"]),
    )


@dataclass(frozen=True)
class LogRequest:
    """Everything that can change the feature table."""

    path: str
    table: str | None
    options: LogOptions
    label: LabelRule
    snapshots: SnapshotRule
    windows: tuple[int, ...]
    has_target: bool
    snapshot: date | None
    engine: str
    memory_bytes: int

    @property
    def optional_columns(self) -> frozenset[str]:
        """Optional columns that are mapped, under the names of ``Log.columns``."""
        return list_optional_columns(self.options.columns)

    def cache_key(self) -> str:
        """Return a SHA-256 of the log's content, every option, and the table's definition."""
        return table_cache.hash_key(
            hash_log(self.path, self.table, self.options),
            [rule.model_dump(mode="json") for rule in (self.label, self.snapshots)],
            [self.windows, self.has_target, str(self.snapshot)],
            sql_script.hash_definition(),
        )

    def is_current(self, facts: TableFacts) -> bool:
        """Return False if rows were left out as future when the table was built on another day."""
        return facts.built_on == _today() or all(step.name != "future" for step in facts.funnel)

    def build_table(self, write: table_cache.WriteChunk) -> TableFacts:
        """Pass the rows to ``write`` chunk by chunk, and return the facts about them."""
        files = locate_log(self.path, self.table).files
        with connect(f"{self.memory_bytes}B", files=files) as connection:
            log = open_log(connection, self.path, self.table, self.options)
            calendar = self._build_calendar(log)
            if self.engine == "spark":
                query = self._build_query(connection, log, calendar)
                built = spark.build_features(connection, query, write=write)
            else:
                count, memory = _count_purchases(log, connection), self.memory_bytes
                with duck.split_by_customer(connection, count, memory_bytes=memory) as chunks:
                    query = self._build_query(connection, log, calendar)
                    built = duck.build_features(chunks, query, write)
        return TableFacts(
            funnel=log.funnel,
            categories=log.categories,
            first_day=calendar.first_day,
            snapshots=calendar.snapshots,
            counts=tuple((*key, *value) for key, value in built.counts.items()),
            sensitivity=tuple(built.sensitivity),
            histories=built.histories,
            daily=query.levels.daily,
            built_on=_today(),
        )

    def _build_query(
        self, connection: Connection, log: Log, calendar: SnapshotCalendar
    ) -> FeatureQuery:
        return FeatureQuery(
            calendar,
            self.label,
            self.windows,
            log.columns,
            len(log.categories),
            self.has_target,
            read_store_levels(connection, calendar, log.columns),
        )

    def _build_calendar(self, log: Log) -> SnapshotCalendar:
        if not self.has_target:
            return single_snapshot(log.first_day, log.last_day, self.snapshot)
        return snapshots_from_log(log.first_day, log.last_day, self.snapshots, self.label)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _count_purchases(log: Log, connection: Connection) -> int:
    """Return the number of purchases kept, from the funnel if it counts them."""
    counts = [step.n_after for step in log.funnel if step.unit == "purchases"]
    if counts:
        return counts[-1]
    row = connection.execute("SELECT COUNT(*) FROM purchases").fetchone()
    return int(row[0]) if row else 0


def _check_has_target(value: object, snapshot: object) -> bool:
    if not isinstance(value, bool):
        raise RetainError.at("data.has_target", f"it is {value!r}", "expected true or false")
    if value and snapshot is not None:
        raise RetainError.at(
            "data.snapshot",
            f"it is {snapshot!r}, and data.has_target=true asks for data.snapshots",
            "expected data.snapshots.last=DAY, or data.has_target=false",
        )
    return value


def _check_engine(name: str) -> str:
    if name not in ENGINES:
        raise RetainError.unknown("data.engine", str(name), ENGINES)
    return name


def _check_profit_unit(columns: LogColumns, unit: str | None) -> str | None:
    """Return the unit of money, None if the log has no money."""
    if columns.amount is None and columns.profit is None:
        return None
    if not unit:
        expected = "expected what one unit of money is, such as 'euro a month'"
        raise RetainError.at("data.profit_unit", f"it is {unit!r}", expected)
    return unit


def _parse_last_date(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return the node with ``last`` as a date, which a strict schema does not parse from text."""
    snapshots = check_mapping("data.snapshots", node)
    return {**snapshots, "last": parse_day(snapshots.get("last"), "data.snapshots.last")}


def parse_day(value: object, key: str) -> date | None:
    """Return the day in a key, such as 2027-02-01; None for None."""
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise RetainError.at(key, f"it is {value!r}", "expected a day as YYYY-MM-DD") from None
