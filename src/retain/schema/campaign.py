"""The nodes of a campaign: assumptions, segments, rules, offers, limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from retain.schema.names import Count, Day, ExploredShare, Name, Seed, Share, Translated
from retain.schema.parsing import Config
from retain.schema.rules import Rule

Amount = Annotated[float, Field(ge=0, le=1e15)]
"""An amount of money, bounded so that sums keep their cents."""
OfferName = Annotated[str, Field(pattern=r"^[^|]+$")]
"""A name without the mark between several of them."""
Assumed = Annotated[float, Field(ge=-1e9, le=1e9)]


class Assumption(Config):
    """An unmeasured number with its range; a plain number has no range."""

    value: Assumed
    low: Assumed
    high: Assumed

    @model_validator(mode="before")
    @classmethod
    def _without_range(cls, node: Any) -> Any:
        if isinstance(node, bool) or not isinstance(node, int | float | Mapping | Assumption):
            raise ValueError("a number, or {value: NUMBER, low: NUMBER, high: NUMBER}")  # noqa: TRY004
        return dict.fromkeys(cls.model_fields, node) if isinstance(node, int | float) else node

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if not self.low <= self.value <= self.high:
            raise ValueError(
                f"low ≤ value ≤ high; type low and high too, or {self.value:g} alone for no range"
            )
        return self


class Assumptions(Config):
    """The cost of a decline: P(decline) × profit × horizon × loss fraction × margin.

    ``horizon`` is in months, ``loss_fraction`` of the profit of a customer who declines,
    ``margin`` the profit from one unit of the profit column; ``cost_multiplier`` scales the costs
    of offers in the catalogue. ``simulations`` are those of the Monte Carlo behind every interval.
    """

    name: Name
    horizon: Assumption
    loss_fraction: Assumption
    margin: Assumption
    cost_multiplier: Assumption
    simulations: Annotated[int, Field(ge=100, le=100_000)]

    @field_validator("horizon", "margin", "cost_multiplier")
    @classmethod
    def _check_amount(cls, one: Assumption, info: ValidationInfo) -> Assumption:
        free = info.field_name == "cost_multiplier"  # may cost nothing
        if one.low < 0 or (one.value == 0 and not free):
            raise ValueError(f"a number {'of at least' if free else 'above'} 0, no range below 0")
        return one

    @field_validator("loss_fraction")
    @classmethod
    def _check_share(cls, one: Assumption) -> Assumption:
        if one.value <= 0 or one.low < 0 or one.high > 1:
            raise ValueError("a share above 0 and at most 1, and a range between 0 and 1")
        return one


class ThresholdBands(Config):
    """Named bands and their lower thresholds.

    ``absolute``: a probability or an amount; ``quantile``: a share of customers. Of risk alone:
    ``base_rate``, times the odds of the overall decline rate, which is about times the rate where
    declines are rare and always a probability below 1; ``break_even``, times the risk from which
    the cheapest offer pays for a customer of median value.
    ``labels`` are display names.
    """

    scale: Literal["absolute", "base_rate", "quantile", "break_even"]
    bands: dict[str, float]
    labels: dict[str, Translated] = Field(default_factory=dict)


class SegmentRule(Config):
    """A rule of a segment, and the segment's display name."""

    label: Translated | None = None
    when: Rule


class Segmentation(Config):
    """Segments by bands, by rules (the first that holds), by a tree, or by a registered function.

    A segment of fewer than ``min_size`` customers is marked as small.
    """

    name: Name
    kind: Literal["risk_value", "rules", "tree", "plugin"]
    min_size: Annotated[int, Field(ge=1, le=1_000_000_000)]
    risk: ThresholdBands | None = None
    value: ThresholdBands | None = None
    rules: dict[str, SegmentRule] = Field(default_factory=dict)
    default_segment: Annotated[str, Field(min_length=1)] = "others"
    default_label: Translated | None = None
    max_depth: Annotated[int, Field(ge=1, le=6)] = 3
    min_leaf_fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    plugin: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)


class Beta(Config):
    """The prior of a save rate: a Beta between ``minimum`` and 1.

    With a minimum of 0 it is like ``alpha`` customers saved and ``beta`` lost. A readout writes a
    minimum of −1, since an offer may also drive customers away.
    """

    alpha: Annotated[float, Field(gt=0, le=1e9)]
    beta: Annotated[float, Field(gt=0, le=1e9)]
    minimum: Annotated[float, Field(ge=-1, le=0)] = 0.0

    @property
    def mean(self) -> float:
        """The expected save rate; below 0 more customers decline with the offer than without."""
        return self.minimum + (1 - self.minimum) * self.alpha / (self.alpha + self.beta)


class Boost(Config):
    """A factor on the save rate of customers whose risk one of the drivers raises."""

    drivers: Annotated[tuple[str, ...], Field(min_length=1)]
    factor: Annotated[float, Field(gt=0, le=10)]


class Contact(Config):
    """A contact: what is sent to customers, or said to them on a channel such as ``call``.

    ``contact_cost`` is paid per customer contacted. ``text`` may hold bare feature names in
    braces, ``{code}`` (the ``code`` that a customer names) and ``{until}``, the end of
    ``valid_days``.
    """

    label: Translated
    text: Translated
    channel: Annotated[str, Field(min_length=1, max_length=50)]
    needs_consent: bool
    contact_cost: Amount
    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{3,20}$")] | None = None
    valid_days: Annotated[int, Field(ge=1, le=366)] | None = None


