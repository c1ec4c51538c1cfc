"""The estimator of a run: prepare → sample → encode → model → calibrate, fitted within a fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from retain.customers.panel import Panel
from retain.learning.bg_nbd import PurchaseCountModel
from retain.learning.blend import Blend
from retain.learning.columns import required_features
from retain.learning.plugin_calibration import PluginCalibratedClassifier
from retain.learning.plugin_features import PluginFeatures, fitted_features
from retain.learning.splits import DuplicateAwareKFold
from retain.schema.run import METHODS, UNTUNED, Calibration, SearchRange, Tuning

MISSING = "(missing)"


@dataclass(frozen=True)
class PipelineSpec:
    """The unfitted parts of a run.

    ``sampler`` and ``scaling`` may be None. ``max_categories`` bounds the one-hot columns of a
    category feature; rarer values share one. ``search`` is the search space of ``tuning``.
    ``plugin_features`` are registered features; those that are learned are steps of the pipeline.
    """

    model: BaseEstimator
    sampler: BaseEstimator | None
    scaling: BaseEstimator | None
    calibration: Calibration
    max_categories: int
    tuning: Tuning = UNTUNED
    search: Mapping[str, SearchRange] = field(default_factory=dict)
    plugin_features: tuple[str, ...] = ()


def assemble(
    spec: PipelineSpec, table: pd.DataFrame, groups: pd.Series, seed: int
) -> BaseEstimator:
    """Return an unfitted classifier for tables with the columns of ``table``.

    Folds within the training rows (calibration, blend) keep duplicate groups together.
    """
    inner = DuplicateAwareKFold(spec.calibration.folds, groups, seed)
    if not isinstance(spec.model, Blend):
        pipeline = build_pipeline(spec, spec.model, table)
        return _probabilistic(pipeline, spec.calibration.method, inner)
    members = {
        name: _probabilistic(build_pipeline(spec, member, table), None, inner)
        for name, member in spec.model.members.items()
    }
    folds = DuplicateAwareKFold(spec.model.folds, groups, seed)
    blend = Blend(members, spec.model.average, folds)
    return _probabilistic(blend, spec.calibration.method, inner)


def with_population(spec: PipelineSpec, dated: Panel | None) -> PipelineSpec:
    """Return the spec whose models of purchases have the horizon and everyone seen."""
    if dated is None or dated.population is None:
        return spec
    known = {"horizon": dated.horizon, "population": dated.population}
    model = clone(spec.model)
    members = model.members.values() if isinstance(model, Blend) else (model,)
    for one in members:
        if isinstance(one, PurchaseCountModel):
            one.set_params(**known)
    return replace(spec, model=model)


def _probabilistic(
    model: BaseEstimator, method: str | None, folds: DuplicateAwareKFold
) -> BaseEstimator:
    """Return ``model`` calibrated by ``method``; one with margins only by default logistically."""
    if method is None and hasattr(model, "predict_proba"):
        return model
    if method is not None and method not in METHODS:
        inner = _probabilistic(model, None, folds)
        return PluginCalibratedClassifier(inner, method, folds)
    return CalibratedClassifierCV(model, method=method or "sigmoid", cv=folds, ensemble=False)


def categories(table: pd.DataFrame) -> list[str]:
    """Return the names of the category columns of a feature table."""
    return [str(name) for name in table if not pd.api.types.is_numeric_dtype(table[name])]


def takes_categories(sampler: BaseEstimator | None) -> bool:
    """Return whether a sampler needs the indices of category columns (SMOTENC)."""
    return sampler is not None and hasattr(sampler, "categorical_features")


def build_pipeline(spec: PipelineSpec, model: BaseEstimator, table: pd.DataFrame) -> Pipeline:
    """Return the unfitted steps prepare → sample → encode → ``model`` for a feature table.

    Registered encodings, if there are any, are a step before them.
    """
    named = required_features(model)
    names = categories(table) if named is None else []
    numbers = [str(name) for name in named or table if name not in names]
    scaling = spec.scaling if named is None else None
    encodings = {} if named is not None else _encodings(spec, table)
    steps: list[tuple[str, Any]] = []
    if encodings:
        steps.append(("features", PluginFeatures(encodings)))
    steps.append(("prepare", _prepare(scaling, [*numbers, *encodings], names)))
    mixed = takes_categories(spec.sampler)
    sampler: Any = None if spec.sampler is None else clone(spec.sampler)
    if mixed:
        steps.append(("sample", sampler.set_params(categorical_features=names)))
    if names:
        steps.append(("encode", _encode(spec, names)))
    if sampler is not None and not mixed:
        steps.append(("sample", sampler))
    return make_pipeline([*steps, ("model", clone(model))])


def make_pipeline(steps: list[tuple[str, Any]]) -> Pipeline:
    """Return a pipeline that resamples if one of its steps does, else a plain one."""
    if not any(hasattr(step, "fit_resample") for _, step in steps):
        return Pipeline(steps)
    # imported for samplers only: it takes a quarter of a second, as it imports scikit-learn's tests
    from imblearn.pipeline import Pipeline as ResamplingPipeline

    return ResamplingPipeline(steps)


def _encodings(spec: PipelineSpec, table: pd.DataFrame) -> dict[str, str]:
    """Return the input of each registered encoding by name, without those switched off."""
    inputs = fitted_features(spec.plugin_features)
    return {name: of for name, of in inputs.items() if of in table}


def _prepare(
    scaling: BaseEstimator | None, numbers: list[str], names: list[str]
) -> ColumnTransformer:
    """Return a transformer that imputes and scales; one column per feature, for SMOTENC."""
    filled = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    scaled = filled if scaling is None else Pipeline([("fill", filled), ("scale", clone(scaling))])
    named = SimpleImputer(strategy="constant", fill_value=MISSING, missing_values=np.nan)
    parts = [("numbers", scaled, numbers), ("categories", named, names)]
    chosen = [part for part in parts if part[2]]
    prepare = ColumnTransformer(chosen, verbose_feature_names_out=False)
    return prepare.set_output(transform="pandas") if names else prepare


def _encode(spec: PipelineSpec, names: list[str]) -> ColumnTransformer:
    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        max_categories=spec.max_categories,
        sparse_output=False,
    )
    return ColumnTransformer([("one_hot", one_hot, names)], remainder="passthrough")
