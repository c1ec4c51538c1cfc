"""Every number of the page stands in the verdict, and is written in one way."""

import json
import math
import re
from decimal import ROUND_HALF_UP, Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retain.report.page.page import page
from retain.report.text.numbers import FORMS, VALUES, Number, format_number

from ..trees import reading_trees

page = reading_trees(page)

pytestmark = pytest.mark.slow

QUIET = {"script", "style", "svg", "code", "pre", "time", "title"}
"""Elements whose digits are names, settings, dates or the ticks of a chart."""
VOID = {"meta", "input", "br", "link"}
FIXED = re.compile(
    r"95\u00a0%|95%-(?:й|е|м|го)|\b(?:90|80|50|10)\u00a0%|\b0[.,][69]\b"
    r"|(?:Feature|Признак) [12]|from 0 to 1|от 0 до 1"
)
"""Numbers that are said and not held: the level of the intervals, and what definitions say."""


class Reader(HTMLParser):
    """The ``data`` elements of a page, and every other text in which digits stand."""

    def __init__(self):
        super().__init__()
        self.open, self.numbers, self.texts = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag in VOID:
            return
        found = dict(attrs)
        self.open.append((tag, (found.get("class") or "").split()))
        if tag == "data":
            self.numbers.append(found)

    def handle_endtag(self, tag):
        while tag not in VOID and self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        tags = {tag for tag, _ in self.open}
        classes = {name for _, names in self.open for name in names}
        if tags & QUIET or "data" in tags or "name" in classes:
            return
        if re.search(r"\d", data):
            self.texts.append(data.strip())


def read(html):
    reader = Reader()
    reader.feed(html)
    return reader


