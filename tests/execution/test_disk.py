"""Folders that are full or cannot be written: told in one sentence, and nothing half-written."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retain.cli.compare import compare
from retain.cli.run import run, run_command
from retain.errors import RetainError
from retain.execution.shared_memory import launch_dir, share
from retain.learning.fold_data import FoldData, PreparedFoldCache

SWEEP = ("-m", "model=logreg,tree,dummy", "sampler=none,random_over", "workers=2")
ALONE = ("model=logreg",)
REMEDY = "Free some space there, and the same line continues with what is missing."
NEEDED = os.environ.get("RETAIN_REQUIRE_MOUNT") == "1"


@pytest.fixture
def mounted(tmp_path):
    """A small file system of its own at a folder; gives it other options where it is there."""
    folders = []

    def mount(name, options):
        folder = tmp_path / name
        words = ["remount", options] if folder in folders else [options]
        folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", ",".join(words), "tmpfs", str(folder)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            if NEEDED:
                raise
            pytest.skip(f"file systems cannot be mounted here: {error}")
        if folder not in folders:
            folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607


def finished(folder):
    """How many runs are done; each of them is whole."""
    count = 0
    for path in Path(folder).glob("*/*/record.json"):
        assert json.loads(path.read_text())["state"] == "done"
        assert len(pd.read_parquet(path.with_name("scores.parquet")))
        count += 1
    return count


def left_free(mounted, pages):
    """A full disk but for so many pages of 4 KiB."""
    folder = mounted("full", f"size={4 * (pages + 40)}k")
    (folder / "ballast").write_bytes(bytes(40 * 4096))
    return folder


def is_one_sentence(output):
    """Return whether a failure is explained in one sentence with its remedy."""
    first = "full/adhoc cannot be written: No space left on device"
    return output.startswith(first) and output.endswith(f". {REMEDY}\n") and output.count("\n") == 1


# With each page more, it is another file of the run that does not fit any more. What is left
# behind in one state is gone on with as what is left in another with the same files.
def test_a_run_that_meets_a_full_disk_anywhere_says_so_and_continues(retain, tiny, mounted):
    reached = set()
    for pages in range(16):
        folder = left_free(mounted, pages)
        code, output = retain(*tiny, *ALONE, "outputs=full")
        if code == 0:
            break
        assert code == 2
        assert is_one_sentence(output.splitlines(keepends=True)[-1]), output
        assert "Traceback" not in output
        assert not list(folder.rglob(".unfinished-*"))
        state = tuple(sorted(p.name for p in folder.rglob("*") if p.is_file()))
        if state not in reached:
            reached.add(state)
            mounted("full", "size=4m")
            code, output = retain(*tiny, *ALONE, "outputs=full")
            assert code == 0, output
            assert finished(folder) == 1
        shutil.rmtree(folder / "adhoc", ignore_errors=True)
    assert len(reached) >= 5, reached
    assert pages > 5


@pytest.mark.parametrize("pages", [14, 28])
def test_a_sweep_that_meets_a_full_disk_says_so_and_continues(retain, tiny, mounted, pages):
    full = left_free(mounted, pages)
    code, output = retain(*tiny, *SWEEP, "outputs=full")
    assert code == 2, output
    assert is_one_sentence(output.splitlines(keepends=True)[-1]), output
    assert "Traceback" not in output
    before = finished(full)
    assert before < 6
    mounted("full", "size=4m")
    code, output = retain(*tiny, *SWEEP, "outputs=full")
    assert code == 0, output
    assert finished(full) == 6
    assert f"{before} done before and skipped" in output
    assert not list(full.rglob(".unfinished-*"))


def test_a_full_temporary_folder_is_named_while_customers_are_made(launch, here, tiny, mounted):
    folder = mounted("small", "size=40k")
    words = (*tiny, "data.customers=4000", "model=dummy")
    process = launch(*words, TMPDIR=str(folder))
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert err.startswith(f"{folder}/retain-demo-")
    assert "cannot be written: No space left on device. Free some space there" in err
    assert err.count("\n") == 1
    assert not list(folder.glob("retain-*"))


def test_a_full_temporary_folder_is_named_when_customers_are_handed_over(mounted):
    folder = mounted("small", "size=40k")
    with pytest.raises(RetainError, match=r"small cannot be written: No space left on device\."):
        share(np.ones(10_000), folder / "customers")


def test_a_temporary_folder_that_cannot_be_written_is_named(mounted, monkeypatch):
    folder = mounted("still", "ro,size=1m")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    refused = r"still cannot be written: Read-only.*name another folder: export TMPDIR=FOLDER\."
    with pytest.raises(RetainError, match=refused), launch_dir():
        pass


# NumPy writing to a file itself does not notice when the last page finds no room.
@pytest.mark.parametrize("pages", range(3, 12))
def test_rows_that_find_no_room_are_never_met_by_halves(mounted, pages):
    folder = mounted("small", f"size={4 * pages}k")
    for count in range(8, 4200, 61):
        rows = FoldData(np.ones(count), np.ones(1), np.ones(1))
        PreparedFoldCache(folder, 10**6).load("some", lambda rows=rows: rows)
        found = PreparedFoldCache(folder, 10**6).load("some", lambda rows=rows: rows)
        np.testing.assert_array_equal(found.train, rows.train)
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_prepared_rows_that_find_no_room_cost_the_sharing_only(retain, tiny, mounted, monkeypatch):
    line = (*tiny, "data.customers=300", *SWEEP)
    code, output = retain(*line, "outputs=shared")
    assert code == 0, output
    folder = mounted("small", "size=120k")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    code, output = retain(*line, "outputs=not_shared")
    assert code == 0, output
    shared, not_shared = (
        {path.parent.name: path.read_bytes() for path in Path(name).rglob("scores.parquet")}
        for name in ("shared", "not_shared")
    )
    assert shared == not_shared
    assert len(shared) == 6


@pytest.mark.parametrize("line", [SWEEP, ALONE], ids=["sweep", "alone"])
def test_outputs_on_a_read_only_disk_are_refused_before_anything_is_fitted(
    retain, tiny, mounted, line
):
    mounted("still", "ro,size=1m")
    code, output = retain(*tiny, *line, "outputs=still")
    assert code == 2
    assert output.endswith(
        "\nstill/adhoc cannot be written: Read-only file system. "
        "Make it writable, or name another folder: outputs=FOLDER.\n"
    )
    assert "ROC-AUC" not in output
    assert "status.json" not in output


def test_a_finished_study_on_a_read_only_disk_is_finished(retain, tiny, mounted):
    mounted("still", "size=1m")
    line = (*tiny, "-m", "model=tree,dummy", "outputs=still")
    code, output = retain(*line)
    assert code == 0, output
    mounted("still", "ro,size=1m")
    code, output = retain(*line)
    assert code == 0, output
    assert "0 done, 0 failed, 0 not applicable, 2 done before and skipped" in output
    assert "cannot be written" not in output
    code, output = retain(*line, "dry_run=true")
    assert code == 0, output
    assert output.count(" done ") == 2


@pytest.fixture(scope="module")
def compared(tmp_path_factory, tiny, without_charts, fork_server):
    """The outputs of a study with a verdict, which nobody may change."""
    folder = tmp_path_factory.mktemp("compared")
    words = ("study=adhoc", "outputs=own", "resamples=100", "explain=none", "campaign=default")
    with contextlib.chdir(folder), without_charts():
        assert run_command(run, [*tiny, "-m", "model=logreg,tree", "outputs=own"], "run") == 0
        assert run_command(compare, words, "compare") == 0
    return folder / "own"


@pytest.fixture
def older_verdict(here, compared, mounted):
    """A study on a disk of its own with a verdict; what is there by its bytes."""
    mounted("own", "size=8m")
    shutil.copytree(compared, "own", dirs_exist_ok=True)
    return {path: path.read_bytes() for path in Path("own").rglob("*") if path.is_file()}


def beside(older):
    """Files that were not there, and files that are gone or have changed, but for the ledger."""
    now = {path: path.read_bytes() for path in Path("own").rglob("*") if path.is_file()}
    return {
        path
        for path in older.keys() | now.keys()
        if older.get(path) != now.get(path) and path.name != "ledger.jsonl"
    }


@pytest.mark.parametrize("free", [0, 20, 100, 200], ids="{} kB free".format)
def test_a_comparison_that_meets_a_full_disk_leaves_the_older_verdict_whole(
    older_verdict, retain_compare, mounted, free
):
    used = sum(-(-len(content) // 4096) * 4 for content in older_verdict.values())
    mounted("own", f"size={used + free + 100}k")
    words = ("study=adhoc", "outputs=own", "resamples=100", "campaign.seed=1")
    filler = Path("own", "filler")
    filler.write_bytes(bytes(max(0, shutil.disk_usage("own").free - free * 1024)))
    code, output = retain_compare(*words, "campaign.replace=true")
    filler.unlink()
    assert code == 2
    assert "No space left on device" in output
    assert "Traceback" not in output
    assert beside(older_verdict) == set()
    mounted("own", "size=20m")
    code, output = retain_compare(*words, "campaign.replace=true")
    assert code == 0, output


def test_a_comparison_on_a_read_only_disk_is_refused_in_a_sentence(
    older_verdict, retain_compare, mounted
):
    mounted("own", "ro,size=8m")
    code, output = retain_compare("study=adhoc", "outputs=own", "resamples=100")
    assert code == 2
    assert "own/adhoc cannot be written: Read-only file system" in output
    assert beside(older_verdict) == set()


# Where nothing can be mounted, so that it is tested everywhere: nobody writes below a file.
def test_outputs_below_a_file_are_refused_before_anything_is_fitted(retain, here, tiny):
    (here / "file").write_text("")
    code, output = retain(*tiny, "model=tree", "outputs=file/below")
    assert code == 2
    assert "file/below/adhoc cannot be written: Not a directory" in output
    assert "outputs=FOLDER" in output
    assert "ROC-AUC" not in output
