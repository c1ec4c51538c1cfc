"""Which feature a column came from, held against what moves when the feature does."""

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE, SMOTENC
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from retain.learning.columns import column_origins, transformed_columns
from retain.learning.pipeline import PipelineSpec, assemble
from retain.schema.run import Calibration


def customers(categories):
    random = np.random.default_rng(0)
    numbers = pd.DataFrame(random.normal(size=(200, 3)), columns=["pages", "visits", "kind_b"])
    numbers.loc[::7, "visits"] = np.nan
    for i in range(categories):
        values = random.choice([*"abcdefgh"], 200, p=[0.4, 0.3, 0.2, 0.02, 0.02, 0.02, 0.02, 0.02])
        numbers.insert(i, ("kind", "home")[i], pd.Series(values, dtype="str"))
    return numbers


@pytest.mark.parametrize("scaling", [None, StandardScaler(), QuantileTransformer(n_quantiles=10)])
@pytest.mark.parametrize("sampler", [None, SMOTE(random_state=0), SMOTENC([0], random_state=0)])
@pytest.mark.parametrize("categories", [0, 1, 2])
def test_a_column_moves_with_the_feature_it_came_from_alone(scaling, sampler, categories):
    if categories == 0 and isinstance(sampler, SMOTENC):
        return  # it has no meaning without a category
    table = customers(categories)
    calibration = Calibration(name="none", method=None)
    recipe = PipelineSpec(LogisticRegression(), sampler, scaling, calibration, max_categories=4)
    target = np.arange(200) % 3 % 2
    model = assemble(recipe, table, pd.Series(range(200)), 0).fit(table, target)
    found, before = column_origins(model), transformed_columns(model, table)
    assert len(found) == before.shape[1]
    for name in table:
        moved = table.assign(**{name: table[name].sample(frac=1, random_state=1).to_numpy()})
        after = transformed_columns(model, moved)
        mine = {j for j, origin in enumerate(found) if origin == name}
        assert mine == set(np.flatnonzero((before != after).any(axis=0)))
