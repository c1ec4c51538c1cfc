"""The fishbone: what it says, where it stands, and that no text covers anything."""

import itertools
import re
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from retain.record.explanations_document import ExplanationsDocument
from retain.record.verdict_document import VerdictDocument
from retain.report.charts.canvas import COLOURS, POINTS_PER_INCH, Labels, chart_style
from retain.report.charts.svg import inline
from retain.report.fishbone.fishbone import fishbone
from retain.report.render import PNG_DPI

from ..invented_explanations import make_reasons
from ..trees import NO_EFFECT, read_as

pytestmark = pytest.mark.slow

CONTRACT = Path(__file__).parents[3] / "conf/data/contract/one_click.yaml"
GROUPS = ("site", "purchase", "product", "communication", "other", "loyalty programme", "delivery")
GROUPS += ("support", "returns", "payments", "mobile app", "weather", "thirteenth")
LEVEL = {"en": "Kitchenware", "ru": "Кухонная посуда"}
TEXTS = {
    "en": "Marketing contacts a month over 6 months, and of them those read to the end, and more",
    "ru": "Маркетинговая активность в текущем месяце, и из неё то, что прочитано до конца письма",
    "wide": "Ш" * 90,
    "arabic": "نسبة المشتريات خلال العروض الترويجية في الشهر الحالي مقارنة بالشهر السابق للعميل",
    "chinese": "本月营销联系次数与过去六个月平均值之比以及访问每个类别的页面数量" * 3,
    "hostile": "<script>\x00\n$x$ {n} \u202e %s =cmd()|' /C calc'!A0 Ẫg̈j🙂 </svg>" * 3,
}


def name(text, length=80):
    return {"en": TEXTS[text][:length], "ru": TEXTS[text][:length]}


def feature(group, at, label, *, strengths=True, used=True, **more):
    """The feature of rank ``at``; its direction goes round, and each fourth is a category."""
    mean = 0.9 * 0.86**at if strengths and used else None
    way = ("up", "down", "mixed", "level")[at % 4] if mean else None
    return {
        **NO_EFFECT,
        "name": f"f{at}",
        "group": group,
        "label": label,
        "kind": "category" if at % 4 == 3 else "number",
        "is_derived": False,
        "in_model": used,
        "phik": 0.7 * 0.9**at,
        "mean_abs_shap": mean and {"value": mean, "low": 0.92 * mean, "high": 1.1 * mean},
        "direction": way,
        "top_level": LEVEL if way == "level" else None,
        "is_weak": at > 15,
        **more,
    }


def group_of(name, loss, *, used=True):
    """A group; ``loss`` None where its contribution was not measured."""
    given = loss is not None and used
    if given:
        auc_loss = {"value": loss, "low": loss - 0.012, "high": loss + 0.013}
        ablation = {"auc_loss": auc_loss, "source": "refit", "n_pairs": None}
    return {
        "name": name,
        "n_features": 1,
        "in_model": used,
        "mean_abs_shap": None,
        "ablation": ablation if given else None,
        "reason": None if given else "not measured",
    }


REST = make_reasons()
"""The parts of explanations that no fishbone shows."""


def tree_of(features, losses=None, **target):
    """A verdict with these features, strongest first; losses by group, largest first."""
    names = dict.fromkeys(one["group"] for one in features)
    losses = losses or {name: 0.034 * 0.5**at for at, name in enumerate(names)}
    label = {"en": "Purchasing activity: Declined", "ru": "Покупательская активность: Снизилась"}
    return {
        "explanations": {
            **REST,
            "target": {"label": label, "n_customers": 1039, "n_declined": 395, "decline_rate": 0.38}
            | target,
            "groups": [group_of(name, loss) for name, loss in losses.items()],
            "features": features,
        }
    }


def many(groups, features, text, length=40, **how):
    """So many features, dealt out to so many groups."""
    homes = [GROUPS[at % groups] for at in range(features)]
    return tree_of([feature(home, at, name(text, length), **how) for at, home in enumerate(homes)])


