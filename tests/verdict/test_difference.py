import pandas as pd
import pytest

from retain.errors import RetainError
from retain.learning.scores import COLUMNS, Scores
from retain.record.comparison_document import KeyChange, ScoreChange
from retain.verdict.difference import compare_pair
from retain.verdict.paired import corrected_resampled_t


def scored(*probabilities):
    rows = [(id_, 0, 0, 1, p) for id_, p in enumerate(probabilities)]
    return Scores(pd.DataFrame(rows, columns=list(COLUMNS)), "out_of_fold")


@pytest.fixture
def two(make_record):
    one = make_record(id="1", auc=(0.90, 0.92, 0.91, 0.90, 0.93, 0.92))
    other = make_record(
        id="2", auc=(0.91, 0.92, 0.93, 0.92, 0.93, 0.90), model={"name": "logreg", "C": 2.0}
    )
    return one, other


def test_what_differs_and_what_it_changed_is_told(two):
    found = compare_pair(*two)
    assert KeyChange(key="model.C", a=1.0, b=2.0) in found.config
    auc = next(metric for metric in found.metrics if metric.name == "roc_auc")
    gaps = [b - a for a, b in zip(*(r.metrics["roc_auc"].fold_values for r in two), strict=True)]
    assert auc.difference.value == pytest.approx(sum(gaps) / 6)
    assert auc.difference.low < auc.difference.value < auc.difference.high
    assert auc.p == pytest.approx(corrected_resampled_t(gaps, 0.5)[1])
    assert found.largest_changes is None


# The other way round is the same, but for the sign.
def test_the_difference_has_a_direction(two):
    there, back = compare_pair(*two), compare_pair(*reversed(two))
    for one, other in zip(there.metrics, back.metrics, strict=True):
        assert one.difference.value == -other.difference.value
        assert one.difference.low == pytest.approx(-other.difference.high)


def test_the_customers_whose_score_moved_most_stand_first(two):
    found = compare_pair(*two, (scored(0.1, 0.5, 0.9), scored(0.2, 0.1, 0.9)))
    assert [row.customer_id for row in found.largest_changes] == ["1", "0", "2"]
    assert found.largest_changes[0] == ScoreChange(customer_id="1", a=0.5, b=0.1)


def test_a_run_that_was_stopped_is_compared_on_the_folds_it_had(two):
    one, other = two
    short = {
        n: m.model_copy(update={"fold_values": m.fold_values[:3]}) for n, m in other.metrics.items()
    }
    raced = other.model_copy(update={"metrics": short, "stopped_early": True})
    auc = compare_pair(one, raced).metrics[0]
    assert auc.a == pytest.approx(0.91)
    assert auc.b == pytest.approx(0.92)


def test_runs_on_other_customers_have_no_difference(two):
    one, other = two
    moved = other.model_copy(update={"data": other.data.model_copy(update={"n_rows": 99})})
    with pytest.raises(RetainError, match="customers: 100 rows"):
        compare_pair(one, moved)
