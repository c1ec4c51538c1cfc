"""Random campaigns: customers, catalogues, limits and control groups of many kinds."""

from __future__ import annotations

import numpy as np

from retain.campaign.campaign import make_campaign
from retain.campaign.segmentation.bands import NEVER
from retain.schema.campaign import Beta, CampaignConfig, Catalogue, Segmentation, ThresholdBands
from retain.schema.scoring import CampaignSettings

from ..value.invented_campaign import UNSURE, make_audience, make_offer, make_value

BANDS = ThresholdBands(scale="absolute", bands={"low": 0, "high": 0.4, "sure": NEVER})


def random_settings(seed, *, capped=True, **planning):
    """Settings with two to four offers, of which some are free, and limits that may bind."""
    random = np.random.default_rng(seed)
    offers = {
        f"offer_{at}": make_offer(
            contact_cost=float(random.choice([0.0, 0.1, 0.5, 2.0])),
            redemption_cost=float(random.choice([0.0, 0.3, 1.0])),
            discount=float(random.choice([0.0, 0.05])),
            channel="site",
            needs_consent=bool(random.random() < 0.7),
            save_rate=Beta(alpha=float(random.integers(2, 8)), beta=14.0),
            capacity=int(random.integers(0, 60)) if random.random() < 0.4 and capped else None,
        )
        for at in range(int(random.integers(2, 5)))
    }
    limits = {
        "budget": None if random.random() < 0.4 else float(random.uniform(15, 60)),
        "max_contacts": None if random.random() < 0.6 else int(random.integers(10, 150)),
        "control_share": float(random.choice([0.0, 0.1, 0.2, 0.5])),
        "exact_up_to": int(random.choice([0, 20_000])),
        "seed": seed,
    }
    return CampaignSettings(
        segmentation=Segmentation(name="halves", kind="risk_value", min_size=1, risk=BANDS),
        assumptions=make_value(100),
        offers=Catalogue(name="random", costs="accept", offers=offers),
        campaign=CampaignConfig(name="random", **{**limits, **planning}),
    )


def random_campaign(seed, n=160, *, capped=True, **planning):
    """A campaign, a fifth of whose customers have nothing at stake."""
    settings = random_settings(seed, capped=capped, **planning)
    audience = make_audience(n, seed, value=settings.assumptions)
    nothing = np.random.default_rng(seed).random(n) < 0.2
    for name in ("profit", "value_at_stake", "profit_at_risk"):
        audience.table.loc[nothing, name] = 0.0
    return make_campaign(audience, UNSURE, settings), settings
