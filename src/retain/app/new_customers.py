"""New customers, read as the winner's were: what it learnt from, and who cannot be scored."""

from __future__ import annotations

import copy
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from retain.app.command_line import Line
from retain.app.components import source
from retain.app.prepared import listening
from retain.app.recorded_data import check_recorded
from retain.app.saved import Saved
from retain.campaign.reference import content
from retain.customers.customers import Customers
from retain.errors import RetainError
from retain.learning.features import as_learnt
from retain.storage.reading import DATA_BYTES, read_bytes

UNLABELLED = {"target": None, "positive": None, "labelled": False}
"""Keys of a source that say what the answer is, and what they are where there is none."""
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


def read_new(node: Mapping[str, Any], saved: Saved) -> NewCustomers:
    """The customers of a source, as the winner in ``saved`` needs them.

    Raises
    ------
    RetainError
        When they cannot be read, lack features, or are those the winner learnt from.
    """
    kinds = saved.reference.kinds
    with listening() as heard:
        customers = source(node, learnt=kinds)()
    table = as_learnt(customers, kinds)
    if len(table) == saved.reference.rows and content(table) == saved.reference.content:
        raise RetainError(
            f"these are the {len(table)} customers of the comparison; what models that had not "
            f"seen them gave them stands in {saved.customers}. Name other ones with data.KEY=VALUE."
        )
    return NewCustomers(
        customers, table, _left_out(customers), _known(customers, saved), tuple(heard)
    )


def data_node(line: Line, typed: dict[str, Any] | None, saved: Saved) -> dict[str, Any]:
    """The source of the new customers: that of the winner with what was typed, or another one.

    Raises
    ------
    RetainError
        When nothing was typed: the winner's own customers are no new ones.
    """
    if not typed:
        raise RetainError(
            "name the new customers with what is different about them, such as "
            f"{_different(saved)}."
        )
    trained = saved.winner.config.get("data")
    trained = trained if isinstance(trained, dict) else {}
    keys = [key for key in _keys(line, "data") if _at(typed, key) is not _ABSENT]
    if typed.get("name", trained.get("name")) != trained.get("name"):
        node = copy.deepcopy(typed)
    else:
        check_recorded(trained, {key[0] for key in keys})
        node = copy.deepcopy(trained) | ({"cache": None} if "cache" in trained else {})
        for key in keys:
            _set(node, key, _at(typed, key))
    asked = {key[0] for key in keys}
    return node | {k: v for k, v in UNLABELLED.items() if k in node and k not in asked}


def _different(saved: Saved) -> str:
    """What may be typed about new customers of the winner's source."""
    if saved.sealed_at is None:
        return "data.path=FILE or data.dir=FOLDER"
    return f"data.at=DAY, one after {saved.sealed_at}, or data.path=LOG"


def _keys(line: Line, group: str) -> list[tuple[str, ...]]:
    """The keys below a group that were typed, as paths."""
    typed = [text.split("=", 1)[0].lstrip("+") for text in line.overrides]
    return [tuple(key.split(".")[1:]) for key in typed if key.startswith(f"{group}.")]


_ABSENT = object()


def _at(tree: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(tree, dict) or key not in tree:
            return _ABSENT
        tree = tree[key]
    return tree


def _set(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        below = tree.get(key)
        tree[key] = dict(below) if isinstance(below, dict) else {}
        tree = tree[key]
    tree[path[-1]] = value


def _left_out(customers: Customers) -> pd.DataFrame:
    """Whoever a step of the funnel left out, in its words."""
    rows = [
        (id_, f"{REASON.get(step.name, step.name)}: {step.reason}")
        for step in customers.funnel
        for id_ in step.dropped
    ]
    return pd.DataFrame(rows, columns=["customer_id", "reason"])


def _known(customers: Customers, saved: Saved) -> int:
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
