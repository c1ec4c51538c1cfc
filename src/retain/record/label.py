"""Checks of a label made from a purchase log, as records hold them."""

from __future__ import annotations

from pydantic import field_validator

from retain.record.estimates import Estimate
from retain.schema.parsing import Config


class ChanceFloor(Config):
    """The share labelled, and that in a world where everybody goes on at the own rate.

    Attributes
    ----------
    share_labelled
        Share of the rows with the label.
    share
        The chance floor: share that timing alone would label, with gamma-mixed rates.
    excess
        ``share_labelled`` − ``share``.
    poisson_share
        The same floor if the rate of the look-back were the true one.
    ceiling_auc
        ROC-AUC in that world of a model that knows every true rate.
    rate_shape, rate_scale_days
        The gamma distribution of orders a day.
    """

    share_labelled: float
    share: Estimate
    excess: Estimate
    poisson_share: float
    ceiling_auc: float
    rate_shape: float
    rate_scale_days: float


class Persistence(Config):
    """Orders of the horizon after next relative to the own rate.

    Attributes
    ----------
    n_rows
        Rows that have such a horizon.
    labelled, others
        Orders as a share of those at the own rate.
    ratio
        ``labelled`` / ``others``.
    loss_fraction
        1 − ``ratio``, between 0 and 1.
    """

    n_rows: int
    labelled: float
    others: float
    ratio: Estimate
    loss_fraction: Estimate

    @field_validator("loss_fraction")
    @classmethod
    def _check_share(cls, found: Estimate) -> Estimate:
        if not 0 <= found.low <= found.value <= found.high <= 1:
            raise ValueError("a share from 0 to 1 within its interval")
        return found


class StoreLevel(Config):
    """The store's purchases a day in the horizon against the look-back, and a year earlier.

    The latter is None unless the log reaches back that far.
    """

    snapshot: str
    trend: float | None
    trend_last_year: float | None


class MoneyForecast(Config):
    """Money forecast for the horizon of a snapshot from earlier ones, and what came."""

    snapshot: str
    n_rows: int
    forecast: Estimate
    actual: float
    covered: bool


class LabelQuality(Config):
    """Checks of a label; what cannot be computed is None, with the code of the reason.

    Codes are ``measure`` (the label counts no orders), ``few_rows``, ``short_log`` (no snapshot has
    two horizons after it) and ``few_customers``.
    ``one_order_share`` is the share of rows where a single order within the horizon is no decline.
    """

    one_order_share: float | None = None
    chance: ChanceFloor | None = None
    chance_reason: str | None = None
    persistence: Persistence | None = None
    persistence_reason: str | None = None
    store_levels: tuple[StoreLevel, ...] = ()
    money: tuple[MoneyForecast, ...] = ()
