"""Sentences and names of a trial's subgroups."""

from __future__ import annotations

from collections.abc import Callable

from retain.record.estimates import DisplayName
from retain.record.subgroups_document import InteractionTest, SubgroupRow
from retain.record.trial_document import TrialDocument
from retain.report.text.numbers import Number
from retain.report.text.words import Message, message

MAX_ROWS = 120
"""Rows of the page's table; ``subgroups.csv`` has all of them."""


def subgroup_sentences(trial: TrialDocument) -> list[Message]:
    """Return by which covariates the effects differ, or that none is shown to; none without any."""
    tested = [test for test in trial.subgroups.tests if test.p_adjusted is not None]
    if not tested:
        return []
    if not trial.subgroups.shown_tests:
        least = min(test.p_adjusted or 0.0 for test in tested)
        return [message("trial.subgroups.alike", p=Number(least, "p"))]
    return [
        message(
            "trial.subgroups.differs",
            arm=DisplayName.of(test.arm),
            covariate=_covariate_name(trial, test.covariate),
            p=Number(test.p_adjusted, "p"),
        )
        for test in trial.subgroups.shown_tests
    ]


def beyond_sentence(trial: TrialDocument) -> Message | None:
    """Return by which covariates customers are not split; None if by all."""
    names = [_covariate_name(trial, covariate) for covariate in trial.subgroups.beyond]
    return message("trial.subgroups.beyond", names=names) if names else None


def _covariate_name(trial: TrialDocument, covariate: str) -> DisplayName:
    """Return the name of a covariate in the file."""
    return DisplayName.of(trial.covariates[covariate])


def subgroup_text(row: SubgroupRow, say: Callable[[Message], str]) -> str:
    """Return the name of a subgroup; all other levels and missing values are said in words."""
    return row.subgroup or say(message(f"trial.subgroup_kind.{row.kind}"))


def subgroup_rows(trial: TrialDocument) -> list[tuple[InteractionTest, SubgroupRow]]:
    """Return the rows with their tests, those first that show a difference."""
    tests = sorted(trial.subgroups.tests, key=lambda test: not test.is_shown)
    return [(test, row) for test in tests for row in trial.subgroups.of(test)]
