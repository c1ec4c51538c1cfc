"""Two launches of one study at the same time: no run twice, none half-written, one leaderboard."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from retain.record import RunDirectory

pytestmark = pytest.mark.no_cover  # what it runs here is measured where it is tested by itself

MODELS = "model=logreg,tree,knn,dummy,svc"
LINE = ("-m", MODELS, "sampler=none,random_under,smote", "study.name=shared")


@pytest.fixture
def launch(here, tiny):
    def started(*words):
        command = [sys.executable, "-m", "retain", *tiny, *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)

    return started


def counted(said):
    return int(re.search(r"(\d+) done, 0 failed", said).group(1))


def test_two_launches_share_the_work_and_agree(launch, retain_compare):
    processes = [launch(*LINE, "launcher.workers=2") for _ in range(2)]
    said = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    paths = list(Path("outputs/shared").glob("*/record.json"))
    records = [json.loads(path.read_text()) for path in paths]
    assert len(records) == 15
    assert {record["state"] for record in records} == {"done"}
    # A run done twice would have been started after the other launch had finished it.
    logs = [Path(path.parent, "run.log").read_text() for path in paths]
    assert all(log.count("roc_auc") == 1 for log in logs)
    assert all(1 <= counted(out) <= 15 for out, _ in said)
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
    record["finished"] = "2100-01-01T00:00:00+00:00"
    directory.record.unlink()
    (path / "run.log").write_text("the other launch's")
    with directory.claimed() as mine:
        assert mine
        yield directory, json.dumps(record)


def waiting(process):
    """Until the launch has planned its runs and met the claim."""
    status = Path("outputs/shared/status.json")
    until = time.monotonic() + 60
    while not (status.exists() and str(process.pid) in status.read_text()):
        assert time.monotonic() < until
        time.sleep(0.1)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)


def test_a_run_under_way_elsewhere_is_listed_as_such(claimed, retain, tiny):
    _, listed = retain(*tiny, "model=tree", "study.name=shared", "dry_run=true")
    assert "running elsewhere" in listed


# In a process of its own and in one of several, with workers and without.
@pytest.mark.parametrize("words", [("model=tree",), ("-m", "model=tree,dummy")], ids=len)
def test_a_run_another_launch_has_is_waited_for_and_not_done_again(claimed, launch, words):
    directory, record = claimed
    process = launch(*words, "study.name=shared")
    waiting(process)
    directory.record.write_text(record)
    directory.lock.unlink()  # lets go of the claim: who waits looks at a new file
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert f"{len(words)} done, 0 failed" in out
    assert directory.log.read_text() == "the other launch's"


def test_a_run_that_another_launch_left_undone_is_done_here(claimed, launch):
    directory, _ = claimed
    process = launch("model=tree", "study.name=shared")
    waiting(process)
    directory.lock.unlink()
    process.communicate(timeout=60)
    assert json.loads(directory.record.read_text())["state"] == "done"
    assert "roc_auc" in directory.log.read_text()
