"""The readout of a campaign: what it did, as ``readout.json`` has it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from retain.campaign.assignment import Assignment
from retain.campaign.audience import COUNTED
from retain.campaign.readout.compliance import summarise_attrition, summarise_compliance
from retain.campaign.readout.effects import (
    MIN_PROFITS_PER_ARM,
    estimate_effects,
    expected_profit,
)
from retain.campaign.readout.explored import read_explored
from retain.campaign.readout.gatekeeping import conclude
from retain.campaign.readout.looks import (
    Monitor,
    add_campaign_look,
    correct_rows,
    find_look_cautions,
    find_other_method,
    summarise_correction,
)
from retain.campaign.readout.means import MeanDifference, estimate_mean_difference
from retain.campaign.readout.outcomes import Outcomes
from retain.campaign.readout.qini import BootstrapSettings, compute_qini
from retain.campaign.readout.save_rates import estimate_save_rates
from retain.campaign.readout.strata import assign_strata
from retain.errors import NotApplicable
from retain.record.documents import CautionInfo
from retain.record.effects_document import EffectsDocument
from retain.record.estimates import Estimate
from retain.record.looks_document import Look
from retain.record.readout_document import (
    ByArm,
    CampaignMoney,
    EffectRow,
    ReadoutDocument,
    SaveRateRow,
)
from retain.schema.campaign import Beta, Catalogue
from retain.schema.readout import Monitoring


def estimate_money(
    assignment: Assignment, outcomes: Outcomes, effects: Sequence[EffectRow]
) -> CampaignMoney | None:
    """Return gain, cost and net value of the campaign in its unit; None if too few are observed.

    None too where each customer counted as one, as no cost can be subtracted from customers.
    That a campaign paid is concluded only if its ``effects`` say that it helped, and that a free
    campaign lost only if they say that it harmed, so that money adds no false findings.
    """
    if assignment.unit == COUNTED:
        return None
    basis, values = _money_values(assignment, outcomes)
    rows = np.isfinite(values)
    treated = assignment.is_treated[rows]
    if min(treated.sum(), (~treated).sum()) < MIN_PROFITS_PER_ARM:
        return None
    table = assignment.table.loc[rows]
    estimate = estimate_mean_difference(
        values[rows],
        treated,
        assign_strata(table, treated),
        assignment.alpha,
        expected_profit(assignment, assignment.table["risk"])[rows],
        propensity=None if assignment.has_one_share else assignment.propensity[rows],
    )
    if estimate is None:
        return None
    cost_basis, cost = _total_cost(assignment, outcomes)
    n_treated = int(assignment.is_treated.sum())
    expected_net = float(assignment.table.loc[assignment.is_treated, "expected_net"].sum())
    net = _scale_interval(estimate, n_treated, cost)
    return CampaignMoney(
        basis=basis,
        per_customer=_scale_interval(estimate, 1, 0.0),
        n_treated=n_treated,
        gain=_scale_interval(estimate, n_treated, 0.0),
        cost=cost,
        cost_basis=cost_basis,
        net=net,
        expected_net=expected_net,
        conclusion=_conclude_money(net, effects, is_free=cost == 0),
    )


def _money_values(
    assignment: Assignment, outcomes: Outcomes
) -> tuple[Literal["observed", "assumed"], np.ndarray]:
    """Return the basis, and the money each customer brought, NaN if unknown."""
    if outcomes.profit is not None:
        return "observed", outcomes.profit * assignment.assumptions.margin.value
    if outcomes.declined is None:
        raise ValueError("outcomes hold declines or profit")  # read_outcomes raises for others
    return "assumed", expected_profit(assignment, outcomes.declined)


def _total_cost(
    assignment: Assignment, outcomes: Outcomes
) -> tuple[Literal["stated", "expected"], float]:
    """Return the total cost, with the plan's expected cost of customers without a stated one."""
    expected = assignment.table["expected_cost"].to_numpy()
    if outcomes.contacted is not None:
        expected = np.where(outcomes.contacted == 0, 0.0, expected)
    if outcomes.cost is None:
        return "expected", float(expected.sum())
    return "stated", float(np.where(np.isnan(outcomes.cost), expected, outcomes.cost).sum())


def _scale_interval(estimate: MeanDifference, times: int, cost: float) -> Estimate:
    return Estimate(*(end * times - cost for end in (estimate.value, estimate.low, estimate.high)))


def _conclude_money(
    net: Estimate, effects: Sequence[EffectRow], *, is_free: bool
) -> Literal["paid", "lost", "inconclusive"]:
    """Return the conclusion about ``net``, held by those about the overall effects."""
    *_, overall = (row.conclusion for row in effects if row.scope == "overall")
    if net.low > 0 and overall == "helped":
        return "paid"
    if net.high < 0 and (overall == "harmed" or not is_free):
        return "lost"
    return "inconclusive"


