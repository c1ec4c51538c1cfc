"""The offer catalogue and the settings of a campaign."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retain.cli.overrides import Arguments, Groups, quote_ids
from retain.errors import RetainError
from retain.storage.paths import conf_dir

if TYPE_CHECKING:
    from retain.campaign.audience import CampaignSettings
    from retain.record.document import Record
    from retain.schema.campaign import Assumption
    from retain.schema.compare import Compare


OFFERS_GROUP = "offers"
MIN_LOSS = 0.01
DEFAULT_CATALOGUE = "general"
"""The catalogue without features, for data without one of their own."""


def drop_offer_overrides(line: Arguments) -> Arguments:
    """Return the line without overrides of offers, unless it chooses a catalogue.

    >>> drop_offer_overrides(Arguments(("study=demo", "offers.letter.capacity=5"))).overrides
    ('study=demo',)
    """
    if _chosen_catalogue(line):
        return line
    kept = (text for text in line.overrides if not text.lstrip("+~").startswith(f"{OFFERS_GROUP}."))
    return replace(line, overrides=tuple(kept))


def _chosen_catalogue(line: Arguments) -> bool:
    return any(text.lstrip("+").startswith(f"{OFFERS_GROUP}=") for text in line.overrides)


def campaign_settings(line: Arguments, config: Compare, winner: Record) -> CampaignSettings:
    """Return segmentation, assumptions, catalogue and limits of a comparison.

    The default of ``offers`` is the catalogue with the name of the winner's data source, or
    ``general`` if there is none.

    Raises
    ------
    RetainError
        When a key of the catalogue is wrong.
    """
    from retain.campaign.audience import CampaignSettings

    catalogue = config.offers
    if catalogue is None:
        source = str((config.data or winner.config["data"])["name"])
        catalogues = Groups.among((conf_dir(), *line.config_dirs)).options.get(OFFERS_GROUP, ())
        named = source if source in catalogues else DEFAULT_CATALOGUE
        chosen = replace(line, overrides=(*line.overrides, f"{OFFERS_GROUP}={named}"))
        catalogue = compose_compare(chosen).offers
    if catalogue is None:
        raise RetainError("offers is null; expected a catalogue, such as offers=general.")
    assumptions = config.assumptions
    if (measured := measured_loss(winner)) is not None and not _typed_loss(line):
        assumptions = assumptions.model_copy(update={"loss_fraction": measured})
    return CampaignSettings(config.segmentation, assumptions, catalogue, config.campaign)


def _typed_loss(line: Arguments) -> bool:
    typed = ("assumptions=", "assumptions.loss_fraction")
    return any(text.lstrip("+").startswith(typed) for text in line.overrides)


def measured_loss(winner: Record) -> Assumption | None:
    """Return the loss fraction measured on the winner's purchase log, None without one.

    A decline without any loss would make every offer worthless; the smallest value is 1 %.
    """
    from retain.schema.campaign import Assumption

    quality = None if winner.data.label is None else winner.data.label.quality
    if quality is None or quality.persistence is None:
        return None
    found = quality.persistence.loss_fraction
    return Assumption(
        value=max(found.value, MIN_LOSS), low=found.low, high=max(found.high, MIN_LOSS)
    )


def compose_compare(line: Arguments) -> Compare:
    """Return the tree of ``compare.yaml``; ``study=NAME`` stands for ``study.name=NAME``."""
    from retain.cli.compose import Composer
    from retain.schema.compare import Compare
    from retain.schema.parsing import parse

    overrides = [
        f"study.name={text.removeprefix('study=')}"
        if text.startswith("study=")
        else quote_ids(text)
        if text.startswith("diff=")
        else text
        for text in line.overrides
    ]
    with Composer(replace(line, overrides=tuple(overrides)), "compare") as composer:
        return parse(Compare, composer.one())
