"""Customers and folders that many tests start from."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys

# A shell starts what runs in its background deaf to interrupts, and every child inherits it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests run side by side; each keeps to one compute thread. Read when numpy is first imported.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import contextlib
import gc
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import settings

from retain.cli.compare import EVALUATING, EXPLAINING
from retain.customers.customers import Column, Customers, DerivedFeature
from retain.customers.panel import Panel
from retain.execution.worker import start_forkserver
from retain.plugins import registry
from retain.record.document import DataInfo, Environment, Git, MetricSummary, Record, SplitInfo
from retain.schema.run import Features, Metrics, Validation

from .browsing import browser  # noqa: F401 - a fixture
from .commands import *  # noqa: F403 - fixtures
from .composing import compose_once

IMPORTED = (
    "retain.cli.compose",
    "retain.cli.readout",
    "retain.cli.score",
    "retain.cli.terminal.sweep",
    "retain.workflows.training_data",
    "retain.workflows.saved_winner",
    "retain.workflows.campaign",
    "retain.customers.contract.reader",
    "retain.customers.demo",
    "retain.customers.table",
    "retain.report.render",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "narwhals._pandas_like.namespace",
    "optuna",
    "pyarrow.csv",
    "pyarrow.pandas_compat",
    "skops.io",
)
"""What workers of most commands import, beside what all need: hundreds of them in the tests."""


compose_once()
settings.register_profile("any machine", deadline=None)  # a clock would measure what else it does
settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "write the ids of skipped tests into FILE, one a line, as pytest @FILE reads them"
    parser.addoption("--skipped-to", type=Path, metavar="FILE", help=text)


NEEDS = {
    "fork_server": "slow",
    "launch": "slow",
    "browser": "browser",
    "local_spark": "spark",
    "submitit": "cluster",
    "slurm": "cluster",
    "ray": "cluster",
}
"""The marker of a test, by the fixture it uses."""
TRACED = ("tests/cli/", "tests/execution/", "tests/report/", "tests/workflows/")
"""Where coverage is measured of slow tests too."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures they use, and begin with those that take longest.

    Coverage slows Python down two- or threefold: tests that are slow or start processes run without
    it, but for those in ``TRACED``; the fixtures they share are measured.
    """
    for item in items:
        used = NEEDS.keys() & set(getattr(item, "fixturenames", ()))
        for marker in {NEEDS[name] for name in used}:
            item.add_marker(marker)
        is_slow = used or item.get_closest_marker("slow")
        if is_slow and not item.nodeid.startswith(TRACED):
            item.add_marker("no_cover")
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


def pytest_collection_finish() -> None:
    """Spare the garbage collector all that was imported: it would look it through again and again.

    Some libraries have it look after every call.
    """
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how many tests were skipped, and why."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"SKIPPED {count}: {reason}")
    if file := config.getoption("--skipped-to"):
        file.write_text("".join(f"{name}\n" for name in {one.nodeid: 0 for one in skipped}))


@pytest.fixture(scope="session")
def fork_server() -> None:
    """One server for the workers of every command called in this process, before any needs it.

    Else the first command decides what it imports, and each worker of another imports the rest.
    """
    start_forkserver(*EVALUATING, *EXPLAINING, *IMPORTED)


@pytest.fixture(scope="session")
def statsmodels_holm() -> Callable[[Any], np.ndarray]:
    """Holm's correction by statsmodels, which collects the garbage of the whole suite each time."""
    from statsmodels.stats.multitest import multipletests

    def correct(p: Any) -> np.ndarray:
        with mock.patch("gc.collect"):
            return multipletests(p, method="holm")[1]

    return correct


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
        derived_features=(
            DerivedFeature(
                "revenue_trend", "purchase", "slope", ("revenue_previous", "revenue_current")
            ),
        ),
    )