def leaves(tree):
    if isinstance(tree, dict):
        for value in tree.values():
            yield from leaves(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from leaves(value)
    else:
        yield tree


def things(tree, path):
    """What a count counts: ``a.b``, or ``a {"key": "value"}`` for those alike in some keys."""
    path, _, condition = path.partition(" ")
    for key in path.split("."):
        tree = tree[key]
    wanted = json.loads(condition) if condition else {}
    return [one for one in tree if all(one[key] == value for key, value in wanted.items())]


@pytest.fixture(params=["whole", "gated", "written by the commands"])
def any_tree(request, tree):
    if request.param == "written by the commands":
        folder = request.getfixturevalue("verdict")
        return json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    if request.param == "gated":
        missed = {"name": "brier", "threshold": 0.08, "value": 0.1009, "missed_by": 0.0209}
        tree["gate"] = {
            "passed": False,
            "metrics": [{**missed, "passed": False, "message": "brier misses .08 by .0209"}],
        }
    return tree


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_number_on_the_page_is_in_the_verdict(any_tree, language):
    held = {
        float(value)
        for value in leaves(any_tree)
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    found = read(page(any_tree, language)).numbers
    assert len(found) > 500
    for number in found:
        value = float(number["value"])
        if "data-counted" in number:
            assert value == len(things(any_tree, number["data-counted"])), number
        else:
            assert value in held, number


# Digits outside a number element are the level of the intervals, or words of the verdict itself.
@pytest.mark.parametrize("language", ["en", "ru"])
def test_no_other_digit_is_left_unaccounted_for(any_tree, language):
    words = {value for value in leaves(any_tree) if isinstance(value, str)}
    unaccounted = [
        text
        for text in read(page(any_tree, language)).texts
        if re.search(r"\d", FIXED.sub("", text)) and text not in words
    ]
    assert unaccounted == []


def test_the_text_of_a_number_is_its_value(tree):
    for number in re.finditer(
        r'<data value="([^"]+)" data-form="score">([^<]+)<', page(tree, "en")
    ):
        value, text = float(number[1]), number[2].replace("−", "-").replace(",", ".")
        assert abs(value - float(text)) <= 0.0005 + 1e-12


@pytest.mark.parametrize(
    ("value", "form", "en", "ru"),
    [
        (0.91749, "score", "0.917", "0,917"),
        (0.015202, "fine", "0.0152", "0,0152"),
        (-0.0123, "change", "−0.012", "−0,012"),
        (0.0123, "change", "+0.012", "+0,012"),
        (-0.00001, "change", "0.000", "0,000"),
        (0.0000321, "p", "<0.001", "<0,001"),
        (1.0, "p", "1.000", "1,000"),
        (0.0000321, "p_is", "< 0.001", "< 0,001"),
        (0.0321, "p_is", "= 0.032", "= 0,032"),
        (1234567, "count", "1,234,567", "1\u202f234\u202f567"),
        (0.125, "percent", "13\u202f%", "13\u202f%"),
        (0.05, "plain", "0.05", "0,05"),
        (40, "plain", "40", "40"),
        (-1234.5, "money", "−1,235", "−1\u202f235"),
        (0.0204, "money", "0.0204", "0,0204"),
        (0.1187, "points", "11.9", "11,9"),
        (2.536, "times", "2.54", "2,54"),
        (3.81, "seconds", "3.8", "3,8"),
        (2.0, "value", "2", "2"),
        (-0.0, "value", "0", "0"),
        (-0.0125, "value", "−0.0125", "−0,0125"),
        (9.996, "value", "10", "10"),
        (106862.2, "value", "106,862", "106\u202f862"),
        (106862.2, "value_7", "106,862.2", "106\u202f862,2"),
        (0.000001, "value", "0.000001", "0,000001"),
        (-1.25e-7, "value", "−1.25×10⁻⁷", "−1,25×10⁻⁷"),
        (1.125e15, "value", "1.13×10¹⁵", "1,13×10¹⁵"),
        (1e300, "value", "1×10³⁰⁰", "1×10³⁰⁰"),
        (0.0, "share", "0\u202f%", "0\u202f%"),
        (0.004, "share", "0.4\u202f%", "0,4\u202f%"),
        (0.125, "share", "13\u202f%", "13\u202f%"),
        (0.9996, "share", "99.96\u202f%", "99,96\u202f%"),
        (1.0, "share", "100\u202f%", "100\u202f%"),
        (None, "score", "—", "—"),
        (math.inf, "score", "—", "—"),
    ],
)
def test_a_number_is_written_in_the_language_s_own_way(value, form, en, ru):
    assert format_number(value, form, "en") == en
    assert format_number(value, form, "ru") == ru


# Sixteenths hold many exact halves, which Python's own formatting rounds to even.
@given(st.one_of(st.integers(-(10**6), 10**6).map(lambda n: n / 16), st.floats(-1e9, 1e9)))
def test_halves_are_rounded_away_from_zero(value):
    for form, digits in [("count", 0), ("seconds", 1), ("times", 2), ("score", 3)]:
        step = Decimal(1).scaleb(-digits)
        exact = f"{Decimal(value).quantize(step, ROUND_HALF_UP):,.{digits}f}".replace("-", "−")
        text = format_number(value, form, "en")
        assert text == (exact if re.search("[1-9]", exact) else exact.lstrip("−"))


# Beyond 1e21 a browser's toFixed gives up, and only the form of values writes such numbers.
def test_the_script_writes_the_largest_and_smallest_values_as_the_page_does(opened, tree):
    marks = [-5e-324, 1.25e-7, 9.999e-7, 1.125e15, -1e21, 1.7976931348623157e308]
    marked = "".join(str(Number(one, form).html("en")) for one in marks for form in VALUES)
    html = page(tree, "en").replace("<footer>", f'<footer><p id="trial">{marked}</p>')
    view = opened(html)
    view.get_by_role("button", name="Русский").click()
    shown = "[...document.querySelectorAll('#trial data')].map((one) => one.textContent)"
    assert view.evaluate(shown) == [
        format_number(one, form, "ru") for one in marks for form in VALUES
    ]


# What the script writes on a switch of language must look as what was there before.
def test_the_script_writes_numbers_as_the_page_does(opened, tree):
    values = [0.91749, -0.0123, -0.00001, 0.00032, 1234567.0, 0.3851, 12.345, -1234.6, 1e-7]
    values += [0.0, 2.0, 0.004, 0.9996, 9.999999999999998, 999.5, -1e-6, 99999999999999.9]
    forms = list(FORMS)
    marked = "".join(str(Number(value, form).html("en")) for value in values for form in forms)
    html = page(tree, "en").replace("<footer>", f'<footer><p id="trial">{marked}</p>')
    view = opened(html)
    shown = "[...document.querySelectorAll('#trial data')].map((one) => one.textContent)"
    for language, name in [("ru", "Русский"), ("en", "English")]:
        view.get_by_role("button", name=name).click()
        wanted = [format_number(value, form, language) for value in values for form in forms]
        assert view.evaluate(shown) == wanted
