"""The whole read-out of a campaign as one plain tree, which is ``readout.json``.

May import: errors, schema, campaign.assignment, campaign.readout.

    schema, campaign, campaign_sha256, unit, alpha, power, seed, resamples
    customers   planned, observed {treatment, control}, foreign
    missing     see missing.py          contacts    see contacts.py
    effects     rows, see effects.py    money       see money.py
    qini        see qini.py             save_rates  rows, see save_rates.py
    catalogue   name of the new catalogue; null where nobody knows who declined
    cautions    [{code, …numbers}], what a reader must know before he believes the rest
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from retain.campaign.assignment import Assignment
from retain.campaign.readout.contacts import contacts
from retain.campaign.readout.effects import effects
from retain.campaign.readout.means import Draws
from retain.campaign.readout.missing import missing
from retain.campaign.readout.money import money
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.readout.qini import qini
from retain.campaign.readout.save_rates import learnt, save_rates
from retain.schema import Catalogue

SCHEMA = 1
"""Counts up when the meaning of a key changes."""


@dataclass(frozen=True)
class Readout:
    """What was found, and the offers with what is known of them now."""

    tree: dict[str, Any]
    catalogue: Catalogue | None


def readout(assignment: Assignment, outcomes: Outcomes, *, resamples: int) -> Readout:
    """Everything that the outcomes say of the campaign; the same inputs give the same tree."""
    draws = Draws(assignment.alpha, resamples, assignment.seed)
    rates = save_rates(assignment, outcomes)
    new = None if outcomes.declined is None else learnt(assignment.catalogue, rates)
    tree = {
        "schema": SCHEMA,
        "campaign": assignment.id,
        "campaign_sha256": assignment.fingerprint,
        "unit": assignment.unit,
        "alpha": assignment.alpha,
        "power": assignment.power,
        "seed": assignment.seed,
        "resamples": resamples,
        "customers": _customers(assignment, outcomes),
        "missing": missing(assignment, outcomes),
        "contacts": contacts(assignment, outcomes),
        "effects": effects(assignment, outcomes, draws),
        "money": money(assignment, outcomes, draws),
        "qini": qini(assignment, outcomes, draws),
        "save_rates": rates,
        "catalogue": None if new is None else new.name,
    }
    return Readout(_finite({**tree, "cautions": list(cautions(tree))}), new)


def cautions(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What must be known before the rest is believed, each with its code and numbers."""
    gone, contact = tree["missing"], tree["contacts"]
    arms = {name: gone[name]["missing"] for name in ("treatment", "control")}
    if gone["differs"]:
        yield {"code": "attrition_differs", **arms, "p": gone["p"]}
    elif any(arms.values()):
        yield {"code": "missing", **arms}
    if contact is not None and contact["against"]:
        reached, spared = contact["control"]["contacted"], contact["treatment"]["not_contacted"]
        yield {"code": "against_plan", "control_contacted": reached, "not_contacted": spared}
    if tree["customers"]["foreign"]:
        yield {"code": "foreign_dropped", "customers": tree["customers"]["foreign"]}
    for row in tree["effects"]:
        if row["verdict"] == "harmed":
            yield {"code": "harm", **{key: row[key] for key in ("of", "name", "outcome")}}


def _customers(assignment: Assignment, outcomes: Outcomes) -> dict[str, Any]:
    arms = {"treatment": assignment.treated, "control": ~assignment.treated}
    return {
        "planned": {name: int(arm.sum()) for name, arm in arms.items()},
        "observed": {name: int((arm & outcomes.present).sum()) for name, arm in arms.items()},
        "foreign": outcomes.foreign,
    }


def _finite(node: Any) -> Any:
    """The same tree of plain Python values, null for what has no end."""
    if isinstance(node, dict):
        return {key: _finite(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_finite(value) for value in node]
    if isinstance(node, np.generic):
        node = node.item()
    return None if isinstance(node, float) and not math.isfinite(node) else node
