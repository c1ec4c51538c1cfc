import json
import os

import pytest

from retain.errors import RetainError
from retain.record.directory import RunDirectory
from retain.record.document import Record, identity
from retain.record.study import BrokenRun, StudyDirectory
from retain.storage.writing import atomic_write, write_text


def test_a_record_reads_back_as_it_was_written(tmp_path, make_record):
    record = make_record()
    run = RunDirectory(tmp_path)
    run.finish(record)
    assert run.read() == record


def test_a_record_is_plain_json_with_the_documented_keys(tmp_path, make_record):
    run = RunDirectory(tmp_path)
    run.finish(make_record())
    tree = json.loads(run.record.read_text())
    expected = (
        "schema id study state reason traceback config overrides seed data split metrics checks "
        "seconds peak_memory_mb environment git warnings started_at finished_at stopped_early "
        "tuning scores_bytes scores_sha256"
    )
    assert list(tree) == expected.split()
    data = "fingerprint n_rows n_positives funnel label columns"
    assert list(tree["data"]) == data.split()
    assert {"value", "low", "high", "fold_values"} <= set(tree["metrics"]["roc_auc"])


def test_a_directory_without_a_final_state_was_interrupted(tmp_path):
    assert RunDirectory(tmp_path).read() is None


def test_reopening_a_run_makes_it_count_as_not_done(tmp_path, make_record):
    run = RunDirectory(tmp_path)
    run.finish(make_record())
    run.reopen()
    assert run.read() is None
    run.reopen()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"record\.json is not JSON"),
        ("[]", r"has no schema number \('None'\); this version reads schema 2"),
        ('{"schema": 99}', "has schema 99, which a newer retain reads"),
        ('{"schema": 1}', "has schema 1, which retain 0.1 reads; this version reads schema 2"),
        ('{"schema": 2}', "is not the record of a run: id: Field required"),
    ],
)
def test_a_file_that_is_no_record_is_refused_by_name(tmp_path, text, message):
    run = RunDirectory(tmp_path)
    run.record.write_text(text)
    with pytest.raises(RetainError, match=message):
        run.read()


def test_a_record_that_is_no_text_is_refused(tmp_path):
    run = RunDirectory(tmp_path)
    run.record.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RetainError, match="is not UTF-8 text: line 1"):
        run.read()


def test_identity_ignores_what_cannot_change_a_result():
    config = {"seed": 0, "model": {"C": 1.0}}
    same = {**config, "threads": 8, "outputs": "elsewhere", "study": {"name": "x"}}
    assert identity(config) == identity(same)
    assert identity(config) != identity({**config, "seed": 1})


# A race stops a run; the folds it has are those it would have had.
def test_a_race_is_no_part_of_a_runs_identity():
    validation = {"folds": 5, "early_stopping": False, "min_folds": 3}
    config = {"seed": 0, "validation": validation}
    raced = {**config, "validation": {**validation, "early_stopping": True, "min_folds": 4}}
    assert identity(config) == identity(raced)
    assert identity(config) == identity({"seed": 0, "validation": {"folds": 5}})
    assert identity(config) != identity({**config, "validation": {**validation, "folds": 4}})


def test_folds_of_a_race_stay_until_there_is_a_record(tmp_path, make_record):
    run = RunDirectory(tmp_path)
    run.folds.write_bytes(b"folds")
    run.reopen(keep_folds=True)
    assert run.folds.exists()
    run.finish(make_record())
    assert not run.folds.exists()
    run.folds.write_bytes(b"folds")
    run.reopen()
    assert not run.folds.exists()


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("data", {"fingerprint": "f" * 64}, r"the data changed \(aaaaaaaa → ffffffff\)"),
        ("split", {"fingerprint": "f" * 64}, "the splits changed"),
        ("environment", {"code_sha256": "f" * 64}, r"the code changed \(cccccccc → ffffffff\)"),
        ("environment", {"packages": {"numpy": "9.9"}}, r"packages changed \(numpy 2\.0 → 9\.9\)"),
    ],
)
def test_a_record_of_another_world_says_what_changed(make_record, part, change, message):
    record = make_record()
    now = {name: getattr(record, name) for name in ("data", "split", "environment")}
    now[part] = now[part].model_copy(update=change)
    import re

    assert re.match(message, record.staleness_reason(**now))


def test_a_record_of_this_world_is_not_outdated(make_record):
    record = make_record()
    assert record.staleness_reason(record.data, record.split, record.environment) is None


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def half_written():
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        half_written()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_written_file_is_readable_by_others_as_the_umask_says(tmp_path):
    path = tmp_path / "a.txt"
    before = os.umask(0o022)
    try:
        write_text(path, "text")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


