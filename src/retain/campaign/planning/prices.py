"""Shadow prices: what one more of each limit would be worth, and what those held out cost.

May import: campaign.allocation, campaign.audience, campaign.offering.offers,
campaign.planning.planned, campaign.settings.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from retain.campaign.allocation import allocate
from retain.campaign.audience import Audience
from retain.campaign.offering.offers import held
from retain.campaign.planning.planned import Planned, problem_of
from retain.campaign.settings import Settings


def prices(plan: Planned, audience: Audience, settings: Settings) -> dict[str, Any]:
    """What limits, consent and control group cost in expected net value.

    Returns
    -------
    dict
        ``budget``: what one more unit is worth (``price``), and a ``step`` of a round number of
        units (``worth``), as long as the price holds; ``contacts``: one more customer; ``consent``:
        how many gave none and may so be offered less, and what it would be ``worth`` if all did;
        ``control``: how many are held out, and what they ``cost``. None where there is none.
    """
    found, planning = plan.allocation, settings.planning
    return {
        "budget": None if planning.budget is None else _budget(found.budget_price, planning.budget),
        "contacts": None if planning.contacts is None else found.contacts_price,
        "consent": _consent(plan, audience, settings),
        "control": {
            "customers": int(plan.holdout.control.sum()),
            "cost": float(plan.of_chosen(plan.offers.net)[plan.holdout.control].sum()),
        },
    }


def _budget(price: float, budget: float) -> dict[str, float]:
    """The price of one unit, and of a step of about a tenth of the budget.

    >>> _budget(0.5, 3000.0)
    {'price': 0.5, 'step': 100.0, 'worth': 50.0}
    """
    step = 10.0 ** math.floor(math.log10(budget / 10)) if budget > 0 else 1.0
    return {"price": price, "step": step, "worth": price * step}


def _consent(plan: Planned, audience: Audience, settings: Settings) -> dict[str, float] | None:
    """What it would be worth if all who gave no consent did; None where nobody's is missing."""
    silent = int((~audience.table["contactable"]).sum())
    if silent == 0:
        return None
    asked = replace(audience, table=audience.table.assign(contactable=True))
    free = problem_of(asked, held(settings.catalogue, asked, settings.value), settings.planning)
    now = problem_of(audience, plan.offers, settings.planning)
    gain = allocate(free, exact_cells=0).value - allocate(now, exact_cells=0).value
    return {"customers": silent, "worth": max(gain, 0.0) * (1 - settings.planning.control)}
