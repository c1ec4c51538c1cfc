"""Each conclusion, obstacle and cause has a text in both languages."""

from typing import get_args

import pytest

from retain.record.comparison_document import RunName
from retain.record.estimates import Estimate
from retain.record.trees_document import (
    Aspect,
    BestChange,
    Cause,
    CauseCount,
    Conclusion,
    Obstacle,
    StudyChange,
)
from retain.report.text.trees import study_sentence
from retain.report.text.words import LANGUAGES, words

BEST = BestChange(
    main=RunName(id="0" * 8, name="svc"),
    branch=RunName(id="1" * 8, name="tree"),
    is_same_run=False,
    main_value=0.9,
    branch_value=0.8,
    difference=Estimate(-0.1, -0.15, -0.05),
    is_paired=True,
    level=0.95,
)
STUDY = StudyChange(
    study="models",
    summary="",
    conclusion="worse",
    obstacle=None,
    best=BEST,
    margin=0.01,
    alpha=0.05,
    n_same=0,
    n_changed=2,
    n_moved=0,
    n_other_scores=0,
    n_unexplained=0,
    causes=(),
    metrics=(),
    runs=(),
    new_runs=(),
    gone_runs=(),
    unreadable=(),
    n_unfinished=(0, 0),
    verdict=None,
)


def say(language="en", **changes):
    study = STUDY.model_copy(update=changes)
    return words(language).plain(study_sentence(study))


def test_a_loss_is_one_sentence():
    assert say(n_changed=0) == (
        "models: worse, ROC-AUC of the best run (tree in place of svc), corrected for its choice, "
        "changed by −0.100 "
        "(95\u00a0% CI −0.150 to −0.050)."
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("conclusion", sorted({*get_args(Conclusion)} - {"incomparable"}))
def test_every_conclusion_is_said(language, conclusion):
    assert say(language, conclusion=conclusion).startswith("models: ")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("obstacle", get_args(Obstacle))
def test_every_obstacle_is_said(language, obstacle):
    assert say(language, conclusion="incomparable", obstacle=obstacle, best=None)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("aspect", sorted({*get_args(Aspect)} - {"metrics"}))
def test_every_cause_is_said_with_both_values(language, aspect):
    cause = Cause(aspect=aspect, name=aspect, main="before", branch="after")
    sentence = say(language, causes=(CauseCount(cause=cause, n_runs=1),))
    assert "before" in sentence
    assert "after" in sentence


@pytest.mark.parametrize(("n_changed", "words_"), [(1, "what differs:"), (0, "are equal although")])
def test_causes_explain_only_what_changed(n_changed, words_):
    cause = Cause(aspect="code", name="code", main="a", branch="b")
    assert words_ in say(n_changed=n_changed, causes=(CauseCount(cause=cause, n_runs=1),))


def test_a_change_without_a_cause_has_no_reason():
    assert "the records hold no reason" in say(n_unexplained=1)


def test_many_names_are_counted():
    causes = [Cause(aspect="packages", name=f"p{n}", main="1", branch="2") for n in range(9)]
    sentence = say(causes=tuple(CauseCount(cause=one, n_runs=1) for one in causes))
    assert "p2 1 → 2, 6 more." in sentence
