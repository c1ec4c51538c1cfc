"""Locks between processes."""

import subprocess
import sys

import pytest

from retain.storage.locks import is_locked, try_lock, wait_for_lock

HOLD = """
import sys, time
from pathlib import Path
from retain.storage.locks import wait_for_lock
with wait_for_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock at the path it returns."""
    path = tmp_path / ".lock"
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    yield path, process
    process.kill()
    process.communicate()


def test_a_lock_is_held_by_one_process_and_let_go_of_when_it_is_killed(holder):
    path, process = holder
    assert is_locked(path)
    with try_lock(path) as mine:
        assert not mine
    process.kill()
    process.wait()
    assert not is_locked(path)
    with try_lock(path) as mine:
        assert mine


def test_who_waits_says_so_and_goes_on_when_the_other_ends(holder):
    path, process = holder
    messages = []

    def end_the_other():
        messages.append("waits")
        process.kill()

    with wait_for_lock(path, end_the_other):
        assert is_locked(path)
    assert messages == ["waits"]


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"), wait_for_lock(tmp_path / ".lock"):
        pass
    assert (tmp_path / "elsewhere").read_text() == "mine"


def test_where_there_is_no_lock_nobody_holds_it_and_none_is_made(tmp_path):
    assert not is_locked(tmp_path / ".lock")
    assert not (tmp_path / ".lock").exists()
