"""A verdict's tree of invented numbers, and a browser that has no network."""

from __future__ import annotations

import contextlib
import copy
import itertools
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from scipy import stats

from retain.report.charts.canvas import chart_style
from retain.report.page.page import page

from .invented_campaign import (
    make_campaign,
    make_check,
    make_recalibration,
    make_segments,
    make_settings,
    make_thresholds,
)
from .invented_explanations import make_reasons
from .shared_charts import SharedCharts
from .trees import reading_trees

page = reading_trees(page)

MODELS = ("catboost", "svc", "lightgbm", "logreg", "dummy")
SAMPLERS = ("none", "smote", "random_under")
METRICS = {
    "roc_auc": True,
    "average_precision": True,
    "log_loss": False,
    "brier": False,
    "ece": False,
    **{f"lift_{top}": True for top in (10, 20, 30)},
    **{f"captured_profit_{top}": True for top in (10, 20, 30)},
}
TEST_TO_TRAIN = 0.25
T = {df: float(stats.t.ppf(0.975, df)) for df in range(1, 50)}
"""The .975 quantiles of Student's t, by degrees of freedom."""
CENTRE = {
    "roc_auc": 0.91,
    "average_precision": 0.89,
    "log_loss": 0.35,
    "brier": 0.1,
    "ece": 0.06,
    **{f"lift_{top}": 2.5 - top / 100 for top in (10, 20, 30)},
    **{f"captured_profit_{top}": top / 40 for top in (10, 20, 30)},
}


def interval(values):
    """Mean and corrected interval, by scipy alone."""
    values = np.asarray(values)
    spread = np.sqrt((1 / len(values) + TEST_TO_TRAIN) * values.var(ddof=1))
    reach = T[len(values) - 1] * spread
    return values.mean(), values.mean() - reach, values.mean() + reach


def folds_of(random, strength, folds):
    """Scores by fold of a run; ``strength`` adds to each, in the metric's good direction."""
    centres = {
        name: CENTRE[name] + (strength if higher else -strength) for name, higher in METRICS.items()
    }
    return {name: (c + random.normal(0, 0.012, folds)).tolist() for name, c in centres.items()}


def facts(values, *, higher):
    mean, low, high = map(float, interval(values))
    return {
        "value": mean,
        "low": low,
        "high": high,
        "higher_is_better": higher,
        "fold_values": list(values),
    }


def board_row(run, best):
    mean, low, high = interval(np.subtract(run["folds"]["roc_auc"], best["folds"]["roc_auc"]))
    p = 1.0 if run is best else float(np.exp(-abs(mean) * 120))
    row = {
        "id": run["id"],
        **run["keys"],
        "difference": float(mean),
        "difference_low": float(low),
        "difference_high": float(high),
        "p": p,
        "p_adjusted": min(1.0, 2 * p),
        "prob_worse": float(min(1, 40 * abs(mean))),
        "prob_equivalent": float(max(0, 1 - 40 * abs(mean))),
        "prob_better": 0.0,
        "tied": run is best or low < 0 < high,
        "stopped_early": run["stopped_early"],
        "n_folds": len(run["folds"]["roc_auc"]),
        "fit_seconds": run["seconds"],
    }
    for name, higher in METRICS.items():
        one = facts(run["folds"][name], higher=higher)
        row |= {name: one["value"], f"{name}_low": one["low"], f"{name}_high": one["high"]}
    return row


def curve(random, power):
    x = np.linspace(0, 1, 101)
    y = x**power
    return {
        "x": [float(v) for v in x],
        "y": [float(v) for v in y],
        "y_min": [float(v) for v in np.clip(y - 0.03, 0, None)],
        "y_max": [float(v) for v in np.clip(y + 0.03, 0, 1)],
    }


