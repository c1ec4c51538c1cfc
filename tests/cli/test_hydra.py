"""The table of Hydra's features, row by row; and every setting of Hydra that can be typed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from retain.cli.hydra_settings import EFFECTIVE
from retain.cli.run import run, run_command
from retain.storage.paths import conf_dir

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "hydra.md"
WORKS, REFUSED = (
    re.findall(r"^\| [^|]+ \| `retain ([^`]+)` \|(?: (.+) \|)?$", part, flags=re.MULTILINE)
    for part in PAGE.read_text(encoding="utf-8").split("## Is refused")
)
TO_HYDRA = ("--cfg", "--info", "-sc")


@pytest.fixture
def mine(here):
    """The folder of configs that the page speaks of."""
    files = {
        "model/stiff.yaml": "defaults: [logreg, _self_]\nname: stiff\nC: 0.01\n",
        "experiment/light.yaml": "# @package _global_\nmodel:\n  C: 0.5\nseed: 3\n",
        "own.yaml": "defaults:\n  - run\n  - _self_\nseed: 7\n",
    }
    for name, text in files.items():
        path = here / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return here


def test_the_page_has_rows():
    assert len(WORKS) > 25
    assert len(REFUSED) > 15


@pytest.mark.parametrize("typed", [typed for typed, _ in WORKS if not typed.startswith(TO_HYDRA)])
def test_what_works_composes(typed, mine, fork_server, capsys):
    pytest.importorskip("optuna", reason="optuna is not installed") if "optuna" in typed else None
    words = [*typed.split(), "dry_run=true", "data.customers=120", "max_runs=1000"]
    assert run_command(run, words, "run") == 0, capsys.readouterr().err
    assert "new" in capsys.readouterr().out


@pytest.mark.parametrize("typed", [typed for typed, _ in WORKS if typed.startswith(TO_HYDRA)])
def test_what_hydra_answers_it_answers(typed, mine):
    script = "from retain.cli.run import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, *typed.split()], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize(("typed", "instead"), REFUSED)
def test_what_is_refused_says_what_to_type(typed, instead, here, capsys):
    assert run_command(run, typed.split(), "run") == 2
    said = " ".join(capsys.readouterr().err.split())
    for word in instead.split(", "):
        assert word in said


def leaves(tree, where="hydra"):
    for key, node in tree.items():
        if isinstance(node, dict) and node:
            yield from leaves(node, f"{where}.{key}")
        else:
            yield f"{where}.{key}"


def hydra_node():
    GlobalHydra.instance().clear()
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        return OmegaConf.to_container(compose("run", return_hydra_config=True).hydra)


def test_no_setting_of_hydra_is_ignored(here, capsys):
    keys = [key for key in leaves(hydra_node()) if re.fullmatch(r"[\w.]+", key)]
    keys = [key for key in keys if not key.startswith((*EFFECTIVE, "hydra.searchpath"))]
    assert len(keys) > 40
    for key in keys:
        for word in (f"{key}=1", f"++{key}=1"):
            assert run_command(run, [word], "run") == 2, word
            assert "has no effect here: " in capsys.readouterr().err, word


def test_a_file_cannot_set_it_either(mine, capsys):
    path = Path("mine/experiment/light.yaml")
    for text, instead in (
        ("hydra:\n  run:\n    dir: x\n", "outputs=FOLDER"),
        ("hydra:\n  job:\n    chdir: true\n", "outputs=FOLDER"),
        ("hydra:\n  sweeper:\n    _target_: other.Sweeper\n", "tuning=optuna"),
    ):
        path.write_text(f"# @package _global_\n{text}", encoding="utf-8")
        assert run_command(run, ["-cd", "mine", "+experiment=light", "dry_run=true"], "run") == 2
        said = capsys.readouterr().err
        assert "has no effect here" in said
        assert instead in said


def test_a_primary_config_may_lie_beside_files_that_speak_of_hydra(mine, capsys, fork_server):
    Path("mine/model/stiff.yaml").write_text(
        "# hydra\ndefaults: [svc]\nC: 0.01\n", encoding="utf-8"
    )
    words = ["-cd", "mine", "-cn", "own", "dry_run=true", "data.customers=120"]
    assert run_command(run, words, "run") == 0, capsys.readouterr().err
    own = Path("mine/own.yaml")
    own.write_text(own.read_text("utf-8") + "hydra:\n  job:\n    chdir: true\n", encoding="utf-8")
    capsys.readouterr()
    assert run_command(run, words, "run") == 2
    assert "has no effect here" in capsys.readouterr().err


def test_a_folder_may_have_quotes_and_spaces(mine, capsys, fork_server):
    Path("mine").rename("it's m i'ne")
    words = ["-cd", "it's m i'ne", "model=stiff", "dry_run=true", "data.customers=120"]
    assert run_command(run, words, "run") == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    "interval", ["tag(log,interval(0,1))", "tag(foo,interval(0.1,1))", "interval(1,1)"]
)
def test_an_interval_without_a_scale_is_refused(interval, here, capsys):
    assert run_command(run, ["model=logreg", f"model.C={interval}", "tuning=optuna"], "run") == 2
    assert "expected" in capsys.readouterr().err


def test_a_glob_is_the_options_it_fits(here, capsys, fork_server):
    words = ["-m", "model=glob([l*,s*])", "dry_run=true", "data.customers=120"]
    assert run_command(run, words, "run") == 0
    assert set(re.findall(r"model=(\w+)", capsys.readouterr().out)) == {"lightgbm", "logreg", "svc"}
    assert run_command(run, ["-m", "model=glob(zz*)"], "run") == 2
    assert "is not one of" in capsys.readouterr().err


def test_an_interval_is_the_range_of_a_search(here, records, tiny, fork_server):
    pytest.importorskip("optuna", reason="optuna is not installed")
    interval = "model.C=tag(log,interval(0.02,0.5))"
    few = ("tuning.trials=2", "study.name=x", *tiny)
    assert run_command(run, ["model=logreg", "tuning=optuna", interval, *few], "run") == 0
    config = records("x")["logreg"]["config"]
    assert config["model"]["search"]["C"] == {"low": 0.02, "high": 0.5, "log": True}


def test_a_primary_config_of_ones_own_is_used(mine, records, tiny, fork_server):
    words = ["-cd", "mine", "-cn", "own", "study.name=x", *tiny]
    assert run_command(run, words, "run") == 0
    assert records("x")["logreg"]["seed"] == 7
    assert run_command(run, ["-cn", "none"], "run") == 2


def test_verbose_tells_more_in_the_log(here, tiny, fork_server):
    for name, verbose in (("quiet", "false"), ("loud", "true")):
        assert (
            run_command(run, [f"study.name={name}", f"hydra.verbose={verbose}", *tiny], "run") == 0
        )
    quiet, loud = (next(Path("outputs", name).glob("*/run.log")) for name in ("quiet", "loud"))
    assert len(loud.read_text(encoding="utf-8")) >= len(quiet.read_text(encoding="utf-8"))


CALLBACK = """
from pathlib import Path

