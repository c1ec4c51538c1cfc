"""The winner's model file, whose loading executes no code."""

from __future__ import annotations

from pathlib import Path

from sklearn.base import BaseEstimator

from retain.errors import RetainError
from retain.learning.splits import DuplicateAwareKFold
from retain.plugins.registry import registered_types
from retain.storage.pinned import read_pinned
from retain.storage.reading import MIB, check_model_archive
from retain.storage.writing import atomic_write, hash_file

MODEL_BYTES = 2048 * MIB
"""Maximum size of a model file."""

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
    "retain.learning.bg_nbd.ParetoNbd",
    "retain.learning.blend.Blend",
    "retain.learning.plugin_calibration.PluginCalibratedClassifier",
    "retain.learning.plugin_features.PluginFeatures",
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
"""Types in the models of ``conf/`` that skops does not trust by default."""


def save_model(model: BaseEstimator, path: Path) -> str:
    """Write a fitted model atomically and return the file's SHA-256 (64 hex digits)."""
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
        When the file has another hash than in the verdict, or holds a type that is not trusted.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    content = read_pinned(path, sha256, "verdict.json", max_bytes=MODEL_BYTES, within=path.parent)
    check_model_archive(content, path)
    try:
        model = skops.io.loads(content, trusted=[*TRUSTED, *registered_types()])
    except UntrustedTypesFoundException as error:
        raise RetainError(
            f"{path} holds types that are not trusted: {error} If they are of a plug-in that you "
            "install, it names them: @plugins.model(NAME, types=[TYPE, TYPE])."
        ) from None
    except Exception as error:  # noqa: BLE001 - libraries raise anything for invalid contents
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise RetainError(f"{path} cannot be read as a model: {reason}.") from None
    if not hasattr(model, "predict_proba"):
        raise RetainError(f"{path} holds a {type(model).__name__}; expected a classifier.")
    return model


def _forget_folds(model: BaseEstimator) -> None:
    """Drop the splitters of a fitted model, which hold customer ids."""
    for holder in (model, *getattr(model, "fitted_", {}).values()):
        for name, value in holder.get_params(deep=True).items():
            if isinstance(value, DuplicateAwareKFold):
                holder.set_params(**{name: value.n_splits})
