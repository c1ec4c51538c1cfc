"""Measures the figures from which the demo data are drawn.

    python experiments/demo/measure.py DIR [--out FILE]

reads the four files of the store in DIR and writes ``src/retain/customers/demo_figures.json``:
quantiles, shares and correlations of six groups of 150 to 270 customers, and the counts of the
flaws the demo plants again. No row of the data is written.

Each class is cut into thirds by how declined its customers look. One copula a class makes the
classes too easy to tell apart: those who look like the other class are averaged away.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from scipy.stats import norm, rankdata
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "conf" / "data" / "contract" / "one_click.yaml"
FIGURES = ROOT / "src" / "retain" / "customers" / "demo_figures.json"
PARTS = 3
"""Groups a class is cut into; 1 makes the classes too easily told apart."""
GRID = 41
"""Points of a quantile grid."""
STEPS = (1.0, 0.5, 0.1, 0.01)
DISCRETE = 45
"""A column with at most so many values is told by their shares, any other by quantiles."""


def main() -> None:
    """Read, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with the four files")
    parser.add_argument("--out", type=Path, default=FIGURES)
    args = parser.parse_args()
    figures = measured(args.folder, yaml.safe_load(CONTRACT.read_text("utf-8"))["tables"])
    text = json.dumps(figures, ensure_ascii=False, indent=1)
    flat = re.sub(r"\[[^\[\]{}]*\]", lambda found: re.sub(r"\s+", " ", found[0]), text)
    args.out.write_text(flat + "\n", encoding="utf-8")


def measured(folder: Path, tables: dict[str, Any]) -> dict[str, Any]:
    """All the figures of the four files in ``folder``."""
    raw, files = _read(folder, tables)
    columns = tables["behaviour"]["columns"]
    classes = {key: spec["raw"] for key, spec in columns["activity"]["categories"].items()}
    misspelt, table = _spelt(raw, columns["service_level"]["categories"])
    copies, second = _copies(table)
    unusual, flawed = _unusual(table)
    run = table["activity"].ne(table["activity"].shift()).cumsum()
    quirks = {"of": len(table), "runs": run.value_counts(sort=False), **unusual}
    clean, features = _coded(table[~flawed & ~second])
    return {
        "source": "aggregates of the store's four files, measured by `python "
        f"experiments/demo/measure.py DIR`: {len(clean)} of {len(table)} customers, without "
        "newcomers, outliers and second copies; each class in thirds by how declined they look",
        "files": files,
        "classes": classes,
        "features": features,
        "quirks": _plain({**quirks, "misspelt": misspelt, "copies": copies}),
        "cells": {key: _cells(clean, raw_name, features) for key, raw_name in classes.items()},
    }


