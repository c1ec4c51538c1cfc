import pytest

from retain.verdict.trees.matching import match_runs

LOGREG = {"name": "logreg", "_target_": "x.Y", "C": 1.0, "random_state": 0}
TREE = {"name": "tree", "_target_": "x.Z", "max_depth": 3, "random_state": 0}


@pytest.fixture
def run(make_record):
    def make(id_, model, seed=0, data="a.csv", overrides=("model=logreg",), **changes):
        record = make_record(
            id=id_, model={**model, "random_state": seed}, seed=seed, overrides=overrides, **changes
        )
        record.config.update(seed=seed, data={"name": "table", "path": data})
        return record

    return make


def ids(matching):
    return [(one.id, other.id) for one, other in matching.pairs]


def test_runs_with_the_same_id_are_paired_first(run):
    main = [run("1", LOGREG), run("2", LOGREG, seed=1)]
    branch = [run("2", LOGREG, seed=1), run("3", LOGREG, seed=2)]
    assert ids(match_runs(main, branch)) == [("1", "3"), ("2", "2")]


def test_another_seed_and_another_place_of_the_data_are_no_other_wish(run):
    main = [run("1", LOGREG), run("2", TREE)]
    branch = [run("3", TREE, seed=5, data="b.csv"), run("4", LOGREG, seed=5, data="b.csv")]
    assert ids(match_runs(main, branch)) == [("1", "4"), ("2", "3")]


def test_several_seeds_are_paired_in_their_order(run):
    main = [run("1", LOGREG, seed=1), run("0", LOGREG, seed=0)]
    branch = [run("6", LOGREG, seed=6), run("5", LOGREG, seed=5), run("7", LOGREG, seed=7)]
    found = match_runs(main, branch)
    assert ids(found) == [("1", "6"), ("0", "5")]
    assert [record.id for record in found.new] == ["7"]


def test_the_same_words_with_another_default_are_one_wish(run):
    main = [run("1", LOGREG, overrides=("model=logreg", "study.name=a", "data.path=a.csv"))]
    changed = {**LOGREG, "C": 2.0}
    branch = [run("2", changed, overrides=("seed=0", "model=logreg", "outputs=elsewhere"))]
    assert ids(match_runs(main, branch)) == [("1", "2")]


def test_what_was_asked_in_one_tree_only_is_new_or_gone(run):
    main = [run("1", LOGREG), run("2", TREE, overrides=("model=tree",))]
    branch = [run("1", LOGREG), run("3", {**TREE, "max_depth": 9}, overrides=("model=deep",))]
    found = match_runs(main, branch)
    assert ids(found) == [("1", "1")]
    assert [one.id for one in found.gone] == ["2"]
    assert [one.id for one in found.new] == ["3"]


def test_an_empty_tree_has_no_pairs(run):
    assert match_runs([], [run("1", LOGREG)]).new[0].id == "1"
    assert match_runs([run("1", LOGREG)], []).gone[0].id == "1"
