"""What the README tells a newcomer to type works as typed."""

import contextlib
import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retain.cli.compare import compare
from retain.cli.overrides import Groups
from retain.cli.readout import readout
from retain.cli.run import answer, run
from retain.cli.score import score
from retain.storage.paths import conf_dir


@pytest.fixture(scope="module")
def readme(checkout):
    return (checkout / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def commands(readme):
    """Every line of the shell blocks, in order."""
    blocks = re.findall(r"```sh\n(.*?)```", readme, flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture
def shop_files(tmp_path, monkeypatch, shop, purchase_log):
    """An empty folder with the kinds of data the README speaks of."""
    from retain.customers.demo import write

    monkeypatch.chdir(tmp_path)
    write(tmp_path / "store", customers=150, seed=0)
    write(tmp_path / "newer", customers=60, seed=1)
    customers = shop(150)
    answers = customers.target.map({1: "Yes", 0: "No"})
    table = customers.features.assign(Churn=answers).reset_index(names="customerID")
    table.to_csv(tmp_path / "my.csv", index=False)
    bought = purchase_log(200)
    bought.to_csv(tmp_path / "log.csv", index=False)
    fields = bought.assign(when=bought["when"].dt.strftime("%Y%m%d")).astype(str)
    lines = fields[["client", "when", "pieces", "sum"]].agg(" ".join, axis=1)
    (tmp_path / "cdnow.txt").write_text("\n".join(lines) + "\n")


def later():
    """What became of the customers of the campaign, in the file the README names; its id."""
    id_ = json.loads(Path("outputs/models/verdict/verdict.json").read_text())["campaign"]["id"]
    arms = pd.read_csv(f"outputs/models/campaigns/{id_}/campaign.csv")
    declined = np.where(np.arange(len(arms)) % 3, "no", "yes")
    arms[["customer_id"]].assign(declined=declined).to_csv("outcomes.csv", index=False)
    return id_


def spared(words):
    """What a line that does not speak of it need not do."""
    typed = {re.split("[.=]", word)[0] for word in words}
    parts = {"campaign": {"campaign", "segmentation"}, "explain": {"explain"}}
    none = [f"{part}=none" for part, keys in parts.items() if not typed & keys]
    return [*none, "campaign.replace=true"] if "campaign=none" in none else none


def in_the_page(words):
    """Whether a line is about the page, or is the plain one: others draw the same again."""
    return words == ["study=models"] or any(word.startswith("report.") for word in words)


STANDS_FOR = {
    "PATH": "store",
    "NEW": "newer",
    "LOG": "log.csv",
    "CDNOW": "cdnow.txt",
    "TODAY": "2025-06-24",
}
"""What a reader puts in the place of words in capitals."""
QUICK = ["validation.folds=2", "validation.repeats=1"]
FEW = "data.customers=150"
"""Of the demo store, which is read where a line names no other."""


@pytest.mark.first
@pytest.mark.timeout(900)
def test_every_command_of_the_readme_does_what_it_says(commands, shop_files, capsys, undrawn, warm):
    assert len(commands) >= 8
    for command in commands:
        typed = re.sub(r"\b[A-Z]+\b", lambda word: STANDS_FOR.get(word[0], word[0]), command)
        name, *words = shlex.split(typed)
        if name == "retain":
            if "study=models" in words:
                words += ["model=dummy,tree"]
            if "study=purchases" in words:
                words += ["model=tree"]
            few = [] if any(word.startswith("data") for word in words) else [FEW]
            code = answer(run, words if "--help" in words else [*words, *few, *QUICK], "run")
        elif name == "retain-compare":
            drawing = contextlib.nullcontext() if in_the_page(words) else undrawn()
            with drawing:
                code = answer(compare, [*words, *spared(words), "resamples=100"], "compare")
        elif name == "retain-readout":
            words = [word.replace("campaign=ID", f"campaign={later()}") for word in words]
            code = answer(readout, words, "readout")
        else:
            assert name == "retain-score"
            code = answer(score, words, "score")
        assert code == 0, (command, capsys.readouterr().err)


def test_the_python_of_the_readme_runs_as_it_stands(readme, shop_files):
    (program,) = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "'mean': 0." in done.stdout


def test_every_option_the_readme_lists_is_there_and_none_is_left_out(readme):
    options = Groups.among([conf_dir()]).options
    groups = (
        "data",
        "validation",
        "scaling",
        "model",
        "sampler",
        "calibration",
        "tuning",
        "study",
        "tracking",
    )
    groups += ("segmentation", "value", "offers", "campaign", "explain")
    for group in groups:
        (row,) = re.findall(rf"^\| `{group}` \| (.*?) \|$", readme, flags=re.MULTILINE)
        listed = set(re.findall(r"`(\w+)`", row))
        hidden = {"runs"} if group == "study" else set()  # where runs without a study go
        assert listed == set(options[group]) - hidden


def test_the_readme_says_of_every_launcher_when_to_use_it(readme):
    listed = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", readme, flags=re.MULTILINE)
    assert sorted(listed) == list(Groups.among([conf_dir()]).options["hydra/launcher"])


def test_the_python_of_the_readme_is_that_of_the_package(readme, checkout):
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert "Python 3.11 to 3.13" in readme
    assert sys.version_info[:2] >= (3, 11)


@pytest.mark.parametrize(
    ("name", "fewest"), [("requirements.lock", 50), ("requirements-cluster.lock", 10)]
)
def test_the_locks_have_hashes_and_no_address(checkout, name, fewest):
    lock = (checkout / name).read_text()
    assert "://" not in lock
    assert "index-url" not in lock
    pinned = re.findall(r"^\S+==\S+", lock, flags=re.MULTILINE)
    assert len(pinned) > fewest
    assert lock.count("--hash=sha256:") >= len(pinned)


def locked(checkout, name):
    """Lines that pin a package, by the package's name."""
    lines = re.findall(r"^(\S+)==(.*?) \\$", (checkout / name).read_text(), flags=re.MULTILINE)
    return {package: {pin for other, pin in lines if other == package} for package, _ in lines}


# Ray alone is larger than all the rest: who does not ask for it does not get it.
def test_every_dependency_is_in_one_of_the_locks_and_both_agree(checkout):
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    first = [*project["dependencies"], *extras["test"], *extras["check"]]
    second = [*extras["slurm"], *extras["ray"], *extras["spark"], *extras["bench"]]
    for name, wanted in (("requirements.lock", first), ("requirements-cluster.lock", second)):
        names = {re.match(r"[\w-]+", text).group().lower() for text in wanted}
        assert names <= set(locked(checkout, name))
    one, other = (locked(checkout, f"requirements{part}.lock") for part in ("", "-cluster"))
    assert "ray" not in one
    assert {name: one[name] for name in one.keys() & other} == {
        name: other[name] for name in one.keys() & other
    }
