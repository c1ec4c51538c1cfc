"""The runs of a sweep as jobs: submitit's local executor, and SLURM as far as it can be feigned."""

import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from retain.cli.compose import Composer
from retain.cli.overrides import Arguments
from retain.errors import RetainError
from retain.execution.backends.remote import RemoteBatch, enter_launch_dir, to_remote
from retain.execution.dataset import preflight
from retain.execution.plan import plan_runs

JOBS = "hydra/launcher=submitit_local"
NO_CATEGORY = tuple(f"features.{g}=false" for g in ("communication", "product", "purchase"))


@pytest.fixture
def submitit(optional, monkeypatch):
    """The package; where a job died, it waits for a slow file system no longer than it must."""
    package = optional("submitit")
    monkeypatch.setattr(package.core.core.Job, "_results_timeout_s", 1)
    return package


# Every way a run can end; SMOTENC has no meaning without a category feature.
ENDINGS = ("-m", "model=raises,kills,exits,tree", "sampler=none,smotenc", *NO_CATEGORY)


def test_jobs_leave_what_local_workers_leave(submitit, retain, tiny, odd_models, results):
    line = (*odd_models, *tiny, *ENDINGS)
    for outputs, where in (("here", "workers=2"), ("there", JOBS)):
        code, output = retain(*line, where, f"outputs={outputs}")
        assert code == 1
        assert "1 done, 3 failed, 4 not applicable, 0 done before" in output
    assert len(results("here")) == 8
    assert results("there") == results("here")
    assert not Path("there/adhoc/jobs").exists(), "what jobs were sent is not tidied up"
    code, output = retain(*line, "outputs=there", "model=tree", JOBS)
    assert code == 0
    assert "2 done before and skipped" in output


# The first of two runs takes its job along. The other was not at fault: it is sent again.
def test_a_job_that_dies_costs_the_run_it_was_doing(submitit, retain, tiny, odd_models, records):
    options = ("hydra.launcher.jobs=1", "hydra.launcher.runs_per_job=2")
    code, output = retain(*odd_models, *tiny, "-m", "model=fells,tree,dummy", JOBS, *options)
    assert code == 1
    assert "2 done, 1 failed" in output
    found = records("adhoc")
    assert found["fells"]["reason"].startswith("its job ")
    assert "died" in found["fells"]["reason"]
    assert "has not produced any output" in found["fells"]["traceback"]
    (left,) = Path("outputs/adhoc/jobs").iterdir()
    assert list(left.glob("*_log.err")), "the logs of a job that died tell why"
    spans = sorted(
        (found[name]["started_at"], found[name]["finished_at"]) for name in ("tree", "dummy")
    )
    assert spans[0][1] <= spans[1][0], "one job at a time was asked for"


