"""Conclusions of a readout: the whole campaign first, then its parts.

The error rate α is divided evenly over the outcomes, and the share of each passes from its overall
effect to its parts: serial gatekeeping (Dmitrienko & Tamhane 2007). So the probability that a
readout finds any effect that is none is at most α, whatever the dependence of the tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from scipy import special

from retain.record.readout_document import EffectRow, HeterogeneityTest
from retain.record.trial_document import ArmEffect
from retain.verdict.paired import holm

HETEROGENEITY_ALPHA = 0.1
"""Level of the test that parts differ; 10 % is customary, since it has little power (Fleiss 1986).
It only withholds findings, so it costs no errors."""
OUTCOMES = ("declined", "profit")
PART_SCOPES = ("segment", "offer")


def conclude(
    rows: Sequence[EffectRow], alpha: float
) -> tuple[tuple[EffectRow, ...], tuple[HeterogeneityTest, ...]]:
    """Return the rows with ``p_adjusted`` and ``conclusion``, and the tests of heterogeneity.

    A part is tested if its outcome has a significant overall effect and the parts of its scope
    differ (``heterogeneity``); otherwise it is ``not_tested`` and has no ``p_adjusted``. Parts are
    corrected by Holm (1979), segments and offers together.
    """
    families = [[row for row in rows if row.outcome == outcome] for outcome in OUTCOMES]
    n_outcomes = len({row.outcome for row in rows if row.p is not None})
    concluded: list[EffectRow] = []
    tests: list[HeterogeneityTest] = []
    for family in families:
        if not family:
            continue
        first, *parts = family
        overall = _conclude_row(first, n_outcomes * (first.p or 0.0), alpha)
        scopes = [[part for part in parts if part.scope == scope] for scope in PART_SCOPES]
        found = [test for scope in scopes if (test := heterogeneity(scope)) is not None]
        concluded += [overall, *_conclude_parts(overall, parts, found, n_outcomes, alpha)]
        tests += found
    return tuple(concluded), tuple(tests)


def heterogeneity(parts: Sequence[EffectRow]) -> HeterogeneityTest | None:
    """Return the test that the effect is the same in all parts, if two or more are compared.

    >>> from retain.record.estimates import Estimate
    >>> def part(value):
    ...     arms = {"n_treated": 99, "n_control": 99, "treated_mean": 0.5, "control_mean": 0.5}
    ...     return EffectRow(scope="offer", name="gift", outcome="declined", **arms, p=0.1,
    ...                      standard_error=0.1, difference=Estimate(value, -1.0, 1.0))
    >>> test = heterogeneity([part(-0.2), part(0.2)])
    >>> round(test.q, 3), test.df, round(test.p, 4)
    (8.0, 1, 0.0047)
    """
    compared = [
        (part.difference.value, part.standard_error)
        for part in parts
        if part.difference is not None and part.standard_error
    ]
    if len(compared) < 2 or parts[0].scope == "overall":
        return None
    value, error = np.array(compared).T
    weight = 1 / error**2
    q = float(weight @ (value - weight @ value / weight.sum()) ** 2)
    df = len(compared) - 1
    p = float(special.chdtrc(df, q))
    return HeterogeneityTest(outcome=parts[0].outcome, scope=parts[0].scope, q=q, df=df, p=p)


def _conclude_parts(
    overall: EffectRow,
    parts: Sequence[EffectRow],
    tests: Sequence[HeterogeneityTest],
    n_outcomes: int,
    alpha: float,
) -> Iterator[EffectRow]:
    adjusted = iter(n_outcomes * holm(np.array([part.p for part in parts if part.p is not None])))
    differing = {test.scope for test in tests if test.p < HETEROGENEITY_ALPHA}
    for part in parts:
        if part.p is None:
            yield part
            continue
        p = float(next(adjusted))
        if is_finding(overall) and part.scope in differing:
            yield _conclude_row(part, max(p, overall.p_adjusted or 0.0), alpha)
        else:
            yield part.model_copy(update={"conclusion": "not_tested"})


def _conclude_row(row: EffectRow, p: float, alpha: float) -> EffectRow:
    if row.p is None or row.difference is None:
        return row
    is_good = (row.difference.value < 0) == (row.outcome == "declined")
    return _with_conclusion(row, p, alpha, is_good=is_good)


RowT = TypeVar("RowT", EffectRow, ArmEffect)


def _with_conclusion(row: RowT, p: float, alpha: float, *, is_good: bool) -> RowT:
    conclusion = "inconclusive" if p >= alpha else "helped" if is_good else "harmed"
    return row.model_copy(update={"p_adjusted": min(p, 1.0), "conclusion": conclusion})


def conclude_arms(rows: Sequence[ArmEffect], alpha: float) -> tuple[ArmEffect, ...]:
    """Return the effects of arms with ``p_adjusted`` and ``conclusion``.

    Arms against the control arm on the primary outcome are one family, corrected by Holm (1979).
    Arms between each other and secondary outcomes are the next one, which is tested only if all of
    the first have an effect: serial gatekeeping, so that the error rate of both together is α.
    """
    is_primary = [row.role == "primary" for row in rows]
    first = _adjust_family([row for row in rows if row.role == "primary"])
    gate = max((p for p in first if p is not None), default=1.0)
    second = _adjust_family([row for row in rows if row.role != "primary"])
    adjusted = iter(first), iter(second)
    concluded = []
    for row, primary in zip(rows, is_primary, strict=True):
        p = next(adjusted[0] if primary else adjusted[1])
        if p is None or row.tested_difference is None:
            concluded.append(row)
        elif primary or gate < alpha:
            p = p if primary else max(p, gate)
            concluded.append(
                _with_conclusion(row, p, alpha, is_good=row.tested_difference.value > 0)
            )
        else:
            concluded.append(row.model_copy(update={"conclusion": "not_tested"}))
    return tuple(concluded)


def _adjust_family(rows: Sequence[ArmEffect]) -> list[float | None]:
    """Return Holm's p-value of each row, None for rows that are not compared."""
    adjusted = iter(holm(np.array([row.p for row in rows if row.p is not None])))
    return [None if row.p is None else float(next(adjusted)) for row in rows]


def is_finding(row: EffectRow) -> bool:
    """Return whether a row is called an effect."""
    return row.conclusion in ("helped", "harmed")
