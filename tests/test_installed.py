"""The package as it is published: the wheel alone, in an environment that has no checkout."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from ast import literal_eval
from pathlib import Path
from typing import get_args

import pytest

from retain.plugins.registry import Kind

pytestmark = [pytest.mark.slow, pytest.mark.no_cover]

NARROWED = ("model=dummy,logreg", "features.site=true", "data.customers=300", "validation.folds=2")
"""Of the README's first command what takes seconds."""


def run(*command, folder, **environment):
    """What a command prints in a folder, by an environment that knows no other Python path."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env=known | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(source, target):
    """The archive of the source and the wheel that a folder with the source makes."""
    run(sys.executable, "-m", "hatchling", "build", "-d", target, folder=source)
    (archive,), (wheel,) = target.glob("*.tar.gz"), target.glob("*.whl")
    return archive, wheel


@pytest.fixture(scope="module")
def built(checkout, tmp_path_factory):
    return build(checkout, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """The programs of an environment with the wheel; what it depends on is lent by this one."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    asked = ("install", "--quiet", "--no-deps", "--no-index", built[1])
    run(python, "-m", "pip", *asked, folder=home)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = Path(run(python, "-c", ask, folder=home).strip())
    # Its site-packages without what .pth files there add, such as the checkout.
    lent = [path for path in sys.path if path.endswith("-packages")]
    (own / "lent.pth").write_text("\n".join(lent))
    return home / "bin"


@pytest.fixture(scope="module")
def compared(installed, tmp_path_factory):
    """A folder in which the two commands of the README have been typed, narrowed."""
    here = tmp_path_factory.mktemp("here")
    run(installed / "retain", "-m", "study=demo", *NARROWED, folder=here)
    run(installed / "retain-compare", "study=demo", "explain=none", folder=here)
    return here


