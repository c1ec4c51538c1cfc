"""The page where no campaign is planned, and where few decline: in a browser, on desk and phone."""

import copy
from types import SimpleNamespace

import pytest

from retain.campaign.planning.no_campaign import find_no_campaign
from retain.record.documents import to_tree
from retain.report.page.page import page
from retain.schema.campaign import Beta, Catalogue
from retain.schema.names import Translated

from ..trees import reading_trees

page = reading_trees(page)

WORDS = Translated(en="Letter", ru="Письмо")
FREE = {
    "label": WORDS,
    "text": WORDS,
    "channel": "site",
    "needs_consent": False,
    "contact_cost": 0.0,
    "redemption_cost": 0.0,
    "discount": 0.0,
    "redemption_rate_stayers": 0.0,
    "save_rate": Beta(alpha=4, beta=16),
}
CASES = {
    "free_offers": ("offers.costs=accept", "предложения без затрат"),
}
WIDTHS = pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])


def reason(code):
    """The reason with a code, as a comparison writes it."""
    catalogue = Catalogue(name="c", offers={f"a_letter_of_long_name_{i}": FREE for i in range(9)})
    audience = SimpleNamespace(with_profit=True, profit_unit="roubles")
    no = find_no_campaign(audience, SimpleNamespace(offers=catalogue))
    assert no.code == code
    return to_tree(no.to_info())


@pytest.fixture(scope="module")
def bare(made):
    """The tree without what takes long to draw."""
    return copy.deepcopy(made) | {"explanations": None, "curves": None, "diffs": []}


@WIDTHS
@pytest.mark.parametrize("code", CASES)
def test_a_page_without_a_campaign_says_why_and_what_to_type(opened, bare, code, width):
    view = opened(page({**bare, "campaign": reason(code)}, "en"), width=width)
    english, russian = CASES[code]
    part = view.locator("#campaign")
    assert part.locator("h3").inner_text() == "No campaign was planned"
    assert english in part.inner_text()
    assert view.locator("#offers, #trust, a[href='#offers'], a[href='#trust']").count() == 0
    assert view.locator("#segments h2").is_visible()
    assert view.evaluate("document.documentElement.scrollWidth") == width
    view.get_by_role("button", name="Русский").click()
    assert part.locator("h3").inner_text() == "Кампания не спланирована"
    assert russian in part.inner_text()


def test_the_lines_to_type_are_whole_commands(opened, bare):
    view = opened(page({**bare, "campaign": reason("free_offers")}, "en"))
    costs, accept = view.locator("#campaign pre").inner_text().split("\n")[:2]
    assert costs.startswith("retain-compare study=models offers.offers.a_letter_of_long_name_0.")
    assert costs.count("contact_cost=COST") == 9
    assert accept == "retain-compare study=models offers.costs=accept"


# Where 2 % decline, absolute bounds leave nearly everybody in one band.
@WIDTHS
def test_rare_declines_have_their_bounds_and_a_caution(opened, bare, width):
    label = {"en": "low risk", "ru": "низкий риск"}
    labels = {"low": label, "high": {"en": "high risk", "ru": "высокий риск"}}
    risk = {"scale": "absolute", "bands": {"low": 0.0, "high": 0.0577}, "labels": labels}
    fitted = bare["fitted_thresholds"]
    tree = {
        **bare,
        "dominant_segment": {"name": "low risk", "label": label, "share": 0.97},
        "fitted_thresholds": {**fitted, "segmentation": {**fitted["segmentation"], "risk": risk}},
    }
    view = opened(page(tree, "en"), width=width)
    part = view.locator("#segments")
    assert "Bands of risk: “low risk” from 0\u202f%" in part.inner_text()
    assert "“high risk” from 6\u202f%" in part.inner_text()
    assert "97\u202f% of the customers are in “low risk”" in part.inner_text()
    assert view.evaluate("document.documentElement.scrollWidth") == width
    view.get_by_role("button", name="Русский").click()
    assert "«высокий риск» — от 6\u202f%" in part.inner_text()
    assert "В группу «низкий риск» попали 97\u202f% клиентов" in part.inner_text()
