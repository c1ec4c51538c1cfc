"""A source whose truth is known: what drives drives, noise is noise, a copy is a copy."""

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.linear_model import LogisticRegression

from retain.customers.customers import Column, Customers
from retain.errors import NotApplicable
from retain.explanations.ablation import from_refit, refit_without
from retain.explanations.associations import associations
from retain.learning.cross_validation import cross_validate
from retain.learning.features import feature_matrix
from retain.learning.splitting import make_splits

GROUPS = {
    "pages": "site",
    "minutes": "site",
    "errors": "noise",
    "colour": "noise",
    "pages_again": "copy",
}
MODELS = {
    "logreg": LogisticRegression(),
    "lightgbm": LGBMClassifier(n_estimators=40, num_leaves=7, verbose=-1, n_jobs=1),
}


def store(seed, n=600):
    """Pages and minutes drive the decline, two features are noise, one repeats pages."""
    random = np.random.default_rng(seed)
    ids = pd.RangeIndex(n, name="customer_id")
    pages, minutes = random.normal(size=(2, n))
    odds = 1.5 * pages - 1.5 * minutes
    features = pd.DataFrame(
        {
            "pages": pages,
            "minutes": minutes,
            "errors": random.normal(size=n),
            "colour": random.choice(["red", "blue"], n),
            "pages_again": pages + random.normal(0, 0.02, n),
        },
        index=ids,
    ).astype({"colour": "str"})
    kinds = {name: "category" if name == "colour" else "number" for name in features}
    return Customers(
        features=features,
        columns={name: Column(name, GROUPS[name], kinds[name]) for name in features},
        target=pd.Series((random.random(n) < 1 / (1 + np.exp(-odds))).astype(int), ids),
    )


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", range(3))
def test_contributions_recover_what_drives(experiment, three_folds, model, seed):
    customers, built = store(seed), experiment(MODELS[model])
    splits = make_splits(customers, three_folds)
    whole = cross_validate(built, customers, splits).metrics["roc_auc"]["fold_values"]
    found = {
        group: from_refit(
            whole, refit_without(built, customers, splits, group), splits.test_to_train
        )
        for group in customers.groups
    }
    assert found["site"].auc_loss.low > 0
    assert found["noise"].auc_loss.low < 0 < found["noise"].auc_loss.high
    # What the copy tells, pages tell too: without it little is lost.
    assert found["copy"].auc_loss.low < 0.005
    assert max(found, key=lambda group: found[group].auc_loss.value) == "site"


@pytest.mark.parametrize("seed", range(3))
def test_the_copy_is_named(all_features, three_folds, seed):
    customers = store(seed)
    ids = make_splits(customers, three_folds).ids
    table = feature_matrix(customers, all_features).loc[ids]
    found = associations(table, customers.target.loc[ids].to_numpy())
    assert [one.features for one in found.redundant()] == [("pages", "pages_again")]
    assert found.target["phik"].nlargest(3).index.isin(["pages", "minutes", "pages_again"]).all()


# With one group alone nothing is left to compare with: ROC-AUC − .5 is no contribution of it.
def test_the_only_group_has_no_contribution(experiment, three_folds):
    customers = store(0)
    alone = Customers(
        features=customers.features[["pages"]],
        columns={"pages": Column("pages", "other", "number")},
        target=customers.target,
    )
    splits = make_splits(alone, three_folds)
    assert isinstance(refit_without(experiment(), alone, splits, "other"), NotApplicable)
