"""Words of a readout in the terminal: its cautions, and the name of its money."""

from __future__ import annotations

from retain.record.documents import CautionInfo
from retain.record.readout_document import ReadoutDocument
from retain.report.text.amounts import say_turnover
from retain.wording import format_p

CAUTIONS = {
    "looks": "This is look {n_looks} at this campaign's outcomes, and not all allow for the "
    "others. One look finds an effect where there is none in {alpha:.2f} of campaigns, these looks "
    "in up to {error_rate:.2f}. While outcomes arrive, type monitoring=always_valid from the first "
    "look on.",
    "monitoring": "These outcomes were read out as {kept} before, which is kept. "
    "{typed} counts from the next outcomes on.",
    "stop_declined": "More of the customers to contact decline than of the control group, by more "
    "than chance explains so far. Stop the campaign until the reason is known; {level:.0%} of "
    "harmless campaigns are stopped by this rule too.",
    "stop_profit": "The customers to contact bring less than the control group, by more than "
    "chance explains so far. Stop the campaign until the reason is known; {level:.0%} of harmless "
    "campaigns are stopped by this rule too.",
    "prior_conflict": "The outcomes contradict the save rate that the catalogue assumed for "
    "{offer}. The new catalogue rests on the outcomes.",
    "attrition_differs": "Outcomes are missing for {treatment} customers to contact and {control} "
    "in the control group. The shares differ significantly (p {p}), so the observed groups may "
    "not be comparable.",
    "attrition": "Outcomes are missing for {treatment} customers to contact and {control} in the "
    "control group.",
    "against_plan": "Not as planned: {n_control_contacted} of the control group were contacted, "
    "{n_not_contacted} to contact were not. Everybody is analysed as assigned.",
    "unknown_customers": "Customers of the file that are not in the campaign and are left out: "
    "{n_customers}.",
}


def say_caution(caution: CautionInfo) -> str:
    """Return a caution as a sentence."""
    numbers = caution.numbers
    if caution.code == "stop":
        return CAUTIONS[f"stop_{numbers['outcome']}"].format(**numbers)
    if caution.code != "harm":
        p = {"p": format_p(numbers["p"])} if "p" in numbers else {}
        return CAUTIONS[caution.code].format(**{**numbers, **p})
    is_overall, declined = numbers["scope"] == "overall", numbers["outcome"] == "declined"
    part = "The campaign" if is_overall else f"{numbers['scope']} {numbers['name']}"
    worse = "raised the share that declined" if declined else "lost profit"
    return f"{part} {worse} among the customers to contact. Stop it until the reason is known."


def name_money(text: str, document: ReadoutDocument) -> str:
    """Return a text about profit as one about turnover, if the amounts are."""
    return say_turnover(text, "en") if document.is_turnover else text
