"""The page for a manager: a first screen with the answers, a plan to approve, all else folded."""

import copy
import re

import pytest

from retain.report.page.page import page
from retain.report.text.campaign import ABOUT_PROFIT

from ..trees import reading_trees

page = reading_trees(page)

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
FIRST = "#answer .note.weighty > p, #answer .tiles > div, #answer .brief > li"
BOTTOMS = f"""[...document.querySelectorAll('{FIRST}')]
    .map((one) => one.getBoundingClientRect().bottom)"""


SUMS = ("total_profit", "observed_profit_at_risk", "expected_profit_at_risk")


def in_profit(tree):
    return tree


def counted(tree):
    """The tree of a store without profit: each customer counts as one."""
    kept = {"value": 41.3, "per_contact": 0.1665, "per_cost": 0.1042}
    campaign = tree["campaign"]
    campaign |= {"objective": "customers", "profit_unit": "customers"}
    campaign |= {"profit_curve": None, "empc": None}
    campaign["plan"] |= {"kept": kept, "segment_offers": None}
    campaign["plan"]["expected_net"] = {"value": 41.3, "low": 28.1, "high": 57.9}
    campaign["overview"]["net_share"] = None
    campaign["recalibration"]["profit_test"] = None
    rows = campaign["sensitivity"]["rows"]
    campaign["sensitivity"]["rows"] = [one for one in rows if one["name"] not in ABOUT_PROFIT]
    for one in tree["segments"]:
        one.update(dict.fromkeys(SUMS))
    campaign["overview"]["risk_by_profit"] |= {
        "profit_edges": [0.0],
        "n_customers": [[100] * 10],
        "profit_at_risk": [[0.0] * 10],
    }
    return tree


def in_turnover(tree):
    """The tree of a store with turnover alone."""
    campaign = tree["campaign"]
    campaign["is_turnover"] = True
    campaign["cautions"].insert(0, {"code": "turnover", "unit": "roubles"})
    return tree


CASES = {one.__name__: one for one in (in_profit, counted, in_turnover)}


@pytest.fixture(scope="module")
def pages(made):
    """The page of a case in English."""
    return {name: page(change(copy.deepcopy(made)), "en") for name, change in CASES.items()}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("case", CASES)
def test_the_first_screen_holds_a_warning_four_figures_and_five_answers(
    opened, pages, case, size, dark
):
    width, height = size
    view = opened(pages[case], width=width, height=height, dark=dark, folded=True)
    for language in ("English", "Русский"):
        view.get_by_role("button", name=language).click()
        bottoms = view.evaluate(BOTTOMS)
        assert len(bottoms) == 1 + 4 + 5
        assert max(bottoms) <= height, language
        assert view.evaluate("document.documentElement.scrollWidth") == width


def test_a_page_with_its_parts_folded_is_short_and_its_file_small(opened, pages):
    for html in pages.values():
        assert len(html.encode("utf-8")) <= 1_500_000
        view = opened(html, folded=True)
        for language in ("English", "Русский"):
            view.get_by_role("button", name=language).click()
            assert view.evaluate("document.documentElement.scrollHeight") <= 8000, language


def test_the_page_of_the_commands_is_short_and_its_file_small(opened, verdict):
    html = (verdict / "report.html").read_text(encoding="utf-8")
    assert len(html.encode("utf-8")) <= 1_500_000
    view = opened(html, folded=True)
    assert view.evaluate("document.documentElement.scrollHeight") <= 8000
    assert n_printed_pages(view) <= 12


def n_printed_pages(view):
    return len(re.findall(rb"/Type\s*/Page\b", view.pdf(format="A4")))


def test_the_page_is_printed_on_twelve_sheets(opened, pages):
    for html in pages.values():
        assert 3 <= n_printed_pages(opened(html, folded=True)) <= 12


BEYOND = """[...document.querySelectorAll('table.cards')].map((one) =>
    one.getBoundingClientRect().right - one.parentElement.getBoundingClientRect().right)"""


