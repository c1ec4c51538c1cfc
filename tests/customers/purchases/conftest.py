"""Purchase logs as tests write them, and the relation they become."""

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

from retain.customers.purchases.log import Log, log_of, open_log
from retain.schema.purchases import LogColumns, LogFormat, LogPolicy

duckdb = pytest.importorskip("duckdb")

TODAY = date(2024, 6, 30)


@dataclass(frozen=True)
class Opened:
    """A log that was opened, and the rows it became, sorted."""

    log: Log
    connection: duckdb.DuckDBPyConnection

    @property
    def names(self):
        return self.connection.table("purchases").columns

    def rows(self, *names):
        """Rows of the relation, sorted, of some columns or of all in the order of their names."""
        listed = ", ".join(names or sorted(self.names))
        return self.connection.sql(f"SELECT {listed} FROM purchases ORDER BY ALL").fetchall()  # noqa: S608

    @property
    def steps(self):
        return {step.name: step for step in self.log.steps}

    @property
    def is_view(self):
        sql = "SELECT count(*) FROM duckdb_views() WHERE view_name = 'purchases'"
        return self.connection.sql(sql).fetchone() == (1,)


def _asked(**changes):
    """Columns, format and policy; each change is of the one that has a field of this name."""
    columns = {"customer": "customer", "time": "time"}
    told = {"columns": None, "time_format": None, "timezone": "UTC"}
    policy = {"returns": "net", "zero_amount": "keep", "duplicates": "keep"}
    for name, value in changes.items():
        next(one for one in (told, policy, columns) if name in one or one is columns)[name] = value
    return {
        "columns": LogColumns(**columns),
        "format": LogFormat(**told),
        "policy": LogPolicy(**policy),
    }


@pytest.fixture
def asked():
    """``asked(**changes)``: columns, format and policy of a usual log, changed."""
    return _asked


@pytest.fixture
def connections():
    """What opens connections to DuckDB, and closes them after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(duckdb.connect())


@pytest.fixture
def opened(connections):
    """``opened(path, table=…, session=…, **changes)``: the log at a path, today being TODAY."""

    def open_it(path, *, table=None, session="UTC", today=TODAY, **changes):
        connection = connections()
        connection.execute(f"SET TimeZone = '{session}'")
        log = open_log(connection, path=str(path), table=table, today=today, **_asked(**changes))
        connection.execute(f"SET TimeZone = '{session}'")
        return Opened(log, connection)

    return open_it


@pytest.fixture
def opened_source(connections):
    """The same of a Python object."""

    def open_it(source, **changes):
        connection = connections()
        return Opened(log_of(connection, source, today=TODAY, **_asked(**changes)), connection)

    return open_it


@pytest.fixture
def csv_log(tmp_path):
    """``csv_log(text)``: the path of a file that holds it."""

    def write(text, name="log.csv", encoding="utf-8"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


# --- a server of its own -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgresql():
    """The URL of an empty database of a server that lives as long as the tests."""
    programs = _programs()
    if programs is None:
        _without("no initdb of PostgreSQL on PATH; set RETAIN_POSTGRES to the folder it is in")
    as_user = _as_user()
    if as_user is None:
        _without("initdb refuses root, and neither postgres nor nobody can be turned into")
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
    how = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -k {folder}"
    control = [*as_user, programs / "pg_ctl", "-D", data, "-l", log, "-w"]
    # the server keeps what it inherits open: it must inherit no pipe
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/", "timeout": 60}
    subprocess.run([*control, "-o", how, "start"], **quiet, check=True)
    try:
        yield f"postgresql://ann@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet, check=True)
        shutil.rmtree(folder)


def _programs():
    """The folder of initdb and pg_ctl: the one of RETAIN_POSTGRES, else the one on the PATH."""
    named, there = os.environ.get("RETAIN_POSTGRES"), shutil.which("initdb")
    found = Path(named) if named else there and Path(there).parent
    return found if found and (found / "pg_ctl").exists() else None


def _user():
    """Somebody who is not root."""
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
    found = pwd.getpwnam(user)
    return ["setpriv", f"--reuid={found.pw_uid}", f"--regid={found.pw_gid}", "--clear-groups"]


def _without(reason):
    if os.environ.get("RETAIN_REQUIRE_POSTGRES"):
        pytest.fail(f"RETAIN_REQUIRE_POSTGRES is set: {reason}")
    pytest.skip(reason)
