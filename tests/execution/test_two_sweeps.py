"""Two launches of one study at the same time: no run twice, none half-written, one leaderboard."""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import time
from pathlib import Path

import pytest

from retain.record.directory import RunDirectory

MODELS = "model=logreg,tree,knn,dummy,svc"
STATUS = Path("outputs/shared/status.json")
LINE = ("-m", MODELS, "sampler=none,smote", "study.name=shared")


def soon(holds):
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def counted(output):
    return int(re.search(r"(\d+) done, 0 failed", output).group(1))


def test_two_launches_share_the_work_and_agree(launch, retain_compare, tiny):
    processes = [launch(*tiny, *LINE, "workers=1") for _ in range(2)]
    output = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], output
    paths = list(Path("outputs/shared").glob("*/record.json"))
    records = [json.loads(path.read_text()) for path in paths]
    assert len(records) == 10
    assert {record["state"] for record in records} == {"done"}
    # A run done twice would have been started after the other launch had finished it.
    logs = [Path(path.parent, "run.log").read_text() for path in paths]
    assert all(log.count("roc_auc") == 1 for log in logs)
    assert all(1 <= counted(out) <= 10 for out, _ in output)
    boards = []
    for _ in range(2):
        retain_compare("study=shared", "resamples=100")
        boards.append(Path("outputs/shared/verdict/leaderboard.csv").read_bytes())
    assert boards[0] == boards[1]


@pytest.fixture
def claimed(retain, tiny):
    """A run that another launch has under way, with the record it will write."""
    retain(*tiny, "model=tree", "study.name=shared")
    (path,) = Path("outputs/shared").glob("tree-*")
    directory = RunDirectory(path)
    record = json.loads(directory.record.read_text())
    record["finished_at"] = "2100-01-01T00:00:00+00:00"
    directory.record.unlink()
    STATUS.unlink()
    (path / "run.log").write_text("the other launch's")
    with directory.hold_lock() as mine:
        assert mine
        yield directory, json.dumps(record)


@contextlib.contextmanager
def lets_go(act):
    """The other launch's claim is let go of when this process has met it and waited a while.

    ``act`` is what the other launch does before.
    """

    def other():
        soon(lambda: STATUS.exists() and str(os.getpid()) in STATUS.read_text())
        time.sleep(1)
        waited.append(not over)
        act()

    over, waited, thread = [], [], threading.Thread(target=other)
    thread.start()
    yield
    over.append(True)
    thread.join()
    assert waited == [True]


def test_a_run_under_way_elsewhere_is_listed_as_such(claimed, retain, tiny):
    _, listed = retain(*tiny, "model=tree", "study.name=shared", "dry_run=true")
    assert "running elsewhere" in listed


# In the launching process and in a worker.
@pytest.mark.parametrize("words", [("model=tree",), ("-m", "model=tree,dummy")], ids=len)
def test_a_run_another_launch_has_is_waited_for_and_not_done_again(claimed, retain, tiny, words):
    directory, record = claimed

    def does_it():
        directory.record.write_text(record)
        directory.lock.unlink()  # lets go of the claim: who waits looks at a new file

    with lets_go(does_it):
        code, output = retain(*tiny, *words, "study.name=shared")
    assert code == 0, output
    assert f"{len(words)} done, 0 failed" in output
    assert directory.log.read_text() == "the other launch's"


def test_a_run_that_another_launch_left_undone_is_done_here(claimed, retain, tiny):
    directory, _ = claimed
    with lets_go(directory.lock.unlink):
        retain(*tiny, "model=tree", "study.name=shared")
    assert json.loads(directory.record.read_text())["state"] == "done"
    assert "roc_auc" in directory.log.read_text()
