"""Drift against training customers of whom shares alone are kept."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from retain.campaign.drift import SCORE, drift, drift_warnings, psi, psi_null_quantile
from retain.campaign.reference import (
    MIN_LEVEL_CUSTOMERS,
    NumericHistogram,
    Reference,
    build_reference,
    content_hash,
    read_reference,
    write_reference,
)
from retain.errors import RetainError
from retain.learning.scores import COLUMNS, Scores
from retain.storage.writing import hash_file

HOSTILE = ["=HYPERLINK(0)", "[red]", "(missing)", "(other)", 'a,b\n"c', "", "{x}", "\u202e%s"]


def customers(n=1000, seed=0, *, shift=0.0):
    """A table of every kind of feature, and scores that go with it."""
    random = np.random.default_rng(seed)
    few = random.random(n) < 0.02
    table = pd.DataFrame(
        {
            "pages": random.normal(8 + 2 * shift, 2, n),
            "visits": random.poisson(2 + shift, n).astype(float),
            "promo": np.where(random.random(n) < 0.6, 0.0, random.random(n)),
            "constant": 3.0,
            "never": np.nan,
            "sometimes": np.where(random.random(n) < 0.1 + 0.2 * shift, np.nan, 1.5),
            "colour": random.choice(["red", "green", "blue"], n, p=[0.5, 0.3, 0.2]),
            "free_text": np.where(few, [f"name {i}" for i in range(n)], random.choice(HOSTILE, n)),
            "silent": None,
        },
        index=pd.Index(random.permutation(n) + 1, name="customer_id"),
    ).astype({"colour": "str", "free_text": "str", "silent": "str"})
    return table, random.beta(2 + shift, 3, n)


def known(table, score):
    values = (table.index, 0, 0, 0, score)
    sealed = pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))
    return build_reference(table, table.index, Scores(sealed, "sealed_test"))


@pytest.fixture(scope="module")
def trained():
    return known(*customers())


def test_the_customers_themselves_have_not_drifted(trained):
    found = drift(trained, *customers())
    assert found["psi"].abs().max() < 1e-12
    assert found["p"].min() > 0.99
    assert drift_warnings(found) == []
    assert found["name"].tolist()[0] == SCORE
    assert set(found["name"][1:]) == set(customers()[0])


# All customers of a log grow older: that would be a warning at every scoring.
def test_a_feature_that_grows_with_the_log_is_left_out(trained):
    table, score = customers(5000, seed=1)
    older = table.assign(visits=table["visits"] + 9)
    assert any("visits" in one for one in drift_warnings(drift(trained, older, score)))
    found = drift(trained, older, score, {"visits"})
    assert drift_warnings(found) == []
    assert "visits" not in set(found["name"])


def test_others_of_the_same_kind_have_not_either(trained):
    found = drift(trained, *customers(5000, seed=1))
    assert drift_warnings(found) == []
    assert (found["psi"] < 0.1).all()


# Of fifty customers every second feature has a PSI above .1, which is no drift.
@pytest.mark.slow
def test_a_handful_of_customers_does_not_cry_wolf(trained):
    large, warned = 0, 0
    for seed in range(20):
        found = drift(trained, *customers(50, seed=100 + seed))
        large += (found["psi"] >= 0.1).sum()
        warned += bool(drift_warnings(found))
    assert large > 50
    assert warned <= 3  # of 20, 5 % are to be expected at most


def test_customers_who_moved_are_warned_of(trained):
    found = drift(trained, *customers(2000, seed=1, shift=1.0)).set_index("name")
    assert found.loc["pages", "shift"] == "strong"
    assert found.loc["sometimes", "shift"] == "strong"
    assert found.loc["sometimes", "bin"] == "(missing)"
    assert found.loc["sometimes", "missing_new"] == pytest.approx(0.3, abs=0.03)
    assert found.loc[["colour", "constant", "never", "silent"], "shift"].tolist() == ["none"] * 4
    text = drift_warnings(found.reset_index())
    assert any(line.startswith("pages has shifted since training (strong, PSI") for line in text)


def test_few_customers_who_moved_far_are_warned_of_too(trained):
    found = drift(trained, *customers(50, seed=1, shift=3.0)).set_index("name")
    assert found.loc["pages", "shift"] == "strong"


# Among a million customers any difference is significant; a small one is no reason to warn.
def test_what_is_significant_but_small_is_not_warned_of():
    many = known(*customers(20_000))
    found = drift(many, *customers(20_000, seed=2, shift=0.1)).set_index("name")
    assert found.loc["pages", "p_holm"] < 1e-6
    assert found.loc["pages", "shift"] == "none"


@pytest.mark.parametrize(("value", "bin_"), [(2.0, "≤ 3"), (4.0, "> 3")])
def test_a_constant_that_became_another_is_seen_both_ways(trained, value, bin_):
    table, score = customers(500, seed=1)
    found = drift(trained, table.assign(constant=value), score).set_index("name")
    assert found.loc["constant", "shift"] == "strong"
    assert found.loc["constant", "bin"] in (bin_, "= 3")


def test_values_where_there_were_none_are_seen(trained):
    table, score = customers(500, seed=1)
    table = table.assign(never=1.0, silent="now").astype({"silent": "str"})
    found = drift(trained, table, score).set_index("name")
    assert found.loc[["never", "silent"], "shift"].tolist() == ["strong", "strong"]


def test_levels_never_met_count_as_others(trained):
    table, score = customers(500, seed=1)
    found = drift(trained, table.assign(colour="violet").astype({"colour": "str"}), score)
    row = found.set_index("name").loc["colour"]
    assert (row["shift"], row["bin"], row["share_new"]) == ("strong", "(other)", 1.0)


# A level that one customer alone has would tell of that customer, and so would a name.
def test_no_rare_level_is_kept_by_name(trained):
    kept = trained.features["free_text"].levels
    assert set(kept) == set(HOSTILE)
    assert min(kept.values()) >= MIN_LEVEL_CUSTOMERS
    assert trained.features["free_text"].n_other == 1000 - sum(kept.values())
    assert "name 1" not in trained.model_dump_json()


def test_every_training_customer_is_counted_once(trained):
    assert trained.n_training_customers == trained.n_customers == 1000
    for shares in (trained.score, *trained.features.values()):
        assert shares.customers.sum() == 1000
        assert len(shares.names) == len(shares.customers)


def test_tenths_hold_a_tenth_and_common_values_stand_alone(trained):
    pages, promo = trained.features["pages"], trained.features["promo"]
    assert pages.counts == (100,) * 10
    assert promo.names[1] == "= 0"
    assert promo.counts[0] == 0
    assert promo.counts[1] == (customers()[0]["promo"] == 0).sum()


# The score is held against the customers the model did not learn from, the features against those
# it did.
def test_features_are_of_the_training_customers_and_the_score_of_the_sealed_ones():
    table, score = customers(100)
    training, sealed = table.index[:80], table.index[80:]
    values = (sealed, 0, 0, 1, score[80:])
    kept = build_reference(
        table,
        training,
        Scores(pd.DataFrame(dict(zip(COLUMNS, values, strict=True))), "sealed_test"),
    )
    assert (kept.n_training_customers, kept.n_customers) == (80, 100)
    assert kept.score.customers.sum() == 20
    assert kept.features["pages"].customers.sum() == 80


def test_a_reference_is_read_back_as_it_was_written(trained, tmp_path):
    path = tmp_path / "reference.json"
    sha = write_reference(trained, path)
    assert read_reference(path, sha) == trained
    assert json.loads(path.read_text())["schema"] == 2


def test_a_reference_of_an_older_version_is_refused(trained, tmp_path):
    path = tmp_path / "reference.json"
    path.write_text(json.dumps({**trained.model_dump(by_alias=True), "schema": 1}))
    with pytest.raises(RetainError, match=r"has schema 1, which retain 0\.1 reads"):
        read_reference(path, hash_file(path))


def test_a_reference_that_was_touched_is_refused(trained, tmp_path):
    path = tmp_path / "reference.json"
    sha = write_reference(trained, path)
    path.write_text(path.read_text().replace("1000", "1001"))
    with pytest.raises(RetainError, match=r"is not the file verdict\.json speaks of"):
        read_reference(path, sha)


@pytest.mark.parametrize(
    ("change", "told_"),
    [
        ({"edges": [2.0, 1.0], "counts": [1, 1, 1]}, "edges in rising order"),
        ({"edges": [1.0], "counts": [1]}, "one count more than edges"),
        ({"edges": ["far"], "counts": [1, 1]}, "number"),
        ({"edges": [], "counts": [-1]}, "greater than or equal to 0"),
        ({"kind": "python"}, "kind"),
    ],
)
def test_a_reference_of_nonsense_is_refused_in_a_sentence(trained, tmp_path, change, told_):
    tree = trained.model_dump(by_alias=True)
    tree["features"]["pages"] |= change
    path = tmp_path / "reference.json"
    path.write_text(json.dumps(tree))
    with pytest.raises(RetainError, match=f"cannot be read as a reference: .*{told_}") as caught:
        read_reference(path, hash_file(path))
    assert "\n" not in str(caught.value)


def test_content_is_that_of_the_customers_in_any_order():
    table, _ = customers(50)
    assert content_hash(table) == content_hash(table.sample(frac=1, random_state=0))
    assert content_hash(table) != content_hash(table.assign(pages=table["pages"] + 1e-9))
    assert content_hash(table) != content_hash(table.set_axis(table.index[::-1]))


def test_without_drift_psi_is_what_its_distribution_says():
    random, share = np.random.default_rng(0), np.full(10, 0.1)
    found = [
        psi(random.multinomial(1000, share), random.multinomial(500, share)) for _ in range(2000)
    ]
    assert np.mean(found) == pytest.approx(9 * (1 / 1000 + 1 / 500), rel=0.05)
    assert np.mean(np.array(found) > psi_null_quantile(10, 1000, 500)) == pytest.approx(
        0.05, abs=0.015
    )


def test_p_is_corrected_as_statsmodels_does(trained, statsmodels_holm):
    found = drift(trained, *customers(300, seed=5, shift=0.2))
    corrected = statsmodels_holm(found["p"])
    assert found["p_holm"].tolist() == pytest.approx(corrected.tolist())


NUMBERS = st.lists(
    st.one_of(
        st.none(), st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([0.0, 1.0])
    ),
    min_size=1,
    max_size=60,
)
TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=8), st.sampled_from(HOSTILE)), min_size=1)


@settings(max_examples=25, deadline=None)
@example(then=[-sys.float_info.max], now=[None])
@given(then=NUMBERS, now=NUMBERS)
def test_any_numbers_have_a_finite_drift(then, now):
    check(pd.Series(then, dtype=float), pd.Series(now, dtype=float))


@settings(max_examples=25, deadline=None)
@given(then=TEXTS, now=TEXTS)
def test_any_levels_have_a_finite_drift(then, now):
    check(pd.Series(then, dtype="str"), pd.Series(now, dtype="str"))


def check(then, now):
    """Drift of one feature from ``then`` to ``now``, and of it to itself."""
    kept = known(then.to_frame("x"), np.full(len(then), 0.5))
    assert Reference.model_validate_json(kept.model_dump_json(by_alias=True)) == kept
    itself = drift(kept, then.to_frame("x"), np.full(len(then), 0.5))
    assert itself["psi"].abs().max() < 1e-12
    assert not drift_warnings(itself)
    found = drift(kept, now.to_frame("x"), np.full(len(now), 0.5)).drop(columns=["kind", "name"])
    numbers = found.select_dtypes("number").to_numpy()
    assert np.isfinite(numbers).all()
    assert (numbers >= -1e-12).all()


def test_bins_without_edges_hold_any_value():
    empty = NumericHistogram(kind="number", edges=(), counts=(0,), n_missing=5)
    assert empty.names == ("any", "(missing)")
    assert empty.count(pd.Series([1.0, np.nan])).tolist() == [1, 1]
