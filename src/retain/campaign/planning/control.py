"""Control group: a random share of the chosen customers, who are not contacted.

The plan is made for treated and control together, with limits as of ``inflate_limit``. Then a share
is sampled systematically over a seeded order within offer and segment, so that all chosen customers
have the same chance and no offer has more treated than it can serve. If the treated would cost more
than the budget, the sample is drawn again (re-randomisation, Morgan & Rubin 2012), and also if they
would cost less than expected by as much: rejecting only expensive samples would put the costlier
customers into the control group. One bias remains: a customer whose cost alone exceeds the slack of
the budget is less often in the control group. Without a binding budget all chances are equal.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

MAX_ATTEMPTS = 200
"""Samples drawn before none is taken to fit the budget."""
SHARE_STEPS = 1000
"""Steps between 0 and 1 of shares that differ between customers."""
ROUNDING_SHARE = 1e-12
"""Rounding error of a sum of costs, as a share of it."""


@dataclass(frozen=True)
class ControlAssignment:
    """Assignment of the chosen customers to the control group.

    Attributes
    ----------
    is_control
        True for the control group, shape (n,).
    n_attempts
        Number of samples drawn until one fitted the budget.
    propensity
        Probability of each chosen customer to be treated, shape (n,); 0 for other customers.
    assignment_id
        Id of each chosen customer's assignment, shape (n,): 12 hex digits of the SHA-256 of seed,
        attempt and customer id; empty for other customers. It can be checked with the seed.
    """

    is_control: np.ndarray
    n_attempts: int
    propensity: np.ndarray
    assignment_id: np.ndarray


def inflate_limit(limit: int, share: float) -> int:
    """Return the most customers of whom at most ``limit`` are treated, given the control share.

    >>> inflate_limit(80, 0.2), inflate_limit(81, 0.2), inflate_limit(7, 0.0)
    (100, 101, 7)
    """
    fraction = _to_fraction(share)
    return limit * fraction.denominator // (fraction.denominator - fraction.numerator)


def ceil_share(count: int, share: float) -> int:
    """Return a share of a number of customers, rounded up.

    >>> ceil_share(30, 0.1), ceil_share(31, 0.1), ceil_share(31, 1.0)
    (3, 4, 31)
    """
    fraction = _to_fraction(share)
    return -(-count * fraction.numerator // fraction.denominator)


def assign_control(  # noqa: PLR0913 - a design has this many parameters
    offer_index: np.ndarray,
    cost: np.ndarray,
    segment: np.ndarray,
    ids: np.ndarray,
    *,
    share: float | np.ndarray,
    seed: int,
    budget: float | None = None,
    explores: np.ndarray | None = None,
) -> ControlAssignment | None:
    """Assign a random share of the chosen customers to the control group.

    Return None if no sample fits the budget and a cheaper plan is needed. From about fifty
    customers on a sample fits if the treated are expected to cost 1 % less than the budget.

    Parameters
    ----------
    offer_index
        Index of the offer chosen for each customer, −1 for none, shape (n,).
    cost
        Expected cost of that offer for that customer, shape (n,); ignored without an offer.
    segment
        Segment of each customer, shape (n,).
    ids
        Customer ids, shape (n,), all different. The sample depends on ids, not on rows.
    share
        Share of the control group, at least 0 and below 1: ⌊share · n⌋ or ⌈share · n⌉ customers of
        each offer, and of each offer within a segment. Or the probability of each customer to be in
        it, shape (n,), in steps of 1 / ``SHARE_STEPS``: as many of each offer as the probabilities
        add up to, rounded down or up, and of those of like probability in a segment.
    seed
        Seed of the samples.
    budget
        Highest cost of the treated; None is no limit.
    explores
        True for customers whose offer was drawn at random, shape (n,), of whom the share is sampled
        apart; None if nobody's was.
    """
    rows = np.flatnonzero(offer_index >= 0)
    rows = rows[np.argsort(_hash_ids(ids[rows]), kind="stable")]
    shares, chosen_cost = np.broadcast_to(share, ids.shape)[rows], cost[rows]
    is_apart = np.zeros(len(rows), dtype=bool) if explores is None else explores[rows]
    strata = shares, _sorted_codes(segment[rows]), is_apart, offer_index[rows]
    steps, denominator = _to_steps(share, shares)
    expected = float(chosen_cost @ (1 - shares))
    slack = np.inf if budget is None else budget - expected + ROUNDING_SHARE * expected
    for attempt in range(1, MAX_ATTEMPTS + 1 if slack >= 0 else 1):
        random = np.random.default_rng([seed, attempt])
        is_control = _sample_control(strata, steps, denominator, random)
        if abs(float(chosen_cost[~is_control].sum()) - expected) <= slack:
            return _to_assignment(rows, is_control, 1 - shares, ids, seed, attempt)
    return None


def _to_steps(share: float | np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, int]:
    """Return shares as whole numbers, shape (n,), and their common denominator."""
    if isinstance(share, np.ndarray):
        return np.rint(shares * SHARE_STEPS).astype(int), SHARE_STEPS
    fraction = _to_fraction(share)
    return np.full(len(shares), fraction.numerator), fraction.denominator


def _sample_control(
    strata: tuple[np.ndarray, ...],
    steps: np.ndarray,
    denominator: int,
    random: np.random.Generator,
) -> np.ndarray:
    """Return True where the sum of shares passes a whole number, in a random order, shape (n,).

    From a random start, so that each is sampled with the probability of its share. Integer
    arithmetic: a share of 1/5 takes 4 of any 20 in a row.
    """
    order = np.lexsort((random.random(len(steps)), *strata))
    marks = np.concatenate([[0], np.cumsum(steps[order])]) + random.integers(denominator)
    is_control = np.empty(len(order), dtype=bool)
    is_control[order] = np.diff(marks // denominator) > 0
    return is_control


def _to_assignment(  # noqa: PLR0913, PLR0917 - the parts of an assignment
    rows: np.ndarray,
    is_control: np.ndarray,
    treated_shares: np.ndarray,
    ids: np.ndarray,
    seed: int,
    attempt: int,
) -> ControlAssignment:
    control_mask, propensity = np.zeros(len(ids), dtype=bool), np.zeros(len(ids))
    propensity[rows] = treated_shares
    control_mask[rows[is_control]] = True
    texts = (f"{seed}:{attempt}:{customer}".encode() for customer in ids[rows].tolist())
    assignment_id = np.full(len(ids), "", dtype="<U12")
    assignment_id[rows] = [hashlib.sha256(text).hexdigest()[:12] for text in texts]
    return ControlAssignment(control_mask, attempt, propensity, assignment_id)


def _hash_ids(ids: np.ndarray) -> np.ndarray:
    """Return a number for each customer, whatever the order of rows, shape (n,)."""
    return np.asarray(pd.util.hash_array(_to_strings(ids), categorize=False))


def _to_strings(labels: np.ndarray) -> np.ndarray:
    return np.array(list(map(str, labels.tolist())), dtype=object)


def _sorted_codes(labels: np.ndarray) -> np.ndarray:
    return pd.factorize(_to_strings(labels), sort=True)[0]


def _to_fraction(share: float) -> Fraction:
    """Return the share as it was typed."""
    return Fraction(share).limit_denominator(1_000_000)
