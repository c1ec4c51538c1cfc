"""A sweep put together from differences is the sweep Hydra would compose run by run."""

from __future__ import annotations

import pytest

from retain.cli.compose import Composer
from retain.cli.overrides import parse_args
from retain.cli.sweep_grid import DELETED, apply_patch, diff_trees
from retain.storage.paths import conf_dir

pytestmark = [pytest.mark.slow, pytest.mark.no_cover]

STUDIES = sorted(path.stem for path in (conf_dir() / "study").glob("*.yaml"))
LINES = {
    "values of a parameter": ["model=logreg,svc", "model.C=0.1,1,10"],
    "a value others refer to": ["model=tree,lightgbm", "seed=0,1", "threads=2"],
    "a value only one option has": ["model=blend,svc", "model.members.logreg.C=1,2"],
    "a value where the other option has a number": ["model=svc,tree", "model.C.deep=1,2"],
    "nodes within nodes": ["model=svc,tree", "+model.more={a: 1},{b: 2}", "model.more.a=3,4"],
    "options that change the same node": ["data=demo,one_click", "data/contract@data=one_click"],
    "lists, references, nothing": ["metrics.top_shares=[0.1],[0.2,0.3]", "seed=${threads},null"],
    "texts": ["model.kernel='rbf','a b',poly", "model=svc", "audit.duplicates=drop,group"],
    "what is taken away": ["model=svc,tree", "~model.random_state", "features.site=true,false"],
    "ranges": ["seed=range(0,3)", "model.tol=range(0,1,step=0.5)"],
    "a later override of the same key": ["seed=0,1", "seed=2", "model=svc,tree"],
    "hydra's own": ["hydra/launcher=submitit_local", "model=svc,tree", "hydra.launcher.jobs=3"],
}


def composer(*words, folders=()):
    flags = [flag for folder in folders for flag in ("-cd", str(folder))]
    return Composer(parse_args(["-m", *flags, *words]), "run")


def assert_as_hydra(composer):
    """Every run's tree, Hydra's own node included, is what one composition by Hydra gives."""
    with composer as one:
        for run_texts, tree in one.trees():
            assert tree == one._compose(run_texts)


@pytest.mark.parametrize("words", LINES.values(), ids=LINES)
def test_a_line_is_put_together_as_hydra_composes_it(words):
    assert_as_hydra(composer(*words))


@pytest.mark.parametrize("study", sorted({*STUDIES} - {"smoke", "samplers", "features", "full"}))
def test_a_study_is_put_together_as_hydra_composes_it(study):
    assert_as_hydra(composer(f"study={study}"))


def test_an_option_costs_one_composition_and_a_value_none():
    with composer("study=smoke", "seed=0,1") as one:
        assert len(list(one.trees())) == 2 * (15 * 4 + 9 + 4 + 4 + 2)
        assert len(one._composed) <= 1 + (15 + 3) + 9 + 4 + 4 + 2


@pytest.fixture
def mine(tmp_path):
    """A folder with options that choose other options."""

    def option(group, name, text):
        (tmp_path / group).mkdir(exist_ok=True)
        (tmp_path / group / f"{name}.yaml").write_text(text)

    option("pair", "a", "# @package _global_\ndefaults:\n  - override /model: svc\n")
    option("pair", "b", "# @package _global_\ndefaults:\n  - override /model: tree\nseed: 5\n")
    option("deep", "x", "# @package _global_\nthreads: 3\n")
    option("deep", "y", "# @package _global_\nthreads: 1\nseed: 7\n")
    return tmp_path


def test_options_that_choose_the_same_node_are_composed_together(mine):
    assert_as_hydra(composer("+pair=a,b", "+deep=x,y", "scaling=none,robust", folders=[mine]))


# The option that is chosen depends on two axes at once: no difference stands for itself.
def test_options_chosen_by_reference_are_composed_run_by_run(mine):
    (mine / "both").mkdir()
    for name, seed in (("svc_none", 1), ("svc_robust", 2), ("tree_none", 3), ("tree_robust", 4)):
        (mine / "both" / f"{name}.yaml").write_text(f"# @package _global_\nseed: {seed}\n")
    (mine / "pair" / "c.yaml").write_text(
        "# @package _global_\ndefaults:\n  - /both: ${pick}_${other}\nthreads: 2\n"
    )
    for group, names in (("pick", ("svc", "tree")), ("other", ("none", "robust"))):
        (mine / group).mkdir()
        for name in names:
            (mine / group / f"{name}.yaml").write_text("# @package _global_\ndry_run: true\n")
    line = composer("+pair=c", "+pick=svc,tree", "+other=none,robust", folders=[mine])
    assert_as_hydra(line)
    with line as one:
        assert [tree["seed"] for _, tree in one.trees()] == [1, 2, 3, 4]


def test_a_patch_of_the_changes_makes_the_other_tree():
    one = {"model": {"C": 1, "tol": 0}, "seed": 0, "hydra": {"choices": {"model": "svc"}}}
    other = {"model": {"depth": 3}, "seed": 0, "hydra": {"choices": {"sampler": "smote"}}}
    patch = diff_trees(one, other)
    assert apply_patch(one, patch) == other
    assert patch[("hydra", "choices", "model")] is DELETED
    assert ("seed",) not in patch
