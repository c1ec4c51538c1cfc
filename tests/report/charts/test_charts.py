"""Charts: what is drawn, what can be pointed at, and the pictures as files."""

import copy
import re
import xml.etree.ElementTree as ET

import pytest

from retain.report.charts.canvas import COLOURS, Labels, chart_style
from retain.report.charts.svg import inline
from retain.report.render import charts, pictures
from retain.report.text.captions import CAPTIONS
from retain.report.text.words import message, words

from ..trees import reading_trees

charts = reading_trees(charts)
pictures = reading_trees(pictures)

pytestmark = pytest.mark.slow

EVERY = {
    "intervals",
    "effects",
    "roc",
    "precision_recall",
    "calibration",
    "lift",
    "captured_profit",
}
REASONS = {"fishbone", "drivers", "beeswarm", "dependence", "distributions"}
CAMPAIGN = {"segments", "tornado", "risk_profit", "profit_curve", "budget_curve"}
NAMED = REASONS | {"segments", "tornado"}
"""Charts with names that differ by language."""
EVERY |= REASONS | CAMPAIGN


@pytest.fixture(scope="module")
def drawn_in(made):
    """The charts by language, drawn once; not to be changed."""
    with chart_style():
        return {language: charts(made, language) for language in ("en", "ru")}


@pytest.fixture
def drawn(drawn_in):
    with chart_style():
        yield drawn_in["en"]


@pytest.fixture(scope="module")
def files_in(made, tmp_path_factory):
    """The paths of the pictures by language."""
    folder = tmp_path_factory.mktemp("pictures")
    return {
        language: pictures(copy.deepcopy(made), language, folder / language)
        for language in ("en", "ru")
    }


def test_every_chart_has_a_caption_and_the_other_way_round(drawn):
    assert set(drawn) == set(CAPTIONS) == EVERY


def test_every_spot_lies_on_its_chart(drawn):
    for chart in drawn.values():
        box = chart.figure.bbox
        assert chart.spots
        for spot in chart.spots:
            assert 0 <= spot.x <= box.width
            assert 0 <= spot.y <= box.height


def test_better_runs_stand_higher_and_larger_scores_further_right(drawn, tree):
    spots = drawn["intervals"].spots
    assert [spot.y for spot in spots] == sorted(spot.y for spot in spots)
    assert [spot.x for spot in spots] == sorted((spot.x for spot in spots), reverse=True)


# Drawing is slow when traced, and what is drawn here has been drawn by the fixtures, traced.
@pytest.mark.no_cover
@pytest.mark.parametrize(
    "name",
    ["a_model_of_a_long_name_" * 6, "Ш" * 90, "two words " * 20],
    ids=["one long word", "wide letters", "many words"],
)
def test_no_text_of_a_chart_is_cut_or_covers_another(tree, apart, charts_of, name):
    for row in tree["leaderboard"]:
        row["model"] = name
    for language in ("en", "ru"):
        for chart in charts_of(tree, language).values():
            apart(chart)


def test_a_chart_in_the_page_takes_the_page_s_colours_and_both_languages(drawn):
    for name in EVERY - NAMED:
        svg = str(inline(drawn[name]))
        assert not any(colour in svg for colour in COLOURS.values()), name
        assert not re.search(r"#[0-9a-f]{6}\b", svg), name
        assert "var(--accent)" in svg
        root = ET.fromstring(svg)  # noqa: S314 - drawn a moment ago
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-labelledby"] == f"caption-{name}"
        assert len(root.findall(".//tspan[@class='en']")) == len(
            root.findall(".//tspan[@class='ru']")
        )
        assert root.find(".//style") is None


# Names that data give differ by language, and with them the drawing: each has ids of its own.
def test_a_chart_with_names_is_drawn_for_one_language(drawn_in):
    with chart_style():
        svgs = {
            (name, language): str(inline(chart, language))
            for language, found in drawn_in.items()
            for name, chart in found.items()
            if name in NAMED
        }
    assert len(svgs) == 2 * len(NAMED)
    for (name, language), svg in svgs.items():
        assert not re.search(r"#[0-9a-f]{6}\b", svg), name
        root = ET.fromstring(svg)  # noqa: S314 - drawn a moment ago
        assert root.attrib["class"] == f"chart {language}"
        assert root.attrib["lang"] == language
        assert root.attrib["aria-labelledby"] == f"caption-{name}"
        assert root.find(".//tspan") is None
        ids = [one.attrib["id"] for one in root.iter() if "id" in one.attrib]
        assert all(one.startswith(f"{name}-{language}-") for one in ids)


def test_a_chart_may_go_to_a_folder_of_its_own(tree, tmp_path):
    tree |= {"curves": None, "campaign": None, "segments": None}
    found = pictures(tree, "en", tmp_path / "pictures", {"fishbone": tmp_path})
    assert tmp_path / "fishbone.svg" in found
    assert (tmp_path / "fishbone.png").exists()
    assert not (tmp_path / "pictures" / "fishbone.svg").exists()


def test_a_label_is_known_in_both_languages():
    labels = Labels("ru")
    assert labels(message("chart.lift.y")) == "лифт"
    assert labels.pairs["лифт"] == {"en": "lift", "ru": "лифт"}


def test_axes_without_a_pair_of_runs_have_no_chart(tree):
    for effect in tree["main_effects"]:
        effect["levels"] = []
    with chart_style():
        assert "effects" not in charts(tree, "en")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_chart_becomes_an_svg_and_a_png(files_in, language):
    found = files_in[language]
    assert {path.stem for path in found} == EVERY
    assert sorted(path.name for path in found[0].parent.iterdir()) == sorted(
        path.name for path in found
    )
    for path in found:
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG")
        else:
            assert ("доля" in path.read_text(encoding="utf-8")) == (
                language == "ru"
                and path.stem
                in ("calibration", "captured_profit", "lift", "profit_curve", "roc", "tornado")
            )


# A file leaves its page: it says itself what it shows, and of which study and winner.
@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_picture_s_file_carries_its_title_study_and_winner(files_in, made, language):
    winner = made["winner"]
    for path in files_in[language]:
        if path.suffix == ".svg":
            text = "".join(ET.fromstring(path.read_text(encoding="utf-8")).itertext())  # noqa: S314 - ours
            title = words(language).plain(message(f"chart.{path.stem}.title"))
            assert title in text, path.name
            assert f"{made['study']} · {winner['name']} {winner['id']}" in text, path.name


@pytest.mark.no_cover
def test_the_same_verdict_gives_the_same_pictures(tree, files_in, tmp_path):
    first = [path.read_bytes() for path in files_in["en"]]
    assert first == [path.read_bytes() for path in pictures(tree, "en", tmp_path)]


# Pictures are drawn in one hand, and the user's own settings are as they were.
def test_drawing_leaves_matplotlib_s_settings_alone(tree, tmp_path):
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 17}):
        parts = dict.fromkeys(("explanations", "campaign", "segments", "curves"))
        pictures(tree | parts, "en", tmp_path)
        assert mpl.rcParams["font.size"] == 17


@pytest.mark.no_cover
def test_names_in_any_script_can_be_drawn(tree, tmp_path):
    tree |= {"curves": None, "campaign": None, "segments": None, "explanations": None}
    tree["leaderboard"][0]["model"] = "模型 🙂 $x$ \x00\n"
    assert {path.stem for path in pictures(tree, "en", tmp_path)} == {"intervals", "effects"}
