"""Purchase logs written by tests, and the relation they are read into."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from retain.customers.purchases.cleaning.row_filter import RowFilter, check_ids
from retain.customers.purchases.log import Log, LogOptions, open_arrow_log, open_log
from retain.customers.purchases.parsing.conditions import check_condition
from retain.schema.purchases import LogColumns, LogFormat, LogPolicy

duckdb = pytest.importorskip("duckdb")

TODAY = date(2024, 6, 30)


@dataclass(frozen=True)
class Opened:
    """An opened log and its relation."""

    log: Log
    connection: duckdb.DuckDBPyConnection

    @property
    def names(self):
        return self.connection.table("purchases").columns

    def rows(self, *names):
        """Return the sorted rows of some columns, or of all columns sorted by name."""
        listed = ", ".join(names or sorted(self.names))
        return self.connection.sql(f"SELECT {listed} FROM purchases ORDER BY ALL").fetchall()  # noqa: S608

    @property
    def funnel(self):
        return {step.name: step for step in self.log.funnel}

    @property
    def is_view(self):
        sql = "SELECT count(*) FROM duckdb_views() WHERE view_name = 'purchases'"
        return self.connection.sql(sql).fetchone() == (1,)


def _make_options(**changes):
    """Return the options; a change is of the format, the policy, or else a column."""
    columns = {"customer": "customer", "time": "time"}
    format_ = {"columns": None, "time_format": None, "timezone": "UTC"}
    format_ |= {"number_format": None, "encoding": None}
    policy = {"returns": "net", "zero_amount": "keep", "duplicates": "keep"}
    policy |= {"placeholder_times": "error"}
    where, exclude = changes.pop("where", None), changes.pop("exclude", None)
    policy |= {"currencies": "error", "gaps": "error", "incomplete_day": "drop"}
    for name, value in changes.items():
        next((node for node in (format_, policy) if name in node), columns)[name] = value
    rows = RowFilter(check_condition(where), check_ids(exclude))
    return LogOptions(LogColumns(**columns), LogFormat(**format_), LogPolicy(**policy), rows)


@pytest.fixture
def log_options():
    """``log_options(**changes)``: the options of a usual log, changed."""
    return _make_options


@pytest.fixture
def connections():
    """A function that opens connections to DuckDB, closed after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(duckdb.connect())


@pytest.fixture
def opened(connections):
    """``opened(path, table=…, session=…, **changes)``: the log at a path, on the day TODAY."""

    def open_it(path, *, table=None, session="UTC", today=TODAY, threads=2, **changes):
        connection = connections()
        connection.execute(f"SET threads = {threads}")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(f"SET TimeZone = '{session}'")
        log = open_log(connection, str(path), table, _make_options(**changes), today=today)
        connection.execute(f"SET TimeZone = '{session}'")
        return Opened(log, connection)

    return open_it


@pytest.fixture
def opened_source(connections):
    """``opened_source(source, **changes)``: the log of a Python object."""

    def open_it(source, **changes):
        connection = connections()
        log = open_arrow_log(connection, source, _make_options(**changes), today=TODAY)
        return Opened(log, connection)

    return open_it


@pytest.fixture
def csv_log(tmp_path):
    """``csv_log(text)``: the path of a file with this text."""

    def write(text, name="log.csv", encoding="utf-8"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


# --- a PostgreSQL server -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgresql():
    """The URL of an empty database on a server that runs for the whole test session."""
    programs = _programs()
    if programs is None:
        _skip("no initdb of PostgreSQL on PATH; set RETAIN_POSTGRES to the folder it is in")
    as_user = _as_user()
    if as_user is None:
        _skip("initdb refuses root, and neither postgres nor nobody can be turned into")
    folder = Path(tempfile.mkdtemp(prefix="retain-pg-", dir="/tmp"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if os.geteuid() == 0:
        shutil.chown(folder, _user())
    data, log = folder / "data", folder / "log"
    run = {"capture_output": True, "cwd": "/", "timeout": 60}
    initdb = [programs / "initdb", "-D", data, "-U", "ann", "-A", "trust", "-E", "UTF8", "-N"]
    subprocess.run([*as_user, *initdb, "--locale=C"], **run, check=True)
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -k {folder}"
    control = [*as_user, programs / "pg_ctl", "-D", data, "-l", log, "-w"]
    # the server keeps inherited files open, so it must not inherit a pipe
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/", "timeout": 60}
    subprocess.run([*control, "-o", options, "start"], **quiet, check=True)
    try:
        yield f"postgresql://ann@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet, check=True)
        shutil.rmtree(folder)


def _programs():
    """The folder of initdb and pg_ctl: the one of RETAIN_POSTGRES, else the one on the PATH."""
    folder, initdb = os.environ.get("RETAIN_POSTGRES"), shutil.which("initdb")
    programs = Path(folder) if folder else initdb and Path(initdb).parent
    return programs if programs and (programs / "pg_ctl").exists() else None


def _user():
    """Return a user who is not root, None if there is none."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    return None


def _as_user():
    if os.geteuid() != 0:
        return []
    user = _user()
    if user is None or shutil.which("setpriv") is None:
        return None
    entry = pwd.getpwnam(user)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]


def _skip(reason):
    if os.environ.get("RETAIN_REQUIRE_POSTGRES"):
        pytest.fail(f"RETAIN_REQUIRE_POSTGRES is set: {reason}")
    pytest.skip(reason)
