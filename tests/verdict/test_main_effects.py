import numpy as np
import pytest

from retain.verdict.verdict import compare_runs

GAINS = {"model": {"svc": 0.0, "tree": -0.05}, "sampler": {"none": 0.0, "smote": -0.01}}


@pytest.fixture
def grid(make_record):
    """Runs of a grid whose axes add up: what each axis is worth is known."""

    def made(*, without=(), site=(True, False), noise=0.004):
        random = np.random.default_rng(0)
        records = []
        for model, worth in GAINS["model"].items():
            for sampler, cost in GAINS["sampler"].items():
                for on in site:
                    if (model, sampler, on) in without:
                        continue
                    mean = 0.9 + worth + cost - 0.02 * (not on)
                    auc = tuple(mean + random.normal(0, noise, 6))
                    record = make_record(
                        id=f"{len(records):08x}",
                        auc=auc,
                        model={"name": model},
                        sampler={"name": sampler},
                    )
                    config = {**record.config, "features": {"site": on}}
                    records.append(record.model_copy(update={"config": config}))
        return records

    return made


def found(records, comparison):
    return {effect.factor: effect for effect in compare_runs(records, comparison).effects}


def test_what_each_axis_is_worth_is_recovered(grid, comparison):
    effects = found(grid(), comparison)
    assert list(effects) == ["model", "features.site", "sampler"], "the largest first"
    (tree,) = effects["model"].levels
    assert effects["model"].reference == "svc"
    assert (tree.level, tree.n_pairs) == ("tree", 4)
    assert tree.difference.low < -0.05 < tree.difference.high
    assert tree.p < 0.001
    (site,) = effects["features.site"].levels
    assert (effects["features.site"].reference, site.level) == (False, True)
    assert site.difference.low < 0.02 < site.difference.high
    (smote,) = effects["sampler"].levels
    assert effects["sampler"].reference == "none"
    assert smote.difference.low < -0.01 < smote.difference.high


# Only what differs in one axis alone is a pair: a hole takes its partner out with it.
def test_a_hole_is_named_and_not_filled(grid, comparison):
    whole, holed = (
        found(grid(), comparison),
        found(grid(without=[("tree", "smote", True)]), comparison),
    )
    assert all(effect.missing_runs.n_runs == 0 for effect in whole.values())
    assert holed["model"].levels[0].n_pairs == 3
    assert holed["model"].missing_runs.n_runs == 1
    assert holed["model"].missing_runs.examples == (
        {"model": "tree", "sampler": "smote", "features.site": "True", "reason": "no record"},
    )


def test_a_hole_has_the_reason_of_the_run_that_is_not_there(grid, comparison, make_record):
    records = grid(without=[("tree", "smote", True)])
    no = make_record(
        id="ffffffff",
        state="not_applicable",
        reason="smote has nothing to do here",
        metrics={},
        model={"name": "tree"},
        sampler={"name": "smote"},
    )
    no = no.model_copy(update={"config": {**no.config, "features": {"site": True}}})
    (example,) = found([*records, no], comparison)["model"].missing_runs.examples
    assert example["reason"] == "not applicable: smote has nothing to do here"


# The parameters of a component that failed are its own: the hole is that of the component.
def test_a_hole_has_its_reason_whatever_parameters_the_run_had(grid, comparison, make_record):
    records = grid(without=[("tree", "smote", True)])
    deep = records[0].config["model"] | {"C": 1.0}
    records.append(
        records[0].model_copy(
            update={"id": "eeeeeeee", "config": {**records[0].config, "model": deep}}
        )
    )
    failed = make_record(
        id="ffffffff",
        state="failed",
        reason="too deep",
        metrics={},
        model={"name": "tree", "C": 9.0},
        sampler={"name": "smote"},
    )
    failed = failed.model_copy(update={"config": {**failed.config, "features": {"site": True}}})
    (example,) = found([*records, failed], comparison)["model"].missing_runs.examples
    assert example["reason"] == "failed: too deep"


# A mean over other folds is no partner: a run that was stopped is a hole.
def test_a_run_that_a_race_stopped_is_in_no_pair(grid, comparison):
    records = grid()
    last = records[-1]
    short = {
        name: metric.model_copy(update={"fold_values": metric.fold_values[:3]})
        for name, metric in last.metrics.items()
    }
    records[-1] = last.model_copy(update={"metrics": short, "stopped_early": True})
    effect = found(records, comparison)["model"]
    assert effect.levels[0].n_pairs == 3
    assert effect.missing_runs.examples[0]["reason"] == "stopped by the race after 3 folds"


def test_a_parameter_is_an_axis_of_the_runs_whose_component_has_it(make_record, comparison):
    records = [
        make_record(id=f"{c}", auc=(0.9 + c / 100,) * 5 + (0.91,), model={"name": "svc", "C": c})
        for c in (1, 2)
    ]
    records.append(make_record(id="9", auc=(0.7, 0.71) * 3, model={"name": "tree"}))
    effects = found(records, comparison)
    assert effects["model.C"].missing_runs.n_runs == 0
    assert effects["model.C"].levels[0].n_pairs == 1
    assert effects["model"].levels[0].n_pairs == 1, "the mean over the parameter's values"


def test_one_run_moves_nothing(make_record, comparison):
    assert compare_runs([make_record()], comparison).effects == ()


# p is corrected for how many levels of how many axes were looked at.
def test_the_p_of_an_effect_is_no_smaller_than_that_of_its_axis_alone(grid, comparison):
    both = found(grid(), comparison)["sampler"].levels[0].p
    alone = found([r for r in grid() if r.config["model"]["name"] == "svc"], comparison)
    assert 0 < both <= 1
    assert len(alone) == 2


# Two svc that differ in C against one tree were called one pair with all else equal.
def test_runs_that_differ_in_their_own_parameters_are_counted_on_each_side(
    grid, comparison, make_record
):
    records = [record for record in grid() if record.config["model"]["name"] == "svc"]
    records = [
        record.model_copy(
            update={
                "id": f"{c}{record.id[1:]}",
                "config": {**record.config, "model": {"name": "svc", "C": c}},
            }
        )
        for record in records
        for c in (1, 2, 3)
    ]
    trees = [record for record in grid() if record.config["model"]["name"] == "tree"]
    effects = found([*records, *trees], comparison)
    (tree,) = effects["model"].levels
    assert {tree.n_pairs, tree.n_runs, tree.n_reference_runs} == {4, 12}
    assert max(tree.n_runs, tree.n_reference_runs) == 12
    (site,) = effects["features.site"].levels
    assert (site.n_pairs, site.n_runs, site.n_reference_runs) == (8, 8, 8)
