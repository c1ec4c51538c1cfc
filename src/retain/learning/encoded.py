"""Rows as a pipeline's preparation and encoding make them, to the last bit, made in less time.

May import: errors, schema, customers. The steps of the pipeline ask every row for its category,
several times, and sort whole columns under a mask for their medians. Here each different row of
categories is asked once, and a median is looked for among the numbers that are there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from imblearn.pipeline import Pipeline
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from retain.learning.pipeline import MISSING

Floats = NDArray[np.float64]


def encoded(pipeline: Pipeline, table: pd.DataFrame, test: pd.DataFrame) -> tuple[Floats, Floats]:
    """``table`` and ``test`` after the steps ``prepare`` and ``encode``, fitted on ``table``."""
    parts = {name: part for name, *part in pipeline.named_steps["prepare"].transformers}
    made = []
    if "categories" in parts:
        one_hot = pipeline.named_steps["encode"].transformers[0][1]
        _, names = parts["categories"]
        made.append(_one_hot(one_hot, table[names], test[names]))
    if "numbers" in parts:
        step, names = parts["numbers"]
        made.append(_numbers(step, table[names].to_numpy(), test[names].to_numpy()))
    learnt, asked = (np.hstack(arrays) for arrays in zip(*made, strict=True))
    return learnt, asked


def _numbers(step: BaseEstimator, table: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Numbers with medians for what is missing, columns telling where that was, and scaled."""
    medians = np.array([_median(column) for column in table.T])
    holed = np.flatnonzero(np.isnan(table).any(axis=0))
    filled = [_filled(values, medians, holed) for values in (table, test)]
    if not isinstance(step, Pipeline):
        return filled[0], filled[1]
    scaling = clone(step.named_steps["scale"])
    return scaling.fit_transform(filled[0]), scaling.transform(filled[1])


def _median(column: Floats) -> float:
    there = column[~np.isnan(column)]
    return float(np.median(there)) if len(there) else 0.0


def _filled(values: Floats, medians: Floats, holed: NDArray[np.intp]) -> Floats:
    empty = np.isnan(values)
    if empty.any():
        values = values.copy(order="K")
        rows, columns = empty.nonzero()
        values[rows, columns] = medians[columns]
    return np.hstack([values, empty[:, holed]])


def _one_hot(
    encoder: BaseEstimator, table: pd.DataFrame, test: pd.DataFrame
) -> tuple[Floats, Floats]:
    """One-hot columns; how often a category occurs is counted only where some are too rare."""
    encoder = clone(encoder)
    places, different = _different(table)
    most = max(different[name].nunique(dropna=False) for name in different)
    encoder.fit(_named(table if most > encoder.max_categories else different))
    asked, others = _different(test)
    return encoder.transform(_named(different))[places], encoder.transform(_named(others))[asked]


def _different(table: pd.DataFrame) -> tuple[NDArray[np.intp], pd.DataFrame]:
    """For each row its place among the different ones, and those in order of appearance."""
    places: Any = np.zeros(len(table), dtype=np.intp)
    for name in table:
        codes = pd.factorize(table[name], use_na_sentinel=False)[0]
        places = pd.factorize(places * (codes.max() + 1) + codes)[0]
    firsts = np.unique(places, return_index=True)[1]
    return places, table.iloc[firsts]


def _named(table: pd.DataFrame) -> pd.DataFrame:
    return table.fillna(MISSING).astype(object)
