"""A purchase log read as customers at several snapshots: the door of this room."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from retain.customers.customers import Customers
from retain.customers.purchases import to_customers
from retain.customers.purchases.engines import cache as table_cache
from retain.customers.purchases.engines import duckdb as duck
from retain.customers.purchases.engines import spark
from retain.customers.purchases.features import label as labels
from retain.customers.purchases.features import sql_script
from retain.customers.purchases.features.funnel import shares
from retain.customers.purchases.features.query import Plan
from retain.customers.purchases.features.result import TableFacts
from retain.customers.purchases.features.snapshots import (
    SnapshotCalendar,
    single_snapshot,
    snapshots_from_log,
    windows_of,
)
from retain.customers.purchases.log import Log, content_of, open_log
from retain.customers.purchases.readers.location import origin_of
from retain.errors import RetainError
from retain.schema import check_mapping, parse
from retain.schema.purchases import LabelRule, LogColumns, LogFormat, LogPolicy, SnapshotRule
from retain.storage.paths import parse_path

if TYPE_CHECKING:
    import duckdb

ENGINES = ("duckdb", "spark")
logger = logging.getLogger(__name__)


def read(  # noqa: PLR0913 - the keys of conf/data/purchases.yaml
    *,
    path: str,
    table: str | None,
    columns: Mapping[str, Any],
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
    """The regular customers of a purchase log, a row each at each of several snapshots.

    Features look at what lies strictly before a snapshot, the target at the horizon after it.
    With ``has_target`` False there is one snapshot and no target, and a row a customer.

    Parameters
    ----------
    path, table
        What ``open_log`` takes.
    columns, format, policy, label, snapshots
        A ``LogColumns``, ``LogFormat``, ``LogPolicy``, ``LabelRule`` and ``SnapshotRule``.
    profit_unit
        What one unit of money is, in words; needed where the log has an amount or a profit.
    windows
        Days the features look back.
    snapshot
        The day of the one snapshot where ``has_target`` is False; None for the day after the log.
    engine
        ``duckdb`` or ``spark``: both give the same table.
    memory_limit
        Of the engine, such as ``1GB``; beyond it, it spills to disk.
    cache
        Folder for tables built before, None to keep none.

    Raises
    ------
    RetainError
        An option or the log is wrong, the log is too short, or nobody is regular.
    """
    keys = {"path": path, "table": table, "columns": columns, "format": format, "policy": policy}
    asks = {"label": label, "snapshots": snapshots, "windows": windows, "has_target": has_target}
    how = {"snapshot": snapshot, "engine": engine, "memory_limit": memory_limit}
    request = request_of({**keys, **asks, **how})
    unit = _unit(request.reading["columns"], profit_unit)
    mapped = labels.check_measure(request.label, request.mapped)
    folder = parse_path("data.cache", cache) if cache else None
    found = table_cache.build_or_load(folder, request.key(), request.build, request.fits)
    asked = to_customers.Asked(mapped, request.mapped, unit, has_target)
    customers = to_customers.customers_of(found, asked)
    for sentence in shares(found.facts) if has_target else ():
        logger.info("%s", sentence)
    logger.info("customers: %s; %d features", customers.told(), len(customers.columns))
    return customers


def request_of(keys: Mapping[str, Any]) -> Request:
    """The keys of ``read`` but ``profit_unit`` and ``cache``, held against their types."""
    return Request(
        reading={
            "path": keys["path"],
            "table": keys["table"],
            "columns": parse(LogColumns, keys["columns"], "data.columns"),
            "format": parse(LogFormat, keys["format"], "data.format"),
            "policy": parse(LogPolicy, keys["policy"], "data.policy"),
        },
        label=parse(LabelRule, keys["label"], "data.label"),
        snapshots=parse(SnapshotRule, _with_date(keys["snapshots"]), "data.snapshots"),
        windows=windows_of(keys["windows"]),
        has_target=_check_has_target(keys["has_target"], keys["snapshot"]),
        snapshot=_date(keys["snapshot"], "data.snapshot"),
        engine=_known(keys["engine"]),
        memory=duck.bytes_of(keys["memory_limit"]),
    )


@dataclass(frozen=True)
class Request:
    """All that can change the table."""

    reading: Mapping[str, Any]
    label: LabelRule
    snapshots: SnapshotRule
    windows: tuple[int, ...]
    has_target: bool
    snapshot: date | None
    engine: str
    memory: int

    @property
    def mapped(self) -> frozenset[str]:
        """The optional columns the log was said to have, as ``Log`` calls them."""
        given = self.reading["columns"].model_dump(exclude_none=True)
        named = {"discount": "promo"}
        return frozenset(named.get(name, name) for name in given) - {"customer", "time"}

    def key(self) -> str:
        """A SHA-256 of the log's content, of every option, and of the definition itself."""
        options = (self.label, self.snapshots)
        return table_cache.hash_key(
            content_of(**self.reading),
            [one.model_dump(mode="json") for one in options],
            [self.windows, self.has_target, str(self.snapshot)],
            sql_script.version(),
        )

    def fits(self, facts: TableFacts) -> bool:
        """Whether a table built before is today's: what was in the future then may not be now."""
        return facts.built == _today() or all(step.name != "future" for step in facts.steps)

    def build(self, keep: table_cache.Keep) -> TableFacts:
        """The rows, handed to ``keep`` part by part, and the facts about them."""
        files = origin_of(self.reading["path"], self.reading["table"]).files
        with duck.connected(f"{self.memory}B", files=files) as connection:
            log = open_log(connection, **self.reading)
            calendar = self._calendar(log)
            plan = Plan(
                calendar,
                self.label,
                self.windows,
                log.columns,
                len(log.categories),
                self.has_target,
            )
            built = self._built(connection, plan, log, keep)
        counts = tuple((*key, *value) for key, value in built.counts.items())
        return TableFacts(
            log.steps,
            log.categories,
            calendar.first,
            calendar.snapshots,
            counts,
            tuple(built.sensitivity),
            _today(),
        )

    def _built(
        self, connection: duckdb.DuckDBPyConnection, plan: Plan, log: Log, keep: table_cache.Keep
    ) -> duck.Built:
        if self.engine == "spark":
            return spark.build(connection, plan, keep=keep)
        count = _rows(log, connection)
        return duck.build(connection, plan, purchases=count, keep=keep, memory=self.memory)

    def _calendar(self, log: Log) -> SnapshotCalendar:
        if not self.has_target:
            return single_snapshot(log.first, log.last, self.snapshot)
        return snapshots_from_log(log.first, log.last, self.snapshots, self.label)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _rows(log: Log, connection: duckdb.DuckDBPyConnection) -> int:
    """How many purchases are kept, told by the funnel where it has a line."""
    counted = [step.after for step in log.steps if step.of == "purchases"]
    if counted:
        return counted[-1]
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


def _known(name: str) -> str:
    if name not in ENGINES:
        raise RetainError.unknown("data.engine", str(name), ENGINES)
    return name


def _unit(columns: LogColumns, unit: str | None) -> str | None:
    """What one unit of money is, None where the log has no money."""
    if columns.amount is None and columns.profit is None:
        return None
    if not unit:
        expected = "expected what one unit of money is, such as 'euro a month'"
        raise RetainError.at("data.profit_unit", f"it is {unit!r}", expected)
    return unit


def _with_date(node: Mapping[str, Any]) -> dict[str, Any]:
    """The node with its last day as a day: a YAML text is none to a strict type."""
    given = check_mapping("data.snapshots", node)
    return {**given, "last": _date(given.get("last"), "data.snapshots.last")}


def _date(value: object, where: str) -> date | None:
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise RetainError.at(where, f"it is {value!r}", "expected a day as YYYY-MM-DD") from None
