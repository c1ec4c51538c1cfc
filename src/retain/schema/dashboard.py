"""The nodes of ``retain-dashboard``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from retain.schema.parsing import Config

FREE_PORTS = range(1024, 65536)


def _check_port(value: object) -> object:
    if value == 0 or value in FREE_PORTS:
        return value
    raise ValueError(f"0, or a port from {FREE_PORTS[0]} to {FREE_PORTS[-1]}")


class Dashboard(Config):
    """The whole tree of ``retain-dashboard``."""

    outputs: str
    against: Annotated[str, Field(min_length=1)] | None
    port: Annotated[int, BeforeValidator(_check_port)]
    language: Literal["en", "ru"]
    export: Annotated[str, Field(min_length=1)] | None
    ids: Literal["plain", "hashed"]
