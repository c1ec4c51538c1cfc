"""``retain-clean`` called as a user calls it, and that all other commands say the same after it."""

import json
import re
import shutil
from importlib import import_module
from pathlib import Path

import pytest

from retain.cli.clean import clean
from retain.cli.run import run_command

TINY = ("data.customers=150", "validation.folds=2", "validation.repeats=1")
TOO_SLOW = ("model=random_forest", "model.n_estimators=100000", "limits.seconds=0.2")
"""A run that no machine ends before its limit."""
CHANGING = ("accessed_at", "sha256", "files")
"""Keys of documents with times, and hashes of files that have times in them."""
TIME = re.compile(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d[\d:.+]*")


def called(command, *words):
    do = clean if command == "clean" else getattr(import_module(f"retain.cli.{command}"), command)
    return run_command(do, words, command)


@pytest.fixture
def failed(here, make_record):
    """An outputs folder with a failed run, whose reason has codes that a terminal would obey."""
    from retain.record.directory import RunDirectory

    run = RunDirectory(here / "outputs" / "models" / "svc-0123abcd")
    run.reopen()
    run.lock.touch()
    record = make_record(state="failed", reason="\x1b[2J" + "x" * 10**6)
    run.finish(record.model_copy(update={"metrics": {}}))
    return run.path


def test_a_list_says_what_why_how_much_and_what_to_type(failed, capsys):
    assert called("clean", "outputs", "older_than=0", "cached=false") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "failed failed runs no result names them; a sweep does them 1 1.0 MB again" in said
    assert said.endswith(
        "1 can go, 1.0 MB. To remove them: retain-clean outputs older_than=0 cached=false --yes"
    )
    assert "\x1b" not in said
    assert "xxx" not in said
    assert failed.is_dir()


def test_yes_removes_what_was_listed(failed, capsys):
    assert called("clean", "outputs", "older_than=0", "--yes") == 0
    assert "1 removed, 1.0 MB." in capsys.readouterr().out
    assert not failed.exists()


def test_what_is_new_stays_and_the_key_is_named(failed, capsys):
    assert called("clean", "outputs", "--yes") == 0
    said = capsys.readouterr().out
    assert "1  failed runs: they changed later than older_than=1 days ago" in said
    assert "0 removed, 0 bytes." in said
    assert failed.is_dir()


def test_as_json_it_is_one_document(failed, capsys):
    assert called("clean", "outputs", "older_than=0", "--json") == 0
    (part,) = json.loads(capsys.readouterr().out)["going"]
    assert part["paths"] == ["models/svc-0123abcd"]


def test_quiet_prints_nothing_and_ci_gets_its_files(failed, here, capsys):
    words = ("outputs", "older_than=0", "-q", "--markdown", "out.md", "--junit", "out.xml")
    assert called("clean", *words) == 0
    assert capsys.readouterr().out == ""
    assert "| failed runs | no result names them" in (here / "out.md").read_text("utf-8")
    assert 'name="retain-clean"' in (here / "out.xml").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no folder is named; type retain-clean FOLDER"),
        (("nowhere",), "dir: 'nowhere' is no folder"),
        (("outputs", "more"), "two folders are named; expected one"),
        (("outputs", "--no"), "flag '--no' is unknown"),
        (("outputs", "older_than=-1"), "older_than"),
        (("outputs", "older=1"), "Did you mean 'older_than'"),
    ],
)
def test_a_wrong_line_says_what_to_type(failed, capsys, words, message):
    assert called("clean", *words) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_no_other_command_has_the_flag(here, capsys):
    assert called("verify", "outputs", "--yes") == 2
    assert "flag '--yes' is unknown" in capsys.readouterr().err


def add_junk(study):
    """Leave what months leave: runs that failed, were interrupted, and were done with old code."""
    assert called("run", "-m", f"study.name={study.name}", *TOO_SLOW, "model.max_depth=2", *TINY)
    (done,) = study.glob("logreg-*")
    (done / "folds.parquet").write_bytes(b"folds")
    (done / ".unfinished-0123456789ab").write_bytes(b"half")
    for id_ in ("0000000a", "0000000b"):
        shutil.copytree(done, study / f"logreg-{id_}")
    (study / "logreg-0000000a" / "record.json").unlink()
    (study / "logreg-0000000a" / "folds.parquet").unlink()
    path = study / "logreg-0000000b" / "record.json"
    tree = json.loads(path.read_text(encoding="utf-8"))
    tree["environment"]["code_sha256"] = "0" * 64
    tree |= {"id": "0000000b", "finished_at": "2020-01-01T00:00:00+00:00"}
    path.write_text(json.dumps(tree), encoding="utf-8")


def said_of(campaign, capsys):
    """What every command says of the study, which some of them write to."""
    study, said = campaign.parents[1], {}
    capsys.readouterr()
    lines = {
        "dry run": ("run", "-m", "model=logreg,tree,knn", "study.name=x", "dry_run=true", *TINY),
        "verify": ("verify", str(study)),
        "score": ("score", f"verdict={study / 'verdict'}", "data.customers=90", "data.seed=5"),
        "readout": (
            *("readout", f"campaign={campaign}", "resamples=200"),
            f"outcomes={study / 'simulated' / campaign.name / 'outcomes.csv'}",
        ),
        "compare": (
            *("compare", "study=x", "explain=none", "resamples=100", "workers=1"),
            *("campaign.replace=true",),
        ),
    }
    for name, words in lines.items():
        code = called(*words, "--json")
        output = capsys.readouterr()
        assert output.out, (words, output.err)
        said[name] = code, without_times(json.loads(output.out))
    return said


def read_site():
    """The pages of the dashboard without times."""
    assert called("dashboard", "outputs", "export=site") == 0
    return {
        path.name: TIME.sub("", path.read_text(encoding="utf-8")) for path in Path("site").iterdir()
    }


def without_times(tree):
    if isinstance(tree, dict):
        return {key: without_times(one) for key, one in tree.items() if key not in CHANGING}
    return [without_times(one) for one in tree] if isinstance(tree, list) else tree


# What complete runs, a verdict, its campaign, scores and readout rest on has to be there after it,
# to the last digit; the sweep has to find done what was done.
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_command_says_after_it_what_it_said_before(here, capsys, fork_server, monkeypatch):
    sweep = ("run", "-m", "study.name=x", "workers=2", *TINY)
    assert called(*sweep, "model=logreg,tree") == 0
    assert called(*sweep, *TOO_SLOW) == 1
    assert called("compare", "study=x", "explain=none", "resamples=100", "workers=1") == 0
    (campaign,) = Path("outputs", "x", "campaigns").iterdir()
    assert called("simulate", f"campaign={campaign}") == 0
    shutil.copytree("outputs", here / "untouched" / "outputs")
    add_junk(Path("outputs", "x"))
    capsys.readouterr()
    assert called("clean", "outputs", "older_than=0", "--yes", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {part["name"]: len(part["paths"]) for part in found["going"]} == {
        "failed runs": 1,
        "interrupted runs": 1,
        "runs of other code": 1,
        "folds of runs that are done": 1,
    }
    names = {(one["name"], one["reason"]) for one in found["staying"]}
    assert ("failed runs", "a result names them") in names
    # as a kill would leave it
    shutil.copytree(
        next(Path("outputs", "x").glob("tree-*")), "outputs/.retain-trash/0123456789ab/0"
    )
    after, pages = said_of(campaign, capsys), read_site()
    monkeypatch.chdir(here / "untouched")
    assert after == said_of(campaign, capsys)
    assert pages == read_site()
