"""What is said of a driver is what its numbers say, in both languages, and never a cause."""

import io
import math
import re
from fractions import Fraction
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from retain.record.estimates import DisplayName
from retain.report.text.drivers import COLUMNS, driver_message, driver_sentences, drivers_table
from retain.report.text.words import LANGUAGES, on_one_line, words
from retain.verdict.export import write_csv

from ..trees import make_driver, make_feature

PAGES = make_feature("number", "Pages a visit", "Страниц за визит")
FAVOURITE = make_feature("category", "Favourite category", "Любимая категория")
KITCHEN = DisplayName("Kitchenware", "Кухонная посуда")
NUMBERS_OF_A_DRIVER = ("value", "typical_low", "typical_high", "typical_share")


def driver(log_odds=0.81, **known):
    return make_driver(log_odds=log_odds, **known)


def ranged(value, low, high, log_odds=0.81):
    return driver(log_odds, value=value, typical_low=low, typical_high=high)


def say(one, feature, language):
    return (
        words(language)
        .plain(driver_message(one, feature))
        .replace("\u202f", " ")
        .replace("\u00a0", " ")
    )


CASES = [
    (
        ranged(2.0, 6.0, 11.0),
        "2 (usually 6–11); goes with a higher risk",
        "2 (обычно 6–11); оценка риска выше",
    ),
    (
        ranged(7.0, 6.0, 11.0, -0.3),
        "7, as usual (6–11); goes with a lower risk",
        "7, как обычно (6–11); оценка риска ниже",
    ),
    (
        ranged(6.0, 6.0, 11.0),
        "6, as usual (6–11); but goes with a higher risk",
        "6, как обычно (6–11); но оценка риска выше",
    ),
    (
        ranged(1234.5, -2.5, 11.0, 0.0),
        "1,235 (usually −2.5 to 11); goes with no difference in risk",
        "1 235 (обычно от −2,5 до 11); оценка риска та же",
    ),
    (
        ranged(3.0, 0.0, 0.0),
        "3 (usually 0); goes with a higher risk",
        "3 (обычно 0); оценка риска выше",
    ),
    (
        ranged(0.0, 0.0, 0.0, -1.0),
        "0, as usual; goes with a lower risk",
        "0, как обычно; оценка риска ниже",
    ),
    (
        driver(value=3.0),
        "3, with no value of customers who did not decline to compare; goes with a higher risk",
        "3, сравнить с прежним уровнем не с чем; оценка риска выше",
    ),
    (
        driver(typical_low=6.0, typical_high=11.0, typical_share=0.07),
        "missing, as for 7 % of those who did not decline; goes with a higher risk",
        "нет данных, как у 7 % клиентов с прежним уровнем; оценка риска выше",
    ),
    (
        driver(-1.0, typical_share=0.0),
        "missing, but known for everybody who did not decline; goes with a lower risk",
        "нет данных, хотя у всех клиентов с прежним уровнем они есть; оценка риска ниже",
    ),
    (
        driver(),
        "missing; goes with a higher risk",
        "нет данных; оценка риска выше",
    ),
    (
        driver(level=KITCHEN, typical_share=0.17),
        "Kitchenware, as for 17 % of those who did not decline; goes with a higher risk",
        "Кухонная посуда, как у 17 % клиентов с прежним уровнем; оценка риска выше",
    ),
    (
        driver(level=KITCHEN, typical_share=0.0),
        "Kitchenware, as for nobody who did not decline; goes with a higher risk",
        "Кухонная посуда, не встречается у клиентов с прежним уровнем; оценка риска выше",
    ),
    (
        driver(level=KITCHEN),
        "Kitchenware; goes with a higher risk",
        "Кухонная посуда; оценка риска выше",
    ),
]


@pytest.mark.parametrize(("one", "en", "ru"), CASES)
def test_each_case_has_its_own_sentence(one, en, ru):
    feature = FAVOURITE if one.level else PAGES
    assert say(one, feature, "en") == f"{feature.label.en}: {en}"
    assert say(one, feature, "ru") == f"{feature.label.ru}: {ru}"


