import dataclasses
import io
import time

import pytest
from rich.console import Console

from retain.cli.terminal.sweep import SweepView
from retain.execution.scheduling import CostModel

GOOD, BETTER = (0.90, 0.91, 0.92), (0.93, 0.94, 0.95)


@pytest.fixture
def watched(here, make_plan):
    """A view of tasks, left when records have been told; what it printed and showed last."""

    def made(tasks, records, done=(), *, terminal=False, width=80):
        console = Console(
            force_terminal=terminal, width=width, record=True, file=io.StringIO(), color_system=None
        )
        costs = CostModel(done)
        with SweepView(console, make_plan(tasks, done), costs, workers=2) as view:
            for record in records:
                costs.add(record)
                view.on_end(record)
        return console.export_text()

    return made


@pytest.fixture
def tasks(make_task):
    models = ("svc", "tree", "knn", "mlp", "catboost", "dummy")
    return [make_task(f"{n:08x}", model) for n, model in enumerate(models)]


@pytest.fixture
def endings(tasks, record_of):
    """A run of each state, the better one first."""
    return [
        record_of(tasks[1], auc=BETTER),
        record_of(tasks[2], auc=GOOD),
        record_of(tasks[3], "failed"),
        record_of(tasks[4], "not_applicable"),
    ]


def test_a_terminal_of_80_columns_shows_counts_time_to_go_and_the_best(
    watched, tasks, endings, record_of
):
    before = record_of(tasks[0], auc=GOOD, seconds=600.0)
    shown = watched(tasks, endings, [before], terminal=True).splitlines()
    bar, counts, best = shown[-3:]
    assert bar.startswith("models  ━━")
    assert "4/5  0:00:0" in bar
    assert bar.rstrip().endswith("to go")
    assert counts == "2 done · 1 failed · 1 not applicable · 1 skipped · 1 left"
    assert best == "best ROC-AUC 0.940 (95 % CI 0.930–0.950) model=tree"
    assert max(map(len, shown[-3:])) <= 80


def test_a_name_too_long_for_the_terminal_is_cut_and_no_line_wraps(watched, tasks, endings):
    shown = watched(tasks, endings, terminal=True, width=40).splitlines()
    assert shown[-1] == "best ROC-AUC 0.940 (95 % CI 0.930–0.950…"
    assert max(map(len, shown[-3:])) <= 40


def test_where_there_is_no_terminal_each_run_has_a_line(watched, tasks, endings):
    bare = [line.split("; ")[0] for line in watched(tasks, endings).splitlines()]
    assert bare == [
        "done model=tree  ROC-AUC 0.940 (95 % CI 0.930–0.950), best so far  (1 done · 5 left",
        "done model=knn  ROC-AUC 0.910 (95 % CI 0.900–0.920)  (2 done · 4 left",
        "failed model=mlp  (2 done · 1 failed · 3 left",
        "not applicable model=catboost  (2 done · 1 failed · 1 not applicable · 2 left",
        "best ROC-AUC 0.940 (95 % CI 0.930–0.950) model=tree",
    ]


def test_time_to_go_is_told_as_soon_as_a_cost_is_known(watched, tasks, record_of):
    first = record_of(tasks[0], "failed")
    second = record_of(tasks[1], seconds=60.0)
    result = watched(tasks, [first, second]).splitlines()
    assert result[0] == "failed model=svc  (1 failed · 5 left)"
    assert result[1].endswith("(1 done · 1 failed · 4 left; 0:02:00 to go)")


def test_a_run_done_before_may_be_the_best(watched, tasks, record_of):
    before = record_of(tasks[0], auc=BETTER)
    result = watched(tasks, [record_of(tasks[1], auc=GOOD)], [before]).splitlines()
    assert result[0] == "best ROC-AUC 0.940 (95 % CI 0.930–0.950) model=svc (done before)"
    assert "best so far" not in result[1]
    assert result[-1] == "best ROC-AUC 0.940 (95 % CI 0.930–0.950) model=svc"


def test_what_looks_like_markup_in_a_name_is_printed_as_typed(watched, tasks, record_of):
    odd = [*tasks[1:], dataclasses.replace(tasks[0], overrides=("a=[red]", "b={c: :smile:}"))]
    assert "done a=[red] b={c: :smile:}  ROC-AUC" in watched(odd, [record_of(odd[-1])])


# Against a margin of ten: this guards the order of growth, not the machine.
@pytest.mark.parametrize("terminal", [True, False])
def test_a_thousand_short_runs_cost_the_view_little(watched, make_task, record_of, terminal):
    tasks = [make_task(f"{n:08x}", "svc") for n in range(1000)]
    records = [record_of(task) for task in tasks]
    begun = time.process_time()
    watched(tasks, records, terminal=terminal)
    assert time.process_time() - begun < 10