# The last column is the box to tick: beyond the edge nobody would find it.
def test_the_tables_for_the_manager_fit_the_page(opened, pages):
    for html in pages.values():
        view = opened(html, folded=True)
        for language in ("English", "Русский"):
            view.get_by_role("button", name=language).click()
            assert max(view.evaluate(BEYOND)) <= 0, language
            boxes = view.locator("#campaign input[type=checkbox]")
            assert boxes.count() > 0
            assert not view.locator(".wide.more").filter(has=boxes).count()


def column(rows, at):
    """The exact numbers of a column of the plan to approve."""
    read = f"(rows) => rows.map((row) => Number(row.cells[{at}].querySelector('data').value))"
    return rows.evaluate_all(read)


@pytest.mark.parametrize("table", [0, 1], ids=["by segment", "win-back and retention"])
def test_the_plan_to_approve_adds_up_to_the_plan(opened, pages, made, table):
    view = opened(pages["in_profit"], folded=True)
    plan = made["campaign"]["plan"]
    totals = {
        "Customers": made["campaign"]["n_customers"],
        "Contacted": plan["n_treated"],
        "Cost": plan["expected_cost"],
        "Net value": plan["expected_net"]["value"],
    }
    shown = view.locator("#campaign table.cards").nth(table)
    heads = shown.locator("thead th").all_inner_texts()
    rows = shown.locator("tbody tr:not(.total)")
    for name, total in totals.items():
        at = len(heads) - 1 - heads[::-1].index(name)
        assert sum(column(rows, at)) == pytest.approx(total, rel=1e-9), name
        if not table:
            assert column(shown.locator("tr.total"), at) == [total]


def test_the_sentence_and_the_table_name_the_same_contacts_by_channel(made):
    campaign = made["campaign"]
    channels = {one["channel"]: one["n_treated"] for one in campaign["overview"]["channels"]}
    found = dict.fromkeys(channels, 0)
    for choice in (one for row in campaign["approval"] for one in row["choices"]):
        found[choice["channel"]] += choice["n_treated"]
    assert found == channels


def test_a_link_to_a_folded_part_opens_it(opened, pages):
    html = pages["in_profit"].replace("</footer>", '<a href="#pairs">pairs</a></footer>')
    view = opened(html, folded=True)
    assert view.locator("details.part[open]").count() == 0
    view.locator("footer a").click()
    assert view.locator("#pairs details.part").get_attribute("open") is not None
    assert view.locator("#pair").is_visible()
    assert view.locator("details.part[open]").count() == 1
    view.goto(f"{view.url.partition('#')[0]}#data")
    assert view.locator("#data details.part").get_attribute("open") is not None


def test_every_link_at_the_top_leads_to_something_seen(opened, pages):
    view = opened(pages["in_profit"], folded=True)
    links = view.locator("nav a")
    assert links.count() == 7
    for at in range(links.count()):
        target = links.nth(at).get_attribute("href")
        links.nth(at).click()
        assert view.locator(target).is_visible()


def test_a_card_on_a_phone_carries_its_headings_in_the_language_shown(opened, pages):
    view = opened(pages["in_profit"], width=390, height=844, folded=True)
    cell = view.locator("#campaign table.cards tbody tr").first.locator("td").first
    before = "(one) => getComputedStyle(one, '::before').content"
    assert view.locator("#campaign thead").first.is_hidden()
    assert cell.evaluate(before) == '"Customers"'
    view.get_by_role("button", name="Русский").click()
    assert cell.evaluate(before) == '"Клиентов"'
    outside = """[...document.querySelectorAll('table.cards td')]
        .filter((one) => one.getBoundingClientRect().right > innerWidth).length"""
    assert view.evaluate(outside) == 0


def test_the_fishbone_on_a_phone_is_shown_whole_and_a_button_enlarges_it(opened, pages):
    view = opened(pages["in_profit"], width=390, height=844, folded=True)
    figure = view.locator("figure", has=view.locator("svg[data-chart='fishbone-en']"))
    chart, button = figure.locator("svg[data-chart='fishbone-en']"), figure.locator(".zoom")
    assert chart.bounding_box()["width"] <= 390 - 2 * 16
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert chart.bounding_box()["width"] >= 900
    assert view.evaluate("document.documentElement.scrollWidth") == 390
    button.click()
    assert chart.bounding_box()["width"] <= 390 - 2 * 16


