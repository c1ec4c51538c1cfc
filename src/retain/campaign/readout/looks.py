"""The looks at a campaign while its outcomes arrive, and what each of them may conclude.

Those at a trial in a table are in trial_looks.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, special

from retain.campaign.assignment import Assignment
from retain.campaign.readout.outcomes import Outcomes, hash_outcomes
from retain.campaign.readout.sequential import (
    always_valid_p,
    always_valid_quantile,
    spending_p,
    spending_quantile,
)
from retain.record.documents import CautionInfo
from retain.record.looks_document import Look, LookCorrection, LookMethod
from retain.record.readout_document import EffectRow
from retain.schema.readout import Monitoring

COMPLETE_SHARE = 0.9
"""Share of the planned information from which a first look is taken to be the only one."""
HARM_LEVEL = 0.1
"""Share of harmless campaigns that an outcome stops: needless stops cost little, harm much."""
MAX_GROWTH = 1000.0
"""Further information, by that so far, beyond which an effect is not awaited."""


def add_campaign_look(
    earlier: Sequence[Look], assignment: Assignment, outcomes: Outcomes, monitoring: Monitoring
) -> tuple[Look, ...]:
    """Return the looks at a campaign with this one last, as in ``add_look``."""
    everyone = np.ones(len(assignment.table), dtype=bool)
    share = _information(assignment, outcomes.is_observed) / _information(assignment, everyone)
    return add_look(earlier, hash_outcomes(outcomes), share, monitoring)


def add_look(
    earlier: Sequence[Look], digest: str, information: float, monitoring: Monitoring
) -> tuple[Look, ...]:
    """Return the looks with this one last; the same outcomes again are no new look.

    ``digest`` is the hash of the outcomes, ``information`` by that planned. ``auto`` takes a first
    look that has nearly all outcomes for the only one, and any other for one of many. A look keeps
    the method that it had at first, since one chosen by what was seen holds at no level.
    """
    before = [look for look in earlier if look.outcomes_sha256 != digest]
    method: LookMethod
    if same := [look.method for look in earlier if look.outcomes_sha256 == digest]:
        method = same[0]
    elif monitoring == "auto":
        method = "once" if not before and information >= COMPLETE_SHARE else "always_valid"
    else:
        method = monitoring
    return (*before, Look(outcomes_sha256=digest, information=information, method=method))


def _information(assignment: Assignment, rows: np.ndarray) -> float:
    """Return the information of a difference of means of both arms, by that of one customer."""
    treated, weight = assignment.is_treated[rows], assignment.weight[rows]
    n_treated, n_control = (
        float(weight[arm].sum() ** 2 / (weight[arm] ** 2).sum()) for arm in (treated, ~treated)
    )
    return n_treated * n_control / (n_treated + n_control)


@dataclass(frozen=True)
class Monitor:
    """The correction of a look for those before and after it.

    Attributes
    ----------
    shares
        Information by that planned, above 0, of this look, the last, and of those that had less.
    alpha
        Level of all looks together.

    Examples
    --------
    >>> for method in ("once", "planned_end", "always_valid"):
    ...     found = Monitor(method, (0.5, 1.0), 0.05)
    ...     print(method, round(found.width, 2), round(found.correct(0.01), 3))
    once 1.0 0.01
    planned_end 1.0 0.01
    always_valid 1.55 0.157
    """

    method: LookMethod
    shares: tuple[float, ...]
    alpha: float

    @classmethod
    def of(cls, looks: Sequence[Look], alpha: float) -> Monitor:
        """Return the correction of the last look."""
        last = looks[-1]
        shares = sorted(look.information for look in looks if look.information <= last.information)
        return cls(last.method, tuple(shares), alpha)

    def at(self, information: float) -> Monitor:
        """Return the correction of a comparison that has another share of the information."""
        earlier = [share for share in self.shares[:-1] if share <= information]
        return replace(self, shares=(*earlier, information))

    def divide(self, n: int) -> Monitor:
        """Return that of ``n`` comparisons, whose errors are ``alpha`` together (Bonferroni)."""
        return replace(self, alpha=self.alpha / max(n, 1))

    @property
    def at_any_look(self) -> Monitor:
        """The same without a declared end, which is right for a χ² of several parts, too."""
        return self if self.method == "once" else replace(self, method="always_valid")

    @property
    def quantile(self) -> float:
        """Standard errors on either side of an interval that counts all looks."""
        if self.method == "planned_end":
            return spending_quantile(self.shares, self.alpha)
        if self.method == "always_valid":
            return always_valid_quantile(self.shares[-1], self.alpha)
        return to_quantile(self.alpha)

    @property
    def level(self) -> float:
        """Level of this look's intervals if taken alone."""
        return float(2 * special.ndtr(-self.quantile))

    @property
    def width(self) -> float:
        """Width of its intervals by that of one look alone."""
        return self.quantile / to_quantile(self.alpha)

    def correct(self, p: float) -> float:
        """Return the p that counts all looks, of a two-sided p of this look alone."""
        if self.method == "planned_end":
            return max(p, spending_p(to_quantile(p), self.shares))
        if self.method == "always_valid":
            return max(p, always_valid_p(to_quantile(p) ** 2, self.shares[-1], self.alpha))
        return p

    def correct_chi2(self, value: float, df: int) -> float:
        """Return the p that counts all looks, of a χ² of this look alone; no end may be declared.

        >>> Monitor("once", (1.0,), 0.05).correct_chi2(3.84, 1) < 0.051
        True
        """
        p = float(special.chdtrc(df, value))
        if self.method == "once":
            return p
        return max(p, always_valid_p(value, self.shares[-1], self.alpha, df))

    def is_harm(self, p: float, n_arms: int = 1) -> bool:
        """Return whether a difference in the bad direction of this p is reason to stop early.

        ``HARM_LEVEL`` is that of ``n_arms`` arms together.
        """
        if self.method == "once" or self.shares[-1] >= 1:
            return False
        return to_quantile(p) >= spending_quantile(self.shares, 2 * HARM_LEVEL / n_arms)

    def find_growth(self, errors: float, power: float) -> float:
        """Return the information, by this look's, with which an effect is seen with a power.

        ``errors`` is the effect in standard errors of this look. Infinite beyond ``MAX_GROWTH``.
        """

        def missing(log_growth: float) -> float:
            growth = math.exp(log_growth)
            later = replace(self, shares=(*self.shares, growth * self.shares[-1]))
            needed = later.quantile + float(special.ndtri(power))
            return math.sqrt(growth) * errors - needed

        if missing(0.0) >= 0:
            return 1.0
        if missing(math.log(MAX_GROWTH)) < 0:
            return math.inf
        return math.exp(float(optimize.brentq(missing, 0.0, math.log(MAX_GROWTH), xtol=1e-4)))


