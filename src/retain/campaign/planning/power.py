"""What a control group can tell: the smallest effect that would be seen, and the sample for one.

For a two-sided test of two shares, on the arcsine scale on which a share's variance does not depend
on the share (Cohen 1988, ch. 6): h = 2 · asin √p₁ − 2 · asin √p₂ is seen with the wanted power from
h = (z_{1−α/2} + z_power) · √(1/n₁ + 1/n₂) on. The effect looked for is a fall of the share who
decline: where that share is above ½ it brings more variance, so that it needs more customers than a
rise, or than the baseline's variance alone would say.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from scipy import special


@dataclass(frozen=True)
class PowerResult:
    """What a campaign, or a segment of it, can tell.

    Attributes
    ----------
    treated, control
        Customers in either arm.
    baseline
        Share expected to decline untreated.
    detectable
        The smallest fall of that share that is seen with the wanted power; None where not even a
        fall to nothing is.
    hoped
        The fall that is expected.
    needed
        Customers in each of two equal arms to see it; None where nothing, or more than the
        baseline, is hoped for.
    promised
        Whether what is hoped for can be seen: a campaign promises nothing below it.
    """

    treated: int
    control: int
    baseline: float
    detectable: float | None
    hoped: float
    needed: int | None
    promised: bool

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return asdict(self)


def analyse_power(  # noqa: PLR0913 - a test has this many parts
    treated: int,
    control: int,
    *,
    baseline: float,
    expected_effect: float,
    alpha: float,
    power: float,
) -> PowerResult:
    """What these arms can tell at level ``alpha`` (two-sided) and this power.

    >>> found = analyse_power(246, 62, baseline=0.83, expected_effect=0.05, alpha=0.05, power=0.8)
    >>> round(found.detectable, 3), found.needed, found.promised
    (0.171, 983, False)
    """
    seen = minimum_detectable_effect(treated, control, baseline=baseline, alpha=alpha, power=power)
    wanted = required_sample(baseline, expected_effect, alpha=alpha, power=power)
    promised = seen is not None and expected_effect >= seen
    return PowerResult(treated, control, baseline, seen, expected_effect, wanted, promised)


def minimum_detectable_effect(
    treated: int, control: int, *, baseline: float, alpha: float, power: float
) -> float | None:
    """The smallest fall of the baseline that is seen; None where even a fall to 0 is not.

    >>> round(minimum_detectable_effect(154, 154, baseline=0.83, alpha=0.05, power=0.8), 3)
    0.135
    """
    if not (treated > 0 and control > 0 and baseline > 0):
        return None
    reach = _sum_quantiles(alpha, power) * math.sqrt(1 / treated + 1 / control)
    lowered = _to_arcsine(baseline) - reach / 2
    return baseline - math.sin(lowered) ** 2 if lowered >= 0 else None


def required_sample(
    baseline: float, expected_effect: float, *, alpha: float, power: float
) -> int | None:
    """Customers in each of two equal arms to see a fall of ``expected_effect``.

    >>> required_sample(0.83, 0.05, alpha=0.05, power=0.8)
    983
    """
    if not 0 < expected_effect <= baseline:
        return None
    effect = 2 * (_to_arcsine(baseline) - _to_arcsine(baseline - expected_effect))
    return math.ceil(2 * (_sum_quantiles(alpha, power) / effect) ** 2)


def _to_arcsine(share: float) -> float:
    return math.asin(math.sqrt(share))


def _sum_quantiles(alpha: float, power: float) -> float:
    return float(special.ndtri(1 - alpha / 2) + special.ndtri(power))
