"""The reasons in a real browser: shown, translated, pointed at, within their window, at night."""

import copy

import pytest

from retain.report.page.page import page

from ..trees import reading_trees

page = reading_trees(page)

DRAWN = ("fishbone", "drivers", "beeswarm", "dependence", "distributions")


@pytest.fixture
def view(opened, html):
    return opened(html)


def chart(view, name, language="en"):
    return view.locator(f"svg[data-chart='{name}-{language}']")


def test_the_section_is_reached_from_the_top_of_the_page(view):
    view.locator("nav").get_by_role("link", name="Why").click()
    assert view.locator("#reasons h2").is_visible()
    assert all(chart(view, name).is_visible() for name in DRAWN)
    view.locator("nav").get_by_role("link", name="Label and purchases").click()
    assert view.locator("#label-audit h2").is_visible()


def test_the_language_swaps_pictures_names_and_sentences(view):
    assert not any(chart(view, name, "ru").is_visible() for name in DRAWN)
    view.get_by_role("button", name="Русский").click()
    assert all(chart(view, name, "ru").is_visible() for name in DRAWN)
    assert not any(chart(view, name).is_visible() for name in DRAWN)
    text = view.locator("#reasons").inner_text()
    assert "Страниц за визит" in text
    assert "Pages a visit" not in text


def test_a_feature_that_is_pointed_at_tells_its_numbers(view, tree):
    first, second = tree["explanations"]["features"][:2]
    chart(view, "drivers").focus()
    for feature in (first, second):
        view.keyboard.press("ArrowDown")
        text = view.locator("#tip").inner_text()
        assert text.startswith(feature["label"]["en"])
        assert f"{feature['mean_abs_shap']['value']:.3f}" in text
    view.get_by_role("button", name="Русский").click()
    chart(view, "drivers", "ru").focus()
    view.keyboard.press("ArrowDown")
    assert view.locator("#tip").inner_text().startswith(first["label"]["ru"])


# A level of a category has no place on a scale: the tip leaves out what a spot does not have.
def test_a_level_tells_no_value(view, tree):
    category = next(
        one
        for one in tree["explanations"]["features"]
        if one["dependence"] and not one["rank_correlation"]
    )
    before = [one for one in tree["explanations"]["features"] if one["dependence"]]
    steps = sum(len(one["dependence"]) for one in before[: before.index(category)])
    chart(view, "dependence").focus()
    for _ in range(steps + 1):
        view.keyboard.press("ArrowDown")
    text = view.locator("#tip").inner_text()
    level = category["dependence"][0]
    assert text.startswith(f"{category['label']['en']}: {level['label']['en']}")
    assert "value" not in text
    assert str(level["n_customers"]) in text


# The diagram is read from side to side; enlarged on a phone, it moves within its own box.
def test_the_fishbone_keeps_its_size_on_a_phone_once_enlarged(opened, html):
    view = opened(html, width=390)
    view.locator(".zoom").click()
    box = view.locator(".broad")
    wide, shown = box.evaluate("(one) => [one.scrollWidth, one.clientWidth]")
    assert wide >= 900
    assert shown <= 390
    assert view.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_pictures_take_the_page_s_colours(opened, html, dark):
    view = opened(html, dark=dark)
    fills = """(svg) => [...new Set([...svg.querySelectorAll('path')]
        .map((one) => getComputedStyle(one).fill))]"""
    accent = view.evaluate("""() => {
        const trial = document.body.appendChild(document.createElement('i'));
        trial.style.color = 'var(--accent)';
        return getComputedStyle(trial).color; }""")
    assert accent in chart(view, "beeswarm").evaluate(fills)


@pytest.fixture(scope="module")
def long_named(made):
    """A page whose features have long names."""
    tree = copy.deepcopy(made)
    reasons, name = tree["explanations"], "a_feature_of_a_long_name_" * 12
    label = {"en": name, "ru": name}
    reasons["reason"] = reasons["groups"][0]["name"] = name
    reasons["groups"][-1]["reason"] = reasons["examples"][0]["customer_id"] = name
    for feature in reasons["features"]:
        feature |= {"label": label, "top_level": feature["top_level"] and label}
        for level in feature["distribution"].get("levels", []):
            level["label"] = label
    for row in reasons["label_audit"]:
        row.update(previous=label, current=label, derived=label)
    return page(tree, "en")


# Files of a user may call a feature anything, at any length.
@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
def test_long_names_of_features_widen_nothing(opened, long_named, width):
    view = opened(long_named, width=width)
    view.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert view.evaluate("document.documentElement.scrollWidth") == width
