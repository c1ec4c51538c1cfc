"""What another system lacks is not needed: modules, signals, process groups, a fork server."""

import ast
import os
import subprocess
import sys

import pytest

WITHOUT = """
import builtins, multiprocessing.reduction, os, signal, types

multiprocessing.reduction.HAVE_SEND_HANDLE = False  # so there is no fork server
ABSENT = {"fcntl", "resource", "pwd", "grp", "termios", "multiprocessing.forkserver"}
LACKING = {
    "os": "killpg setsid getuid geteuid getpgid sched_getaffinity statvfs fork O_NOFOLLOW "
          "O_NONBLOCK O_CLOEXEC O_DIRECTORY O_NOCTTY",
    "signal": "SIGHUP SIGPIPE SIGKILL SIGQUIT SIGALRM",
}

def less(module, names):
    found = types.ModuleType(module.__name__)
    vars(found).update({k: v for k, v in vars(module).items() if k not in names.split()})
    return found

POORER = {"os": less(os, LACKING["os"]), "signal": less(signal, LACKING["signal"])}
ordinary = builtins.__import__

def without(name, globals=None, locals=None, fromlist=(), level=0):
    if (globals or {}).get("__name__", "").partition(".")[0] != "retain":
        return ordinary(name, globals, locals, fromlist, level)
    if {name, *(f"{name}.{one}" for one in fromlist or ())} & ABSENT:
        raise ImportError(f"no {name} on this system")
    return POORER.get(name) or ordinary(name, globals, locals, fromlist, level)

builtins.__import__ = without
"""
"""Takes away from retain, not from its libraries, what Windows does not have."""
SMALL = ("data.customers=150", "validation.folds=2", "validation.repeats=1")


@pytest.fixture
def desk(tmp_path):
    """Runs a command in a system that lacks them; returns what it printed."""
    (tmp_path / "sitecustomize.py").write_text(WITHOUT, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}

    def run(module, *words):
        script = f"from retain.cli.{module} import main\nif __name__ == '__main__':\n    main()\n"
        (tmp_path / "command.py").write_text(script, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "command.py", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_whole_way_needs_nothing_that_only_some_systems_have(desk, tmp_path):
    said = desk("run", "-m", "study.name=x", "model=logreg,tree", "workers=2", *SMALL)
    assert "2 done, 0 failed" in said
    assert "Verdict: " in desk("compare", "study=x", "explain=none", "workers=1")
    (campaign,) = (tmp_path / "outputs" / "x" / "campaigns").iterdir()
    desk("simulate", f"campaign=outputs/x/campaigns/{campaign.name}")
    (outcomes,) = (tmp_path / "outputs" / "x" / "simulated").glob("*/outcomes.csv")
    named = f"campaign=outputs/x/campaigns/{campaign.name}"
    assert "Readout: " in desk("readout", named, f"outcomes={outcomes}")
    scored = desk("score", "verdict=outputs/x/verdict", "data.customers=90", "data.seed=5")
    assert "scores" in scored
    (run,) = (tmp_path / "outputs" / "x").glob("tree-*")
    (run / "folds.parquet").touch()
    assert "1 removed" in desk("clean", "outputs", "older_than=0", "--yes")


def test_no_file_needs_a_module_of_one_system(checkout):
    of_one_system = {"fcntl", "resource", "pwd", "grp", "termios", "msvcrt", "winreg"}
    needed = [
        f"{path.name}: {name}"
        for path in (checkout / "src").rglob("*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ({getattr(node, "module", None)} | {one.name for one in node.names})
        if name in of_one_system
    ]
    assert needed == []


def test_no_path_is_put_together_for_one_system(checkout):
    """Places such as /dev/shm and /proc are only asked, where their absence is expected."""
    asked = {"limits.py", "worker_start.py"}
    found = [
        f"{path.name}: {node.value}"
        for path in (checkout / "src").rglob("*.py")
        if path.name not in asked
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(("/dev/", "/proc/", "/tmp", "/etc/", "/var/", "C:"))  # noqa: S108
    ]
    assert found == []
