"""Times of a log in every format, as whole seconds of the store's clock."""

# ruff: noqa: DTZ001 - the clock of a store has no zone

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from retain.errors import RetainError

duckdb = pytest.importorskip("duckdb")
pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

EPOCH = datetime(1970, 1, 1)
NOON = datetime(2024, 3, 31, 12, 0, 5)


def seconds(clock):
    """Seconds since 1970 of a naive wall clock, floored."""
    return (clock - EPOCH) // timedelta(seconds=1)


@pytest.fixture
def times(opened, csv_log):
    """``times(cells, …)``: the seconds of the cells of a CSV log, in order."""

    def read(cells, **changes):
        rows = "".join(f'{n},"{cell}"\n' for n, cell in enumerate(cells))
        log = opened(csv_log(f"customer,time\n{rows}"), **changes)
        return [t for _, t in log.rows("customer", "t")]

    return read


@pytest.fixture
def typed_times(opened, tmp_path):
    """``typed_times(array, …)``: the seconds of an Arrow array in a Parquet file."""

    def read(array, **changes):
        table = pa.table({"customer": pa.array(range(len(array))), "time": array})
        parquet.write_table(table, tmp_path / "log.parquet")
        log = opened(tmp_path / "log.parquet", incomplete_day="keep", **changes)
        return [t for _, t in log.rows("customer", "t")]

    return read


# --- written as text -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        "2024-03-31 12:00:05",
        "2024-03-31T12:00:05",
        "2024-03-31 12:00:05.999999999",
        "2024-03-31T12:00:05,9",
        "2024/03/31 12:00:05",
        "2024.03.31 12:00:05",
        "2024-3-31 12:00:05",
        "20240331120005",
        "20240331T120005",
        "20240331 120005",
        "31.03.2024 12:00:05",
        "31.3.2024 12:00:05.5",
        "31/03/2024 12:00:05",
        "03/31/2024 12:00:05",
        "3/31/2024 12:00:05 PM",
        "3/31/2024 12:00:05pm",
        "31-03-2024 12:00:05",
        "2024-03-31T12:00:05Z",
        "2024-03-31 12:00:05 UTC",
        "2024-03-31 12:00:05 GMT",
        "2024-03-31T15:00:05+03:00",
        "2024-03-31T15:00:05.5+0300",
        "2024-03-31 15:00:05 +03",
        "2024-03-31 08:30:05-03:30",
        "1711886405",
        "1711886405.75",
        "1711886405999",
        "1711886405999999",
        "1711886405999999999",
    ],
)
def test_a_time_is_read_in_every_usual_format(times, cell):
    assert times([cell, cell]) == [seconds(NOON)] * 2


@pytest.mark.parametrize(
    ("cell", "clock"),
    [
        ("2024-03-31", datetime(2024, 3, 31)),
        ("20240331", datetime(2024, 3, 31)),
        ("31.03.2024", datetime(2024, 3, 31)),
        ("03.04.2024", datetime(2024, 4, 3)),
        ("2024-03-31 12:07", datetime(2024, 3, 31, 12, 7)),
        ("2024-03-31T12:07Z", datetime(2024, 3, 31, 12, 7)),
        ("2024-03-31 15:07+03", datetime(2024, 3, 31, 12, 7)),
        ("31.03.2024 9:07", datetime(2024, 3, 31, 9, 7)),
        ("1969-12-31 23:59:59.5", datetime(1969, 12, 31, 23, 59, 59)),
        ("1969-12-31T23:59:59.5Z", datetime(1969, 12, 31, 23, 59, 59)),
        ("-1000000000.5", datetime(1938, 4, 24, 22, 13, 19)),
        ("-1000000000001", datetime(1938, 4, 24, 22, 13, 19)),
    ],
)
def test_a_part_of_a_time_is_floored_before_1970_too(times, cell, clock):
    assert times([cell]) == [seconds(clock)]


def test_a_day_above_12_decides_the_order_of_day_and_month(times):
    days = [datetime(2024, 2, 1), datetime(2024, 2, 13)]
    assert times(["01/02/2024", "13/02/2024"]) == [seconds(day) for day in days]
    assert times(["02/01/2024", "02/13/2024"]) == [seconds(day) for day in days]


def test_a_column_may_have_several_formats(times):
    cells = ["2024-03-31 12:00:05", "2024-03-31", "31.03.2024", "20240331"]
    midnight = seconds(datetime(2024, 3, 31))
    assert times(cells) == [seconds(NOON), midnight, midnight, midnight]


def test_special_values_of_sql_are_not_times(opened, csv_log):
    cells = ["2024-03-31"] * 60 + ["epoch", "infinity", "now"]
    path = csv_log("customer,time\n" + "".join(f"1,{cell}\n" for cell in cells))
    step = opened(path).funnel["no time"]
    assert (step.n_before - step.n_after, "'epoch', 'infinity', 'now'" in step.reason) == (3, True)


