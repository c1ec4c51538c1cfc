import functools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from retain.campaign.audience import OpenCampaigns
from retain.campaign.campaign import make_campaign
from retain.campaign.hand_over import do_not_contact_table
from retain.campaign.offers.left_alone import in_permanent_control
from retain.report.text.approval import plan_notes
from retain.report.text.words import words

from ..planning.random_plans import random_settings
from ..value.invented_campaign import UNSURE, make_audience


def plan_campaign(open_campaigns=None, seed=0, channel="site", **planning):
    settings = random_settings(
        0, capped=False, budget=None, max_contacts=None, control_share=0.2, **planning
    )
    audience = make_audience(200, 0, value=settings.assumptions)
    audience = replace(audience, open_campaigns=open_campaigns or OpenCampaigns())
    named = settings.offers.offers.items()
    changed = {"channel": channel, **({} if channel == "site" else {"needs_consent": True})}
    offers = {name: offer.model_copy(update=changed) for name, offer in named}
    settings = settings.model_copy(
        update={
            "campaign": settings.campaign.model_copy(update={"seed": seed}),
            "offers": settings.offers.model_copy(update={"offers": offers}),
        }
    )
    return make_campaign(audience, UNSURE, settings), settings.campaign


@functools.cache
def first_campaign():
    return plan_campaign()


def chosen_ids(campaign):
    return set(campaign.audience.table.index[campaign.plan.offer_index >= 0])


# Two campaigns that were planned one after the other share no customer: neither who is contacted
# nor who is in a control group.
def test_of_two_campaigns_the_second_has_no_customer_of_the_first():
    first, _ = first_campaign()
    ids = sorted(chosen_ids(first))[::2]
    second, planning = plan_campaign(
        OpenCampaigns({str(one): "0a1b2c3d" for one in ids}, tuple("abcd"))
    )
    assert chosen_ids(second).isdisjoint(ids)
    assert chosen_ids(second) >= chosen_ids(first) - set(ids)
    (found,) = second.document.policies.open_campaigns
    assert (found.id, found.n_customers) == ("0a1b2c3d", len(ids))
    (caution,) = (one for one in second.document.cautions if one.code == "campaigns_unreadable")
    assert caution.numbers == {"n": 4, "campaigns": ["a", "b", "c", "…"]}
    for language, text in (("en", "in campaign 0a1b2c3d"), ("ru", "участвует в кампании 0a1b2c3d")):
        table = do_not_contact_table(second, second.plan, planning, language)
        listed = table.set_index("customer_id")["reason"]
        assert listed[ids].str.startswith(text).all()


def test_who_rests_after_a_campaign_gets_nothing_but_on_visits_and_is_counted_apart():
    first, _ = first_campaign()
    contacted = sorted(chosen_ids(first))[::2]
    is_open = sorted(chosen_ids(first))[::3]
    others = OpenCampaigns(
        {str(one): "0a1b2c3d" for one in is_open},
        resting={str(one): "4e5f6a7b" for one in contacted},
    )
    visited, _ = plan_campaign(others, rest_days=30)
    assert chosen_ids(visited) & set(contacted) - set(is_open)
    second, planning = plan_campaign(others, channel="email", rest_days=30)
    assert chosen_ids(second)
    assert chosen_ids(second).isdisjoint([*contacted, *is_open])
    table = second.audience.table["contactable"]
    apart = [one for one in contacted if one not in is_open and table[one]]
    policies = second.document.policies
    (found,) = policies.rested_after
    assert (found.id, found.n_customers) == ("4e5f6a7b", len(apart))
    assert policies.n_spared == 0
    said = " ".join(map(words("en").plain, plan_notes(second.document)))
    assert "campaign 4e5f6a7b contacts them less than 30 days apart" in said
    for language, text in (("en", "less than 30 days apart"), ("ru", "меньше 30 дн.")):
        listed = do_not_contact_table(second, second.plan, planning, language)
        reasons = listed.set_index("customer_id")["reason"]
        assert reasons[apart].str.contains(text, regex=False).all()


def test_the_permanent_control_group_is_in_no_campaign_whatever_the_seed():
    for seed in (0, 1):
        campaign, planning = plan_campaign(seed=seed, permanent_control=0.3)
        ids = campaign.audience.table.index
        permanent = in_permanent_control(ids, 0.3)
        assert chosen_ids(campaign).isdisjoint(ids[permanent])
        assert campaign.document.policies.n_permanent_control == permanent.sum()
        table = do_not_contact_table(campaign, campaign.plan, planning, "en")
        reasons = table.set_index("customer_id")["reason"]
        assert set(reasons[ids[permanent]]) == {"permanent control group: no campaign"}


def test_a_larger_permanent_control_group_holds_the_smaller_one():
    ids = pd.Index(range(5000))
    small, large = (in_permanent_control(ids, share) for share in (0.05, 0.2))
    assert (small <= large).all()
    assert (small.mean(), large.mean()) == pytest.approx((0.05, 0.2), abs=0.02)
    assert np.array_equal(in_permanent_control(ids.astype(str), 0.05), small)
    assert not in_permanent_control(ids, 0.0).any()
