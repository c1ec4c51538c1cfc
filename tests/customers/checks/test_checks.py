"""The checks of the audit, each in every one of its outcomes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from retain.customers.checks import univariate_auc
from retain.customers.checks.checks import audit
from retain.customers.checks.data_check import DataCheck, Folding
from retain.customers.checks.duplicates import add_duplicates
from retain.customers.customers import Column, Customers, DerivedFeature

SHUFFLED, UNSHUFFLED = Folding(is_shuffled=True), Folding(is_shuffled=False)
TREND = DerivedFeature("trend", "purchase", "slope", ("before", "last"))


def shop(n=400, seed=0, *, ids=None, target=None, **more):
    """Customers whose features, ids and order know nothing of who declined; ``more`` features."""
    random = np.random.default_rng(seed)
    index = pd.Index(random.permutation(n) if ids is None else ids, name="customer_id")
    features = pd.DataFrame(
        {
            "pages": random.normal(8, 2, n),
            "minutes": random.gamma(2, 3, n),
            "contacts": random.integers(0, 9, n).astype(float),
            "town": pd.Series(random.choice(["north", "south", "east"], n), dtype="str"),
            "before": random.normal(5000, 900, n),
            "last": random.normal(5000, 900, n),
            **more,
        }
    ).set_axis(index)
    declined = random.permutation(np.arange(n) % 5 < 2) if target is None else target
    return Customers(
        features=features,
        columns={n_: Column(n_, "site", kind_of(values)) for n_, values in features.items()},
        target=pd.Series(np.asarray(declined).astype(int), index=index, name="target"),
        profit=pd.Series(random.gamma(4, 1, n).round(2), index=index, name="profit"),
        derived_features=(TREND,),
    )


def kind_of(values):
    return "number" if pd.api.types.is_numeric_dtype(values.dtype) else "category"


def of(customers, code, folding=SHUFFLED):
    return next(check for check in audit(customers, folding) if check.code == code)


def halves(n=400):
    """Declined first, as in a file sorted by its label."""
    return (np.arange(n) < n / 2).astype(int)


def test_customers_without_a_leak_pass_every_check_of_leaks():
    outcomes = {check.code: check.outcome for check in audit(shop(), UNSHUFFLED)}
    assert outcomes.pop("label_against_revenue") == "failed"
    assert set(outcomes.values()) == {"passed"}


def test_customers_who_are_only_scored_are_checked_for_what_needs_no_target():
    outcomes = {c.code: c.outcome for c in audit(replace(shop(), target=None), SHUFFLED)}
    assert outcomes == {
        "id_predicts_target": "not_applicable",
        "order_predicts_target": "not_applicable",
        "duplicate_customers": "passed",
        "single_feature_auc": "not_applicable",
        "strong_feature": "not_applicable",
        "target_or_profit_among_features": "passed",
        "constant_features": "passed",
        "label_against_revenue": "not_applicable",
    }


@pytest.mark.parametrize(
    ("customers", "reason"),
    [
        (replace(shop(), target=None), "no target"),
        (shop(9), "9 customers are too few to tell"),
        (shop(40, target=np.zeros(40)), "all customers have the same label"),
    ],
)
def test_without_two_classes_to_compare_a_check_says_why_it_has_no_answer(customers, reason):
    check = of(customers, "single_feature_auc")
    assert check.outcome == "not_applicable"
    assert reason in check.sentence


@pytest.mark.parametrize(
    "ids",
    [range(400), [f"{n}" for n in range(400)], [f"K{n:03}" for n in range(400)]],
    ids=["numbers", "numbers as text", "text"],
)
def test_an_id_that_tells_the_target_is_handled_while_it_is_no_feature(ids):
    check = of(shop(ids=ids, target=halves()), "id_predicts_target")
    assert check == DataCheck(
        "id_predicts_target",
        "mitigated",
        "the id alone tells who declined with AUC 1.00 (lower ids decline more); "
        "the id is no feature, so no model sees it",
    )


@pytest.mark.parametrize(
    "number",
    [np.arange(400.0), -np.sqrt(np.arange(400.0)), pd.Series([f"{n}" for n in range(400)])],
    ids=["the id", "a falling function", "the id as text"],
)
def test_a_feature_that_repeats_such_an_id_is_a_severe_failure_told_once(number):
    customers = shop(ids=range(400), target=halves(), number=number)
    check = of(customers, "id_predicts_target")
    assert (check.outcome, check.is_severe) == ("failed", True)
    assert "feature 'number' repeats the id and must be left out" in check.sentence
    assert of(customers, "single_feature_auc").outcome == "passed"


def test_a_feature_that_rises_with_a_harmless_id_fails_without_severity():
    check = of(shop(ids=range(400), number=np.arange(400.0) * 7), "id_predicts_target")
    assert (check.outcome, check.is_severe) == ("failed", False)
    assert check.sentence.startswith("the id does not tell who declined (AUC 0.5")


@pytest.mark.parametrize("ids", [range(400), [f"c{n}" for n in range(400)]], ids=["whole", "text"])
def test_an_id_that_was_made_a_feature_is_severe_however_harmless(ids):
    check = of(shop(ids=ids, number=pd.Series(list(ids))), "id_predicts_target")
    assert (check.outcome, check.is_severe) == ("failed", True)


def test_a_sorted_file_is_handled_by_shuffled_folds_and_refused_without():
    customers = shop(target=halves())
    handled = of(customers, "order_predicts_target", SHUFFLED)
    failed = of(customers, "order_predicts_target", UNSHUFFLED)
    assert (handled.outcome, handled.is_severe) == ("mitigated", False)
    assert (failed.outcome, failed.is_severe) == ("failed", True)
    assert "1.00, 1.00, 0.50, 0.00, 0.00" in failed.sentence
    assert "earlier rows decline more" in failed.sentence
    assert failed.sentence.endswith("shuffle them with validation.shuffle=true")


# Declined customers in the middle of the file: the order has an AUC of .5, folds differ.
def test_blocks_of_labels_are_seen_where_the_auc_is_even():
    middle = (abs(np.arange(400) - 199.5) < 80).astype(int)
    check = of(shop(target=middle), "order_predicts_target", UNSHUFFLED)
    assert check.outcome == "failed"
    assert "AUC 0.50" in check.sentence


def with_copies():
    customers = shop()
    features = customers.features.copy()
    features.iloc[300:304] = features.iloc[:4].to_numpy()
    profit = customers.profit.copy()
    profit.iloc[300:304] = profit.iloc[:4].to_numpy()
    return replace(customers, features=features.astype(customers.features.dtypes), profit=profit)


def test_copies_fail_until_they_share_a_group():
    customers = with_copies()
    apart, grouped = (
        of(customers, "duplicate_customers"),
        of(add_duplicates(customers), "duplicate_customers"),
    )
    assert (apart.outcome, apart.is_severe) == ("failed", True)
    assert "4 pairs of customers agree in 7 of 7 columns" in apart.sentence
    assert "folds may split 4 of them: group them with audit.duplicates=group" in apart.sentence
    assert (grouped.outcome, grouped.is_severe) == ("mitigated", False)
    assert of(add_duplicates(customers, "drop"), "duplicate_customers").outcome == "passed"


def test_coarse_customers_are_not_judged_as_copies():
    customers = shop()
    coarse = replace(
        customers,
        features=customers.features[["town"]],
        columns={"town": customers.columns["town"]},
        profit=None,
    )
    check = of(coarse, "duplicate_customers")
    assert check.outcome == "not_applicable"
    assert "too few distinct values" in check.sentence


def leaks(declined):
    """Columns that give the answer away, each in its own way."""
    noise = np.random.default_rng(3).normal(size=len(declined))
    known = np.where(np.arange(len(declined)) % 3 == 0, np.nan, noise)
    texts = np.where(declined == 1, "left", "stays").astype(object)
    texts[::50] = "unknown"
    return {
        "rising": declined * 6 + noise,
        "falling": -declined * 6 + noise,
        "missing where declined": np.where(declined == 1, np.nan, noise),
        "missing elsewhere": np.where(declined == 0, np.nan, noise),
        "telling where known": known + 6 * declined,
        "category": pd.Series(texts, dtype="str"),
    }


@pytest.mark.parametrize("name", sorted(leaks(halves())))
def test_one_feature_that_gives_the_answer_away_is_a_severe_failure(name):
    declined = np.random.default_rng(5).permutation(halves())
    check = of(shop(target=declined, **{name: leaks(declined)[name]}), "single_feature_auc")
    assert (check.outcome, check.is_severe) == ("failed", True)
    assert f"{name!r} (AUC " in check.sentence
    assert "'pages'" not in check.sentence


def test_the_best_honest_feature_is_named():
    declined = np.random.default_rng(5).permutation(halves())
    noise = np.random.default_rng(6).normal(size=400)
    check = of(shop(target=declined, visits=declined + noise), "single_feature_auc")
    assert check.outcome == "passed"
    assert "the best is 'visits' with 0.7" in check.sentence


def test_with_nothing_but_repeated_ids_there_is_no_feature_to_judge():
    customers = shop(ids=range(400), number=np.arange(400.0))
    only = replace(
        customers,
        features=customers.features[["number"]],
        columns={"number": customers.columns["number"]},
    )
    assert of(only, "single_feature_auc").sentence == "every feature repeats the id or the target"


@pytest.mark.parametrize("coding", [(0.0, 1.0), (7.0, -2.0), (np.nan, 3.0), ("same", "fell")])
def test_a_recoded_target_is_a_severe_failure_told_once(coding):
    declined = np.random.default_rng(5).permutation(halves())
    values = pd.Series([coding[k] for k in declined])
    values = values.astype("str") if isinstance(coding[1], str) else values
    customers = shop(target=declined, answer=values)
    check = of(customers, "target_or_profit_among_features")
    assert check == DataCheck(
        check.code, "failed", "feature 'answer' repeats the target", is_severe=True
    )
    assert of(customers, "single_feature_auc").outcome == "passed"


@pytest.mark.parametrize(
    "money",
    [
        lambda profit: profit,
        lambda profit: -3 * profit + 1,
        np.sqrt,
        lambda profit: (profit / 7).round(3),
        lambda profit: profit.where(profit > 2),
    ],
    ids=["equal", "linear", "monotone", "rounded", "partly missing"],
)
def test_profit_in_other_units_is_a_severe_failure(money):
    values = money(shop().profit).to_numpy()
    check = of(shop(money=values, cost=values), "target_or_profit_among_features")
    assert (check.outcome, check.is_severe) == ("failed", True)
    assert check.sentence == "features 'money', 'cost' repeat the profit"


def test_a_figure_near_profit_is_no_repetition():
    near = shop().profit.to_numpy() + np.random.default_rng(0).normal(0, 0.3, 400)
    flat = np.full(400, 3.0)
    assert univariate_auc.find_profit_copies(shop(near=near, flat=flat)) == ()


def test_without_target_and_profit_nothing_can_be_repeated():
    customers = replace(shop(), target=None, profit=None)
    check = of(customers, "target_or_profit_among_features")
    assert check.outcome == "not_applicable"
    assert of(replace(shop(), profit=None), check.code).sentence == "no feature repeats the target"


def test_constant_features_fail_without_severity():
    customers = shop(flat=np.ones(400), empty=np.full(400, np.nan))
    check = of(customers, "constant_features")
    assert check == DataCheck(
        "constant_features",
        "failed",
        "2 of 8 features have a single value: 'flat', 'empty'; they carry nothing",
    )


def test_a_label_that_agrees_with_the_money_passes():
    declined = np.random.default_rng(5).permutation(halves())
    last = np.where(declined == 1, 4000.0, 6000.0)
    customers = shop(target=declined, before=np.full(400, 5000.0), last=last)
    check = of(customers, "label_against_revenue")
    assert check.outcome == "passed"
    assert "'last' is below 'before' for 100% of the customers labelled as declined" in (
        check.sentence
    )
    assert check.sentence.endswith("the given label agrees with the money")


@pytest.mark.parametrize("last", [5000.0, 4000.0], ids=["nobody fell", "everybody fell"])
def test_a_label_the_money_does_not_bear_out_fails_without_severity(last):
    customers = shop(before=np.full(400, 5000.0), last=np.full(400, last))
    check = of(customers, "label_against_revenue")
    assert (check.outcome, check.is_severe) == ("failed", False)
    assert check.sentence.endswith("the given label is not what the money says")


def test_the_label_is_not_judged_without_periods_or_figures():
    customers = shop()
    without = replace(customers, derived_features=(replace(TREND, operation="mean"),))
    assert of(without, "label_against_revenue").outcome == "not_applicable"
    unknown = shop(last=np.where(customers.target == 1, np.nan, 1.0))
    assert "not known for both classes" in of(unknown, "label_against_revenue").sentence


def test_rows_of_customers_at_snapshots_have_no_order_of_a_file(dated_shop):
    outcomes = {check.code: check for check in audit(dated_shop(), SHUFFLED)}
    assert outcomes["order_predicts_target"].outcome == "not_applicable"
    assert "order of ids and days" in outcomes["order_predicts_target"].sentence
    assert outcomes["duplicate_customers"].outcome == "not_applicable"


# What was bought before a snapshot is known at it: that a feature says so too leaks nothing.
def test_the_money_of_a_dated_source_may_be_a_feature(dated_shop):
    customers = dated_shop()
    known = customers.features.assign(orders=customers.profit)
    found = of(replace(customers, features=known), "target_or_profit_among_features")
    assert found.outcome == "passed"
    answer = customers.features.assign(orders=customers.target.astype(float))
    found = of(replace(customers, features=answer), "target_or_profit_among_features")
    assert found.outcome == "failed"
    assert of(customers, "duplicate_customers").outcome == "not_applicable"


# --- features that are suspiciously strong -------------------------------------------------------


def score_with_auc(target, distance, seed=0):
    """A feature whose ROC-AUC grows with the distance of the classes."""
    return np.random.default_rng(seed).normal(0, 1, len(target)) + distance * target


def test_a_feature_as_good_as_a_model_is_a_caution():
    target = np.random.default_rng(1).permutation(np.arange(800) % 5 < 2).astype(int)
    customers = shop(800, target=target, churn_score=score_with_auc(target, 2.1))
    check = of(customers, "strong_feature")
    assert check.outcome == "caution"
    assert "feature 'churn_score' (AUC 0.9" in check.sentence
    assert not check.is_severe
    assert of(customers, "single_feature_auc").outcome == "passed"


def test_a_feature_far_above_all_others_together_is_a_caution():
    target = np.random.default_rng(1).permutation(np.arange(800) % 5 < 2).astype(int)
    alone = shop(800, target=target, score=score_with_auc(target, 1.5))
    check = of(alone, "strong_feature")
    assert check.outcome == "caution"
    assert "far better than a model of all other features" in check.sentence
    honest = {f"sign_{n}": score_with_auc(target, 1.3, seed=n) for n in range(1, 4)}
    among = shop(800, target=target, score=score_with_auc(target, 1.5), **honest)
    assert of(among, "strong_feature").outcome == "passed"
