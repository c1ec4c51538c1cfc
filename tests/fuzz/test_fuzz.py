"""A little of what ``fuzz.py`` does in full: damaged files are refused with a sentence or read."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from retain.record import RunDirectory

_spec = importlib.util.spec_from_file_location("fuzz", Path(__file__).with_name("fuzz.py"))
fuzz = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(fuzz)
INPUTS = {"record": 300, "ledger": 300, "scores.parquet": 200, "skops": 200, "table": 60}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("reader", INPUTS)
def test_damaged_files_are_refused_with_a_sentence_or_read(reader, tmp_path, make_record):
    run = RunDirectory(tmp_path / "run")
    run.finish(make_record())
    record = run.record.read_bytes()
    json.loads(record)
    refused, accepted, slowest = fuzz.fuzz(reader, record, tmp_path, INPUTS[reader], seed=1)
    assert refused > accepted / 10
    assert slowest < fuzz.SLOWEST_SECONDS