def curves(random):
    bins = [
        {
            "predicted": float(p),
            "observed": {
                "value": float(np.clip(p + random.normal(0, 0.04), 0, 1)),
                "low": float(np.clip(p - 0.12, 0, 1)),
                "high": float(np.clip(p + 0.12, 0, 1)),
            },
            "n_customers": 103 + i,
            "p": 0.0123 if i == 4 else 0.871,
            "is_miscalibrated": i == 4,
        }
        for i, p in enumerate(np.linspace(0.04, 0.95, 10))
    ]
    falling = curve(random, 1)
    for side in ("y", "y_min", "y_max"):
        falling[side] = [float(1 - 0.55 * v**4) for v in falling[side]]
    lift = {**falling, "y": [float(2.6 - 1.6 * x**2) for x in falling["x"]]}
    lift |= {"y_min": [v - 0.1 for v in lift["y"]], "y_max": [v + 0.1 for v in lift["y"]]}
    return {
        "roc": curve(random, 0.22),
        "precision_recall": falling,
        "lift": lift,
        "captured_profit": curve(random, 0.5),
        "calibration": bins,
    }


def diff(a, b, *, requested=False):
    metrics = []
    for name in METRICS:
        mean, low, high = interval(np.subtract(b["folds"][name], a["folds"][name]))
        left, right = float(np.mean(a["folds"][name])), float(np.mean(b["folds"][name]))
        difference = {"value": float(mean), "low": float(low), "high": float(high)}
        metrics.append(
            {"name": name, "a": left, "b": right, "difference": difference, "p": 0.04321}
        )
    return {
        "a": a["id"],
        "b": b["id"],
        "config": [
            {"key": key, "a": a["keys"][key], "b": b["keys"][key]}
            for key in a["keys"]
            if a["keys"][key] != b["keys"][key]
        ],
        "metrics": metrics,
        "largest_changes": [
            {"customer_id": f"c{i}", "a": 0.2 + i / 97, "b": 0.7 - i / 89} for i in range(1, 4)
        ],
        "requested": requested,
    }


def runs_of(random, count, folds):
    grid = list(itertools.product(MODELS, SAMPLERS, (True, False)))
    found = []
    for i in range(count):
        model, sampler, site = grid[i % len(grid)]
        keys = {"model": model, "sampler": sampler, "features.site": site}
        if count > len(grid):
            keys["model.seed"] = i // len(grid)
        strength = (
            -0.4
            if model == "dummy"
            else -0.004 * MODELS.index(model) - 0.02 * (sampler != "none") - 0.015 * (not site)
        )
        found.append(
            {
                "id": f"{int(random.integers(16**8)):08x}",
                "keys": keys,
                "folds": folds_of(random, strength, folds),
                "stopped_early": False,
                "seconds": float(random.gamma(3, 1.7)),
            }
        )
    return sorted(found, key=lambda run: -np.mean(run["folds"]["roc_auc"]))


