"""The page of two trees says what the comparison found, is small, and is made anew on a change."""

import re
import threading
import time
from dataclasses import replace
from functools import partial
from unittest import mock

import pytest

from retain.dashboard import trees as watching
from retain.dashboard.index import OutputsReader
from retain.dashboard.links import FileLinks, ServerLinks
from retain.dashboard.pages import DashboardPages
from retain.dashboard.trees import TreesComparison, TreesWatch, compare_in_short
from retain.errors import RetainError
from retain.record.estimates import Estimate
from retain.record.trees_document import (
    Cause,
    CauseCount,
    PlanChange,
    UnmatchedRun,
    UnreadableRun,
)

from .conftest import MARKUP, SELECTION, compared, copy_before


@pytest.fixture(scope="module")
def made_index(made):
    return OutputsReader(made).read()


@pytest.fixture(scope="module")
def comparison(made, earlier):
    return compared(earlier, made)


def page(index, comparison, links=None):
    return DashboardPages(index, links or ServerLinks(), "en", "outputs", 0).trees(comparison)


def english(text):
    """The text of a page in English, without markup."""
    shown = text.partition("<main>")[2].partition("</main>")[0]
    shown = re.sub(r'<span class="ru".*?</span>', "", shown)
    return " ".join(re.sub("<[^>]+>", " ", shown).split())


def test_the_sentence_comes_first_then_what_changed_then_why(made_index, comparison):
    text = english(page(made_index, comparison))
    parts = (
        "2 studies are in both",
        "Studies that were only there before: older",
        "Not worse, the best run",
        "What changed",
        "Why",
        "Runs with other results",
        "New runs",
        "Verdicts",
        "Cannot be believed",
    )
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "Log loss" in text[places[5] :]


def test_the_study_that_got_worse_comes_first(comparison):
    order = [watching.GRAVITY.index(one.conclusion) for one in comparison.studies]
    assert order == sorted(order)
    assert comparison.studies[-1].study == "trees"


def test_every_run_of_the_served_tree_is_linked_and_no_other(made_index, comparison):
    text = page(made_index, comparison)
    linked = set(re.findall(r"compare\?run=models%2F([0-9a-f]{8})", text))
    (change,) = (one for one in comparison.studies if one.study == "models")
    shown = {one.branch_id for one in change.runs} | {one.id for one in change.new_runs}
    assert shown <= linked <= {row.id for row in made_index.study("models").rows}
    assert "report?study=models" in text


def test_a_run_that_is_gone_has_no_link(made, earlier):
    index, back = OutputsReader(earlier).read(), compared(made, earlier)
    (change,) = (one for one in back.studies if one.study == "models")
    assert change.gone_runs
    text = page(index, back)
    for one in change.gone_runs:
        assert one.id in text
        assert f"%2F{one.id}" not in text


@pytest.mark.parametrize("swapped", [False, True])
def test_markup_of_a_hostile_tree_is_text(hostile, invented, swapped):
    pair = copy_before(hostile), hostile
    pair = pair[::-1] if swapped else pair
    (hostile / "out").symlink_to(invented / "invented")
    found = compared(*pair)
    assert [one.study for one in found.studies] == [MARKUP]
    assert [one.folder for one in found.document.outside] == ["out"]
    text = page(OutputsReader(pair[1]).read(), found)
    assert MARKUP not in text
    assert len(text) < 500_000


def test_the_page_of_very_much_is_small(made_index, comparison):
    long = "x" * 61
    (change,) = (one for one in comparison.studies if one.study == "models")
    runs = tuple(UnmatchedRun(id="0" * 8, name=long, state="done", value=0.5) for _ in range(10**4))
    broken = UnreadableRun(tree="main", folder="x" * 250, reason="y" * 300)
    cause = CauseCount(cause=Cause(aspect="config", name=long, main=long, branch=long), n_runs=1)
    much = {
        "runs": change.runs * 1000,
        "new_runs": runs,
        "gone_runs": runs,
        "unreadable": (broken,) * 10_000,
        "causes": (cause,) * 10_000,
    }
    for n_studies in (1, 20, 1000):
        studies = (change.model_copy(update=much),) * n_studies
        document = comparison.document.model_copy(update={"studies": studies})
        shown = TreesComparison("main", "branch", 1, document)
        links = FileLinks({"models": "models", "trees": "trees"}, {}, True, True)
        assert len(page(made_index, shown, links).encode()) < 2_000_000


