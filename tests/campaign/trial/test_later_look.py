"""A later look at a trial: the same customers in the same arms, and what changed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from retain.campaign.trial.later_look import find_changes, find_difference
from retain.campaign.trial.trial import Outcome, Trial

N = 40


@pytest.fixture
def trial():
    """Money of 40 customers in two arms, of which that of the last ten is not known yet."""
    spend = np.where(np.arange(N) < 30, np.arange(N) / 3, np.nan)
    return Trial(
        ids=pd.Index([f"c{k}" for k in range(N)]),
        arms=("none", "mail"),
        arm=np.arange(N) % 2,
        propensity=np.full((N, 2), 0.5),
        stratum=np.zeros(N, int),
        outcomes={"spend": Outcome("spend", "money", spend)},
        covariates=pd.DataFrame(index=pd.RangeIndex(N)),
        cost=np.zeros(2),
    )


def with_spend(trial, spend):
    return replace(trial, outcomes={"spend": replace(trial.outcome, values=spend)})


def test_more_outcomes_in_another_order_are_the_same_trial_without_changes(trial):
    known = with_spend(trial, np.arange(N) / 3 * (1 + 1e-15))
    later = known.take(np.arange(N)[::-1])
    assert find_difference(trial, later) is None
    assert not list(find_changes(trial, later))


def test_an_arm_may_start_later_and_another_one_stop(trial):
    third = np.where(np.arange(N) < 30, trial.arm, 2)
    later = replace(trial, arms=("none", "mail", "call"), arm=third)
    first = trial.take(np.arange(30))
    assert find_difference(first, later) is None
    without = replace(later.take(later.arm != 1), arms=("none", "call"))
    order = np.where(later.take(later.arm != 1).arm == 2, 1, 0)
    assert find_difference(first, replace(without, arm=order)) is None


def test_customers_who_changed_arms_are_another_trial(trial):
    arm = trial.arm.copy()
    arm[[2, 4]] = 1
    found = find_difference(trial, replace(trial, arm=arm))
    assert found == "2 of its customers were in another arm ('c2', 'c4')"


def test_few_shared_customers_are_another_trial(trial):
    later = replace(trial, ids=pd.Index([f"c{k}" for k in range(25, 25 + N)]))
    assert find_difference(trial, later) == "of its 40 customers 15 are in this table"


def test_another_primary_outcome_or_control_group_is_another_trial(trial):
    visits = {"visits": replace(trial.outcome, name="visits")} | dict(trial.outcomes)
    found = find_difference(trial, replace(trial, outcomes=visits))
    assert found == "its primary outcome, the first one typed, is 'spend'"
    turned = replace(trial, arms=("mail", "none"), arm=1 - trial.arm)
    assert find_difference(trial, turned) == "its control group is 'none'"


def test_outcomes_that_changed_or_vanished_and_customers_who_are_gone_are_told(trial):
    spend = trial.y.copy()
    spend[3], spend[4] = 99.0, np.nan
    later = with_spend(trial, spend).take(np.arange(N) != 7)
    gone, changed = find_changes(trial, later)
    assert (gone.code, dict(gone.numbers)) == ("customers_gone", {"n_customers": 1, "ids": "'c7'"})
    assert changed.code == "outcomes_changed"
    assert dict(changed.numbers) == {"n_customers": 2, "ids": "'c3', 'c4'"}
