"""One run's config, and the id that stands for what can change a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from retain.record import identity, slug_of
from retain.schema import Run
from retain.storage.paths import check_name


@dataclass(frozen=True)
class RunConfig:
    """One run's config: as Hydra composed it, as plain values, and as types.

    ``config`` is what is done: a model's ``search`` is in it only where it is tuned. ``recorded_config`` is
    the same with references in the place of values from the environment. ``identity_config`` is the
    part of that which can change a result, with threads set to 1 wherever a model refers to them;
    ``id`` is its hash.
    """

    overrides: tuple[str, ...]
    config: dict[str, Any]
    run: Run
    recorded_config: dict[str, Any]
    identity_config: dict[str, Any]
    hydra: dict[str, Any]

    @property
    def id(self) -> str:
        """Eight hex digits that stand for everything that can change a result."""
        return identity(self.identity_config)

    @property
    def slug(self) -> str:
        """What people call the run: its parts, as far as they are not ``none``."""
        return check_name("the name of the run", slug_of(self.config))
