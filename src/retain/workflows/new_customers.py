"""New customers, read as the winner's were: what it learnt from, and who cannot be scored."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from retain.campaign.reference import LevelShares, content
from retain.customers.customers import Column, Customers, DisplayName
from retain.errors import RetainError
from retain.execution.dataset import capture_log
from retain.learning.components import build_source
from retain.learning.features import training_columns
from retain.schema import Rule
from retain.storage.reading import DATA_BYTES, read_bytes
from retain.workflows.saved_winner import LoadedWinner


def with_levels(columns: Mapping[str, Column], saved: LoadedWinner) -> dict[str, Column]:
    """The columns with every level the training customers had, or a rule of the verdict names."""
    met = [
        *_of_reference(saved),
        *(pair for rule in _rules(saved) for pair in _of_rule(rule)),
    ]
    found = dict(columns)
    for name, levels in met:
        if name in found:
            column = found[name]
            named = {level: DisplayName(level, level) for level in levels}
            found[name] = replace(column, levels={**named, **column.levels})
    return found


def _of_reference(saved: LoadedWinner) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, shares in saved.reference.features.items():
        if isinstance(shares, LevelShares):
            yield name, tuple(shares.levels)


def _rules(saved: LoadedWinner) -> Iterator[Rule]:
    yield from (named.when for named in saved.cuts.segmentation.rules.values())
    for offer in saved.cuts.offers.offers.values():
        yield from (rule for rule in (offer.include_if, offer.exclude_if) if rule is not None)


def _of_rule(rule: Rule) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, condition in rule.conditions.items():
        yield name, (*(condition.one_of or ()), *(condition.none_of or ()))
    inner = (*rule.all, *rule.any, *(() if rule.not_ is None else (rule.not_,)))
    for one in inner:
        yield from _of_rule(one)


REASON = {"newcomers": "newcomer", "outlier": "outlier", "unreadable": "cannot be read"}


@dataclass(frozen=True)
class NewCustomers:
    """Customers to be scored.

    Attributes
    ----------
    table
        The columns the winner learnt from, a row a customer.
    not_scored
        ``customer_id`` and ``reason`` of all others.
    known
        How many ids are those of customers the winner learnt from, as far as the verdict tells.
    heard
        What the readers logged.
    """

    customers: Customers
    table: pd.DataFrame
    not_scored: pd.DataFrame
    known: int
    heard: tuple[str, ...]


def read_new(node: Mapping[str, Any], saved: LoadedWinner) -> NewCustomers:
    """The customers of a source, as the winner in ``saved`` needs them.

    Raises
    ------
    RetainError
        When they cannot be read, lack features, or are those the winner learnt from.
    """
    kinds = saved.reference.kinds
    with capture_log() as heard:
        customers = build_source(node, learnt=kinds)()
    table = training_columns(customers, kinds)
    if (
        len(table) == saved.reference.n_customers
        and content(table) == saved.reference.content_sha256
    ):
        raise RetainError(
            f"these are the {len(table)} customers of the comparison; what models that had not "
            f"seen them gave them stands in {saved.customers}. Name other ones with data.KEY=VALUE."
        )
    return NewCustomers(
        customers, table, _left_out(customers), _known(customers, saved), tuple(heard)
    )


def _left_out(customers: Customers) -> pd.DataFrame:
    """Whoever a step of the funnel left out, in its words."""
    rows = [
        (id_, f"{REASON.get(step.name, step.name)}: {step.reason}")
        for step in customers.funnel
        for id_ in step.dropped
    ]
    return pd.DataFrame(rows, columns=["customer_id", "reason"])


def _known(customers: Customers, saved: LoadedWinner) -> int:
    """How many of the ids the verdict's list of customers has, 0 where there is no such list.

    Who comes back at a later day than that of the sealed test is no row that was seen.
    """
    sealed = saved.sealed_at
    if customers.snapshot is not None and (sealed is None or str(customers.snapshot) > sealed):
        return 0
    ids = customers.features.index
    kind = "str" if ids.dtype == "str" else None
    try:
        found = read_bytes(saved.customers, most_bytes=DATA_BYTES, within=saved.folder)
        table = pd.read_csv(io.BytesIO(found), usecols=["customer_id"], dtype=kind)
    except (RetainError, ValueError):
        return 0
    return int(table["customer_id"].isin(ids).sum())
