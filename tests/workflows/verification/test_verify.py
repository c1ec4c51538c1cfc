"""Verdicts, campaigns and readouts as written agree; what was changed is named."""

import contextlib
import json
import random
import shutil
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from retain.cli.run import run_command
from retain.cli.verify import verify as verify_command
from retain.errors import RetainError
from retain.record.study import StudyDirectory
from retain.workflows.verification.verify import verify

PATH = Path(__file__).resolve().parents[3] / "experiments" / "fuzz" / "verification.py"
SPEC = spec_from_file_location("fuzz_of_verification", PATH)
fuzz = module_from_spec(SPEC)
sys.modules[SPEC.name] = fuzz  # dataclasses look their module up
SPEC.loader.exec_module(fuzz)
CHANCE = random.Random(1)  # noqa: S311 - no secret


@pytest.fixture(scope="module")
def made(tmp_path_factory, fork_server):
    """A study whose verdict has all parts, which nobody may change."""
    sweep = ("model=logreg,tree", "data.customers=160", "validation.repeats=1")
    (study,) = fuzz.make_studies(tmp_path_factory.mktemp("verified"), [sweep])
    fuzz.prepare(study)
    return study


@pytest.fixture
def study(made, tmp_path):
    """A copy of it elsewhere, without the data."""
    shutil.copytree(made.path, tmp_path / "copied")
    return StudyDirectory(tmp_path / "copied")


def test_what_is_as_written_agrees_also_in_a_copy_of_another_name(study):
    found = verify(study.path)
    assert found.disagreement is None
    names = " · ".join(part.name for part in found.verified)
    for part in ("verdict.json by the records", "leaderboard.csv", "report.html", "totals of camp"):
        assert part in names
    assert sum(part.n_checked for part in found.verified) > 5_000
    reasons = {part.name: part.reason for part in found.not_verified}
    assert reasons["explanations"] == "they need new fits"
    assert verify(study.verdict).agrees


def test_nothing_is_written(study):
    before = {path: path.stat().st_mtime_ns for path in study.path.rglob("*")}
    verify(study.path)
    assert {path: path.stat().st_mtime_ns for path in study.path.rglob("*")} == before


def test_a_campaign_that_was_copied_out_is_verified_alone(made, tmp_path):
    (id_,) = made.campaign_ids
    shutil.copytree(made.campaign(id_).path, tmp_path / id_)
    assert {part.name for part in verify(tmp_path / id_).verified} == {
        f"files of campaign {id_}",
        f"files of the readout of campaign {id_}",
        f"totals of campaign {id_}",
        f"effects.csv of campaign {id_} by readout.json",
    }


def test_any_byte_that_was_changed_is_found(made):
    counts = fuzz.change_bytes(made, 60, CHANCE)
    assert counts.found == counts.trials == 60


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_number_that_was_changed_is_found_though_all_hashes_fit(made):
    counts = fuzz.change_numbers(made, len(fuzz.CHANGES), CHANCE)
    assert counts.found == counts.trials == len(fuzz.CHANGES)


def test_the_first_thing_that_does_not_agree_is_named(study):
    leaderboard = study.leaderboard.read_text(encoding="utf-8")
    study.leaderboard.write_text(leaderboard + "\n", encoding="utf-8")
    said = verify(study.path).disagreement
    assert said == f"{study.leaderboard} was changed: it is not the file that manifest.json has."


def test_a_number_is_named_with_its_place_and_what_it_should_be(study):
    tree = json.loads(study.verdict_json.read_text(encoding="utf-8"))
    right = tree["leaderboard"][1]["roc_auc"]
    tree["leaderboard"][1]["roc_auc"] = 0.75
    fuzz.write(study.verdict_json, tree)
    fuzz.hash_anew(study, draw=False)
    said = verify(study.path).disagreement
    assert f"leaderboard[1].roc_auc is 0.75, recomputed it is {right}" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"accesses": []}, "sealed_test has no access of the winner"),
        ({"n_customers": 9_999}, "n_customers is 9999, and split.n_sealed_test"),
    ],
)
def test_a_sealed_test_that_its_folder_contradicts_is_named(study, change, said):
    tree = json.loads(study.verdict_json.read_text(encoding="utf-8"))
    tree["sealed_test"] |= change
    fuzz.write(study.verdict_json, tree)
    fuzz.hash_anew(study, draw=False)
    assert said in verify(study.path).disagreement


