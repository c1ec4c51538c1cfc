"""An audience, assumptions and a catalogue that nobody measured, with the offers' economics."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.campaign.offers import offers as economics
from retain.campaign.value.calibration_map import CalibrationMap, ProfitScale
from retain.campaign.value.recalibration import Line, Recalibration
from retain.campaign.value.value import value_at_stake
from retain.schema.campaign import Assumptions, Beta, Catalogue, Offer
from retain.schema.names import Translated

RANGES = {
    "horizon": {"value": 3.0, "low": 2.0, "high": 6.0},
    "loss_fraction": {"value": 0.8, "low": 0.5, "high": 1.0},
    "margin": {"value": 1.0, "low": 0.9, "high": 1.1},
    "cost_multiplier": {"value": 1.0, "low": 0.8, "high": 1.25},
}
WORDS = Translated(en="Offer", ru="Предложение")


def make_line(intercept, slope, covariance):
    """The two-parameter line for averaged scores and for those of one model."""
    one = CalibrationMap("logit", np.array([intercept, slope]), np.array(covariance))
    line = Line(intercept, slope, slope - 0.1, slope + 0.1)
    return Recalibration(one, one, 1000, 400, line)


UNSURE = make_line(-0.2, 0.9, [[0.01, 0.004], [0.004, 0.008]])
SCALE = ProfitScale(3.0, 0.7, 0.5, -2.5, 2.5, has_missing=True)
LINKED = Recalibration(
    CalibrationMap(
        "logit",
        np.array([-0.2, 0.9, 0.4, 0.05, -0.3]),
        np.diag([0.01, 0.008, 0.006, 0.003, 0.02]),
        (),
        SCALE,
    ),
    CalibrationMap(
        "beta",
        np.array([-0.1, 0.7, 1.1, 0.5, 0.05, -0.2]),
        np.diag([0.01, 0.008, 0.01, 0.006, 0.003, 0.02]),
        (),
        SCALE,
    ),
    1000,
    400,
    Line(-0.2, 0.9, 0.8, 1.0),
)
"""Risk that depends on profit, by another map for a third of the customers."""


def make_value(simulations=400, **ranges):
    return Assumptions(name="invented", simulations=simulations, **{**RANGES, **ranges})


def certain(value):
    """Assumptions whose ranges are a point."""
    points = {
        name: {"value": one, "low": one, "high": one}
        for name, one in ((name, getattr(value, name).value) for name in RANGES)
    }
    return make_value(value.simulations, **points)


def make_audience(n=300, seed=0, *, recalibration=UNSURE, value=None, decimals=None):
    """Customers whose scores and profits are independent; some bring losses, some are unknown."""
    random = np.random.default_rng(seed)
    score = random.beta(1, 2, n)
    score = score if decimals is None else score.round(decimals)
    profit = random.gamma(2, 2, n) - 0.5
    profit[random.random(n) < 0.05] = np.nan
    stake = value_at_stake(profit, value or make_value())
    origin = np.where(np.arange(n) % 3 > 0, "out_of_fold", "sealed_test")
    risk = recalibration.probability(score, profit, origin == "sealed_test")
    table = pd.DataFrame(
        {
            "score": score,
            "origin": origin,
            "risk": risk,
            "contactable": random.random(n) < 0.75,
            "profit": profit,
            "value_at_stake": stake,
            "profit_at_risk": risk * stake,
        },
        index=pd.Index(random.permutation(np.arange(1000, 1000 + n)), name="customer_id"),
    )
    return Audience(table, pd.DataFrame(index=table.index), {}, "roubles")


def make_offer(**changes):
    usual = {
        "label": WORDS,
        "text": WORDS,
        "channel": "email",
        "needs_consent": True,
        "contact_cost": 0.2,
        "redemption_cost": 0.3,
        "discount": 0.05,
        "redemption_rate_stayers": 0.5,
        "save_rate": Beta(alpha=6, beta=14),
    }
    return Offer(**{**usual, **changes})


CATALOGUE = {
    "email": make_offer(),
    "call": make_offer(contact_cost=0.5, discount=0.0, save_rate=Beta(alpha=8, beta=12)),
    "gift": make_offer(contact_cost=0.1, redemption_cost=1.0, redemption_rate_stayers=1.0),
}


def make_offers(audience, value, catalogue=None, *, boosted=3.0, seed=0):
    """The catalogue held against an audience; every third customer's save rate is boosted."""
    catalogue = Catalogue(name="invented", offers=catalogue or CATALOGUE)
    table = audience.table
    risk, stake = table["risk"].to_numpy(), table["value_at_stake"].to_numpy()
    times = np.where(np.random.default_rng(seed).random(len(table)) < 1 / 3, boosted, 1.0)
    offers = list(catalogue.offers.values())
    rate = np.stack([np.minimum(one.save_rate.mean * times, 1.0) for one in offers], axis=1)
    horizon, profit = value.horizon.value, table["profit"].to_numpy()
    each = [economics.redemption_cost(one, profit, horizon) for one in offers]
    cost = np.stack(
        [economics.expected_cost(one, risk, rate[:, j], each[j]) for j, one in enumerate(offers)],
        axis=1,
    )
    return SimpleNamespace(
        names=tuple(catalogue.offers),
        catalogue=catalogue,
        eligible=np.repeat(table["contactable"].to_numpy()[:, None], len(offers), axis=1),
        save_rate=rate,
        contact_cost=np.array([one.contact_cost for one in offers]),
        cost=cost,
        net=economics.net_value(risk[:, None], rate, stake[:, None], cost),
        measured={},
    )
