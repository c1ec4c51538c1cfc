"""Effects learned from a trial, plans judged by them, and the files these leave.

outputs/<name>/trial/, campaigns/<id>/readout/trial/
  effects.json          effects of each arm, evidence that they differ, and plans; for programs
  policies.csv          what each plan would have earned
  value_by_share.csv    the same by the share of customers contacted, for each order of customers
  next_campaign.csv     the customers of the next campaign, and the arm that each gets
  calibration.csv       effects on fifths of the customers, by what they were predicted to be
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from retain.campaign.assignment import Assignment
from retain.campaign.effects.document import describe_effects
from retain.campaign.effects.learners import learn_effects
from retain.campaign.effects.next_campaign import NextCustomers, NextPlan, plan_next
from retain.campaign.effects.policies import ContactLimits, Payoff
from retain.campaign.effects.spec import EffectsSpec
from retain.campaign.trial.from_table import TrialTable
from retain.campaign.trial.names import find_arms
from retain.campaign.trial.trial import Trial
from retain.errors import RetainError
from retain.record.documents import write_document
from retain.record.effects_document import EffectsDocument
from retain.record.trial_directory import TrialDirectory
from retain.schema.effects import PolicyLimits
from retain.schema.readout import TrialKeys
from retain.verdict.export import flatten_estimates, write_csv


def check_learner(keys: TrialKeys) -> None:
    """Raise for keys about plans by effects if none are learned.

    Raises
    ------
    RetainError
        A limit or the next campaign is named, and no learner.
    """
    named = {f"limits.{name}": value for name, value in keys.limits if value not in (None, {})}
    if keys.next.file is not None:
        named["next.file"] = keys.next.file
    if named and keys.effects.name == "none":
        raise RetainError.at(
            next(iter(named)), "no effects are learned", "expected effects=dr_learner too"
        )


def judge_plans(
    table: TrialTable,
    spec: EffectsSpec,
    limits: PolicyLimits,
    customers: NextCustomers | None = None,
) -> tuple[EffectsDocument, NextPlan | None]:
    """Learn the effects of a trial's arms, and say what plans by them would have earned.

    The plan of the next campaign is that for its ``customers``, if there are any: limits are then
    theirs, and plans are judged at the same share of the trial's customers.

    Raises
    ------
    RetainError
        A limit names no arm.
    NotApplicable
        Effects cannot be learned from this trial.
    """
    within = _limits(table.trial, limits)
    effects = learn_effects(table.trial, spec)
    value = table.value.get(table.trial.outcome.name)
    cost = table.trial.cost if value is None else table.cost
    payoff = Payoff(1.0 if value is None else value, cost, None if value is None else "money")
    if customers is None:
        return describe_effects(effects, payoff, within), None
    scaled = within.scale(len(effects.trial.ids) / max(len(customers.ids), 1))
    document = describe_effects(effects, payoff, scaled)
    judged = next(row for row in document.policies if row.policy == document.chosen)
    plan = plan_next(effects, payoff, within, judged, customers)
    return document.model_copy(update={"next_campaign": plan.info}), plan


def judge_campaign_plans(
    table: TrialTable, assignment: Assignment, spec: EffectsSpec, limits: PolicyLimits
) -> EffectsDocument:
    """Learn the effects of a campaign's offers, and say what plans by them would have earned.

    That a customer stays is worth the value at stake when the campaign was planned.

    Raises
    ------
    RetainError
        A limit names no offer.
    NotApplicable
        Effects cannot be learned from this campaign.
    """
    within = _limits(table.trial, limits)
    effects = learn_effects(table.trial, spec)
    planned = assignment.table.set_index("customer_id").loc[effects.trial.ids]
    stays = effects.trial.outcome.is_stay
    value = planned["value_at_stake"].to_numpy() if stays else 1.0
    payoff = Payoff(value, table.cost, assignment.unit)
    risk, segment = planned["risk"].to_numpy(), planned["segment"].to_numpy(dtype=str)
    return describe_effects(effects, payoff, within, risk, segment)


def _limits(trial: Trial, limits: PolicyLimits) -> ContactLimits:
    capacity = None
    if limits.capacity:
        offers = trial.arms[1:]
        capacity = np.full(len(offers), np.inf)
        for arm, most in find_arms(limits.capacity, offers, "limits.capacity").items():
            capacity[offers.index(arm)] = most
    return ContactLimits(limits.budget, limits.max_contacts, capacity)


def write_effects(files: TrialDirectory, document: EffectsDocument) -> None:
    """Write all files into a folder."""
    for path, rows in (
        (files.policies, document.policies),
        (files.value_by_share, document.curve),
        (files.calibration, document.calibration),
    ):
        write_csv(pd.DataFrame([flatten_estimates(row) for row in rows]), path)
    write_document(document, files.effects_json)
