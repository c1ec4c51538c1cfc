"""What can go from a folder of outputs, what stays, and that nothing else is touched."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from retain.errors import RetainError
from retain.execution.plan import collect_environment
from retain.record.directory import RunDirectory
from retain.schema.clean import Clean
from retain.storage import trash
from retain.storage.locks import try_lock
from retain.storage.trash import TRASH
from retain.workflows.cleaning import clean as cleaning
from retain.workflows.cleaning.clean import clean

DAY = 86_400
TABLE, FRAME = f"{'ab' * 32}.parquet", f"{'cd' * 8}.parquet"


@pytest.fixture
def outputs(tmp_path):
    return tmp_path / "outputs"


@pytest.fixture
def add_run(outputs, make_record):
    """Write a run as retain does; returns its folder."""

    def add(name, state="done", *, study="models", code="c" * 64, **changes):
        run = RunDirectory(outputs / study / name)
        run.hydra.mkdir(parents=True)
        for path in (run.lock, run.log, run.hydra / "config.yaml"):
            path.write_text("")
        if state == "interrupted":
            return run.path
        config = {
            "seed": 0,
            "model": {"name": "logreg", "C": 1.0},
            "data": {"name": "demo"},
            **changes.pop("config", {}),
        }
        environment = make_record().environment.model_copy(update={"code_sha256": code})
        for part in changes.keys() & {"data", "split"}:
            changes[part] = getattr(make_record(), part).model_copy(update=changes[part])
        facts = {"id": name[-8:], "study": study, "state": state, "config": config}
        record = make_record(**facts, environment=environment, **changes)
        run.finish(record if state == "done" else record.model_copy(update={"metrics": {}}))
        if state == "done":
            run.scores.write_bytes(b"scores")
        return run.path

    return add


@pytest.fixture
def add_verdict(outputs):
    """Write a verdict that names runs."""

    def add(study="models", *runs, **keys):
        folder = outputs / study / "verdict"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "manifest.json").write_text(json.dumps({"runs": dict.fromkeys(runs, "0" * 64)}))
        (folder / "verdict.json").write_text(json.dumps({"studies": [study], **keys}))

    return add


def cleaned(folder, *, remove=False, older_than=0.0, **keys):
    chosen = {"failed": True, "outdated": True, "cached": True, **keys}
    return clean(folder, Clean(dir=str(folder), remove=remove, older_than=older_than, **chosen))


def going(document):
    return {part.name: part.paths for part in document.going}


def staying(document):
    return {(one.name, one.reason): one.n for one in document.staying}


def everything(folder):
    """All files below a folder with their bytes; lock files are opened by whoever looks."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def age(path, seconds):
    for one in (*path.rglob("*"), path):
        os.utime(one, (time.time() - seconds,) * 2)


def test_failed_and_interrupted_runs_go_and_finished_ones_stay(outputs, add_run):
    add_run("svc-00000001", "failed")
    add_run("svc-00000002", "interrupted")
    add_run("svc-00000003")
    add_run("svc-00000004", "not_applicable")
    found = cleaned(outputs)
    assert going(found) == {
        "failed runs": ("models/svc-00000001",),
        "interrupted runs": ("models/svc-00000002",),
    }
    assert (found.is_removed, found.busy, found.n_foreign) == (False, None, 0)


def test_a_list_changes_nothing(outputs, add_run):
    add_run("svc-00000001", "failed")
    before = everything(outputs)
    cleaned(outputs)
    assert everything(outputs) == before


def test_what_is_listed_is_what_goes(outputs, add_run):
    add_run("svc-00000001", "failed")
    add_run("svc-00000003")
    listed, removed = cleaned(outputs), cleaned(outputs, remove=True)
    assert removed.is_removed
    assert removed.going == listed.going
    assert removed.staying == listed.staying
    assert {path.name for path in (outputs / "models").iterdir()} == {".lock", "svc-00000003"}
    assert not (outputs / TRASH).exists()
    assert cleaned(outputs).going == ()


