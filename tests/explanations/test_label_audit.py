from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from retain.customers.contract.reader import read
from retain.customers.customers import DerivedFeature
from retain.explanations.label_audit import label_audit
from retain.record.estimates import DisplayName


def test_a_label_that_goes_with_the_money_agrees(shop):
    customers = shop(400)
    declined = customers.y.to_numpy() == 1
    table = customers.features.assign(revenue_previous=10.0)
    table["revenue_current"] = np.where(declined, 6.0, 11.0)
    (found,) = label_audit(replace(customers, features=table))
    assert found.is_consistent
    assert found.z > 10
    assert (found.declined.decreased_share.value, found.stayed.decreased_share.value) == (1.0, 0.0)
    assert found.declined.median_change == pytest.approx(-0.4)
    interval = stats.binomtest(0, found.stayed.n_customers).proportion_ci(method="wilson")
    assert (found.stayed.decreased_share.low, found.stayed.decreased_share.high) == pytest.approx(
        tuple(interval)
    )


def test_a_label_the_money_knows_nothing_of_does_not_agree(shop):
    (found,) = label_audit(shop(400))
    assert not found.is_consistent
    assert abs(found.z) < 1.96
    assert found.previous == DisplayName("revenue_previous", "revenue_previous")
    assert found.current.en == "revenue_current"
    assert found.derived.en == "revenue_trend"


def test_without_periods_or_figures_there_is_nothing_to_audit(shop):
    customers = shop(60)
    assert label_audit(replace(customers, derived_features=())) == []
    ratio = DerivedFeature("ratio", "purchase", "ratio", ("revenue_current", "revenue_previous"))
    assert label_audit(replace(customers, derived_features=(ratio,))) == []
    unknown = customers.features.assign(revenue_current=np.nan)
    assert label_audit(replace(customers, features=unknown)) == []


def test_of_figures_of_zero_no_median_change_is_known(shop):
    table = shop(60).features.assign(revenue_previous=0.0)
    (found,) = label_audit(replace(shop(60), features=table))
    assert found.declined.median_change is None


# What the store sends is its own doing and tells nothing of what a customer did.
# Revenue fell for 21 % of those the store labels as declined and for 30 % of the others.
def test_the_label_of_the_real_store_is_not_what_its_money_says(one_click_dir, one_click_contract):
    found = label_audit(read(dir=str(one_click_dir), **one_click_contract))
    assert [one.derived.ru for one in found] == [
        "Изменение выручки в среднем за месяц",
        "Изменение времени на сайте за месяц",
    ]
    revenue, minutes = found
    assert (revenue.previous.ru, revenue.current.ru) == (
        "Выручка, прошлый месяц",
        "Выручка, текущий месяц",
    )
    assert [
        round(side.decreased_share.value, 2) for side in (revenue.declined, revenue.stayed)
    ] == [
        0.21,
        0.30,
    ]
    assert revenue.z < -1.96
    assert (minutes.previous.en, minutes.current.en) == (
        "Minutes on the site, previous month",
        "Minutes on the site, current month",
    )
