"""Copied customers: rows that agree in nearly all columns, where chance cannot explain it.

A copy in both a training fold and a test fold gives the model the answer. Copies therefore get one
group label, and folds keep a group together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from retain.customers.checks.match_model import (
    Codes,
    MatchModel,
    Pairs,
    encode,
    find_candidates,
    fit_match_model,
    hash_rows,
    significant_pairs,
)
from retain.customers.customers import Customers

MAX_CHANCE_SHARE = 0.01
"""Largest share of the equal pairs that chance may explain where there are very many of them."""
MIN_BLOCK_PAIRS = 3
"""Fewest pairs with the same id offset that count as a copied block: two may be chance."""


@dataclass(frozen=True)
class DuplicateGroups:
    """Copies among customers.

    Attributes
    ----------
    pairs
        One row per pair: ``first`` and ``second`` (customer ids, in file order), ``agreeing``
        (number of columns) and, with a target, ``flipped`` (True if the labels differ).
    labels
        Group label of each customer, shared by copies and by copies of copies.
    n_columns
        Number of compared columns: features and profit with more than one value.
    max_mismatches
        Most columns in which copies may differ, at most 3; -1 when not ``is_applicable``. Within
        a copied block of ids it is half of the columns.
    expected_matches
        Pairs of equal rows expected by chance.
    n_truncated
        Customers with so many candidates that only the nearest were compared.
    """

    pairs: pd.DataFrame
    labels: pd.Series
    n_columns: int
    max_mismatches: int
    expected_matches: float
    n_truncated: int = 0

    @property
    def is_applicable(self) -> bool:
        """True if copies can be distinguished from coincidence."""
        return self.max_mismatches >= 0

    @property
    def id_offset(self) -> tuple[int, int] | None:
        """The commonest id difference within a pair, and its number of pairs.

        None without pairs or when the ids are not whole numbers.
        """
        return _commonest_offset(pd.Index(self.pairs["first"]), pd.Index(self.pairs["second"]))

    @property
    def description(self) -> str:
        """The result as a clause, without a full stop."""
        clause = self._describe_pairs() if len(self.pairs) else self._describe_none()
        if self.n_truncated:
            few = f"{self.n_truncated:,} customers were compared with their nearest candidates only"
            return f"{clause} ({few})"
        return clause

    @property
    def values(self) -> dict[str, int]:
        """The numbers of the description."""
        if self.pairs.empty:
            return {"least": self.n_columns - self.max_mismatches, "n_columns": self.n_columns}
        agreeing = self.pairs["agreeing"]
        values = {"n": len(self.pairs), "low": int(agreeing.min()), "high": int(agreeing.max())}
        opposite = int(self.pairs["flipped"].sum()) if "flipped" in self.pairs else 0
        return {**values, "n_columns": self.n_columns, "n_opposite": opposite}

    def _describe_none(self) -> str:
        if not self.is_applicable:
            return (
                "too few distinct values to tell copies from coincidence: chance alone would make "
                f"{self.expected_matches:.2g} pairs equal in all {self.n_columns} columns"
            )
        least = self.n_columns - self.max_mismatches
        return (
            f"no two customers agree in {least} or more of {self.n_columns} columns beyond chance"
        )

    def _describe_pairs(self) -> str:
        number, agreeing = len(self.pairs), self.pairs["agreeing"]
        low, high = agreeing.min(), agreeing.max()
        who = "1 pair of customers agrees"
        if number > 1:
            who = f"{number:,} pairs of customers agree"
        span = f"{low}" if low == high else f"{low} to {high}"
        parts = [f"{who} in {span} of {self.n_columns} columns, beyond chance"]
        if self.id_offset is not None and self.id_offset[1] >= MIN_BLOCK_PAIRS:
            parts.append(f"the ids of {self.id_offset[1]:,} lie {self.id_offset[0]:,} apart")
        if "flipped" in self.pairs:
            parts.append(f"{self.pairs['flipped'].sum():,} with opposite labels")
        return "; ".join(parts)


def find_duplicates(customers: Customers) -> DuplicateGroups:
    """Return the customers who occur twice in the table.

    Two customers are copies when they agree in all but a few columns (15 %, at most 3) and the
    expected number of such pairs among unrelated customers is at most .01; see ``match_model``.
    Equal rows are copies too if a hundred times as many are equal as by chance.
    The target is not compared: a copy may have the opposite label.

    If at least half of the pairs, and at least three, have the same id offset, a block was copied,
    and some of its rows may be altered more. All customers with this offset are then compared
    too: as they are few, agreement in half of the columns can be significant.

    >>> from retain.customers.customers import Column
    >>> rows = np.random.default_rng(0).normal(size=(50, 7))
    >>> rows[31] = rows[11]
    >>> rows[31, 3] = 0.0
    >>> ids = pd.RangeIndex(1, 51, name="customer_id")
    >>> table = pd.DataFrame(rows, columns=list("abcdefg"), index=ids)
    >>> columns = {name: Column(name, "site", "number") for name in table}
    >>> find_duplicates(Customers(table, columns)).pairs
       first  second  agreeing
    0     12      32         6
    """
    codes = encode(customers)
    hashes = hash_rows(codes)
    model = fit_match_model(codes, np.argsort(hashes.sum(axis=1), kind="stable"))
    if model.max_mismatches < 0:
        model = _fit_without_repeats(codes, hashes.sum(axis=1), model)
    pairs, crowded = np.empty((0, 2), dtype=np.int64), 0
    if model.max_mismatches >= 0:
        pairs, crowded = find_candidates(codes, hashes, model)
        pairs = _add_copied_block(customers.features.index, codes, model, pairs)
    return DuplicateGroups(
        pairs=_pairs_by_id(customers, codes, pairs),
        labels=_group_labels(customers.features.index, pairs),
        n_columns=codes.shape[1],
        max_mismatches=model.max_mismatches,
        expected_matches=model.expected_matches,
        n_truncated=crowded,
    )


def _fit_without_repeats(codes: Codes, row_hash: np.ndarray, model: MatchModel) -> MatchModel:
    """Return a model of the different rows alone, if chance explains hardly any equal pair.

    Many copies make agreement look common. Where even so at most one equal pair in a hundred is
    expected by chance, equal rows are copies, and a null model must not learn from them.
    """
    _, first, counts = np.unique(row_hash, return_index=True, return_counts=True)
    n_equal = int((counts * (counts - 1) // 2).sum())
    if model.expected_matches > MAX_CHANCE_SHARE * n_equal:
        return model
    order = np.argsort(row_hash[first], kind="stable")
    differing = fit_match_model(codes[first], order)
    n_pairs = len(codes) * (len(codes) - 1) // 2
    return differing.restrict(n_pairs, len(differing.thresholds) - 1)


def add_duplicates(
    customers: Customers, duplicates: Literal["group", "drop"] = "group"
) -> Customers:
    """Return the customers with copies under one label, or without second copies.

    The first copy in the file stays. With fewer customers a borderline pair may become
    significant, so the remaining customers are grouped too. Rows of several snapshots keep their
    groups, which are by customer.
    """
    return group_duplicates(customers, duplicates)[0]


def group_duplicates(
    customers: Customers, duplicates: Literal["group", "drop"]
) -> tuple[Customers, DuplicateGroups | None]:
    """Return the result of ``add_duplicates`` and the copies; None with several snapshots."""
    if customers.panel is not None:
        return customers, None
    groups = find_duplicates(customers)
    grouped = replace(customers, duplicate_groups=groups.labels)
    is_repeat = groups.labels.duplicated()
    if duplicates == "group" or not is_repeat.any():
        return grouped, groups
    reason = "nearly equal to a customer further up the file"
    return group_duplicates(grouped.filter(~is_repeat, "second copies", reason), duplicates)


def _add_copied_block(ids: pd.Index, codes: Codes, model: MatchModel, pairs: Pairs) -> Pairs:
    """Return the pairs, extended by all pairs of a copied block of ids."""
    offset = _commonest_offset(ids[pairs[:, 0]], ids[pairs[:, 1]])
    if offset is None or offset[1] < max(MIN_BLOCK_PAIRS, len(pairs) / 2):
        return pairs
    copy = ids.get_indexer(ids + offset[0])
    original = np.flatnonzero(copy >= 0)
    block = np.sort(np.column_stack([original, copy[original]]), axis=1)
    matches = significant_pairs(codes, block, model.restrict(len(block), codes.shape[1] // 2))
    return np.unique(np.concatenate([pairs, matches]), axis=0)


def _commonest_offset(first: pd.Index, second: pd.Index) -> tuple[int, int] | None:
    """Return the commonest distance of paired ids and its frequency, for whole-number ids."""
    if first.empty or not pd.api.types.is_integer_dtype(first):
        return None
    distance, count = np.unique(np.abs(second.to_numpy() - first.to_numpy()), return_counts=True)
    return int(distance[count.argmax()]), int(count.max())


def _pairs_by_id(customers: Customers, codes: Codes, pairs: Pairs) -> pd.DataFrame:
    ids, (first, second) = customers.features.index, pairs.T
    agreeing = (codes[first] == codes[second]).sum(axis=1)
    table = pd.DataFrame({"first": ids[first], "second": ids[second], "agreeing": agreeing})
    if customers.target is not None:
        target = customers.target.to_numpy()
        table["flipped"] = target[first] != target[second]
    return table


def _group_labels(ids: pd.Index, pairs: Pairs) -> pd.Series:
    """Return a label for each customer, the same in any order of the file."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = len(ids)
    edges = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(rows, rows))
    _, component = connected_components(edges, directed=False)
    ranks = np.empty(rows, dtype=np.int64)
    ranks[np.argsort(ids.astype(str).to_numpy(), kind="stable")] = np.arange(rows)
    labels = pd.Series(ranks).groupby(component).transform("min").to_numpy()
    return pd.Series(labels, index=ids, name="duplicate_groups")
