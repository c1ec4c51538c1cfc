"""Sentences about a randomised campaign: what it changed, and for whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retain.record.documents import CautionInfo
from retain.record.effects_document import ArmEffectInfo, EffectsDocument, PolicyRow
from retain.record.estimates import DisplayName
from retain.record.trial_document import ArmEffect, TrialDocument
from retain.report.text.numbers import Number, money_form
from retain.report.text.words import Message, interval, message

SHARE_FORM = "points_2"
"""Form of shares and their differences: per cent with two decimals."""
CAUTION_FORMS = {
    "n_looks": "count",
    "alpha": "times",
    "error_rate": "times",
    "p": "p",
    "auc": "score",
    "n_contacted": "count",
    "n_customers": "count",
    "share": "percent",
}
"""Form of the numbers in cautions, by key; other values are names."""


def name(text: str) -> DisplayName:
    """Return a name of the data, the same in both languages."""
    return DisplayName(text, text)


def trial_summary(trial: TrialDocument, effects: EffectsDocument | None) -> list[Message]:
    """Return what each arm did by the first outcome and in money, and what to do next time."""
    sentences = [_found(row, trial) for row in trial.effects if row.role == "primary"]
    sentences += [
        message(
            "trial.net.sentence",
            arm=name(row.arm),
            value=Number(row.net.value, form),
            range=interval(row.net.low, row.net.high, form),
            level=level(trial),
            conclusion=message(f"trial.net.{row.conclusion}"),
        )
        for row in trial.net or ()
        for form in [net_form(trial)]
    ]
    sentences += _looks(trial)
    if effects is not None:
        sentences += [_differs(arm) for arm in effects.arms if arm.p is not None]
        sentences.append(_choice(effects))
    return sentences


def trial_cautions(trial: TrialDocument) -> list[Message]:
    """Return the warnings about a trial."""
    return [message(f"trial.caution.{one.code}", **_caution_values(one)) for one in trial.cautions]


def trial_checks(trial: TrialDocument) -> list[Message]:
    """Return the checks that were passed; cautions say the others."""
    ratio, balance = trial.checks.sample_ratio, trial.checks.balance
    sentences = []
    if ratio.outcome == "passed":
        sentences.append(message(f"trial.check.ratio.{ratio.against}", p=Number(ratio.p, "p")))
    if balance.p is None:
        sentences.append(message("trial.check.balance.not_tested"))
    elif balance.outcome == "passed":
        count, p, auc = Number(balance.n_covariates, "count"), balance.p, balance.auc
        values = {"n": count, "p": Number(p, "p"), "auc": Number(auc, "score")}
        sentences.append(message("trial.check.balance.passed", **values))
    if trial.estimator == "doubly_robust":
        sentences.append(message("trial.check.doubly_robust"))
    return sentences


def plan_name(policy: str) -> Message:
    """Return the name of a plan.

    >>> plan_name("everybody: letter").key, plan_name("learned").key
    ('trial.plan.everybody', 'trial.plan.learned')
    """
    kind, _, arm = policy.partition(": ")
    return message(f"trial.plan.{kind}", arm=name(arm))


def plan_mark(row: PolicyRow, effects: EffectsDocument) -> Message | None:
    """Return whether a plan is the chosen one, or tied with the best."""
    if row.policy == effects.chosen:
        return message("trial.plans.chosen")
    return message("trial.plans.tied") if row.is_tied else None


def plans_unit(effects: EffectsDocument) -> Message:
    """Return the unit of net values, as a part of a sentence."""
    if effects.unit is not None:
        return message("trial.plans.money")
    return message("trial.plans.unit", outcome=name(effects.outcome))


def outcome_form(trial: TrialDocument, outcome: str) -> str:
    """Return the form of an outcome's means and differences."""
    (kind,) = (one.kind for one in trial.outcomes if one.name == outcome)
    if kind == "binary":
        return SHARE_FORM
    gaps = [row.tested_difference for row in trial.effects if row.outcome == outcome]
    return money_form(end for gap in gaps if gap for end in (gap.low, gap.high))


def net_form(trial: TrialDocument) -> str:
    """Return the form of net values a customer."""
    ends = (end for row in trial.net or () for end in (row.net.low, row.net.high, row.cost))
    return money_form(ends)


def plans_form(effects: EffectsDocument) -> str:
    """Return the form of the plans' net values a customer."""
    return money_form(end for row in effects.policies for end in (row.value.low, row.value.high))


def level(document: TrialDocument | EffectsDocument) -> Number:
    """Return the level of all intervals."""
    return Number(1 - document.alpha, "percent")


def _found(row: ArmEffect, trial: TrialDocument) -> Message:
    gap, form = row.tested_difference, outcome_form(trial, row.outcome)
    names = {"arm": name(row.arm), "outcome": name(row.outcome)}
    if gap is None:
        return message("trial.found.too_few", **names)
    return message(
        "trial.found.binary" if form == SHARE_FORM else "trial.found.amount",
        **names,
        mean=Number(row.arm_mean, form),
        other=Number(row.versus_mean, form),
        difference=Number(gap.value, form),
        range=interval(gap.low, gap.high, form),
        level=level(trial),
        conclusion=message(f"trial.conclusion.{row.conclusion}"),
    )


def _looks(trial: TrialDocument) -> list[Message]:
    """Return how the intervals allow for other looks, and how long to wait for an effect."""
    look, correction, sentences = trial.looks[-1], trial.look_correction, []
    if look.method != "once":
        sentences.append(
            message(
                f"trial.look.{look.method}",
                n=Number(trial.n_looks, "count"),
                information=Number(look.information, "percent"),
                width=Number(correction.width, "times"),
            )
        )
    if trial.expected_effect is not None:
        form = outcome_form(trial, trial.outcomes[0].name)
        size = Number(trial.expected_effect, form)
        effect = message("trial.points", value=size) if form == SHARE_FORM else size
        values = {"effect": effect, "power": Number(trial.power, "percent")}
        if correction.n_more:
            values["n"] = Number(correction.n_more, "count")
        when = {None: "never", 0: "now"}.get(correction.n_more, "more")
        sentences.append(message(f"trial.wait.{when}", **values))
    return sentences


def _differs(arm: ArmEffectInfo) -> Message:
    p, share = Number(arm.p, "p"), Number(arm.shrinkage, "percent")
    if arm.shrinkage > 0:
        return message("trial.differs", arm=name(arm.arm), p=p, share=share)
    return message("trial.alike", arm=name(arm.arm), p=p)


def _choice(effects: EffectsDocument) -> Message:
    if effects.chosen == "nobody":
        return message("trial.choice_nobody")
    (row,) = (row for row in effects.policies if row.policy == effects.chosen)
    form = plans_form(effects)
    return message(
        "trial.choice",
        plan=plan_name(row.policy),
        value=Number(row.value.value, form),
        range=interval(row.value.low, row.value.high, form),
        level=level(effects),
    )


def _caution_values(caution: CautionInfo) -> dict[str, Any]:
    return {key: _caution_value(key, value) for key, value in caution.numbers.items()}


def _caution_value(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return [_with_number(key, name(one), number) for one, number in value.items()]
    if key in CAUTION_FORMS:
        return Number(value, CAUTION_FORMS[key])
    return name(str(value))


def _with_number(key: str, one: DisplayName, number: float) -> Message:
    """Return a name with its p value or its count of customers."""
    if key == "more":
        return message("trial.with_p", name=one, p=Number(number, "p"))
    return message("trial.counted", name=one, count=Number(number, "count"))
