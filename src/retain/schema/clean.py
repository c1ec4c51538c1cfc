"""The nodes of ``retain-clean``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from retain.schema.parsing import Config


class Clean(Config):
    """The whole tree of ``retain-clean``."""

    dir: str | None
    failed: bool
    outdated: bool
    cached: bool
    older_than: Annotated[float, Field(ge=0)]
    remove: bool