def make_tree(count=30, *, folds=10):
    """The tree of ``verdict.json`` for ``count`` runs, with every optional part."""
    random = np.random.default_rng(0)
    runs = runs_of(random, count, folds)
    best, simplest = runs[0], runs[min(1, count - 1)]
    runs[-1]["stopped_early"] = count > 3
    board = [{"rank": i, **board_row(run, best)} for i, run in enumerate(runs, 1)]
    if count > 3:
        board[-1]["n_folds"] = 3
        runs[-1]["folds"] = {name: values[:3] for name, values in runs[-1]["folds"].items()}
    return {
        "schema": 4,
        "study": "models",
        "studies": ["models"],
        "question": "Which model tells best who is about to buy less?",
        "summary": "an English sentence",
        "cautions": [
            {
                "code": "resampled_not_recalibrated",
                "message": "The winner was trained on rows resampled by smote and was not "
                "recalibrated (van den Goorbergh et al. 2022).",
                "sampler": "smote",
            },
            {"code": "invented_here", "message": "A caution nobody translated, of 1999."},
        ],
        "selection": {
            "rule": "best",
            "best": {"id": best["id"], "name": best["keys"]["model"]},
            "simplest_tied": {"id": simplest["id"], "name": simplest["keys"]["model"]},
            "corrected": {
                "method": "bbc_cv",
                "n_candidates": len(runs),
                "n_scored": len(runs),
                "n_resamples": 1000,
                "metrics": {
                    name: {"value": one["value"] - 0.01, "low": one["low"], "high": one["high"]}
                    for name, one in (
                        (name, facts(best["folds"][name], higher=h)) for name, h in METRICS.items()
                    )
                },
                "message": "an English sentence about the choice",
            },
        },
        "winner": {
            "id": best["id"],
            "name": best["keys"]["model"],
            "overrides": [f"{key}={value}" for key, value in best["keys"].items()],
            "config": {"seed": 0, "model": {"name": best["keys"]["model"], "depth": 6}},
            "metrics": {n: facts(best["folds"][n], higher=h) for n, h in METRICS.items()},
            "seeds": [0],
            "seed_sd": None,
            "tuning": make_tuning(),
        },
        "tied": [row["id"] for row in board if row["tied"]],
        "versus_random": {
            "status": "shown",
            "p": 0.0000412,
            "level": 0.025,
            "access_number": 1,
            "n_customers": 257,
            "n_groups": 257,
            "tied": [],
            "message": "an English sentence about chance",
        },
        "alpha": 0.05,
        "rope": 0.01,
        "key_columns": list(best["keys"]),
        "metrics": {name: {"higher_is_better": higher} for name, higher in METRICS.items()},
        "leaderboard": board,
        "fold_values": {run["id"]: run["folds"] for run in runs[:200]},
        "t_quantiles": {str(df): t for df, t in T.items()},
        "main_effects": effects(),
        "curves": curves(random),
        "diffs": [diff(best, simplest)] if count > 1 else [],
        "gate": None,
        "sealed_test": {
            "n_customers": 257,
            "metrics": {
                name: {
                    "value": CENTRE[name] + 0.0071,
                    "low": CENTRE[name] - 0.0333,
                    "high": CENTRE[name] + 0.0377,
                    "higher_is_better": higher,
                    **({"raw": 0.0812, "if_calibrated": 0.0641} if name == "ece" else {}),
                }
                for name, higher in METRICS.items()
            },
            "accesses": [opening(best, 3), opening(simplest, 5)],
        },
        "by_snapshot": [snapshot("2025-04-01", 0.9013, 10), snapshot("2025-09-28", 0.8871, 0)],
        "excluded_runs": [
            left_out("failed", "ValueError: too few rows for 5 neighbours", i) for i in range(2)
        ]
        + [left_out("not_applicable", "smotenc needs a category", 7)],
        "n_interrupted": 2,
        "n_running": 0,
        "data": {
            "fingerprint": "a1" * 32,
            "n_rows": 1296,
            "n_positives": 494,
            "funnel": [
                funnel_step("newcomers", 1300, 1297, "no revenue in 1"),
                funnel_step("outlier", 1297, 1296, "above 10 × median"),
            ],
            "label": {
                "horizon_days": 90,
                "quality": {
                    "one_order_share": 0.64,
                    "chance": {
                        "share_labelled": 0.3957,
                        "share": {"value": 0.3411, "low": 0.3302, "high": 0.3519},
                        "excess": {"value": 0.0546, "low": 0.0317, "high": 0.0775},
                        "poisson_share": 0.2461,
                        "ceiling_auc": 0.7612,
                        "rate_shape": 1.31,
                        "rate_scale_days": 63.5,
                    },
                    "chance_reason": None,
                    "persistence": {
                        "n_rows": 311,
                        "labelled": 0.3669,
                        "others": 0.7642,
                        "ratio": {"value": 0.4801, "low": 0.4494, "high": 0.5128},
                        "loss_fraction": {"value": 0.5199, "low": 0.4872, "high": 0.5506},
                    },
                    "persistence_reason": None,
                    "money": [
                        {
                            "snapshot": "2025-09-28",
                            "n_rows": 311,
                            "forecast": {"value": 41230.5, "low": 37011.2, "high": 45449.8},
                            "actual": 43807.1,
                            "covered": True,
                        }
                    ],
                    "store_levels": [
                        {"snapshot": "2025-04-01", "trend": 0.92, "trend_last_year": None},
                        {"snapshot": "2025-09-28", "trend": 1.31, "trend_last_year": 1.24},
                    ],
                },
                "snapshots": [
                    {"snapshot": day, "n_rows": rows, "n_declined": 123}
                    for day, rows in (("2025-04-01", 311), ("2025-06-30", 77), ("2025-09-28", 311))
                ],
                "variants": [
                    {
                        "parameter": "decline_ratio",
                        "value": "0.3",
                        "n_rows": 622,
                        "decline_rate": 0.2717,
                        "agreement": 0.8231,
                    },
                    {
                        "parameter": "horizon",
                        "value": "180",
                        "n_rows": 0,
                        "decline_rate": None,
                        "agreement": None,
                    },
                ],
            },
        },
        "split": {
            "fingerprint": "b2" * 32,
            "n_folds": 5,
            "n_repeats": 2,
            "n_sealed_test": 257,
            "test_to_train": TEST_TO_TRAIN,
            "test_snapshots": ["2025-04-01"] * 10,
            "sealed_snapshot": "2025-09-28",
        },
        "checks": [
            {
                "code": "id_predicts_target",
                "outcome": "mitigated",
                "message": "the id alone tells who declined with AUC 0.98",
            },
            {
                "code": "label_against_revenue",
                "outcome": "failed",
                "message": "revenue is below for 21% of those labelled as declined",
            },
        ],
        "segments": make_segments(),
        "recalibration": make_recalibration(),
        "calibration_check": make_check(),
        "campaign": make_campaign(),
        "n_scored": {"out_of_fold": 1039, "sealed_test": 257},
        "dominant_segment": None,
        "settings": make_settings(),
        "fitted_thresholds": make_thresholds(),
        "commands": ["retain -m study=models data=one_click", "retain-compare study=models"],
        "environment": {
            "python": "3.11.7",
            "platform": "Linux-6.1",
            "packages": {"numpy": "2.4.6", "scikit-learn": "1.9.1", "pandas": "3.1.1"},
            "code_sha256": "c3" * 32,
        },
        "git": {"commit": "d4" * 20, "dirty": True},
        "explanations": make_reasons(),
    }


