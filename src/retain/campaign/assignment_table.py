"""The rows of ``campaign.csv``: offer and arm of each chosen customer, and their chances."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from retain.errors import RetainError, examples
from retain.verdict.export import FORMULA, parse_exported, read_exported

TREATMENT, CONTROL = "treatment", "control"
NUMBERS = ("propensity", "risk", "value_at_stake", "expected_cost", "expected_net")
COLUMNS = ("customer_id", "segment", "offer", "arm", "assignment_id", *NUMBERS)
"""``propensity`` is the probability to get the offer. ``expected_cost`` is 0 in the control group;
``expected_net`` is the expected net value of a contact, in both arms; both over the horizon."""
DRAWN_FROM, BETWEEN = "drawn_from", "|"
"""Column of the offers from which a customer's was drawn, all with the same chance, and the mark
between them; empty for an offer that the plan chose. A campaign without such draws lacks it."""
CHANCE_DIGITS = 12
"""Digits of a probability that was divided by a number of offers and multiplied again."""


def assignment_table(  # noqa: PLR0913 - the columns of a file
    customer_id: pd.Index,
    *,
    segment: np.ndarray,
    offer: np.ndarray,
    control: np.ndarray,
    assignment_id: np.ndarray,
    propensity: np.ndarray,
    risk: np.ndarray,
    value_at_stake: np.ndarray,
    expected_cost: np.ndarray,
    expected_net: np.ndarray,
    drawn_from: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return the rows of ``campaign.csv``; ``expected_net`` as if all were contacted.

    ``drawn_from`` is None if no offer was drawn at random.

    >>> one, text = np.ones(2), np.array(["x", "x"])
    >>> table = assignment_table(pd.Index([7, 8]), segment=text, offer=text, assignment_id=text,
    ...     control=np.array([False, True]), propensity=one / 2, risk=one, value_at_stake=one,
    ...     expected_cost=one, expected_net=one)
    >>> table[["customer_id", "arm", "expected_cost"]].to_numpy().tolist()
    [[7, 'treatment', 1.0], [8, 'control', 0.0]]
    """
    columns = {
        "customer_id": customer_id,
        "segment": segment,
        "offer": offer,
        "arm": np.where(control, CONTROL, TREATMENT),
        "assignment_id": assignment_id,
        "propensity": propensity,
        "risk": risk,
        "value_at_stake": value_at_stake,
        "expected_cost": np.where(control, 0.0, expected_cost),
        "expected_net": expected_net,
    }
    table = pd.DataFrame(columns, columns=list(COLUMNS))
    return table if drawn_from is None else table.assign(**{DRAWN_FROM: drawn_from})


def list_possible(table: pd.DataFrame) -> list[list[str]]:
    """Return the names of the offers that each customer could get.

    >>> table = pd.DataFrame({"offer": ["gift", "call"], "drawn_from": ["", "call|gift"]})
    >>> list_possible(table)
    [['gift'], ['call', 'gift']]
    """
    if DRAWN_FROM not in table:
        return [[name] for name in table["offer"]]
    pairs = zip(table["offer"], table[DRAWN_FROM], strict=True)
    return [drawn_from.split(BETWEEN) if drawn_from else [name] for name, drawn_from in pairs]


def total_chance(table: pd.DataFrame) -> np.ndarray:
    """Return the probability to get any of the offers that a customer could get, shape (n,)."""
    chance = table["propensity"].to_numpy(dtype=float)
    if DRAWN_FROM not in table:
        return chance
    count = np.array([len(one) for one in list_possible(table)])
    return np.asarray((chance * count).round(CHANCE_DIGITS))


def unescape_formulas(cells: pd.Series) -> pd.Series:
    """Return texts without the apostrophe that the CSV export puts before formulas.

    >>> unescape_formulas(pd.Series(["'=1", "'tis", "7"])).tolist()
    ['=1', "'tis", '7']
    """
    guarded = cells.str.match(f"'{FORMULA}")
    return cells.where(~guarded.astype(bool), cells.str.slice(1))


def parse_table(raw: bytes, path: Path, *, control_share: float) -> pd.DataFrame:
    """Return ``COLUMNS``, and ``DRAWN_FROM`` if the file has it, with ids and names as texts.

    A file of a campaign with one share for all may lack ``propensity``.

    Raises
    ------
    RetainError
        The bytes are not such a table, or its cells contradict each other.
    """
    try:
        cells = read_exported(raw)
    except (ValueError, pd.errors.ParserError) as error:
        raise RetainError(f"{path} cannot be read as CSV: {error}.") from None
    if tuple(cells.columns) == tuple(name for name in COLUMNS if name != "propensity"):
        cells = cells.assign(propensity=str(1 - control_share))[list(COLUMNS)]
    if tuple(name for name in cells if name != DRAWN_FROM) != COLUMNS:
        has = examples(cells.columns, 12)
        raise RetainError(f"{path} has the columns {has}; expected {', '.join(COLUMNS)}.")
    table = cells.apply(unescape_formulas)
    for name in NUMBERS:
        table[name] = parse_exported(cells[name])
    _check_table(table, path)
    return table


def _check_table(table: pd.DataFrame, path: Path) -> None:
    ids, numbers = table["customer_id"], table[list(NUMBERS)].to_numpy()
    is_possible = table["propensity"].between(0, 1, inclusive="right")
    treated, pairs = total_chance(table), zip(table["offer"], list_possible(table), strict=True)
    is_drawn = np.array([offer in possible for offer, possible in pairs], dtype=bool)
    wrong = {
        "other arms": table.loc[~table["arm"].isin((TREATMENT, CONTROL)), "arm"],
        "repeated ids": ids[ids.duplicated()],
        "customers without finite numbers": ids[~np.isfinite(numbers).all(axis=1)],
        "propensities beyond 0 and 1": table.loc[~is_possible, "propensity"],
        "customers whose propensities are above 1 in total": ids[treated > 1],
        "customers in the control group who could not be in it": ids[
            (table["arm"] == CONTROL) & (treated == 1)
        ],
        "offers that are not among those they were drawn from": table.loc[~is_drawn, "offer"],
    }
    for kind, cells in wrong.items():
        if not cells.empty:
            raise RetainError(f"{path} holds {kind}: {examples(cells)}; expected none.")
