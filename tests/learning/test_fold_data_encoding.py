"""Rows made column by column are those of the pipeline's own steps, to the last bit."""

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

from retain.learning.fold_data import _prepare_stepwise, prepare_fold
from retain.learning.pipeline import PipelineSpec, assemble
from retain.schema.run import Calibration

ROWS, LEARNT = 300, 240


def table_of(kind: str) -> pd.DataFrame:
    """Numbers and categories with gaps, a column without a value, one of many categories."""
    random = np.random.default_rng(0)
    towns = [f"town {n}" for n in random.integers(0, 60, ROWS)]
    table = pd.DataFrame(
        {
            "whole": random.normal(3, 2, ROWS),
            "level": random.choice(["low", "high"], ROWS),
            "gaps": np.where(random.random(ROWS) < 0.2, np.nan, random.normal(size=ROWS)),
            "empty": np.nan,
            "late gap": np.where(np.arange(ROWS) > LEARNT, np.nan, random.random(ROWS)),
            "town": pd.Series(towns).where(random.random(ROWS) > 0.1),
        }
    ).astype({"level": "str", "town": "str"})
    if kind == "numbers":
        return table.select_dtypes("number")
    if kind == "categories":
        return table.select_dtypes(exclude="number")
    return table.drop(columns="town") if kind == "few categories" else table


@pytest.fixture
def pipeline_of():
    def made(table, scaling, sampler):
        calibration = Calibration(name="none", method=None)
        recipe = PipelineSpec(LogisticRegression(), sampler, scaling, calibration, 10)
        twins = pd.Series(np.arange(len(table)), index=table.index)
        return assemble(recipe, table, twins, 0)

    return made


@pytest.mark.parametrize("kind", ["all", "numbers", "categories", "few categories"])
@pytest.mark.parametrize("sampler", [None, SMOTE(random_state=0)], ids=str)
@pytest.mark.parametrize(
    "scaling",
    [None, StandardScaler(), RobustScaler(), QuantileTransformer(n_quantiles=50, random_state=0)],
    ids=lambda one: type(one).__name__,
)
def test_rows_are_those_of_the_steps_to_the_last_bit(pipeline_of, kind, sampler, scaling):
    table = table_of(kind)
    target = np.random.default_rng(1).integers(0, 3, LEARNT) // 2
    pipeline = pipeline_of(table, scaling, sampler)
    result = (pipeline, table.iloc[:LEARNT], target, table.iloc[LEARNT:])
    mine, theirs = prepare_fold(*result), _prepare_stepwise(*result)
    for name in ("train", "target", "test"):
        one, other = getattr(mine, name), getattr(theirs, name)
        assert one.dtype == other.dtype
        assert one.flags.c_contiguous == other.flags.c_contiguous
        np.testing.assert_array_equal(one, other)
