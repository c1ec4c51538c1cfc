"""Posterior save rate of each offer, from its prior and the outcomes.

Saved customers cannot be observed. A share p of the customers declines without contact and q with
it; the save rate is γ = 1 − q ÷ p, below 0 if the offer drives customers away. The control group
informs p, both arms together γ.

The prior of γ is a robust mixture (Schmidli et al. 2014): the catalogue's Beta, which may be wrong,
and a vague component around no effect, N(0, ``VAGUE_SD``²) for the log odds ratio of q and p. If
the outcomes contradict the Beta, the vague component takes over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from retain.campaign.assignment import Assignment
from retain.campaign.offers.save_rate import log_save_rate_density, summarise_beta
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.readout.strata import count_standardised
from retain.record.campaign_document import BetaEstimate
from retain.record.estimates import Estimate
from retain.record.readout_document import SaveRateRow
from retain.schema.campaign import Beta, Offer

ASSUMED_VAGUE_WEIGHT = 0.75
"""Prior weight of the vague component beside a Beta above 0: an assumption that an offer helps."""
LEARNED_VAGUE_WEIGHT = 0.1
"""The same beside a Beta that reaches below 0, as a readout leaves it; customers may change."""
VAGUE_SD = 1.0
"""Standard deviation of the log odds ratio in it: half of the ratios lie between ½ and 2."""
CONFLICT_BAYES_FACTOR = 3.0
"""Evidence against the Beta above which it conflicts with the outcomes (Kass & Raftery 1995)."""
MIN_CONTACT_RATE_DIFFERENCE = 0.1
"""With hardly more contacts among the treated, outcomes say nothing about a contact."""
LEARNED_MINIMUM = -1.0
"""Lowest save rate that a new catalogue can express: twice as many decline."""
N_GRID_NODES = 120
"""Grid points of either rate."""
N_ZOOMS = 4
"""Refinements of the grid around the mass, which is narrow for millions of customers."""
NEGLIGIBLE_LOG_DENSITY = 18.0
"""Distance below the highest log density ignored by the refinement."""
MAX_LOG_ODDS_RATIO = 6 * VAGUE_SD
"""End of the grid of the vague component."""


@dataclass(frozen=True)
class ArmCounts:
    """Observed customers of one offer by arm, and the number of them who declined.

    Where shares of the control group differ, effective numbers, see ``standardise``.
    """

    treated: float
    treated_declined: float
    control: float
    control_declined: float


def estimate_save_rates(assignment: Assignment, outcomes: Outcomes) -> tuple[SaveRateRow, ...]:
    """Return one row per offer of the catalogue, in its order.

    An offer without outcomes in both arms, or contacts, keeps its prior.
    """
    return tuple(
        _estimate_save_rate(name, offer, assignment, outcomes)
        for name, offer in assignment.catalogue.offers.items()
    )


def _estimate_save_rate(
    name: str, offer: Offer, assignment: Assignment, outcomes: Outcomes
) -> SaveRateRow:
    alpha, declined = assignment.alpha, outcomes.declined
    rows = _find_observed(name, assignment, declined)
    n_treated, n_control = (int((rows & arm).sum()) for arm in _both_arms(assignment))
    boost = _average_boost(name, offer, assignment)
    prior = summarise_beta(offer.save_rate, alpha)
    contact = _contact_rate_difference(name, assignment, outcomes)
    learned = Posterior(
        Estimate(prior.value, prior.low, prior.high), prior, None, is_conflict=False
    )
    if declined is not None and n_treated and n_control and contact >= MIN_CONTACT_RATE_DIFFERENCE:
        x, m, y, n = (one.item() for one in count_standardised(declined, assignment, rows))
        arms = ArmCounts(treated=m, treated_declined=x, control=n, control_declined=y)
        learned = compute_posterior(offer.save_rate, arms, boost=boost * contact, alpha=alpha)
    return SaveRateRow(
        offer=name,
        n_treated=n_treated,
        n_control=n_control,
        boost=boost,
        contact_rate_difference=contact,
        prior=prior,
        posterior=learned.posterior,
        catalogue=learned.catalogue,
        vague_weight=learned.vague_weight,
        is_conflict=learned.is_conflict,
    )


@dataclass(frozen=True)
class Posterior:
    """An estimate of a save rate from outcomes; see ``SaveRateRow``."""

    posterior: Estimate
    catalogue: BetaEstimate
    vague_weight: float | None
    is_conflict: bool


def compute_posterior(
    prior: Beta, arms: ArmCounts, *, boost: float = 1.0, alpha: float = 0.05
) -> Posterior:
    """Return the posterior of one offer.

    The catalogue's Beta has the mean and the variance of the posterior, but its own interval. The
    prior of p is Jeffreys', Beta(½, ½).

    >>> found = compute_posterior(Beta(alpha=6, beta=14), ArmCounts(4000, 1600, 4000, 2000))
    >>> round(found.posterior.value, 2), found.is_conflict
    (0.2, False)
    """
    informative = _integrate(_informative_density(prior, arms, boost), (prior.minimum, 1.0))
    vague = _integrate(_vague_density(arms), (-MAX_LOG_ODDS_RATIO, MAX_LOG_ODDS_RATIO))
    vague_rate = (1 - _declining_share(vague.effect, vague.share) / vague.share) / boost
    vague_mass = np.where(vague_rate <= 1, vague.mass, 0.0)  # of fewer contacts: no more than all
    possible = max(float(vague_mass.sum()), 1e-300)
    evidence = vague.log_evidence + np.log(possible) - informative.log_evidence
    bayes_factor = float(np.exp(np.clip(evidence, -500, 500)))
    prior_weight = ASSUMED_VAGUE_WEIGHT if prior.minimum == 0 else LEARNED_VAGUE_WEIGHT
    odds = bayes_factor * prior_weight / (1 - prior_weight)
    weight = odds / (1 + odds)
    rate = np.concatenate([informative.effect.ravel(), vague_rate.ravel()])
    mass = np.concatenate(
        [(1 - weight) * informative.mass.sum(axis=1), weight / possible * vague_mass.ravel()]
    )
    posterior, beta = _summarise_sample(rate, mass, alpha)
    is_conflict = bayes_factor > CONFLICT_BAYES_FACTOR
    return Posterior(posterior, summarise_beta(beta, alpha), weight, is_conflict)


def _summarise_sample(rate: np.ndarray, mass: np.ndarray, alpha: float) -> tuple[Estimate, Beta]:
    """Return mean and interval of weighted save rates, and the matching Beta."""
    order = np.argsort(rate)
    below = np.cumsum(mass[order]) - mass[order] / 2
    low, high = np.interp((alpha / 2, 1 - alpha / 2), below, rate[order]).tolist()
    mean = float(mass @ rate)
    beta = match_beta(mean, float(mass @ (rate - mean) ** 2))
    return Estimate(mean, low, high), beta


def match_beta(mean: float, variance: float) -> Beta:
    """Return the Beta between ``LEARNED_MINIMUM`` and 1 of a mean and variance, to five digits.

    >>> beta = match_beta(-0.1, 0.01)
    >>> round(beta.mean, 3), beta.minimum
    (-0.1, -1.0)
    """
    spread = 1 - LEARNED_MINIMUM
    share = min(max((mean - LEARNED_MINIMUM) / spread, 0.001), 0.999)
    size = share * (1 - share) * spread**2 / max(variance, 1e-12) - 1
    size = min(max(size, 1.0), 1e9)
    alpha, beta = (float(f"{part * size:.5g}") for part in (share, 1 - share))
    return Beta(alpha=alpha, beta=beta, minimum=LEARNED_MINIMUM)


class _Integral(NamedTuple):
    """A density on a grid: nodes of the effect (n, 1) and of p (1, n), and the mass of each cell.

    ``log_evidence`` is the log of its integral.
    """

    effect: np.ndarray
    share: np.ndarray
    mass: np.ndarray
    log_evidence: float


def _integrate(
    log_density: Callable[[np.ndarray, np.ndarray], np.ndarray], effects: tuple[float, float]
) -> _Integral:
    """Integrate a joint density of an effect and p, on a grid refined around its mass."""
    ranges = (effects, (0.0, 1.0))
    for _ in range(N_ZOOMS):
        effect, share = (low + (high - low) * _GRID_MIDPOINTS for low, high in ranges)
        log = log_density(effect[:, None], share[None, :])
        highest = float(log.max())
        is_kept = np.asarray(log > highest - NEGLIGIBLE_LOG_DENSITY)
        step = (effect[1] - effect[0], share[1] - share[0])
        ranges = (
            _zoom_range(effect, np.flatnonzero(is_kept.any(axis=1)), effects),
            _zoom_range(share, np.flatnonzero(is_kept.any(axis=0)), (0.0, 1.0)),
        )
    mass = np.exp(log - highest)
    total = float(mass.sum())
    evidence = highest + float(np.log(total * step[0] * step[1]))
    return _Integral(effect[:, None], share[None, :], mass / total, evidence)


_GRID_MIDPOINTS = (np.arange(N_GRID_NODES) + 0.5) / N_GRID_NODES


def _zoom_range(
    nodes: np.ndarray, kept: np.ndarray, limits: tuple[float, float]
) -> tuple[float, float]:
    """Return the range of the nodes kept, with one more on each side."""
    step = nodes[1] - nodes[0]
    low, high = nodes[kept[0]] - 1.5 * step, nodes[kept[-1]] + 1.5 * step
    return max(float(low), limits[0]), min(float(high), limits[1])


def _informative_density(
    prior: Beta, arms: ArmCounts, boost: float
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return the log density of γ and p under the Beta; a boosted rate leaves q in [0, 1]."""

    def log_density(save: np.ndarray, share: np.ndarray) -> np.ndarray:
        declining = np.clip(share * (1 - save * boost), 0.0, 1.0)
        log = log_save_rate_density(prior, save) + _log_likelihood(declining, share, arms)
        return np.asarray(log)

    return log_density


