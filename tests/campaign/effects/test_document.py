import json

import numpy as np
import pytest

from retain.campaign.effects.document import describe_effects
from retain.campaign.effects.learners import learn_effects
from retain.campaign.effects.policies import Payoff
from retain.record.documents import parse_document, to_tree
from retain.record.effects_document import EffectsDocument

from .trials import make_spec, make_trial

PAYOFF = Payoff(1.0, np.array([0.0, 0.5, 1.2]), "euro")


@pytest.fixture(scope="module")
def effects():
    return learn_effects(make_trial(900, slope=2.0), make_spec())


@pytest.fixture(scope="module")
def document(effects):
    return describe_effects(
        effects, PAYOFF, subgroup=effects.trial.covariates["channel"].to_numpy()
    )


def test_the_document_is_read_as_it_was_written(document):
    text = json.dumps(to_tree(document))
    assert parse_document(EffectsDocument, text, "effects.json") == document


def test_arms_have_their_mean_effect_and_its_heterogeneity(document):
    letter, call = document.arms
    assert (letter.arm, call.arm) == ("letter", "call")
    assert letter.mean.low < 1 < letter.mean.high
    assert letter.p < 0.001
    assert letter.slope.value == pytest.approx(1, abs=0.2)
    assert letter.shrinkage > 0.9
    assert document.is_heterogeneous


def test_measured_effects_rise_with_the_predicted_ones(document):
    bands = [one for one in document.calibration if one.arm == "letter"]
    assert [one.band for one in bands] == [1, 2, 3, 4, 5]
    assert {one.n for one in bands} == {180}
    for one in bands:
        assert one.effect.low < one.predicted < one.effect.high
    assert bands[-1].effect.low > bands[0].effect.high


def test_plans_curves_and_subgroups_are_told(document):
    assert document.chosen == "learned"
    assert (document.unit, document.outcome, document.control) == ("euro", "spend", "nothing")
    assert {one.policy for one in document.policies} >= {"nobody", "everybody: call", "learned"}
    assert len(document.curve) == 4 * 20
    assert {(one.subgroup, one.arm) for one in document.subgroups} == {
        (channel, arm) for channel in ("shop", "web") for arm in ("letter", "call")
    }


def test_one_effect_for_everybody_has_no_evidence_of_differences():
    document = describe_effects(learn_effects(make_trial(300), make_spec("mean")), PAYOFF)
    assert document.calibration == document.subgroups == ()
    assert [one.p for one in document.arms] == [None, None]
    assert not document.is_heterogeneous
