"""No process imports what merely lies in the folder one works in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PLANTED = ("random", "socket", "lightgbm", "catboost", "imblearn", "joblib", "cloudpickle")
SCRIPT = """
import sys
from retain.cli.run import main
if __name__ == "__main__":
    sys.exit(main())
"""
"""What an installed console command holds."""
MODEL = """
import subprocess, sys
from sklearn.dummy import DummyClassifier

class Spawning(DummyClassifier):
    # starts what a library starts for its own workers: Python, in the folder one works in
    def fit(self, X, y):
        subprocess.run([sys.executable, "-c", "import random, socket"], check=True)
        return super().fit(X, y)
"""
LINE = ("data.customers=120", "validation.folds=2", "validation.repeats=1", "-cd", "mine")


@pytest.fixture
def working(tmp_path, monkeypatch):
    """A folder to work in with modules that tell of being imported, and one beside on the path."""
    for name in PLANTED:
        (tmp_path / f"{name}.py").write_text("open('imported', 'a').write(__file__)\nraise OSError")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "retain").write_text(SCRIPT)
    (tmp_path / "bin" / "retain-compare").write_text(SCRIPT.replace("cli.run", "cli.compare"))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "spawning_model.py").write_text(MODEL)
    (tmp_path / "mine" / "model").mkdir(parents=True)
    config = "name: spawning\n_target_: spawning_model.Spawning\n"
    (tmp_path / "mine" / "model" / "spawning.yaml").write_text(config)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    monkeypatch.setenv("PYTHONPATH", "own", prepend=os.pathsep)
    monkeypatch.setenv("RETAIN_TRUST", "spawning_model")


def called(*command):
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert not Path("imported").exists(), Path("imported").read_text()
    return done


def test_neither_a_sweep_nor_a_comparison_imports_from_the_working_folder(working):
    done = called("bin/retain", *LINE, "-m", "model=spawning,dummy")
    assert done.returncode == 0, done.stderr
    assert "2 done" in done.stdout
    done = called(
        "bin/retain-compare", "study=adhoc", "explain=none", "campaign=none", "resamples=100"
    )
    assert done.returncode == 0, done.stderr


# Python itself puts the folder on the path then; with one run there is no worker.
@pytest.mark.parametrize("more", [(), ("-m", "seed=0,1")], ids=["one", "several"])
def test_the_module_called_as_a_command_does_not_either(working, more):
    done = called("-m", "retain", *LINE, "model=spawning", *more)
    assert done.returncode == 0, done.stderr


ENGINES = {"submitit": "submitit_local", "ray": "ray"}


@pytest.mark.parametrize("package", ENGINES)
def test_an_engines_processes_import_nothing_from_the_working_folder(working, optional, package):
    optional(package)
    launcher = f"hydra/launcher={ENGINES[package]}"
    done = called("-m", "retain", *LINE, "-m", "model=spawning", "seed=0,1", launcher)
    assert done.returncode == 0, done.stderr
    assert "2 done" in done.stdout


# Who works in a folder of packages of his own says so, and nothing is taken from him.
def test_what_the_user_put_on_the_path_stays_there(working, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "", prepend=os.pathsep)
    done = subprocess.run(
        [sys.executable, "-m", "retain", *LINE, "model=dummy"], capture_output=True, check=False
    )
    assert done.returncode != 0
    assert Path("imported").exists()