class Notes:
    def __init__(self, file):
        self.file = Path(file)
    def note(self, *words):
        with self.file.open("a") as file:
            print(*words, file=file)
    def on_multirun_start(self, config, **_):
        self.note("start", config.study.name)
    def on_multirun_end(self, config, **_):
        self.note("end")
    def on_job_start(self, config, **_):
        self.note("job", config.model.name)
    def on_job_end(self, config, job_return, **_):
        self.note("done", config.model.name, job_return.status.name, job_return.return_value > 0)
"""


def test_callbacks_are_called_as_hydra_calls_them(here, tiny, monkeypatch, capsys, fork_server):
    (here / "my_callbacks.py").write_text(CALLBACK, encoding="utf-8")
    monkeypatch.syspath_prepend(str(here))
    named = ["hydra.callbacks.mine._target_=my_callbacks.Notes", "hydra.callbacks.mine.file=notes"]
    words = ["-m", "study.name=x", "model=logreg,tree", *named, *tiny]
    assert run_command(run, words, "run") == 2  # nobody trusts it
    assert "export RETAIN_TRUST" in capsys.readouterr().err
    monkeypatch.setenv("RETAIN_TRUST", "my_callbacks")
    assert run_command(run, words, "run") == 0
    notes = Path("notes").read_text(encoding="utf-8").splitlines()
    assert (notes[0], notes[-1]) == ("start x", "end")
    assert {"done logreg COMPLETED True", "done tree COMPLETED True"} < set(notes)
    assert len(notes) == 6
    assert run_command(run, ["hydra.callbacks.mine._target_=my_callbacks.Path"], "run") == 2


def test_completion_completes(here):
    script = "from retain.cli.run import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "-sc", "query=bash"],
        env=os.environ | {"COMP_LINE": "retain model=l", "COMP_POINT": "14"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(done.stdout.split()) == {"model=lightgbm", "model=logreg"}, done.stderr


def test_a_model_of_another_package_is_told_how_to_be_added(mine, monkeypatch, capsys, fork_server):
    assert run_command(run, ["model=xgboost"], "run") == 2
    said = capsys.readouterr().err
    lines = re.findall(r"'(\w+: [\w.]+)'", said)
    path = Path(re.search(r"into (\S+);", said)[1])
    (mine / "xgboost.py").write_text(
        "from sklearn.linear_model import LogisticRegression as Model\n"
        "class XGBClassifier(Model):\n    pass\n",
        encoding="utf-8",
    )  # as if the package were installed
    path.write_text("\n".join(lines), encoding="utf-8")
    variable, value, *words = re.search(r"(\w+)=(\w+) retain (.+)$", said.strip()).groups()
    monkeypatch.setenv(variable, value)
    monkeypatch.syspath_prepend(str(mine))
    words = [*words[0].split(), "data.customers=120", "dry_run=true"]
    assert run_command(run, words, "run") == 0
