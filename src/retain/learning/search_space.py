"""The search space of a model's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from sklearn.base import BaseEstimator

from retain.errors import RetainError, did_you_mean
from retain.record.tuning import Parameters
from retain.schema.run import SearchRange

if TYPE_CHECKING:
    from optuna import Trial


Space = Mapping[str, SearchRange]


def check_search_space(space: Space, model: BaseEstimator, *, tuned: bool) -> None:
    """Raise for invalid ranges and, when ``tuned``, for those without the configured value.

    The configured value is the first trial, so no search ends below its start.

    Raises
    ------
    RetainError
        With the config key of the parameter.
    """
    values = model.get_params(deep=False)
    for name, where in space.items():
        key = f"model.search.{name}"
        if name not in values:
            raise RetainError(
                f"{key}: {type(model).__name__} has no value of {name!r} to begin with; add "
                f"model.{name}=VALUE.{did_you_mean(name, values)}"
            )
        if (problem := _find_problem(where)) is not None:
            raise RetainError.at(key, *problem)
        if tuned and not _contains(where, values[name]):
            raise RetainError.at(
                key,
                f"{_describe_range(where)} leaves out model.{name}={values[name]!r}, tried first",
                f"expected it within; type another value, or widen {key}",
            )


def default_parameters(space: Space, model: BaseEstimator) -> Parameters:
    """Return the model's configured parameters as values of a trial."""
    values = model.get_params(deep=False)
    return {
        name: model_choices(where).index(_plain(values[name])) if where.choices else values[name]
        for name, where in space.items()
    }


def suggest_parameters(trial: Trial, space: Space) -> Parameters:
    """Return the parameters of a trial."""
    return {name: _suggest(trial, name, where) for name, where in space.items()}


def model_choices(where: SearchRange) -> list[Any]:
    """Return the choices as parameters of a model: tuples of the config as lists.

    >>> model_choices(SearchRange(choices=((32, 16), "auto")))
    [[32, 16], 'auto']
    """
    return [_plain(value) for value in where.choices]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _suggest(trial: Trial, name: str, where: SearchRange) -> Any:
    if where.choices:  # by index: a choice may be a list, which Optuna does not accept
        return model_choices(where)[trial.suggest_categorical(name, range(len(where.choices)))]
    low, high = cast("tuple[float, float]", (where.low, where.high))
    if where.whole:
        return trial.suggest_int(name, int(low), int(high), log=where.log)
    return trial.suggest_float(name, low, high, log=where.log)


def _find_problem(where: SearchRange) -> tuple[str, str] | None:
    """Return the problem of a range and the expectation, or None."""
    ends = (where.low, where.high)
    if where.choices:
        expected = "expected choices, or low and high"
        return ("it has both choices and a range", expected) if ends != (None, None) else None
    if where.low is None or where.high is None:
        return "it has neither choices nor both low and high", "expected one of the two"
    if where.low > where.high:
        return f"low is {where.low} and high is {where.high}", "expected low ≤ high"
    if where.log and where.low <= 0:
        return f"log is true and low is {where.low}", "expected low > 0"
    return None


def _contains(where: SearchRange, value: Any) -> bool:
    """Return whether a value lies in a range.

    >>> _contains(SearchRange(low=1, high=9), 4), _contains(SearchRange(low=1, high=9), 4.5)
    (True, False)
    >>> _contains(SearchRange(choices=("sqrt", 0.5)), "sqrt")
    True
    """
    if where.choices:
        return _plain(value) in model_choices(where)
    kind = int if where.whole else int | float
    if not isinstance(value, kind) or isinstance(value, bool):
        return False
    return where.low is not None and where.high is not None and where.low <= value <= where.high


def _describe_range(where: SearchRange) -> str:
    return f"one of {model_choices(where)}" if where.choices else f"{where.low} to {where.high}"