def _vague_density(arms: ArmCounts) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return the log density of the log odds ratio and p in the vague component."""

    def log_density(log_odds: np.ndarray, share: np.ndarray) -> np.ndarray:
        prior = -0.5 * (log_odds / VAGUE_SD) ** 2 - np.log(VAGUE_SD * np.sqrt(2 * np.pi))
        return np.asarray(prior + _log_likelihood(_declining_share(log_odds, share), share, arms))

    return log_density


def _declining_share(log_odds: np.ndarray, share: np.ndarray) -> np.ndarray:
    return np.asarray(special.expit(special.logit(share) + log_odds))


def _log_likelihood(declining: np.ndarray, share: np.ndarray, arms: ArmCounts) -> np.ndarray:
    """Return the log likelihood of q and p with Jeffreys' prior of p, up to a constant."""
    treated_stayed = arms.treated - arms.treated_declined
    control_stayed = arms.control - arms.control_declined
    return np.asarray(
        special.xlogy(arms.control_declined - 0.5, share)
        + special.xlog1py(control_stayed - 0.5, -share)
        + special.xlogy(arms.treated_declined, declining)
        + special.xlog1py(treated_stayed, -declining)
    )


def _find_observed(name: str, assignment: Assignment, declined: np.ndarray | None) -> np.ndarray:
    """Return the mask of customers with this offer whose outcome is known, shape (n,)."""
    is_offered = (assignment.table["offer"] == name).to_numpy(dtype=bool)
    return is_offered & (False if declined is None else np.isfinite(declined))