def test_a_category_that_is_not_known_is_said_as_a_number_is():
    assert say(driver(), FAVOURITE, "en").startswith("Favourite category: missing; goes")


# "2 (usually 2–5)" would be a contradiction: what differs must be seen to differ.
@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        (1.9996, 2.0, 5.0, "1.9996 (usually 2–5)"),
        (2.0004, 2.0, 5.0, "2, as usual (2–5)"),
        (5.0004, 2.0, 5.0, "5.0004 (usually 2–5)"),
        (106862.2, 1.0, 106861.9, "106,862.2 (usually 1–106,861.9)"),
        (7.0, 2.001, 2.002, "7 (usually 2.001–2.002)"),
        (2.0, 2.0004, 5.0, "2 (usually 2.0004–5)"),
        (99.96, 100.2, 300.0, "99.96 (usually 100.2–300)"),
        (1.0, math.nextafter(1, 2), 5.0, "1 (usually 1.0000000000000002–5)"),
        (1.0, 5.0, math.nextafter(5, 6), "1 (usually 5–5.000000000000001)"),
    ],
)
def test_what_differs_is_written_with_as_many_digits_as_it_takes(value, low, high, shown):
    assert f": {shown}; " in say(ranged(value, low, high), PAGES, "en")


# A share is of customers: one in ten thousand is not none of them, nor are all but one all.
@pytest.mark.parametrize(
    ("share", "en", "ru"),
    [(0.0001, "0.01 %", "0,01 %"), (0.9999, "99.99 %", "99,99 %"), (1.0, "100 %", "100 %")],
)
def test_few_are_not_none_and_most_are_not_all(share, en, ru):
    one = driver(level=KITCHEN, typical_share=share)
    assert f"as for {en} of those" in say(one, FAVOURITE, "en")
    assert f"как у {ru} клиентов" in say(one, FAVOURITE, "ru")


CAUSE = {
    "en": r"because|\bdue\b|caus|lead|led to|result|make|mov|driv|affect|effect|reason|increas|"
    r"decreas|rais|reduc|owing|thanks",
    "ru": r"потому|из-за|привод|привед|вызыва|влия|причин|благодаря|вследствие|поэтому|"
    r"повыша|снижа|увелич|уменьш|ведёт|ведет|определя|завис|следстви",
}


# A driver is an association; that it moves anything is for a control group to say.
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_speaks_of_a_cause(language):
    texts = {k: text for k, text in words(language).texts.items() if k.startswith("driver.")}
    assert len(texts) > 10
    assert not [key for key, text in texts.items() if re.search(CAUSE[language], text.lower())]


# --- A sentence read back -------------------------------------------------------------------

