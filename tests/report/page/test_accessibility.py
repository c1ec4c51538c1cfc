"""The page to those who cannot see it well, or at all: what axe-core finds, and names of boxes."""

import copy

import pytest
from axe_playwright_python.sync_playwright import Axe

from retain.report.page.page import page

from ..trees import reading_trees
from .test_manager_first import CASES

page = reading_trees(page)
LANGUAGES = {"English": "en", "Русский": "ru"}
UNFOLD = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"


@pytest.fixture(scope="module")
def pages(made):
    return {name: page(change(copy.deepcopy(made)), "en") for name, change in CASES.items()}


def violations(view):
    """Return the broken rules with the elements that break them, on the page as it stands."""
    found = Axe().run(view).response["violations"]
    return {one["id"]: [node["html"] for node in one["nodes"]] for one in found}


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["light", "dark"])
@pytest.mark.parametrize("case", CASES)
def test_axe_finds_nothing(opened, pages, case, width, dark):
    view = opened(pages[case], width=width, dark=dark, folded=True)
    for language, name in LANGUAGES.items():
        view.get_by_role("button", name=language).click()
        assert view.evaluate("document.documentElement.lang") == name
        assert violations(view) == {}
    view.evaluate(UNFOLD)
    assert violations(view) == {}


def test_each_box_to_tick_is_named_by_its_segment_and_offer(opened, pages, made):
    view = opened(pages["in_profit"], folded=True)
    boxes = view.locator("#campaign input[type=checkbox]")
    for language, name in LANGUAGES.items():
        view.get_by_role("button", name=language).click()
        labels = [one.get_attribute("aria-label") for one in boxes.all()]
        rows = made["campaign"]["approval"]
        assert len(set(labels)) == len(labels) == len(rows)
        for label, row in zip(labels, rows, strict=True):
            assert row["label"][name] in label
            assert all(one["label"][name] in label for one in row["choices"][:1])


# axe would be silent about a page of which it sees nothing.
@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        ("document.querySelector('#campaign input').removeAttribute('aria-label')", "label"),
        ("document.querySelector('#campaign h3').outerHTML = '<h6>Six</h6>'", "heading-order"),
        ("document.querySelector('#campaign .lead').style.color = '#aaa'", "color-contrast"),
        ("document.querySelector('#answer ol').append(document.createElement('p'))", "list"),
        ("document.querySelector('nav a').tabIndex = 3", "tabindex"),
    ],
)
def test_axe_finds_a_fault(opened, pages, spoil, rule):
    view = opened(pages["in_profit"], folded=True)
    view.evaluate(f"() => {{ {spoil}; }}")
    assert set(violations(view)) == {rule}
