"""The benchmark of sweeps, with works so small that they prove it runs and measure nothing."""

import contextlib
import doctest
import importlib
import subprocess
import sys
import types
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
import yaml

from retain.record.document import identity, slug_of
from retain.record.study import StudyDirectory
from retain.schema.parsing import parse
from retain.schema.run import Run

pytestmark = [pytest.mark.slow, pytest.mark.no_cover]

COMMANDS = {"retain": "run", "retain-compare": "compare"}
"""The modules of the commands that are timed, by their names."""
WITHOUT_PLUGIN = not find_spec("hydra_plugins") or not find_spec(
    "hydra_plugins.hydra_joblib_launcher"
)


@pytest.fixture(scope="module")
def benchmark(checkout, launch):
    """Imports a script; the scripts' own folder is where they look for each other.

    Their commands of retain are forked from a process that has imported everything.
    """

    def start(command, *, cwd, env, **streams):
        name = Path(command[0]).name
        if name not in COMMANDS:
            return subprocess.Popen(command, cwd=cwd, env=env, **streams)
        with contextlib.chdir(cwd):
            return launch(*command[1:], command=COMMANDS[name], **env)

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(checkout / "experiments" / "benchmarks"))
        measuring = importlib.import_module("measuring")
        popen = types.SimpleNamespace(Popen=start, STDOUT=subprocess.STDOUT)
        patch.setattr(measuring, "subprocess", popen)
        yield importlib.import_module


@pytest.fixture(scope="module")
def stage(benchmark, tmp_path_factory):
    """Four runs with everything a work can have: a grid, margins, a sampler, fewer features."""
    works = benchmark("works")
    tiny = works.Work(
        name="tiny",
        told="4 runs",
        customers=60,
        grids=[works.Grid("svc"), works.Grid("tree", {"max_depth": [2]})],
        samplers=["smote"],
        features=["all", "no_site"],
        targets={works.DRY: "< 5"},
    )
    return benchmark("stage").set_up(tiny, tmp_path_factory.mktemp("stage"), workers=2)


@pytest.fixture(scope="module")
def done(benchmark, stage):
    """A round of retain and the bare peer."""
    return benchmark("rounds").one_round(stage, stage.folder / "round", ["retain", "L"])


def test_the_runs_that_were_not_fitted_are_counted(benchmark, stage, done, tmp_path, make_record):
    rounds = benchmark("rounds")
    figure = "share of the runs of lightgbm that were cut from the fits of longer ones"
    assert not any(name.startswith("share of the runs") for name in done.figures)
    study = StudyDirectory(tmp_path / "study")
    for id_, seconds in (("aaaaaaaa", {"fit": 1.0, "cut": 0.1}), ("bbbbbbbb", {"cut": 0.1})):
        run = study.run("lightgbm", id_)
        run.path.mkdir(parents=True)
        record = make_record(id=id_, model={"name": "lightgbm"}, seconds=seconds)
        run.record.write_text(record.model_dump_json(by_alias=True), encoding="utf-8")
    told = rounds.Round()
    rounds._cuts(study.path, told)
    assert told.figures == {figure: 0.5}


# Were the work not the same, its time would say nothing.
def test_retain_and_bare_joblib_come_to_the_same_scores(benchmark, stage, done):
    message = "largest difference of a fold's ROC-AUC between retain and L"
    assert done.figures[message] < 1e-12
    works = benchmark("works")
    assert 0 < done.figures[works.FIRST] <= done.taken["retain"].seconds
    assert done.figures[works.DRY] > 0
    text = benchmark("report").told(stage.work, [done])
    assert "One round" in text
    assert "retain against it" in text


@pytest.mark.skipif(WITHOUT_PLUGIN, reason="hydra-joblib-launcher is missing: extra bench")
def test_plain_hydra_under_joblib_comes_to_the_same_scores(benchmark, stage, done):
    peer, out = benchmark("contestants").CONTESTANTS["b"], stage.folder / "b"
    benchmark("measuring").measure(peer.command(stage, out), out)
    assert len(peer.scores(stage, out)) == 4
    assert peer.scores(stage, out) == peer.scores(stage, stage.folder / "round" / "L")