def test_the_wheel_has_what_the_package_reads_and_nothing_else(built, checkout):
    with zipfile.ZipFile(built[1]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    kept = {
        f"{place}{path.relative_to(home).as_posix()}"
        for home, place in ((checkout / "src", ""), (checkout / "conf", "retain/conf/"))
        for path in home.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"retain/py.typed", "retain/conf/run.yaml", "retain/verdict/columns.yaml"} <= names
    assert names == kept


def test_the_archive_of_the_source_makes_the_same_wheel(built, tmp_path):
    with tarfile.open(built[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    _, wheel = build(source, tmp_path / "dist")
    first, second = (hashlib.sha256(one.read_bytes()).hexdigest() for one in (built[1], wheel))
    assert first == second


def test_it_is_the_wheel_that_runs(installed, tmp_path, checkout):
    ask = "import retain; from retain.storage.paths import conf_dir; print(retain.__file__); "
    told = run(installed / "python", "-c", f"{ask}print(conf_dir())", folder=tmp_path)
    assert all(Path(line).is_relative_to(installed.parent) for line in told.splitlines())
    assert str(checkout) not in told


def test_the_two_commands_of_the_readme_leave_a_page_and_a_campaign(compared):
    study = compared / "outputs" / "demo"
    page = (study / "verdict" / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert len(list(study.glob("campaigns/*/campaign.csv"))) == 1


def test_every_command_has_help(installed, tmp_path):
    commands = sorted(installed.glob("retain*"))
    assert len(commands) >= 5
    for command in commands:
        assert command.name in run(command, "--help", folder=tmp_path)


def test_completion_completes_what_is_in_the_wheel(installed, tmp_path):
    typed = {"COMP_LINE": "retain model=l", "COMP_POINT": "14"}
    told = run(installed / "retain", "-sc", "query=bash", folder=tmp_path, **typed)
    assert set(told.split()) == {"model=lightgbm", "model=logreg"}


# --- the template of a plug-in -------------------------------------------------------------------

EXAMPLE = (
    "data=demo_loyal",
    "scaling=signed_root",
    "calibration=smoothed_isotonic",
    "metrics.plugins=[gini,missed_profit]",
    "features.plugins=[minutes_per_page,decline_rate_by_category]",
    "hydra/launcher=processes",
)
"""A name of each kind that a run takes, but for the models and samplers that are swept."""


@pytest.fixture(scope="module")
def extended(installed, checkout, tmp_path_factory):
    """The programs of the environment with the template of docs/ too."""
    made = tmp_path_factory.mktemp("example")
    shutil.copytree(checkout / "docs" / "plugin", made / "source")
    _, wheel = build(made / "source", made / "dist")
    asked = ("install", "--quiet", "--no-deps", "--no-index", wheel)
    run(installed / "python", "-m", "pip", *asked, folder=made)
    return installed


def test_the_template_adds_one_of_each_kind(extended, tmp_path):
    ask = "from retain.plugins.registry import plugins; print({one.kind for one in plugins()})"
    kinds = literal_eval(run(extended / "python", "-c", ask, folder=tmp_path))
    assert kinds == set(get_args(Kind))


def test_help_lists_each_with_its_package(extended, tmp_path):
    told = run(extended / "retain", "--help", folder=tmp_path)
    told += run(extended / "retain-compare", "--help", folder=tmp_path)
    lines = [line.split() for line in told.splitlines() if "retain-example 0.1.0" in line]
    listed = {line[0] for line in lines}
    assert listed >= {"model=hinge_logistic", "data=demo_loyal", "hydra/launcher=processes"}
    assert ["plugin:", "worth_a_call", "in", "a", "rule", "retain-example", "0.1.0"] in lines


def test_hydra_knows_its_options(extended, tmp_path):
    typed = {"COMP_LINE": "retain model=hin", "COMP_POINT": "16"}
    told = run(extended / "retain", "-sc", "query=bash", folder=tmp_path, **typed)
    assert told.split() == ["model=hinge_logistic"]
    shown = ("--cfg", "job", "-p", "model", "model=hinge_logistic", "model.knots=5")
    assert "knots: 5" in run(extended / "retain", *shown, folder=tmp_path)


@pytest.mark.timeout(300)
def test_the_template_is_swept_compared_and_scores(extended, tmp_path):
    swept = ("model=hinge_logistic,logreg", "sampler=half_majority,none")
    few = ("validation.folds=2", "validation.repeats=1", "study.name=mine")
    run(extended / "retain", "-m", *swept, *EXAMPLE, *few, folder=tmp_path)
    offers = ("offers.offers.call.include_if={plugin: worth_a_call}", "offers.costs=accept")
    paid = ("offers=general", "offers.offers.call.contact_cost=1")
    told = run(
        extended / "retain-compare",
        *("study=mine", "data=demo_loyal", "segmentation=risk_halves", "explain=fast"),
        *(*paid, *offers, "--json"),
        folder=tmp_path,
    )
    verdict = json.loads(told)
    winner = verdict["winner"]
    assert set(winner["metrics"]) >= {"gini", "missed_profit"}
    assert winner["config"]["scaling"]["_target_"] == "retain_example.learning.SignedRoot"
    record = next(tmp_path.glob("outputs/mine/*/record.json")).read_text(encoding="utf-8")
    assert "retain_example" in json.loads(record)["environment"]["packages"]
    assert [one["segment"] for one in verdict["segments"]] == ["at risk", "others"]
    scored = ("verdict=outputs/mine/verdict", "data=demo_loyal", "data.seed=1")
    run(extended / "retain-score", *scored, folder=tmp_path)
    assert list(tmp_path.glob("outputs/mine/scores/*/scores.csv"))


def test_without_the_package_the_name_is_refused(extended, tmp_path):
    run(extended / "python", "-m", "pip", "uninstall", "--yes", "retain-example", folder=tmp_path)
    command = [str(extended / "retain"), "model=hinge_logistic"]
    known = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=tmp_path, env=known, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "model 'hinge_logistic' is not one of" in done.stderr