@pytest.mark.parametrize("category", ["failed", "cached", "outdated"])
def test_a_key_keeps_a_category(outputs, add_run, category):
    add_run("svc-00000001", "failed")
    add_run("old-00000002", code="a" * 64)
    done = add_run("new-00000003", code="b" * 64, finished_at="2026-01-02T00:00:00+00:00")
    (done / "folds.parquet").write_bytes(b"folds")
    assert {part.category for part in cleaned(outputs).going} == {"failed", "cached", "outdated"}
    kept = cleaned(outputs, **{category: False})
    assert category not in {part.category for part in kept.going}
    assert f"{category}=false" in {one.reason for one in kept.staying}


# A verdict counts failed runs and shows their reasons; so do documents of every other kind, and
# those of studies that were compared together lie beside them.
@pytest.mark.parametrize(
    "document",
    [
        "models/verdict/manifest.json",
        "models/campaigns/0a0a0a0a/campaign.json",
        "models/campaigns/0a0a0a0a/readout/readout.json",
        "models/campaigns/0a0a0a0a/readout/trial/effects.json",
        "models/scores/today/score.json",
        "models/ledger.jsonl",
        "models/verdict-before/verdict.json",
        "other+models/verdict/verdict.json",
        "other/ledger.jsonl",
    ],
)
def test_a_run_that_a_result_names_stays(outputs, add_run, document):
    add_run("svc-00000001", "failed")
    add_run("svc-00000002", study="other")
    path = outputs / document
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"runs": {"models/svc-00000001": "x"}}')
    (path.parent / "manifest.json").touch()
    found = cleaned(outputs, remove=True)
    assert found.going == ()
    assert staying(found) == {("failed runs", "a result names them"): 1}
    assert (outputs / "models" / "svc-00000001" / "record.json").is_file()


def test_interrupted_runs_stay_where_a_verdict_counts_them(outputs, add_run, add_verdict):
    add_run("svc-00000001", "interrupted")
    add_verdict("models", n_interrupted=1)
    assert staying(cleaned(outputs)) == {("interrupted runs", "a verdict counts them"): 1}
    add_verdict("models", n_interrupted=0, n_running=0)
    assert going(cleaned(outputs)) == {"interrupted runs": ("models/svc-00000001",)}


def test_folds_from_which_a_sweep_goes_on_stay(outputs, add_run):
    run = add_run("svc-00000001", "interrupted")
    (run / "folds.parquet").write_bytes(b"folds")
    reason = "the next sweep goes on from their folds"
    assert staying(cleaned(outputs)) == {("interrupted runs", reason): 1}


def test_folds_of_a_run_that_is_done_go_alone(outputs, add_run):
    run = add_run("svc-00000001")
    (run / "folds.parquet").write_bytes(b"folds")
    found = cleaned(outputs, remove=True)
    assert going(found) == {"folds of runs that are done": ("models/svc-00000001/folds.parquet",)}
    assert {"record.json", "scores.parquet"} < {path.name for path in run.iterdir()}


# Without early stopping the same line completes it, from the folds it has.
def test_folds_of_a_run_that_was_stopped_early_stay(outputs, add_run):
    run = add_run("svc-00000001", stopped_early=True)
    (run / "folds.parquet").write_bytes(b"folds")
    assert cleaned(outputs).going == ()


def test_interrupted_runs_stay_while_jobs_of_a_cluster_may_be_queued(outputs, add_run):
    add_run("svc-00000001", "interrupted")
    (outputs / "models" / "jobs" / "launch-1").mkdir(parents=True)
    assert cleaned(outputs).going == ()


LATER = "2026-01-02T00:00:00+00:00"


