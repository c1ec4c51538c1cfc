"""The lines of "How to reproduce" stand for the runs that were compared, and for no others."""

import itertools
import shlex

import pytest

from retain.cli.overrides import parse_args
from retain.cli.sweep_axes import expand_axes
from retain.execution.yaml_writer import to_yaml
from retain.record.directory import RunDirectory
from retain.record.study import StudyDirectory
from retain.workflows.launch_commands import format_commands
from retain.workflows.runs import RunSelection


def grid(**axes):
    """The overrides of each run of a sweep."""
    pairs = ([f"{key}={value}" for value in values] for key, values in axes.items())
    return [tuple(texts) for texts in itertools.product(*pairs)]


@pytest.fixture
def launches(tmp_path, make_record, monkeypatch):
    """Make the launch lines of runs with the given overrides, of a study of the given sweep."""
    monkeypatch.chdir(tmp_path)

    def make(overrides, swept=None, folders=()):
        study = tmp_path / "outputs" / "mine"
        runs = [
            (RunDirectory(study / str(i)), make_record(id=f"{i:08x}", overrides=texts))
            for i, texts in enumerate(overrides)
        ]
        for run, _ in runs:
            run.hydra.mkdir(parents=True)
            paths = [f"file://{folder}" for folder in folders]
            node = {"sweeper": {"params": swept}, "searchpath": paths}
            (run.hydra / "hydra.yaml").write_text(to_yaml({"hydra": node}))
        selection = RunSelection(StudyDirectory(study), ("mine",), tuple(runs), (), 0, 0)
        *lines, _ = format_commands(selection, ())
        return lines

    return make


def runs_of(lines):
    """The overrides of all runs that the lines launch."""
    found = []
    for line in lines:
        arguments = parse_args(shlex.split(line)[1:])
        texts = [axis.texts for axis in expand_axes(arguments.overrides)]
        assert arguments.multirun == any(len(options) > 1 for options in texts)
        found += [frozenset(run) for run in itertools.product(*texts)]
    return found


ONE = grid(study=["a"], model=["svc", "knn"], seed=["0", "1"])


@pytest.mark.parametrize(
    ("overrides", "n_lines"),
    [
        (ONE, 1),
        (ONE + grid(study=["a"], model=["tree"], seed=["0"]), 2),
        (ONE + grid(study=["a"], model=["tree"], seed=["0", "1"]), 1),
        (ONE + grid(study=["a"], model=["tree"]), 2),
        (ONE + grid(study=["b"], model=["tree"], seed=["0", "1"]), 2),
        (ONE[:3], 2),
        (grid(model=["svc"], **{"~sampler": [""]}), 1),
        ([()], 1),
        (grid(**{"data.path": ["'a, b.csv'", "c.csv"], "model": ["svc", "knn"]}), 1),
    ],
)
def test_the_lines_launch_exactly_the_runs(launches, overrides, n_lines):
    lines = launches(overrides)
    assert len(lines) == n_lines, lines
    found = runs_of([line.replace("~sampler", "~sampler=") for line in lines])
    assert sorted(map(sorted, found)) == sorted(map(sorted, overrides))


def test_baselines_are_made_by_the_line_of_their_study(launches):
    runs = grid(study=["demo"], model=["svc", "knn"], sampler=["none", "smote"])
    baseline = grid(study=["demo"], model=["recency_rule"])
    lines = launches(runs + baseline, swept={"model": "a,b", "sampler": "none,smote"})
    assert lines == ["retain -m study=demo model=svc,knn sampler=none,smote"]


def test_a_deleted_key_is_typed_without_a_value(launches):
    assert launches([("~tuning", "model=svc")]) == ["retain '~tuning' model=svc"]


def test_the_folders_of_configs_are_in_the_line(launches, tmp_path):
    lines = launches(grid(model=["mine", "svc"]), folders=[tmp_path / "my configs"])
    assert lines == ["retain -m model=mine,svc -cd 'my configs'"]


def test_words_that_change_how_fast_runs_are_done_join_launches(launches):
    assert launches([("model=svc", "workers=2"), ("model=knn",)]) == ["retain -m model=svc,knn"]
