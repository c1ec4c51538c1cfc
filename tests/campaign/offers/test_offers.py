"""Who may get which offer, what it is expected to cost and to save, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import yaml
from hydra import compose, initialize_config_dir
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from retain.campaign.audience import Audience
from retain.campaign.offers.catalogue import OWN, check_catalogue, fit_catalogue
from retain.campaign.offers.offers import evaluate_offers
from retain.campaign.offers.texts import offer_texts
from retain.customers import demo
from retain.customers.customers import Column
from retain.errors import NotApplicable, RetainError
from retain.learning.features import derive
from retain.record.estimates import DisplayName
from retain.schema.campaign import Assumptions, Catalogue
from retain.schema.parsing import parse

OFFER = {
    "label": {"en": "Letter", "ru": "Письмо"},
    "text": {"en": "Hello", "ru": "Здравствуйте"},
    "channel": "email",
    "needs_consent": True,
    "contact_cost": 1.0,
    "redemption_cost": 10.0,
    "discount": 0.0,
    "redemption_rate_stayers": 1.0,
    "save_rate": {"alpha": 6, "beta": 14},
}
COLUMNS = {
    "pages": Column("pages", "site", "number", "Pages a visit", "Страниц за визит"),
    "errors": Column("errors", "site", "number", "Errors", "Ошибки"),
    "goods": Column(
        "goods", "product", "category", levels={"toys": DisplayName("Toys", "Игрушки")}
    ),
}


def catalogue(**offers):
    """Offers as ``OFFER``, but for what is said of each."""
    tree = {name: {**OFFER, **changes} for name, changes in offers.items()}
    return parse(Catalogue, {"name": "tried", "offers": tree}, "offers")


def value(horizon=3.0, loss_fraction=1.0, margin=1.0, cost=1.0):
    text = {
        "horizon": horizon,
        "loss_fraction": loss_fraction,
        "margin": margin,
        "cost_multiplier": cost,
    }
    spans = {name: {"value": at, "low": at, "high": at} for name, at in text.items()}
    return parse(Assumptions, {"name": "tried", **spans, "simulations": 100})


def audience(
    risk, *, profit=100.0, value_at_stake=200.0, contactable=True, drivers=None, **features
):
    """Customers 11, 12, … with the features of ``COLUMNS``; drivers as (id, feature, log-odds)."""
    ids = pd.Index(np.arange(11, 11 + len(risk)), name="customer_id")
    money = {"profit": profit, "value_at_stake": value_at_stake, "contactable": contactable}
    table = pd.DataFrame({"risk": risk, **money}, index=ids)
    table["profit_at_risk"] = table["risk"] * table["value_at_stake"]
    known = {"pages": 5.0, "errors": 1.0, "goods": "toys"} | features
    result = drivers
    if drivers is not None:
        result = pd.DataFrame(drivers, columns=["customer_id", "feature", "log_odds"])
    frame = pd.DataFrame(known, index=ids).astype({"goods": "str"})
    return Audience(table, frame, COLUMNS, profit_unit="roubles", drivers=result)


def eligible(audience, **changes):
    return evaluate_offers(catalogue(one=changes), audience, value()).eligible[:, 0].tolist()


# --- economics ---------------------------------------------------------------------------------


# Verbraken et al. 2013: CLV 200, incentive 10, contact 1, save rate .3; all who stay take it.
def test_the_published_example_earns_56_of_a_churner_and_loses_11_on_who_stays():
    found = evaluate_offers(catalogue(one={}), audience([1.0, 0.0]), value())
    assert found.net[:, 0] == pytest.approx([56.0, -11.0])
    assert found.cost[:, 0] == pytest.approx([4.0, 11.0])


def test_a_targeted_list_earns_what_the_published_formula_says():
    churners = np.array([1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0])
    clv, gamma, delta, phi = 200, 0.3, 10 / 200, 1 / 200
    targeted = churners[:5]
    formula = clv * (gamma * (1 - delta) - phi) * targeted.sum()
    formula -= clv * (delta + phi) * (1 - targeted).sum()
    found = evaluate_offers(catalogue(one={}), audience(churners), value())
    assert found.net[:5, 0].sum() == pytest.approx(formula)


def test_at_the_break_even_risk_an_offer_is_worth_nothing():
    found = evaluate_offers(catalogue(one={}), audience([11 / 67]), value())
    assert found.net[0, 0] == pytest.approx(0.0, abs=1e-12)


def test_cost_and_worth_are_those_reckoned_by_hand():
    raised = [(11, "errors", 0.4)]
    one = audience([0.5, 0.5], profit=[20.0, 20.0], value_at_stake=[60.0, 60.0], drivers=raised)
    boosted = {"boost": {"drivers": ["errors"], "factor": 1.5}, "redemption_rate_stayers": 0.2}
    found = evaluate_offers(catalogue(one=boosted | {"discount": 0.1}), one, value(horizon=4.0))
    each = 10 + 0.1 * 20 * 4
    costs = [1 + (0.5 * 0.45 + 0.5 * 0.2) * each, 1 + (0.5 * 0.3 + 0.5 * 0.2) * each]
    assert found.save_rate[:, 0] == pytest.approx([0.45, 0.3])
    assert found.contact_cost.tolist() == [1.0]
    assert found.cost[:, 0] == pytest.approx(costs)
    assert found.net[:, 0] == pytest.approx([0.5 * 0.45 * 60 - costs[0], 0.5 * 0.3 * 60 - costs[1]])


def test_nobody_is_saved_more_than_surely():
    sure = {"save_rate": {"alpha": 9, "beta": 1}, "boost": {"drivers": ["site"], "factor": 10}}
    found = evaluate_offers(
        catalogue(one=sure), audience([0.5], drivers=[(11, "pages", 1.0)]), value()
    )
    assert found.save_rate.tolist() == [[1.0]]


# A loss would turn a discount into income; an unknown profit would spread as NaN.
@pytest.mark.parametrize("profit", [-50.0, np.nan, 0.0])
def test_of_no_profit_nothing_is_saved_and_no_discount_is_given(profit):
    found = evaluate_offers(
        catalogue(one={"discount": 0.5}),
        audience([0.4], profit=profit, value_at_stake=0.0),
        value(),
    )
    assert found.cost[0, 0] == pytest.approx(1 + 10 * (0.4 * 0.3 + 0.6))
    assert found.net[0, 0] == -found.cost[0, 0]


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=6),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 100),
)
@settings(max_examples=50, deadline=None)
def test_what_is_spent_and_what_is_saved_add_up(risk, discount, stayers, contact):
    terms = {"discount": discount, "redemption_rate_stayers": stayers, "contact_cost": contact}
    found = evaluate_offers(catalogue(one=terms), audience(risk), value())
    assert (found.cost[:, 0] >= contact).all()
    saved = np.array(risk) * 0.3 * 200
    assert found.net[:, 0] + found.cost[:, 0] == pytest.approx(saved)


def test_without_profit_no_offer_has_a_value():
    one = audience([0.5])
    nothing = Audience(one.table.drop(columns=["profit", "value_at_stake"]), one.features, COLUMNS)
    with pytest.raises(NotApplicable, match="the data have no profit"):
        evaluate_offers(catalogue(one={}), nothing, value())


# --- who may get what --------------------------------------------------------------------------

RULES = st.sampled_from([None, {"risk": {"at_least": 0.5}}, {"goods": {"one_of": ["toys"]}}])
OFFERS = st.fixed_dictionaries(
    {
        "needs_consent": st.booleans(),
        "drivers": st.sampled_from([[], ["site"], ["pages", "goods"]]),
        "include_if": RULES,
        "exclude_if": RULES,
        "text": st.sampled_from([OFFER["text"], {"en": "{driver}", "ru": "{goods}"}]),
    }
)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_nobody_without_consent_is_ever_reached(data):
    offers = data.draw(st.lists(OFFERS, min_size=1, max_size=4))
    offers = [one | {"channel": "email" if one["needs_consent"] else "site"} for one in offers]
    n = data.draw(st.integers(1, 6))
    agreed = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    risk = data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
    row = st.tuples(st.integers(9, 18), st.sampled_from(list(COLUMNS)), st.floats(-2, 2))
    drivers = data.draw(st.none() | st.lists(row, max_size=12))
    tried = catalogue(**{f"o{j}": one for j, one in enumerate(offers)})
    found = evaluate_offers(tried, audience(risk, contactable=agreed, drivers=drivers), value())
    needing = [one["needs_consent"] for one in offers]
    assert not found.eligible[~agreed][:, needing].any()


def test_an_offer_where_customers_come_by_themselves_needs_no_consent():
    one = audience([0.5, 0.5], contactable=[True, False])
    assert eligible(one) == [True, False]
    assert eligible(one, channel="site", needs_consent=False) == [True, True]


def test_consent_that_is_not_known_is_not_given():
    one = audience([0.5] * 4, contactable=[True, None, np.nan, False])
    assert eligible(one) == [True, False, False, False]


@pytest.mark.parametrize("channel", ["email", "call", "Letter", "звонок"])
def test_a_channel_that_reaches_out_is_refused_without_consent(channel):
    refused = rf"offers\.one\.needs_consent is false with channel '{channel}'; expected true, or"
    with pytest.raises(RetainError, match=refused):
        check_catalogue(
            catalogue(one={"channel": channel, "needs_consent": False}), audience([0.5])
        )


def test_an_offer_goes_where_when_holds_and_never_does_not():
    one = audience([0.2, 0.6, 0.9], errors=[1.0, 9.0, 1.0])
    assert eligible(one, include_if={"risk": {"at_least": 0.5}}) == [False, True, True]
    assert eligible(one, exclude_if={"errors": {"above": 5}}) == [True, False, True]


DRIVERS = [(11, "pages", 0.5), (12, "pages", -0.5), (12, "goods", 0.1), (13, "errors", 0.2)]


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (["pages"], [True, False, False, False]),
        (["site"], [True, False, True, False]),
        (["goods", "errors"], [False, True, True, False]),
        ([], [True, True, True, True]),
    ],
)
def test_an_offer_goes_to_those_whose_risk_its_drivers_raise(named, expected):
    assert eligible(audience([0.5] * 4, drivers=DRIVERS), drivers=named) == expected


def test_drivers_and_when_must_both_hold_where_both_are_known():
    one = audience(
        [0.5, 0.5, 0.5], pages=[2.0, 2.0, 9.0], drivers=[*DRIVERS[:2], (13, "pages", 1.0)]
    )
    low = {"pages": {"below": 5}}
    assert eligible(one, drivers=["pages"], include_if=low) == [True, False, False]


def test_where_no_drivers_are_told_when_speaks_alone():
    low = {"pages": {"below": 5}}
    for drivers in (None, [(99, "pages", 1.0)]):
        one = audience([0.5, 0.5], pages=[2.0, 9.0], drivers=drivers)
        assert eligible(one, drivers=["pages"], include_if=low) == [True, False]
        assert eligible(one, drivers=["pages"]) == [False, False]


def test_the_order_in_which_drivers_are_told_changes_nothing():
    rows = [(11, "pages", 0.2), (11, "errors", 0.9), (12, "goods", 0.3), (12, "errors", -1.0)]
    offers = catalogue(one={"drivers": ["site"], "text": {"en": "{driver}", "ru": "{driver}"}})
    found = []
    for message in (rows, rows[::-1]):
        one = audience([0.5, 0.5], drivers=message)
        text = evaluate_offers(offers, one, value())
        found.append((text.eligible.tolist(), offer_texts(text, one, np.array([0, -1]), "en")))
    assert found[0] == found[1] == ([[True], [False]], ["Errors", ""])


# A file of new customers may hold a few alone: who is best among them says nothing.
def test_a_settled_catalogue_judges_others_by_the_customers_it_was_settled_by():
    rules = {"include_if": {"pages": {"top": 0.5}}, "exclude_if": {"errors": {"bottom": 0.25}}}
    before = audience([0.5] * 4, pages=[1.0, 2.0, 3.0, 4.0], errors=[1.0, 2.0, 3.0, 4.0])
    others = audience([0.5] * 3, pages=[1.0, 2.0, 3.5], errors=[9.0, 9.0, 9.0])
    offers = fit_catalogue(catalogue(one=rules, two={}), before)
    assert evaluate_offers(offers, before, value()).eligible[:, 0].tolist() == [
        False,
        False,
        True,
        True,
    ]
    assert evaluate_offers(offers, others, value()).eligible[:, 0].tolist() == [False, False, True]
    assert evaluate_offers(catalogue(one=rules), others, value()).eligible.sum() == 0
    assert offers.offers["two"].include_if is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{pages}", [True, False, False, True]),
        ("{goods}", [True, True, False, False]),
        ("{pages} of {goods}", [True, False, False, False]),
        ("{driver}", [True, False, False, True]),
    ],
)
def test_who_lacks_what_a_text_tells_does_not_get_it(text, expected):
    pages, goods = [5.0, np.nan, np.inf, 0.0], ["toys", "books", None, "\u200b\n"]
    raised = [(11, "goods", 0.5), (12, "goods", -0.5), (14, "pages", 0.1)]
    one = audience([0.5] * 4, pages=pages, goods=goods, drivers=raised)
    for both in ({"en": text, "ru": "Да"}, {"en": "Yes", "ru": text}):
        assert eligible(one, text=both) == expected


def test_a_feature_goes_before_a_group_of_its_name():
    one = audience([0.5], drivers=[(11, "pages", 1.0)])
    columns = {**COLUMNS, "site": Column("site", "product", "number")}
    shadowed = Audience(one.table, one.features.assign(site=1.0), columns, "roubles", one.drivers)
    assert eligible(shadowed, drivers=["site"]) == [False]


# --- what is refused ---------------------------------------------------------------------------

BAD = {
    "when": (
        {"include_if": {"page": {"below": 5}}},
        r"offers\.one\.include_if: .*'page'.*'pages'\?",
    ),
    "never": (
        {"exclude_if": {"goods": {"below": 5}}},
        r"offers\.one\.exclude_if\.goods is a category",
    ),
    "driver": (
        {"drivers": ["eror"]},
        r"offers\.one\.drivers: feature or group 'eror' is not one of .* Did you mean 'errors'\?",
    ),
    "group": ({"drivers": ["sight"]}, r"offers\.one\.drivers: .*'sight'.* Did you mean 'site'\?"),
    "boost": (
        {"boost": {"drivers": ["good"], "factor": 2}},
        r"offers\.one\.boost\.drivers: feature or group 'good' .* Did you mean 'goods'\?",
    ),
    "placeholder": (
        {"text": {"en": "{pagges}", "ru": "Да"}},
        r"offers\.one\.text\.en: placeholder '\{pagges\}' names no feature\. .*'pages'\?",
    ),
    "russian": (
        {"text": {"en": "Yes", "ru": "{drive}"}},
        r"offers\.one\.text\.ru: placeholder '\{drive\}' names no feature\. .*'driver'\?",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_meant_is_refused_with_its_place(what):
    changes, text = BAD[what]
    with pytest.raises(RetainError, match=text) as caught:
        evaluate_offers(catalogue(good={}, one=changes), audience([0.5]), value())
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("{pages.__class__}", "{pages.__class__}"),
        ("{pages[0]}", "{pages[0]}"),
        ("{pages:>9999999}", "{pages:>9999999}"),
        ("{pages!r}", "{pages!r}"),
        ("{pages:{errors}}", "{pages:{errors}}"),
        ("{ pages }", "{ pages }"),
        ("{}", "{}"),
        ("{0}", "{0}"),
    ],
)
def test_a_placeholder_is_a_bare_name_and_nothing_else(text, typed):
    with pytest.raises(RetainError, match="is no bare name; expected such as") as caught:
        check_catalogue(catalogue(one={"text": {"en": text, "ru": "Да"}}), audience([0.5]))
    assert f"placeholder {typed!r} is no bare name" in str(caught.value)


@pytest.mark.parametrize("text", ["{pages", "pages}", "{pages!", "{{pages}"])
def test_braces_without_their_fellow_are_refused(text):
    message = r"offers\.one\.text\.en: its braces cannot be read \(.*\); expected a bare name"
    with pytest.raises(RetainError, match=message):
        check_catalogue(catalogue(one={"text": {"en": text, "ru": "Да"}}), audience([0.5]))


def test_no_offer_is_called_nothing():
    with pytest.raises(RetainError, match=r"offers\.nothing: doing nothing is always possible"):
        check_catalogue(catalogue(nothing={}), audience([0.5]))


def test_every_fault_of_a_catalogue_is_told_at_once():
    wrong = catalogue(one={"drivers": ["zzz"]}, two={"text": {"en": "{zzz}", "ru": "{yyy}"}})
    with pytest.raises(RetainError, match="zzz") as caught:
        check_catalogue(wrong, audience([0.5]))
    places = [line.partition(": ")[0] for line in str(caught.value).splitlines()]
    assert places == ["offers.one.drivers", "offers.two.text.en", "offers.two.text.ru"]


# --- the catalogues there are ------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(checkout, one_click_contract):
    """The made-up customers of the store, all that is known of them; no drivers."""
    customers = demo.read(customers=400, seed=0, **one_click_contract)
    derived = [derive(one, customers.features) for one in customers.derived_features]
    features = pd.concat([customers.features, *derived], axis=1)
    profit = customers.profit.to_numpy()
    risk = np.random.default_rng(0).random(len(features))
    table = pd.DataFrame(
        {
            "risk": risk,
            "profit": profit,
            "value_at_stake": 3 * profit,
            "profit_at_risk": 3 * risk * profit,
        },
        index=features.index,
    ).assign(contactable=customers.contactable)
    return Audience(table, features, customers.column_info(features), customers.profit_unit)


def shipped(checkout, option):
    folder = str(checkout / "conf" / "offers")
    with initialize_config_dir(config_dir=folder, version_base="1.3"):
        tree = OmegaConf.to_container(compose(option))
    return parse(Catalogue, tree, "offers")


@pytest.mark.parametrize("option", ["one_click", "demo", "general"])
def test_every_catalogue_holds_against_the_store(checkout, store, option):
    offers = shipped(checkout, option)
    assert offers.name == option
    found = evaluate_offers(offers, store, value())
    for j, name in enumerate(found.names):
        may = found.eligible[:, j]
        assert (may & (found.net[:, j] > 0)).any(), f"{name} pays for nobody"
        for language in ("en", "ru"):
            message = offer_texts(found, store, np.where(may, j, -1), language)
            assert all((text != "") == one for text, one in zip(message, may.tolist(), strict=True))
            assert not any(mark in text for text in message for mark in "{}")


def test_there_is_no_catalogue_that_is_not_tried(checkout):
    options = {path.stem for path in (checkout / "conf" / "offers").glob("*.yaml")}
    assert options == {"one_click", "demo", "general"}


def test_the_general_catalogue_names_no_feature(checkout):
    one = audience([0.5, 0.1])
    found = evaluate_offers(shipped(checkout, "general"), one, value())
    assert found.eligible.any(axis=0).all()


# The assignment's four groups: each has offers, and each offer has customers it is meant for.
def test_the_store_has_offers_for_every_group_of_features(checkout, store):
    offers = shipped(checkout, "one_click").offers
    assert len(offers) >= 8
    assert all(one.drivers or one.include_if is not None for one in offers.values())
    spoken = {
        store.columns[name].group if name in store.columns else name
        for one in offers.values()
        for name in (*one.drivers, *(one.include_if.conditions if one.include_if else ()))
    }
    assert {"communication", "product", "purchase", "site"} <= spoken
    assert {one.channel for one in offers.values() if not one.needs_consent} <= set(OWN)


def test_the_demo_has_the_offers_of_the_store(checkout):
    assert shipped(checkout, "demo").offers == shipped(checkout, "one_click").offers


def test_every_key_of_an_offer_has_its_comment(checkout):
    for option in ("one_click", "general"):
        text = (checkout / "conf" / "offers" / f"{option}.yaml").read_text(encoding="utf-8")
        first = next(iter(yaml.safe_load(text)["offers"].values()))
        lines = text.splitlines()
        for key in set(first) - {"label", "include_if"}:
            result = next(line for line in lines if line.startswith(f"    {key}:"))
            assert " # " in result, f"{option}: {key} says not what it is"