def test_a_run_of_other_code_that_was_done_again_goes(outputs, add_run):
    add_run("svc-00000001", code="a" * 64)
    add_run("svc-00000002", code="b" * 64, finished_at=LATER, config={"new": {"key": 1}})
    (outputs / "models" / "svc-00000001" / "folds.parquet").write_bytes(b"folds")
    found = cleaned(outputs, remove=True)
    assert going(found) == {"runs of other code": ("models/svc-00000001",)}
    assert not (outputs / "models" / "svc-00000001").exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({}, {"config": {"seed": 1}}),
        ({}, {"overrides": ("model=svc",)}),
        ({}, {"state": "failed"}),
        ({}, {"stopped_early": True}),
        ({}, {"finished_at": "2025-01-01T00:00:00+00:00", "started_at": "2025-01-01T00:00:00"}),
        ({}, {"code": "a" * 64}),
        ({"code": collect_environment().code_sha256}, {}),
        ({}, {"study": "other"}),
        ({}, {"state": "not_applicable"}),
        ({}, {"data": {"fingerprint": "0" * 64}}),
        ({}, {"split": {"fingerprint": "0" * 64}}),
    ],
    ids=[
        "config",
        "words",
        "failed",
        "stopped",
        "earlier",
        "same code",
        "today's code",
        "other study",
        "not applicable",
        "other rows",
        "other folds",
    ],
)
def test_a_run_that_may_be_the_only_one_stays(outputs, add_run, old, new):
    add_run("svc-00000001", **{"code": "a" * 64, **old})
    add_run("svc-00000002", **{"code": "b" * 64, "finished_at": LATER, **new})
    assert "models/svc-00000001" not in going(cleaned(outputs)).get("runs of other code", ())


def test_a_record_of_an_earlier_schema_goes_once_the_run_was_done_again(outputs, add_run):
    old = add_run("svc-00000001", code="a" * 64)
    tree = json.loads((old / "record.json").read_text())
    (old / "record.json").write_text(json.dumps(tree | {"schema": 1}))
    assert cleaned(outputs).going == ()
    add_run("svc-00000002", code="b" * 64, finished_at=LATER)
    assert going(cleaned(outputs)) == {"runs of other code": ("models/svc-00000001",)}


def test_cached_tables_go_and_frames_stay(outputs, add_run):
    add_run("svc-00000001")
    tables = outputs / "tables"
    tables.mkdir()
    for name in (TABLE, FRAME, "mine.parquet"):
        (tables / name).write_bytes(b"rows")
    found = cleaned(outputs, remove=True)
    assert going(found) == {"tables of purchase logs": (f"tables/{TABLE}",)}
    assert {path.name for path in tables.iterdir()} == {FRAME, "mine.parquet"}


def test_a_cached_table_that_a_run_reads_as_its_data_stays(outputs, add_run):
    add_run("svc-00000001", config={"data": {"name": "table", "path": f"outputs/tables/{TABLE}"}})
    (outputs / "tables").mkdir()
    (outputs / "tables" / TABLE).write_bytes(b"rows")
    assert staying(cleaned(outputs)) == {
        ("tables of purchase logs", "a run reads one as its data"): 1
    }


def test_a_table_stays_where_what_names_it_may_be_unread(outputs, add_run):
    config = {"data": {"name": "table", "path": f"outputs/tables/{TABLE}"}}
    run = add_run("svc-00000001", config=config)
    (outputs / "tables").mkdir()
    (outputs / "tables" / TABLE).write_bytes(b"rows")
    reason = ("tables of purchase logs", "what cannot be read may name one as its data")
    link = outputs / "models" / "linked"
    link.symlink_to(outputs)
    assert staying(cleaned(outputs))[reason] == 1
    link.unlink()
    (run / "record.json").write_text("{")
    assert staying(cleaned(outputs)) == {reason: 1}


def test_files_of_a_user_that_look_unfinished_stay(outputs, add_run):
    run = add_run("svc-00000001")
    (outputs / "tables").mkdir()
    mine = [
        outputs / "models" / ".staging-site",
        outputs / "models" / ".unfinished-0123456789ab",
        outputs / ".staging-0123456789ab",
        outputs / "tables" / ".staging-0123456789ab",
        run / ".staging-0123456789ab",
    ]
    for path in mine:
        path.mkdir()
        (path / "thesis.tex").write_text("mine")
    files = [place / ".unfinished-letter" for place in (run, outputs / "models", outputs)]
    for path in files:
        path.write_text("mine")
    for path in (*mine, *files):
        age(path, 2 * 3600)
    assert cleaned(outputs, remove=True).going == ()
    assert all(path.exists() for path in (*mine, *files))


