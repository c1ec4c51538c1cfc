"""What the terminal says of the measured effects that a plan goes by."""

from retain.cli.terminal.offer_effects import describe_offer_effects
from retain.record.effects_document import EffectSource, MeasuredOfferInfo, PlanEffectsInfo
from retain.record.estimates import Estimate


def make_effects(**changes):
    """Effects of a mailing on sales that are worth 50 each."""
    call = MeasuredOfferInfo(
        offer="call",
        effect=Estimate(13.5, 9.25, 17.75),
        p=None,
        shrinkage=0.0,
        n_customers=900,
        n_unlike=0,
        n_harmed=0,
    )
    found = PlanEffectsInfo(
        learner="mean",
        outcome="sale",
        unit="money",
        is_heterogeneous=False,
        sources=(EffectSource(name="spring", sha256="0" * 64, n_customers=900),),
        offers=(call,),
        prior_offers=(),
        unknown_arms=(),
        unshared_covariates=(),
    )
    return found.model_copy(update=changes)


def test_an_effect_in_money_is_not_said_in_the_outcomes_name():
    _, effect = describe_offer_effects(make_effects())
    assert "call: +13.5 in money per customer (95 % CI" in effect
    assert "sale" not in effect
