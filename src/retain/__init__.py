"""Predict which regular customers will buy less, its cost, and the offers worth making.

The public door. Importing it imports nothing heavy; each name is fetched when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retain.customers.customers import Customers
    from retain.errors import NotApplicable, RetainError
    from retain.learning.cross_validation import cross_validate
    from retain.learning.pipeline import PipelineSpec
    from retain.learning.scores import Scores
    from retain.learning.scoring import TrainingSpec
    from retain.library.classifier import PipelineClassifier
    from retain.library.evaluation import evaluate
    from retain.library.results import load
    from retain.library.source import audit, demo, read_purchases, read_store, read_table
    from retain.library.steps import compare, learn_effects, plan_campaign, readout, score, sweep
    from retain.record.document import Record
    from retain.record.study import StudyDirectory
    from retain.verdict.verdict import Verdict

    __version__: str

_HOMES = {
    "Customers": "retain.customers.customers",
    "NotApplicable": "retain.errors",
    "PipelineClassifier": "retain.library.classifier",
    "PipelineSpec": "retain.learning.pipeline",
    "Record": "retain.record.document",
    "RetainError": "retain.errors",
    "Scores": "retain.learning.scores",
    "StudyDirectory": "retain.record.study",
    "TrainingSpec": "retain.learning.scoring",
    "Verdict": "retain.verdict.verdict",
    "audit": "retain.library.source",
    "compare": "retain.library.steps",
    "cross_validate": "retain.learning.cross_validation",
    "demo": "retain.library.source",
    "evaluate": "retain.library.evaluation",
    "learn_effects": "retain.library.steps",
    "load": "retain.library.results",
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
    "PipelineSpec",
    "Record",
    "RetainError",
    "Scores",
    "StudyDirectory",
    "TrainingSpec",
    "Verdict",
    "__version__",
    "audit",
    "compare",
    "cross_validate",
    "demo",
    "evaluate",
    "learn_effects",
    "load",
    "plan_campaign",
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
    if name not in _HOMES:
        raise AttributeError(f"module 'retain' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
