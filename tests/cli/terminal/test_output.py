"""Whatever is printed is safe: texts of others mean nothing to a terminal, and all can be shown."""

from __future__ import annotations

import ast
import dataclasses
import errno
import io
import logging
import os
import re
import subprocess
import sys
import unicodedata
import warnings
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from retain.cli.run import run, run_command
from retain.cli.terminal import comparison, readout, scoring, sweep
from retain.cli.terminal.console import console
from retain.cli.terminal.output import (
    READABLE,
    clean,
    clean_line,
    replace_unencodable,
    safe_terminal,
)
from retain.execution.scheduling import CostModel
from retain.record.comparison_document import SealedMetric
from retain.record.documents import CautionInfo
from retain.record.estimates import Estimate
from retain.record.study import StudyDirectory

DOORS = {"output.py", "console.py"}
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
HOSTILE = (
    "a[/x]\x1b]0;t\x07\x1b[2J\x9b5m[red]b[/red][link=http:h]c[/link]\u202e\u2028\x00\r\nd:smile:\\"
)
WRITING = re.compile(r"print|Console|StreamHandler|sys")
NARROW = ("ascii", "cp1251", "iso-8859-1", "koi8-r")


def controls(text):
    """Characters that a terminal obeys, but for ends of lines."""
    kinds = {"Cc", "Zl", "Zp", "Cs"}
    return {c for c in text if c != "\n" and (unicodedata.category(c) in kinds or c in BIDI)}


# ---------------------------------------------------------------------- nothing else prints


