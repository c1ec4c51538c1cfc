"""The page prints one net value of a plan."""

import copy
import re

import pytest

from retain.record.verdict_document import VerdictDocument
from retain.report.page.page import page

from ...campaign.planning.random_plans import random_campaign
from ..trees import read_as


def numbers(html, section):
    """The exact numbers of a section of the page."""
    (part,) = re.findall(rf'<section id="{section}">.*?</section>', html, flags=re.DOTALL)
    return [float(one) for one in re.findall(r'<data value="([^"]+)"', part)]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_page_prints_the_net_value_of_the_treated_and_no_other(made, seed):
    limits = {"control_share": 0.2, "budget": 20.0, "max_contacts": None}
    campaign, _ = random_campaign(seed, capped=False, **limits)
    made = copy.deepcopy(made) | {"explanations": None, "curves": None, "diffs": []}
    document = campaign.document.model_copy(update={"id": "9f3ac1d2"})
    parts = {"segments": campaign.segments, "campaign": document}
    html = page(read_as(VerdictDocument, made).model_copy(update=parts), "en")
    net, plan = document.plan.expected_net.value, campaign.plan
    assert plan.control.is_control.any()
    assert net in numbers(html, "campaign")
    assert net in numbers(html, "offers")  # the budget curve's point of this plan
    printed = {one for part in ("campaign", "offers", "trust") for one in numbers(html, part)}
    for other in (plan.allocation.objective, plan.allocation.upper_bound):
        assert other not in printed
        assert 0.8 * other not in printed
