import warnings
from itertools import combinations

import numpy as np
import pandas as pd
import phik
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phik.phik import phik_from_hist2d

from retain.customers.contract.reader import read
from retain.explanations.associations import (
    Associations,
    associations,
    bin_values,
    bins_for,
    count_bins,
    measure_association,
)
from retain.learning.features import feature_matrix
from retain.record.explanations_document import RedundantFeatures
from retain.schema.run import Features


def correlated(rho, n=20_000, seed=0):
    """Two normal variables of this correlation."""
    random = np.random.default_rng(seed)
    one, noise = random.normal(size=(2, n))
    return one, rho * one + np.sqrt(1 - rho**2) * noise


def cut(values, bins):
    return np.searchsorted(np.quantile(values, np.arange(1, bins) / bins), values)


def table_of(one, other):
    return pd.crosstab(one, other).to_numpy()


def by_phik(table, target):
    """phik's own matrices on the same bins, everything a category."""
    bins = bins_for(len(table))
    codes = {name: bin_values(values, bins) for name, values in table.items()}
    cells = {
        name: pd.Series(one.codes).where(one.codes < one.count).astype("string").astype(object)
        for name, one in codes.items()
    }
    frame = pd.DataFrame({**cells, "target": [str(value) for value in target]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (
            phik.phik_matrix(frame, interval_cols=[], verbose=False, njobs=1),
            phik.significance_matrix(
                frame, interval_cols=[], significance_method="asymptotic", verbose=False
            ),
        )


# --- against phik and against what φk is meant to be ---------------------------------------------


def test_values_are_those_of_phik_on_the_same_bins(shop):
    customers = shop(600, noise=0.5)
    table = feature_matrix(customers, Features(derived=True, max_categories=30)).drop(
        columns="contacts"
    )
    table["pair"] = pd.Series(np.where(table["pages"] > 8, "a", "b"), table.index, dtype="str")
    table = table.drop(columns="category")  # three levels: phik underrates them, see below
    found = associations(table, customers.y.to_numpy())
    values, deviations = by_phik(table, customers.y)
    for name, row in found.target.iterrows():
        assert row["phik"] == pytest.approx(values.loc[name, "target"], abs=2e-5)
        assert row["significance"] == pytest.approx(max(deviations.loc[name, "target"], 0))
    assert len(found.pairs) == 10
    for row in found.pairs.itertuples():
        assert row.phik == pytest.approx(values.loc[row.a, row.b], abs=2e-5)
        assert row.significance == pytest.approx(max(deviations.loc[row.a, row.b], 0))


# phik's matrix gives the same dependence .28 in 2 × 3 bins, .39 in 2 × 5 and .62 in 2 × 10: its
# values may be compared only where the bins of one side fall together with those of the other.
@pytest.mark.parametrize("rho", [0.3, 0.6, 0.9])
def test_normal_variables_have_their_correlation_whatever_the_number_of_bins(rho):
    one, other = correlated(rho)
    answer = cut(other, 2)
    for bins in range(2, 13):
        phik_value, _ = measure_association(table_of(cut(one, bins), answer))
        assert phik_value == pytest.approx(rho, abs=0.07)
    assert phik_from_hist2d(table_of(cut(one, 3), answer)) < 0.6 * rho
    for bins in (4, 5, 6, 7, 9, 10):
        assert measure_association(table_of(cut(one, bins), cut(other, 10)))[0] == pytest.approx(
            rho, abs=0.07
        )


# A test that cries wolf is no test: one in twenty lies above 1.645 by chance.
@pytest.mark.slow
def test_what_is_independent_is_seldom_significant():
    found = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        table = pd.DataFrame(random.normal(size=(400, 4)), columns=list("abcd"))
        table["level"] = pd.Series(random.choice(list("xyzw"), 400), dtype="str")
        found.append(associations(table, random.integers(0, 2, 400)))
    pairs = np.concatenate([one.pairs["significance"] for one in found])
    alone = np.concatenate([one.target["significance"] for one in found])
    assert np.mean(pairs > 1.645) < 0.10
    assert np.mean(alone > 1.645) < 0.10


def test_a_dependence_without_direction_is_found():
    values = np.random.default_rng(0).normal(size=1000)
    table = pd.DataFrame({"u_shaped": values, "copy": -values})
    found = associations(table, (np.abs(values) > 0.7).astype(int))
    assert found.target["phik"].min() > 0.9
    assert found.pairs["phik"].tolist() == [1.0]


# --- what tables hold ----------------------------------------------------------------------------


def test_columns_that_tell_nothing_have_no_association():
    pages = np.arange(100.0)
    table = pd.DataFrame({"pages": pages, "flat": 1.0, "empty": np.nan})
    table["void"] = pd.Series([None] * 100, dtype="str")
    found = associations(table, (pages > 40).astype(int))
    assert found.target["phik"].isna().tolist() == [False, True, True, True]
    assert found.target["significance"].isna().tolist() == [False, True, True, True]
    assert found.pairs.empty
    assert list(found.pairs) == ["a", "b", "phik", "significance"]
    assert associations(table, np.zeros(100)).target["phik"].isna().all()


def test_customers_not_known_are_left_out_of_their_pairs_alone():
    one, other = correlated(0.8, 1000)
    table = pd.DataFrame({"one": one, "other": other, "third": one})
    table.loc[::2, "one"] = np.nan
    found = associations(table, (other > 0).astype(int))
    assert found.target.loc["one", "significance"] < found.target.loc["third", "significance"]
    expected = measure_association(
        count_bins(*(bin_values(table[name], 10) for name in ("one", "other")))
    )
    row = found.pairs[(found.pairs["a"] == "one") & (found.pairs["b"] == "other")]
    assert (row["phik"].item(), row["significance"].item()) == expected


def test_ten_thousand_levels_are_quick_and_say_little():
    random = np.random.default_rng(0)
    table = pd.DataFrame({"pages": random.normal(size=10_000)})
    table["page"] = pd.Series(random.integers(0, 10_000, 10_000).astype(str), dtype="str")
    found = associations(table, random.integers(0, 2, 10_000))
    assert np.isnan(found.target.loc["page", "phik"])


NUMBERS = st.one_of(st.floats(allow_infinity=False), st.integers(0, 2).map(float), st.just(1.0))
LEVELS = st.one_of(st.none(), st.sampled_from(["<b>", "=cmd()", "\n", "العربية", "a" * 300]))


@st.composite
def tables(draw):
    rows = draw(st.integers(2, 60))
    columns = {}
    for name in draw(st.lists(st.sampled_from(["<script>", "é\n", "c", "d"]), unique=True)):
        cells, dtype = draw(st.sampled_from([(NUMBERS, float), (LEVELS, "str")]))
        values = draw(st.lists(cells, min_size=rows, max_size=rows))
        columns[name] = pd.Series(values, dtype=dtype)
    if len(columns) > 1 and draw(st.booleans()):
        columns["copy"] = next(iter(columns.values()))
    target = draw(st.lists(st.integers(0, 1), min_size=rows, max_size=rows))
    return pd.DataFrame(columns, index=range(rows)), np.array(target)


# Every φk is a number between 0 and 1 or absent, whatever the cells; and asking for strong pairs
# leaves out the weak ones, nothing else.
@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from([0.2, 0.5, 0.9]))
def test_any_table_has_associations(drawn, least):
    table, target = drawn
    found = associations(table, target)
    assert list(found.target.index) == list(table)
    assert found.pairs["phik"].between(0, 1).all()
    assert found.target["phik"].dropna().between(0, 1).all()
    for deviations in (found.pairs["significance"], found.target["significance"].dropna()):
        assert (np.isfinite(deviations) & (deviations >= 0)).all()
    assert not (found.pairs["phik"].diff() > 0).any()
    strong = found.pairs[found.pairs["phik"] >= least].reset_index(drop=True)
    pd.testing.assert_frame_equal(associations(table, target, least=least).pairs, strong)


# --- groups of features that say the same --------------------------------------------------------


def linked(**values):
    """Associations of single-letter features; ``ab=.95`` is the φk of a and b."""
    names = sorted({letter for pair in values for letter in pair})
    rows = [(*pair, value, 5.0) for pair, value in values.items()]
    pairs = pd.DataFrame(rows, columns=["a", "b", "phik", "significance"])
    target = pd.DataFrame({"phik": 0.5, "significance": 3.0}, index=names)
    return Associations(target, pairs.sort_values("phik", ascending=False))


def group(features, phik):
    return RedundantFeatures(features=features, phik=phik)


def test_a_chain_of_like_features_is_one_group_with_its_weakest_link():
    found = linked(ab=0.95, bc=0.92, ac=0.1, de=0.99, cd=0.5)
    assert found.redundant() == [group(("d", "e"), 0.99), group(("a", "b", "c"), 0.92)]


# The link that closes a ring is weaker than all others of it, and could be missing.
def test_a_link_within_a_group_does_not_weaken_it():
    assert linked(ab=0.97, bc=0.96, ac=0.91).redundant() == [group(("a", "b", "c"), 0.96)]


def test_a_group_begins_above_the_threshold():
    found = linked(ab=0.9, cd=0.7)
    assert found.redundant() == []
    assert found.redundant(0.65) == [group(("a", "b"), 0.9), group(("c", "d"), 0.7)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.91, 0.95, 0.99]), min_size=15, max_size=15))
