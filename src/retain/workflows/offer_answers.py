"""Answers of customers like those of a plan to their offers, in words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.campaign.offers.texts import Language
from retain.campaign.planning.plan import CampaignPlan
from retain.record.effects_document import PlanEffectsInfo
from retain.report.text.numbers import Number
from retain.report.text.words import message, words


def answers_by_customer(
    audience: Audience, plan: CampaignPlan, effects: PlanEffectsInfo | None, language: Language
) -> pd.Series:
    """Return a text for each treated customer whose effect is shown to differ from others'.

    Where no differences are shown, the mean effect says nothing of customers like this one.
    """
    names = plan.offers.names
    differing = [
        names.index(one.offer)
        for one in (() if effects is None or effects.unit == "money" else effects.offers)
        if one.shrinkage > 0
    ]
    rows = np.flatnonzero(np.isin(plan.treated_offer_index, differing))
    rate = plan.select_chosen(plan.offers.save_rate)[rows]
    kept = rate * audience.table["risk"].to_numpy()[rows]
    speaker = words(language)
    texts = [
        speaker.plain(message("caution.answered", n=Number(100 * one, "count"))) for one in kept
    ]
    return pd.Series(texts, index=audience.table.index[rows], dtype=object)