def test_an_interrupt_cancels_the_jobs_and_the_same_line_continues(
    submitit, odd_models, tiny, records, retain, monkeypatch
):
    line = (*odd_models, *tiny, "-m", "model=tree,slow,dummy")
    command = [sys.executable, "-m", "retain", *line, JOBS, "hydra.launcher.jobs=1"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    until = time.monotonic() + 60
    while not list(Path("outputs/adhoc").glob("slow-*/run.log")) and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: every process of the group
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "The same command continues" in out
    assert "Traceback" not in err
    time.sleep(2)  # longer than the run that was met would have taken
    assert set(records("adhoc")) == {"tree"}
    assert not Path("outputs/adhoc/jobs").exists()
    monkeypatch.setenv("RETAIN_SLOW", "0.1")
    code, output = retain(*line)
    assert code == 0, output
    assert "2 done, 0 failed, 0 not applicable, 1 done before and skipped" in output


@pytest.fixture
def share(here, tiny):
    """Two runs as a job gets them."""
    with Composer(Arguments((*tiny, "model=tree,dummy"), multirun=True), "run") as composer:
        composed = composer.runs()
    planned = plan_runs(composed, preflight([one.run for one in composed]))
    planned.study.path.mkdir(parents=True)
    runs = tuple(to_remote(task) for task in planned.pending)
    return RemoteBatch(runs, 1, composed[0].run.limits, here, planned.study.path.absolute())


# SLURM queues a job again after a time limit or a lost node; what had ended is not done again.
def test_a_job_that_is_queued_again_goes_on_where_it_stopped(share):
    first, second = share.runs
    (record,) = replace(share, runs=(first,))()
    assert first.has_started
    assert not second.has_started
    assert (first.read_new_record(), second.read_new_record()) == (record, None)
    again = {one.id: one for one in share()}
    assert {one.state for one in again.values()} == {"done"}
    assert again[first.task.id] == record


def test_a_share_whose_time_is_over_is_what_is_queued_again(share, submitit):
    assert share.checkpoint().function is share


def test_a_machine_without_the_sweeps_folder_says_so(here):
    with pytest.raises(RetainError, match=r"sees no folder .*nowhere; launch the sweep from a"):
        enter_launch_dir(here, here / "nowhere")


SLURM = {
    "sbatch": """
import os, pathlib, re, subprocess, sys
text = pathlib.Path(sys.argv[-1]).read_text()
pathlib.Path(os.environ["FEIGNED"], "asked.sh").write_text(text)
found = re.search(r"--array=0-(\\d+)%\\d+", text)
for n in range(int(found.group(1)) + 1) if found else [None]:
    job = "77" if n is None else f"77_{n}"
    array = {} if n is None else {"SLURM_ARRAY_JOB_ID": "77", "SLURM_ARRAY_TASK_ID": str(n)}
    command = re.search(r"^srun .*--unbuffered.*$|^srun .*", text, re.M).group().split()
    start = next(i for i, word in enumerate(command) if word == sys.executable)
    log = open(pathlib.Path(os.environ["FEIGNED"], job + ".log"), "w")
    known = {"SLURM_JOB_ID": "77", "SUBMITIT_EXECUTOR": "slurm", **array}
    subprocess.Popen(command[start:], env={**os.environ, **known}, stdout=log, stderr=log)
print("Submitted batch job 77")
""",
    "srun": "",
    "scancel": "",
    "sacct": "print('JobID|State|NodeList')",
}
"""As much of SLURM as submitit talks to: sbatch starts every element of an array at once."""


@pytest.fixture
def slurm(here, monkeypatch):
    """Programs by the names of SLURM's, first on the path; the folder with what they were asked."""
    folder = here / "slurm"
    folder.mkdir()
    for name, program in SLURM.items():
        path = folder / name
        path.write_text(f"#!{sys.executable}\n{program}")
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FEIGNED", str(folder))
    return folder


def test_slurm_is_asked_for_one_array_and_leaves_what_local_workers_leave(
    submitit, slurm, retain, tiny, results
):
    line = (*tiny, "-m", "model=tree,dummy,logreg", "sampler=none,smote")
    asked = ("hydra.launcher.jobs=2", "hydra.launcher.mem_gb=4", "hydra.launcher.partition=short")
    code, output = retain(*line, "hydra/launcher=submitit_slurm", *asked, "outputs=there")
    assert code == 0, output
    code, output = retain(*line, "outputs=here")
    assert code == 0, output
    assert results("there") == results("here")
    script = (slurm / "asked.sh").read_text()
    for option in ("array=0-1%2", "mem=4GB", "partition=short", "time=60", "cpus-per-task=1"):
        assert f"#SBATCH --{option}\n" in script


def test_an_interrupt_cancels_the_whole_array_at_once(
    submitit, slurm, retain, tiny, monkeypatch, records
):
    def interrupted(_):
        raise KeyboardInterrupt

    (slurm / "sbatch").write_text(f"#!{sys.executable}\nprint('Submitted batch job 78')")
    tell = (
        "import os, sys\nopen(os.environ['FEIGNED'] + '/cancelled', 'a').write(sys.argv[1] + ';')"
    )
    (slurm / "scancel").write_text(f"#!{sys.executable}\n{tell}")
    # The module's own clock: the sleep of all threads must not raise in one that is left over.
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=interrupted)
    monkeypatch.setattr("retain.execution.backends.submitit.time", clock)
    code, output = retain(*tiny, "-m", "model=dummy,tree", "hydra/launcher=submitit_slurm")
    assert code == 130
    assert "The same command continues" in output
    assert (slurm / "cancelled").read_text() == "78;"
    assert records("adhoc") == {}


def test_what_sbatch_refuses_is_told_in_its_words(submitit, slurm, retain, tiny):
    (slurm / "sbatch").write_text(f"#!{sys.executable}\nimport sys\nsys.exit('no such partition')")
    code, output = retain(*tiny, "model=dummy", "hydra/launcher=submitit_slurm")
    assert code == 2
    assert output.splitlines()[-1] == "slurm takes no job: no such partition"
    assert not [path for path in Path("outputs/adhoc").iterdir() if path.is_dir()]