def test_a_contestant_that_fails_is_told_with_its_last_words(benchmark, tmp_path):
    measure = benchmark("measuring").measure
    with pytest.raises(RuntimeError, match=r"ended with 3:\nno such thing"):
        measure(["sh", "-c", "echo no such thing; exit 3"], tmp_path / "out")


def test_memory_is_that_of_the_whole_tree(benchmark, tmp_path):
    hold = f"'{sys.executable}' -c 'import time; held = [0] * 8_000_000; time.sleep(1.5)'"
    both = f"{hold} & {hold}; wait"
    taken = benchmark("measuring").measure(["sh", "-c", both], tmp_path / "out", memory=True)
    assert taken.peak > 110


def test_the_works_are_as_large_as_they_say(benchmark):
    works = benchmark("works").WORKS
    assert {name: len(work.runs) for name, work in works.items()} == {
        "W1": 63,
        "W2": 1000,
        "W3": 24,
        "W4": 240,
    }
    for name in ("W2", "W4"):
        assert len({str(model) for model in works[name].models.values()}) == len(works[name].runs)


# The peers keep their own files, so that they can be read without ours.
def test_the_peers_options_are_those_of_retain_without_threads(checkout):
    theirs = checkout / "experiments" / "benchmarks" / "peers" / "conf"
    compared = 0
    for path in [*theirs.glob("model/*.yaml"), *theirs.glob("sampler/*.yaml")]:
        peer = yaml.safe_load(path.read_text())
        peer = peer.get("use", peer) or {"_target_": None}
        shipped = checkout / "conf" / path.relative_to(theirs)
        ours = yaml.safe_load(shipped.read_text().replace("${seed}", "0"))
        ours = {
            k: v
            for k, v in ours.items()
            if k not in ("name", "thread_count", "search") and v != "${threads}"
        }
        if "class_weight" in ours:
            assert ours.pop("class_weight") is None
        peer.pop("allow_writing_files", None)  # retain lets no library write, whatever is typed
        assert peer == ours, path.name
        compared += 1
    assert compared == 12


@pytest.fixture(scope="module")
def invented(benchmark, tmp_path_factory):
    """A study of nine finished runs that nobody ran."""
    study = StudyDirectory(tmp_path_factory.mktemp("invented") / "invented")
    benchmark("finished").finish(study, 9, customers=120)
    return study


def test_invented_runs_are_as_retain_would_write_them(invented):
    records = [run.read() for run in invented.runs()]
    assert len({record.id for record in records}) == 9
    assert all(record.id == identity(record.config) for record in records)
    assert all(parse(Run, record.config) for record in records)
    assert {record.config["model"]["name"] for record in records} == {"logreg", "tree", "knn"}
    best = max(records, key=lambda record: record.metrics["roc_auc"].value)
    assert invented.run(slug_of(best.config), best.id).scores.is_file()
    assert {len(metric.fold_values) for metric in best.metrics.values()} == {10}
    assert len(best.metrics) == 11


# The winner's customers are made again, so that all of a comparison is timed.
def test_both_comparisons_rank_every_invented_run(benchmark, invented, tmp_path):
    comparison = benchmark("comparison")
    done = comparison.one_round(invented, tmp_path / "round", 9)
    assert done.figures[comparison.RATIO] > 0
    assert invented.ledger.is_file()
    assert "9 finished runs" in comparison.told(9, [done])
    table = tmp_path / "round" / "peer" / "leaderboard.csv"
    with pytest.raises(RuntimeError, match=r"not the same work: .* of 10 runs"):
        comparison.refuse_other_work(invented.leaderboard, table, 10)


def test_the_dashboard_is_timed_in_the_browser(benchmark, browser, invented):
    dashboard = benchmark("dashboard")
    done = dashboard.one_round(browser, invented, None, None)
    assert done.figures.keys() >= dashboard.TARGETS.keys()
    assert "9 finished runs" in dashboard.told(9, [done])


def test_a_section_is_rewritten_and_the_rest_stays(benchmark, tmp_path):
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- W1 begin -->\nold\n<!-- W1 end -->\nafter\n")
    rewrite = benchmark("report").rewrite
    rewrite("W1", r"new \1", page)
    assert page.read_text() == ("before\n<!-- W1 begin -->\n\nnew \\1\n\n<!-- W1 end -->\nafter\n")
    with pytest.raises(ValueError, match="lacks <!-- W2 begin -->"):
        rewrite("W2", "", page)


