"""Two runs compared in the page, against an independent computation."""

import pytest

from retain.report.page.page import page

from ..trees import reading_trees

page = reading_trees(page)


@pytest.fixture
def view(opened, html):
    return opened(html)


def pair(view, a, b):
    """Choose two runs; the metrics shown, by name."""
    view.locator("#run-a").select_option(a)
    view.locator("#run-b").select_option(b)
    rows = """[...document.querySelectorAll('#difference tr[data-metric]')].map((row) =>
        [row.dataset.metric, [...row.querySelectorAll('data')].map((one) => Number(one.value))])"""
    return dict(view.evaluate(rows))


@pytest.mark.parametrize(("left", "right"), [(3, 11), (20, 2), (0, 29)])
def test_two_runs_are_compared_by_the_corrected_paired_interval(
    view, tree, paired_interval, left, right
):
    a, b = (tree["leaderboard"][at]["id"] for at in (left, right))
    found = pair(view, a, b)
    assert set(found) == set(tree["metrics"])
    for name, numbers in found.items():
        first, second = tree["fold_values"][a][name], tree["fold_values"][b][name]
        paired = list(zip(first, second, strict=False))  # a stopped run has its first folds alone
        mean, low, high = paired_interval([y - x for x, y in paired])
        sides = [sum(side) / len(paired) for side in zip(*paired, strict=True)]
        assert numbers == pytest.approx([*sides, mean, low, high], abs=3e-6)


def test_a_pair_the_verdict_holds_is_told_as_it_stands_there(view, tree):
    held = tree["diffs"][0]
    found = pair(view, held["a"], held["b"])
    for metric in held["metrics"]:
        ends = [metric["difference"][end] for end in ("value", "low", "high")]
        assert found[metric["name"]] == [metric["a"], metric["b"], *ends, metric["p"]]
    assert view.locator("#difference code", has_text="c1").count() == 1
    view.locator("#swap").click()
    turned = pair(view, held["b"], held["a"])
    for metric in held["metrics"]:
        ends = [-metric["difference"][end] for end in ("value", "high", "low")]
        assert turned[metric["name"]] == [metric["b"], metric["a"], *ends, metric["p"]]


def test_a_pair_shows_the_settings_that_differ_and_the_command_for_its_customers(view, tree):
    a, b = tree["leaderboard"][2], tree["leaderboard"][9]
    pair(view, a["id"], b["id"])
    text = view.locator("#difference table").first.inner_text()
    for key in tree["key_columns"]:
        assert (key in text) == (a[key] != b[key])
    command = f"retain-compare study=models 'diff=[{a['id']},{b['id']}]'"
    assert view.locator("#difference pre").text_content() == command


def test_a_search_shortens_both_lists_and_keeps_what_is_chosen(view, tree):
    first, third = (tree["leaderboard"][at]["id"] for at in (0, 2))
    view.locator("#run-b").select_option(third)
    view.locator("#find").fill("lightgbm random_under")
    options = view.locator("#run-a option").all_text_contents()
    assert 1 < len(options) < 6
    assert all("lightgbm · random_under" in text or first in text for text in options)
    assert view.locator("#run-a").input_value() == first
    assert view.locator("#run-b").input_value() == third


def test_a_run_is_not_compared_with_itself(view, tree):
    pair(view, tree["leaderboard"][4]["id"], tree["leaderboard"][4]["id"])
    assert "same run" in view.locator("#difference").inner_text()


def test_a_pair_that_was_asked_for_is_shown_first(opened, tree):
    tree["diffs"][0] |= {"a": tree["leaderboard"][5]["id"], "requested": True}
    view = opened(page(tree, "en"))
    assert view.locator("#run-a").input_value() == tree["diffs"][0]["a"]