def test_what_no_record_has_is_listed(study):
    listed = [part.name for part in verify(study.path).not_verified]
    assert "commands, settings, runs left out and counts of unfinished runs" in listed


def leaves_of(node, keys=()):
    """All values of a document, each by its keys."""
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from leaves_of(value, (*keys, key))
    elif node is not None:
        yield keys


def change_leaf(tree, keys):
    *above, last = keys
    for key in above:
        tree = tree[key]
    value = tree[last]
    if isinstance(value, str):
        tree[last] = f"{value}x"
    else:
        tree[last] = not value if isinstance(value, bool) else value + 1


def listed_keys(found):
    return {key for part in found.not_verified for key in part.keys}


def is_listed(keys, listed):
    return any(".".join(map(str, keys[:n])) in listed for n in range(1, len(keys) + 1))


REMADE = ("files", "campaign_sha256")
"""Hashes, which are made anew with the others."""


# A value that is neither found when it changes nor listed would be believed in silence.
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_value_of_a_verdict_is_verified_or_listed(study, monkeypatch):
    # who changes a value can have the page made anew
    monkeypatch.setattr("retain.workflows.verification.verify.check_page", lambda *_: 0)
    listed = listed_keys(verify(study.path))
    text = study.verdict_json.read_text(encoding="utf-8")
    alike = {}
    for keys in leaves_of(json.loads(text)):
        if keys[0] not in REMADE and not is_listed(keys, listed):
            named = tuple("*" if isinstance(key, int) else key for key in keys)
            alike.setdefault(named[:3], []).append(keys)
    assert len(alike) > 100
    believed = []
    for several in alike.values():
        keys = CHANCE.choice(several)
        tree = json.loads(text)
        change_leaf(tree, keys)
        fuzz.write(study.verdict_json, tree)
        try:
            fuzz.hash_anew(study, draw=False)
            if not fuzz.is_found(study):
                believed.append(keys)
        except RetainError:
            pass  # no document of retain any more
        study.verdict_json.write_text(text, encoding="utf-8")
    assert believed == []


def test_values_of_campaigns_and_readouts_are_listed(study):
    (id_,) = study.campaign_ids
    campaign = study.campaign(id_)
    listed = listed_keys(verify(campaign.path))
    for path, whole in (
        (campaign.campaign_json, {"id", "schema", "files"}),
        (campaign.readout.readout, {"schema", "campaign_id", "campaign_sha256"}),
    ):
        assert json.loads(path.read_text(encoding="utf-8")).keys() - whole <= listed


def test_a_folder_without_a_verdict_says_what_to_type(study, tmp_path):
    with pytest.raises(RetainError, match=rf"type a study of it: retain-verify {study.path}"):
        verify(tmp_path)
    shutil.copytree(study.verdict, tmp_path / "alone")
    with pytest.raises(RetainError, match="is a verdict without its study; expected the folder of"):
        verify(tmp_path / "alone")


def test_files_that_were_removed_or_added_are_named(study):
    (study.verdict / "extra.html").write_text("so much better")
    assert "extra.html was added to the verdict later" in verify(study.path).disagreement
    (study.verdict / "extra.html").unlink()
    (study.verdict / "extra").mkdir()
    (study.verdict / "extra" / "manifest.json").write_text("{}")
    assert "extra/manifest.json was added" in verify(study.path).disagreement
    shutil.rmtree(study.verdict / "extra")
    study.segments.unlink()
    assert "segments.csv is missing; manifest.json has it" in verify(study.path).disagreement
    (study.verdict / "manifest.json").unlink()
    assert "manifest.json is missing" in verify(study.path).disagreement


