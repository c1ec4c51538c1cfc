"""The control group of a campaign in the terminal: what it can show, and what it costs."""

from __future__ import annotations

from retain.campaign.planning.control_design import MAX_COST_SHARE, MIN_CONTROL
from retain.record.campaign_document import CampaignDocument
from retain.report.text.numbers import format_number
from retain.wording import to_frequency

ONE_SHARE = {
    "small": f"shares can differ only in a control group of about {MIN_CONTROL} customers or more",
    "no_saving": "no other shares were found that keep within the limits and save at least "
    f"{1 - MAX_COST_SHARE:.0%}",
}
"""Words for the reason that all keep one share."""


def format_value(number: float) -> str:
    """Return a number with three digits."""
    return format_number(number, "value", "en")


def describe_saving(campaign: CampaignDocument) -> str | None:
    """Return what a control group of other shares costs and saves, or why there is none.

    None if one share for all was asked for.
    """
    group = campaign.control_group
    if group.one_share_because is not None:
        return (
            "All chosen keep one share, though campaign.control_design=least_cost asks for the "
            f"cheapest ones: {ONE_SHARE[group.one_share_because]}."
        )
    if group.design == "uniform":
        return None
    shares = (group.lowest_share, group.highest_share, group.share)
    lowest, highest, equal = (format_number(share, "share", "en") for share in shares)
    what = "customers kept" if campaign.objective == "customers" else "net value"
    cost, other = (format_value(one or 0.0) for one in (group.cost, group.uniform_cost))
    return (
        f"The control group has {lowest} to {highest} of the chosen, fewer where a contact is "
        f"worth more or its outcome is surer. It is expected to cost {cost} of {what}; {equal} of "
        f"all would show the same effect on all chosen and cost {other}."
    )


def describe_power(campaign: CampaignDocument) -> str:
    """Return which effect the control group can show, and whether it is the expected one."""
    power = campaign.power.overall
    if not power.n_treated + power.n_control:
        return "Nobody is contacted, so there is no effect to measure."
    if not power.n_control:
        return "Without a control group the effect cannot be measured."
    groups = f"{power.n_treated:,} contacted and {power.n_control:,} in the control group"
    arms = (
        "" if power.required_n is None else f"; {power.required_n:,} in each group would be needed"
    )
    if power.minimum_detectable_effect is None:
        return f"The groups are too small to detect any effect ({groups}{arms})."
    seen, total = to_frequency(campaign.power.power)
    effects = (
        f"expected fall of the share that declines: {100 * power.expected:.1f} percentage "
        f"points; a fall of {100 * power.minimum_detectable_effect:.1f} would be seen in {seen} "
        f"of {total} such campaigns"
    )
    if power.claimable:
        return f"The effect can be measured ({effects})."
    return f"The campaign is too small to measure its effect ({effects}{arms})."
