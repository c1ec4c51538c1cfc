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
class Power:
    """What a campaign, or a segment of it, can tell.

    Attributes
    ----------
    n_treated, n_control
        Customers in either arm.
    baseline_rate
        Share expected to decline untreated.
    minimum_detectable_effect
        The smallest fall of that share that is detected with the given power; None where not even
        a fall to 0 is.
    expected
        The fall that is expected.
    required_n
        Customers in each of two equal arms to detect it; None where nothing, or more than the
        baseline, is expected.
    claimable
        Whether the expected fall can be detected: a campaign claims nothing below it.
    """

    n_treated: int
    n_control: int
    baseline_rate: float
    minimum_detectable_effect: float | None
    expected: float
    required_n: int | None
    claimable: bool

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return asdict(self)


def power(  # noqa: PLR0913 - a test has this many parts
    treated: int,
    control: int,
    *,
    baseline: float,
    hoped: float,
    alpha: float,
    power: float,
) -> Power:
    """What these arms can tell at level ``alpha`` (two-sided) and this power.

    >>> told = power(246, 62, baseline=0.83, hoped=0.05, alpha=0.05, power=0.8)
    >>> round(told.minimum_detectable_effect, 3), told.required_n, told.claimable
    (0.171, 983, False)
    """
    seen = minimum_detectable_effect(treated, control, baseline=baseline, alpha=alpha, power=power)
    wanted = required_sample(baseline, hoped, alpha=alpha, power=power)
    promised = seen is not None and hoped >= seen
    return Power(treated, control, baseline, seen, hoped, wanted, promised)


def minimum_detectable_effect(
    treated: int, control: int, *, baseline: float, alpha: float, power: float
) -> float | None:
    """The smallest fall of the baseline that is seen; None where even a fall to 0 is not.

    >>> round(minimum_detectable_effect(154, 154, baseline=0.83, alpha=0.05, power=0.8), 3)
    0.135
    """
    if not (treated > 0 and control > 0 and baseline > 0):
        return None
    reach = _reach(alpha, power) * math.sqrt(1 / treated + 1 / control)
    lowered = _angle(baseline) - reach / 2
    return baseline - math.sin(lowered) ** 2 if lowered >= 0 else None


def required_sample(baseline: float, hoped: float, *, alpha: float, power: float) -> int | None:
    """Customers in each of two equal arms to see a fall of ``hoped``.

    >>> required_sample(0.83, 0.05, alpha=0.05, power=0.8)
    983
    """
    if not 0 < hoped <= baseline:
        return None
    effect = 2 * (_angle(baseline) - _angle(baseline - hoped))
    return math.ceil(2 * (_reach(alpha, power) / effect) ** 2)


def _angle(share: float) -> float:
    return math.asin(math.sqrt(share))


def _reach(alpha: float, power: float) -> float:
    return float(special.ndtri(1 - alpha / 2) + special.ndtri(power))
