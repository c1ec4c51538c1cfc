"""Rules over features, risk and profit."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from retain.schema.names import Share
from retain.schema.parsing import Config


class Condition(Config):
    """A condition on the observed values of a number or a category; all set keys must hold.

    ``top`` and ``bottom`` are shares of the customers with an observed value.
    """

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    top: Share | None = None
    bottom: Share | None = None
    one_of: tuple[str, ...] | None = None
    none_of: tuple[str, ...] | None = None
    observed: bool | None = None


class Rule(Config):
    """Conditions on features, risk, profit or profit_at_risk, all of which must hold.

    ``plugin`` is the name of a registered rule, which must hold too.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Condition] = Field(init=False)

    all: tuple[Rule, ...] = ()
    any: tuple[Rule, ...] = ()
    not_: Rule | None = Field(default=None, alias="not")
    plugin: str | None = None

    @property
    def conditions(self) -> dict[str, Condition]:
        """The condition by feature or quantity."""
        return dict(self.__pydantic_extra__)
