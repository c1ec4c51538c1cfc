"""Posterior save rate of each offer, from its prior and the outcomes.

Saved customers cannot be observed. A share p·(1 − γ) of the treated declines, where p is the
decline rate without contact and γ the save rate: the control group informs p, both arms together γ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from retain.campaign.assignment import Assignment
from retain.campaign.readout.outcomes import Outcomes
from retain.schema.campaign import Beta, Catalogue, Offer

N_GRID_NODES = 200
"""Grid points of either rate."""
N_ZOOMS = 4
"""Refinements of the grid around the mass, which is narrow for millions of customers."""
NEGLIGIBLE_DENSITY_SHARE = np.exp(-30.0)
"""Density ignored by the refinement, as a share of the highest."""


@dataclass(frozen=True)
class ArmCounts:
    """Observed customers of one offer by arm, and the number of them who declined."""

    treated: int
    treated_declined: int
    control: int
    control_declined: int


def estimate_save_rates(assignment: Assignment, outcomes: Outcomes) -> list[dict[str, Any]]:
    """Return one row per offer of the catalogue, in its order.

    ``offer, n_treated, n_control`` (observed), ``lift`` (the mean factor on the save rate among
    those treated, by the plan), ``prior`` and ``posterior``: ``alpha, beta, value, low, high``. If
    either arm is empty the posterior is the prior.
    """
    alpha = assignment.alpha
    rows = []
    for name, offer in assignment.catalogue.offers.items():
        arms, lift = _count_arms(name, assignment, outcomes), _average_lift(name, offer, assignment)
        prior = offer.save_rate
        row = {"offer": name, "n_treated": arms.treated, "n_control": arms.control, "lift": lift}
        row["prior"] = summarise_beta(prior, alpha)
        row["posterior"] = (
            compute_posterior(prior, arms, lift=lift, alpha=alpha)
            if arms.treated and arms.control
            else row["prior"]
        )
        rows.append(row)
    return rows


def compute_posterior(
    prior: Beta, arms: ArmCounts, *, lift: float = 1.0, alpha: float = 0.05
) -> dict[str, Any]:
    """Return the posterior of γ: the Beta of the same mean and variance, and the grid's quantiles.

    The prior of p is Jeffreys', Beta(½, ½). A save rate cannot be below 0: for a harmful offer the
    posterior is near 0.

    >>> found = compute_posterior(Beta(alpha=6, beta=14), ArmCounts(4000, 1600, 4000, 2000))
    >>> round(found["value"], 2), found["low"] < 0.2 < found["high"]
    (0.2, True)
    """
    save, density = _marginalise(prior, arms, lift)
    mean = float(density @ save)
    variance = float(density @ (save - mean) ** 2)
    size = mean * (1 - mean) / variance - 1
    low, high = np.interp((alpha / 2, 1 - alpha / 2), np.cumsum(density) - density / 2, save)
    interval = {"low": float(low), "high": float(high)}
    return {"alpha": mean * size, "beta": (1 - mean) * size, "value": mean, **interval}


def summarise_beta(beta: Beta, alpha: float) -> dict[str, float]:
    """Return a Beta with its mean and the interval of level 1 − ``alpha``.

    >>> round(summarise_beta(Beta(alpha=6, beta=14), 0.05)["low"], 3)
    0.126
    """
    interval = special.betaincinv(beta.alpha, beta.beta, (alpha / 2, 1 - alpha / 2)).tolist()
    row = {"alpha": beta.alpha, "beta": beta.beta, "value": beta.mean}
    return {**row, "low": interval[0], "high": interval[1]}


def update_catalogue(catalogue: Catalogue, rows: list[dict[str, Any]]) -> Catalogue:
    """Return the same offers with updated save rates, under a new name."""
    posteriors = {row["offer"]: row["posterior"] for row in rows}
    offers = {
        name: offer.model_copy(update={"save_rate": _round_beta(posteriors[name])})
        for name, offer in catalogue.offers.items()
    }
    return Catalogue(name=next_catalogue_name(catalogue.name), offers=offers)


def next_catalogue_name(name: str) -> str:
    """Return the name of a catalogue after a readout; safe as a file name.

    >>> [next_catalogue_name(f"store{end}") for end in ("", "_readout", "_readout_2")]
    ['store_readout', 'store_readout_2', 'store_readout_3']
    """
    safe = re.sub(r"\W+", "_", name).strip("_") or "offers"
    match = re.fullmatch(r"(.+_readout)(?:_(\d+))?", safe)
    return f"{match[1]}_{int(match[2] or 1) + 1}" if match else f"{safe}_readout"


def _round_beta(row: dict[str, float]) -> Beta:
    """Return a Beta rounded to five digits, more than are known."""
    return Beta(alpha=float(f"{row['alpha']:.5g}"), beta=float(f"{row['beta']:.5g}"))


def _marginalise(prior: Beta, arms: ArmCounts, lift: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the grid nodes of γ and the mass of each, in total 1."""
    ranges = {"save": (0.0, 1.0), "share": (0.0, 1.0)}
    for _ in range(N_ZOOMS):
        save, share = (low + (high - low) * _GRID_MIDPOINTS for low, high in ranges.values())
        log = _log_density(save[:, None], share[None, :], prior, arms, lift)
        joint = np.exp(log - log.max())
        ranges = {
            "save": _zoom_range(save, joint.max(axis=1)),
            "share": _zoom_range(share, joint.max(axis=0)),
        }
    mass = joint.sum(axis=1)
    return save, mass / mass.sum()


