"""The control group: who of those chosen is held out, by chance alone, to be compared with.

The plan is made for treated and control together, with limits as ``widened``; then a share is held
out by systematic sampling over a seeded order within offer and segment, so that everybody chosen
has the same chance and no offer has more treated than it can serve. Where the treated would cost
more than the budget the draw is made again (re-randomisation, Morgan & Rubin 2012), and so where
they would cost less than what is expected by as much: were only dear draws refused, those held out
would be the costlier customers. What is left is that one whose cost alone is beyond what the budget
leaves free is held out less often; where no budget binds, chances are equal to the last digit.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

MAX_ATTEMPTS = 200
"""Draws before it is given up that one fits the budget."""
ROUNDING_SHARE = 1e-12
"""What a sum of costs may be off by, as a share of it."""


@dataclass(frozen=True)
class ControlAssignment:
    """Who is held out.

    Attributes
    ----------
    is_control
        True of those held out, shape (n,).
    n_attempts
        How many draws were made until one fitted.
    assignment_id
        Id of each chosen customer's draw, shape (n,): 12 hex digits of the SHA-256 of seed, number
        of the draw and customer id; empty of those not chosen. Whoever knows the seed can check it.
    """

    is_control: np.ndarray
    n_attempts: int
    assignment_id: np.ndarray


def inflate_limit(limit: int, share: float) -> int:
    """The most customers of whom no more than ``limit`` are treated when a share is held out.

    >>> inflate_limit(80, 0.2), inflate_limit(81, 0.2), inflate_limit(7, 0.0)
    (100, 101, 7)
    """
    exact = _to_fraction(share)
    return limit * exact.denominator // (exact.denominator - exact.numerator)


def assign_control(  # noqa: PLR0913 - a design has this many parts
    offer_index: np.ndarray,
    cost: np.ndarray,
    segment: np.ndarray,
    ids: np.ndarray,
    *,
    share: float,
    seed: int,
    budget: float | None = None,
) -> ControlAssignment | None:
    """A random share of those chosen; None where no draw fits and a cheaper plan is needed.

    From some fifty customers on a draw fits where the treated are expected to cost 1 % less than
    the budget; of fewer the plan may have to be made cheaper again.

    Parameters
    ----------
    offer_index
        Place of the offer each customer is chosen for, or -1, shape (n,).
    cost
        Expected cost of that offer to that customer, shape (n,); of others it is not looked at.
    segment
        Segment of each customer, shape (n,).
    ids
        Customer ids, shape (n,), all different. Who is held out depends on ids, not on rows.
    share
        To hold out, at least 0 and below 1. Of each offer, and of each offer within a segment, it
        is ⌊share · n⌋ or ⌈share · n⌉ customers.
    seed
        Of the draws.
    budget
        What the treated may cost; None is no limit.
    """
    rows = np.flatnonzero(offer_index >= 0)
    rows = rows[np.argsort(_hash_ids(ids[rows]), kind="stable")]
    strata = _sorted_codes(segment[rows]), offer_index[rows]
    spent, exact = cost[rows], _to_fraction(share)
    expected = float(spent.sum()) * (1 - share)
    slack = np.inf if budget is None else budget - expected + ROUNDING_SHARE * expected
    for draw in range(1, MAX_ATTEMPTS + 1 if slack >= 0 else 1):
        held = _sample_control(strata, exact, np.random.default_rng([seed, draw]))
        if abs(float(spent[~held].sum()) - expected) <= slack:
            return _to_assignment(rows, held, ids, seed, draw)
    return None


def _sample_control(
    strata: tuple[np.ndarray, np.ndarray], share: Fraction, random: np.random.Generator
) -> np.ndarray:
    """Who is held out, shape (n,): every b/a-th of a random order, from a random start.

    Whole numbers throughout, so that a share of 1/5 holds out 4 of 20 whatever comes before.
    """
    segment, offer = strata
    order = np.lexsort((random.random(len(offer)), segment, offer))
    marks = np.arange(len(order) + 1) * share.numerator + random.integers(share.denominator)
    held = np.empty(len(order), dtype=bool)
    held[order] = np.diff(marks // share.denominator) > 0
    return held


def _to_assignment(
    rows: np.ndarray, held: np.ndarray, ids: np.ndarray, seed: int, draw: int
) -> ControlAssignment:
    control = np.zeros(len(ids), dtype=bool)
    control[rows[held]] = True
    told = (f"{seed}:{draw}:{customer}".encode() for customer in ids[rows].tolist())
    randomisation = np.full(len(ids), "", dtype="<U12")
    randomisation[rows] = [hashlib.sha256(one).hexdigest()[:12] for one in told]
    return ControlAssignment(control, draw, randomisation)


def _hash_ids(ids: np.ndarray) -> np.ndarray:
    """A number for each customer whatever the order of rows, shape (n,)."""
    return np.asarray(pd.util.hash_array(_to_strings(ids), categorize=False))


def _to_strings(labels: np.ndarray) -> np.ndarray:
    return np.array(list(map(str, labels.tolist())), dtype=object)


def _sorted_codes(labels: np.ndarray) -> np.ndarray:
    return pd.factorize(_to_strings(labels), sort=True)[0]


def _to_fraction(share: float) -> Fraction:
    """The share as it was typed."""
    return Fraction(share).limit_denominator(1_000_000)