def test_of_the_scenarios_the_plan_and_the_chosen_one_are_shown(opened, pages, made):
    view = opened(pages["in_profit"], folded=True)
    rows = view.locator("#scenario-table tbody tr:visible")
    assert rows.count() == 1
    for at, row in enumerate(made["campaign"]["sensitivity"]["rows"]):
        for place, end in enumerate(("low", "high"), 1):
            view.locator("#scenario").select_option(str(2 * at + place))
            assert rows.count() == 2
            net = rows.nth(1).locator("data[data-form^='money']").get_attribute("value")
            assert float(net) == row[f"expected_net_{end}"]
    view.locator("#scenario").select_option("0")
    assert rows.count() == 1


FOCUSABLE = "a[href], button, select, input, summary, [tabindex='0']"


def test_keys_alone_reach_all_that_can_be_worked(opened, pages):
    view = opened(pages["in_profit"], folded=True)
    seen = f"""[...document.querySelectorAll("{FOCUSABLE}")]
        .filter((one) => !one.disabled && one.checkVisibility()).length"""
    count = """() => { const one = document.activeElement;
        one.reached = true; return one !== document.body; }"""
    n_seen = view.evaluate(seen)
    assert n_seen > 30
    for _ in range(n_seen):
        view.keyboard.press("Tab")
        assert view.evaluate(count)
    reached = f"""[...document.querySelectorAll("{FOCUSABLE}")]
        .filter((one) => one.reached).length"""
    assert view.evaluate(reached) == n_seen


def test_a_folded_part_is_opened_by_a_key(opened, pages):
    view = opened(pages["in_profit"], folded=True)
    view.locator("#data summary").first.focus()
    view.keyboard.press("Enter")
    assert view.locator("#data details.part").get_attribute("open") is not None


def test_without_profit_the_page_speaks_of_customers_kept(opened, pages):
    view = opened(pages["counted"], folded=True)
    shown = view.locator("#answer").inner_text()
    assert "No profit is known, so each customer counts as one" in shown
    assert "41.3 would be kept" in shown
    view.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for language, money in (("English", "net value|profit"), ("Русский", "чист|прибыл")):
        view.get_by_role("button", name=language).click()
        for part in ("#answer", "#campaign", "#scenarios", "#segments", "#offers", "#trust"):
            text = view.locator(part).inner_text().lower()
            lines = [one for one in text.splitlines() if re.search(money, one)]
            reason = re.compile("no profit is known|прибыль неизвестна|data.profit")
            assert [one for one in lines if not reason.search(one)] == [], part
    assert view.locator("#risk-profit, a[href='#risk-profit']").count() == 0


# What the amounts are decides how to read every figure under it.
def test_in_turnover_the_first_warning_says_so(opened, pages):
    view = opened(pages["in_turnover"], folded=True)
    for language, said in (
        ("English", "All amounts are turnover, not profit"),
        ("Русский", "Все суммы — выручка, а не прибыль"),
    ):
        view.get_by_role("button", name=language).click()
        assert said in view.locator("#answer .note.weighty > p").inner_text()


def test_in_turnover_no_sentence_for_the_manager_says_profit(opened, pages):
    view = opened(pages["in_turnover"], folded=True)
    for language, profit in (("English", "profit"), ("Русский", "прибыл")):
        view.get_by_role("button", name=language).click()
        caution = view.locator("#answer .note").inner_text()
        text = view.locator("main").inner_text().replace(caution, "")
        shown = [one for one in text.splitlines() if profit in one.lower()]
        assert [one for one in shown if "assumptions.margin" not in one] == []


def test_a_sentence_ends_with_one_stop(opened, pages):
    view = opened(pages["in_profit"])
    for language in ("English", "Русский"):
        view.get_by_role("button", name=language).click()
        assert ".." not in view.locator("main").inner_text().replace("...", "")
