"""What customers are told: their own values, in their language, whatever a file holds."""

import unicodedata
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from retain.campaign.audience import Audience
from retain.campaign.offers.catalogue import find_placeholder_problems, placeholders, split_template
from retain.campaign.offers.offers import evaluate_offers
from retain.campaign.offers.placeholder_values import MAX_CHARACTERS, format_number, sanitise
from retain.campaign.offers.texts import offer_texts
from retain.customers.customers import Column
from retain.record.estimates import DisplayName
from retain.schema.campaign import Assumptions, Catalogue
from retain.schema.parsing import parse

COLUMNS = {
    "pages": Column("pages", "site", "number", "Pages a visit", "Страниц за визит"),
    "share": Column("share", "product", "number", "Share", "Доля"),
    "goods": Column(
        "goods", "product", "category", levels={"toys": DisplayName("Toys", "Игрушки")}
    ),
}
ONE = {"value": 1.0, "low": 1.0, "high": 1.0}
VALUE = parse(
    Assumptions,
    {
        "name": "tried",
        "horizon": ONE,
        "loss_fraction": ONE,
        "margin": ONE,
        "cost_multiplier": ONE,
        "simulations": 100,
    },
)


def audience(pages, share, goods, drivers=None):
    ids = pd.Index(np.arange(11, 11 + len(pages)), name="customer_id")
    money = {"risk": 0.5, "profit": 1.0, "value_at_stake": 1.0, "profit_at_risk": 0.5}
    table = pd.DataFrame({**money, "contactable": True}, index=ids)
    features = pd.DataFrame({"pages": pages, "share": share}, index=ids, dtype=float)
    features["goods"] = pd.Series(goods, index=ids, dtype="str")
    return Audience(table, features, COLUMNS, "roubles", drivers)


def catalogue(*texts_, drivers=()):
    tree = {
        f"offer_{j}": {
            "label": {"en": "Letter", "ru": "Письмо"},
            "text": {"en": text, "ru": text},
            "channel": "site",
            "needs_consent": False,
            "contact_cost": 0.0,
            "redemption_cost": 0.0,
            "discount": 0.0,
            "redemption_rate_stayers": 0.0,
            "save_rate": {"alpha": 6, "beta": 14},
            "drivers": list(drivers),
        }
        for j, text in enumerate(texts_)
    }
    return parse(Catalogue, {"name": "tried", "offers": tree})


def texts_of(offers, audience, chosen, language="en"):
    return offer_texts(
        evaluate_offers(offers, audience, VALUE), audience, np.array(chosen), language
    )


def test_each_customer_is_told_the_own_values_in_the_language_asked_for():
    one = audience([12.0, 5249.8, 3.0], [0.8949, 0.25, 0.5], ["toys", "books", "toys"])
    offers = catalogue("{pages} pages, {share} of {goods} {{%}}", "Hello")
    english = ["12 pages, 0.895 of Toys {%}", "5,250 pages, 0.25 of books {%}", "Hello"]
    russian = ["12 pages, 0,895 of Игрушки {%}", "5\u202f250 pages, 0,25 of books {%}", "Hello"]
    assert texts_of(offers, one, [0, 0, 1]) == english
    assert texts_of(offers, one, [0, 0, 1], "ru") == russian


def test_customers_who_share_some_values_and_not_all_are_told_apart():
    one = audience([1, 2, 1, 2], [0] * 4, ["a", "b", "b", "a"])
    assert texts_of(catalogue("{pages} {goods}"), one, [0] * 4) == ["1 a", "2 b", "1 b", "2 a"]


# The same plan is shown in both languages, so neither may hold a gap.
def test_a_level_that_has_a_name_in_one_language_alone_is_not_told():
    one = audience([1, 2], [0, 0], ["a", "b"])
    columns = {
        **COLUMNS,
        "goods": Column("goods", "product", "category", levels={"a": DisplayName("", "А")}),
    }
    found = evaluate_offers(catalogue("{goods}"), replace(one, columns=columns), VALUE)
    assert found.eligible.tolist() == [[False], [True]]


def test_who_gets_nothing_is_told_nothing():
    assert texts_of(catalogue("Hello"), audience([1, 2], [0, 0], ["a", "b"]), [-1, 0]) == [
        "",
        "Hello",
    ]


def test_an_offer_chosen_for_whom_it_is_not_meant_is_a_bug():
    one = audience([np.nan, 2], [0, 0], ["a", "b"])
    with pytest.raises(ValueError, match="offer_0 is chosen for customers who may not get it"):
        texts_of(catalogue("{pages}"), one, [0, -1])


