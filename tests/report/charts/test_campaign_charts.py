"""Charts of the campaign: the best is marked, the widest stands on top, and texts have room."""

import pytest

from retain.report.charts.canvas import chart_style
from retain.report.charts.svg import inline
from retain.report.render import language_neutral_charts, localised_charts

from ..trees import reading_trees

language_neutral_charts = reading_trees(language_neutral_charts)
localised_charts = reading_trees(localised_charts)

pytestmark = pytest.mark.slow

OURS = ("segments", "tornado", "risk_profit", "profit_curve", "budget_curve")


@pytest.fixture(autouse=True)
def _drawing():
    with chart_style():
        yield


@pytest.fixture
def tree(tree):
    """The tree without what takes long to draw."""
    return tree | {"explanations": None, "curves": None}


@pytest.fixture
def campaign(tree):
    return tree["campaign"]


def drawn(tree, language="en"):
    found = {
        **language_neutral_charts(tree, language),
        **localised_charts(tree, language),
    }
    return {name: found[name] for name in OURS if name in found}


def points(chart):
    """Places of the larger points, in the units of the axes."""
    lines = chart.figure.axes[0].lines
    return [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in lines
        if line.get_marker() == "o" and line.get_markersize() == 8
    ]


def test_the_best_share_is_marked_on_the_curve(tree, campaign):
    found = campaign["profit_curve"]
    assert points(drawn(tree)["profit_curve"]) == [(found["best_share"], found["best_profit"])]


# What the curve shows of the plan is the plan's own cost and net value.
def test_the_plan_is_marked_on_the_curve_of_budgets(tree, campaign):
    plan = campaign["plan"]
    point = plan["expected_cost"], plan["expected_net"]["value"]
    assert points(drawn(tree)["budget_curve"]) == [point]
    assert point in [(one["budget"], one["expected_net"]) for one in campaign["budget_curve"]]


def test_the_widest_bar_stands_on_top(tree):
    chart = drawn(tree)["tornado"]
    assert [spot.title for spot in chart.spots] == [
        "Duration of a decline, months",
        "Mean save rate of the offers",
        "Share of profit lost in a decline",
        "Multiplier of the costs",
        "Multiplier of the profit",
    ]
    assert [spot.y for spot in chart.spots] == sorted(spot.y for spot in chart.spots)


# What an end gives is where its bar ends, on whichever side of the plan that is.
def test_bars_reach_from_the_plan_to_what_an_end_gives(tree, campaign):
    bars = drawn(tree)["tornado"].figure.axes[0].patches[2:]
    net = campaign["sensitivity"]["expected_net"]
    reached = {round(bar.get_x(), 6) for bar in bars}
    reached |= {round(bar.get_x() + bar.get_width(), 6) for bar in bars}
    ends = {
        row[end]
        for row in campaign["sensitivity"]["rows"]
        for end in ("expected_net_low", "expected_net_high")
    }
    assert reached == {round(end, 6) for end in ends | {net}}


def test_segments_stand_by_what_is_at_risk_and_small_ones_are_hollow(tree):
    chart = drawn(tree)["segments"]
    at_risk = [spot.values[0][1] for spot in chart.spots]
    assert at_risk == sorted(at_risk, reverse=True)
    marks = [line for line in chart.figure.axes[0].lines if line.get_marker() == "o"]
    hollow = [line for line in marks if line.get_markerfacecolor() == "#ffffff"]
    assert len(marks) == len(tree["segments"])
    assert len(hollow) == 1
    assert hollow[0].get_markersize() == min(line.get_markersize() for line in marks)


def test_without_profit_the_chart_is_of_risk(tree):
    for one in tree["segments"]:
        one |= {"observed_profit_at_risk": None, "expected_profit_at_risk": None}
    chart = drawn(tree)["segments"]
    assert [spot.values[0][2] for spot in chart.spots] == ["percent"] * 9
    assert chart.spots[0].values[0][1] == max(one["risk"]["value"] for one in tree["segments"])


@pytest.mark.parametrize("scale", [1e-4, 1e9, -1e3, 0.0])
def test_sums_of_any_size_have_room(tree, campaign, apart, scale):
    for one in campaign["budget_curve"]:
        one |= {"budget": one["budget"] * abs(scale), "expected_net": one["expected_net"] * scale}
    found = campaign["profit_curve"]
    found["profit"] = [value * scale for value in found["profit"]]
    for row in campaign["sensitivity"]["rows"]:
        row |= {end: row[end] * scale for end in ("expected_net_low", "expected_net_high")}
    campaign["sensitivity"]["expected_net"] *= scale
    for one in tree["segments"]:
        name = "observed_profit_at_risk"
        one[name] = {k: v * abs(scale) for k, v in one[name].items()}
    for language in ("en", "ru"):
        for chart in drawn(tree, language).values():
            apart(chart)


@pytest.mark.parametrize("name", ["a_segment_of_a_long_name_" * 12, "Ш" * 90, "页面数量" * 40])
def test_segments_of_any_name_have_room(tree, apart, name):
    for one in tree["segments"]:
        one["label"] = {"en": name, "ru": name}
    apart(drawn(tree, "ru")["segments"])


def test_one_drawing_of_money_serves_both_languages(tree):
    svg = str(inline(drawn(tree)["budget_curve"]))
    assert '<tspan class="en" lang="en">1,000</tspan>' in svg
    assert '<tspan class="ru" lang="ru">1\u202f000</tspan>' in svg


def test_curves_of_a_single_point_can_be_drawn(tree, campaign):
    campaign["budget_curve"] = [{"budget": 0.0, "n_chosen": 0, "expected_net": 0.0}]
    points = {key: [0.0] for key in ("share", "profit", "profit_by_risk")}
    campaign["profit_curve"] = {"offer": None, **points, "best_share": 0.0, "best_profit": 0.0}
    assert set(drawn(tree)) == set(OURS)


def test_without_a_campaign_segments_alone_are_drawn(tree):
    tree["campaign"] = {"reason": "no profit", "code": "no_profit", "overrides": []}
    assert set(drawn(tree)) == {"segments"}
    tree["campaign"] = tree["segments"] = None
    assert drawn(tree) == {}
