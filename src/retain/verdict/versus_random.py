"""The test of the winner's ranking against a random one, on the sealed test alone.

The winner is the best of many runs, so its cross-validated ROC-AUC says little about chance. On
customers that no run has seen it is one model, and needs one test without correction for the
number of runs.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from retain.record.comparison_document import VersusRandom
from retain.wording import format_p, format_significant

MAX_EXACT = 4_000
"""Size of the smaller class times the number of customers up to which p is exact."""


NOT_TESTED = VersusRandom(
    status="not_tested",
    p=None,
    level=None,
    access_number=None,
    n_customers=0,
    n_groups=0,
    tied=(),
    message="Not tested: whether the winner ranks customers better than chance. That needs the "
    "sealed test.",
)


def compare_with_random(
    target: np.ndarray,
    probability: np.ndarray,
    groups: np.ndarray,
    *,
    access_number: int,
    alpha: float = 0.05,
) -> VersusRandom:
    """Test ROC-AUC > .5 on the sealed test, at level α/2^k for the k-th access.

    ``groups`` are the duplicate groups of the customers: a group counts once, with its mean
    probability and its majority target, since its members are no independent evidence.

    >>> target, probability = np.repeat([0, 1], 20), np.linspace(0, 1, 40)
    >>> chance = compare_with_random(target, probability, np.arange(40), access_number=1)
    >>> chance.status, chance.level
    ('shown', 0.025)
    """
    table = pd.DataFrame({"target": target, "probability": probability})
    table = table.groupby(np.asarray(groups), sort=False).mean()
    p = mann_whitney_p(table["target"].to_numpy() >= 0.5, table["probability"].to_numpy())
    level = alpha / 2.0**access_number
    result = VersusRandom(
        status="shown" if p <= level else "not_shown",
        p=p,
        level=level,
        access_number=access_number,
        n_customers=len(target),
        n_groups=len(table),
        tied=(),
        message="",
    )
    return result.model_copy(update={"message": _describe(result, p, level)})


def _describe(result: VersusRandom, p: float, level: float) -> str:
    """Return the conclusion as a sentence."""
    copies = ""
    if result.n_groups < result.n_customers:
        copies = (
            f"; copies count once, with their mean score: {result.n_groups} groups of "
            f"{result.n_customers} customers"
        )
    better = "ranks" if result.status == "shown" else "is not shown to rank"
    return (
        f"On the sealed test the winner {better} customers better than chance (one-sided p "
        f"{format_p(p)}; level {format_significant(level, 2)} at access {result.access_number}"
        f"{copies})."
    )


def mann_whitney_p(declined: np.ndarray, score: np.ndarray) -> float:
    """Return the one-sided p of decliners' scores not being higher (Mann & Whitney 1947).

    Exact over all assignments of the classes to the observed scores, ties included, for up to
    ``MAX_EXACT``; otherwise by the normal distribution with the null variance for ties and a
    continuity correction (Lehmann 1975, p. 20). 1 if a class is missing.

    >>> round(mann_whitney_p(np.arange(4) > 1, np.array([1.0, 2.0, 3.0, 4.0])), 6)
    0.166667
    """
    n, positives = len(score), int(declined.sum())
    if positives in (0, n):
        return 1.0
    _, codes, ties = np.unique(score, return_inverse=True, return_counts=True)
    doubled = (2 * np.cumsum(ties) - ties + 1)[codes]  # twice the mean rank of those tied
    if positives * 2 > n:  # count the smaller class: its ranks are as low as the others' are high
        doubled, declined, positives = 2 * (n + 1) - doubled, ~declined, n - positives
    observed = int(doubled[declined].sum())
    if positives * n <= MAX_EXACT:
        return _exact_p(doubled, positives, observed)
    variance = positives * (n - positives) / 12 * (n + 1 - (ties**3 - ties).sum() / (n * (n - 1)))
    if variance <= 0:
        return 1.0
    excess = observed / 2 - positives * (n + 1) / 2 - 0.5
    return float(special.ndtr(-excess / np.sqrt(variance)))


def _exact_p(doubled: np.ndarray, positives: int, observed: int) -> float:
    """Return the share of all choices of ``positives`` ranks with a sum of ``observed`` or more.

    Sums are counted one rank at a time, as shares of the number of choices, by subset size.
    """
    ranks = doubled - doubled.min()
    most = int(np.sort(ranks)[-positives:].sum())
    shares = np.zeros((positives + 1, most + 1))
    shares[0, 0] = 1.0
    n = len(ranks)
    for seen, rank in enumerate(ranks):
        # Given the first ``seen`` ranks with k chosen, the next is chosen by (m − k)/(n − seen).
        chosen = np.clip((positives - np.arange(positives)) / (n - seen), 0, 1)[:, None]
        moved = shares[:-1, : most + 1 - rank] * chosen
        stay = np.append(1 - chosen[:, 0], 1.0)[:, None]
        shares *= stay
        shares[1:, rank:] += moved
    least = observed - positives * int(doubled.min())
    return float(min(shares[positives, least:].sum(), 1.0))