def test_groups_are_the_connected_components(values):
    drawn = dict(zip(("".join(pair) for pair in combinations("abcdef", 2)), values, strict=True))
    found = linked(**drawn).redundant()
    home = {name: one for one in found for name in one.features}
    assert len(home) == sum(len(one.features) for one in found)
    for (a, b), value in drawn.items():
        assert value < 0.9 or home[a] is home[b]
    for one in found:  # a little above its weakest link, a group falls apart
        kept = {pair: v if v > one.phik else 0.0 for pair, v in drawn.items()}
        apart = [set(other.features) for other in linked(**kept).redundant()]
        assert not any(set(one.features) <= other for other in apart)


# --- the real store ------------------------------------------------------------------------------


def test_the_real_store_has_its_known_associations(one_click_dir, one_click_contract):
    customers = read(dir=str(one_click_dir), **one_click_contract)
    table = feature_matrix(customers, Features(derived=True, max_categories=30))
    found = associations(table, customers.y.to_numpy(), least=0.5)
    strongest = found.target["phik"].sort_values(ascending=False).round(2)
    assert strongest.head(3).to_dict() == {
        "pages_per_visit": 0.76,
        "minutes_previous": 0.69,
        "promo_share": 0.68,
    }
    assert found.target.loc[["consent", "marketing_current"], "significance"].max() < 1
    assert [group(one.features, round(one.phik, 2)) for one in found.redundant()] == [
        group(("marketing_6_months", "marketing_change"), 0.92)
    ]
