"""Customers and folders that many tests start from."""

from __future__ import annotations

import importlib.util
import os

# Tests run side by side; each keeps to one compute thread. Read when numpy is first imported.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from retain.customers.customers import Column, Customers, Derived
from retain.record import (
    DataFacts,
    Environment,
    Git,
    MetricFacts,
    Record,
    SplitFacts,
)
from retain.schema import Features, Metrics, Validation


def make_shop(n: int = 240, seed: int = 0, *, noise: float = 1.0) -> Customers:
    """Customers of an invented store: activity declines where pages are few; one category."""
    random = np.random.default_rng(seed)
    ids = pd.Index(random.permutation(np.arange(1000, 1000 + n)), name="customer_id")
    pages = random.normal(8, 2, n)
    declined = (pages + random.normal(0, 2 * noise, n) < 7.5).astype(int)
    before = random.normal(5000, 500, n)
    features = pd.DataFrame(
        {
            "pages": pages,
            "contacts": np.where(random.random(n) < 0.1, np.nan, random.integers(1, 6, n)),
            "category": random.choice(["toys", "textiles", "kitchen"], n),
            "revenue_previous": before,
            "revenue_current": before * random.normal(1, 0.1, n),
        },
        index=ids,
    ).astype({"category": "str"})
    kinds = {name: "category" if name == "category" else "number" for name in features}
    homes = {"pages": "site", "contacts": "communication", "category": "product"}
    columns = {n_: Column(n_, homes.get(n_, "purchase"), kinds[n_]) for n_ in features}
    return Customers(
        features=features,
        columns=columns,
        target=pd.Series(declined, index=ids, name="target"),
        profit=pd.Series(random.gamma(4, 1, n), index=ids, name="profit"),
        profit_unit="roubles",
        contactable=pd.Series(random.random(n) < 0.75, index=ids, name="contactable"),
        derived=(
            Derived("revenue_trend", "purchase", "slope", ("revenue_previous", "revenue_current")),
        ),
    )


@pytest.fixture(scope="session")
def shop() -> Callable[..., Customers]:
    return make_shop


@pytest.fixture
def all_features() -> Features:
    return Features(derived=True, max_categories=30)


@pytest.fixture
def some_metrics() -> Metrics:
    return Metrics(name="default", fractions=(0.1, 0.2))


@pytest.fixture
def three_folds() -> Validation:
    return Validation(name="repeated", sealed=0.2, folds=3, repeats=2, shuffle=True)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the project."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def one_click_dir(checkout: Path) -> Path:
    """The folder with the real store's four files, beside the checkout or where one says."""
    root = Path(os.environ.get("RETAIN_DATA", checkout.parent / "shared" / "data"))
    folder = root / "one_click"
    if not folder.is_dir():
        pytest.skip(f"the real files are not in {folder}; set RETAIN_DATA to the folder above")
    return folder


@pytest.fixture(scope="session")
def optional() -> Callable[[str], ModuleType]:
    """A package of an extra; where it is not installed, the test is skipped.

    CI installs them all, and says so: there a missing one fails.
    """

    def found(name: str) -> ModuleType:
        if importlib.util.find_spec(name) is None:
            told = f"{name} is not installed; type: make cluster"
            (pytest.fail if os.environ.get("RETAIN_REQUIRE_CLUSTER") else pytest.skip)(told)
        return importlib.import_module(name)

    return found


@pytest.fixture(scope="session")
def one_click_contract(checkout: Path) -> dict[str, Any]:
    """The nodes of the store's contract; shared, so nobody may change them."""
    path = checkout / "conf" / "data" / "contract" / "one_click.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _record(**changes: object) -> Record:
    """A finished run of six folds; ``auc`` gives its ROC-AUC by fold, ``model`` its config."""
    folds = tuple(changes.pop("auc", (0.90, 0.91, 0.89, 0.92, 0.90, 0.88)))
    model = changes.pop("model", {"name": "logreg", "_target_": "x.Y", "C": 1.0})
    values = {
        "roc_auc": folds,
        "brier": tuple(1 - value for value in folds),
        "ece": (0.05,) * len(folds),
    }
    metrics = {
        name: MetricFacts(
            mean=sum(fold) / len(fold),
            low=min(fold),
            high=max(fold),
            higher_is_better=name == "roc_auc",
            folds=fold,
        )
        for name, fold in values.items()
    }
    facts: dict[str, object] = {
        "schema": 1,
        "id": "0123abcd",
        "study": "models",
        "state": "done",
        "reason": None,
        "traceback": None,
        "config": {
            "model": model,
            "sampler": changes.pop("sampler", {"name": "none"}),
            "calibration": changes.pop("calibration", {"name": "none"}),
            "metrics": {"name": "default", "fractions": [0.1]},
        },
        "overrides": ("model=logreg",),
        "seed": 0,
        "data": DataFacts(fingerprint="a" * 64, rows=100, positives=40, funnel=()),
        "split": SplitFacts(fingerprint="b" * 64, folds=3, repeats=2, sealed=20, test_to_train=0.5),
        "metrics": metrics,
        "checks": (),
        "seconds": {"fit": 1.5},
        "peak_memory_mb": 100.0,
        "environment": Environment(
            python="3.11", platform="Linux", packages={"numpy": "2.0"}, code="c" * 64
        ),
        "git": Git(commit=None, dirty=False),
        "warnings": (),
        "started": "2026-01-01T00:00:00+00:00",
        "finished": "2026-01-01T00:00:02+00:00",
    }
    return Record(**{**facts, **changes})


@pytest.fixture(scope="session")
def make_record() -> Callable[..., Record]:
    return _record