@dataclass(frozen=True)
class ReadoutResult:
    """Content of ``readout.json``, and the catalogue with updated save rates.

    ``effects`` are those learned, or why none could be; None if not asked for.
    """

    document: ReadoutDocument
    catalogue: Catalogue | None
    effects: EffectsDocument | NotApplicable | None = None


def build_readout(
    assignment: Assignment,
    outcomes: Outcomes,
    *,
    resamples: int,
    looks: Sequence[Look] = (),
    monitoring: Monitoring = "auto",
) -> ReadoutResult:
    """Return the readout of a campaign; the same inputs give the same result.

    ``looks`` are the earlier ones at this campaign.
    """
    settings = BootstrapSettings(assignment.alpha, resamples, assignment.seed)
    looks = add_campaign_look(looks, assignment, outcomes, monitoring)
    monitor = Monitor.of(looks, assignment.alpha)
    monitored = replace(assignment, alpha=monitor.level)
    save_rates = estimate_save_rates(assignment, outcomes)
    catalogue = (
        None if outcomes.declined is None else update_catalogue(assignment.catalogue, save_rates)
    )
    rows = estimate_effects(monitored, outcomes)
    effects, tests = conclude(correct_rows(rows, monitor), assignment.alpha)
    document = ReadoutDocument(
        campaign_id=assignment.id,
        campaign_sha256=assignment.fingerprint,
        profit_unit=assignment.unit,
        is_turnover=assignment.is_turnover,
        alpha=assignment.alpha,
        power=assignment.power,
        seed=assignment.seed,
        n_resamples=resamples,
        looks=looks,
        look_correction=summarise_correction(rows, monitor, assignment, outcomes),
        n_planned=_count_by_arm(assignment, np.ones(len(assignment.table), dtype=bool)),
        n_observed=_count_by_arm(assignment, outcomes.in_file),
        n_unknown=outcomes.n_unknown_customers,
        attrition=summarise_attrition(assignment, outcomes),
        compliance=summarise_compliance(monitored, outcomes),
        effects=effects,
        heterogeneity=tests,
        money=estimate_money(monitored, outcomes, effects),
        explored=read_explored(monitored, outcomes),
        qini=compute_qini(assignment, outcomes, settings),
        save_rates=save_rates,
        catalogue=None if catalogue is None else catalogue.name,
        log=outcomes.log,
    )
    cautions = (
        *find_other_method(looks, monitoring),
        *find_look_cautions(rows, looks, monitor),
        *find_cautions(document),
    )
    return ReadoutResult(document.model_copy(update={"cautions": cautions}), catalogue)


def find_cautions(document: ReadoutDocument) -> Iterator[CautionInfo]:
    """Yield the warnings about a readout, each with its code and numbers."""
    attrition, compliance = document.attrition, document.compliance
    arms = {"treatment": attrition.treatment.n_missing, "control": attrition.control.n_missing}
    if attrition.is_significant:
        yield CautionInfo.of("attrition_differs", **arms, p=attrition.p)
    elif any(arms.values()):
        yield CautionInfo.of("attrition", **arms)
    if compliance is not None and compliance.n_against_plan:
        yield CautionInfo.of(
            "against_plan",
            n_control_contacted=compliance.control.n_contacted,
            n_not_contacted=compliance.treatment.n_not_contacted,
        )
    if document.n_unknown:
        yield CautionInfo.of("unknown_customers", n_customers=document.n_unknown)
    for rate in document.save_rates:
        if rate.is_conflict:
            yield CautionInfo.of("prior_conflict", offer=rate.offer)
    for row in document.effects:
        if row.conclusion == "harmed":
            yield CautionInfo.of("harm", scope=row.scope, name=row.name, outcome=row.outcome)


def _count_by_arm(assignment: Assignment, mask: np.ndarray) -> ByArm:
    treated = assignment.is_treated
    return ByArm(treatment=int((treated & mask).sum()), control=int((~treated & mask).sum()))


def update_catalogue(catalogue: Catalogue, rows: Sequence[SaveRateRow]) -> Catalogue:
    """Return the catalogue with updated save rates, under a new name.

    An offer without outcomes keeps its prior.
    """
    learned = {row.offer: row.catalogue for row in rows}
    rates = {
        name: Beta(alpha=one.alpha, beta=one.beta, minimum=one.minimum)
        for name, one in learned.items()
    }
    pairs = catalogue.offers.items()
    offers = {name: offer.model_copy(update={"save_rate": rates[name]}) for name, offer in pairs}
    name = next_catalogue_name(catalogue.name)
    return catalogue.model_copy(update={"name": name, "offers": offers})


def next_catalogue_name(name: str) -> str:
    """Return the name of a catalogue after a readout; safe as a file name.

    >>> [next_catalogue_name(f"store{end}") for end in ("", "_readout", "_readout_2")]
    ['store_readout', 'store_readout_2', 'store_readout_3']
    """
    safe = re.sub(r"\W+", "_", name).strip("_") or "offers"
    match = re.fullmatch(r"(.+_readout)(?:_(\d+))?", safe)
    return f"{match[1]}_{int(match[2] or 1) + 1}" if match else f"{safe}_readout"
