"""Trees in JSON's types as the documents they are: what tests change part by part."""

import functools
import inspect
import json

from pydantic import TypeAdapter

from retain.record.estimates import DisplayName
from retain.record.explanations_document import Driver, FeatureInfo


def read_as(kind, tree):
    """A tree read by the class of its document; anything else as it is."""
    if not isinstance(tree, dict | list):
        return tree
    return TypeAdapter(kind).validate_json(json.dumps(tree, default=_plain))


def _plain(one):
    """A number of numpy's, or a path, in JSON's types."""
    return one.item() if hasattr(one, "item") else str(one)


def reading_trees(function):
    """The function, taking trees wherever it takes documents."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*values, **named):
        bound = signature.bind(*values, **named)
        for name, value in bound.arguments.items():
            if isinstance(value, dict | list):
                annotation = signature.parameters[name].annotation
                kind = eval(annotation, function.__globals__)  # noqa: S307 - of our own source
                bound.arguments[name] = read_as(kind, value)
        return function(*bound.args, **bound.kwargs)

    return call


NO_EFFECT = dict.fromkeys(
    (
        *("phik", "significance", "mean_abs_shap", "direction", "rank_correlation", "top_level"),
        *("permutation_importance", "beeswarm", "dependence", "effect_size", "distribution"),
    )
)


def make_feature(kind, en, ru, **known):
    """A feature of which little but its name is known."""
    found = {"name": "one", "group": "site", "in_model": True, "is_derived": False}
    found |= {"is_weak": False, **NO_EFFECT, **known}
    return FeatureInfo(kind=kind, label=DisplayName(en, ru), **found)


def make_driver(**known):
    """A driver of a customer, of which nothing but what is given is known."""
    ranges = dict.fromkeys(("typical_low", "typical_high", "typical_share"))
    found = {"feature": "one", "kind": "number", "value": None, "level": None, **ranges}
    return Driver(**{**found, "log_odds": 0.81, "probability_points": 0.12, **known})
