"""Power of a control group: the smallest effect it can show, and the sample an effect needs.

For a two-sided test of two shares, on the arcsine scale on which a share's variance does not depend
on the share (Cohen 1988, ch. 6): h = 2 · asin √p₁ − 2 · asin √p₂ is detected with the wanted power
from h = (z_{1−α/2} + z_power) · √(1/n₁ + 1/n₂) on. The effect is a fall of the decline rate: above
½ the variance grows as the rate falls, so that a fall needs more customers than a rise, or than the
variance of the baseline alone would say.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import special

from retain.campaign.audience import Audience
from retain.campaign.planning.control_design import equivalent_share
from retain.campaign.planning.plan import CampaignPlan
from retain.record.plan_scenarios import PowerInfo, PowerResult
from retain.schema.campaign import CampaignConfig

N_OUTCOMES = 2
"""Outcomes of the readout, declines and profit, that share the level (see its gatekeeping)."""


def summarise_power(plan: CampaignPlan, audience: Audience, planning: CampaignConfig) -> PowerInfo:
    """Return detectable and expected effect, overall and by segment.

    ``level`` is that of the readout's test of declines, if it knows profits too.
    """
    rows = np.flatnonzero(plan.offer_index >= 0)
    risk = audience.table["risk"].to_numpy()[rows]
    saved = risk * plan.select_chosen(plan.offers.save_rate)[rows]
    control = plan.control.is_control[rows]
    share = 1 - plan.control.propensity[rows]
    table = pd.DataFrame({"control": control, "share": share, "risk": risk, "saved": saved})
    segments = pd.Series(np.asarray(audience.segments)[rows], dtype=object)
    return PowerInfo(
        alpha=planning.alpha,
        level=planning.alpha / N_OUTCOMES,
        power=planning.power,
        overall=_analyse_power(table, planning),
        segments=tuple(
            _analyse_power(group, planning).model_copy(update={"segment": str(name)})
            for name, group in table.groupby(segments, sort=True)
        ),
    )


def _analyse_power(chosen: pd.DataFrame, planning: CampaignConfig) -> PowerResult:
    """Return the power of a comparison of decline rates, whose effects are in [0, 1].

    Where shares of the control group differ, it is that of arms of one share as good as they are.
    """
    n_control = int(chosen["control"].sum())
    n_treated = len(chosen) - n_control
    risk, saved = (chosen[name].mean() if len(chosen) else 0.0 for name in ("risk", "saved"))
    sizes: tuple[float, float] = (n_treated, n_control)
    if len(chosen) and np.ptp(chosen["share"]) > 0:
        share = equivalent_share(chosen["share"].to_numpy(), chosen["risk"].to_numpy())
        sizes = ((1 - share) * len(chosen), share * len(chosen))
    found = analyse_power(
        *sizes,
        baseline=float(risk),
        expected_effect=float(saved),
        alpha=planning.alpha / N_OUTCOMES,
        power=planning.power,
    )
    return found.model_copy(update={"n_treated": n_treated, "n_control": n_control})


def analyse_power(  # noqa: PLR0913 - a test has this many parameters
    treated: float,
    control: float,
    *,
    baseline: float,
    expected_effect: float,
    alpha: float,
    power: float,
) -> PowerResult:
    """Return what arms of these sizes show at two-sided level ``alpha`` and this power.

    >>> found = analyse_power(246, 62, baseline=0.83, expected_effect=0.05, alpha=0.05, power=0.8)
    >>> round(found.minimum_detectable_effect, 3), found.required_n, found.claimable
    (0.171, 983, False)
    """
    detectable = minimum_detectable_effect(
        treated, control, baseline=baseline, alpha=alpha, power=power
    )
    needed = required_sample(baseline, expected_effect, alpha=alpha, power=power)
    claimable = detectable is not None and expected_effect >= detectable
    return PowerResult(
        n_treated=round(treated),
        n_control=round(control),
        baseline_rate=baseline,
        minimum_detectable_effect=detectable,
        expected=expected_effect,
        required_n=needed,
        claimable=claimable,
    )


def minimum_detectable_effect(
    treated: float, control: float, *, baseline: float, alpha: float, power: float
) -> float | None:
    """Return the smallest fall of the baseline that is detected; None if even a fall to 0 is not.

    >>> round(minimum_detectable_effect(154, 154, baseline=0.83, alpha=0.05, power=0.8), 3)
    0.135
    """
    if not (treated > 0 and control > 0 and baseline > 0):
        return None
    h = _sum_quantiles(alpha, power) * math.sqrt(1 / treated + 1 / control)
    angle = _to_arcsine(baseline) - h / 2
    return baseline - math.sin(angle) ** 2 if angle >= 0 else None


def required_sample(
    baseline: float, expected_effect: float, *, alpha: float, power: float
) -> int | None:
    """Return the customers in each of two equal arms to detect a fall of ``expected_effect``.

    >>> required_sample(0.83, 0.05, alpha=0.05, power=0.8)
    983
    """
    if not 0 < expected_effect <= baseline:
        return None
    h = 2 * (_to_arcsine(baseline) - _to_arcsine(baseline - expected_effect))
    return math.ceil(2 * (_sum_quantiles(alpha, power) / h) ** 2)


def _to_arcsine(share: float) -> float:
    return math.asin(math.sqrt(share))


def _sum_quantiles(alpha: float, power: float) -> float:
    return float(special.ndtri(1 - alpha / 2) + special.ndtri(power))
