"""Stability of segments under resampled customers and shifted cut-offs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.campaign.segmentation.rules import BOUNDS
from retain.campaign.segmentation.segments import fit_checked_segmentation, segments_of
from retain.record.segments_document import Stability
from retain.schema.campaign import Segmentation, ThresholdBands
from retain.schema.names import RESERVED
from retain.schema.rules import Condition, Rule

RISK_OFF = 0.02
"""Largest shift of a cut-off of risk: a common error of a recalibrated risk."""

ODDS_OFF = 0.1
"""Largest shift of a cut-off relative to the base rate, as a share of it: at a rate of .4 about
``RISK_OFF``."""

MONEY_OFF = 0.05
"""Largest shift of a cut-off of money, as a share of it."""

MAX_CUSTOMERS = 20_000
"""Largest number of customers used; of more, a sample of this size."""


def stability(
    audience: Audience,
    segmentation: Segmentation,
    *,
    break_even_risk: float | None = None,
    resamples: int = 50,
    seed: int = 0,
) -> dict[str, Stability]:
    """Return the bootstrap Jaccard similarity of each segment (Hennig 2007), by its name.

    For each resample the segmentation is fitted to a bootstrap sample (quantiles, shares, tree),
    with absolute cut-offs of risk shifted uniformly by up to ``RISK_OFF`` and those of money by up
    to ``MONEY_OFF`` × their value, and applied to all customers. A segment is compared with the
    most similar new one (intersection over union). Cut-offs of features are definitions and are
    not shifted.

    Parameters
    ----------
    audience
        Customers in segments by ``segmentation``.

    >>> table = pd.DataFrame({"risk": np.linspace(0, 1, 200)})
    >>> bands = ThresholdBands(scale="absolute", bands={"low": 0, "high": 0.5})
    >>> config = Segmentation(name="halves", kind="risk_value", min_size=1, risk=bands)
    >>> customers = Audience(table, pd.DataFrame(index=table.index), {})
    >>> customers = customers.with_segments(segments_of(customers, config))
    >>> high = stability(customers, config)["high risk"]
    >>> 0.95 < high.jaccard_low < high.jaccard < 1
    True
    """
    if audience.segments is None:
        raise ValueError("these customers are not placed")
    random = np.random.default_rng(seed)
    every = _bootstrap(audience, random)
    codes, names = pd.factorize(np.asarray(every.segments), sort=True)
    similarity = np.empty((resamples, len(names)))
    for repeat in range(resamples):
        others = every.rows(random.integers(0, len(every), len(every)))
        risk = None if break_even_risk is None else _perturb_cut(break_even_risk, "risk", random)
        fitted = fit_checked_segmentation(
            others, _perturb(segmentation, random), break_even_risk=risk
        )
        similarity[repeat] = _most_similar(codes, segments_of(every, fitted), len(names))
    low = np.quantile(similarity, 0.1, axis=0)
    return {
        str(name): Stability(jaccard=float(mean), jaccard_low=float(bound), n_resamples=resamples)
        for name, mean, bound in zip(names, similarity.mean(axis=0), low, strict=True)
    }


def _bootstrap(audience: Audience, random: np.random.Generator) -> Audience:
    if len(audience) <= MAX_CUSTOMERS:
        return audience
    return audience.rows(np.sort(random.choice(len(audience), MAX_CUSTOMERS, replace=False)))


def _most_similar(codes: np.ndarray, names: np.ndarray, segments: int) -> np.ndarray:
    """Return the Jaccard similarity of each segment to the most similar new one."""
    other_codes, others = pd.factorize(names)
    cells = np.bincount(codes * len(others) + other_codes, minlength=segments * len(others))
    both = cells.reshape(segments, len(others))
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0) - both
    return np.asarray((both / either).max(axis=1))


# --- shifted cut-offs ----------------------------------------------------------------------------


def _perturb(segmentation: Segmentation, random: np.random.Generator) -> Segmentation:
    """Return the segmentation with every absolute cut-off of risk and money shifted."""
    changes = {
        "risk": _perturb_bands(segmentation.risk, "risk", random),
        "value": _perturb_bands(segmentation.value, "profit", random),
        "rules": {
            name: named.model_copy(update={"when": _perturb_rule(named.when, random)})
            for name, named in segmentation.rules.items()
        },
    }
    return segmentation.model_copy(update=changes)


def _perturb_bands(
    bands: ThresholdBands | None, of: str, random: np.random.Generator
) -> ThresholdBands | None:
    if bands is None or bands.scale not in ("absolute", "base_rate"):
        return bands
    of = of if bands.scale == "absolute" else "odds"
    moved = {name: _perturb_cut(begin, of, random) for name, begin in bands.bands.items()}
    return bands.model_copy(update={"bands": moved})


def _perturb_rule(rule: Rule, random: np.random.Generator) -> Rule:
    changes: dict[str, object] = {
        name: _perturb_condition(condition, name, random)
        for name, condition in rule.conditions.items()
        if name in RESERVED
    }
    changes |= {
        "all": tuple(_perturb_rule(one, random) for one in rule.all),
        "any": tuple(_perturb_rule(one, random) for one in rule.any),
        "not_": None if rule.not_ is None else _perturb_rule(rule.not_, random),
    }
    return rule.model_copy(update=changes)


def _perturb_condition(condition: Condition, of: str, random: np.random.Generator) -> Condition:
    bounds = {key: getattr(condition, key) for key in BOUNDS}
    moved = {
        key: _perturb_cut(bound, of, random) for key, bound in bounds.items() if bound is not None
    }
    return condition.model_copy(update=moved)


def _perturb_cut(cut: float, of: str, random: np.random.Generator) -> float:
    """Return a shifted cut-off of risk, of money, or of odds relative to the base rate."""
    share = random.uniform(-1, 1)
    if of == "risk":
        return cut + share * RISK_OFF
    return cut * (1 + share * (ODDS_OFF if of == "odds" else MONEY_OFF))
