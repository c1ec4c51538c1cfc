"""The distribution of a feature in both classes, and the effect size between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retain.customers.customers import Column
from retain.record.estimates import DisplayName, Effect, Estimate
from retain.record.explanations_document import (
    Level,
    LevelDistribution,
    NumberDistribution,
    Spread,
)
from retain.verdict.statistics import delong, wilson_interval

MOST_LEVELS = 30
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Distribution:
    """A feature in both classes. No effect if a class has fewer than two observed values."""

    effect: Effect | None
    distribution: NumberDistribution | LevelDistribution


def distributions(
    table: pd.DataFrame, target: np.ndarray, columns: Mapping[str, Column], *, seed: int
) -> dict[str, Distribution]:
    """Return each feature's distribution by class; empty if one of the classes is empty.

    Parameters
    ----------
    table
        Numbers as floats, categories as ``str``; shape (n, features).
    target
        0 or 1, shape (n,).
    columns
        A ``Column`` for each feature of the table.
    seed
        Seed of the bootstrap; the interval of a feature does not depend on other features.

    >>> pages = pd.DataFrame({"pages": [1.0, 2.0, 3.0, 4.0, 5.0]})
    >>> described = {"pages": Column("pages", "site", "number")}
    >>> result = distributions(pages, np.array([1, 1, 0, 1, 0]), described, seed=0)["pages"]
    >>> round(result.effect.value, 2), result.distribution.declined.p50
    (-0.67, 2.0)
    """
    declined = np.asarray(target) == 1
    if declined.all() or not declined.any():
        return {}
    return {
        name: _category(table[name], declined, column, seed)
        if column.kind == "category"
        else _number(table[name].to_numpy(dtype=float), declined)
        for name, column in columns.items()
        if name in table
    }


# --- numbers -------------------------------------------------------------------------------------


def _number(values: np.ndarray, declined: np.ndarray) -> Distribution:
    spreads = NumberDistribution(
        declined=_spread(values[declined]), stayed=_spread(values[~declined])
    )
    observed = np.isfinite(values)
    return Distribution(cliffs_delta(values[observed], declined[observed]), spreads)


def _spread(values: np.ndarray) -> Spread:
    observed = values[np.isfinite(values)]
    if len(observed) == 0:
        return Spread(observed_share=0.0)
    percentiles = np.percentile(observed, [5, 25, 50, 75, 95]).tolist()
    names = ("p5", "p25", "p50", "p75", "p95")
    return Spread(
        observed_share=len(observed) / len(values), **dict(zip(names, percentiles, strict=True))
    )


def cliffs_delta(values: np.ndarray, declined: np.ndarray) -> Effect | None:
    """Return P(decliner's value > stayer's) − P(<), Cliff's delta (1993).

    It is 2 · ROC-AUC − 1 of the value as a score, and has the interval of DeLong et al. (1988).

    >>> delta = cliffs_delta(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, True, False, False]))
    >>> delta.value, delta.low, round(delta.high, 3)
    (-1.0, -1.0, 0.315)
    """
    if min(declined.sum(), (~declined).sum()) < 2:
        return None
    estimates = delong(declined.astype(np.int64), values)
    return Effect("cliffs_delta", *(2 * auc - 1 for auc in estimates))


# --- categories ----------------------------------------------------------------------------------


def _category(values: pd.Series, declined: np.ndarray, column: Column, seed: int) -> Distribution:
    codes, names = pd.factorize(values, sort=True)
    counts = np.zeros((len(names) + 1, 2), dtype=np.int64)  # the last row: missing
    np.add.at(counts, (codes, (~declined).astype(np.int64)), 1)
    order = np.argsort(-counts[:-1].sum(axis=1), kind="stable")
    shown = order if len(order) <= MOST_LEVELS + 1 else order[:MOST_LEVELS]
    labels = [column.level(str(names[code])) for code in shown]
    rows = [counts[code] for code in shown]
    if rest := len(order) - len(shown):
        labels.append(DisplayName(f"all others ({rest})", f"все остальные ({rest})"))
        rows.append(counts[order[len(shown) :]].sum(axis=0))
    effect = cramers_v(np.array(rows).reshape(-1, 2), seed=seed)
    if counts[-1].any():
        labels.append(DisplayName("not known", "нет данных"))
        rows.append(counts[-1])
    totals = counts.sum(axis=0)
    levels = (_level(*one, totals) for one in zip(labels, rows, strict=True))
    return Distribution(effect, LevelDistribution(levels=tuple(levels)))


def _level(label: DisplayName, counts: np.ndarray, totals: np.ndarray) -> Level:
    declined, customers = int(counts[0]), int(counts.sum())
    low, high = wilson_interval(declined, customers)
    shares = [float(share) for share in counts / totals]
    return Level(
        label=label,
        n_customers=customers,
        share_of_declined=shares[0],
        share_of_stayed=shares[1],
        decline_rate=Estimate(declined / customers, low, high),
    )


def cramers_v(counts: np.ndarray, *, seed: int) -> Effect | None:
    """Return Cramér's V of levels × classes, corrected for its bias (Bergsma, 2013).

    The interval consists of percentiles of multinomial resamples of the table with the correction
    applied twice, because a resample adds its own chance dependence to that of the sample. On
    simulated tables of 2 to 10 levels, 100 to 5,000 customers and V from 0 to .8 its coverage is
    93 to 100 %; that of the value ± 1.96 standard deviations falls to 83 %.

    >>> effect = cramers_v(np.array([[60, 30], [30, 60]]), seed=0)
    >>> [round(number, 2) for number in (effect.value, effect.low, effect.high)]
    [0.33, 0.16, 0.46]
    """
    if counts.size == 0 or counts.sum(axis=0).min() < 2:
        return None
    total, shape = counts.sum(), (RESAMPLES, *counts.shape)
    random = np.random.default_rng(seed)
    resampled = random.multinomial(total, counts.ravel() / total, size=RESAMPLES).reshape(shape)
    value = float(_corrected(counts))
    low, high = np.quantile(_corrected(resampled, times=2), [0.025, 0.975]).tolist()
    return Effect("cramers_v", value, min(low, value), max(high, value))


def _corrected(counts: np.ndarray, times: int = 1) -> np.ndarray:
    """Return V of each table of shape (..., levels, classes); 0 for a single row or column."""
    total = counts.sum(axis=(-2, -1))
    lines = counts.sum(axis=-1, keepdims=True), counts.sum(axis=-2, keepdims=True)
    expected = lines[0] * lines[1] / total[..., None, None]
    parts = np.zeros(expected.shape)
    np.divide((counts - expected) ** 2, expected, out=parts, where=expected > 0)
    spare = [(line > 0).sum(axis=(-2, -1)) - 1 for line in lines]
    square = parts.sum(axis=(-2, -1)) / total - times * spare[0] * spare[1] / (total - 1)
    most = np.minimum(*(one - one**2 / (total - 1) for one in spare))
    v_squared = np.divide(square.clip(0), most, out=np.zeros(total.shape), where=most > 0)
    return np.asarray(np.sqrt(v_squared.clip(max=1)))