def make_dated_shop(n: int = 60, snapshots: int = 7, seed: int = 0) -> Customers:
    """Customers at monthly snapshots, whose label looks 90 days ahead; each declines at times."""
    random = np.random.default_rng(seed)
    days = pd.date_range("2025-01-01", periods=snapshots, freq="30D")
    who = np.repeat(random.permutation(np.arange(100, 100 + n)), snapshots)
    when = np.tile(days.to_numpy(), n)
    names = [f"{one}@{np.datetime_as_string(day, unit='D')}" for one, day in zip(who, when)]  # noqa: B905
    ids = pd.Index(names, name="customer_id")
    pages = random.normal(8, 2, len(ids))
    declined = (pages + random.normal(0, 2, len(ids)) < 7.5).astype(int)
    features = pd.DataFrame({"pages": pages, "orders": random.integers(1, 9, len(ids)) * 1.0}, ids)
    columns = {"pages": ("site", "number"), "orders": ("purchase", "number")}
    return Customers(
        features=features,
        columns={name: Column(name, *known) for name, known in columns.items()},
        target=pd.Series(declined, index=ids, name="target"),
        profit=pd.Series(random.gamma(4, 1, len(ids)), index=ids, name="profit"),
        profit_unit="roubles",
        panel=Panel(pd.Series(who, index=ids), pd.Series(when, index=ids), horizon=90),
    )


def make_log(n: int = 300, days: int = 540, seed: int = 0) -> pd.DataFrame:
    """A purchase log of an invented store: each customer has a rate of its own, some fade out."""
    random, start = np.random.default_rng(seed), pd.Timestamp("2024-01-01")
    gap, end = random.gamma(4, 6, n), random.exponential(900, n)
    parts = []
    for client in range(n):
        times = np.cumsum(random.exponential(gap[client], size=days))
        times = times[times < min(days, end[client])]
        parts.append(pd.DataFrame({"client": 1000 + client, "day": times}))
    log = pd.concat(parts, ignore_index=True)
    count = len(log)
    return pd.DataFrame(
        {
            "client": log["client"],
            "when": start + pd.to_timedelta(log["day"], unit="D").dt.floor("s"),
            "sum": np.round(random.gamma(3, 400, count), 2),
            "pieces": random.integers(1, 5, count),
            "goods": random.choice(["toys", "textiles", "kitchen", "cosmetics"], count),
            "sale": random.random(count) < 0.3,
        }
    )


@contextlib.contextmanager
def _without_charts() -> Iterator[None]:
    from retain.execution.executor import WorkerExecutor

    submit = WorkerExecutor.submit

    def submit_all_but_charts(executor: WorkerExecutor, job: Any, *arguments: Any) -> Any:
        return mock.Mock() if job == "render" else submit(executor, job, *arguments)

    with (
        mock.patch.object(WorkerExecutor, "submit", submit_all_but_charts),
        mock.patch("retain.report.page.page.page", return_value=""),
    ):
        yield


@pytest.fixture(scope="session")
def without_charts() -> Callable[[], contextlib.AbstractContextManager[None]]:
    """Have comparisons make no picture and an empty page: they take longer than all the rest."""
    return _without_charts


@pytest.fixture(scope="session")
def purchase_log() -> Callable[..., pd.DataFrame]:
    return make_log


@pytest.fixture(scope="session")
def dated_shop() -> Callable[..., Customers]:
    return make_dated_shop


@pytest.fixture(scope="session")
def shop() -> Callable[..., Customers]:
    return make_shop


@pytest.fixture
def all_features() -> Features:
    return Features(derived=True, max_categories=30)


@pytest.fixture
def some_metrics() -> Metrics:
    return Metrics(name="default", top_shares=(0.1, 0.2))


@pytest.fixture
def three_folds() -> Validation:
    return Validation(name="repeated", sealed_size=0.2, folds=3, repeats=2, shuffle=True)


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
def experiments_dir(checkout: Path) -> Path:
    """The folder with real randomised campaigns, beside the checkout or where one says."""
    root = Path(os.environ.get("RETAIN_DATA", checkout.parent / "shared" / "data"))
    folder = root / "experiments"
    if not folder.is_dir():
        pytest.skip(f"the real campaigns are not in {folder}; set RETAIN_DATA to the folder above")
    return folder


