"""From a winner to why: what a comparison writes, prints, and says it cannot tell."""

import contextlib
import io
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from retain.cli.compare import compare
from retain.cli.run import run, run_command
from retain.errors import NotApplicable, RetainError
from retain.workflows.explanations import ExplanationJobs

SIZE = ("data.customers=240", "validation.folds=2", "validation.repeats=1")
LIGHT = ("resamples=100", "explain.permutation_repeats=1")
GROUPS = {"communication", "product", "purchase", "site"}


@pytest.fixture(scope="module")
def once(tmp_path_factory, fork_server):
    """A study that switches one group off, and one of a model that no explainer knows."""
    with contextlib.chdir(tmp_path_factory.mktemp("once")):
        axes = ("model=logreg,tree", "features.product=true,false")
        assert run_command(run, ("-m", "study.name=small", *SIZE, *axes), "run") == 0
        assert run_command(run, ("study.name=knn", *SIZE, "model=knn"), "run") == 0
        return Path("outputs").resolve()


@pytest.fixture
def swept(once, here):
    """A copy of these studies in an empty working directory."""
    shutil.copytree(once, "outputs")
    return Path("outputs")


def tree(study):
    return json.loads((study / "verdict" / "verdict.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def compare_once(once, tmp_path_factory, fork_server):
    """Compares a copy of ``small``; its folder, the tree it wrote and what it printed."""

    def called(*words):
        folder, output = tmp_path_factory.mktemp("compared"), io.StringIO()
        shutil.copytree(once, folder / "outputs")
        line = ("study=small", "resamples=100", "campaign=none", *words)
        with contextlib.chdir(folder), contextlib.redirect_stdout(output):
            assert run_command(compare, line, "compare") == 0
        study = folder / "outputs" / "small"
        return study / "verdict", tree(study), output.getvalue()

    return called


@pytest.fixture(scope="module")
def full(compare_once, without_charts):
    """The folder of a comparison with every reason, and the tree it wrote; nobody changes it."""
    with without_charts():
        return compare_once("explain=full", "workers=2")[:2]


@pytest.fixture(scope="module")
def fast(compare_once):
    """The same of the quick way, and what it printed."""
    return compare_once("explain=fast", "explain.top_drivers=1")


def test_every_group_has_its_contribution(full):
    _, found = full
    groups = {group["name"]: group for group in found["explanations"]["groups"]}
    assert groups.keys() == GROUPS
    losses = [group["ablation"]["auc_loss"]["value"] for group in found["explanations"]["groups"]]
    assert losses == sorted(losses, reverse=True)
    # What the sweep tells is not worked out again, and is the same number.
    (effect,) = [one for one in found["main_effects"] if one["factor"] == "features.product"]
    (level,) = effect["levels"]
    swept = groups["product"]["ablation"]
    assert swept == {
        "auc_loss": level["difference"],
        "source": "sweep",
        "n_pairs": level["n_pairs"],
    }
    assert {groups[name]["ablation"]["source"] for name in GROUPS - {"product"}} == {"refit"}


def contributions(study):
    return {group["name"]: group["ablation"] for group in tree(study)["explanations"]["groups"]}


# The two ways to leave a group out come to the same folds where the sweep is one pair of runs.
def test_a_refit_is_the_run_that_the_sweep_would_have_done(full, here, retain, retain_compare):
    retain("-m", "study.name=one", *SIZE, "features.site=true,false")
    retain_compare("study=one", "explain=fast", "resamples=100")
    one, small = Path("outputs/one"), full[0].parent
    assert tree(one)["winner"]["id"] == tree(small)["winner"]["id"]
    by_sweep, by_refit = (contributions(study)["site"] for study in (one, small))
    assert (by_sweep["source"], by_refit["source"]) == ("sweep", "refit")
    assert by_sweep["auc_loss"] == pytest.approx(by_refit["auc_loss"], abs=1e-9)


def test_every_feature_stands_in_the_tree_once(full):
    _, found = full
    features = found["explanations"]["features"]
    names = [one["name"] for one in features]
    assert len(names) == len(set(names)) == 22
    strengths = [one["mean_abs_shap"]["value"] for one in features if one["mean_abs_shap"]]
    assert strengths == sorted(strengths, reverse=True)
    for one in features:
        assert one["in_model"] == (one["mean_abs_shap"] is not None)
        assert {one["label"][language] for language in ("en", "ru")} != {one["name"]}
    dependent = [one["name"] for one in features if one["dependence"]]
    assert dependent == [one["name"] for one in features if one["mean_abs_shap"]][:6]
    # A group moves a score at most as far as its features do together, one by one.
    for group in found["explanations"]["groups"]:
        own = [one["mean_abs_shap"]["value"] for one in features if one["group"] == group["name"]]
        assert max(own) / 10 < group["mean_abs_shap"]["value"] <= sum(own) + 1e-12
    weak = [one["name"] for one in features if one["is_weak"]]
    assert weak == [
        one["name"] for one in features if one["mean_abs_shap"]["value"] < strengths[0] / 10
    ]
    trust = found["explanations"]["drivers"]
    assert trust["max_probability_gap"] < 1e-9
    assert trust["n_customers"] == found["n_scored"]["out_of_fold"]


def test_drivers_are_told_of_every_customer_in_numbers_and_words(full):
    verdict, found = full
    drivers = pd.read_csv(verdict / "drivers.csv", dtype={"customer_id": str})
    customers = pd.read_csv(verdict / "customers.csv", dtype={"customer_id": str})
    assert set(drivers["customer_id"]) == set(customers["customer_id"])
    assert drivers.groupby("customer_id").size().max() == 3
    assert list(drivers)[:4] == ["customer_id", "rank", "feature", "value"]
    example = found["explanations"]["examples"][0]
    first = drivers[drivers["customer_id"] == example["customer_id"]]
    outside = customers[customers["origin"] == "out_of_fold"]
    assert example["customer_id"] in set(outside["customer_id"])
    result = [driver["log_odds"] for driver in example["drivers"]]
    assert first["log_odds"].tolist() == pytest.approx(result)
    higher = drivers["log_odds"] > 0
    assert (drivers["text_en"].str.contains("higher risk") == higher).all()
    assert (drivers["text_ru"].str.contains("риска выше") == higher).all()


# Who has no page but a spreadsheet reads the same numbers.
def test_features_and_groups_are_tables_too(full):
    verdict, found = full
    features, groups = (pd.read_csv(verdict / f"{name}.csv") for name in ("features", "groups"))
    assert features["name"].tolist() == [one["name"] for one in found["explanations"]["features"]]
    result = [
        one["mean_abs_shap"] and one["mean_abs_shap"]["low"]
        for one in found["explanations"]["features"]
    ]
    assert features["mean_abs_shap_low"].dropna().tolist() == [
        one for one in result if one is not None
    ]
    assert groups["auc_loss"].is_monotonic_decreasing
    assert set(groups["source"]) == {"sweep", "refit"}


def test_phrases_are_as_many_as_asked_for(fast):
    drivers = pd.read_csv(fast[0] / "drivers.csv")
    assert (drivers["rank"] == 1).all()


def test_the_quick_way_says_what_it_left_out(fast):
    _, found, output = fast
    groups = {group["name"]: group for group in found["explanations"]["groups"]}
    assert groups["product"]["ablation"]["source"] == "sweep"
    assert "explain=full" in groups["site"]["reason"]
    assert found["explanations"]["drivers"]["rank_correlation"] is None
    assert "ROC-AUC lost without a feature group" in output
    assert "explain=full" in " ".join(output.split())


def test_without_reasons_nothing_of_an_older_comparison_is_left(
    fast, here, retain_compare, with_charts
):
    shutil.copytree(fast[0].parent, "outputs/small")
    verdict = Path("outputs/small/verdict")
    assert (verdict / "drivers.csv").exists()
    assert (verdict / "fishbone.svg").exists()
    code, output = retain_compare("study=small", "resamples=100", "explain=none")
    assert code == 0, output
    assert tree(verdict.parent)["explanations"] is None
    left = {path.name for path in verdict.iterdir()}
    assert not left & {"drivers.csv", "features.csv", "groups.csv", "fishbone.svg", "fishbone.png"}


# A model that takes too long is said to be so, and the rest is told all the same.
def test_what_cannot_be_explained_in_time_is_said_with_what_is_missing(
    swept, retain_compare, with_charts
):
    words = (
        "study=knn",
        "explain=full",
        "explain.max_seconds=0.001",
        "explain.background_size=200",
    )
    code, output = retain_compare(*words, *LIGHT)
    assert code == 0, output
    found = tree(swept / "knn")["explanations"]
    assert found["drivers"] is None
    assert found["reason"].startswith("no exact explainer is known, and sampled SHAP values of")
    for message in ("KNeighborsClassifier", "drivers.csv", "explain.max_seconds="):
        assert message in found["reason"]
        assert message in " ".join(output.split())
    assert not (swept / "knn" / "verdict" / "drivers.csv").exists()
    assert all(group["ablation"] for group in found["groups"])
    assert all(one["phik"] is not None for one in found["features"])
    assert (swept / "knn" / "verdict" / "fishbone.svg").exists()


# The sealed customers are explained last, by another model: they may be the ones to take too long.
def test_sealed_customers_that_cannot_be_explained_are_said_too():
    reason, executor = NotApplicable("SHAP values would take 9 s"), SimpleNamespace()
    executor.submit = lambda *_, **__: SimpleNamespace(result=lambda: "explained")
    winner = SimpleNamespace(split=SimpleNamespace(n_folds=2, n_repeats=1))
    config = SimpleNamespace(explain=SimpleNamespace(cv_repeats=1))
    asking = ExplanationJobs(executor, config, winner, SimpleNamespace())
    assert asking._missing_reason(reason).startswith(
        "SHAP values would take 9 s. Drivers are missing"
    )
    assert asking._missing_reason(None) is None


def test_a_process_that_dies_looking_for_reasons_says_how_to_go_without():
    def died():
        raise RetainError("the process that looks for reasons died: SIGKILL.")

    executor = SimpleNamespace(submit=lambda *_, **__: SimpleNamespace(result=died))
    winner = SimpleNamespace(split=SimpleNamespace(n_folds=2, n_repeats=1))
    config = SimpleNamespace(explain=SimpleNamespace(cv_repeats=1))
    asking = ExplanationJobs(executor, config, winner, SimpleNamespace())
    with pytest.raises(RetainError, match=r"died: SIGKILL\. To have the verdict .*: explain=none"):
        asking.collect((), None, None)


def test_a_sampled_explanation_says_that_it_is_one(swept, retain_compare):
    retain_compare("study=knn", "explain=fast", "explain.background_size=2", "resamples=100")
    trust = tree(swept / "knn")["explanations"]["drivers"]
    assert trust["explainer"] == "sampled"
    assert trust["background_size"] == 2
    assert trust["standard_error"] > 0


def test_a_group_that_the_winner_does_not_see_is_told_as_such(swept, retain, retain_compare):
    retain("study.name=less", *SIZE, "features.site=false")
    retain_compare("study=less", "explain=full", *LIGHT)
    found = tree(swept / "less")["explanations"]
    (site,) = [group for group in found["groups"] if group["name"] == "site"]
    assert site["in_model"] is False
    assert site["reason"] == "the winner does not see it"
    unseen = [one for one in found["features"] if one["group"] == "site"]
    assert unseen
    assert not any(one["in_model"] or one["mean_abs_shap"] for one in unseen)
    assert all(one["phik"] is not None for one in unseen)


def test_the_same_comparison_by_other_workers_tells_the_same(full, swept, retain_compare):
    code, output = retain_compare("study=small", "resamples=100", "explain=full", "workers=1")
    assert code == 0, output
    assert tree(swept / "small")["explanations"] == full[1]["explanations"]
    drivers = swept / "small" / "verdict" / "drivers.csv"
    assert drivers.read_bytes() == (full[0] / "drivers.csv").read_bytes()


def test_customers_that_are_not_at_hand_cost_the_reasons_alone(swept, retain_compare):
    words = ("study=small", "explain=full", "resamples=100", "sealed_test=closed")
    code, output = retain_compare(*words)
    assert code == 0, output
    found = tree(swept / "small")
    assert found["explanations"] is None
    assert found["curves"] is not None
    assert not (swept / "small" / "verdict" / "drivers.csv").exists()


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("explain=ful", "explain 'ful' is not one of fast, full, none. Did you mean 'full'?"),
        ("explain.max_second=3", "second"),
        ("explain.background_size=1", "explain.background_size"),
        ("workers=-1", "workers"),
        (
            "explain=none +explain.top_drivers=2",
            "explain.top_drivers is set, but nothing is explained",
        ),
    ],
)
def test_a_wrong_word_is_refused(swept, retain_compare, word, message):
    code, output = retain_compare("study=small", *word.split(" "))
    assert code == 2
    assert message in output
    assert "Traceback" not in output
