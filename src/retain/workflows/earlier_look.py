"""The look at a trial before this one, which has its plan and the looks so far."""

from __future__ import annotations

from retain.campaign.readout.looks import find_other_method
from retain.campaign.readout.trial_looks import add_trial_look
from retain.campaign.readout.trial_readout import TrialSettings
from retain.campaign.trial.from_table import TrialTable
from retain.campaign.trial.later_look import CHANGES, find_changes, find_difference
from retain.campaign.trial.saved_trial import read_trial
from retain.campaign.trial.trial import Trial
from retain.errors import RetainError
from retain.record.documents import CautionInfo
from retain.record.looks_document import Look
from retain.record.study import StudyDirectory
from retain.record.trial_directory import TrialDirectory
from retain.record.trial_document import TrialDocument
from retain.schema.readout import TrialKeys


def look_at_trial(study: StudyDirectory, table: TrialTable, keys: TrialKeys) -> TrialSettings:
    """Return the settings of a readout, with the looks so far and this one.

    Raises
    ------
    RetainError
        The readout before is of another campaign or plan, or cannot be read; or ``expected_effect``
        is none that the primary outcome can have.
    """
    check_expected_effect(table.trial, keys)
    before = read_earlier(study.trial, table.trial, keys)
    n_planned = plan_customers(before, table.trial, keys)
    earlier = () if before is None else before[1].looks
    looks = add_trial_look(earlier, table.trial, keys.monitoring, n_planned)
    changes = () if before is None else list_changes(before, table.trial, looks[-1])
    return TrialSettings(
        name=study.path.name,
        treatment=str(keys.treatment),
        alpha=keys.alpha,
        power=keys.power,
        looks=looks,
        n_planned=n_planned,
        expected_effect=keys.expected_effect,
        cautions=(*changes, *find_other_method(looks, keys.monitoring)),
    )


def check_expected_effect(trial: Trial, keys: TrialKeys) -> None:
    """Raise ``RetainError`` for an effect that a share cannot have."""
    effect, outcome = keys.expected_effect, trial.outcome
    if effect is not None and effect >= 1 and outcome.kind == "binary":
        problem = f"it is {effect:g}, and {outcome.name!r} is a share"
        expected = "expected a number above 0 and below 1: 0.02 is two percentage points"
        raise RetainError.at("expected_effect", problem, expected)


def read_earlier(
    directory: TrialDirectory, trial: Trial, keys: TrialKeys
) -> tuple[Trial, TrialDocument] | None:
    """Return the last look under this name, of the same trial; None if there is none.

    Raises
    ------
    RetainError
        It is of another campaign, or cannot be read.
    """
    if not directory.trial_json.exists():
        return None
    path = directory.path
    try:
        earlier, document = read_trial(directory)
    except RetainError as error:
        raise RetainError(
            f"{error} It does not say how often this campaign was read out. To count from one, "
            f"remove {path}; to keep it: name=NAME"
        ) from None
    difference = find_difference(earlier, trial)
    if document.treatment != keys.treatment:
        difference = f"its arms are in column {document.treatment!r}"
    if difference is not None:
        raise RetainError(
            f"{path} is the readout of another campaign: {difference}; expected another name for "
            "this one: name=NAME"
        )
    return earlier, document


def plan_customers(
    before: tuple[Trial, TrialDocument] | None, trial: Trial, keys: TrialKeys
) -> int:
    """Return the customers planned in all: as typed, or as at the first look.

    Raises
    ------
    RetainError
        Another number than at the first look is typed: intervals right at all looks need one plan.
    """
    typed = keys.planned_customers
    if before is None:
        return typed or len(trial.ids)
    n_planned = before[1].n_planned
    if typed is not None and typed != n_planned:
        raise RetainError.at(
            "planned_customers",
            f"it is {typed:,}, and the looks so far are measured by {n_planned:,}",
            f"expected planned_customers={n_planned}, or nothing",
        )
    return n_planned


def list_changes(
    before: tuple[Trial, TrialDocument], trial: Trial, look: Look
) -> tuple[CautionInfo, ...]:
    """Return what changed since the last look with other outcomes, as warnings."""
    earlier, document = before
    if look.outcomes_sha256 == document.looks[-1].outcomes_sha256:  # it is that look again
        return tuple(one for one in document.cautions if one.code in CHANGES)
    return tuple(find_changes(earlier, trial))