NUMBER = r"−?[\d,.\u202f]*\d(?:×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"
USUAL = {
    "en": rf"(?P<low>{NUMBER})(?:(?:–| to )(?P<high>{NUMBER}))?",
    "ru": rf"(?:от )?(?P<low>{NUMBER})(?:(?:–| до )(?P<high>{NUMBER}))?",
}
PART = rf"(?P<share>{NUMBER})\u202f%"
STANDING = {
    "en": {
        "apart": rf"(?P<value>{NUMBER}) \(usually {USUAL['en']}\)",
        "within": rf"(?P<value>{NUMBER}), as usual \({USUAL['en']}\)",
        "same": rf"(?P<value>{NUMBER}), as usual",
        "alone": rf"(?P<value>{NUMBER}), with no value of customers .*",
        "shared": rf", as for {PART} of those who did not decline",
        "of none": r", as for nobody who did not .*|, but known for everybody who did not decline",
        "unshared": r"",
    },
    "ru": {
        "apart": rf"(?P<value>{NUMBER}) \(обычно {USUAL['ru']}\)",
        "within": rf"(?P<value>{NUMBER}), как обычно \({USUAL['ru']}\)",
        "same": rf"(?P<value>{NUMBER}), как обычно",
        "alone": rf"(?P<value>{NUMBER}), сравнить с прежним уровнем не с чем",
        "shared": rf", как у {PART} клиентов с прежним уровнем",
        "of none": r", не встречается у .*|, хотя у всех клиентов с прежним уровнем они есть",
        "unshared": r"",
    },
}
RISK = {
    "en": {
        "goes with a higher risk": 1,
        "but goes with a higher risk": 1,
        "goes with a lower risk": -1,
        "goes with no difference in risk": 0,
    },
    "ru": {
        "оценка риска выше": 1,
        "но оценка риска выше": 1,
        "оценка риска ниже": -1,
        "оценка риска та же": 0,
    },
}
NOT_KNOWN = {"en": "missing", "ru": "нет данных"}
LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def read(number, language):
    """The number a text stands for, by the marks of its language alone."""
    left, comma = ("\u202f", ",") if language == "ru" else (",", ".")
    digits, _, power = number.replace("−", "-").replace(left, "").partition("×10")
    return Fraction(f"{digits.replace(comma, '.')}e{power.translate(LOWERED) or 0}")


def understood(sentence, language, row, names):
    """What a sentence says: of the value, of how usual it is, of the risk."""
    rest, _, risk = sentence.rpartition("; ")
    name = on_one_line(names[row["feature"]].label, language)
    assert rest.startswith(f"{name}: ")
    rest = rest.removeprefix(f"{name}: ")
    if row["name"] is not None:
        thing = on_one_line(DisplayName(row["name"], row["name"]), language)
        assert rest.startswith(thing)
        rest = rest.removeprefix(thing)
    for kind, pattern in STANDING[language].items():
        if found := re.fullmatch(pattern, rest, re.DOTALL):
            texts = {k: text for k, text in found.groupdict().items() if text is not None}
            shown = {k: read(text, language) for k, text in texts.items()}
            return kind, shown, RISK[language][risk]
    raise AssertionError(sentence)


def standing(row, kind):
    """What a sentence ought to say, by comparing the numbers themselves."""
    value, low, high, share = (
        row[k] for k in ("value", "typical_low", "typical_high", "typical_share")
    )
    if kind == "category" or math.isnan(value):
        return "unshared" if math.isnan(share) else "shared" if share else "of none"
    if math.isnan(low):
        return "alone"
    if value < low or value > high:
        return "apart"
    return "same" if low == high else "within"


def close(shown, value):
    """Three digits, and no unit before the point left out."""
    exact = Fraction(value)
    reach = abs(exact) / 200
    return abs(shown - exact) <= (min(reach, Fraction(1, 2)) if abs(value) < 1e15 else reach)


LABELS = st.one_of(
    st.sampled_from(["{x}", "{", "100 %", "<b>&amp;", "a: b; c", "два\nтри", "=cmd()", "الصفحات"]),
    st.text(max_size=12),
)
WILD = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.one_of(st.integers(-20, 20).map(float), st.floats(-1e4, 1e4))
NUMBERS = st.one_of(PLAIN, WILD)
SHARES = st.one_of(st.just(math.nan), st.integers(0, 10**6).map(lambda n: n / 10**6))


@st.composite
def bounds(draw):
    low, high = sorted([draw(NUMBERS), draw(NUMBERS)])
    if draw(st.booleans()):
        high = draw(st.sampled_from([low, math.nextafter(low, 1e300), low + 1e-3]))
    return draw(st.sampled_from([(low, high), (low, high), (math.nan, math.nan)]))


@st.composite
def features(draw):
    one = st.builds(
        make_feature,
        st.sampled_from(["number", "category"]),
        LABELS,
        LABELS,
    )
    return draw(st.dictionaries(st.sampled_from("abcd"), one, min_size=1, max_size=3))