@pytest.fixture(scope="session")
def optional() -> Callable[[str], ModuleType]:
    """A package of an extra; where it is not installed, the test is skipped.

    CI installs them all, and says so: there a missing one fails.
    """

    def import_optional(name: str) -> ModuleType:
        if importlib.util.find_spec(name) is None:
            text = f"{name} is not installed; type: make cluster"
            (pytest.fail if os.environ.get("RETAIN_REQUIRE_CLUSTER") else pytest.skip)(text)
        return importlib.import_module(name)

    return import_optional


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
        name: MetricSummary(
            value=sum(fold) / len(fold),
            low=min(fold),
            high=max(fold),
            higher_is_better=name == "roc_auc",
            fold_values=fold,
        )
        for name, fold in values.items()
    }
    facts: dict[str, object] = {
        "schema": 2,
        "id": "0123abcd",
        "study": "models",
        "state": "done",
        "reason": None,
        "traceback": None,
        "config": {
            "model": model,
            "sampler": changes.pop("sampler", {"name": "none"}),
            "calibration": changes.pop("calibration", {"name": "none"}),
            "metrics": {"name": "default", "top_shares": [0.1]},
        },
        "overrides": ("model=logreg",),
        "seed": 0,
        "data": DataInfo(fingerprint="a" * 64, n_rows=100, n_positives=40, funnel=()),
        "split": SplitInfo(
            fingerprint="b" * 64, n_folds=3, n_repeats=2, n_sealed_test=20, test_to_train=0.5
        ),
        "metrics": metrics,
        "checks": (),
        "seconds": {"fit": 1.5},
        "peak_memory_mb": 100.0,
        "environment": Environment(
            python="3.11", platform="Linux", packages={"numpy": "2.0"}, code_sha256="c" * 64
        ),
        "git": Git(commit=None, dirty=False),
        "warnings": (),
        "started_at": "2026-01-01T00:00:00+00:00",
        "finished_at": "2026-01-01T00:00:02+00:00",
    }
    return Record(**{**facts, **changes})


@pytest.fixture(scope="session")
def make_record() -> Callable[..., Record]:
    return _record


@pytest.fixture(scope="session")
def cdnow_sample(checkout):
    """Histories of the paper's sample of CDNOW: x, t_x and T in weeks, repeats, their mean spend.

    Its years were moved by text, and with them the ids that hold 1997 or 1998, so that customers
    are told by their place: they stand in the order of their ids. The sample is every tenth of
    the customers ordered by week of the first purchase, then by what repeat purchases of the 39
    weeks came to, most first; sums of floats are compared as such, as they were when it was drawn.
    """
    root = Path(os.environ.get("RETAIN_DATA", checkout.parent / "shared" / "data"))
    path = root / "cdnow" / "CDNOW_master.txt"
    if not path.is_file():
        pytest.skip(f"the real log is not at {path}; set RETAIN_DATA to the folder above")
    rows = pd.read_csv(path, sep=r"\s+", names=["id", "date", "cds", "dollars"])
    rows["customer"] = (rows["id"] != rows["id"].shift()).cumsum()
    rows["day"] = (pd.to_datetime(rows["date"].astype(str)) - pd.Timestamp("2021-01-01")).dt.days
    early = rows[rows["day"] < 39 * 7]
    days = early.groupby(["customer", "day"])["dollars"].agg(sum_in_turn).reset_index()
    by = days.groupby("customer")
    found = pd.DataFrame({"first": by["day"].min(), "last": by["day"].max(), "n": by.size()})
    found["repeat"] = early.groupby("customer")["dollars"].agg(sum_in_turn) - by["dollars"].first()
    found.loc[found["n"] == 1, "repeat"] = 0.0
    found["week"], found["least"] = found["first"] // 7, -found["repeat"]
    sample = found.sort_values(["week", "least", "customer"]).iloc[9::10]
    until = 39 * 7 - 1 - sample["first"]
    repeats = sample["n"] - 1
    spend = sample["repeat"] / repeats.where(repeats > 0, 1)
    history = (repeats, (sample["last"] - sample["first"]) / 7, until / 7)
    return [column.to_numpy(dtype=float) for column in (*history, repeats, spend)]


def sum_in_turn(values):
    """Their sum, rounded after each, as no faster sum rounds."""
    *_, last = itertools.accumulate(values)
    return last


@pytest.fixture
def registered():
    """What a test registers is forgotten after it, and so are the modules that it imported."""
    before, modules = dict(registry._REGISTERED), set(sys.modules)
    yield
    registry._REGISTERED.clear()
    registry._REGISTERED.update(before)
    registry._BROKEN.clear()
    registry._import.cache_clear()
    for name in registry._named():
        for module in [one for one in sys.modules if one.partition(".")[0] == name]:
            if module not in modules:
                del sys.modules[module]