def _contact_rate_difference(name: str, assignment: Assignment, outcomes: Outcomes) -> float:
    """Return how many more of the treated than of the control group were contacted."""
    if outcomes.contacted is None:
        return 1.0
    is_known = (assignment.table["offer"] == name).to_numpy() & np.isfinite(outcomes.contacted)
    contacted, weight = np.nan_to_num(outcomes.contacted), assignment.weight
    arms = (weight * (is_known & arm) for arm in _both_arms(assignment))
    treated, control = (arm @ contacted / max(arm.sum(), 1.0) for arm in arms)
    return float(treated - control)


def _both_arms(assignment: Assignment) -> tuple[np.ndarray, np.ndarray]:
    return assignment.is_treated, ~assignment.is_treated


def _average_boost(name: str, offer: Offer, assignment: Assignment) -> float:
    """Return the plan's mean factor on the save rate, weighted by risk.

    From the plan's expected net value of each treated customer: net + cost = risk × save rate ×
    value at stake. A mean save rate of 0 shows no factor.
    """
    mean = offer.save_rate.mean
    if offer.boost is None or mean == 0:
        return 1.0
    table = assignment.table[assignment.is_treated & (assignment.table["offer"] == name).to_numpy()]
    at_risk = table["risk"] * table["value_at_stake"]
    has_risk = (at_risk > 0).to_numpy()
    if not has_risk.any():
        return 1.0
    rate = ((table["expected_net"] + table["expected_cost"]) / at_risk)[has_risk].clip(upper=1.0)
    boost = float(np.average(rate, weights=table["risk"][has_risk]) / mean)
    return min(max(boost, min(1.0, offer.boost.factor)), max(1.0, offer.boost.factor))
