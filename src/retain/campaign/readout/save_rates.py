"""What is known of each offer's save rate now: prior and outcomes together.

Nobody sees who was saved. Of those contacted a share p·(1 − γ) declines, where p is the share
that declines without contact, and γ the save rate: the control group tells of p, both arms of γ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from retain.campaign.assignment import Assignment
from retain.campaign.readout.outcomes import Outcomes
from retain.schema import Beta, Catalogue, Offer

N_GRID_NODES = 200
"""Grid points of either share."""
N_ZOOMS = 4
"""Times the grid is laid anew over where the mass is, so that millions of customers fit it."""
NEGLIGIBLE_DENSITY_SHARE = np.exp(-30.0)
"""Density, as a share of the highest, that is left out."""


@dataclass(frozen=True)
class ArmCounts:
    """Observed customers of one offer and how many of them declined."""

    treated: int
    treated_declined: int
    control: int
    control_declined: int


def estimate_save_rates(assignment: Assignment, outcomes: Outcomes) -> list[dict[str, Any]]:
    """One row an offer of the catalogue, in its order.

    ``offer, n_treated, n_control`` (observed), ``lift`` (how many times the save rate is on average
    among those contacted, by the plan), ``prior`` and ``posterior``: ``alpha, beta, value, low,
    high``. Where either arm is empty the posterior is the prior.
    """
    alpha = assignment.alpha
    rows = []
    for name, offer in assignment.catalogue.offers.items():
        arms, lift = _count_arms(name, assignment, outcomes), _average_lift(name, offer, assignment)
        prior = offer.save_rate
        told = {"offer": name, "n_treated": arms.treated, "n_control": arms.control, "lift": lift}
        told["prior"] = summarise_beta(prior, alpha)
        told["posterior"] = (
            compute_posterior(prior, arms, lift=lift, alpha=alpha)
            if arms.treated and arms.control
            else told["prior"]
        )
        rows.append(told)
    return rows


def compute_posterior(
    prior: Beta, arms: ArmCounts, *, lift: float = 1.0, alpha: float = 0.05
) -> dict[str, Any]:
    """γ given the outcomes: the Beta of the same mean and variance, and the grid's own quantiles.

    The prior of p is Jeffreys', Beta(½, ½). A save rate below 0 does not exist: of an offer that
    harms all this can say is that γ is near 0.

    >>> found = compute_posterior(Beta(alpha=6, beta=14), ArmCounts(4000, 1600, 4000, 2000))
    >>> round(found["value"], 2), found["low"] < 0.2 < found["high"]
    (0.2, True)
    """
    save, density = _marginalise(prior, arms, lift)
    mean = float(density @ save)
    variance = float(density @ (save - mean) ** 2)
    size = mean * (1 - mean) / variance - 1
    low, high = np.interp((alpha / 2, 1 - alpha / 2), np.cumsum(density) - density / 2, save)
    ends = {"low": float(low), "high": float(high)}
    return {"alpha": mean * size, "beta": (1 - mean) * size, "value": mean, **ends}


def summarise_beta(beta: Beta, alpha: float) -> dict[str, float]:
    """A Beta with its mean and the interval of level 1 − ``alpha``.

    >>> round(summarise_beta(Beta(alpha=6, beta=14), 0.05)["low"], 3)
    0.126
    """
    ends = special.betaincinv(beta.alpha, beta.beta, (alpha / 2, 1 - alpha / 2)).tolist()
    told = {"alpha": beta.alpha, "beta": beta.beta, "value": beta.mean}
    return {**told, "low": ends[0], "high": ends[1]}


def update_catalogue(catalogue: Catalogue, rows: list[dict[str, Any]]) -> Catalogue:
    """The same offers with what is known of their save rates now, under a name of its own."""
    known = {row["offer"]: row["posterior"] for row in rows}
    offers = {
        name: offer.model_copy(update={"save_rate": _round_beta(known[name])})
        for name, offer in catalogue.offers.items()
    }
    return Catalogue(name=next_catalogue_name(catalogue.name), offers=offers)


def next_catalogue_name(name: str) -> str:
    """What a catalogue is called after a read-out; safe as the name of a file.

    >>> [next_catalogue_name(f"store{end}") for end in ("", "_readout", "_readout_2")]
    ['store_readout', 'store_readout_2', 'store_readout_3']
    """
    safe = re.sub(r"\W+", "_", name).strip("_") or "offers"
    found = re.fullmatch(r"(.+_readout)(?:_(\d+))?", safe)
    return f"{found[1]}_{int(found[2] or 1) + 1}" if found else f"{safe}_readout"


def _round_beta(told: dict[str, float]) -> Beta:
    """Five digits, which is more than is known."""
    return Beta(alpha=float(f"{told['alpha']:.5g}"), beta=float(f"{told['beta']:.5g}"))


def _marginalise(prior: Beta, arms: ArmCounts, lift: float) -> tuple[np.ndarray, np.ndarray]:
    """γ at the nodes of a grid, and the mass of each, in all 1."""
    ends = {"save": (0.0, 1.0), "share": (0.0, 1.0)}
    for _ in range(N_ZOOMS):
        save, share = (low + (high - low) * _GRID_MIDPOINTS for low, high in ends.values())
        log = _log_density(save[:, None], share[None, :], prior, arms, lift)
        joint = np.exp(log - log.max())
        ends = {
            "save": _zoom_range(save, joint.max(axis=1)),
            "share": _zoom_range(share, joint.max(axis=0)),
        }
    mass = joint.sum(axis=1)
    return save, mass / mass.sum()


_GRID_MIDPOINTS = (np.arange(N_GRID_NODES) + 0.5) / N_GRID_NODES


def _zoom_range(nodes: np.ndarray, density: np.ndarray) -> tuple[float, float]:
    """The ends of the cells that hold what is not negligible, with one to spare on each side."""
    kept = np.flatnonzero(density > NEGLIGIBLE_DENSITY_SHARE)
    step = nodes[1] - nodes[0]
    low, high = nodes[kept[0]] - 1.5 * step, nodes[kept[-1]] + 1.5 * step
    return max(float(low), 0.0), min(float(high), 1.0)


def _log_density(
    save: np.ndarray, share: np.ndarray, prior: Beta, arms: ArmCounts, lift: float
) -> np.ndarray:
    """Of γ and p together, up to a constant; the lifted rate ends at 1, as in the plan."""
    stayed, control_stayed = (
        arms.treated - arms.treated_declined,
        arms.control - arms.control_declined,
    )
    left = share * (1 - np.minimum(save * lift, 1.0))
    return np.asarray(
        special.xlogy(prior.alpha - 1, save)
        + special.xlog1py(prior.beta - 1, -save)
        + special.xlogy(arms.control_declined - 0.5, share)
        + special.xlog1py(control_stayed - 0.5, -share)
        + special.xlogy(arms.treated_declined, left)
        + special.xlog1py(stayed, -left)
    )


def _count_arms(name: str, assignment: Assignment, outcomes: Outcomes) -> ArmCounts:
    if outcomes.declined is None:
        return ArmCounts(0, 0, 0, 0)
    here = (assignment.table["offer"] == name).to_numpy() & np.isfinite(outcomes.declined)
    arms = [outcomes.declined[here & arm] for arm in (assignment.treated, ~assignment.treated)]
    (treated, control) = arms
    return ArmCounts(len(treated), int(treated.sum()), len(control), int(control.sum()))


def _average_lift(name: str, offer: Offer, assignment: Assignment) -> float:
    """How many times the plan took the save rate to be, on average over those who would decline.

    By what the plan expects of each contacted: net + cost = risk × save rate × at stake.
    """
    if offer.lift is None:
        return 1.0
    table = assignment.table[assignment.treated & (assignment.table["offer"] == name).to_numpy()]
    at_risk = table["risk"] * table["value_at_stake"]
    known = (at_risk > 0).to_numpy()
    if not known.any():
        return 1.0
    rate = ((table["expected_net"] + table["expected_cost"]) / at_risk)[known].clip(0.0, 1.0)
    return float(np.average(rate, weights=table["risk"][known]) / offer.save_rate.mean)
