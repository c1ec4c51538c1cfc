import numpy as np
import pytest

from retain.verdict.verdict import compare_runs


@pytest.fixture
def noise(make_record):
    """Many runs on a target that nothing tells, and one that ranks nobody."""
    random = np.random.default_rng(1)
    runs = [
        make_record(id=f"{i:08x}", auc=tuple(random.normal(0.5, 0.04, 6)), model={"name": f"m{i}"})
        for i in range(20)
    ]
    return [*runs, make_record(id="dddddddd", auc=(0.5,) * 6, model={"name": "dummy"})]


# The best of many runs on noise lies above .5 because it was chosen, not because it knows.
def test_on_noise_the_dummy_is_tied_and_nothing_beats_chance(noise, comparison):
    verdict = compare_runs(noise, comparison)
    assert verdict.best.metrics["roc_auc"].value > 0.5
    assert "dddddddd" in verdict.tied
    assert verdict.chance.tied == ("dddddddd",)
    assert not verdict.chance.beaten
    (caution,) = verdict.cautions
    assert caution.code == "chance"
    assert caution.sentence.startswith("No run is shown to rank customers better than chance")


def test_what_is_no_noise_beats_chance(noise, make_record, comparison):
    knows = make_record(id="aaaaaaaa", model={"name": "knows"})
    verdict = compare_runs([*noise, knows], comparison)
    assert verdict.chance.beaten
    assert verdict.chance.tied == ()
    assert verdict.cautions == []
    assert verdict.chance.sentence.startswith("The best run ranks customers better than chance")


def test_worse_than_chance_is_not_beating_it(make_record, comparison):
    verdict = compare_runs([make_record(auc=(0.1, 0.11, 0.12, 0.1, 0.11, 0.12))], comparison)
    assert not verdict.chance.beaten