def to_quantile(p: float) -> float:
    """Return the standard errors of a two-sided p.

    >>> round(to_quantile(0.05), 2)
    1.96
    """
    return float(-special.ndtri(max(p, 1e-300) / 2))


def correct_rows(rows: Sequence[EffectRow], monitor: Monitor) -> list[EffectRow]:
    """Return the rows with the p that counts all looks."""
    return [
        row if row.p is None else row.model_copy(update={"p": monitor.correct(row.p)})
        for row in rows
    ]


def summarise_correction(
    rows: Sequence[EffectRow], monitor: Monitor, assignment: Assignment, outcomes: Outcomes
) -> LookCorrection:
    """Return how the intervals of this look allow for the others, by rows with its own p."""
    n_more = None
    first = next((row for row in rows if row.outcome == "declined"), None)
    if first is not None and first.standard_error and assignment.expected_effect > 0:
        errors = assignment.expected_effect / first.standard_error
        growth = monitor.find_growth(errors, assignment.power)
        n_observed = int(outcomes.is_observed.sum())
        n_more = math.ceil(n_observed * (growth - 1)) if math.isfinite(growth) else None
    return LookCorrection(level=monitor.level, width=monitor.width, n_more=n_more)


def find_look_cautions(
    rows: Sequence[EffectRow], looks: Sequence[Look], monitor: Monitor
) -> Iterator[CautionInfo]:
    """Yield that looks add up, and outcomes that are reason to stop, by rows with this look's p."""
    yield from find_repeated_looks(looks, monitor.alpha)
    for row in rows:
        if row.scope == "overall" and row.p is not None and row.difference is not None:
            is_bad = (row.difference.value > 0) == (row.outcome == "declined")
            if is_bad and monitor.is_harm(row.p):
                yield CautionInfo.of("stop", outcome=row.outcome, level=HARM_LEVEL)


def find_other_method(looks: Sequence[Look], monitoring: Monitoring) -> Iterator[CautionInfo]:
    """Yield that the last look keeps the method that it had at first, if another one is typed."""
    kept = looks[-1].method
    if monitoring not in {"auto", kept}:
        yield CautionInfo.of("monitoring", kept=kept, typed=monitoring)


def find_repeated_looks(looks: Sequence[Look], alpha: float) -> Iterator[CautionInfo]:
    """Yield that looks add up, if one of several allows for no others or comes after the end."""
    n_once = sum(look.method == "once" for look in looks)
    n_ends = sum(look.method == "planned_end" and look.information >= 1 for look in looks)
    n_tests = n_once + max(n_ends - 1, 0) + (n_once < len(looks))
    if n_tests > 1:
        error_rate = repeated_error_rate(alpha, n_tests)
        numbers = {"n_looks": len(looks), "alpha": alpha, "error_rate": error_rate}
        yield CautionInfo.of("looks", **numbers)


def repeated_error_rate(alpha: float, n_looks: int) -> float:
    """Return the largest probability of a false finding in ``n_looks`` looks at one campaign.

    Each look is a test of level ``alpha``. Šidák's (1967) bound 1 − (1 − α)ⁿ holds for normal test
    statistics of any correlation; four looks at equal intervals come to .126 (Armitage, McPherson &
    Rowe 1969).

    >>> [round(repeated_error_rate(0.05, n), 3) for n in (1, 2, 4)]
    [0.05, 0.098, 0.185]
    """
    return 1 - (1 - alpha) ** n_looks
