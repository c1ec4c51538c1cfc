"""The answer in five sentences: each true of the numbers, whatever they are."""

import pytest

from retain.report.text.answer import answer
from retain.report.text.words import words

from ..trees import reading_trees

answer = reading_trees(answer)


def sentences(tree, language="en"):
    return [words(language).plain(text) for text in answer(tree)]


def missed_gate(tree):
    tree["gate"] = {
        "passed": False,
        "metrics": [
            {
                "name": "roc_auc",
                "threshold": 0.88,
                "value": 0.9,
                "missed_by": 0.0,
                "passed": True,
                "message": "",
            },
            {
                "name": "brier",
                "threshold": 0.1,
                "value": 0.12,
                "missed_by": 0.02,
                "passed": False,
                "message": "",
            },
        ],
    }


def no_rival(tree):
    tree["leaderboard"], tree["tied"], tree["main_effects"] = (
        tree["leaderboard"][:1],
        tree["tied"][:1],
        [],
    )


def nothing_optional(tree):
    for part in ("gate", "sealed_test"):
        tree[part] = None
    tree["main_effects"] = []


@pytest.mark.parametrize("change", [lambda tree: None, missed_gate, no_rival, nothing_optional])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_there_are_always_five_sentences(tree, change, language):
    change(tree)
    assert len(sentences(tree, language)) == 5


def test_the_first_says_who_won_and_how_sure_that_is(tree):
    metric = tree["winner"]["metrics"]["roc_auc"]
    first = sentences(tree)[0]
    assert tree["winner"]["name"] in first
    assert f"{metric['value']:.3f}" in first
    assert f"(95\u00a0% CI {metric['low']:.3f}–{metric['high']:.3f})" in first


# The best of many looks better than it is, so its corrected mean stands beside the raw one.
@pytest.mark.parametrize(
    ("language", "words_there"),
    [("en", "corrected for the choice among"), ("ru", "с поправкой на выбор из")],
)
def test_the_corrected_mean_stands_beside_the_raw_one(tree, language, words_there):
    corrected = tree["selection"]["corrected"]
    mean = corrected["metrics"]["roc_auc"]
    first = sentences(tree, language)[0]
    assert words_there in first
    assert f"{mean['value']:.3f}".replace(".", ",") in first.replace(".", ",")
    corrected["method"] = "one_candidate"
    assert words_there not in sentences(tree, language)[0]


def test_it_says_which_of_the_tied_is_simplest(tree):
    assert f"the simplest of them is {tree_run(tree, 'simplest_tied')}" in plain(sentences(tree)[1])
    tree["selection"]["simplest_tied"] = tree["selection"]["best"]
    assert "the chosen one is the simplest" in sentences(tree)[1]


def tree_run(tree, which):
    run = tree["selection"][which]
    return f"{run['name']} {run['id']}"


def plain(text):
    for tag in ('<b class="name">', "</b>", "<code>", "</code>"):
        text = text.replace(tag, "")
    return text


def test_a_winner_by_the_simplest_rule_is_not_called_the_best(tree):
    tree["selection"]["rule"] = "simplest_tied"
    tree["winner"]["id"] = tree["selection"]["simplest_tied"]["id"]
    first = plain(sentences(tree)[0])
    assert first.startswith("the simplest of the runs tied for best is chosen")
    assert (
        f"the highest mean of {len(tree['leaderboard'])} runs is that of {tree_run(tree, 'best')}"
        in first
    )


def test_it_says_when_no_other_run_is_tied(tree):
    tree["tied"] = tree["tied"][:1]
    assert "all other runs score significantly lower" in sentences(tree)[1]


def test_it_says_when_the_winner_is_not_shown_to_beat_chance_and_names_the_guessing_run(tree):
    dummy = next(row for row in tree["leaderboard"] if row["model"] == "dummy")
    tree["versus_random"] |= {"status": "not_shown", "p": 0.31, "tied": [dummy["id"]]}
    third = sentences(tree)[2]
    assert "the winner is not shown to rank customers better than chance" in third
    assert dummy["id"] in third
    tree["versus_random"]["tied"] = []
    assert sentences(tree)[2].endswith("(one-sided p = 0.310, level 0.025)")
    assert "nothing" not in third


