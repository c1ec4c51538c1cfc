"""New customers, read like the training customers: their features, and who cannot be scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from retain.campaign.offers.texts import Language
from retain.campaign.reference import CategoryHistogram, content_hash
from retain.customers.customers import Column, Customers
from retain.errors import RetainError
from retain.execution.dataset import capture_log
from retain.learning.components import build_source
from retain.learning.features import select_model_columns
from retain.learning.plugin_features import add_features
from retain.plugins.registry import require
from retain.record.estimates import DisplayName
from retain.schema.rules import Rule
from retain.storage.reading import MAX_TABLE_BYTES, read_bytes
from retain.verdict.export import read_exported
from retain.workflows.left_out import list_left_out
from retain.workflows.saved_winner import LoadedWinner


def add_training_levels(columns: Mapping[str, Column], saved: LoadedWinner) -> dict[str, Column]:
    """Return the columns with all levels of the training customers and of the verdict's rules."""
    training_levels = [
        *_iter_reference_levels(saved),
        *(pair for rule in _iter_rules(saved) for pair in _iter_rule_levels(rule)),
    ]
    extended = dict(columns)
    for name, levels in training_levels:
        if name in extended:
            column = extended[name]
            labels = {level: DisplayName(level, level) for level in levels}
            extended[name] = replace(column, levels={**labels, **column.levels})
    return extended


def _iter_reference_levels(saved: LoadedWinner) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, shares in saved.reference.features.items():
        if isinstance(shares, CategoryHistogram):
            yield name, tuple(shares.levels)


def _iter_rules(saved: LoadedWinner) -> Iterator[Rule]:
    yield from (segment.when for segment in saved.thresholds.segmentation.rules.values())
    for offer in saved.thresholds.offers.offers.values():
        yield from (rule for rule in (offer.include_if, offer.exclude_if) if rule is not None)


def _iter_rule_levels(rule: Rule) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, condition in rule.conditions.items():
        yield name, (*(condition.one_of or ()), *(condition.none_of or ()))
    for child in (*rule.all, *rule.any, *(() if rule.not_ is None else (rule.not_,))):
        yield from _iter_rule_levels(child)


@dataclass(frozen=True)
class NewCustomers:
    """Customers to score.

    Attributes
    ----------
    table
        The features of the winner, one row per customer.
    n_known
        Number of ids that the list of training customers contains.
    messages
        Messages of the readers.
    """

    customers: Customers
    table: pd.DataFrame
    n_known: int
    messages: tuple[str, ...]

    def list_not_scored(self, language: Language = "en") -> pd.DataFrame:
        """Return ``customer_id`` and ``reason`` of all customers that the funnel dropped."""
        return list_left_out(self.customers.funnel, language)


def read_new_customers(node: Mapping[str, Any], saved: LoadedWinner) -> NewCustomers:
    """Read the customers of a source with the features of the winner.

    Raises
    ------
    RetainError
        If they cannot be read, have not all features, or are the training customers.
    """
    with capture_log() as messages:
        customers, table = read_features(node, saved)
    if (
        len(table) == saved.reference.n_customers
        and content_hash(table) == saved.reference.content_sha256
    ):
        raise RetainError(
            f"these are the {len(table)} customers of the comparison; their out-of-fold scores are "
            f"in {saved.customers_csv}. Name other ones with data.KEY=VALUE."
        )
    n_known = _count_training_ids(customers, saved)
    return NewCustomers(customers, table, n_known, tuple(messages))


def read_features(node: Mapping[str, Any], saved: LoadedWinner) -> tuple[Customers, pd.DataFrame]:
    """Return the customers of a source, and the features of the winner, one row per customer.

    Raises
    ------
    RetainError
        If they cannot be read, or have not all features.
    """
    kinds = saved.reference.kinds
    for name in saved.winner.config["features"].get("plugins", ()):
        require("feature", name, f"{saved.folder.name}: features.plugins")
    customers = add_features(build_source(node, kinds, saved.reference.columns)(), list(kinds))
    return customers, select_model_columns(customers, kinds)


def _count_training_ids(customers: Customers, saved: LoadedWinner) -> int:
    """Return the number of ids in the list of training customers, 0 if there is no list.

    Rows of a later snapshot than that of the sealed test are new, whatever their ids.
    """
    tested = saved.test_snapshot
    if customers.snapshot is not None and (tested is None or str(customers.snapshot) > tested):
        return 0
    ids = customers.features.index
    try:
        content_bytes = read_bytes(
            saved.customers_csv, max_bytes=MAX_TABLE_BYTES, within=saved.folder
        )
        known = read_exported(content_bytes)["customer_id"]
    except (RetainError, ValueError, KeyError):
        return 0
    known = known if ids.dtype == "str" else pd.to_numeric(known, errors="coerce")
    return int(known.isin(ids).sum())
