"""Predict which regular customers will buy less, its cost, and the offers worth making.

The public door. Importing it imports nothing heavy; each name is fetched when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retain import plugins
    from retain.customers.customers import Customers
    from retain.errors import NotApplicable, RetainError
    from retain.library.classifier import PipelineClassifier
    from retain.library.evaluation import evaluate
    from retain.library.loading import load
    from retain.library.source import audit, demo, read_purchases, read_store, read_table
    from retain.library.steps import compare, learn_effects, plan_campaign, readout, score, sweep

    __version__: str

_HOMES = {
    "Customers": "retain.customers.customers",
    "NotApplicable": "retain.errors",
    "PipelineClassifier": "retain.library.classifier",
    "RetainError": "retain.errors",
    "audit": "retain.library.source",
    "compare": "retain.library.steps",
    "demo": "retain.library.source",
    "evaluate": "retain.library.evaluation",
    "learn_effects": "retain.library.steps",
    "load": "retain.library.loading",
    "plan_campaign": "retain.library.steps",
    "read_purchases": "retain.library.source",
    "read_store": "retain.library.source",
    "read_table": "retain.library.source",
    "readout": "retain.library.steps",
    "score": "retain.library.steps",
    "sweep": "retain.library.steps",
}

__all__ = [
    "Customers",
    "NotApplicable",
    "PipelineClassifier",
    "RetainError",
    "__version__",
    "audit",
    "compare",
    "demo",
    "evaluate",
    "learn_effects",
    "load",
    "plan_campaign",
    "plugins",
    "read_purchases",
    "read_store",
    "read_table",
    "readout",
    "score",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("retain")
    if name == "plugins":
        return import_module("retain.plugins")
    if name not in _HOMES:
        raise AttributeError(f"module 'retain' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