@pytest.mark.parametrize(
    ("cell", "time_format"),
    [
        ("2024-03-31 12h00", "%Y-%m-%d %Hh%M"),
        ("Mar 31, 2024 12:00", "%b %d, %Y %H:%M"),
        ("31/03/24 12:00", "%d/%m/%y %H:%M"),
        ("31/03/2024 15:00 +0300", "%d/%m/%Y %H:%M %z"),
    ],
)
def test_any_other_format_can_be_given(times, cell, time_format):
    assert times([cell], time_format=time_format) == [seconds(NOON.replace(second=0))]


# --- zones ---------------------------------------------------------------------------------------


def test_offsets_are_honoured_and_other_rows_are_the_stores_clock(opened, csv_log):
    cells = ["2024-01-15 12:00:00", "2024-01-15 12:00:00+00:00", "2024-01-15T12:00:00-05:00"]
    path = csv_log("customer,time\n" + "".join(f"{n},{one}\n" for n, one in enumerate(cells)))
    log = opened(path, timezone="Europe/Moscow")
    hours = [t % 86400 // 3600 for _, t in log.rows("customer", "t")]
    assert hours == [12, 15, 20]
    message = log.funnel["log read"].reason
    assert "1 times name no zone and are taken as the store's clock" in message


@pytest.mark.parametrize("session", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("form", ["text", "zoned text", "epoch", "typed", "zoned"])
def test_the_sessions_time_zone_does_not_matter(opened, tmp_path, form, session):
    instant = datetime(2024, 3, 31, 1, 30, tzinfo=UTC)  # summer time begins at 01:00 UTC
    arrays = {
        "text": pa.array(["2024-03-31 03:30:00"]),
        "zoned text": pa.array(["2024-03-31T01:30:00Z"]),
        "epoch": pa.array([int(instant.timestamp())]),
        "typed": pa.array([datetime(2024, 3, 31, 3, 30)], pa.timestamp("us")),
        "zoned": pa.array([instant], pa.timestamp("ms", "Asia/Tokyo")),
    }
    path = tmp_path / "log.parquet"
    parquet.write_table(pa.table({"customer": ["a"], "time": arrays[form]}), path)
    log = opened(path, timezone="Europe/Berlin", session=session)
    assert log.rows("t") == [(seconds(datetime(2024, 3, 31, 3, 30)),)]


@pytest.mark.parametrize(
    "zone", ["Europe/Moscow", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"]
)
def test_instants_become_the_stores_clock_across_every_change(typed_times, zone):
    start = datetime(2008, 1, 1, 0, 29, 59, tzinfo=UTC)
    instants = [start + timedelta(hours=7 * n, seconds=n) for n in range(9_000)]  # to 2015
    expected = [seconds(one.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for one in instants]
    assert typed_times(pa.array(instants, pa.timestamp("us", "UTC")), timezone=zone) == expected


def test_a_change_of_offset_is_exact_to_the_second(typed_times):
    leap = datetime(2024, 3, 31, 1, tzinfo=UTC)
    around = [leap + timedelta(microseconds=n) for n in (-1, 0, 1)]
    clocks = [datetime(2024, 3, 31, 1, 59, 59), *[datetime(2024, 3, 31, 3)] * 2]
    found = typed_times(pa.array(around, pa.timestamp("us", "UTC")), timezone="Europe/Berlin")
    assert found == [seconds(clock) for clock in clocks]


@pytest.mark.parametrize("zone", ["Europe/Moscow", "America/New_York"])
def test_instants_before_1970_too(typed_times, zone):
    start = datetime(1952, 6, 1, tzinfo=UTC) - timedelta(microseconds=1)
    instants = [start + timedelta(days=31 * n) for n in range(400)]
    expected = [seconds(one.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for one in instants]
    assert typed_times(pa.array(instants, pa.timestamp("us", "UTC")), timezone=zone) == expected


def test_text_with_offsets_becomes_the_stores_clock(times):
    zone = ZoneInfo("Europe/Berlin")
    start = datetime(2023, 1, 1, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    instants = [start + timedelta(days=n) for n in range(400)]
    expected = [seconds(one.astimezone(zone).replace(tzinfo=None)) for one in instants]
    assert times([one.isoformat() for one in instants], timezone="Europe/Berlin") == expected


# --- typed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_timestamps_of_every_unit_are_floored(typed_times, unit, zone):
    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    # DuckDB has no nanoseconds with a zone: it reads whole microseconds
    part = 1000 if (unit, zone) == ("ns", "UTC") else 1
    ticks = [-part, 0, scale - 1, scale, -scale, -scale - part, 10**9 * scale - 1]
    found = typed_times(pa.array(ticks, pa.timestamp(unit, zone)))
    assert found == [tick // scale for tick in ticks]


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_dates_are_midnights(typed_times, kind):
    days = [date(1969, 12, 31), date(2024, 2, 29)]
    assert typed_times(pa.array(days, kind)) == [-86400, seconds(datetime(2024, 2, 29))]


@pytest.mark.parametrize("kind", [pa.int64(), pa.int32(), pa.float64(), pa.decimal128(18, 0)])
def test_whole_numbers_may_be_days(typed_times, kind):
    from decimal import Decimal

    days = [20240229, 19700102]
    cells = [Decimal(day) for day in days] if pa.types.is_decimal(kind) else days
    assert typed_times(pa.array(cells, kind)) == [seconds(datetime(2024, 2, 29)), 86400]


@pytest.mark.parametrize(("scale", "kind"), [(1, pa.int64()), (1, pa.int32()), (1000, pa.int64())])
def test_whole_numbers_may_count_from_1970(typed_times, scale, kind):
    stamps = [1711886405 * scale + scale - 1, 1500000000 * scale]
    assert typed_times(pa.array(stamps, kind)) == [1711886405, 1500000000]


@pytest.mark.parametrize("form", ["%Y%m%d%H", "%Y%m%d%H%M"])
def test_numbers_may_be_hours_or_minutes(times, typed_times, form):
    clocks = [NOON.replace(minute=0, second=0) + timedelta(hours=n) for n in range(-30, 30)]
    cells = [clock.strftime(form) for clock in clocks]
    wanted = [seconds(clock) for clock in clocks]
    assert times(cells) == wanted
    assert typed_times(pa.array([int(cell) for cell in cells])) == wanted


def test_numbers_from_1970_are_instants(typed_times):
    found = typed_times(pa.array([1711886405]), timezone="Europe/Moscow")
    assert found == [1711886405 + 3 * 3600]


def test_a_column_of_another_type_is_an_error(typed_times):
    with pytest.raises(RetainError, match="column 'time': it holds BOOLEAN; expected dates"):
        typed_times(pa.array([True]))
    with pytest.raises(RetainError, match=r"column 'time': it holds STRUCT\(a BIGINT\); expected"):
        typed_times(pa.array([{"a": 1}]))


def test_typed_times_stay_a_view_and_text_is_parsed_once(opened, tmp_path):
    for name, times in {"typed": pa.array([NOON]), "text": pa.array([str(NOON)])}.items():
        parquet.write_table(
            pa.table({"customer": [1], "time": times}), tmp_path / f"{name}.parquet"
        )
    assert opened(tmp_path / "typed.parquet").is_view
    assert not opened(tmp_path / "text.parquet").is_view


def test_the_future_begins_by_the_clock_of_the_store(opened, csv_log):
    path = csv_log("customer,time\n" + "1,2024-06-30 23:59:59\n" * 30 + "1,2024-07-01\n")
    assert opened(path).funnel["future"].n_after == 30
    with pytest.raises(RetainError, match=r"31 of 31 rows .* later than 2024-06-29, in the"):
        opened(path, today=date(2024, 6, 29))
    assert "future" not in opened(path, today=None).funnel


# --- days that stand for no time -----------------------------------------------------------------

PLACEHOLDERS = ["1900-01-01", "1970-01-01", "0001-01-01", "1899-12-30", "9999-12-31", "2262-04-11"]


def with_placeholders(day, n_placeholders):
    days = [date(2022, 1, 1) + timedelta(7 * n) for n in range(40)]
    rows = [f"{n},{one.isoformat()},{n + 1}" for n, one in enumerate(days)]
    rows[:n_placeholders] = [f"{n},{day},{n + 1}" for n in range(n_placeholders)]
    return "\n".join(["customer,time,amount", *rows, ""])


@pytest.mark.parametrize("day", PLACEHOLDERS)
@pytest.mark.parametrize("n_placeholders", [1, 15])
def test_a_day_far_from_all_others_may_stand_for_no_time(opened, csv_log, day, n_placeholders):
    path = csv_log(with_placeholders(day, n_placeholders))
    with pytest.raises(
        RetainError, match=rf"{n_placeholders} rows? .* at {day}, far .*placeholder_times=drop, "
    ):
        opened(path, amount="amount")
    log = opened(path, amount="amount", placeholder_times="drop")
    assert len(log.rows("customer")) == 40 - n_placeholders
    assert f"at {day}, far from all others" in str([step.reason for step in log.log.funnel])
    if day < "2000":
        kept = opened(path, amount="amount", placeholder_times="keep")
        assert len(kept.rows("customer")) == 40


@pytest.mark.parametrize("year", [1969, 1970, 1900])
def test_a_log_of_days_around_a_placeholder_is_read_as_it_is(opened, csv_log, year):
    days = [date(year, 1, 1) + timedelta(20 * n) for n in range(40)]
    rows = [f"{n},{one.isoformat()},1" for n, one in enumerate(days)]
    log = opened(csv_log("\n".join(["customer,time,amount", *rows, ""])), amount="amount")
    assert len(log.rows("customer")) == 40
