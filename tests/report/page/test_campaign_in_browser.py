"""The campaign in a real browser: reached, sorted, translated, pointed at, within its window."""

import copy

import pytest

from retain.report.page.page import page

from ..trees import reading_trees

page = reading_trees(page)


@pytest.fixture
def view(opened, html):
    return opened(html)


def column(view, table, at):
    """Numbers of a column, top to bottom; None where a cell has none."""
    read = f"""[...document.querySelectorAll('{table} tbody tr')].map((row) => {{
        const held = row.cells[{at}].querySelector('data');
        return held && Number(held.value); }})"""
    return view.evaluate(read)


def head(view, section, name):
    return view.locator(f"#{section} table.sortable th", has=view.get_by_role("button", name=name))


def test_every_part_is_reached_from_the_top_of_the_page(view):
    for name, section in [
        ("Campaign", "campaign"),
        ("Assumptions", "scenarios"),
        ("For analysts", "analysts"),
    ]:
        view.locator("nav").get_by_role("link", name=name, exact=True).click()
        assert view.locator(f"#{section} h2").first.is_visible()
    for section in ("segments", "offers", "trust"):
        assert view.locator(f"#analysts #{section} h2").is_visible()


def test_segments_are_sorted_by_any_of_their_numbers(view, tree):
    table = "#segments table.sortable"
    assert column(view, table, 1) == [one["n_customers"] for one in tree["segments"]]
    customers = head(view, "segments", "Customers")
    customers.get_by_role("button").click()
    assert customers.get_attribute("aria-sort") == "descending"
    sizes = sorted((one["n_customers"] for one in tree["segments"]), reverse=True)
    assert column(view, table, 1) == sizes
    customers.get_by_role("button").click()
    assert customers.get_attribute("aria-sort") == "ascending"
    assert column(view, table, 1) == sizes[::-1]
    named = head(view, "segments", "Segment")
    named.get_by_role("button").click()
    names = view.locator(f"{table} tbody th > .en").all_text_contents()
    assert names == sorted(names, key=str.casefold)
    assert customers.get_attribute("aria-sort") == "none"
    assert view.locator("#board th[aria-sort='ascending']").count() == 1


def test_what_has_no_number_stays_last_either_way(view):
    capacity = head(view, "offers", "Capacity").get_by_role("button")
    at = head(view, "offers", "Capacity").evaluate("(one) => one.cellIndex")
    for _ in range(2):
        capacity.click()
        found = column(view, "#offers table.sortable", at)
        assert found[:2] == [30, 30]
        assert set(found[2:]) == {None}


def test_the_language_swaps_names_pictures_and_numbers(view):
    view.get_by_role("button", name="Русский").click()
    text = view.locator("#answer").inner_text() + view.locator("#campaign").inner_text()
    assert "1\u202f296 клиентов" in text
    assert "customers" not in text
    assert view.locator("svg[data-chart='tornado-ru']").is_visible()
    assert not view.locator("svg[data-chart='tornado-en']").is_visible()
    offers = view.locator("#offers").inner_text()
    assert "Извинение за сбои" in offers
    assert "Apology" not in offers
    ticks = view.locator("svg[data-chart='budget_curve']").text_content()
    assert "1\u202f000" in ticks


def test_a_point_of_a_curve_tells_its_numbers(view, tree):
    view.locator("svg[data-chart='budget_curve']").focus()
    view.keyboard.press("ArrowDown")
    view.keyboard.press("ArrowDown")
    text, second = view.locator("#tip").inner_text(), tree["campaign"]["budget_curve"][1]
    assert f"{second['budget']:.1f}" in text
    assert f"customers chosen {second['n_chosen']}" in text


@pytest.fixture(scope="module")
def long_named(made):
    """A page whose segments and offers have long names."""
    tree = copy.deepcopy(made) | {"explanations": None, "curves": None}
    name = "a_segment_of_a_long_name_" * 12
    label = {"en": name, "ru": name}
    campaign = tree["campaign"]
    campaign["profit_unit"] = name
    for one in campaign["overview"]["channels"]:
        one["channel"] = name
    for row in campaign["approval"]:
        row["label"] = label
        for one in row["choices"]:
            one |= {"label": label, "channel": name}
            one["why"]["label"] = label
    for one in tree["segments"]:
        one["label"] = label
        for difference in one["contrasts"]:
            difference |= {"label": label, "level_label": label}
    for one in campaign["offers"]:
        one |= {"label": label, "channel": name}
    for one in [*campaign["control_group"]["strata"], *campaign["power"]["segments"]]:
        one["segment"] = name
    return page(tree, "en")


# Rules and catalogues may call a segment or an offer anything, at any length.
@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
def test_long_names_of_segments_and_offers_widen_nothing(opened, long_named, width):
    view = opened(long_named, width=width)
    view.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert view.evaluate("document.documentElement.scrollWidth") == width
