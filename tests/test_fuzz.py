"""Every reader, given hostile inputs: `make fuzz` has the full figures."""

import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "experiments" / "fuzz"
sys.path.append(str(FOLDER))  # the scripts, and processes they start, look for each other there
fuzz = importlib.import_module("readers")
ground = importlib.import_module("ground")
INPUTS = {"table": 60, "contract": 30, "log": 30, "campaign.json": 60, "outcomes": 60, "offers": 60}
"""How many inputs a reader gets that reads slowly."""


@pytest.fixture(scope="module")
def study(tmp_path_factory, fork_server):
    return fuzz.make_study(tmp_path_factory.mktemp("fuzz"))


@pytest.mark.parametrize("reader", fuzz.READERS)
def test_a_reader_accepts_what_it_is_given_or_refuses_it_in_a_sentence(reader, study, tmp_path):
    home = ground.Ground(study, tmp_path / "in")
    home.folder.mkdir()
    counts, trial = fuzz.Counts(reader), fuzz.Trial(seed=1, failures=tmp_path / "failures")
    with fuzz.readable(home):
        numbers = range(INPUTS.get(reader, 100))
        assert list(fuzz.read_all(counts, home, numbers, trial)) == [*numbers]
    assert counts.failed == 0, "\n".join(counts.places.values())
    assert counts.accepted > 0  # some are valid, so that more than the first check is passed
    assert counts.refused > 0
    assert counts.slowest_seconds < fuzz.CPU_SECONDS


def test_what_a_reader_raises_besides_is_counted_and_its_input_kept(study, tmp_path, monkeypatch):
    def broken(home):
        (home.folder / "input").write_text("hostile")
        return lambda chance: lambda: 1 / 0

    monkeypatch.setitem(fuzz.READERS, "broken", broken)
    home = ground.Ground(study, tmp_path / "in")
    home.folder.mkdir()
    counts, trial = fuzz.Counts("broken"), fuzz.Trial(seed=1, failures=tmp_path / "failures")
    assert len(list(fuzz.read_all(counts, home, range(3), trial))) == 3
    assert (counts.inputs, counts.failed, len(counts.places)) == (3, 3, 1)
    assert (tmp_path / "failures" / "broken-0" / "input").read_text() == "hostile"