def writes(tree):
    """Lines on which a file names what writes to a terminal, examples in docstrings aside."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            by_name = isinstance(node.func, ast.Name)
            if (by_name and name == "print") or name in ("Console", "StreamHandler", "print_exc"):
                yield node.lineno
        elif isinstance(node, ast.Attribute) and node.attr in (
            "stdout",
            "stderr",
            "__stdout__",
            "__stderr__",
        ):
            if isinstance(node.value, ast.Name) and node.value.id == "sys":
                yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module == "sys":
            yield node.lineno


def test_nothing_but_the_door_writes_to_a_terminal(checkout):
    package = checkout / "src" / "retain"
    elsewhere = [
        f"{path.relative_to(package)}:{line}"
        for path in package.rglob("*.py")
        if path.name not in DOORS or path.parent.name != "terminal"
        for text in [path.read_text(encoding="utf-8")]
        if WRITING.search(text)  # else there is nothing to find
        for line in writes(ast.parse(text))
    ]
    assert elsewhere == []


def test_markup_of_rich_is_escaped_by_the_door_alone(checkout):
    package = checkout / "src" / "retain"
    importing = [
        path.name
        for path in package.rglob("*.py")
        if "rich.markup" in path.read_text(encoding="utf-8")
    ]
    assert importing == ["console.py"]


# ------------------------------------------------------------------------------- texts


@given(st.text())
def test_a_clean_text_has_nothing_a_terminal_obeys(text):
    assert controls(clean(text)) <= {"\t"} | {c for c in text if "\ud800" <= c <= "\udfff"}
    assert clean(clean(text)) == clean(text)
    assert "\n" not in clean_line(text)


@given(st.text(st.characters(exclude_categories=["Cc", "Zl", "Zp", "Cf", "Cs"])))
def test_a_text_without_them_is_printed_as_it_is(text):
    assert clean_line(text) == text


@pytest.mark.parametrize("encoding", NARROW)
@given(text=st.text())
def test_every_text_becomes_one_that_an_encoding_has(encoding, text):
    replace_unencodable(text, encoding).encode(encoding)


def test_what_replaces_a_character_can_be_shown_anywhere():
    assert all(text.isascii() and text.isprintable() for text in READABLE.values())


# ------------------------------------------------------------------------------ boards


OPEN = ("n_scored", "bands", "metrics", "rankings")
"""Keys whose values have keys of the user."""


def spaces(tree):
    """A tree with attributes for keys."""
    if isinstance(tree, list):
        return [spaces(one) for one in tree]
    if not isinstance(tree, dict):
        return tree
    return SimpleNamespace(**{key: tree[key] if key in OPEN else spaces(tree[key]) for key in tree})


def reasons(text):
    strength = {"value": 0.5}
    feature = {"name": text, "direction": "up", "mean_abs_shap": strength}
    group = {"name": text, "ablation": None, "reason": text}
    agreement = {"ranks_agree": False, "rank_correlation": 0.5}
    return spaces({"groups": [group], "features": [feature], "reason": text, "drivers": agreement})


def further(text):
    end = {"value": 1.0, "low": 0.0, "high": 2.0}
    contrast = {"feature": text, "level": text, "in_segment": 0.5, "elsewhere": 0.2}
    segment = {"segment": text, "n_customers": 2, "risk": end}
    segment |= {"n_declined": 1, "expected_risk": 0.5, "is_miscalibrated": True}
    segment |= {"observed_profit_at_risk": end, "expected_profit_at_risk": end}
    segment |= {"contrasts": [contrast], "is_small": True}
    tree = {
        "segments": [segment],
        "n_scored": {text: 2},
        "dominant_segment": {"name": text, "label": None, "share": 0.99},
        "fitted_thresholds": {"segmentation": {"risk": {"bands": {text: 0.5}}}},
        "campaign": {
            "objective": "profit",
            "profit_unit": text,
            "is_turnover": False,
            "offers": [
                {
                    "name": text,
                    "n_eligible": 1,
                    "n_chosen": 1,
                    "n_treated": 1,
                    "n_control": 1,
                    "expected_cost": 1.0,
                    "expected_net": end,
                }
            ],
            "plan": {
                "kept": None,
                "n_treated": 1,
                "is_optimal": True,
                "expected_cost": 1.0,
                "expected_saved": 1.0,
                "expected_net": end,
            },
            "n_customers": 2,
            "n_contactable": 2,
            "shadow_prices": None,
            "power": {
                "overall": {"expected": 0.1, "required_n": None, "n_treated": 1, "n_control": 0}
            },
            "policies": {
                "n_permanent_control": 1,
                "open_campaigns": [{"id": text, "n_customers": 1}],
                "rest_days": 30,
                "rested_after": [{"id": text, "n_customers": 1}],
            },
            "control_group": {"design": "uniform", "one_share_because": "small"},
            "effects": None,
            "exploration": None,
            "is_learning": False,
            "cautions": [],
        },
    }
    return spaces(tree)


def compared(at, text, made):
    metric = {"value": 0.5, "low": 0.4, "high": 0.6, "higher_is_better": True}
    winner = SimpleNamespace(
        id=text,
        split=SimpleNamespace(sealed_snapshot=text, test_snapshots=(text,), fits=1),
        metrics=made.record.metrics | {text: made.record.metrics["roc_auc"]},
        data=made.record.data,
    )
    counts = {"n_pairs": 3, "n_runs": 3, "n_reference_runs": 3}
    level = SimpleNamespace(level=text, difference=Estimate(0.1, 0.0, 0.2), p=0.5, **counts)
    row = {"rank": 1, "id": text, "roc_auc": 0.9, "roc_auc_low": 0.8, "roc_auc_high": 1.0}
    row |= {"brier": 0.1, "ece": 0.1, "difference": 0.0, "p_adjusted": 0.1, "tied": False}
    row |= {"fit_seconds": 1.0}
    row |= {"p": 0.2}
    verdict = SimpleNamespace(
        table=pd.DataFrame([row | {"stopped_early": False, "n_folds": 1, "model": text}]),
        best=winner,
        winner=winner,
        keys=("model",),
        sentence=text,
        cautions=[SimpleNamespace(sentence=text)],
        effects=[
            SimpleNamespace(
                factor=text,
                reference=text,
                levels=[level],
                missing_runs=SimpleNamespace(n_runs=1),
            )
        ],
        others=[made.record.model_copy(update={"reason": text, "overrides": (text,)})],
    )
    difference = SimpleNamespace(
        a=text,
        b=text,
        requested=True,
        config=spaces([{"key": text, "a": text, "b": text}]),
        metrics=spaces([{"name": text, "a": 0.1, "b": 0.1, "difference": metric, "p": 0.1}]),
        largest_changes=spaces([{"customer_id": text, "a": 0.1, "b": 0.2}]),
    )
    findings = SimpleNamespace(
        chance=SimpleNamespace(status="not_shown", message=text),
        interrupted=2,
        running=1,
        repeated=1,
        broken=[SimpleNamespace(directory=SimpleNamespace(path=Path(text)), reason=text)],
        explanations=reasons(text),
        curves=spaces({"calibration": [{"is_miscalibrated": True}]}),
        sealed=SimpleNamespace(
            customers=1, metrics={text: SealedMetric(**metric)}, description=text, accesses=(1, 2)
        ),
        customer_results=further(text),
        diffs=[difference],
        gate=[SimpleNamespace(passed=False, message=text)],
    )
    study = StudyDirectory(Path(text))
    comparison.print_comparison(at, study, verdict, findings, missing=text)
    comparison.print_gate(at, findings.gate)
    comparison.print_files(at, study, [text])


def scored(at, text, made):
    moved = {"name": text, "psi": 0.1, "psi_null_quantile": 0.1, "p_holm": 0.1, "shift": text}
    moved |= {"bin": text, "share_training": 0.1, "share_new": 0.2, "kind": "feature"}
    found = SimpleNamespace(
        customers=SimpleNamespace(
            messages=(text,),
            table=pd.DataFrame({"x": [1]}),
            list_not_scored=lambda: pd.DataFrame({"reason": [text]}),
            n_known=1,
            customers=SimpleNamespace(
                reading=SimpleNamespace(dropped_rows=(SimpleNamespace(reason=text),))
            ),
        ),
        winner=SimpleNamespace(
            winner=SimpleNamespace(name=text, id=text),
            reference=SimpleNamespace(n_training_customers=5),
            settings=SimpleNamespace(campaign=SimpleNamespace(start=None)),
            has_effects=False,
        ),
        drift=pd.DataFrame([moved, moved | {"shift": "strong"}]),
        campaign=SimpleNamespace(results=further(text)),
    )
    home = SimpleNamespace(path=Path(text))
    scoring.print_scoring(at, StudyDirectory(Path(text)), home, found)


def read_out(at, text, made):
    ends = {"value": 1.0, "low": 0.0, "high": 2.0}
    effect = {"outcome": "declined", "scope": text, "name": text, "conclusion": "helped"}
    effect |= {"treated_mean": 0.1, "control_mean": 0.2, "p_adjusted": 0.1, "customers_saved": ends}
    effect |= {"difference": {"value": -0.1, "low": -0.2, "high": 0.0}}
    effect |= {"minimum_detectable_effect": 0.1, "is_adjusted": True}
    rate = {"value": 0.1, "low": 0.0, "high": 0.2}
    test = {"outcome": "declined", "scope": text, "q": 1.0, "df": 1, "p": 0.3}
    arms = {"treatment": 5, "control": 5}
    money = {"gain": ends, "net": ends, "basis": "observed", "cost": 1.0, "cost_basis": "stated"}
    tree = {
        "alpha": 0.05,
        "looks": [{"method": "always_valid", "information": 0.5}],
        "look_correction": {"width": 1.5, "n_more": 12},
        "is_turnover": True,
        "power": 0.8,
        "heterogeneity": [test],
        "campaign_id": text,
        "n_planned": arms,
        "n_observed": arms,
        "effects": [effect],
        "explored": None,
        "attrition": {"bounds": None},
        "compliance": None,
        "money": money | {"expected_net": 1.0, "conclusion": "paid"},
        "profit_unit": text,
        "qini": {"reason": None, "rankings": {text: spaces({"qini": ends})}},
        "cautions": [
            CautionInfo.of("harm", scope=text, name=text, outcome="declined"),
            CautionInfo.of("unknown_customers", n_customers=text),
            CautionInfo.of("prior_conflict", offer=text),
            CautionInfo.of("stop", outcome="profit", level=0.1),
        ],
        "catalogue": text,
        "save_rates": [
            {"offer": text, "n_treated": 1, "n_control": 1, "prior": rate}
            | {"posterior": rate, "catalogue": rate}
        ],
    }
    readout.print_readout(at, spaces(tree), Path(text), text)


def swept(at, text, made):
    tasks = [
        dataclasses.replace(made.task(f"{number:08x}"), overrides=(f"{text}{number}",))
        for number in range(2)
    ]
    records = [
        made.of(tasks[0]),
        made.of(tasks[1], "failed").model_copy(update={"reason": text}),
    ]
    step = SimpleNamespace(name=text, n_before=2, n_after=1, unit=text, reason=text)
    column = SimpleNamespace(name=text, type=text, detail=text, missing=0.1, examples=(text,))
    other = SimpleNamespace(parameter=text, value=text, n_rows=1, decline_rate=0.1, agreement=None)
    source = SimpleNamespace(
        messages=(text,),
        data=SimpleNamespace(
            funnel=(step,),
            label=SimpleNamespace(variants=(other,), quality=None),
            columns=(column,),
        ),
        dropped_examples=(text,),
        checks=(SimpleNamespace(outcome="failed", code=text, message=text),),
    )
    plan = dataclasses.replace(
        made.plan(tasks), sources=(source,), study=StudyDirectory(Path(text))
    )
    sweep.print_sources(at, plan)
    sweep.print_plan(at, plan)
    shown = made.plan(tasks)
    with sweep.SweepView(at, shown, CostModel()) as watched:
        for record in records:
            watched.on_end(record)
        watched._warn(text)
    sweep.print_summary(at, plan, records, 0)


@pytest.fixture
def made(make_task, make_plan, record_of, make_record, here):
    return SimpleNamespace(task=make_task, plan=make_plan, of=record_of, record=make_record())


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("printed", [compared, scored, read_out, swept], ids=lambda f: f.__name__)
def test_texts_of_others_mean_nothing_to_the_terminal(printed, terminal, made):
    options = {"width": 2000, "file": io.StringIO(), "force_terminal": terminal}
    at = console(**options, color_system="standard" if terminal else None)
    printed(at, HOSTILE, made)
    text = at.file.getvalue()
    own = r"\x1b\[[0-9;]*m|\x1b\[(\?25[lh]|2K|\d*A)|\r" if terminal else "(?!)"
    plain = re.sub(own, "", text)
    assert controls(plain) == set()
    assert plain.count("a[/x]]0;t[2J5m[red]b[/red][link=http:h]c[/link]") >= 8
    assert "d:smile:" in plain
    assert "\u263a" not in plain
    assert not re.search(r"^d:smile:", plain, re.MULTILINE)
    assert "\x1b]8" not in text


@pytest.mark.parametrize("encoding", NARROW)
@pytest.mark.parametrize("printed", [compared, scored, read_out, swept], ids=lambda f: f.__name__)
def test_every_board_can_be_shown_in_a_narrow_encoding(printed, encoding, made):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", file)
        with safe_terminal():
            printed(console(width=100), "Москва → “x”… 漢 \U0001f600", made)
    file.flush()
    assert file.buffer.getvalue().decode(encoding)


def test_a_table_keeps_its_columns_where_characters_are_replaced():
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="retain.readable")
    at = console(file=file, width=30)
    table = Table("a", "b")
    table.add_row("1 → 2", "x")
    table.add_row("no arrow, and so long that it is cut", "y")
    table.columns[0].no_wrap = True
    at.print(table)
    file.flush()
    lines = file.buffer.getvalue().decode("ascii").splitlines()
    assert len({len(line) for line in lines}) == 1
    assert "1 -> 2" in lines[3]


# ---------------------------------------------------------------------------- commands


def called(*words, code="retain.cli.run", **environment):
    done = subprocess.run(
        [sys.executable, "-m", code, *words],
        capture_output=True,
        check=False,
        timeout=60,
        env=os.environ | environment,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("command", ["run", "compare", "score", "readout"])
def test_help_can_be_read_in_any_encoding(command, monkeypatch):
    for encoding in NARROW:
        file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr("sys.stdout", file)
        assert run_command(run, ["--help"], command) == 0
        file.flush()
        assert "Exit codes: 0" in file.buffer.getvalue().decode(encoding)


def test_a_sentence_with_characters_of_control_reaches_nobody(retain):
    code, output = retain("model=\x1b[2Jx")
    assert code == 2
    assert controls(output) == set()


def test_warnings_and_logs_of_libraries_are_cleaned(capsys):
    with safe_terminal():
        logging.lastResort.handle(logging.makeLogRecord({"msg": HOSTILE, "levelno": 40}))
        sys.stderr.write(warnings.formatwarning(HOSTILE, UserWarning, "x.py", 1))
        sys.stdout.write(HOSTILE)
    output = capsys.readouterr()
    assert controls(output.out + output.err) == set()
    assert "[red]" in output.out
    assert "[red]" in output.err


def test_who_reads_no_further_ends_the_command_without_a_word():
    command = f"{sys.executable} -m retain --help | head -1; echo ${{PIPESTATUS[0]}}"
    script = f"trap '' PIPE; {command}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)  # noqa: S607
    assert done.stderr == ""
    assert done.stdout.splitlines()[0].startswith("retain:")


class Closed(io.StringIO):
    def __init__(self, number):
        super().__init__()
        self.number = number

    def fileno(self):
        return self.descriptor

    def write(self, text):
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize(
    ("number", "code", "message"),
    [
        (errno.EPIPE, 141, ""),
        (errno.ENOSPC, 2, "standard output cannot be written: No space left on device.\n"),
        (errno.EIO, 2, "standard output cannot be written: Input/output error.\n"),
    ],
)
def test_an_output_that_cannot_be_written_is_named(
    here, monkeypatch, capsys, number, code, message
):
    with Path("output").open("w") as file:
        monkeypatch.setattr(Closed, "descriptor", file.fileno(), raising=False)
        monkeypatch.setattr("sys.stdout", Closed(number))
        assert run_command(run, ["--help"], "run") == code
    assert capsys.readouterr().err == message


def test_closed_files_are_no_place_for_a_file_of_ours(here):
    script = f'exec "{sys.executable}" -m retain --help >&- 2>&- <&-'
    assert subprocess.run(["sh", "-c", script], check=False).returncode == 0  # noqa: S607
