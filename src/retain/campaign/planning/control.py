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
    assignment_id
        Id of each chosen customer's assignment, shape (n,): 12 hex digits of the SHA-256 of seed,
        attempt and customer id; empty for other customers. It can be checked with the seed.
    """

    is_control: np.ndarray
    n_attempts: int
    assignment_id: np.ndarray


def inflate_limit(limit: int, share: float) -> int:
    """Return the most customers of whom at most ``limit`` are treated, given the control share.

    >>> inflate_limit(80, 0.2), inflate_limit(81, 0.2), inflate_limit(7, 0.0)
    (100, 101, 7)
    """
    fraction = _to_fraction(share)
    return limit * fraction.denominator // (fraction.denominator - fraction.numerator)


def assign_control(  # noqa: PLR0913 - a design has this many parameters
    offer_index: np.ndarray,
    cost: np.ndarray,
    segment: np.ndarray,
    ids: np.ndarray,
    *,
    share: float,
    seed: int,
    budget: float | None = None,
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
        each offer, and of each offer within a segment.
    seed
        Seed of the samples.
    budget
        Highest cost of the treated; None is no limit.
    """
    rows = np.flatnonzero(offer_index >= 0)
    rows = rows[np.argsort(_hash_ids(ids[rows]), kind="stable")]
    strata = _sorted_codes(segment[rows]), offer_index[rows]
    chosen_cost, fraction = cost[rows], _to_fraction(share)
    expected = float(chosen_cost.sum()) * (1 - share)
    slack = np.inf if budget is None else budget - expected + ROUNDING_SHARE * expected
    for attempt in range(1, MAX_ATTEMPTS + 1 if slack >= 0 else 1):
        is_control = _sample_control(strata, fraction, np.random.default_rng([seed, attempt]))
        if abs(float(chosen_cost[~is_control].sum()) - expected) <= slack:
            return _to_assignment(rows, is_control, ids, seed, attempt)
    return None


def _sample_control(
    strata: tuple[np.ndarray, np.ndarray], share: Fraction, random: np.random.Generator
) -> np.ndarray:
    """Return True for every b/a-th of a random order, from a random start, shape (n,).

    Integer arithmetic: a share of 1/5 takes 4 of any 20 in a row.
    """
    segment, offer = strata
    order = np.lexsort((random.random(len(offer)), segment, offer))
    marks = np.arange(len(order) + 1) * share.numerator + random.integers(share.denominator)
    is_control = np.empty(len(order), dtype=bool)
    is_control[order] = np.diff(marks // share.denominator) > 0
    return is_control


def _to_assignment(
    rows: np.ndarray, is_control: np.ndarray, ids: np.ndarray, seed: int, attempt: int
) -> ControlAssignment:
    control_mask = np.zeros(len(ids), dtype=bool)
    control_mask[rows[is_control]] = True
    texts = (f"{seed}:{attempt}:{customer}".encode() for customer in ids[rows].tolist())
    assignment_id = np.full(len(ids), "", dtype="<U12")
    assignment_id[rows] = [hashlib.sha256(text).hexdigest()[:12] for text in texts]
    return ControlAssignment(control_mask, attempt, assignment_id)


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
