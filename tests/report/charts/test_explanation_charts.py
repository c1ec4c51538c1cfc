"""Charts of the reasons: every feature in one order, every customer in them, and room for all."""

import pytest

from retain.report.charts.canvas import chart_style
from retain.report.charts.text_layout import inches, wrap_text
from retain.report.render import localised_charts

from ..invented_explanations import without_a_model
from ..trees import reading_trees

localised_charts = reading_trees(localised_charts)

pytestmark = pytest.mark.slow

LONG = {
    "one long word": "a_feature_of_a_long_name_" * 12,
    "wide letters": "Ш" * 90,
    "many words": "two words " * 30,
    "Chinese": "页面数量" * 40,
    "Arabic": "ميزة " * 60,
}


@pytest.fixture(autouse=True)
def _drawing():
    with chart_style():
        yield


@pytest.fixture
def reasons(tree):
    return tree["explanations"]


def drawn(tree, language="en"):
    """The charts of the reasons, within the hand they are drawn in."""
    return localised_charts(tree, language)


def test_strongest_first_in_one_order_everywhere(tree, reasons):
    charts = drawn(tree)
    names = [one["label"]["en"] for one in reasons["features"] if one["mean_abs_shap"]]
    for name in ("drivers", "beeswarm"):
        spots = charts[name].spots
        assert [spot.title for spot in spots] == names[: len(spots)]
        assert [spot.y for spot in spots] == sorted(spot.y for spot in spots)
    strengths = [spot.x for spot in charts["drivers"].spots]
    assert strengths == sorted(strengths, reverse=True)


# Bins are equally wide within a row, so that a bar's height alone says how full its bin is.
def test_every_customer_is_in_the_beeswarm(tree, reasons):
    reasons["features"] = reasons["features"][:1]
    counts = reasons["features"][0]["beeswarm"]["counts"]
    assert sum(counts) == reasons["drivers"]["n_customers"]
    heights = sorted(heights_of(drawn(tree)["beeswarm"].figure))
    wanted = sorted([max(heights) * count / max(counts) for count in counts if count] + [0.1] * 6)
    assert heights == pytest.approx(wanted, abs=0.012)


def heights_of(figure):
    """Heights of all bars, those of the key among them, in inches."""
    paths = [patch.get_path() for patch in figure.axes[0].patches]
    corners = [path.vertices[at : at + 5] for path in paths for at in range(0, len(path), 5)]
    return [float(one[:, 1].max() - one[:, 1].min()) for one in corners]


def test_higher_values_are_drawn_stronger(tree, reasons):
    feature = reasons["features"][0]
    reasons["features"] = [feature]
    feature["beeswarm"]["mean_ranks"] = [at / 39 for at in range(40)]
    shades = {}
    for patch in drawn(tree)["beeswarm"].figure.axes[0].patches:
        x = patch.get_path().vertices[5:-1, 0]
        shades[patch.get_alpha()] = x.mean() if len(x) else patch.get_path().vertices[:, 0].mean()
    assert [shades[alpha] for alpha in sorted(shades)] == sorted(shades.values())


def test_a_panel_a_feature_all_on_one_scale(tree, reasons):
    figure = drawn(tree)["dependence"].figure
    with_points = [one for one in reasons["features"] if one["dependence"]]
    assert len(figure.axes) == len(with_points) == 6
    scales = {
        axes.get_xlim() if one["kind"] == "category" else axes.get_ylim()
        for axes, one in zip(figure.axes, with_points, strict=True)
    }
    assert len(scales) == 1


@pytest.mark.no_cover  # drawing is slow when traced, and other tests draw the same, traced
@pytest.mark.parametrize("name", LONG.values(), ids=LONG)
def test_no_text_of_the_reasons_is_cut_off_or_covers_another(tree, apart, charts_of, name):
    label = {"en": name, "ru": name}
    for feature in tree["explanations"]["features"]:
        feature["label"] = label
        for level in [*feature["distribution"].get("levels", []), *(feature["dependence"] or [])]:
            level["label"] = level.get("label") and label
    for chart in charts_of(tree, "en" if name.isascii() else "ru").values():
        apart(chart)


@pytest.mark.no_cover
@pytest.mark.parametrize("scale", [1e-9, 1e7, -1e12])
def test_values_of_any_size_have_room(tree, apart, charts_of, scale):
    for feature in tree["explanations"]["features"]:
        for point in feature["dependence"] or []:
            point["x"] = None if point["x"] is None else point["x"] * scale
        if feature["kind"] == "number":
            for side in ("declined", "stayed"):
                held = feature["distribution"][side]
                held |= {end: held[end] * scale for end in ("p5", "p25", "p50", "p75", "p95")}
    for chart in charts_of(tree, "en").values():
        apart(chart)


def test_thirty_levels_and_a_value_that_never_varies_can_be_drawn(tree, reasons):
    category = next(one for one in reasons["features"] if one["kind"] == "category")
    category["distribution"]["levels"] *= 5
    category["dependence"] *= 5
    still = reasons["features"][0]
    for point in still["dependence"]:
        point |= {"x": 1.0, "mean": 0.0, "p10": 0.0, "p90": 0.0}
    ends = dict.fromkeys(("p5", "p25", "p50", "p75", "p95"), 1.0)
    unknown = {"observed_share": 0.0, **dict.fromkeys(ends)}
    still["distribution"] |= {"declined": {"observed_share": 1.0, **ends}, "stayed": unknown}
    reasons["features"][1]["distribution"] |= {"declined": unknown, "stayed": unknown}
    still["beeswarm"] |= {"min": 0.0, "max": 0.0}
    charts = drawn(tree)
    assert len(charts["dependence"].figure.axes[4].texts) == 1 + 6


@pytest.mark.parametrize("width", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("lines", [1, 2])
def test_a_text_is_cut_to_its_room(width, lines):
    for text in [*LONG.values(), "short", ""]:
        found = wrap_text(text, width, lines)
        assert len(found) <= lines
        assert all(inches(line) <= width for line in found)
        complete = "".join(found).replace(" ", "") == text.replace(" ", "")
        assert complete or found[-1].endswith("…")


def test_names_are_in_the_chart_s_language(tree):
    assert drawn(tree, "ru")["drivers"].spots[0].title == "Страниц за визит"


def test_a_chart_without_numbers_is_not_drawn(tree, reasons):
    without_a_model(reasons)
    tree["segments"] = tree["campaign"] = None
    assert set(drawn(tree)) <= {"fishbone", "distributions"}
    for feature in reasons["features"]:
        feature["distribution"] = None
    assert set(drawn(tree)) <= {"fishbone"}
    tree["explanations"] = None
    assert drawn(tree) == {}