def make_tuning():
    """Two tuned folds."""
    fold = {"repeat": 0, "inner_score": 0.9, "n_trials": 40, "n_pruned": 3, "n_failed": 0}
    return {
        "folds": [
            {**fold, "fold": at, "parameters": {"depth": depth}, "seconds": 1.5}
            for at, depth in enumerate((4, 6))
        ],
        "agreement": {"depth": {"min": 4.0, "median": 5.0, "max": 6.0}},
        "inner_score": 0.9,
        "outer_score": 0.89,
        "optimism": {"value": 0.01, "low": -0.01, "high": 0.03},
    }


def funnel_step(name, before, after, reason):
    return {
        "name": name,
        "n_before": before,
        "n_after": after,
        "reason": reason,
        "unit": "customers",
    }


def effects():
    return [
        {
            "factor": "sampler",
            "reference": "none",
            "missing_runs": {
                "n_runs": 2,
                "examples": [
                    {"model": "dummy", "sampler": "smote", "reason": "not applicable: no rows"},
                    {"model": "svc", "sampler": "smote", "reason": "no record"},
                ],
            },
            "levels": [
                effect_level("smote", -0.0214, 0.009, 8),
                effect_level("random_under", -0.0187, 0.024, 10),
            ],
        },
        {
            "factor": "features.site",
            "reference": False,
            "missing_runs": {"n_runs": 0, "examples": []},
            "levels": [effect_level(True, 0.0151, 0.0102, 15)],
        },
    ]


def effect_level(level, mean, reach, pairs):
    return {
        "level": level,
        "difference": {"value": mean, "low": mean - reach, "high": mean + reach},
        "p": 0.0317,
        "n_pairs": pairs,
        "n_runs": pairs,
        "n_reference_runs": pairs,
    }


def opening(run, day):
    return {
        "accessed_at": f"2026-01-0{day}T10:00:00+00:00",
        "study": "models",
        "run_id": run["id"],
        "data_fingerprint": "a1" * 32,
        "split_fingerprint": "b2" * 32,
        "roc_auc": 0.9171 + day / 1000,
    }


def snapshot(day, auc, folds):
    return {
        "snapshot": day,
        "is_sealed_test": folds == 0,
        "n_rows": 311,
        "decline_rate": 0.3955,
        "roc_auc": {"value": auc, "low": auc - 0.0312, "high": auc + 0.0287},
        "n_folds": folds,
    }


def left_out(state, reason, i):
    return {
        "id": f"{i:08x}",
        "study": "models",
        "overrides": ["model=knn", f"sampler=s{i}"],
        "state": state,
        "reason": reason,
    }


@pytest.fixture(scope="session", autouse=True)
def shared_charts():
    """Pages share the charts they have in common."""
    shared = SharedCharts()
    with mock.patch("retain.report.page.page.render_charts", shared):
        yield shared