def _read(folder: Path, tables: dict[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One row a customer under canonical names, and how each file writes its columns."""
    parts: list[pd.DataFrame] = []
    files: dict[str, Any] = {}
    for key, spec in tables.items():
        path = folder / spec["file"]
        semicolons = ";" in path.read_text("utf-8").partition("\n")[0]
        frame = pd.read_csv(path, sep=";,"[not semicolons], decimal=",."[not semicolons])
        names = {column["raw"]: name for name, column in spec["columns"].items()}
        headings = {names.get(heading, "period"): heading for heading in frame}
        files[key] = {"file": spec["file"], "headings": headings}
        frame = frame.set_axis(list(headings), axis=1)
        if "period" in spec:
            files[key]["periods"] = periods = _periods(frame["period"], spec["period"])
            wide = frame.pivot(  # noqa: PD010 - refuses duplicates
                index="customer_id", columns="period", values=key
            )[list(periods.values())]
            wide.columns = pd.Index([f"{key}_{name}" for name in periods])
        else:
            wide = frame.set_index("customer_id")
        parts.append(wide)
    return pd.concat(parts, axis=1), files


def _periods(found: pd.Series, spec: dict[str, Any]) -> dict[str, str]:
    """Return the name of each period in the file, earliest first."""
    written = set(found)
    return {key: next(n for n in spec["names"][key] if n in written) for key in spec["order"]}


def _unusual(table: pd.DataFrame) -> tuple[dict[str, Any], pd.Series]:
    """Newcomers and outliers in figures, and which rows they are."""
    earlier = table[["revenue_before_previous", "revenue_previous"]]
    newcomer = earlier.eq(0).all(axis=1)
    times = table["revenue_current"] / earlier.mean(axis=1).mask(newcomer)
    outlier = times > 10  # as in the contract
    told = {
        "newcomers": newcomer.sum(),
        "newcomer_days": table.loc[newcomer, "days_registered"].agg(["min", "max"]),
        "outliers": outlier.sum(),
        "outlier_times": round(float(times[outlier].median()), 1),
    }
    return told, newcomer | outlier


def _spelt(raw: pd.DataFrame, levels: dict[str, Any]) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return the misspelling of the service level, counted, and the table without it."""
    right, wrong = next((s["raw"], s["aliases"][0]) for s in levels.values() if "aliases" in s)
    told = {"count": raw["service_level"].eq(wrong).sum(), "right": right, "wrong": wrong}
    return told, raw.assign(service_level=raw["service_level"].replace(wrong, right))


def _copies(table: pd.DataFrame) -> tuple[dict[str, Any], pd.Series]:
    """Return the block of copied customers, and which rows are second copies.

    ``redrawn`` tells for each column how many copies, from the first on, have a value of their
    own there; a column that differs in less than a third of the flipped copies has none.
    """
    same = [name for name in table if str(name).startswith(("revenue", "minutes"))]
    second = table.duplicated(same)
    first = table.duplicated(same, keep="last")
    one, two = table[first].reset_index(drop=True), table[second].reset_index(drop=True)
    differs = one.ne(two)
    flipped = int(differs["activity"].sum())
    own = {
        name: int(np.flatnonzero(column)[-1]) + 1
        for name, column in differs.drop(columns="activity").items()
        if column[:flipped].sum() * 3 > flipped
    }
    offset = table.index[second][0] - table.index[first][0]
    told = {"count": len(two), "flipped": flipped, "offset": offset, "redrawn": own}
    return told, second


def _coded(table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the table with categories as codes, most frequent first, and the levels."""
    coded = table.copy()
    features: dict[str, Any] = {}
    for name in table.columns.drop("activity"):
        column = table[name]
        if pd.api.types.is_string_dtype(column):
            values = column.value_counts().index.tolist()
            coded[name] = column.map({value: code for code, value in enumerate(values)})
            features[name] = {"values": values}
        else:
            features[name] = {"step": _step(column), "type": str(column.dtype)}
    return coded, features


def _step(column: pd.Series) -> float:
    """Return the widest step of which all values are multiples."""
    return next(s for s in STEPS if np.allclose(column / s, (column / s).round()))


def _cells(table: pd.DataFrame, label: str, features: dict[str, Any]) -> list[dict[str, Any]]:
    """Correlations and marginals of each third of a class."""
    score = _score(table.drop(columns="activity"), table["activity"] == label)
    own = table["activity"] == label
    order = np.argsort(score[own], kind="stable")
    cells = []
    for rows in np.array_split(order, PARTS):
        cell = table[own].iloc[rows][list(features)]
        marginals = {name: _marginal(cell[name], features[name]) for name in features}
        cells.append({"correlation": _correlation(cell), "marginals": marginals})
    return cells


def _score(x: pd.DataFrame, y: pd.Series) -> NDArray[np.float64]:
    """Return the out-of-fold probability of a customer's class."""
    trees = ExtraTreesClassifier(200, min_samples_leaf=2, random_state=0)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return np.asarray(cross_val_predict(trees, x, y, cv=folds, method="predict_proba")[:, 1])


def _marginal(column: pd.Series, feature: dict[str, Any]) -> dict[str, Any]:
    """Values with their cumulated shares, or a grid of quantiles."""
    if column.nunique() <= DISCRETE:
        shares = column.value_counts(normalize=True).sort_index().cumsum().round(4)
        return {"values": shares.index.tolist(), "up_to": shares.tolist()}
    grid = np.quantile(column, np.linspace(0, 1, GRID))
    return {"quantiles": (np.round(grid / feature["step"]) * feature["step"]).round(2).tolist()}


def _correlation(cell: pd.DataFrame) -> list[list[float]]:
    """Correlations of normal scores, rounded, below the diagonal."""
    scores = norm.ppf((rankdata(cell, axis=0) - 0.5) / len(cell))
    matrix = np.corrcoef(scores.T).round(2)
    np.linalg.cholesky(matrix)  # fails where rounding left no correlation matrix
    return [(row[:i] + 0.0).tolist() for i, row in enumerate(matrix)][1:]  # no -0.0


def _plain(value: Any) -> Any:
    """Return the same without types of numpy and pandas."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


if __name__ == "__main__":
    main()