_GRID_MIDPOINTS = (np.arange(N_GRID_NODES) + 0.5) / N_GRID_NODES


def _zoom_range(nodes: np.ndarray, density: np.ndarray) -> tuple[float, float]:
    """Return the range of nodes whose density is not negligible, with one more on each side."""
    kept = np.flatnonzero(density > NEGLIGIBLE_DENSITY_SHARE)
    step = nodes[1] - nodes[0]
    low, high = nodes[kept[0]] - 1.5 * step, nodes[kept[-1]] + 1.5 * step
    return max(float(low), 0.0), min(float(high), 1.0)


def _log_density(
    save: np.ndarray, share: np.ndarray, prior: Beta, arms: ArmCounts, lift: float
) -> np.ndarray:
    """Return the joint log density of γ and p up to a constant; the lifted rate is at most 1."""
    treated_stayed = arms.treated - arms.treated_declined
    control_stayed = arms.control - arms.control_declined
    declining = share * (1 - np.minimum(save * lift, 1.0))
    return np.asarray(
        special.xlogy(prior.alpha - 1, save)
        + special.xlog1py(prior.beta - 1, -save)
        + special.xlogy(arms.control_declined - 0.5, share)
        + special.xlog1py(control_stayed - 0.5, -share)
        + special.xlogy(arms.treated_declined, declining)
        + special.xlog1py(treated_stayed, -declining)
    )


def _count_arms(name: str, assignment: Assignment, outcomes: Outcomes) -> ArmCounts:
    if outcomes.declined is None:
        return ArmCounts(0, 0, 0, 0)
    is_offered = (assignment.table["offer"] == name).to_numpy() & np.isfinite(outcomes.declined)
    treated = outcomes.declined[is_offered & assignment.is_treated]
    control = outcomes.declined[is_offered & ~assignment.is_treated]
    return ArmCounts(len(treated), int(treated.sum()), len(control), int(control.sum()))


def _average_lift(name: str, offer: Offer, assignment: Assignment) -> float:
    """Return the plan's mean factor on the save rate, weighted by risk.

    From the plan's expected net value of each treated customer: net + cost = risk × save rate ×
    value at stake.
    """
    if offer.lift is None:
        return 1.0
    table = assignment.table[assignment.is_treated & (assignment.table["offer"] == name).to_numpy()]
    at_risk = table["risk"] * table["value_at_stake"]
    has_risk = (at_risk > 0).to_numpy()
    if not has_risk.any():
        return 1.0
    rate = ((table["expected_net"] + table["expected_cost"]) / at_risk)[has_risk].clip(0.0, 1.0)
    return float(np.average(rate, weights=table["risk"][has_risk]) / offer.save_rate.mean)