@pytest.fixture(scope="session")
def charts_of(shared_charts):
    """The charts of a verdict: ``charts_of(tree, language)``; shared, so nobody may change them."""
    return shared_charts.charts


@pytest.fixture(scope="session")
def tree_of():
    """Makes a tree: ``tree_of(runs, folds=…)``."""
    return make_tree


@pytest.fixture(scope="session")
def made():
    """A tree of 30 runs with every optional part; not to be changed."""
    return make_tree()


@pytest.fixture
def tree(made):
    """The same, to be changed at will."""
    return copy.deepcopy(made)


@pytest.fixture(scope="session")
def html(made):
    """Its page in English."""
    return page(made, "en")


@pytest.fixture(scope="session")
def verdict(tmp_path_factory, fork_server):
    """The folder of a verdict as the commands write it, of a small study of the demo store."""
    from retain.cli.compare import compare
    from retain.cli.run import run, run_command

    study = ("study.name=small", "model=dummy,logreg,tree")
    axes = ("sampler=none,smote,smotenc", "features.product=true,false")
    off = ("features.communication=false", "features.purchase=false")
    size = ("data.customers=240", "validation.folds=3", "validation.repeats=2")
    with contextlib.chdir(tmp_path_factory.mktemp("verdict")):
        assert run_command(run, ("-m", *study, *axes, *off, *size), "run") == 0
        words = ("study=small", "resamples=100", "gate.roc_auc=0.99", "gate.brier=0.9")
        assert run_command(compare, words, "compare") == 3
        return Path("outputs/small/verdict").resolve()


@pytest.fixture(scope="session")
def many(tree_of):
    """Ten thousand runs, and their page."""
    tree = tree_of(10_000, folds=50)
    return tree, page(tree, "en")


@pytest.fixture(scope="session")
def paired_interval():
    """Mean and corrected interval of differences, independent of the page."""
    return interval


def texts_of(figure):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    found = [text for text in figure.findobj(Text) if text.get_text().strip()]
    return [(t.get_text(), t.get_window_extent(renderer)) for t in found if t.get_visible()]


def assert_apart(boxes, chart):
    page = chart.figure.bbox
    for text, box in boxes:
        assert box.x0 >= 0, (chart.name, text)
        assert box.x1 <= page.x1, (chart.name, text)
        assert box.y0 >= 0, (chart.name, text)
        assert box.y1 <= page.y1, (chart.name, text)
    for i, (text, box) in enumerate(boxes):
        for other, its in boxes[i + 1 :]:
            over = min(box.x1, its.x1) - max(box.x0, its.x0)
            under = min(box.y1, its.y1) - max(box.y0, its.y0)
            assert over <= 1 or under <= 1.5, (chart.name, text, other)


@pytest.fixture(scope="session")
def apart():
    """Asserts that no text of a chart is cut off or covers another: ``apart(chart)``.

    A chart that was looked at is not looked at again.
    """
    seen = {}

    def look(chart):
        if id(chart) not in seen:
            with chart_style():
                assert_apart(texts_of(chart.figure), chart)
            seen[id(chart)] = chart

    return look


UNFOLD = "document.querySelectorAll('details.part').forEach((one) => { one.open = true; })"


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a page's HTML from disk, without a network: ``opened(html, width=…, dark=…)``.

    The parts for analysts are unfolded, unless ``folded`` leaves the page as it opens.
    Closing it asserts that nothing was asked of a network and nothing went wrong in the console.
    """
    contexts, wrong = [], []

    def listen(view):
        view.on("pageerror", lambda error: wrong.append(str(error)))
        view.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        view.on(
            "request",
            lambda r: None if r.url.startswith("file:") else wrong.append(r.url),
        )

    def show(html, *, width=1280, height=900, dark=False, folded=False):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            offline=True,
        )
        contexts.append(context)
        view = context.new_page()
        listen(view)
        file = tmp_path / f"report-{len(contexts)}.html"
        file.write_text(html, encoding="utf-8")
        view.goto(file.as_uri())
        if not folded:
            view.evaluate(UNFOLD)
        return view

    yield show
    for context in contexts:
        context.close()
    assert wrong == []
