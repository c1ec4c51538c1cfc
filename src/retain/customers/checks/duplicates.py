"""Copied customers: rows that agree in nearly all columns, where chance cannot explain it.

A copy that stands in a training fold and in a test fold hands the model the answer. Copies are
therefore found, told, and given one label, so that folds keep them together.
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

MIN_BLOCK_PAIRS = 3
"""Pairs with one and the same id offset that make it a copied block: two may be chance."""


@dataclass(frozen=True)
class DuplicateGroups:
    """The copies found among some customers.

    Attributes
    ----------
    pairs
        One row a pair: ``first`` and ``second`` (customer ids, in file order), ``agreeing``
        (number of columns) and, with a target, ``flipped`` (whether the labels differ).
    labels
        For each customer a label, shared by copies and by copies of copies, distinct for others.
    n_columns
        How many columns were compared: features and profit with more than one value.
    max_mismatches
        The most columns copies may differ in, never more than 3; -1 when not ``is_applicable``.
        Within a copied block of ids it is half of the columns.
    expected_matches
        Pairs of wholly equal rows to be expected by chance.
    n_truncated
        Customers with so many look-alikes that they were compared with the nearest alone.
    """

    pairs: pd.DataFrame
    labels: pd.Series
    n_columns: int
    max_mismatches: int
    expected_matches: float
    n_truncated: int = 0

    @property
    def is_applicable(self) -> bool:
        """True if copies can be told from coincidence at all."""
        return self.max_mismatches >= 0

    @property
    def id_offset(self) -> tuple[int, int] | None:
        """The commonest difference of ids within a pair, and how many pairs share it.

        None without pairs or when the ids are no whole numbers.
        """
        return _commonest_offset(pd.Index(self.pairs["first"]), pd.Index(self.pairs["second"]))

    @property
    def description(self) -> str:
        """The result as a clause, without a full stop."""
        said = self._describe_pairs() if len(self.pairs) else self._describe_none()
        if self.n_truncated:
            few = f"{self.n_truncated:,} customers were compared with their nearest candidates only"
            return f"{said} ({few})"
        return said

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
    """Return the customers who stand in the table twice.

    Two customers are copies when they agree in all but a few columns (15 %, at most 3) and the
    expected number of such pairs among unrelated customers is at most .01; see ``coincidence``.
    The target is not compared: a copy may carry the opposite label.

    Where at least half of the pairs, and three, lie the same number of ids apart, a block was
    copied, perhaps altered more heavily in places. All customers that far apart are then
    compared as well: few pairs, so that agreement in half of the columns can be beyond chance.

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


def add_duplicates(
    customers: Customers, duplicates: Literal["group", "drop"] = "group"
) -> Customers:
    """Return the customers with copies under one label, or without second copies.

    The copy that comes first in the file stays. With fewer customers chance can do less, so what
    was on the verge may now count as a copy: the customers left are grouped as well. Rows of
    several snapshots are grouped by customer as they are: who buys alike is no copy.
    """
    return group_duplicates(customers, duplicates)[0]


def group_duplicates(
    customers: Customers, duplicates: Literal["group", "drop"]
) -> tuple[Customers, DuplicateGroups | None]:
    """Return the customers as ``add_duplicates`` has them, and the copies, if any are sought."""
    if customers.panel is not None:
        return customers, None
    found = find_duplicates(customers)
    together = replace(customers, duplicate_groups=found.labels)
    second = found.labels.duplicated()
    if duplicates == "group" or not second.any():
        return together, found
    reason = "nearly equal to a customer further up the file"
    return group_duplicates(together.filter(~second, "second copies", reason), duplicates)


def _add_copied_block(ids: pd.Index, codes: Codes, model: MatchModel, pairs: Pairs) -> Pairs:
    """Return the pairs, and all pairs of a copied block of ids where they lie in one."""
    offset = _commonest_offset(ids[pairs[:, 0]], ids[pairs[:, 1]])
    if offset is None or offset[1] < max(MIN_BLOCK_PAIRS, len(pairs) / 2):
        return pairs
    copy = ids.get_indexer(ids + offset[0])
    original = np.flatnonzero(copy >= 0)
    apart = np.sort(np.column_stack([original, copy[original]]), axis=1)
    further = significant_pairs(codes, apart, model.restrict(len(apart), codes.shape[1] // 2))
    return np.unique(np.concatenate([pairs, further]), axis=0)


def _commonest_offset(first: pd.Index, second: pd.Index) -> tuple[int, int] | None:
    """Return the commonest distance of paired ids and its frequency, for whole-number ids."""
    if first.empty or not pd.api.types.is_integer_dtype(first):
        return None
    distance, count = np.unique(np.abs(second.to_numpy() - first.to_numpy()), return_counts=True)
    return int(distance[count.argmax()]), int(count.max())


def _pairs_by_id(customers: Customers, codes: Codes, pairs: Pairs) -> pd.DataFrame:
    ids, (first, second) = customers.features.index, pairs.T
    agreeing = (codes[first] == codes[second]).sum(axis=1)
    told = pd.DataFrame({"first": ids[first], "second": ids[second], "agreeing": agreeing})
    if customers.target is not None:
        target = customers.target.to_numpy()
        told["flipped"] = target[first] != target[second]
    return told


def _group_labels(ids: pd.Index, pairs: Pairs) -> pd.Series:
    """Return a label for each customer, the same in any order of the file."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = len(ids)
    edges = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(rows, rows))
    _, component = connected_components(edges, directed=False)
    place = np.empty(rows, dtype=np.int64)
    place[np.argsort(ids.astype(str).to_numpy(), kind="stable")] = np.arange(rows)
    labels = pd.Series(place).groupby(component).transform("min").to_numpy()
    return pd.Series(labels, index=ids, name="duplicate_groups")
