"""The effects of offers for a plan, learned anew from campaigns that were read out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retain.campaign.audience import Audience
from retain.campaign.effects.learners import LearnedEffects, learn_effects
from retain.campaign.effects.measured_offers import measure_offers
from retain.campaign.effects.pooling import NamedTrial, PooledTrial, pool_trials
from retain.campaign.effects.spec import EffectsSpec, build_effects_spec
from retain.campaign.offers.measured import MeasuredOffers
from retain.campaign.trial.saved_trial import read_trial
from retain.errors import NotApplicable, RetainError, did_you_mean, type_value
from retain.record.directory import CampaignDirectory, ReadoutDirectory
from retain.record.effects_document import EffectSource
from retain.record.trial_directory import TrialDirectory
from retain.schema.effects import PlanEffects
from retain.schema.scoring import CampaignSettings
from retain.storage.paths import parse_path

FROM = "effects.from"


@dataclass(frozen=True)
class OfferTrials:
    """The trials from which the effects of a catalogue's offers are learned."""

    spec: EffectsSpec
    pooled: PooledTrial
    sources: tuple[EffectSource, ...]

    def learn(self) -> OfferEffects:
        """Learn the effects.

        Raises
        ------
        RetainError
            The trials are too small.
        """
        try:
            return OfferEffects(self, learn_effects(self.pooled.trial, self.spec))
        except NotApplicable as reason:
            raise RetainError(f"{FROM}: no effects can be learned: {reason}.") from None


@dataclass(frozen=True)
class OfferEffects:
    """The effects of a catalogue's offers, learned from trials."""

    trials: OfferTrials
    learned: LearnedEffects

    def measure(self, audience: Audience, settings: CampaignSettings) -> MeasuredOffers:
        """Return the effects on the customers of an audience."""
        trials = self.trials
        return measure_offers(
            audience, settings.offers, self.learned, trials.pooled, trials.sources
        )


def read_offer_trials(
    effects: PlanEffects, settings: CampaignSettings, seed: int, threads: int
) -> OfferTrials | None:
    """Return the trials that a plan learns from; None if all its save rates are assumed.

    Raises
    ------
    RetainError
        A learner or the campaigns are missing, a folder holds no trial, or trials do not fit the
        catalogue or each other.
    """
    spec = build_effects_spec(effects, seed, threads)
    if spec is None and not effects.from_:
        return None
    if spec is None:
        raise RetainError.at(FROM, "no learner is named", "expected effects=dr_learner too")
    if not effects.from_:
        expected = "expected effects.from=[DIR,DIR], campaigns that were read out or trials"
        raise RetainError.at("effects", "it does not say from which campaigns to learn", expected)
    if not settings.campaign.on:
        raise RetainError.at(FROM, "campaign=none plans nothing", "expected effects=none too")
    found = [_read_trial(find_trial(text)) for text in effects.from_]
    sources = tuple(source for _, source in found)
    _check_different(effects.from_, sources)
    pooled = pool_trials([trial for trial, _ in found], list(settings.offers.offers))
    return OfferTrials(spec, pooled, sources)


def _read_trial(directory: TrialDirectory) -> tuple[NamedTrial, EffectSource]:
    trial, document = read_trial(directory)
    named = NamedTrial(document.name, trial, document.outcomes[0].value, document.small_arms)
    n = document.n_customers
    return named, EffectSource(name=document.name, sha256=document.table.sha256, n_customers=n)


def _check_different(typed: Sequence[str], sources: Sequence[EffectSource]) -> None:
    """Raise if a trial is named twice, whose customers would count twice."""
    first: dict[str, str] = {}
    for text, source in zip(typed, sources, strict=True):
        if (other := first.setdefault(source.sha256, text)) is not text:
            raise RetainError.at(FROM, f"{other} and {text} are one trial", "expected each once")


def find_trial(text: str) -> TrialDirectory:
    """Return the trial of a campaign, of a readout, or of an experiment, by its folder.

    Raises
    ------
    RetainError
        The folder holds none.
    """
    path = parse_path(FROM, text)
    campaign = CampaignDirectory(path)
    for found in (campaign.readout.trial, ReadoutDirectory(path).trial, TrialDirectory(path)):
        if found.trial_json.is_file():
            return found
    if campaign.campaign_json.is_file():
        readout = f"retain-readout {type_value('campaign', path)} outcomes=FILE effects=dr_learner"
        less = "or leave it out, if that says that no effects were learned"
        problem = f"{path} was not read out as a trial"
        raise RetainError.at(FROM, problem, f"type {readout}; {less}")
    names = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    hint = "" if path.exists() else did_you_mean(path.name, names)
    raise RetainError(
        f"{FROM}: {path} holds no trial.json; expected the folder of a campaign that was read out "
        f"with effects=dr_learner, or outputs/NAME/trial.{hint}"
    )
