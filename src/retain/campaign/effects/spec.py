"""The learning of effects: the learner, its models, and their building from a config."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from retain.errors import NotApplicable, RetainError
from retain.learning.blend import Blend
from retain.learning.columns import required_features
from retain.learning.components import build_component
from retain.learning.pipeline import PipelineSpec
from retain.learning.registry import is_estimator
from retain.learning.search_ranges import strip_search_space
from retain.schema.effects import Effects
from retain.schema.parsing import Node
from retain.schema.run import Calibration

LearnerName = Literal["mean", "t_learner", "dr_learner"]


@dataclass(frozen=True)
class EffectsSpec:
    """The learning of effects.

    Attributes
    ----------
    outcome, effect
        The models of outcomes and of effects; a classifier stands for its regression too.
    n_folds, seed
        Folds of the cross-fitting, at least 3, and their seed.
    alpha
        Level at which heterogeneity has to be shown for effects to differ at all.
    """

    learner: LearnerName
    outcome: PipelineSpec
    effect: PipelineSpec
    n_folds: int = 5
    seed: int = 0
    alpha: float = 0.05

    def __post_init__(self) -> None:
        """Check the folds, and that both models take any covariates.

        Raises
        ------
        RetainError
            There are fewer than three folds: what two show of each other needs a third.
        NotApplicable
            A model is a blend, or needs features of a purchase log.
        """
        if self.n_folds < 3:
            raise RetainError.at("effects.folds", f"it is {self.n_folds}", "expected 3 or more")
        for spec in (self.outcome, self.effect):
            if isinstance(spec.model, Blend) or required_features(spec.model) is not None:
                name = type(spec.model).__name__
                raise NotApplicable(f"{name} cannot be a model of outcomes or effects")


def build_effects_spec(effects: Effects, seed: int, threads: int = 1) -> EffectsSpec | None:
    """Return how effects are learned by a config, with all parameters checked; None for none.

    A learner without a model of effects of its own uses that of outcomes.

    Raises
    ------
    RetainError
        A node is missing, names a class that is no model, or has a wrong parameter.
    """
    if effects.name == "none":
        return None
    scaling = _build("scaling", effects.scaling, threads) if effects.scaling else None
    outcome, effect = (
        PipelineSpec(
            model=_build(name, node, threads),
            sampler=None,
            scaling=scaling,
            calibration=UNCALIBRATED,
            max_categories=effects.max_categories,
        )
        for name, node in (
            ("outcome", effects.outcome),
            ("effect", effects.effect or effects.outcome),
        )
    )
    return EffectsSpec(effects.name, outcome, effect, effects.folds, seed, effects.alpha)


UNCALIBRATED = Calibration(name="none", method=None)


def _build(name: str, node: Node | None, threads: int) -> Any:
    where = f"effects.{name}"
    built = build_component(where, strip_search_space(node or {}), is_estimator, threads)
    if built is None and name != "scaling":
        raise RetainError.at(f"{where}._target_", "it is null", "expected a model")
    return built
