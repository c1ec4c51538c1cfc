"""The page of a randomised campaign shows what its documents hold, in both languages."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retain.cli.readout import readout
from retain.cli.run import run_command
from retain.cli.terminal.trial import CAUTIONS
from retain.record.documents import CautionInfo, read_document, to_tree
from retain.record.effects_document import EffectsDocument
from retain.record.subgroups_document import TrialSubgroups
from retain.record.trial_document import TrialDocument
from retain.report.charts.canvas import COLOURS, Labels, chart_style
from retain.report.charts.trial_charts import trial_effects
from retain.report.page.trial_page import trial_page
from retain.report.text.numbers import Number
from retain.report.text.trial import trial_cautions
from retain.report.text.words import LANGUAGES, message, words

from .test_accessibility import UNFOLD, violations

EXTREME = "<b>sent & 'more'</b>"


def promotion(n=1500):
    """A promotion that customers of middle age answer; its name would be markup."""
    random = np.random.default_rng(3)
    arm, age = random.random(n) < 0.5, random.integers(18, 80, n)
    spend = random.normal(10, 1, n) + age / 20 + 2 * arm * (abs(age - 50) < 10)
    columns = {"who": range(n), "mail": np.where(arm, EXTREME, "none"), "age": age}
    columns["spend"] = np.round(np.maximum(spend, 0), 2)
    columns["visit"] = np.where(random.random(n) < 0.3 + 0.1 * arm, "yes", "no")
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """What a readout with learned effects wrote."""
    folder, before = tmp_path_factory.mktemp("trial"), Path.cwd()
    os.chdir(folder)
    try:
        promotion().to_csv("mail.csv", index=False)
        typed = ["data=table", "data.path=mail.csv", "data.id=who", "treatment=mail"]
        typed += ["control=none", "outcome=[spend,visit]", "effects=dr_learner", "effects.folds=3"]
        typed += ["report.language=ru", "--quiet"]
        assert run_command(readout, typed, "readout") == 0
    finally:
        os.chdir(before)
    trial = folder / "outputs/mail/trial"
    return (
        read_document(TrialDocument, trial / "trial.json")[1],
        read_document(EffectsDocument, trial / "effects.json")[1],
        (trial / "report.html").read_text("utf-8"),
    )


def numbers(tree):
    """All numbers of a tree."""
    if isinstance(tree, dict | list):
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from numbers(value)
    elif isinstance(tree, int | float) and not isinstance(tree, bool):
        yield float(tree)


def test_the_page_that_was_written_is_that_of_the_documents(documents):
    trial, effects, html = documents
    assert html == trial_page(trial, effects, "ru")
    assert '<html lang="ru">' in html


def test_every_number_is_in_the_documents(documents):
    trial, effects, html = documents
    held = {*numbers(to_tree(trial)), *numbers(to_tree(effects)), 1 - trial.alpha}
    shown = {float(value) for value in re.findall(r'<data value="([^"]+)"', html)}
    assert len(shown) > 50
    assert shown <= held


def test_names_of_the_data_are_never_markup(documents):
    assert EXTREME not in documents[2]
    assert "&lt;b&gt;sent &amp; &#39;more&#39;&lt;/b&gt;" in documents[2]


def test_whom_to_contact_is_shown_where_effects_were_learned(documents):
    trial, _, html = documents
    plain = trial_page(trial, None, "en")
    assert 'id="plans"' in html
    assert 'id="plans"' not in plain
    assert 'data-chart="value_by_share-en"' not in plain
    assert html.count('data-chart="value_by_share') == len(LANGUAGES)
    assert all(f'lang="en">{name}' in html for name in ("nobody", "each by the effects learned"))


def test_for_whom_the_effect_is_larger_is_shown_only_where_it_differs(documents):
    trial, effects, html = documents
    assert effects.is_heterogeneous
    assert "effect_calibration" in html.split("<script")[0]
    alike = effects.model_copy(update={"calibration": (), "is_heterogeneous": False})
    assert "effect_calibration" not in trial_page(trial, alike, "en").split("<script")[0]


def test_effects_by_subgroup_are_a_chart_where_they_differ_and_always_a_table(documents):
    trial, _, html = documents
    (test,) = trial.subgroups.shown_tests
    assert test.covariate == "age"
    assert html.count('data-chart="subgroup_effects') == len(LANGUAGES)
    tests = [one.model_copy(update={"is_shown": False}) for one in trial.subgroups.tests]
    subgroups = trial.subgroups.model_copy(update={"tests": tuple(tests)})
    alike = trial_page(trial.model_copy(update={"subgroups": subgroups}), None, "en")
    assert 'data-chart="subgroup_effects-en"' not in alike
    assert "No covariate is shown to change the effect" in alike
    for page in (html, alike):
        assert page.count('<th scope="row" class="cell"><bdi class="name">age</bdi>') == 3


@pytest.mark.parametrize("conclusion", ["helped", "harmed", "inconclusive", "not_tested"])
def test_a_point_is_filled_by_the_conclusion_and_not_by_its_interval(documents, conclusion):
    rows = [row.model_copy(update={"conclusion": conclusion}) for row in documents[0].effects]
    trial = documents[0].model_copy(update={"effects": tuple(rows)})
    with chart_style():
        (axes,) = trial_effects(trial, Labels("en")).figure.axes
    fills = [line.get_markerfacecolor() for line in axes.lines if line.get_marker() == "o"]
    is_shown = conclusion in {"helped", "harmed"}
    assert fills == [COLOURS["accent" if is_shown else "paper"]]


def test_that_differences_are_adjusted_is_said_where_they_are(documents):
    trial = documents[0]
    assert {row.basis for row in trial.subgroups.rows} == {"adjusted"}
    plain = [row.model_copy(update={"basis": "difference"}) for row in trial.effects]
    for language in LANGUAGES:
        said = words(language).plain(message("trial.adjusted"))
        assert trial_page(trial, None, language).count(said) == 2
        bare = {"effects": tuple(plain), "subgroups": TrialSubgroups()}
        assert said not in trial_page(trial.model_copy(update=bare), None, language)


def test_shares_that_nobody_planned_are_not_called_planned(documents):
    trial = documents[0]
    ratio = trial.checks.sample_ratio.model_copy(update={"against": "typed"})
    checks = trial.checks.model_copy(update={"sample_ratio": ratio})
    typed = trial.model_copy(update={"checks": checks})
    assert "Planned share" not in trial_page(trial, None, "en")
    assert "Planned share" in trial_page(typed, None, "en")


@pytest.mark.parametrize(
    ("language", "n", "start"),
    [("en", 1, "1 covariate does"), ("ru", 2, "2 признака не"), ("ru", 5, "5 признаков не")],
)
def test_covariates_are_counted_in_their_plural(language, n, start):
    values = {"n": Number(n, "count"), "p": Number(0.5, "p"), "auc": Number(0.5, "score")}
    said = words(language).plain(message("trial.check.balance.passed", **values))
    assert said.startswith(start)


def test_a_trial_without_covariates_has_no_section_of_subgroups(documents):
    trial = documents[0].model_copy(update={"subgroups": TrialSubgroups()})
    assert 'id="subgroups"' not in trial_page(trial, None, "en")


NUMBERS = {
    "arm": "A",
    "versus": "B",
    "outcome": "visits",
    "money": "spend",
    "counts": {"A": 10},
    "more": {"visit": 0.01},
    "p": 0.02,
    "auc": 0.52,
    "alpha": 0.05,
    "error_rate": 0.1,
    "share": 0.3,
    "n_looks": 2,
    "n_contacted": 3,
    "n_customers": 4,
    "ids": "'c1', 'c2'",
    "kept": "once",
    "typed": "always_valid",
}
"""A value for every number and name of a caution."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", [*CAUTIONS, "more_but_no_money"])
def test_every_caution_of_the_terminal_is_on_the_page(documents, code, language):
    caution = CautionInfo.of(code, **NUMBERS)
    (said,) = trial_cautions(documents[0].model_copy(update={"cautions": (caution,)}))
    text = words(language).plain(said)
    assert "{" not in text
    assert len(text) > 20


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_a_window_and_a_checker_of_accessibility_finds_nothing(
    opened, documents, width, dark
):
    view = opened(documents[2], width=width, dark=dark)
    view.evaluate(UNFOLD)
    for language, name in {"English": "en", "Русский": "ru"}.items():
        view.get_by_role("button", name=language).click()
        assert view.evaluate("document.documentElement.lang") == name
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(view) == {}


def test_a_chart_tells_its_numbers_to_keys(opened, documents):
    view = opened(documents[2])
    view.locator("svg[data-chart='value_by_share-ru']").focus()
    view.keyboard.press("ArrowRight")
    assert view.locator("#tip").is_visible()
    assert "%" in view.locator("#tip").inner_text()
