"""Types of names and numbers in many nodes, with their limits."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from retain.schema.parsing import Config, Node
from retain.storage.paths import PLAIN_NAME, is_plain_name


def _check_name(name: str) -> str:
    if not is_plain_name(name):
        raise ValueError(PLAIN_NAME)
    return name


def to_tuple(value: Any) -> Any:
    """Return a text that stands for a list of one as such."""
    return (value,) if isinstance(value, str) else value


RESERVED = ("risk", "profit", "profit_at_risk")
"""Names that rules may use besides features."""
RULE_WORDS = ("all", "any", "not", "not_", "plugin")
"""Words of rules, which are no names either."""
Name = Annotated[str, AfterValidator(_check_name)]
"""A name that is a safe component of a path."""
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
"""A number of customers."""
Processes = Annotated[int, Field(ge=0, le=1_000)]
"""A number of processes; 0 is one for each core."""
Threads = Annotated[int, Field(ge=1, le=256)]
Seconds = Annotated[float, Field(gt=0, le=100_000_000)]
"""Up to three years, a valid timeout on any system."""
Seed = Annotated[int, Field(ge=0, lt=2**32)]


def _check_day(text: str) -> str:
    """Return a day of this millennium: the days of validity after it are dates too."""
    with suppress(ValueError):
        if date.fromisoformat(text).year in range(2000, 3000):
            return text
    raise ValueError("a day from 2000 to 2999, such as 2027-02-01")


Day = Annotated[str, AfterValidator(_check_day)]
MAX_EXPLORED_SHARE = 0.5


def _check_explore(value: Any) -> Any:
    is_share = isinstance(value, int | float) and not isinstance(value, bool)
    if value == "all" or (is_share and 0 <= value <= MAX_EXPLORED_SHARE):
        return value
    raise ValueError(f"a share from 0 to {MAX_EXPLORED_SHARE}, or all")


ExploredShare = Annotated[float | Literal["all"], BeforeValidator(_check_explore)]
"""Share of the eligible customers who get an offer drawn at random, or ``all``."""


class Translated(Config):
    """A text in the two languages of the report."""

    en: Annotated[str, Field(min_length=1, max_length=1000)]
    ru: Annotated[str, Field(min_length=1, max_length=1000)]

    def text(self, language: str) -> str:
        """Return the text in a language."""
        return {"en": self.en, "ru": self.ru}[language]


class _Component(Config):
    """The keys of every component; its parameters are checked where it is built."""

    model_config = ConfigDict(extra="allow", populate_by_name=False)
    __pydantic_extra__: Node = Field(init=False)

    name: Name
    class_path: str | None = Field(default=None, alias="_target_")


class _Source(Config):
    """A component without a name if it only changes another."""

    model_config = ConfigDict(extra="allow", populate_by_name=False)
    __pydantic_extra__: Node = Field(init=False)

    name: Name | None = None
    function_path: str | None = Field(default=None, alias="_target_")


def _check_component(node: Node) -> Node:
    _Component.model_validate(node)
    return node


def _check_source(node: Node) -> Node:
    _Source.model_validate(node)
    return node


def _check_distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("each name once")
    return names


PluginNames = Annotated[tuple[str, ...], AfterValidator(_check_distinct)]
"""Names of registered components."""
Component = Annotated[Node, AfterValidator(_check_component)]
"""The composed node of a model, sampler or scaling."""
Source = Annotated[Node, AfterValidator(_check_source)]
"""The composed node of a data source."""
