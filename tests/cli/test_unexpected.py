"""The last door: what nobody foresaw is one sentence and a log, what ran out is one sentence."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from multiprocessing import forkserver
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from retain.cli.run import run, run_command
from retain.cli.unexpected import MAX_LOG_BYTES, logged_beside
from retain.errors import RetainError
from retain.execution.shortage import LESS_MEMORY, describe_shortage
from retain.execution.worker import _run_job
from retain.execution.worker_start import start_timeout


@pytest.fixture
def ended(here, capsys, monkeypatch):
    """What becomes of an error that a command ends with: exit code and standard error."""
    monkeypatch.setattr(tempfile, "tempdir", str(here))
    monkeypatch.delenv("RETAIN_DEBUG", raising=False)

    def made(error, *words, primary="run", folder=None):
        def command(_):
            if folder is None:
                raise error
            with logged_beside(folder):
                raise error

        code = run_command(command, words, primary)
        return code, capsys.readouterr().err

    return made


def log():
    (path,) = Path().rglob("retain-bug-*.log")
    return path


def test_a_bug_is_one_sentence_and_a_private_log(ended):
    code, output = ended(ZeroDivisionError("a\x1b[2J\nbug"), "model=svc")
    assert code == 70
    assert output.startswith("ZeroDivisionError: a[2J bug. This is a bug of retain; its log: ")
    assert output.count("\n") == 1
    assert str(log().absolute()) in output
    assert stat.S_IMODE(log().stat().st_mode) == 0o600
    text = log().read_text()
    assert "Traceback (most recent call last)" in text
    assert "model=svc" in text
    assert "numpy" in text
    assert "\x1b" not in text


def test_a_study_whose_folder_is_known_has_the_log(ended, here):
    (here / "study").mkdir()
    assert ended(ZeroDivisionError("x"), folder=here / "study")[0] == 70
    assert log().parent.name == "study"


def test_the_log_follows_no_link(ended, here):
    (here / "elsewhere").mkdir()
    (here / "study").symlink_to("elsewhere")
    ended(ZeroDivisionError("x"), folder=here / "study")
    assert list((here / "elsewhere").iterdir()) == []
    assert log().parent == Path()


def test_values_of_the_environment_and_passwords_stay_out_of_the_log(ended, monkeypatch):
    monkeypatch.setenv("SHOP_SECRET", "hunter2hunter2")
    words = ("data.path=postgresql://me:pw12@host/shop", "a=hunter2hunter2", "b=${oc.env:X}")
    code, output = ended(ZeroDivisionError("it is hunter2hunter2"), *words)
    assert code == 70
    assert "$SHOP_SECRET" in output
    text = log().read_text() + output
    assert "hunter2" not in text
    assert "pw12" not in text
    assert "${oc.env:X}" in text


def test_a_log_is_bounded(ended):
    ended(ZeroDivisionError("x" * 10 * MAX_LOG_BYTES))
    assert log().stat().st_size == MAX_LOG_BYTES


def test_the_traceback_is_shown_at_once_where_that_is_asked_for(ended, monkeypatch):
    monkeypatch.setenv("RETAIN_DEBUG", "1")
    code, output = ended(ZeroDivisionError("a bug"))
    assert code == 70
    assert output.startswith("Traceback")
    assert output.endswith("ZeroDivisionError: a bug\n")
    assert not list(Path().rglob("retain-bug-*"))


def test_a_log_that_cannot_be_written_is_no_second_error(ended, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/proc/none")
    code, output = ended(ZeroDivisionError("a bug"))
    assert code == 70
    assert "no log of it could be written. RETAIN_DEBUG=1 before the command" in output


def test_of_a_worker_s_traceback_the_last_line_is_said(ended):
    _, output = ended(RuntimeError('Traceback (most recent call last):\n  File "x"\nKeyError: 1\n'))
    assert output.startswith("KeyError: 1. This is a bug")


def no_room(number, name=None):
    return OSError(number, os.strerror(number), name)


def too_large():
    try:
        np.empty(2**58, dtype="f8")
    except MemoryError as error:
        return error
    raise AssertionError


MEMORY = [
    MemoryError(),
    too_large(),
    pa.ArrowMemoryError("malloc of size 64 failed"),
    no_room(errno.ENOMEM),
    BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)),
    RuntimeError("can't start new thread"),
    ImportError("lib.so: failed to map segment from shared object"),
    ValueError("Out of Memory Error: could not allocate block of size 1"),
    Exception("std::bad_alloc"),
]
DISK = [
    no_room(errno.ENOSPC, "outputs/x"),
    no_room(errno.EDQUOT),
    no_room(errno.EFBIG),
    ValueError("Error writing bytes to file. Detail: [errno 28] No space left on device"),
]


@pytest.mark.parametrize("primary", LESS_MEMORY)
@pytest.mark.parametrize("error", MEMORY, ids=lambda error: type(error).__name__)
def test_memory_that_runs_out_is_one_sentence(ended, primary, error):
    code, output = ended(error, primary=primary)
    assert code == 2
    assert output.startswith("memory ran out (")
    assert output.endswith(f"{LESS_MEMORY[primary]}.\n")
    assert output.count("\n") == 1


@pytest.mark.parametrize("error", DISK, ids=str)
def test_a_disk_that_fills_is_one_sentence(ended, error):
    code, output = ended(error)
    assert code == 2
    assert "cannot be written: " in output
    assert output.count("\n") == 1


def test_what_led_to_an_error_tells_that_memory_ran_out():
    try:
        try:
            raise MemoryError("no room")  # noqa: TRY301 - its context is what matters
        except MemoryError:
            raise KeyError("x")  # noqa: B904 - what tidying fails with
    except KeyError as error:
        found = describe_shortage(error, "compare")
    assert "memory ran out (no room)" in str(found)
    assert describe_shortage(KeyError("x"), "compare") is None
    assert describe_shortage(RetainError("out of memory"), "compare") is None


def test_a_worker_tells_that_memory_ran_out(monkeypatch):
    def starve(*_):
        raise pa.ArrowMemoryError("malloc of size 64 failed")

    monkeypatch.setattr("retain.execution.worker.import_module", starve)
    assert type(_run_job("preflight", ()).error) is MemoryError


# OpenBLAS asks for memory in an endless loop where there is none.
def test_a_server_that_does_not_start_workers_is_killed(monkeypatch):
    killed = []
    monkeypatch.setattr(forkserver._forkserver, "_forkserver_pid", 12345)
    monkeypatch.setattr("os.kill", lambda *words: killed.append(words))

    def waiting():
        with start_timeout(0.01):
            while not killed:
                pass
            raise EOFError

    with pytest.raises(MemoryError, match=r"did not start in 0.01 seconds"):
        waiting()
    assert killed == [(12345, 9)]


def test_text_in_no_encoding_is_refused(capsys):
    assert run_command(run, ["study.question=\udcff"], "run") == 2
    assert "PYTHONUTF8=1" in capsys.readouterr().err