@st.composite
def tables(draw):
    """Features, and a long table of drivers with few ranges, so that values share them."""
    names = draw(features())
    usual = draw(st.lists(bounds(), min_size=1, max_size=2))
    rows = []
    for customer in range(draw(st.integers(1, 8))):
        name = draw(st.sampled_from(sorted(names)))
        low, high = draw(st.sampled_from(usual))
        number = names[name].kind == "number"
        near = [low, high, math.nextafter(low, -math.inf), math.nextafter(high, math.inf)]
        near += [low * 1.0001, high * 1.0001]
        value = draw(st.one_of(st.sampled_from(near), NUMBERS, st.just(math.nan)))
        value = value if number and math.isfinite(value) else math.nan
        level = None if number else draw(st.one_of(st.none(), LABELS))
        rows.append(
            {
                "customer_id": str(customer // 3),
                "feature": name,
                "value": value,
                "level": level,
                "typical_low": low if number else math.nan,
                "typical_high": high if number else math.nan,
                "typical_share": math.nan if not math.isnan(value) else draw(SHARES),
                "log_odds": draw(st.one_of(st.sampled_from([0.0, -0.0, 0.5, -0.5]), WILD)),
                "probability_points": draw(st.floats(-1, 1)),
            }
        )
    kinds = {"feature": "str", "level": "str", "value": "float64"}
    return names, pd.DataFrame(rows).astype(kinds)


def driver_of(row, feature):
    """A row as a driver of ``explanations.examples``."""
    known = {k: None if pd.isna(row[k]) else row[k] for k in NUMBERS_OF_A_DRIVER}
    level = None if pd.isna(row["level"]) else DisplayName(row["level"], row["level"])
    return make_driver(**known, level=level, kind=feature.kind, log_odds=row["log_odds"])


def rows_of(table):
    return table.to_dict("records")


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(tables())
def test_a_sentence_read_back_gives_the_numbers_it_was_made_from(made):
    names, table = made
    for language in LANGUAGES:
        for row, sentence in zip(
            rows_of(table), driver_sentences(table, names, language), strict=True
        ):
            kind = names[row["feature"]].kind
            known = not pd.isna(row["level" if kind == "category" else "value"])
            name = row["level"] if kind == "category" else None
            row["name"] = name if known else NOT_KNOWN[language]
            found, shown, sign = understood(sentence, language, row, names)
            assert found == standing(row, kind)
            assert sign == np.sign(row["log_odds"])
            assert_shown(found, shown, row)


def assert_shown(found, shown, row):
    """The numbers of a sentence are those of its row, and stand to each other as they do."""
    if "share" in shown:
        share = 100 * row["typical_share"]
        assert abs(shown["share"] - share) <= 0.5000001
        assert (shown["share"] in {0, 100}) == (share in {0, 100})
    if "value" in shown:
        assert close(shown["value"], row["value"])
    if "low" in shown:
        low, high = shown["low"], shown.get("high", shown["low"])
        assert close(low, row["typical_low"])
        assert close(high, row["typical_high"])
        assert ("high" in shown) == (row["typical_low"] < row["typical_high"]) == (low < high)
        assert {
            "apart": not low <= shown["value"] <= high,
            "within": low <= shown["value"] <= high,
        }[found]


@settings(max_examples=100, deadline=None)
@given(tables())
def test_the_table_says_what_the_page_says(made):
    names, table = made
    for language in LANGUAGES:
        single = [
            words(language).plain(
                driver_message(driver_of(row, names[row["feature"]]), names[row["feature"]])
            )
            for row in rows_of(table)
        ]
        assert driver_sentences(table, names, language).tolist() == single


class Shown(HTMLParser):
    """The text a page shows, the elements it is made of, and the values they hold."""

    def __init__(self):
        super().__init__()
        self.text, self.tags, self.values = "", set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.values += [float(value) for name, value in attrs if name == "value"]

    def handle_data(self, data):
        self.text += data


@settings(max_examples=100, deadline=None)
@given(tables())
def test_on_the_page_names_are_text_and_numbers_hold_their_values(made):
    names, table = made
    for language in LANGUAGES:
        for row in rows_of(table):
            text = driver_message(driver_of(row, names[row["feature"]]), names[row["feature"]])
            page = Shown()
            page.feed(str(words(language).html(text)))
            page.close()
            assert page.text == words(language).plain(text)
            assert page.tags <= {"data", "bdi"}
            held = {row[k] for k in ("value", "typical_low", "typical_high", "typical_share")}
            assert set(page.values) <= held


@given(LABELS)
@example("line\nbreak\u2028\u202eturned\x1b")
def test_a_sentence_stands_on_one_line(name):
    feature = make_feature("category", name, name)
    sentence = say(driver(level=DisplayName(name, name)), feature, "en")
    assert len(sentence.splitlines()) == 1
    assert not re.search("[\x00-\x1f\u202e]", sentence)


# --- The table ------------------------------------------------------------------------------


@pytest.fixture
def table():
    rows = [
        ("7", "pages", 2.0, None, 6.0, 11.0, math.nan, 0.4, 0.05),
        ("=2+5", "favourite", math.nan, "=kitchen", math.nan, math.nan, 0.17, -0.2, -0.02),
        ("7", "favourite", math.nan, None, math.nan, math.nan, 0.01, -0.9, -0.1),
        ("=2+5", "pages", math.nan, None, 6.0, 11.0, 0.07, 0.2, 0.02),
    ]
    names = ["customer_id", "feature", "value", "level", "typical_low", "typical_high"]
    found = pd.DataFrame(rows, columns=[*names, "typical_share", "log_odds", "probability_points"])
    return found.astype({"feature": "str", "level": "str"})


FEATURES = {"pages": PAGES, "favourite": FAVOURITE}
NAMED = {"favourite": {"=kitchen": KITCHEN}}


def test_the_table_has_each_driver_with_its_sentences(table):
    made = drivers_table(table, FEATURES, NAMED)
    assert tuple(made.columns) == COLUMNS
    assert made["value"].isna().tolist() == [False, False, True, True]
    assert made["value"].tolist()[:2] == [2.0, "=kitchen"]
    assert made["probability_points"].tolist() == table["probability_points"].tolist()
    assert made["text_en"][1].startswith("Favourite category: Kitchenware, as for 17")
    assert made["text_ru"][1].startswith("Любимая категория: Кухонная посуда, как у 17")


def test_a_level_without_a_name_keeps_its_own(table):
    assert "Favourite category: =kitchen," in driver_sentences(table, FEATURES, "en")[1]


# Equal strengths keep the order in which they came.
def test_the_strongest_driver_of_a_customer_is_first_whatever_its_sign(table):
    assert drivers_table(table, FEATURES)["rank"].tolist() == [2, 1, 1, 2]


def test_the_rows_keep_their_places_whatever_their_index(table):
    turned = table.iloc[::-1].set_axis([5, 5, 1, 0])
    text = driver_sentences(turned, FEATURES, "en")
    assert text.index.equals(turned.index)
    assert text.tolist() == driver_sentences(table, FEATURES, "en").tolist()[::-1]


def test_no_drivers_make_an_empty_table(table):
    made = drivers_table(table.iloc[:0], FEATURES)
    assert tuple(made.columns) == COLUMNS
    assert made.empty


def test_the_table_can_be_written_for_a_spreadsheet(table, tmp_path):
    path = tmp_path / "drivers.csv"
    write_csv(drivers_table(table, FEATURES), path)
    again = pd.read_csv(io.StringIO(path.read_text(encoding="utf-8-sig")), dtype=str)
    assert again["value"].tolist()[:2] == ["2.0", "'=kitchen"]
    assert again["customer_id"].tolist() == ["7", "'=2+5", "7", "'=2+5"]
    assert again["typical_low"].isna().tolist() == [False, True, True, False]
