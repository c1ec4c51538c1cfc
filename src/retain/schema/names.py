"""Names and numbers that many nodes have: what a name may be, how large a number can be meant."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from retain.schema.parsing import Config
from retain.storage.paths import PLAIN_NAME, is_plain_name


def _check_name(name: str) -> str:
    if not is_plain_name(name):
        raise ValueError(PLAIN_NAME)
    return name


Name = Annotated[str, AfterValidator(_check_name)]
"""A name that is one safe component of a path: it may become a folder's."""
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
"""A number of customers."""
Processes = Annotated[int, Field(ge=0, le=1_000)]
"""A number of processes; 0 is one for each core."""
Threads = Annotated[int, Field(ge=1, le=256)]
Seconds = Annotated[float, Field(gt=0, le=100_000_000)]
"""Up to three years, which a wait can be told to last on any system."""
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class _Component(Config):
    """The keys of every component; its parameters are checked where it is built."""

    model_config = ConfigDict(extra="allow", populate_by_name=False)
    __pydantic_extra__: dict[str, Any] = Field(init=False)

    name: Name
    class_path: str | None = Field(default=None, alias="_target_")


class _Source(Config):
    """A component that has no name where it only changes one that has."""

    model_config = ConfigDict(extra="allow", populate_by_name=False)
    __pydantic_extra__: dict[str, Any] = Field(init=False)

    name: Name | None = None
    function_path: str | None = Field(default=None, alias="_target_")


def _check_component(node: dict[str, Any]) -> dict[str, Any]:
    _Component.model_validate(node)
    return node


def _check_source(node: dict[str, Any]) -> dict[str, Any]:
    _Source.model_validate(node)
    return node


Component = Annotated[dict[str, Any], AfterValidator(_check_component)]
"""The node of a model, sampler or scaling, as it was composed."""
Source = Annotated[dict[str, Any], AfterValidator(_check_source)]
"""The node of a data source, as it was composed."""
