"""The offer catalogue and settings of a campaign, once its customers are known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retain.cli.overrides import Arguments, Groups, quote_ids
from retain.errors import RetainError
from retain.storage.paths import conf_dir

if TYPE_CHECKING:
    from retain.campaign.audience import CampaignSettings
    from retain.record import Record
    from retain.schema import Compare


CATALOGUE = "offers"
ANY = "general"
"""The catalogue that speaks of no feature, for data that have none of their own."""


def drop_offer_overrides(line: Arguments) -> Arguments:
    """Return the line as it can be composed before it is known which catalogue it speaks of.

    >>> drop_offer_overrides(Arguments(("study=demo", "offers.letter.capacity=5"))).overrides
    ('study=demo',)
    """
    if _chosen_catalogue(line):
        return line
    kept = (text for text in line.overrides if not text.lstrip("+~").startswith(f"{CATALOGUE}."))
    return replace(line, overrides=tuple(kept))


def _chosen_catalogue(line: Arguments) -> bool:
    return any(text.lstrip("+").startswith(f"{CATALOGUE}=") for text in line.overrides)


def campaign_settings(line: Arguments, config: Compare, winner: Record) -> CampaignSettings:
    """Segmentation, assumptions, catalogue and limits of a comparison.

    Without ``offers=NAME`` the catalogue is the one named after the winner's data source, where
    there is one, else ``general``.

    Raises
    ------
    RetainError
        When a key of the catalogue is wrong.
    """
    from retain.campaign.audience import CampaignSettings

    catalogue = config.offers
    if catalogue is None:
        source = str((config.data or winner.config["data"])["name"])
        known = Groups.among((conf_dir(), *line.config_dirs)).options.get(CATALOGUE, ())
        named = source if source in known else ANY
        chosen = replace(line, overrides=(*line.overrides, f"{CATALOGUE}={named}"))
        catalogue = compose_compare(chosen).offers
    if catalogue is None:
        raise RetainError("offers is null; expected a catalogue, such as offers=general.")
    return CampaignSettings(config.segmentation, config.assumptions, catalogue, config.campaign)


def compose_compare(line: Arguments) -> Compare:
    """Return the tree of ``compare.yaml``; ``study=NAME`` stands for ``study.name=NAME``."""
    from retain.cli.compose import Composer
    from retain.schema import Compare, parse

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
