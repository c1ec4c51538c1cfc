"""Conclusions of a readout: the whole campaign first, then its parts.

The error rate α is divided evenly over the outcomes, and the share of each passes from its overall
effect to its parts: serial gatekeeping (Dmitrienko & Tamhane 2007). So the probability that a
readout finds any effect that is none is at most α, whatever the dependence of the tests.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy import special

from retain.campaign.readout.effects import Row
from retain.verdict.paired import holm

HETEROGENEITY_ALPHA = 0.1
"""Level of the test that parts differ; 10 % is customary, since it has little power (Fleiss 1986).
It only withholds findings, so it costs no errors."""
OUTCOMES = ("declined", "profit")
PART_SCOPES = ("segment", "offer")
Conclusion = Literal["helped", "harmed", "inconclusive", "not_tested", "not_compared"]


def conclude(rows: list[Row], alpha: float) -> list[dict[str, Any]]:
    """Set ``p_adjusted`` and ``conclusion`` of each row; return the tests of heterogeneity.

    A part is tested if its outcome has a significant overall effect and the parts of its scope
    differ (``heterogeneity``); otherwise it is ``not_tested`` and has no ``p_adjusted``. Parts are
    corrected by Holm (1979), segments and offers together.
    """
    for row in rows:
        row |= {"p_adjusted": None, "conclusion": "not_compared"}
    families = [[row for row in rows if row["outcome"] == outcome] for outcome in OUTCOMES]
    families = [family for family in families if family]
    n_outcomes = len({row["outcome"] for row in rows if _is_compared(row)})
    tests = []
    for family in families:
        overall, *parts = family
        _conclude_row(overall, n_outcomes * (overall["p"] or 0.0), alpha)
        scopes = [[p for p in parts if p["scope"] == scope] for scope in PART_SCOPES]
        tests += [test for scope in scopes if (test := heterogeneity(scope)) is not None]
        _conclude_parts(overall, parts, tests, n_outcomes, alpha)
    return tests


def heterogeneity(parts: list[Row]) -> dict[str, Any] | None:
    """Return the test that the effect is the same in all parts (Cochran 1954).

    ``outcome, scope, q, df, p``; None if fewer than two parts are compared.

    >>> def part(value):
    ...     return {"outcome": "declined", "scope": "offer", "p": 0.1, "standard_error": 0.1,
    ...             "difference": {"value": value}}
    >>> test = heterogeneity([part(-0.2), part(0.2)])
    >>> round(test["q"], 3), test["df"], round(test["p"], 4)
    (8.0, 1, 0.0047)
    """
    compared = [part for part in parts if _is_compared(part) and part["standard_error"] > 0]
    if len(compared) < 2:
        return None
    value = np.array([part["difference"]["value"] for part in compared])
    weight = 1 / np.array([part["standard_error"] for part in compared]) ** 2
    q = float(weight @ (value - weight @ value / weight.sum()) ** 2)
    df = len(compared) - 1
    names = {key: compared[0][key] for key in ("outcome", "scope")}
    return {**names, "q": q, "df": df, "p": float(special.chdtrc(df, q))}


def _conclude_parts(
    overall: Row, parts: list[Row], tests: list[dict[str, Any]], n_outcomes: int, alpha: float
) -> None:
    compared = [part for part in parts if _is_compared(part)]
    adjusted = n_outcomes * holm(np.array([part["p"] for part in compared]))
    differing = {
        test["scope"]
        for test in tests
        if test["outcome"] == overall["outcome"] and test["p"] < HETEROGENEITY_ALPHA
    }
    for part, p in zip(compared, adjusted.tolist(), strict=True):
        if is_finding(overall) and part["scope"] in differing:
            _conclude_row(part, max(p, overall["p_adjusted"]), alpha)
        else:
            part["conclusion"] = "not_tested"


def _conclude_row(row: Row, p: float, alpha: float) -> None:
    if not _is_compared(row):
        return
    is_good = (row["difference"]["value"] < 0) == (row["outcome"] == "declined")
    conclusion: Conclusion = "inconclusive" if p >= alpha else "helped" if is_good else "harmed"
    row |= {"p_adjusted": min(p, 1.0), "conclusion": conclusion}


def is_finding(row: Row) -> bool:
    """Return whether a row is called an effect."""
    return row["conclusion"] in ("helped", "harmed")


def _is_compared(row: Row) -> bool:
    return row["p"] is not None