def test_a_readout_without_its_document_is_named(study):
    (id_,) = study.campaign_ids
    study.campaign(id_).readout.readout.unlink()
    assert "readout.json is missing" in verify(study.path).disagreement


def test_outcomes_may_lie_in_the_folder_of_a_campaign(study):
    (id_,) = study.campaign_ids
    outcomes = study.campaign(id_).path / "outcomes.csv"
    outcomes.write_text("customer_id,declined\n")
    found = verify(study.path)
    assert found.agrees
    assert str(outcomes) in {part.name for part in found.not_verified}


def test_a_run_that_was_done_again_or_removed_is_named(study):
    run = next(study.runs())
    text = run.record.read_text(encoding="utf-8")
    run.record.write_text(text.replace('"seconds"', '"seconds" ', 1), encoding="utf-8")
    assert (
        f"{run.record} is not the file manifest.json speaks of" in verify(study.path).disagreement
    )
    shutil.rmtree(run.path)
    assert "record.json" in verify(study.path).disagreement


@pytest.mark.skipif(not hasattr(Path, "hardlink_to"), reason="the system has no links")
def test_a_link_in_place_of_a_file_is_no_file(study, tmp_path):
    content = study.segments.read_bytes()
    (tmp_path / "elsewhere").write_bytes(content)
    study.segments.unlink()
    study.segments.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RetainError, match="leads out of"):
        verify(study.path)


def test_a_manifest_reads_nothing_outside_its_folder(study, tmp_path):
    manifest = study.verdict / "manifest.json"
    tree = json.loads(manifest.read_text(encoding="utf-8"))
    tree["files"] = {"../../secret": next(iter(tree["files"].values()))}
    (tmp_path / "secret").write_text("secret")
    manifest.write_text(json.dumps(tree, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    with pytest.raises(RetainError, match="leads out of"):
        verify(study.path)


def test_the_command_ends_with_0_1_or_2(study, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    xml = ("--junit", "found.xml", "--markdown", "found.md")
    assert run_command(verify_command, ["copied", *xml], "verify") == 0
    assert "agree." in capsys.readouterr().out
    assert 'skipped message="they need new fits"' in Path("found.xml").read_text()
    study.report.write_text("nothing")
    assert run_command(verify_command, ["copied", "--json", *xml], "verify") == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["agrees"]
    assert "report.html was changed" in told["disagreement"]
    assert "report.html was changed" in Path("found.md").read_text()
    assert run_command(verify_command, ["nowhere"], "verify") == 2
    assert run_command(verify_command, [], "verify") == 2
    assert run_command(verify_command, ["copied", "dir=copied"], "verify") == 2
    said = capsys.readouterr().err.splitlines()
    assert "nowhere has no verdict and no campaigns" in said[0]
    assert said[1:] == [
        "no folder is named; type retain-verify FOLDER.",
        "two folders are named; expected one.",
    ]


def test_a_verdict_over_several_studies_finds_their_runs_beside_it(tmp_path, fork_server):
    sweeps = [
        ("model=logreg", "data.customers=120", "validation.repeats=1"),
        ("model=tree", "data.customers=120", "validation.repeats=1"),
    ]
    one, other = fuzz.make_studies(tmp_path, sweeps)
    words = (f"study=[{one.path.name},{other.path.name}]", "sealed_test=closed", "workers=1")
    fuzz.call("compare", *words, folder=tmp_path)
    both = one.path.with_name(f"{one.path.name}+{other.path.name}")
    assert verify(both).agrees
    (run,) = other.runs()
    with contextlib.chdir(run.path):
        Path("scores.parquet").write_bytes(b"nothing")
    assert not verify(both).agrees
    shutil.rmtree(other.path)
    with pytest.raises(RetainError, match=r"is the verdict of several studies, .* is not there"):
        verify(both)
