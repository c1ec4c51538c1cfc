"""Looks at a trial whose outcomes arrive in waves, one after the other."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from retain.campaign.readout.arm_effects import compare_all_arms, estimate_arm_effects
from retain.campaign.readout.looks import Monitor
from retain.campaign.readout.sequential import always_valid_p
from retain.campaign.readout.trial_looks import TrialMonitor, add_trial_look, hash_trial
from retain.campaign.trial.covariates import encode_covariates
from retain.campaign.trial.trial import Outcome, Trial

N = 3000


def invented(*, call=0.0, seed=0):
    """Money of N customers in three arms, to which a call adds ``call``, and whether they visit."""
    random = np.random.default_rng(seed)
    arm = random.integers(0, 3, N)
    spend = random.lognormal(0.0, 1.0, N) + call * (arm == 2)
    outcomes = {
        "spend": Outcome("spend", "money", spend),
        "visit": Outcome("visit", "binary", (random.random(N) < 0.3).astype(float)),
    }
    return Trial(
        ids=pd.RangeIndex(N),
        arms=("control", "mail", "call"),
        arm=arm,
        propensity=np.full((N, 3), 1 / 3),
        stratum=np.zeros(N, int),
        outcomes=outcomes,
        covariates=pd.DataFrame(index=pd.RangeIndex(N)),
        cost=np.zeros(3),
    )


def wave(trial, n, outcome="spend"):
    """The trial when an outcome of the first n customers is known."""
    values = np.where(np.arange(N) < n, trial.outcomes[outcome].values, np.nan)
    known = replace(trial.outcomes[outcome], values=values)
    return replace(trial, outcomes={**trial.outcomes, outcome: known})


def monitor_of(trial, earlier=(), monitoring="auto", n_planned=N):
    looks = add_trial_look(earlier, trial, monitoring, n_planned)
    return TrialMonitor(trial, looks, n_planned, 0.05)


def rows_of(monitor):
    encoded = encode_covariates(monitor.trial.covariates)
    return compare_all_arms(monitor.trial, encoded, monitor, 0.8)


def test_half_of_the_outcomes_are_one_look_of_many():
    monitor = monitor_of(wave(invented(), N // 2))
    (look,) = monitor.looks
    assert look.method == "always_valid"
    assert look.information == pytest.approx(0.5, abs=0.02)
    assert monitor_of(invented()).looks[0].method == "once"


def test_a_longer_file_is_measured_by_the_customers_planned():
    trial, looks = invented(), ()
    for n in (1000, 2000, 2000, 3000):
        monitor = monitor_of(trial.take(np.arange(n)), looks, "always_valid", n_planned=2500)
        looks = monitor.looks
    assert [look.information for look in looks] == pytest.approx([0.4, 0.8, 1.2], abs=0.01)


def test_intervals_and_p_of_a_look_count_the_others():
    monitor = monitor_of(wave(invented(call=0.3), N // 2))
    at_once = replace(monitor, looks=add_trial_look((), monitor.trial, "once", N))
    for row, plain in zip(rows_of(monitor), rows_of(at_once), strict=True):
        gap, narrow = row.tested_difference, plain.tested_difference
        own = monitor.of_row(row)
        assert (gap.high - gap.low) / (narrow.high - narrow.low) == pytest.approx(
            own.width, rel=0.05
        )
        (corrected,) = monitor.correct([row])
        assert corrected.p == own.correct(plain.p) > plain.p


def test_each_comparison_is_corrected_by_the_information_that_it_has():
    monitor = monitor_of(wave(invented(), N // 10, "visit"))
    shares = {row.outcome: monitor.of_row(row).shares[-1] for row in rows_of(monitor)}
    assert shares["spend"] == pytest.approx(1.0)
    assert shares["visit"] == pytest.approx(0.1, abs=0.02)


def test_one_look_is_the_readout_without_looks():
    trial = invented(call=0.3)
    encoded = encode_covariates(trial.covariates)
    monitor = monitor_of(trial)
    plain = estimate_arm_effects(trial, encoded, alpha=0.05, power=0.8)
    for row, one in zip(monitor.correct(rows_of(monitor)), plain, strict=True):
        assert (row.p, row.difference) == (one.p, one.difference)


def test_an_arm_that_harms_is_stopped_early_and_no_other():
    early = monitor_of(wave(invented(call=-0.5), N // 2))
    (caution,) = early.cautions(rows_of(early))
    assert (caution.code, caution.numbers["arm"]) == ("stop", "call")
    late = monitor_of(invented(call=-0.5), early.looks)
    assert not list(late.cautions(rows_of(late)))


# An arm of two customers is not tested, and has no part in the error of those that are.
def test_an_arm_too_small_to_test_leaves_the_stop_of_others_as_it_is():
    monitor = monitor_of(wave(invented(call=-0.5), N // 2))
    mail, call = (row for row in rows_of(monitor) if row.role == "primary")
    own = monitor.of_row(call)
    p = next(p for p in np.linspace(0.001, 0.2, 200) if own.is_harm(p, 1) and not own.is_harm(p, 2))
    call = call.model_copy(update={"p": p})
    assert not list(monitor.cautions([mail.model_copy(update={"p": 1.0}), call]))
    (caution,) = monitor.cautions([mail.model_copy(update={"p": None}), call])
    assert caution.numbers["arm"] == "call"


def test_the_noise_of_floats_is_no_new_look():
    trial = invented()
    noisy = replace(trial.outcomes["spend"], values=trial.y * (1 + 4e-16))
    same = replace(trial, outcomes={**trial.outcomes, "spend": noisy})
    assert hash_trial(same) == hash_trial(trial)


def test_a_look_that_allowed_for_no_other_is_warned_of():
    first = monitor_of(invented().take(np.arange(1000)), n_planned=1000)
    second = monitor_of(invented(), first.looks, n_planned=1000)
    assert [look.method for look in second.looks] == ["once", "always_valid"]
    (caution,) = second.cautions(rows_of(second))
    assert (caution.code, caution.numbers["n_looks"]) == ("looks", 2)


def test_a_look_after_the_declared_end_is_warned_of():
    trial, looks, warned = invented(), (), []
    for n in (1500, 2000, 3000):
        monitor = monitor_of(trial.take(np.arange(n)), looks, "planned_end", n_planned=1900)
        looks = monitor.looks
        warned.append([caution.code for caution in monitor.cautions(())])
    assert warned == [[], [], ["looks"]]


def test_how_long_to_wait_falls_with_the_effect_that_is_hoped_for():
    monitor = monitor_of(wave(invented(), N // 2))
    rows = rows_of(monitor)
    waits = [monitor.summarise(rows, effect, 0.8).n_more for effect in (2.0, 0.3, 0.15, 1e-9)]
    assert waits[0] == 0
    assert 0 < waits[1] < waits[2]
    assert waits[3] is None
    assert monitor.summarise(rows, None, 0.8).n_more is None


# Whoever looks once has one look's interval, and after another look that of many.
def test_who_has_looked_once_waits_as_long_as_who_looks_often():
    trial = invented()
    once, often = (monitor_of(trial, monitoring=one) for one in ("once", "always_valid"))
    waits = [one.summarise(rows_of(one), 0.15, 0.8).n_more for one in (once, often)]
    assert waits[0] == pytest.approx(waits[1], rel=1e-3)


# The χ² of a test that several parts are alike, at 100 looks at 2,000 trials without effects.
def test_a_chi2_of_several_parts_is_right_at_all_looks_together():
    random, df, n_looks = np.random.default_rng(1), 3, 100
    steps = random.standard_normal((2000, n_looks, df)) / n_looks**0.5
    shares = np.arange(1, n_looks + 1) / n_looks
    chi2 = (steps.cumsum(axis=1) ** 2).sum(axis=2) / shares
    corrected = [
        [Monitor("always_valid", (share,), 0.05).correct_chi2(one, df) for one in chi2[:, k]]
        for k, share in enumerate(shares)
    ]
    found = (np.array(corrected) < 0.05).any(axis=0).mean()
    assert 0.005 < found < 0.05
    assert always_valid_p(9.0, 0.5, 0.05, df=1) < always_valid_p(9.0, 0.5, 0.05, df=3)