def test_the_page_has_a_place_for_every_work(benchmark):
    page = benchmark("report").README.read_text(encoding="utf-8")
    for name in (
        *benchmark("works").WORKS,
        "start",
        "comparison",
        "dashboard",
        benchmark("racing").SECTION,
        "value",
        benchmark("scoring").SECTION,
    ):
        assert f"<!-- {name} begin -->" in page


def test_a_race_is_held_to_the_tied_set_of_the_full_sweep(benchmark, make_record):
    script = benchmark("racing")
    groups = dict.fromkeys(script.SWITCHED, True)

    def record(id_, *auc, **changes):
        made = make_record(id=id_, auc=auc, **changes)
        return made.model_copy(update={"config": {**made.config, "features": groups}})

    best, worse = (0.91, 0.90, 0.92, 0.91, 0.90, 0.92), (0.70, 0.69, 0.72, 0.70, 0.71, 0.70)
    full = script.Sweep({"aa": record("aa", *best), "bb": record("bb", *worse)}, 10.0)
    early = record("bb", *worse[:3], stopped_early=True, seconds={"fit": 0.75})
    result = script.told(full, script.Sweep({"aa": full.records["aa"], "bb": early}, 8.0))
    assert "| fit, s | 3.0 | 2.2 | 0.75 |" in result
    assert "| fits | 12 | 9 | 0.75 |" in result
    assert "winner is rank 1 there" in result
    assert "(p = 1, corrected 1): tied." in result
    late = script.Sweep({"bb": record("bb", *worse)}, 8.0)
    assert "NOT tied." in script.told(full, script.Sweep({"aa": early, **late.records}, 8.0))
    # Folds alike in any order: the worse one goes as soon as it may, after three of six.
    (race, *others) = benchmark("orders").tried(full.records, alpha=0.05)
    assert (race.share, race.tied, race.lost, race.ties) == (0.75, True, 0, 1)
    assert {one.share for one in others} == {0.75}


def test_the_examples_of_the_benchmark_hold(benchmark):
    for name in ("works", "report"):
        assert doctest.testmod(benchmark(name)) != (0, 0)
        assert doctest.testmod(benchmark(name)).failed == 0


# Were the explainer another one than the winner's, the ratio would say nothing.
def test_drivers_are_timed_against_the_bare_call(benchmark, tmp_path):
    text = benchmark("drivers").zoo(tmp_path / "zoo", 60, 1, ["tree", "knn"], folds=3)
    rows = [line.split("|") for line in text.splitlines()[-2:]]
    assert [row[1].strip() for row in rows] == ["tree", "knn"]
    assert [row[2].strip() for row in rows] == ["tree", "sampled"]
    assert all(float(row[-2]) > 0 for row in rows)


# Were the intervals not the same, the time of one would say nothing of the other.
def test_both_monte_carlos_come_to_the_same_interval(benchmark, tmp_path):
    script = benchmark("value")
    done = script.one_round(tmp_path / "round", 3000, 100)
    assert done.figures[script.APART] < 1e-5
    assert done.figures[script.PEAK] > 50
    parts = [one for name, one in done.figures.items() if name.startswith("of which")]
    assert done.figures[script.MONEY] == sum(parts) > 0
    text = script.told(3000, 100, [done])
    assert "3,000 customers × 100 draws" in text
    assert "< 1907 (2 GB)" in text


# What the whole command does must hold both halves, or their ratio would say nothing.
def test_scoring_is_timed_against_reading_and_the_bare_predict(benchmark, tmp_path):
    from retain.customers.demo import write

    script, new = benchmark("scoring"), tmp_path / "new"
    write(new, customers=300, seed=5)
    done = script.one_round(script.trained(tmp_path / "made", "tree", 150), new, 300)
    for name in script.LIMITS:
        assert done[name].wall > done["read"].wall > done["plain"].wall > 0
        row = script.told("tree", name, [done]).split("|")
        assert float(row[6]) == pytest.approx(script.ratio(done, name), abs=0.01)
    plans = [pd.read_csv(path) for path in (tmp_path / "scored").glob("campaigns/*/offers.csv")]
    assert 0 < min(map(len, plans)) <= 30
