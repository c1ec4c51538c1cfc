"""The demo source: synthetic customers like those of a real store, and their four raw files.

Features are sampled from a Gaussian copula for each third of each class; quantiles, shares and
correlations come from ``demo_figures.json``, which holds aggregates and no row of the real data
(measured in ``experiments/demo``). The flaws of the real files are reproduced in proportion:
misspellings, newcomers, outliers, copied customers, rows sorted by label.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retain.customers.customers import Customers
from retain.errors import RetainError

MIN_CUSTOMERS = 40  # fewer customers cannot have every flaw
FIRST_ID = 300_001  # different from the ids of the real customers


def read(  # noqa: PLR0913 - the keys of a data config
    *,
    customers: int,
    seed: int,
    tables: Mapping[str, Any],
    cleaning: Mapping[str, Any],
    derived: Mapping[str, Any],
    profit_unit: str | Mapping[str, str],
) -> Customers:
    """Return synthetic customers, read and cleaned under the contract.

    ``customers`` (at least 40) is their number before cleaning, ``seed`` is at least 0. The other
    parameters are those of ``retain.customers.contract.reader.read``.
    """
    from retain.customers.contract import reader

    with TemporaryDirectory(prefix="retain-demo-") as folder:
        try:
            write(Path(folder), customers=customers, seed=seed)
        except OSError as error:
            raise RetainError.unwritable(folder, error, "export TMPDIR=FOLDER") from None
        return reader.read(
            dir=folder, tables=tables, cleaning=cleaning, derived=derived, profit_unit=profit_unit
        )


def write(folder: Path, *, customers: int = 1300, seed: int = 0) -> None:
    """Write four raw files: ``market_file``, ``market_money``, ``market_time``, ``money``.

    Raises ``RetainError`` when ``customers`` is under 40 or ``seed`` under 0.

    >>> with TemporaryDirectory() as folder:
    ...     write(Path(folder), customers=60)
    ...     len(pd.read_csv(Path(folder, "market_money.csv")))  # three months each
    180
    """
    if not isinstance(customers, int) or customers < MIN_CUSTOMERS:
        expected = (
            f"expected a whole number, {MIN_CUSTOMERS} or more: fewer have no room for every flaw"
        )
        raise RetainError.at("data.customers", f"it is {customers!r}", expected)
    if not isinstance(seed, int) or seed < 0:
        raise RetainError.at("data.seed", f"it is {seed!r}", "expected a whole number, 0 or more")
    rng = np.random.default_rng(seed)
    edges = _cell_edges(customers)
    copied, *_ = block = _block(edges)
    table = _add_flaws(_copy_block(_sample_customers(edges, rng), *block), copied, rng)
    table.index = pd.RangeIndex(FIRST_ID, FIRST_ID + customers, name="customer_id")
    folder.mkdir(parents=True, exist_ok=True)
    _write_wide(table, folder, "behaviour")
    _write_long(table, folder, "revenue", rng)
    _write_long(table, folder, "minutes", rng)
    # the store exports profit with semicolons, decimal commas and no trailing zeros
    _write_wide(table, folder, "profit", sep=";", decimal=",", float_format="%g")


@cache
def _load_figures() -> dict[str, Any]:
    path = Path(__file__).with_name("demo_figures.json")
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return figures


def _scale_count(count: int, customers: int, fewest: int = 1) -> int:
    """Return ``count`` of the real customers, scaled to ``customers``."""
    of: int = _load_figures()["quirks"]["of"]
    return max(fewest, round(count * customers / of))


def _cell_edges(customers: int) -> NDArray[np.int64]:
    """Return the first row of each run of equal labels, and the end of the last run."""
    ends = np.cumsum([0, *_load_figures()["quirks"]["runs"]])
    edges: NDArray[np.int64] = np.round(ends * customers / ends[-1]).astype(np.int64)
    return edges


def _sample_customers(edges: NDArray[np.int64], rng: np.random.Generator) -> pd.DataFrame:
    """Return all customers in alternating runs of equal labels."""
    run = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    parts = []
    for parity, (label, raw) in enumerate(_load_figures()["classes"].items()):
        rows = rng.permutation(np.flatnonzero(run % 2 == parity))
        cells = _load_figures()["cells"][label]
        for cell, own in zip(cells, np.array_split(rows, len(cells)), strict=True):
            parts.append(_cell(cell, own, rng).assign(activity=raw))
    return pd.concat(parts).sort_index()


def _cell(
    cell: Mapping[str, Any], rows: NDArray[np.int64], rng: np.random.Generator
) -> pd.DataFrame:
    """Sample customers of one third of a class from a Gaussian copula with its marginals."""
    names = list(cell["marginals"])
    correlation = np.eye(len(names))
    for i, below in enumerate(cell["correlation"], start=1):
        correlation[i, :i] = correlation[:i, i] = below
    normal = rng.standard_normal((len(rows), len(names))) @ np.linalg.cholesky(correlation).T
    # each rank occurs once, so that quantiles and shares hold for few customers too
    ranks = normal.argsort(axis=0).argsort(axis=0)
    uniform = (ranks + rng.random(ranks.shape)) / len(rows)
    columns = {name: _values(name, cell, uniform[:, i]) for i, name in enumerate(names)}
    return pd.DataFrame(columns, index=rows)


def _values(name: str, cell: Mapping[str, Any], uniform: NDArray[np.float64]) -> NDArray[Any]:
    """Return the values of a feature at these quantiles, as in its file."""
    marginal, feature = cell["marginals"][name], _load_figures()["features"][name]
    if "quantiles" in marginal:
        grid = np.linspace(0, 1, len(marginal["quantiles"]))
        steps = np.round(np.interp(uniform, grid, marginal["quantiles"]) / feature["step"])
        return np.asarray((steps * feature["step"]).round(2), dtype=feature["type"])
    index = np.searchsorted(marginal["up_to"][:-1], uniform, side="right")
    values: NDArray[Any] = np.array(marginal["values"])[index]
    return np.array(feature["values"], dtype=object)[values] if "values" in feature else values


def _block(edges: NDArray[np.int64]) -> tuple[int, int, int]:
    """Return the first row of the copied block, the first row of its copy, and its length.

    The copies span the border of the fourth and fifth run. Their originals declined, so the
    copies before the border have the opposite label.
    """
    copies, customers = _load_figures()["quirks"]["copies"], int(edges[-1])
    count = _scale_count(copies["count"], customers, fewest=2)
    again = int(edges[4]) - round(count * copies["flipped"] / copies["count"])
    return again - _scale_count(copies["offset"], customers), again, count


def _copy_block(table: pd.DataFrame, first: int, again: int, count: int) -> pd.DataFrame:
    """Return the table with a block of customers copied; some columns keep their values."""
    copies = _load_figures()["quirks"]["copies"]
    for name in table.columns.drop("activity"):
        own = round(count * copies["redrawn"].get(name, 0) / copies["count"])
        values = table[name].to_numpy(copy=True)
        values[again + own : again + count] = values[first + own : first + count]
        table[name] = values
    return table


def _add_flaws(table: pd.DataFrame, above: int, rng: np.random.Generator) -> pd.DataFrame:
    """Add newcomers and outliers in the rows ``above``, and misspellings at the top."""
    quirks, customers = _load_figures()["quirks"], len(table)
    newcomers = _scale_count(quirks["newcomers"], customers)
    outliers = _scale_count(quirks["outliers"], customers)
    positions = rng.permutation(above)[: newcomers + outliers]
    new, out = positions[:newcomers], positions[newcomers:]
    low, high = quirks["newcomer_days"]
    earlier = ["revenue_before_previous", "revenue_previous"]
    table.loc[new, [*earlier, "promo_share"]] = 0.0
    table.loc[new, "days_registered"] = rng.integers(low, high, newcomers, endpoint=True)
    typical = table.loc[out, earlier].mean(axis=1)
    table.loc[out, "revenue_current"] = (typical * quirks["outlier_times"]).round(1)
    misspelt = range(_scale_count(quirks["misspelt"]["count"], customers))
    table.loc[misspelt, "service_level"] = quirks["misspelt"]["wrong"]
    return table


def _write_wide(table: pd.DataFrame, folder: Path, key: str, **style: Any) -> None:
    """Write one row per customer."""
    spec = _load_figures()["files"][key]
    named = table.reset_index()[list(spec["headings"])].rename(columns=spec["headings"])
    named.to_csv(folder / spec["file"], index=False, lineterminator="\r\n", **style)


def _write_long(table: pd.DataFrame, folder: Path, key: str, rng: np.random.Generator) -> None:
    """Write one row per customer and period, the periods of a customer in random order."""
    periods = _load_figures()["files"][key]["periods"]
    values = table[[f"{key}_{period}" for period in periods]].to_numpy()
    order = rng.random(values.shape).argsort(axis=1)
    long = {
        "period": np.array(list(periods.values()), dtype=object)[order.ravel()],
        key: np.take_along_axis(values, order, axis=1).ravel(),
    }
    ids = pd.Index(np.repeat(table.index.to_numpy(), len(periods)), name="customer_id")
    _write_wide(pd.DataFrame(long, index=ids), folder, key)
