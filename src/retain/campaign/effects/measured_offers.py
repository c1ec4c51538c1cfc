"""Effects learned from trials as those of a catalogue's offers on the customers of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retain.campaign.audience import Audience
from retain.campaign.effects.learners import LearnedEffects
from retain.campaign.effects.overlap import find_comparable, select_covariates
from retain.campaign.effects.pooling import PooledTrial, find_folds
from retain.campaign.offers.measured import MeasuredMoney, MeasuredOffer, MeasuredOffers
from retain.campaign.readout.campaign_trial import RISK
from retain.campaign.readout.save_rates import match_beta
from retain.errors import RetainError
from retain.record.effects_document import EffectSource, MeasuredOfferInfo, PlanEffectsInfo
from retain.record.estimates import Estimate
from retain.schema.campaign import Beta, Catalogue

Z = 1.96


def measure_offers(
    audience: Audience,
    catalogue: Catalogue,
    learned: LearnedEffects,
    pooled: PooledTrial,
    sources: Sequence[EffectSource],
) -> MeasuredOffers:
    """Return the measured offers of a catalogue for an audience.

    An effect on declines lies between the customer's risk, as more cannot be saved, and what would
    make the decline certain.

    Raises
    ------
    RetainError
        The audience lacks a covariate, or effects are money and it has no profit.
    """
    trial = learned.trial
    is_money = not trial.outcome.is_stay
    if is_money and not audience.with_profit:
        raise RetainError(
            "effects.from: effects are money, and without profit each customer counts as one; "
            "expected campaigns that measured declines, or data.profit=COLUMN."
        )
    known = audience.features.assign(**{RISK: audience.table[RISK]})
    covariates = select_covariates(known, trial.covariates)
    own = pd.Index(pooled.customers.loc[trial.ids])
    fold = find_folds(own, learned.scores.fold, audience.table.index)
    effects = pooled.value * learned.predict(covariates, fold)
    risk = audience.table[RISK].to_numpy(dtype=float)
    if not is_money:
        effects = np.clip(effects, risk[:, None] - 1, risk[:, None])
    measured, infos, rates = {}, [], {}
    for arm, name in enumerate(trial.arms[1:], start=1):
        found = _ArmMean.of(learned, arm, pooled.value)
        comparable = find_comparable(covariates, trial.covariates[found.rows])
        base = float(risk[comparable].mean() if comparable.any() else risk.mean())
        expected = found.mean
        if not is_money:
            rates[name] = match_beta(found.mean / base, (found.error / base) ** 2)
            expected = rates[name].mean * base
        measured[name] = MeasuredOffer(
            base_risk=base,
            difference=effects[:, arm] - expected,
            difference_error=float(learned.fitted.shrinkage.relative_error[arm]),
            comparable=comparable,
            money=MeasuredMoney(found.mean, found.error) if is_money else None,
        )
        infos.append(_describe(learned, arm, found, comparable, effects[:, arm]))
    return MeasuredOffers(
        catalogue=_with_save_rates(catalogue, rates),
        info=PlanEffectsInfo(
            learner=learned.spec.learner,
            outcome=trial.outcome.name,
            unit="money" if is_money else "declines",
            is_heterogeneous=learned.is_heterogeneous,
            sources=tuple(sources),
            offers=tuple(infos),
            prior_offers=tuple(
                name for name in catalogue.offers if name not in {*measured, *pooled.small_offers}
            ),
            small_offers=pooled.small_offers,
            unknown_arms=pooled.unknown_arms,
            unshared_covariates=pooled.unshared,
        ),
        offers=measured,
    )


@dataclass(frozen=True)
class _ArmMean:
    """The mean effect of an arm on the customers who could get it, a mask over the trial.

    In money, if that is what the outcome is worth.
    """

    rows: np.ndarray
    mean: float
    error: float

    @classmethod
    def of(cls, learned: LearnedEffects, arm: int, value: float) -> _ArmMean:
        contrasts = value * learned.scores.contrasts[:, arm]
        rows = np.isfinite(contrasts)
        error = contrasts[rows].std(ddof=1) / rows.sum() ** 0.5
        return cls(rows, float(contrasts[rows].mean()), float(error))


def _describe(
    learned: LearnedEffects, arm: int, found: _ArmMean, comparable: np.ndarray, effect: np.ndarray
) -> MeasuredOfferInfo:
    tests = {one.arm: one.p for one in learned.heterogeneity}
    name, reach = learned.trial.arms[arm], Z * found.error
    return MeasuredOfferInfo(
        offer=name,
        effect=Estimate(found.mean, found.mean - reach, found.mean + reach),
        p=tests.get(name),
        shrinkage=float(learned.fitted.shrinkage.factor[arm]),
        n_customers=int(found.rows.sum()),
        n_unlike=int((~comparable).sum()),
        n_harmed=int((comparable & (effect <= 0)).sum()),
    )


def _with_save_rates(catalogue: Catalogue, rates: dict[str, Beta]) -> Catalogue:
    offers = {
        name: offer.model_copy(update={"save_rate": rates.get(name, offer.save_rate)})
        for name, offer in catalogue.offers.items()
    }
    return catalogue.model_copy(update={"offers": offers})