def test_it_says_when_chance_was_not_tested(tree):
    tree["versus_random"] |= {"status": "not_tested", "p": None, "level": None}
    assert "was not tested, since the sealed test was not opened" in sentences(tree)[2]


def test_it_says_how_sure_it_is_that_chance_is_beaten(tree):
    assert "better than chance (one-sided p < 0.001, level 0.025)" in sentences(tree)[2]


def test_it_names_the_test_by_which_runs_are_tied(tree):
    assert (
        "corrected for the number of runs and the choice of the best, α = 0.05"
        in sentences(tree)[1]
    )


# Largest first is how the verdict sorts axes; the largest level is what the sentence is about.
def test_what_moved_the_metric_most_is_the_largest_difference_of_all(tree):
    tree["main_effects"][1]["levels"][0]["difference"] = {
        "value": -0.09,
        "low": -0.12,
        "high": -0.06,
    }
    fourth = plain(sentences(tree)[3])
    assert "features.site=true instead of features.site=false changes it by −0.090" in fourth


def test_all_else_is_called_equal_only_where_single_runs_are_compared(tree):
    effect = next(one for one in tree["main_effects"] if one["factor"] == "features.site")
    tree["main_effects"] = [effect]
    effect["levels"][0] |= {"n_pairs": 1, "n_runs": 1, "n_reference_runs": 1}
    assert "1 pair of runs, all other settings equal" in sentences(tree)[3]
    effect["levels"][0] |= {"n_runs": 2, "n_reference_runs": 3}
    fourth = plain(sentences(tree)[3])
    assert "all other settings equal" not in fourth
    assert (
        "the mean of 2 against that of 3 runs, in 1 pair alike in all settings but those of "
        "features.site" in fourth
    )


# Of many settings one may have an interval without zero by chance.
def test_an_effect_is_significant_by_its_corrected_p(tree):
    levels = [level for effect in tree["main_effects"] for level in effect["levels"]]
    for level in levels:
        level["p"] = 0.06
    levels[0]["difference"] |= {"low": -0.05, "high": -0.01}
    assert "no setting has a significant effect" in sentences(tree)[3]
    assert "(95\u00a0% CI −0.050 to −0.010)" in sentences(tree)[3]


def test_a_significant_effect_goes_before_a_larger_one_that_is_not(tree):
    levels = [level for effect in tree["main_effects"] for level in effect["levels"]]
    for level in levels:
        level["p"] = 1.0
    smallest = min(levels, key=lambda one: abs(one["difference"]["value"]))
    smallest["p"] = 0.01
    assert f"changes it by {smallest['difference']['value']:+.3f}".replace("-", "−") in plain(
        sentences(tree)[3]
    )


# That a model is better than one score for all, or than a rule of thumb, is no finding.
@pytest.mark.parametrize("baseline", ["dummy", "recency_rule", "bg_nbd", "pareto_nbd"])
def test_a_baseline_moves_nothing(tree, baseline):
    difference = {"value": -0.4, "low": -0.5, "high": -0.3}
    level = {
        **tree["main_effects"][0]["levels"][0],
        "level": baseline,
        "difference": difference,
    }
    model = {**tree["main_effects"][0], "factor": "model", "reference": "svc", "levels": [level]}
    tree["main_effects"] = [model, *tree["main_effects"]]
    assert baseline not in sentences(tree)[3]
    model["reference"], level["level"] = baseline, "svc"
    assert baseline not in sentences(tree)[3]
    tree["main_effects"] = [model]
    assert sentences(tree)[3].startswith("apart from the baselines no setting was varied alone")


def test_the_last_says_how_often_the_sealed_test_was_opened(tree):
    assert sentences(tree)[4].endswith("the sealed test was opened 2 times")
    tree["sealed_test"]["accesses"] = tree["sealed_test"]["accesses"][:1]
    assert sentences(tree)[4].endswith("the sealed test was opened once")
    assert sentences(tree, "ru")[4].endswith("отложенная выборка использована один раз")


def test_a_missed_gate_names_the_metric_and_by_how_much(tree):
    missed_gate(tree)
    assert sentences(tree)[4] == (
        "the gate is missed: Brier score is 0.120, the threshold is 0.1, missed by 0.0200"
    )
    tree["gate"]["passed"] = True
    assert sentences(tree)[4] == "the gate is passed on every metric"
