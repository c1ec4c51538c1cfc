"""Commands that write a verdict, killed and crowded: `make chaos` has the full figures."""

import contextlib
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[2] / "experiments" / "chaos" / "verdicts.py"
SPEC = spec_from_file_location("chaos_of_verdicts", PATH)
chaos = module_from_spec(SPEC)
sys.modules[SPEC.name] = chaos  # dataclasses look their module up
SPEC.loader.exec_module(chaos)
SEED = 1
"""Of the two kills, one is at any moment and one while files are put in place."""


@pytest.fixture(scope="module")
def ground(tmp_path_factory, launch):
    def start(command, words, folder, environment):
        with contextlib.chdir(folder):
            return launch(*words, command=command, **environment)

    folder = tmp_path_factory.mktemp("chaos") / "ground"
    return chaos.make_playground(chaos.Playground(folder, start))


def test_every_verdict_found_is_whole_whatever_is_killed_or_runs_at_once(ground):
    found = chaos.disturb(ground, kills=2, pairs=1, seed=SEED)
    assert sum(counts.kills for counts in found) == 2
    assert sum(counts.kills_in_transaction for counts in found) >= 1
    assert sum(counts.looks for counts in found) >= 5
    for counts in found:
        assert (counts.torn, counts.left_behind, counts.ended_badly) == (0, 0, 0), counts


def test_the_look_finds_what_is_torn(ground):
    assert list(chaos.find_torn(ground.study)) == []
    ledger = ground.study.ledger.read_text()
    ground.study.ledger.write_text(ledger.replace('"run_id":"', '"run_id":"x'))
    assert list(chaos.find_torn(ground.study)) == ["the ledger is behind the verdict"]
    ground.study.ledger.write_text(ledger)
    for path in (ground.study.segments, ground.study.model, ground.study.report):
        before = path.read_bytes()
        path.write_bytes(b"")
        assert list(chaos.find_torn(ground.study)), path
        path.write_bytes(before)