def test_things_in_the_trash_that_retain_did_not_put_there_stay(outputs, add_run):
    add_run("svc-00000001", "failed")
    trash = outputs / TRASH
    left = trash / "0123456789ab" / "0"
    left.mkdir(parents=True)
    mine = [trash / "mine.txt", trash / "ba9876543210" / "letter.txt", trash / "photos" / "0"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    found = cleaned(outputs, remove=True)
    assert going(found)["leftovers of retain-clean"] == (f"{TRASH}/0123456789ab",)
    assert sorted(trash.rglob("*.txt")) == sorted(mine[:2])
    assert mine[2].exists()
    assert sorted(path.name for path in trash.iterdir()) == ["ba9876543210", "mine.txt", "photos"]


def test_unfinished_files_go_once_nobody_has_written_them_for_an_hour(outputs, add_run):
    run = add_run("svc-00000001")
    places = (run, outputs / "models", outputs / "tables", outputs)
    (outputs / "tables").mkdir()
    left = [place / ".unfinished-0123456789ab" for place in places]
    for path in left:
        path.write_bytes(b"half")
    staging = outputs / "models" / ".staging-0123456789ab"
    (staging / "verdict").mkdir(parents=True)
    assert staying(cleaned(outputs)) == {("unfinished files", "they changed in the last hour"): 5}
    for path in (*left, staging):
        age(path, 2 * 3600)
    cleaned(outputs, remove=True)
    assert not any(path.exists() for path in (*left, staging))
    assert (run / "record.json").is_file()


def test_young_things_stay(outputs, add_run):
    add_run("svc-00000001", "failed")
    age(add_run("svc-00000002", "failed"), 3 * DAY)
    found = cleaned(outputs, older_than=1)
    assert going(found) == {"failed runs": ("models/svc-00000002",)}
    reason = "they changed later than older_than=1 days ago"
    assert staying(found) == {("failed runs", reason): 1}


def test_what_retain_did_not_write_stays_and_is_counted(outputs, add_run):
    noted = add_run("svc-00000001", "failed")
    (noted / "notes.txt").write_text("why it failed")
    (outputs / "photos").mkdir()
    (outputs / "models" / "thesis.docx").write_text("x")
    other = outputs / "models" / "job-00000009" / ".hydra"  # of another program that uses Hydra
    other.mkdir(parents=True)
    (other / "config.yaml").write_text("")
    before = everything(outputs)
    found = cleaned(outputs, remove=True)
    assert (found.going, found.n_foreign) == ((), 3)
    assert {(name, n) for (name, _), n in staying(found).items()} == {("failed runs", 1)}
    assert everything(outputs).keys() - before.keys() == {"models/.lock"}


def test_no_link_is_followed_wherever_it_lies(outputs, add_run, tmp_path):
    run = add_run("svc-00000001", "failed")
    away = tmp_path / "away"
    shutil.copytree(outputs, away)
    (outputs / "models" / "svc-00000002").symlink_to(away / "models" / "svc-00000001")
    found = cleaned(outputs, remove=True)
    assert found.going == ()
    assert staying(found) == {
        ("all of models", "models holds the link svc-00000002, which is not followed"): 1
    }
    (outputs / "models" / "svc-00000002").unlink()
    (run / "scores.parquet").symlink_to(away / "models" / "svc-00000001" / "record.json")
    (outputs / "linked").symlink_to(away / "models")
    (outputs / "tables").symlink_to(away)
    (away / TABLE).write_bytes(b"rows")
    before = everything(away)
    assert cleaned(outputs, remove=True).going == ()
    (outputs / TRASH).symlink_to(away)
    (run / "scores.parquet").unlink()
    with pytest.raises(RetainError, match="Move away what lies there"):
        cleaned(outputs, remove=True)
    assert everything(away) == before


def test_a_typed_link_is_the_folder_it_leads_to(outputs, add_run, tmp_path):
    add_run("svc-00000001", "failed")
    (tmp_path / "disk").symlink_to(outputs)
    assert len(cleaned(tmp_path / "disk", remove=True).going) == 1


def test_a_study_whose_results_cannot_be_read_stays_whole(outputs, add_run, add_verdict):
    for study in ("a", "b", "c"):
        add_run("svc-00000001", "failed", study=study)
    add_verdict("a+b")
    os.mkfifo(outputs / "a+b" / "verdict" / "x.json")
    found = cleaned(outputs)
    assert going(found) == {"failed runs": ("c/svc-00000001",)}
    reasons = dict(staying(found).keys())
    assert reasons.keys() == {"all of a", "all of b", "all of a+b"}
    assert "is a pipe; expected a regular file" in reasons["all of a"]


def test_a_study_of_which_only_a_commit_is_there_keeps_its_members(outputs, add_run):
    for study in ("a", "b", "c"):
        add_run("svc-00000001", "failed", study=study)
    (outputs / "a+b" / ".commit" / "verdict").mkdir(parents=True)
    found = cleaned(outputs)
    assert going(found) == {"failed runs": ("c/svc-00000001",)}
    assert "a command was killed in a+b" in dict(staying(found).keys())["all of a"]


@pytest.mark.parametrize(
    ("unread", "gone"),
    [("a+b", set()), ("a+b/verdict", {"c/svc-00000001"}), ("moved", set())],
)
def test_what_must_not_be_read_may_name_anything(
    outputs, add_run, add_verdict, monkeypatch, unread, gone
):
    for study in ("a", "b", "c"):
        add_run("svc-00000001", "failed", study=study)
    add_verdict("a+b")
    (outputs / "moved").mkdir()
    iterate = Path.iterdir

    def iterdir(path):
        if path == outputs / unread:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return iterate(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert set(going(cleaned(outputs)).get("failed runs", ())) == gone


def test_a_verdict_that_names_no_runs_keeps_its_study(outputs, add_run, add_verdict):
    add_run("svc-00000001", "failed")
    add_verdict("models")
    (outputs / "models" / "verdict" / "manifest.json").unlink()
    reason = "models has a verdict of an earlier version, which names no runs"
    assert staying(cleaned(outputs)) == {("all of models", reason): 1}


def test_a_transaction_that_was_killed_keeps_its_study(outputs, add_run):
    add_run("svc-00000001", "failed")
    (outputs / "models" / ".commit").mkdir()
    assert cleaned(outputs).going == ()


STATUS = {
    "schema": 2,
    "study": "models",
    "state": "running",
    "started_at": "2026-01-01",
    "updated_at": "2026-01-01",
    "running": [],
    "eta_seconds": None,
    "best": None,
    **dict.fromkeys(("n_runs", "n_done", "n_failed", "n_not_applicable", "n_skipped", "n_left"), 0),
}


def test_nothing_goes_while_a_sweep_runs(outputs, add_run):
    add_run("svc-00000001", "failed")
    add_run("svc-00000002", study="other")
    status = outputs / "other" / "status.json"
    for text in (json.dumps(STATUS), "{}"):  # one of another version says anything
        status.write_text(text)
        assert cleaned(outputs).busy == "a sweep runs in other"
        with pytest.raises(RetainError, match="a sweep runs in other; nothing was removed"):
            cleaned(outputs, remove=True)
    status.write_text(json.dumps(STATUS | {"state": "finished"}))
    assert cleaned(outputs).busy is None
    status.write_text(json.dumps(STATUS))
    age(status, 3600)
    assert len(cleaned(outputs, remove=True).going) == 1
    assert status.is_file()


def test_nothing_goes_while_a_process_is_at_a_run_or_a_study(outputs, add_run):
    add_run("svc-00000001", "failed")
    busy = add_run("svc-00000002", "interrupted")
    with try_lock(busy / ".lock"), pytest.raises(RetainError, match="a sweep runs in models"):
        cleaned(outputs, remove=True)
    with try_lock(outputs / "models" / ".lock"):
        assert cleaned(outputs).busy == "another command is at models"
        with pytest.raises(RetainError, match="another command is at models; nothing was"):
            cleaned(outputs, remove=True)


@pytest.mark.parametrize("change", ["written", "replaced", "linked", "gone"])
def test_what_changed_since_it_was_found_stays(outputs, add_run, change, monkeypatch):
    run = add_run("svc-00000001", "failed")
    find = cleaning._find

    def find_and_change(*arguments):
        found = find(*arguments)
        if change == "written":
            (run / "run.log").write_text("more")
        else:
            run.rename(outputs.parent / "aside")
        if change == "replaced":
            shutil.copytree(outputs.parent / "aside", run)
        elif change == "linked":
            run.symlink_to(outputs.parent / "aside")
        return found

    monkeypatch.setattr(cleaning, "_find", find_and_change)
    found = cleaned(outputs, remove=True)
    assert found.going == ()
    assert staying(found) == {("failed runs", "they changed meanwhile, or cannot be moved"): 1}
    assert run.exists() == (change != "gone")


# Windows has no handles of folders.
@pytest.mark.parametrize("has_handles", [True, False])
def test_a_folder_that_is_swapped_for_a_link_is_not_entered(
    outputs, add_run, has_handles, monkeypatch
):
    if not has_handles:
        monkeypatch.delattr(os, "O_NOFOLLOW")
    run = add_run("svc-00000001", "failed")
    (outputs / "models").rename(outputs / "moved")
    (outputs / "models").symlink_to(outputs / "moved")
    bin_ = trash.Trash(outputs)
    bin_.make()
    with pytest.raises(OSError, match=r"Not a directory|Too many levels|it is a link"):
        bin_.take(run.relative_to(outputs))
    assert (outputs / "moved" / run.name).is_dir()
    bin_.take(Path("moved", run.name))
    assert not (outputs / "moved" / run.name).exists()
    bin_.empty()
    assert not (outputs / TRASH).exists()


def test_a_new_study_ends_the_removal(outputs, add_run, monkeypatch):
    add_run("svc-00000001", "failed")
    add_run("svc-00000002", "failed")
    take = cleaning._take

    def take_and_add(*arguments):
        taken = take(*arguments)
        (outputs / "a+models").mkdir(exist_ok=True)
        return taken

    monkeypatch.setattr(cleaning, "_take", take_and_add)
    found = cleaned(outputs, remove=True)
    assert len(going(found)["failed runs"]) == 1
    assert staying(found) == {("failed runs", "something was added to the folder meanwhile"): 1}


def test_a_verdict_that_is_written_while_it_waits_for_the_locks_is_seen(
    outputs, add_run, add_verdict, monkeypatch
):
    add_run("svc-00000001", "failed")
    lock = cleaning.try_lock

    def write_and_lock(path):
        add_verdict("models", "models/svc-00000001")
        return lock(path)

    monkeypatch.setattr(cleaning, "try_lock", write_and_lock)
    assert staying(cleaned(outputs, remove=True)) == {("failed runs", "a result names them"): 1}


KILLED = """
import os, signal, sys
from pathlib import Path
from retain.schema.clean import Clean
from retain.storage.trash import Trash
from retain.workflows.cleaning.clean import clean
step, left = sys.argv[1], int(sys.argv[2])
done = getattr(Trash, step)
def killed(*arguments):
    global left
    done(*arguments) if left else os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
setattr(Trash, step, killed)
clean(Path("outputs"), Clean(
    dir="outputs", failed=True, outdated=True, cached=True, older_than=0, remove=True))
"""


@pytest.mark.parametrize(("step", "done"), [("take", 0), ("take", 2), ("empty", 0)])
def test_a_kill_leaves_each_thing_whole_or_gone_and_the_next_call_ends_it(
    outputs, add_run, step, done
):
    for number in range(4):
        add_run(f"svc-0000000{number}", "failed")
    kept = everything(add_run("svc-00000009"))
    command = [sys.executable, "-c", KILLED, step, str(done)]
    assert subprocess.run(command, cwd=outputs.parent, check=False).returncode == -9
    left = sorted((outputs / "models").glob("svc-0000000[0-3]"))
    assert len(left) == (4 - done if step == "take" else 0)
    assert all((path / "record.json").is_file() for path in left)
    assert going(cleaned(outputs))["leftovers of retain-clean"][0].startswith(f"{TRASH}/")
    cleaned(outputs, remove=True)
    assert {path.name for path in outputs.iterdir()} == {"models"}
    assert {path.name for path in (outputs / "models").iterdir()} == {".lock", "svc-00000009"}
    assert everything(outputs / "models" / "svc-00000009") == kept


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("outputs/models", "'.*models' is a study; type the folder .*: retain-clean .*/outputs"),
        ("outputs/models/svc-00000001", "is a run; type the folder .*: retain-clean .*/outputs"),
        (".", "holds no study; type the folder with the studies: retain-clean .*/outputs"),
        ("empty", "holds no study; expected the folder with the studies, such as outputs"),
        ("nowhere", "is no folder; expected the folder with the studies: retain-clean outputs"),
        ("file", "is no folder"),
    ],
)
def test_another_folder_says_what_to_type(outputs, add_run, typed, said):
    add_run("svc-00000001", "failed")
    (outputs.parent / "empty").mkdir()
    (outputs.parent / "file").write_text("")
    (outputs.parent / "empty" / "mlflow.db").write_text("another program's")
    with pytest.raises(RetainError, match=said):
        cleaned(Path(outputs.parent, typed))


