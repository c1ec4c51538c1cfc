"""The offer catalogue and the settings of a campaign."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retain.cli.overrides import Arguments, Groups, quote_ids
from retain.errors import RetainError
from retain.storage.paths import conf_dir

if TYPE_CHECKING:
    from retain.record.document import Record
    from retain.schema.campaign import Assumption
    from retain.schema.compare import Compare
    from retain.schema.scoring import CampaignSettings


DEFAULTS: dict[str, str | None] = {"offers": "general", "segmentation": None, "campaign": None}
"""Groups whose default is the option named after the data source; without one, this option.

``general`` is the catalogue without features; None is the option that ``compare.yaml`` names.
"""
MIN_LOSS = 0.01
"""Smallest measured loss fraction: without any loss no offer would be worth making."""


def drop_group_overrides(line: Arguments) -> Arguments:
    """Return the line without keys of offers and segments whose option is not chosen yet.

    >>> drop_group_overrides(Arguments(("study=demo", "offers.letter.capacity=5"))).overrides
    ('study=demo',)
    """
    later = tuple(
        f"{group}." for group in ("offers", "segmentation") if not _is_chosen(line, group)
    )
    kept = (text for text in line.overrides if not text.lstrip("+~").startswith(later))
    return replace(line, overrides=tuple(kept))


def _is_chosen(line: Arguments, group: str) -> bool:
    return any(text.lstrip("+").startswith(f"{group}=") for text in line.overrides)


def campaign_settings(line: Arguments, config: Compare, winner: Record) -> CampaignSettings:
    """Return segmentation, assumptions, catalogue and limits of a comparison.

    The default of segments, offers and limits is the option with the name of the winner's data
    source, or that of ``DEFAULTS`` if there is none.

    Raises
    ------
    RetainError
        When a key of them is wrong.
    """
    from retain.schema.scoring import CampaignSettings

    source = str((config.data or winner.config["data"])["name"])
    options = Groups.among((conf_dir(), *line.config_dirs)).with_plugins().options
    chosen = [
        f"{group}={option}"
        for group, default in DEFAULTS.items()
        if not _is_chosen(line, group)
        and (option := source if source in options.get(group, ()) else default) is not None
    ]
    full = compose_compare(replace(line, overrides=(*line.overrides, *chosen)))
    if full.offers is None:
        raise RetainError("offers is null; expected a catalogue, such as offers=general.")
    assumptions = config.assumptions
    if (measured := measured_loss(winner)) is not None and not _typed_loss(line):
        assumptions = assumptions.model_copy(update={"loss_fraction": measured})
    return CampaignSettings(
        segmentation=full.segmentation,
        assumptions=assumptions,
        offers=full.offers,
        campaign=full.campaign,
    )


def _typed_loss(line: Arguments) -> bool:
    typed = ("assumptions=", "assumptions.loss_fraction")
    return any(text.lstrip("+").startswith(typed) for text in line.overrides)


def measured_loss(winner: Record) -> Assumption | None:
    """Return the loss fraction measured on the winner's purchase log, None without one."""
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
