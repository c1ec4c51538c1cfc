"""The power of a plan, and the value of others, as ``campaign.json`` has them."""

from __future__ import annotations

from retain.record.documents import optional
from retain.schema.parsing import Config


class PowerResult(Config):
    """Power of a campaign or of a segment of it.

    Attributes
    ----------
    n_treated, n_control
        Number of customers in either arm.
    baseline_rate
        Expected decline rate without treatment.
    minimum_detectable_effect
        Smallest fall of that rate detected with the wanted power; None if not even a fall to 0 is.
    expected
        Expected fall.
    required_n
        Customers in each of two equal arms to detect it; None if nothing, or more than the
        baseline, is expected.
    claimable
        Whether the expected fall can be detected. A campaign claims no effect below it.
    """

    segment: str | None = optional()
    n_treated: int
    n_control: int
    baseline_rate: float
    minimum_detectable_effect: float | None
    expected: float
    required_n: int | None
    claimable: bool


class PowerInfo(Config):
    """The smallest effect that can be detected, and the expected one.

    ``level`` is that of the readout's test of declines, if it knows profits too.
    """

    alpha: float
    level: float
    power: float
    overall: PowerResult
    segments: tuple[PowerResult, ...]


class ProfitCurve(Config):
    """Expected net value by the share of all customers targeted, without limits.

    Attributes
    ----------
    offer
        The offer for all customers; None for each customer's best offer.
    share
        From 0 to the eligible share.
    profit
        Expected net value of targeting each share, customers by expected net value.
    profit_by_risk
        Expected net value of targeting each share, customers by risk.
    best_share, best_profit
        Maximum of ``profit``, at least 0.
    """

    offer: str | None
    share: tuple[float, ...]
    profit: tuple[float, ...]
    profit_by_risk: tuple[float, ...]
    best_share: float
    best_profit: float


class EmpcInfo(Config):
    """Expected maximum profit per customer of the cheapest offer, and the share to target."""

    offer: str
    value: float
    share: float


class BudgetPrice(Config):
    """The gain from one more unit of the budget, and from a ``step`` of units."""

    price: float | None
    step: float
    gain: float | None


class ConsentPrice(Config):
    """The customers without consent, and the gain if all gave it."""

    n_customers: int
    gain: float


class ControlPrice(Config):
    """The control group, and the expected net value of not contacting it."""

    n_customers: int
    cost: float


class ShadowPrices(Config):
    """The expected net value that limits, missing consent and the control group cost.

    None without such a limit. ``contact`` is the gain from one more contact. Where a limit leaves
    nobody, gains are those of the first step or contact, None if that adds nothing, as another
    limit leaves nobody either.
    """

    budget: BudgetPrice | None
    contact: float | None
    consent: ConsentPrice | None
    control_group: ControlPrice


class SensitivityRow(Config):
    """The plan at both ends of the range of one assumption.

    ``stable_from`` to ``stable_to`` is the range in which the plan does not change, None for very
    many customers.
    """

    name: str
    low: float
    value: float
    high: float
    expected_net_low: float
    expected_net_high: float
    n_chosen_low: int
    n_chosen_high: int
    stable_from: float | None
    stable_to: float | None


class Sensitivity(Config):
    """Expected net value and size of the plan, and both under other assumptions."""

    expected_net: float
    n_chosen: int
    rows: tuple[SensitivityRow, ...]


class BudgetPoint(Config):
    """A budget of the treated, the customers chosen, and the net value of the treated."""

    budget: float
    n_chosen: int
    expected_net: float