def test_odd_names_and_endless_reasons_are_no_matter(outputs, add_run):
    add_run("svc-00000001", "failed", reason="x" * 10**6)
    odd = add_run("sv\x1b[2Jc-00000003", "failed")  # which no run of retain is named
    add_run("svc-00000002", "failed", study="\x1b[31mred")
    name = os.fsdecode(b"\xff-study")
    shutil.copytree(outputs / "models", outputs / name)
    found = cleaned(outputs, remove=True)
    assert len(going(found)["failed runs"]) == 3
    assert "xxx" not in found.model_dump_json()
    assert (odd.exists(), found.n_foreign) == (True, 2)


def test_folders_in_folders_without_end_are_no_matter(outputs, add_run, monkeypatch):
    add_run("svc-00000001", "failed")
    staging = outputs / "models" / ".staging-0123456789ab"
    (staging / "/".join("x" * 100)).mkdir(parents=True)
    age(staging, 2 * 3600)
    reason = "something in them was not written by retain"
    assert staying(cleaned(outputs)) == {("unfinished files", reason): 1}

    def rmtree(_):
        raise RecursionError

    monkeypatch.setattr(shutil, "rmtree", rmtree)
    with pytest.raises(RetainError, match=f"File name too long .*{TRASH}"):
        cleaned(outputs, remove=True)
    assert not (outputs / "models" / "svc-00000001").exists()


