"""The leak battery as a whole: its answers, what a run is refused for, and the real files."""

import pytest

from retain.customers.checks.checks import (
    CHECK_NAMES,
    CHECKS,
    DataCheck,
    Folding,
    audit,
    raise_severe,
)
from retain.customers.checks.duplicates import add_duplicates, group_duplicates
from retain.customers.contract.reader import read
from retain.errors import RetainError

SHUFFLED, UNSHUFFLED = Folding(is_shuffled=True), Folding(is_shuffled=False)
DUPLICATES = DataCheck("duplicate_customers", "failed", "4 pairs agree", is_severe=True)
ORDER = DataCheck("order_predicts_target", "failed", "the file is sorted", is_severe=True)
CONSTANT = DataCheck("constant_features", "failed", "1 of 8 features has a single value")


def test_every_check_answers_under_the_name_of_its_function(shop):
    assert tuple(check.code for check in audit(shop(), SHUFFLED)) == CHECK_NAMES
    assert len(CHECKS) == len(set(CHECK_NAMES)) == 7


def test_copies_that_were_looked_for_before_are_answered_alike(shop):
    customers, copies = group_duplicates(shop(), "group")
    assert audit(customers, Folding(is_shuffled=True, duplicates=copies)) == audit(
        customers, SHUFFLED
    )


def test_severe_failures_are_refused_together_with_what_to_type():
    with pytest.raises(RetainError, match="the audit found errors in these data") as refused:
        raise_severe([DUPLICATES, CONSTANT, ORDER], ["single_feature_auc"])
    assert str(refused.value) == (
        "the audit found errors in these data:\n"
        "  duplicate_customers: 4 pairs agree\n"
        "  order_predicts_target: the file is sorted\n"
        "Correct them, or use the data as they are: "
        "audit.allow=[single_feature_auc,duplicate_customers,order_predicts_target]"
    )


def test_what_is_allowed_or_not_severe_is_let_through():
    raise_severe([DUPLICATES, CONSTANT], ["duplicate_customers"])


def test_allowing_an_unknown_check_is_refused_with_the_nearest_name():
    with pytest.raises(
        RetainError,
        match=r"check 'duplicate_customer' is not one of .* Did you mean 'duplicate_customers'\?",
    ):
        raise_severe([], ["duplicate_customer"])


def test_the_audit_of_the_real_files_says_what_is_known_of_them(one_click_dir, one_click_contract):
    store = read(dir=str(one_click_dir), **one_click_contract)
    result = {check.code: check for check in audit(add_duplicates(store), SHUFFLED)}
    assert {code: check.outcome for code, check in result.items()} == {
        "id_predicts_target": "mitigated",
        "order_predicts_target": "mitigated",
        "duplicate_customers": "mitigated",
        "single_feature_auc": "passed",
        "target_or_profit_among_features": "passed",
        "constant_features": "passed",
        "label_against_revenue": "failed",
    }
    assert "AUC 0.98 (lower ids decline more)" in result["id_predicts_target"].sentence
    assert "1.00, 0.72, 0.19, 0.00, 0.00" in result["order_predicts_target"].sentence
    assert "21 pairs" in result["duplicate_customers"].sentence
    assert "for 21% of" in result["label_against_revenue"].sentence
    assert "30% of the others" in result["label_against_revenue"].sentence


def test_the_real_files_are_refused_when_folds_are_not_shuffled(one_click_dir, one_click_contract):
    store = add_duplicates(read(dir=str(one_click_dir), **one_click_contract))
    with pytest.raises(RetainError, match=r"audit\.allow=\[order_predicts_target\]$"):
        raise_severe(audit(store, UNSHUFFLED), [])
    raise_severe(audit(store, SHUFFLED), [])
