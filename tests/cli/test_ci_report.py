"""What the commands write for CI: JUnit XML and Markdown."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

from retain.cli.ci_report import Case, escape_markdown, to_xml
from retain.cli.readout import readout
from retain.cli.run import run_command

FILES = ("--junit", "ci.xml", "--markdown", "ci.md")


def cases():
    """Name and state of each test case, and the counts of the suite."""
    (suite,) = ET.parse("ci.xml").getroot()  # noqa: S314 - our own file
    found = {case.attrib["name"]: case[0].tag if len(case) else "passed" for case in suite}
    counts = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    return found, counts


def page():
    return Path("ci.md").read_text(encoding="utf-8")


def test_a_sweep_has_a_case_per_run(retain, tiny):
    assert retain("-m", "study.name=x", "model=logreg,tree", *tiny, *FILES)[0] == 0
    found, counts = cases()
    assert found == {"model=logreg": "passed", "model=tree": "passed"}
    assert counts == {"tests": 2, "failures": 0, "errors": 0, "skipped": 0}
    assert page().startswith("## retain\n")
    assert len(re.findall(r"^\| model=\w+ \| done \| 0\.", page(), re.MULTILINE)) == 2
    retain("-m", "study.name=x", "model=logreg,tree,svc", "dry_run=true", *tiny, *FILES)
    assert cases()[0] == {"model=logreg": "passed", "model=tree": "passed", "model=svc": "skipped"}


def test_a_run_that_fails_is_a_failure(retain, tiny, odd_models):
    code, _ = retain("-m", "study.name=x", "model=raises,logreg", *tiny, *odd_models, *FILES)
    assert code == 1
    assert cases()[0] == {"model=raises": "failure", "model=logreg": "passed"}
    assert "cannot be unpickled" in Path("ci.xml").read_text(encoding="utf-8")


def test_a_gate_is_a_case(retain, retain_compare, tiny):
    retain("-m", "study.name=x", "model=logreg,tree", *tiny)
    assert retain_compare("study=x", "gate.roc_auc=0.999", "gate.brier=0.9", *FILES)[0] == 3
    found, counts = cases()
    assert found == {"gate.roc_auc": "failure", "gate.brier": "passed"}
    assert counts["failures"] == 1
    assert r"❌ roc\_auc" in page()
    assert "has the best mean ROC-AUC" in page()
    assert "Sealed test: ROC-AUC" in page()
    assert retain_compare("study=x", *FILES)[0] == 0
    assert cases()[0] == {"retain-compare": "passed"}


@pytest.mark.parametrize(
    ("words", "message"), [(("modl=svc",), "Did you mean"), (("data=table", "data.path=no"), "no")]
)
def test_a_refusal_is_written_too(retain, words, message):
    assert retain(*words, *FILES)[0] == 2
    assert cases() == ({"retain": "error"}, {"tests": 1, "failures": 0, "errors": 1, "skipped": 0})
    assert message in Path("ci.xml").read_text(encoding="utf-8")
    assert "**Stopped:**" in page()


def test_a_trial_tells_its_effects(here, capsys):
    arms = ["none", "mail"] * 300
    rows = [f"{arm},{int(n % 3 == 0 or n % 4 == 1)}" for n, arm in enumerate(arms)]
    (here / "trial.csv").write_text("\n".join(["email,visit", *rows]), encoding="utf-8")
    words = ["data=table", "data.path=trial.csv", "treatment=email", "control=none"]
    assert run_command(readout, [*words, "outcome=visit", *FILES], "readout") == 0
    assert "| mail against none | visit | +0." in page()


@pytest.mark.parametrize("flag", ["--junit", "--markdown"])
def test_a_file_that_cannot_be_written_is_told_before_anything_is_fitted(retain, tiny, flag, here):
    (here / "folder").mkdir()
    (here / "verdict.json").write_text("{}", encoding="utf-8")
    for name in ("folder", "verdict.json"):
        code, text = retain(*tiny, "model=tree", flag, name)
        assert code == 2
        assert "expected a new file" in text
        assert f"{flag} FILE" in text
    assert (here / "verdict.json").read_text(encoding="utf-8") == "{}"
    assert not (here / "outputs").exists()
    assert retain(*tiny, flag)[0] == 2
    assert "expected two" in retain(*tiny, "--junit", "x", "--markdown", "x")[1]


def test_a_line_that_cannot_be_parsed_is_written_too(retain):
    assert retain(*FILES, "--nosuchflag")[0] == 2
    assert cases()[0] == {"retain": "error"}
    assert retain("-cd", "nowhere", *FILES)[0] == 2


def test_hostile_names_are_no_markup():
    hostile = "<script>|![x](http://evil) @all `c`\x1b[2J]]>\x00&\udc80\uffff"
    root = to_xml("retain", [Case(hostile, "failed", hostile)])
    (suite,) = ET.fromstring(ET.tostring(root))  # noqa: S314 - our own text
    assert "\x1b" not in suite[0].attrib["name"]
    text = escape_markdown(hostile)
    assert not re.search(r"(?<!\\)[|!`\[]|<script|@all|://", text)


def test_the_workflows_of_the_page_are_yaml(checkout):
    text = (checkout / "docs" / "how-to" / "ci.md").read_text(encoding="utf-8")
    github, gitlab = (
        yaml.safe_load(one) for one in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    )
    steps = [step.get("run", "") for step in github["jobs"]["models"]["steps"]]
    for lines in (steps, gitlab["models"]["script"]):
        assert sum("gate.roc_auc" in line for line in lines) == 1