def test_a_damaged_record_stays(outputs, add_run):
    for number, text in enumerate(("{", "[]", "null", '{"schema": 1, "id": [], "config": 0}')):
        (add_run(f"svc-0000000{number}", "failed") / "record.json").write_text(text)
    assert cleaned(outputs).going == ()


# A comparison of two studies locks a folder that holds nothing else yet, maybe for minutes.
def test_nothing_goes_while_the_first_comparison_of_two_studies_is_made(outputs, add_run):
    add_run("svc-00000001", "failed")
    (outputs / "models+other").mkdir()
    with try_lock(outputs / "models+other" / ".lock"):
        assert cleaned(outputs).busy == "another command is at models+other"
        with pytest.raises(RetainError, match="another command is at models"):
            cleaned(outputs, remove=True)


def test_results_that_cannot_be_read_in_a_folder_of_any_name_may_name_any_run(
    outputs, add_run, add_verdict
):
    add_run("svc-00000001", "failed")
    add_verdict("renamed")
    (outputs / "renamed" / "verdict" / "verdict.json").write_text("{")
    assert cleaned(outputs).going == ()


def test_a_study_that_comes_while_it_waits_for_the_locks_ends_it(
    outputs, add_run, add_verdict, monkeypatch
):
    add_run("svc-00000001", "failed")
    lock = cleaning.try_lock

    def add_and_lock(path):
        add_verdict("models+other")
        return lock(path)

    monkeypatch.setattr(cleaning, "try_lock", add_and_lock)
    with pytest.raises(RetainError, match="something was added to the folder; nothing was removed"):
        cleaned(outputs, remove=True)


def test_a_table_that_an_interrupted_run_reads_as_its_data_stays(outputs, add_run):
    run = add_run("svc-00000001", "interrupted")
    (run / "folds.parquet").write_bytes(b"folds")
    (outputs / "tables").mkdir()
    (outputs / "tables" / TABLE).write_bytes(b"rows")
    config = run / ".hydra" / "config.yaml"
    config.write_text(f"data:\n  path: outputs/tables/{TABLE}\n")
    reason = ("tables of purchase logs", "a run reads one as its data")
    assert staying(cleaned(outputs))[reason] == 1
    config.unlink()
    os.mkfifo(config)
    reason = ("tables of purchase logs", "what cannot be read may name one as its data")
    assert staying(cleaned(outputs))[reason] == 1