# Another thread that creates a file meanwhile must not find an umask that is not the user's.
def test_writing_leaves_the_umask_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "umask", lambda _: pytest.fail("the umask was touched"))
    write_text(tmp_path / "a.txt", "text", durable=False)
    assert (tmp_path / "a.txt").read_text() == "text"


def test_a_study_lists_runs_and_nothing_else(tmp_path, make_record):
    study = StudyDirectory(tmp_path)
    study.run("svc", "00000001").finish(make_record())
    study.run("mlp", "00000002").hydra.mkdir(parents=True)
    study.verdict.mkdir()
    assert [run.path.name for run in study.runs()] == ["mlp-00000002", "svc-00000001"]
    assert list(StudyDirectory(tmp_path / "nowhere").runs()) == []


def test_a_key_this_version_does_not_know_is_refused(tmp_path, make_record):
    run = RunDirectory(tmp_path)
    run.finish(make_record())
    tree = json.loads(run.record.read_text())
    run.record.write_text(json.dumps({**tree, "colour": "red"}))
    with pytest.raises(RetainError, match="colour: Extra inputs"):
        run.read()


def test_states_are_three(make_record):
    with pytest.raises(ValueError, match="'done', 'failed' or 'not_applicable'"):
        Record.model_validate({**make_record().model_dump(by_alias=True), "state": "almost"})


@pytest.fixture
def many(tmp_path, make_record):
    """Records of a sweep: the same contract, other models; as text in run directories."""
    contract = {"name": "demo", "tables": {"money": {"columns": ["a", "b"], "text": "x\n  }"}}}
    for number in range(4):
        record = make_record(id=f"{number:08d}", model={"name": "svc", "C": float(number)})
        config = {**record.config, "data": contract, "seed": 0}
        run = StudyDirectory(tmp_path).run("svc", record.id)
        run.hydra.mkdir(parents=True)
        run.finish(record.model_copy(update={"config": config}))
    return StudyDirectory(tmp_path)


# Most of a record is its data contract, which the runs of a sweep have in common.
def test_records_read_together_are_those_read_alone_and_share_what_is_equal(many):
    together = [record for _, record in many.read()]
    assert together == [run.read() for run in many.runs()]
    assert len({id(record.config["data"]) for record in together}) == 1
    assert len({id(record.config["model"]) for record in together}) == 4
    assert [record.config["model"]["C"] for record in together] == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    "message",
    [
        json.dumps,
        lambda tree: json.dumps(tree, indent=1).replace('"columns": {', '"cölumns": {'),
        lambda tree: json.dumps({**tree, "config": {**tree["config"], "data": None}}, indent=1),
        lambda tree: json.dumps({"seed": 0, **tree}, indent=1),
    ],
    ids=["on one line", "another contract", "no contract", "another order"],
)
def test_a_record_written_otherwise_is_read_all_the_same(many, message):
    path = list(many.runs())[2].record
    path.write_text(message(json.loads(path.read_text())), encoding="utf-8")
    together = [record for _, record in many.read()]
    assert together == [run.read() for run in many.runs()]


def test_a_broken_record_among_many_is_named(many):
    path = list(many.runs())[3].record
    text = path.read_text()
    path.write_text(text.replace('"seconds": {', '"seconds": ['), encoding="utf-8")
    result = [record.reason for _, record in many.read() if isinstance(record, BrokenRun)]
    assert len(result) == 1
    assert "svc-00000003/record.json is not JSON" in result[0]
    path.write_text(text.replace('"n_rows": 100', '"n_rows": "many"'), encoding="utf-8")
    result = [record.reason for _, record in many.read() if isinstance(record, BrokenRun)]
    assert len(result) == 1
    assert "is not the record of a run: data.n_rows" in result[0]


# Whoever does a run again must not write where a stranger's link leads, nor wait for a pipe.
def test_a_run_that_begins_again_writes_through_no_link_and_into_no_pipe(tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "config.yaml").write_text("mine")
    run = RunDirectory(tmp_path / "run")
    for name in ("folder", "file"):
        run.hydra.mkdir(parents=True)
        if name == "folder":
            run.hydra.rmdir()
            run.hydra.symlink_to(victim)
        else:
            (run.hydra / "config.yaml").symlink_to(victim / "config.yaml")
        os.mkfifo(run.log)
        (run.path / "more").symlink_to(victim / "config.yaml")
        run.reopen()
        assert not run.log.exists()
        assert list(run.hydra.iterdir()) == []
        assert not run.hydra.is_symlink()
        assert list(run.path.iterdir()) == [run.hydra]
        run.hydra.rmdir()
    assert (victim / "config.yaml").read_text() == "mine"
