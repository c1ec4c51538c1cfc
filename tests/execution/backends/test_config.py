"""Which engine a line chooses, and what is refused before any fit."""

import builtins
import re
import sys

import pytest
from hydra.core.config_store import ConfigStore

from retain.cli.compose import Composer
from retain.cli.launcher import choose_backend
from retain.cli.overrides import Arguments, Groups
from retain.execution.backends.config import BACKENDS
from retain.storage.paths import conf_dir

NAMES = Groups.among([conf_dir()]).options["hydra/launcher"]


def engine(*overrides):
    with Composer(Arguments(overrides), "run") as composer:
        (run,) = composer.runs()
    return choose_backend(run)


@pytest.mark.parametrize("name", NAMES)
def test_every_launcher_of_ours_composes_and_is_an_engine(name):
    assert isinstance(engine(f"hydra/launcher={name}"), BACKENDS[name])


def test_the_engine_is_no_part_of_a_runs_identity():
    ids = set()
    for name in NAMES:
        with Composer(Arguments((f"hydra/launcher={name}",)), "run") as composer:
            ids |= {run.id for run in composer.runs()}
    assert len(ids) == 1


def test_keys_and_references_reach_the_engine():
    asked = engine(
        "threads=2",
        "hydra/launcher=submitit_slurm",
        "hydra.launcher.jobs=${threads}",
        "hydra.launcher.mem_gb=4",
        "hydra.launcher.setup=[module load gcc]",
        "+hydra.launcher.parameters.nice=100",
    )
    assert (asked.jobs, asked.mem_gb, asked.setup) == (2, 4.0, ("module load gcc",))
    assert asked.parameters == {"nice": 100}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["hydra/launcher=slurm"], "is not one of basic, ray, .* Did you mean 'submitit_slurm'?"),
        (["hydra/launcher=joblib"], "'joblib' is not one of basic, ray, submitit_local, submitit_"),
        (["hydra/launcher=ray,basic"], "'hydra/launcher=ray,basic' sweeps a setting of Hydra"),
        (
            ["hydra/launcher=submitit_local", "hydra.launcher.workers=2"],
            "'workers' is .*_per_job'?",
        ),
        (["hydra/launcher=ray", "~hydra.launcher.wait_min"], "key 'wait_min' is missing"),
        (["hydra/launcher=ray", "hydra.launcher.wait_min=0"], "wait_min is 0; expected greater"),
        (["hydra/launcher=submitit_local", "hydra.launcher.jobs=x"], "jobs is 'x'; expected int"),
        (["hydra.launcher.n_jobs=2"], "hydra.launcher: key 'n_jobs' is unknown"),
        (
            ["hydra.launcher._target_=my.Launcher"],
            "'my.Launcher', which is not a launcher of retain",
        ),
    ],
)
def test_what_no_engine_can_do_is_refused(retain, tiny, words, message):
    code, output = retain(*tiny, *words, "-m", "model=dummy,tree")
    assert code == 2
    assert re.search(message, output), output


# Hydra would hold our file against a plugin's types, and fail.
@pytest.mark.parametrize("name", ["ray", "submitit_local", "submitit_slurm"])
def test_ours_wins_over_an_installed_plugins_launcher_of_the_same_name(name):
    node = {"_target_": "hydra_plugins.Launcher", "timeout_min": 1}
    ConfigStore.instance().store(group="hydra/launcher", name=name, node=node)
    assert isinstance(engine(f"hydra/launcher={name}"), BACKENDS[name])


def test_a_launcher_of_ones_own_starts_from_ours(retain, tiny, here):
    folder = here / "mine" / "hydra" / "launcher"
    folder.mkdir(parents=True)
    text = "defaults: [submitit_slurm, _self_]\njobs: 3\npartition: short\n"
    (folder / "our_cluster.yaml").write_text(text)
    code, output = retain("-cd", "mine", *tiny, "hydra/launcher=our_cluster", "dry_run=true")
    assert code == 0, output


@pytest.mark.parametrize(
    ("name", "package", "extra"), [("ray", "ray", "ray"), ("submitit_local", "submitit", "slurm")]
)
def test_a_missing_package_says_what_to_type(retain, tiny, monkeypatch, name, package, extra):
    real = builtins.__import__

    def lacking(wanted, *rest):
        if wanted.split(".")[0] == package:
            raise ImportError(wanted)
        return real(wanted, *rest)

    monkeypatch.delitem(sys.modules, package, raising=False)
    monkeypatch.setattr(builtins, "__import__", lacking)
    code, output = retain(*tiny, "model=dummy", f"hydra/launcher={name}")
    assert code == 2
    assert output.splitlines()[-1].endswith(f"not installed; type: pip install 'retain[{extra}]'")


def test_slurm_without_slurm_says_what_to_type(retain, tiny, optional, monkeypatch):
    optional("submitit")
    monkeypatch.setenv("PATH", "")
    code, output = retain(*tiny, "model=dummy", "hydra/launcher=submitit_slurm")
    assert code == 2
    assert "there is no SLURM on this machine: sbatch is not found" in output


def test_a_dry_run_asks_for_no_package(retain, tiny):
    code, _ = retain(*tiny, "model=dummy", "hydra/launcher=submitit_slurm", "dry_run=true")
    assert code == 0