def drivers(*rows):
    return pd.DataFrame(rows, columns=["customer_id", "feature", "log_odds"])


def test_the_driver_told_is_the_strongest_that_raises_the_risk_and_the_offer_answers():
    result = drivers(
        *((11, "goods", 0.9), (11, "pages", 0.5), (11, "share", -2.0)),
        *((12, "share", 0.1), (12, "pages", 0.3), (13, "unheard_of", 3.0), (13, "pages", 0.1)),
    )
    one = audience([1, 2, 3], [0, 0, 0], ["a", "b", "c"], result)
    everything = texts_of(catalogue("{driver}"), one, [0, 0, 0])
    assert everything == ["goods", "Pages a visit", "Pages a visit"]
    of_site = texts_of(catalogue("{driver}", drivers=["site"]), one, [0, 0, 0], "ru")
    assert of_site == ["Страниц за визит"] * 3


NAMES = st.sampled_from(["pages", "share", "goods"])
PLAIN = st.text(max_size=8).map(lambda text: text.replace("{", "{{").replace("}", "}}"))
HOSTILE = st.text(max_size=120) | st.sampled_from(
    [
        "{pages}",
        "{0.__class__}",
        "%s",
        "<script>",
        "\x00\x1b[31m",
        "\u202egnp.exe",
        "=1+1",
        "a" * 999,
    ]
)


# ``str.format`` is what nothing untrusted may reach; on plain values it is what a text must equal.
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_text_is_its_template_with_the_values_put_in(data):
    parts = data.draw(st.lists(PLAIN | NAMES.map("{{{}}}".format), min_size=1, max_size=6))
    template = "".join(parts) or "x"
    n = data.draw(st.integers(1, 5))
    pages = data.draw(st.lists(st.floats(-1e9, 1e9), min_size=n, max_size=n))
    goods = data.draw(st.lists(HOSTILE, min_size=n, max_size=n))
    one = audience(pages, [0.5] * n, goods)
    found = evaluate_offers(catalogue(template), one, VALUE)
    chosen = np.where(found.eligible[:, 0], 0, -1)
    for row, text in enumerate(offer_texts(found, one, chosen, "ru")):
        values = {
            "pages": format_number(pages[row], "ru"),
            "share": "0,5",
            "goods": sanitise(goods[row]),
        }
        if goods[row] == "toys":
            values["goods"] = "Игрушки"
        assert text == (template.format(**values) if chosen[row] == 0 else "")


@given(HOSTILE)
@example("a\r\nb\u2028c")
@settings(max_examples=200, deadline=None)
def test_a_value_is_one_short_line_that_can_be_seen(text):
    shown = sanitise(text)
    assert len(shown) <= MAX_CHARACTERS
    assert shown == shown.strip()
    assert not {unicodedata.category(letter) for letter in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert sanitise(shown) == shown
    shown.encode("utf-8")


@given(st.text(alphabet="{}pages!r:.[]0_ \n\\%я", max_size=20) | st.text(max_size=20))
@settings(max_examples=400, deadline=None)
def test_any_text_is_refused_in_words_or_holds_known_names_alone(text):
    wrong = list(find_placeholder_problems(text, ["pages", "share"], "offers.a.text.en"))
    if wrong:
        assert all(
            line.startswith("offers.a.text.en: ") and line.endswith((".", "?")) for line in wrong
        )
    else:
        assert set(placeholders(text)) <= {"pages", "share"}
        put = "".join(plain + (f"<{name}>" if name else "") for plain, name in split_template(text))
        assert put == text.format(pages="<pages>", share="<share>")


@given(st.floats(-1e14, 1e14))
@settings(max_examples=200, deadline=None)
def test_a_number_is_told_to_three_digits_in_either_language(value):
    english = format_number(value, "en")
    back = float(english.replace(",", "").replace("−", "-"))
    assert back == pytest.approx(value, rel=5.1e-3, abs=1e-6)
    assert format_number(value, "ru") == english.replace(",", "\u202f").replace(".", ",")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3.0, "3"),
        (0.0, "0"),
        (-0.0, "0"),
        (1234567.0, "1,234,567"),
        (0.9996, "1"),
        (1e20, "1.00e+20"),
    ],
)
def test_whole_numbers_have_no_idle_digits(value, message):
    assert format_number(value, "en") == message
