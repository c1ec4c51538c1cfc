"""Copied customers: found where chance cannot explain them, and nowhere else."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retain.customers.checks import duplicates
from retain.customers.checks.duplicates import add_duplicates, find_duplicates
from retain.customers.checks.match_model import (
    WINDOW_ROWS,
    encode,
    find_candidates,
    fit_match_model,
    hash_rows,
    significant_pairs,
)
from retain.customers.contract.reader import read
from retain.customers.customers import Column, Customers

SEEDS = st.integers(0, 10_000)


def customers_of(rows, *, ids=None, profit=None, target=None):
    """Customers with the given rows as features, numbered from 1."""
    frame = pd.DataFrame(rows)
    frame.columns = [f"c{name}" for name in frame.columns]
    index = pd.Index(range(1, len(frame) + 1) if ids is None else ids, name="customer_id")
    frame = frame.set_axis(index)
    kinds = {n: "number" if frame[n].dtype.kind == "f" else "category" for n in frame}
    return Customers(
        features=frame,
        columns={name: Column(name, "site", kind) for name, kind in kinds.items()},
        profit=None if profit is None else pd.Series(profit, index=index, name="profit"),
        target=None if target is None else pd.Series(target, index=index, name="target"),
    )


def continuous(rows, columns, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns))


def pairs_of(customers):
    pairs = find_duplicates(customers).pairs
    return {frozenset(pair) for pair in zip(pairs["first"], pairs["second"], strict=True)}


def together(labels, *ids):
    return len(set(labels.loc[list(ids)])) == 1


@pytest.fixture(scope="module")
def store(one_click_dir, one_click_contract):
    return read(dir=str(one_click_dir), **one_click_contract)


def test_the_copied_block_of_the_real_files_is_found_and_nothing_else(store):
    found = find_duplicates(store)
    assert found.pairs["first"].tolist() == list(range(215675, 215696))
    assert found.pairs["second"].tolist() == list(range(215885, 215906))
    assert found.id_offset == (210, 21)
    assert found.pairs["flipped"].tolist() == [True] * 9 + [False] * 12
    assert found.n_columns == 17
    assert found.n_truncated == 0


def test_the_real_files_without_second_copies_hold_1275_customers(store):
    left = add_duplicates(store, "drop")
    assert (
        left.describe_funnel() == "1300 → 1297 (newcomers) → 1296 (outlier) → 1275 (second copies)"
    )
    assert left.funnel[-1].dropped == tuple(range(215885, 215906))
    assert find_duplicates(left).pairs.empty


# The file's order carries no information about who is a copy of whom.
@given(seed=SEEDS)
@settings(max_examples=15, deadline=None)
def test_shuffling_the_rows_changes_neither_pairs_nor_labels(seed):
    rows = np.random.default_rng(seed).integers(0, 9, size=(60, 12)).astype(float)
    rows[40:45] = rows[:5]
    rows[40:45, 2] = -1
    original = customers_of(rows)
    order = np.random.default_rng(seed + 1).permutation(60)
    shuffled = customers_of(rows[order], ids=order + 1)
    assert pairs_of(shuffled) == pairs_of(original)
    labels = find_duplicates(shuffled).labels.sort_index()
    pd.testing.assert_series_equal(labels, find_duplicates(original).labels)


def test_grouped_customers_have_one_fingerprint_whatever_the_order():
    rows = continuous(30, 8)
    rows[20] = rows[3]
    order = np.random.default_rng(1).permutation(30)
    one = add_duplicates(customers_of(rows))
    other = add_duplicates(customers_of(rows[order], ids=order + 1))
    assert one.fingerprint == other.fingerprint


# Independent continuous columns never agree, so every pair found would be an invention.
@given(seed=SEEDS, rows=st.integers(1, 80), columns=st.integers(1, 20))
@settings(max_examples=30, deadline=None)
def test_independent_continuous_columns_hold_no_twins(seed, rows, columns):
    found = find_duplicates(customers_of(continuous(rows, columns, seed)))
    assert found.pairs.empty
    assert found.labels.is_unique


# At most one table in a hundred may show a coincidence; forty coarse ones should show none.
def test_independent_coarse_columns_hold_no_twins():
    for seed in range(40):
        rows = np.random.default_rng(seed).integers(0, 5, size=(150, 14)).astype(float)
        assert pairs_of(customers_of(rows)) == set()


@given(seed=SEEDS, copies=st.integers(0, 12), columns=st.integers(7, 24))
@settings(max_examples=30, deadline=None)
def test_planted_copies_are_found_exactly(seed, copies, columns):
    random = np.random.default_rng(seed)
    allowed = min(3, int(0.15 * columns))
    rows = random.normal(size=(80, columns))
    originals = random.choice(80, copies, replace=False)
    second = rows[originals]
    for row in second:
        changed = random.choice(columns, random.integers(0, allowed + 1), replace=False)
        row[changed] += 1.5
    planted = customers_of(np.vstack([rows, second]))
    expected = {frozenset((o + 1, 81 + k)) for k, o in enumerate(originals.tolist())}
    assert pairs_of(planted) == expected


# The search looks at few pairs; it may overlook none that looking at all of them would find.
@given(seed=SEEDS, levels=st.integers(3, 40), columns=st.integers(4, 21))
@settings(max_examples=30, deadline=None)
def test_the_search_finds_what_comparing_all_rows_finds(seed, levels, columns):
    random = np.random.default_rng(seed)
    rows = random.integers(0, levels, size=(70, columns)).astype(float)
    rows[60:] = rows[:10]
    rows[np.arange(60, 70), random.integers(0, columns, 10)] = -1
    codes = encode(customers_of(rows))
    hashes = hash_rows(codes)
    chance = fit_match_model(codes, np.argsort(hashes.sum(axis=1), kind="stable"))
    if chance.max_mismatches < 0:
        return
    everyone = np.array(list(combinations(range(70), 2)))
    expected = significant_pairs(codes, everyone, chance)
    np.testing.assert_array_equal(find_candidates(codes, hashes, chance)[0], expected)


@pytest.mark.parametrize("columns", [1, 3, 6])
def test_a_few_columns_of_few_values_cannot_tell_copies_from_coincidence(columns):
    rows = np.random.default_rng(0).integers(0, 3, size=(300, columns)).astype(float)
    rows[200:] = rows[:100]
    found = find_duplicates(customers_of(rows))
    assert not found.is_applicable
    assert found.pairs.empty
    assert found.description.startswith("too few distinct values to tell copies from coincidence")


# Many copies make agreement look common, and once hid themselves.
@pytest.mark.parametrize("copies", [2, 3, 4, 6, 10])
def test_a_table_written_several_times_is_found(copies):
    random = np.random.default_rng(3)
    once = np.column_stack(
        [
            random.integers(0, 40, (150, 3)),
            random.gamma(2, 90, (150, 2)).round(),
            np.arange(150) % 4,
        ]
    ).astype(float)
    found = find_duplicates(customers_of(np.tile(once, (copies, 1))))
    assert found.is_applicable
    assert len(set(found.labels)) == 150
    assert found.labels.value_counts().tolist() == [copies] * 150


@pytest.mark.parametrize("levels", [3, 5, 8])
def test_coarse_skewed_columns_make_no_copies(levels):
    random = np.random.default_rng(4)
    rows = random.geometric(0.5, size=(1_000, 6)).clip(max=levels)
    found = find_duplicates(customers_of(rows.astype(float)))
    assert len(found.pairs) == 0


def test_customers_who_are_all_alike_are_no_copies():
    assert not find_duplicates(customers_of(np.ones((20, 9)))).is_applicable


# A missing cell says as much, or as little, as any value seen so often.
def test_missing_cells_agree_with_missing_cells():
    rows = continuous(100, 10)
    rows[5, :3] = np.nan
    rows[90] = rows[5]
    assert pairs_of(customers_of(rows)) == {frozenset((6, 91))}


def test_customers_with_hardly_any_cell_filled_are_no_copies():
    rows = continuous(200, 12)
    rows[np.random.default_rng(1).random(rows.shape) < 0.9] = np.nan
    assert pairs_of(customers_of(rows)) == set()


# Columns of one tariff agree together: taken as independent they would rule out chance.
def test_columns_that_follow_from_one_another_count_once():
    random = np.random.default_rng(0)
    tariff = random.integers(0, 30, 400)
    terms = random.normal(size=(30, 10))[tariff]
    own = random.integers(0, 20, size=(400, 2)).astype(float)
    assert pairs_of(customers_of(np.column_stack([terms, own]))) == set()


# Four in ten never came: their rows are equal without being copies.
def test_customers_who_did_nothing_are_no_copies():
    random = np.random.default_rng(0)
    rows = random.poisson(30, size=(500, 14)).astype(float)
    rows[random.random(500) < 0.4, 1:] = 0
    assert pairs_of(customers_of(rows)) == set()


def test_categories_and_profit_are_compared_and_the_target_is_not():
    rows = pd.DataFrame(continuous(60, 6)).assign(town=[f"town {n % 7}" for n in range(60)])
    rows.iloc[50] = rows.iloc[10]
    profit, target = np.arange(60.0), np.zeros(60, dtype=int)
    profit[50], target[50] = profit[10], 1
    found = find_duplicates(
        customers_of(rows.astype({"town": "str"}), profit=profit, target=target)
    )
    assert found.pairs.to_dict("records") == [
        {"first": 11, "second": 51, "agreeing": 8, "flipped": True}
    ]
    assert found.description == (
        "1 pair of customers agrees in 8 of 8 columns, beyond chance; 1 with opposite labels"
    )


# A – B and B – C are copies; A and C have drifted too far apart to be seen as such directly.
def test_copies_of_copies_share_a_label():
    rows = continuous(40, 20)
    rows[31] = rows[30]
    rows[31, :2] += 1
    rows[32] = rows[31]
    rows[32, 2:5] += 1
    found = find_duplicates(customers_of(rows))
    assert pairs_of(customers_of(rows)) == {frozenset((31, 32)), frozenset((32, 33))}
    assert together(found.labels, 31, 32, 33)
    assert found.labels.nunique() == 38


def block(altered):
    """Forty customers, of whom ten were copied 40 ids on, the last ``altered`` heavily."""
    rows = continuous(50, 16)
    rows[40:] = rows[:10]
    rows[50 - altered :, :7] += 1
    return rows


def test_heavily_altered_copies_are_found_in_the_wake_of_a_copied_block():
    found = find_duplicates(customers_of(block(altered=4)))
    assert found.id_offset == (40, 10)
    assert found.pairs["agreeing"].tolist() == [16] * 6 + [9] * 4
    assert found.description == (
        "10 pairs of customers agree in 9 to 16 of 16 columns, beyond chance; "
        "the ids of 10 lie 40 apart"
    )


@pytest.mark.parametrize(
    "ids", [[f"k{n:02}" for n in range(50)], np.random.default_rng(2).permutation(50).tolist()]
)
def test_without_a_common_offset_heavily_altered_copies_stay_undecided(ids):
    found = find_duplicates(customers_of(block(altered=4), ids=ids))
    assert found.pairs["agreeing"].tolist() == [16] * 6


def test_text_ids_have_no_offset():
    ids = [f"k{n:02}" for n in range(50)]
    assert find_duplicates(customers_of(block(altered=0), ids=ids)).id_offset is None


# One customer entered forty times is one group, though not every pair is looked at.
def test_a_customer_copied_many_times_is_one_group_and_the_shortcut_is_told():
    rows = continuous(400, 10)
    rows[:40] = rows[0]
    found = find_duplicates(customers_of(rows))
    assert together(found.labels, *range(1, 41))
    assert found.labels.nunique() == 361
    assert found.n_truncated == 40
    assert len(found.pairs) < 40 * WINDOW_ROWS
    assert "(40 customers were compared with their nearest candidates only)" in found.description


def test_grouping_keeps_every_customer_and_dropping_keeps_the_first_copy():
    rows = continuous(50, 8)
    rows[[20, 30]] = rows[7]
    customers = customers_of(rows)
    grouped, dropped = add_duplicates(customers), add_duplicates(customers, "drop")
    assert grouped.features.equals(customers.features)
    assert together(grouped.duplicate_groups, 8, 21, 31)
    assert dropped.funnel[-1].dropped == (21, 31)
    assert dropped.duplicate_groups.is_unique
    assert 8 in dropped.features.index


# The audit is given these, so that nobody searches twice.
@pytest.mark.parametrize("copies", ["group", "drop"])
def test_the_copies_told_are_those_among_the_customers_left(copies):
    rows = continuous(50, 8)
    rows[[20, 30]] = rows[7]
    left, result = duplicates.group_duplicates(customers_of(rows), copies)
    again = find_duplicates(left)
    pd.testing.assert_frame_equal(result.pairs, again.pairs)
    pd.testing.assert_series_equal(result.labels, again.labels)
    pd.testing.assert_series_equal(result.labels, left.duplicate_groups)


def test_with_no_copies_there_is_nothing_to_drop():
    customers = customers_of(continuous(20, 8))
    assert add_duplicates(customers, "drop").funnel == ()


def test_labels_given_before_are_replaced():
    customers = customers_of(continuous(20, 8))
    lumped = replace(customers, duplicate_groups=pd.Series(0, index=customers.features.index))
    assert add_duplicates(lumped).duplicate_groups.is_unique


def test_rows_of_one_customer_at_several_days_are_no_copies(dated_shop):
    customers = dated_shop()
    alike = replace(customers, features=customers.features * 0 + 1)
    assert add_duplicates(alike, "drop") is alike
    assert alike.duplicate_groups.groupby(alike.panel.customer).nunique().eq(1).all()
    assert alike.duplicate_groups.nunique() == alike.panel.customer.nunique()
