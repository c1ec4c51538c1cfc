"""What a checker of accessibility looks for: names, headings, tables, lists, contrast, keys."""

import copy
from pathlib import Path

import pytest

from retain.report.page.page import page

from ..trees import reading_trees
from .test_manager_first import CASES

page = reading_trees(page)
CHECKS = (Path(__file__).parent / "accessibility.js").read_text(encoding="utf-8")
LANGUAGES = {"English": "en", "Русский": "ru"}
UNFOLD = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"


@pytest.fixture(scope="module")
def pages(made):
    return {name: page(change(copy.deepcopy(made)), "en") for name, change in CASES.items()}


def faults(view):
    """What is wrong on the page as it stands, one text a fault."""
    return view.evaluate(CHECKS)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("case", CASES)
def test_a_checker_of_accessibility_finds_nothing(opened, pages, case, width, dark):
    view = opened(pages[case], width=width, dark=dark, folded=True)
    for language, name in LANGUAGES.items():
        view.get_by_role("button", name=language).click()
        assert view.evaluate("document.documentElement.lang") == name
        assert faults(view) == []
    view.evaluate(UNFOLD)
    assert faults(view) == []


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


# The checks would be silent about a page of which they see nothing.
@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        ("document.querySelector('#campaign input').removeAttribute('aria-label')", "name"),
        ("document.querySelector('#campaign h3').outerHTML = '<h5>Five</h5>'", "heading"),
        ("document.querySelector('#campaign thead th').removeAttribute('scope')", "scope"),
        ("document.querySelector('#campaign .lead').style.color = '#aaa'", "contrast"),
        ("document.querySelector('#reasons figcaption').removeAttribute('id')", "reference"),
        ("document.querySelector('#answer ol').append(document.createElement('p'))", "list"),
        ("document.querySelector('nav a').tabIndex = 3", "order"),
    ],
)
def test_each_check_finds_its_fault(opened, pages, spoil, fault):
    view = opened(pages["in_profit"], folded=True)
    view.evaluate(f"() => {{ {spoil}; }}")
    assert {one.split(":")[0] for one in faults(view)} >= {fault}
