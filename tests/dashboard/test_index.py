"""The index reads what is there, again only where it changed, and believes nothing."""

import json
import os
from unittest import mock

import pytest

from retain.dashboard import index as indexing
from retain.dashboard.contents import describe_contents
from retain.dashboard.index import OutputsReader
from retain.record.reading import Reader
from retain.record.study import StudyDirectory


def rows_by_state(index):
    found = {}
    for row in index.studies[0].rows:
        found.setdefault(row.state, []).append(row)
    return found


def test_every_finished_run_has_its_numbers(index, invented):
    (study,) = index.studies
    assert len(study.rows) == 48
    row = study.rows[7]
    record = row.directory.read()
    assert row.id == record.id
    for name, metric in record.metrics.items():
        assert row.estimate(name) == (metric.value, metric.low, metric.high)
        assert tuple(row.fold_values(name)) == metric.fold_values


def test_a_run_without_a_metric_says_so(index):
    assert index.studies[0].rows[0].estimate("no such metric") is None


def test_what_did_not_change_is_neither_read_nor_counted_again(copied):
    reader = OutputsReader(copied)
    first = reader.read()
    with mock.patch.object(Reader, "read", side_effect=AssertionError):
        assert reader.read() is first


def test_a_record_that_changed_is_read_again_and_no_other(copied):
    reader = OutputsReader(copied)
    first = reader.read()
    row = first.studies[0].rows[3]
    text = row.directory.record.read_text("utf-8")
    tree = json.loads(text) | {"state": "failed", "reason": "no luck", "metrics": {}}
    row.directory.record.write_text(json.dumps(tree), "utf-8")
    second = reader.read()
    assert second.version == first.version + 1
    assert second.run("invented", row.id).reason == "no luck"
    pairs = zip(first.studies[0].rows, second.studies[0].rows, strict=True)
    assert sum(before is not after for before, after in pairs) == 1


def test_a_run_that_is_broken_or_unfinished_is_there_and_says_why(copied):
    rows = OutputsReader(copied).read().studies[0].rows
    rows[0].directory.record.write_text("{", "utf-8")
    rows[1].directory.record.unlink()
    rows[1].directory.hydra.mkdir()
    tree = json.loads(rows[2].directory.record.read_text("utf-8"))
    rows[2].directory.record.write_text(json.dumps(tree | {"seed": 99}), "utf-8")
    found = rows_by_state(OutputsReader(copied).read())
    assert [row.id for row in found["unfinished"]] == [rows[1].id]
    broken = {row.id: row.reason for row in found["broken"]}
    assert "is not JSON" in broken[rows[0].id]
    assert "names study 'invented' and seed 99" in broken[rows[2].id]


def test_a_link_that_leads_out_is_no_study(copied, tmp_path, invented):
    (copied / "elsewhere").symlink_to(invented / "invented")
    (copied / "pipe").mkdir()
    os.mkfifo(copied / "pipe" / "status.json")
    found = OutputsReader(copied).read()
    assert [study.name for study in found.studies] == ["invented"]
    assert found.outside == ("elsewhere",)


def test_a_folder_that_is_gone_has_no_study_and_says_so(copied):
    reader = OutputsReader(copied)
    first = reader.read()
    moved = copied.rename(copied.with_name("moved"))
    second = reader.read()
    assert (second.studies, second.is_gone) == ((), True)
    moved.rename(copied)
    third = reader.read()
    assert (third.studies, third.is_gone) == (first.studies, False)
    assert first.version < second.version < third.version


def test_what_cannot_be_shown_is_counted_and_named(copied, invented):
    rows = OutputsReader(copied).read().studies[0].rows
    (copied / "elsewhere").symlink_to(invented / "invented")
    assert list(describe_contents(OutputsReader(copied).read())) == [
        "1 study, 48 runs",
        "1 link that leads out of the folder left out: elsewhere",
    ]
    for row in rows[:5]:
        row.directory.record.write_text("{", "utf-8")
    _, broken, _ = describe_contents(OutputsReader(copied).read())
    assert broken.startswith(f"5 runs cannot be read: invented/{rows[0].folder}, ")
    assert broken.endswith(" and 2 more")


def test_runs_beyond_the_limit_are_counted(invented):
    with mock.patch.object(indexing, "MAX_RUNS", 20):
        (study,) = OutputsReader(invented).read().studies
    assert (len(study.rows), study.n_unread) == (20, 28)


# Memory is bounded whatever the configs hold; the metrics are there all the same.
def test_configs_beyond_the_limit_are_left_out(invented):
    with mock.patch.object(indexing, "CONFIG_BYTES", 1):
        rows = OutputsReader(invented).read().studies[0].rows
    assert {len(row.config) for row in rows} == {0}
    assert all(row.estimate("roc_auc") for row in rows)


@pytest.mark.parametrize("text", ['{"schema": 2}', "[", '"text"'])
def test_a_status_that_cannot_be_read_is_none(copied, text):
    (copied / "invented" / "status.json").write_text(text, "utf-8")
    assert OutputsReader(copied).read().studies[0].status is None


# A folder may be moved, or closed to this user, while it is watched.
def test_a_study_that_can_no_longer_be_read_stays_as_it_was(copied):
    reader = OutputsReader(copied)
    first = reader.read()
    with mock.patch.object(StudyDirectory, "runs", side_effect=PermissionError):
        assert reader.read() is first
