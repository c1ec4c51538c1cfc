"""The nodes of ``retain-verify``."""

from __future__ import annotations

from retain.schema.parsing import Config


class Verify(Config):
    """The whole tree of ``retain-verify``."""

    dir: str | None