def test_a_comparison_is_made_again_only_after_a_change(copied, invented):
    folders = str(invented), str(copied), SELECTION
    watch = TreesWatch(*folders)
    with mock.patch.object(
        watch, "_compare_apart", side_effect=partial(compare_in_short, *folders)
    ):
        watch.look()
        first = watch.comparison
        assert first.document.studies[0].n_same == 48
        watch.look()
        assert watch.comparison is first
        next((copied / "invented").glob("*/record.json")).write_text("{", "utf-8")
        watch.look()
        second = watch.comparison
        assert second.document.studies[0].n_same == 47
        moved = copied.rename(copied.with_name("moved"))
        watch.look()
        assert (watch.comparison.document, second.version) == (None, first.version + 1)
        assert "is not a folder" in watch.comparison.problem
        moved.rename(copied)
        watch.look()
        assert watch.comparison.document is not None


@pytest.mark.parametrize(
    ("error", "problem"),
    [(RetainError("no luck."), "no luck."), (ValueError("x"), "bug of retain: ValueError")],
)
def test_what_goes_wrong_is_said_on_the_page_and_ends_nothing(
    copied, invented, made_index, error, problem
):
    watch = TreesWatch(str(invented), str(copied), SELECTION)
    with mock.patch.object(TreesWatch, "_compare_apart", side_effect=error):
        watch.look()
    assert watch.comparison.problem == problem
    assert problem in page(made_index, watch.comparison)


def test_more_runs_than_a_page_compares_are_refused(invented, copied, monkeypatch):
    monkeypatch.setattr(watching, "MAX_RUNS", 20)
    with pytest.raises(RetainError, match="holds 48 runs; expected at most 20; without a limit"):
        compare_in_short(str(invented), str(copied), SELECTION)


def test_a_watch_that_is_closed_stops_its_worker_at_once(copied, invented):
    begun = time.monotonic()
    with TreesWatch(str(invented), str(copied), SELECTION) as watch:
        time.sleep(0.5)
    assert not any(one.name == "trees" and one.is_alive() for one in threading.enumerate())
    assert time.monotonic() - begun < 30
    assert watch.is_closed


def varied(change):
    """Yield a change with each part absent or otherwise, by what the page then says."""
    stopped = change.runs[0].model_copy(update={"difference": None, "states": ("done", "failed")})
    plan = PlanChange(n_treated=(None, 5), expected_net=(None, Estimate(2, 1, 3)), offers=())
    verdict = change.verdict
    yield "The records hold no reason", {"causes": (), "n_changed": 3, "n_unexplained": 1}
    yield (
        "Data, folds, code, packages, config, metrics and seed are the same",
        {"causes": (), "n_changed": 0},
    )
    yield "These differ, and yet all results are equal", {"n_changed": 0}
    yield "done → failed", {"runs": (stopped,)}
    yield "Runs without a result: 2 before, 1 after", {"n_unfinished": (2, 1)}
    yield "Verdicts are not compared", {"verdict": None}
    yield "The plan treats 5", {"verdict": verdict.model_copy(update={"plan": plan})}
    yield (
        "no finished run",
        {
            "best": None,
            "obstacle": "no_finished_run",
            "conclusion": "incomparable",
        },
    )
    for conclusion in ("same", "better", "worse", "not_worse", "unclear"):
        yield "What changed", {"conclusion": conclusion}


def test_a_change_of_any_shape_has_its_page(made_index, comparison):
    (change,) = (one for one in comparison.studies if one.study == "models")
    for words, parts in varied(change):
        studies = (change.model_copy(update=parts),)
        document = comparison.document.model_copy(update={"studies": studies})
        shown = replace(comparison, document=document)
        assert words in english(page(made_index, shown)), words


def test_before_the_first_comparison_the_page_says_so(made_index):
    text = english(page(made_index, TreesComparison("main", "branch")))
    assert "The two folders are being compared" in text