class Care(Contact):
    """A rule of good service: everybody for whom ``when`` holds is contacted.

    It is no offer: it has no save rate, is not chosen by value, and goes to the control group too.
    """

    when: Rule


class Step(Config):
    """A later contact of an offer, ``day`` days after the first; its cost is in the offer's."""

    day: Annotated[int, Field(ge=1, le=366)]
    channel: Annotated[str, Field(min_length=1, max_length=50)]
    text: Translated


class Offer(Contact):
    """One offer.

    ``redemption_cost`` and ``discount`` (a share of the customer's profit over the horizon) are
    paid per customer who takes the offer: those saved from a decline, and the share
    ``redemption_rate_stayers`` of those who stay anyway. ``drivers`` are features: if set, the
    offer is for customers whose risk one of them raises; without explanations, ``include_if``
    alone decides. ``text`` may also hold ``{driver}``, the strongest of ``drivers`` that raises
    the customer's risk. ``segments`` are those that may get it; empty is all. ``capacity`` is the
    maximum number of customers; null is no limit.
    """

    redemption_cost: Amount
    discount: Share
    redemption_rate_stayers: Share
    save_rate: Beta
    boost: Boost | None = None
    drivers: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    include_if: Rule | None = None
    exclude_if: Rule | None = None
    steps: tuple[Step, ...] = ()
    capacity: Count | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels of all its contacts, first to last."""
        return (self.channel, *(step.channel for step in self.steps))


class Catalogue(Config):
    """The offers, besides doing nothing, and the rules of care.

    ``costs`` is ``required`` (with an offer that costs nothing at all, as the placeholders do, no
    campaign is planned) or ``accept`` (the store knows that such offers are free). ``basis`` says
    where costs and save rates come from.
    """

    name: Name
    basis: Translated | None = None
    costs: Literal["required", "accept"] = "required"
    offers: Annotated[dict[OfferName, Offer], Field(min_length=1)]
    care: dict[str, Care] = Field(default_factory=dict)

    @property
    def addressed_features(self) -> set[str]:
        """The drivers of all offers and of their boosts."""
        offers = self.offers.values()
        boosts = [offer.boost.drivers for offer in offers if offer.boost is not None]
        return {name for names in (*(offer.drivers for offer in offers), *boosts) for name in names}


class CampaignConfig(Config):
    """Limits of a campaign and its control group.

    ``budget`` limits the expected cost, ``max_contacts`` the customers contacted, and
    ``min_contacts`` is a minimum by segment. ``consent`` is ``from_data`` (the source says who
    agreed) or ``assume_given`` (it does not, and the store vouches for all). A campaign of at most
    ``exact_up_to`` possible customer × offer pairs is solved by HiGHS. ``none`` plans nothing.
    ``offers_per_segment`` counts the choices made in one segment, leaving alone among them; null
    is no limit. ``max_contacts_current`` and ``rest_days`` are policies on the channels that need
    consent: who has had ``max_contacts_current`` contacts this month, by the feature
    ``contacts_current``, gets no more, and nobody within ``rest_days`` of a contact of another
    campaign, or of the last by the feature ``days_since_contact``. ``channels`` are rules by
    channel, for consent or preference.
    ``explore`` is the share of the eligible customers who get an offer drawn at random, or ``all``
    for a learning campaign, in which everybody does who is contacted.
    ``start`` is the day of the first contacts. A ``least_cost`` control group has other shares
    than ``control_share`` where that costs less and shows as much.
    Customers of other campaigns that are open get nothing, unless ``overlap`` allows it; campaigns
    that were never sent are ``unsent``. ``permanent_control`` is the share that no campaign
    contacts.
    ``replace`` lets a result point to another campaign than before; it is not part of a plan.
    """

    name: Name
    budget: Amount | None = None
    max_contacts: Count | None = None
    min_contacts: dict[str, Count] = Field(default_factory=dict)
    offers_per_segment: Annotated[int, Field(ge=2, le=100)] | None = None
    max_contacts_current: Count | None = None
    contacts_current: str | None = None
    rest_days: Count | None = None
    days_since_contact: str | None = None
    channels: dict[str, Rule] = Field(default_factory=dict)
    start: Day | None = None
    overlap: Literal["exclude", "allow"] = "exclude"
    unsent: tuple[str, ...] = ()
    permanent_control: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    control_share: Annotated[float, Field(ge=0, le=0.9)] = 0.2
    control_design: Literal["uniform", "least_cost"] = "uniform"
    explore: ExploredShare = 0.0
    power: Annotated[float, Field(gt=0, lt=1)] = 0.8
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    consent: Literal["from_data", "assume_given"] = "from_data"
    exact_up_to: Annotated[int, Field(ge=0, le=10_000_000)] = 20_000
    seed: Seed = 0
    replace: bool = Field(default=False, exclude=True)

    @property
    def explored_share(self) -> float:
        """The share of the eligible customers who explore."""
        return 1.0 if self.explore == "all" else self.explore

    @property
    def on(self) -> bool:
        """True if a campaign is planned."""
        return self.name != "none"
