"""The winner as a file that executes nothing when it is read."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sklearn.base import BaseEstimator

from retain.errors import RetainError
from retain.learning.splits import DuplicateAwareKFold
from retain.storage.reading import MIB, check_model_archive, read_bytes
from retain.storage.writing import atomic_write, hash_file

MODEL_BYTES = 2048 * MIB
"""Bytes of a model's file at most."""

UNDER = "imblearn.under_sampling._prototype_selection"
TRUSTED = (
    "catboost.core.CatBoostClassifier",
    "collections.OrderedDict",
    "imblearn.combine._smote_enn.SMOTEENN",
    "imblearn.combine._smote_tomek.SMOTETomek",
    "imblearn.over_sampling._adasyn.ADASYN",
    "imblearn.over_sampling._random_over_sampler.RandomOverSampler",
    "imblearn.over_sampling._smote.base.SMOTE",
    "imblearn.over_sampling._smote.base.SMOTENC",
    "imblearn.over_sampling._smote.filter.BorderlineSMOTE",
    "imblearn.pipeline.Pipeline",
    f"{UNDER}._edited_nearest_neighbours.EditedNearestNeighbours",
    f"{UNDER}._random_under_sampler.RandomUnderSampler",
    f"{UNDER}._tomek_links.TomekLinks",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "numpy.dtype",
    "retain.learning.bg_nbd.BgNbd",
    "retain.learning.blend.Blend",
    "retain.learning.recency_rule.RecencyRule",
    "scipy.sparse._csr.csr_matrix",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
)
"""Every type the models of ``conf/`` are made of beyond what skops trusts by itself."""


def save_model(model: BaseEstimator, path: Path) -> str:
    """Write a fitted model whole and return the SHA-256 of the file (64 hex digits)."""
    import skops.io

    _forget_folds(model)
    with atomic_write(path) as temporary:
        skops.io.dump(model, temporary)
    return hash_file(path)


def load_model(path: Path, sha256: str) -> BaseEstimator:
    """Read a model written by ``save_model``.

    Raises
    ------
    RetainError
        When the file is not the one the verdict speaks of, or holds a type not on the list.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    found = read_bytes(path, max_bytes=MODEL_BYTES, within=path.parent)
    if hashlib.sha256(found).hexdigest() != sha256:
        raise RetainError(f"{path} is not the model its verdict speaks of: the hash differs.")
    check_model_archive(found, path)
    try:
        model = skops.io.loads(found, trusted=list(TRUSTED))
    except UntrustedTypesFoundException as error:
        raise RetainError(f"{path} holds types that are not trusted: {error}") from None
    except Exception as error:  # noqa: BLE001 - whatever a library says of numbers not its own
        told = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise RetainError(f"{path} cannot be read as a model: {told}.") from None
    if not hasattr(model, "predict_proba"):
        raise RetainError(f"{path} holds a {type(model).__name__}; expected a classifier.")
    return model


def _forget_folds(model: BaseEstimator) -> None:
    """Drop the splitters of a fitted model: they know customers by id, and fitting is over."""
    for holder in (model, *getattr(model, "fitted_", {}).values()):
        for name, value in holder.get_params(deep=True).items():
            if isinstance(value, DuplicateAwareKFold):
                holder.set_params(**{name: value.n_splits})