@cache
def store():
    """The features of the store, as its contract names them: group and label."""
    contract = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    found = []
    for table in contract["tables"].values():
        months = table.get("period", {}).get("labels", {"": None}).values()
        for column, month in itertools.product(table["columns"].values(), months):
            if "group" in column:
                tails = {lang: f", {month[lang]}" if month else "" for lang in ("en", "ru")}
                found.append((column["group"], {k: column[k] + tails[k] for k in tails}))
    derived = contract["derived"].values()
    return found + [(column["group"], {k: column[k] for k in ("en", "ru")}) for column in derived]


def the_store(**how):
    return tree_of([feature(group, at, label, **how) for at, (group, label) in enumerate(store())])


def drawn(tree, language="en"):
    found = tree["explanations"] and read_as(ExplanationsDocument, tree["explanations"])
    verdict = VerdictDocument.model_construct(explanations=found)
    with chart_style():
        return fishbone(verdict, Labels(language))


def texts_of(chart):
    """Every text of the picture with its box, in points; measured as a PNG's letters are drawn."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text
    from matplotlib.transforms import Affine2D

    chart.figure.set_dpi(PNG_DPI)
    renderer = FigureCanvasAgg(chart.figure).get_renderer()
    found = [text for text in chart.figure.findobj(Text) if text.get_text()]
    with chart_style():
        boxes = [text.get_window_extent(renderer) for text in found]
    chart.figure.set_dpi(POINTS_PER_INCH)
    scale = Affine2D().scale(POINTS_PER_INCH / PNG_DPI)
    return [(text, box.transformed(scale)) for text, box in zip(found, boxes, strict=True)]


def labels_of(chart):
    """The texts of the picture, one after the other."""
    return " ".join(text.get_text() for text, _ in texts_of(chart))


def bones_of(chart):
    """The solid bones, as the outlines of their four corners: joint first, then tip."""
    outlines = [patch.get_path() for patch in chart.figure.axes[0].patches]
    return [path for path in outlines if len(path.vertices) == 5 and height(path) > 20]


def height(path):
    return np.ptp(path.vertices[:4, 1])


def thickness(path):
    (x, y), (right, _), _, (tip, end) = path.vertices[:4]
    return (right - x) / np.hypot(1, (x - tip) / (y - end))


def bars_of(chart, colour):
    return [line for line in chart.figure.axes[0].lines if line.get_color() == COLOURS[colour]]


def assert_clear(chart):
    """No text leaves the picture, covers another, or is struck through by a line."""
    texts = texts_of(chart)
    boxes = np.array([box.extents for _, box in texts])
    labels = [text.get_text() for text, _ in texts]
    page = chart.figure.bbox
    assert page.width <= 807
    assert page.height <= 554.5
    assert boxes[:, :2].min() >= 0
    assert boxes[:, 2].max() <= page.width
    assert boxes[:, 3].max() <= page.height
    assert min(text.get_fontsize() for text, _ in texts) >= 6.5
    over = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - np.maximum(
        boxes[:, None, :2], boxes[None, :, :2]
    )
    both = np.argwhere(np.triu((over > (0.4, 0.8)).all(axis=2), 1))
    assert [(labels[a], labels[b]) for a, b in both] == []
    assert_nothing_strikes(chart, texts)


def assert_nothing_strikes(chart, texts):
    """Lines and bones keep off the texts; the head lies under its own."""
    from matplotlib.path import Path as Outline

    axes = chart.figure.axes[0]
    head = max((p.get_path() for p in axes.patches), key=lambda path: len(path.vertices))
    lines = [Outline(line.get_xydata()) for line in axes.lines]
    lines += [p.get_path() for p in axes.patches if p.get_path() is not head]
    for text, box in texts:
        inner = box.padded(-0.3)  # a box is rounded to whole dots
        struck = [line for line in lines if line.intersects_bbox(inner, filled=True)]
        assert struck == [], text.get_text()
        if text.get_color() == COLOURS["paper"]:
            assert head.contains_points(box.corners()).all(), text.get_text()
        else:
            assert not head.intersects_bbox(inner, filled=True), text.get_text()


def test_a_verdict_without_reasons_has_no_fishbone():
    assert drawn({"explanations": None}) is None


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_store_s_fishbone_shows_every_feature_whole(language):
    chart = drawn(the_store(), language)
    assert_clear(chart)
    assert len(chart.spots) == len(store()) == 22
    for _, label in store():
        assert label[language] in labels_of(chart)
    for words in {"en": ("Site behaviour", "Product"), "ru": ("Поведение на сайте", "Продук")}[
        language
    ]:
        assert words in labels_of(chart)


@pytest.mark.parametrize("groups", range(1, 9))
def test_nothing_covers_a_text_however_many_groups_and_features(groups):
    for features, language in ((groups, "en"), (22, "ru"), (60, ("en", "ru")[groups % 2])):
        assert_clear(drawn(many(groups, features, language), language))


@pytest.mark.parametrize("groups", [9, 12, 13])
def test_more_groups_than_are_usual_still_make_a_picture(groups):
    chart = drawn(many(groups, 60, "en"))
    assert_clear(chart)
    assert ("1 more group is not shown" in labels_of(chart)) == (groups == 13)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    sizes=st.lists(st.integers(1, 15), min_size=1, max_size=8).filter(lambda s: sum(s) <= 60),
    texts=st.lists(st.tuples(st.sampled_from(sorted(TEXTS)), st.sampled_from([1, 9, 24, 45, 80]))),
    measured=st.booleans(),
    language=st.sampled_from(["en", "ru"]),
)
@example(sizes=[10], texts=[("chinese", 80)], measured=True, language="en")
def test_nothing_covers_a_text_whatever_the_names(sizes, texts, measured, language):
    homes = [group for group, size in zip(GROUPS, sizes, strict=False) for _ in range(size)]
    given_ = itertools.cycle(texts or [("en", 30)])
    features = [
        feature(home, at, name(*next(given_)), strengths=measured) for at, home in enumerate(homes)
    ]
    assert_clear(drawn(tree_of(features), language))


# Names come from a data contract, which may have come from anywhere.
@pytest.mark.parametrize("text", sorted(TEXTS))
def test_long_names_of_groups_and_target_find_room_too(text):
    long = name(text)["en"] * 3
    features = [feature(f"{at % 5}{long}", at, name(text)) for at in range(20)]
    label = {"en": long, "ru": long}
    chart = drawn(tree_of(features, label=label))
    assert_clear(chart)
    with chart_style():
        root = ET.fromstring(str(inline(chart)))  # noqa: S314 - drawn a moment ago
    assert root.find(".//script") is None


def test_the_larger_a_contribution_the_thicker_its_bone_and_the_nearer_to_the_head():
    losses = {"site": 0.04, "purchase": 0.02, "product": 0.01, "communication": -0.01}
    chart = drawn(tree_of(many(4, 12, "en")["explanations"]["features"], losses))
    found = bones_of(chart)
    assert [round(thickness(bone), 1) for bone in found] == [8.0, 4.4, 2.7, 0.9]
    joints = [bone.vertices[:2, 0].mean().round() for bone in found]
    assert joints == sorted(joints, reverse=True)
    sides = [bone.vertices[2][1] > bone.vertices[0][1] for bone in found]
    assert sides == [True, False, True, False]


def test_a_contribution_stands_at_its_bone_as_the_verdict_has_it():
    tree = labels_of(drawn(tree_of([feature("site", 0, name("en"))], {"site": 0.034}))).replace(
        "\u00a0", " "
    )
    assert "ROC-AUC lost without it: 0.034 (0.022–0.047)" in tree
    assert "38\u202f% of 1,039 customers" in tree


def test_a_contribution_that_was_not_measured_is_a_dashed_hairline():
    chart = drawn(tree_of([feature("site", 0, name("en"))], {"site": None}))
    assert "contribution not measured" in labels_of(chart)
    assert bones_of(chart) == []
    assert [line.is_dashed() for line in bars_of(chart, "muted")] == [True, True]


def test_a_group_the_winner_does_not_use_is_grey_and_dashed_and_says_so():
    tree = many(2, 6, "ru")
    tree["explanations"]["groups"][1] = group_of("purchase", None, used=False)
    chart = drawn(tree, "ru")
    assert "модель не использует" in labels_of(chart)
    assert len(bones_of(chart)) == 1
    shades = {text.get_color() for text, _ in texts_of(chart) if "Покуп" in text.get_text()}
    assert COLOURS["muted"] in shades
    assert sum(spot.values[0][1] is None for spot in chart.spots) == 3
    assert_clear(chart)


def test_without_an_explainer_ribs_are_grey_and_tell_phi_k():
    chart = drawn(the_store(strengths=False))
    assert "φk 0.70" in labels_of(chart)
    assert "SHAP" not in labels_of(chart)
    assert bars_of(chart, "accent") == []
    assert {spot.values[0][0] for spot in chart.spots} == {"fishbone.tip.phik"}


def test_a_rib_tells_sign_strength_interval_and_level():
    features = [feature("site", at, name("en", 9)) for at in range(4)]
    chart = drawn(tree_of(features))
    texts = [text.get_text() for text, _ in texts_of(chart)]
    assert {"+", "−", "±", "↑ Kitchenware", "0.90 (0.83–0.99)"} <= set(texts)
    assert "0,90 (0,83–0,99)" in labels_of(drawn(tree_of(features), "ru"))


def test_small_strengths_are_told_apart():
    weak = {"value": 0.0123, "low": 0.0111, "high": 0.0136}
    chart = drawn(tree_of([feature("site", 0, name("en"), mean_abs_shap=weak)]))
    assert "0.012 (0.011–0.014)" in labels_of(chart)


def test_the_stronger_a_feature_the_longer_its_bar_and_the_nearer_to_the_spine():
    chart = drawn(tree_of([feature("site", at, name("en", 9)) for at in range(9)]))
    bars = bars_of(chart, "accent")
    lengths = [np.ptp(bar.get_xdata()) for bar in bars[:9]]
    np.testing.assert_allclose(np.divide(lengths, lengths[0]), 0.86 ** np.arange(9))
    heights = [bar.get_ydata()[0] for bar in bars[:9]]
    assert heights == sorted(heights)


def test_weak_ribs_are_grey():
    chart = drawn(tree_of([feature("site", at, name("en", 9)) for at in (0, 1, 16, 17)]))
    keys = 1
    assert len(bars_of(chart, "accent")) == 2 + keys
    assert len(bars_of(chart, "muted")) == 2 + keys


@pytest.mark.parametrize(("language", "rest"), [("en", r"\+ (\d+) more"), ("ru", r"и ещё (\d+)")])
def test_beyond_what_fits_the_strongest_are_shown_and_the_rest_counted(language, rest):
    tree = many(4, 60, language, 80)
    chart = drawn(tree, language)
    missing = sum(int(n) for n in re.findall(rest, labels_of(chart)))
    assert len(chart.spots) + missing == 60
    assert missing > 0
    for group in GROUPS[:4]:
        strengths = [f["mean_abs_shap"]["value"] for f in tree["explanations"]["features"]
                     if f["group"] == group]  # fmt: skip
        shown = [s.values[0][1] for s in chart.spots if s.values[0][1] in strengths]
        assert shown == strengths[: len(shown)]


def test_a_feature_out_of_use_comes_last_and_tells_no_strength():
    features = [feature("site", 0, name("ru"), used=False), feature("site", 1, name("en"))]
    chart = drawn(tree_of(features))
    assert [spot.values[0][1] is None for spot in chart.spots] == [False, True]
    assert len(bars_of(chart, "line")) == 2


def test_every_rib_can_be_pointed_at_and_says_the_same_things():
    chart = drawn(the_store())
    assert len({tuple((word, form) for word, _, form in s.values) for s in chart.spots}) == 1
    for spot in chart.spots:
        assert 0 < spot.x < chart.figure.bbox.width
        assert 0 < spot.y < chart.figure.bbox.height


def test_a_target_without_a_name_is_told_in_general():
    tree = tree_of([feature("site", 0, name("en"))], label=None, n_customers=1)
    assert "Activity declines" in labels_of(drawn(tree))
    assert "из 1 клиента" in labels_of(drawn(tree, "ru"))


def test_in_the_page_it_takes_the_page_s_colours():
    with chart_style():
        svg = str(inline(drawn(the_store(), "ru")))
    assert not re.search(r"#[0-9a-f]{6}\b", svg)
    assert "var(--accent)" in svg
