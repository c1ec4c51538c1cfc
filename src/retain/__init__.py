"""Predict which regular customers will buy less, its cost, and the offers worth making.

The public door. Importing it imports nothing heavy; each name is fetched when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Customers": "retain.customers.customers",
    "cross_validate": "retain.learning.cross_validation",
    "NotApplicable": "retain.errors",
    "PipelineSpec": "retain.learning.pipeline",
    "Record": "retain.record.document",
    "RetainError": "retain.errors",
    "Scores": "retain.learning.scores",
    "StudyDirectory": "retain.record.study",
    "TrainingSpec": "retain.learning.scoring",
    "Verdict": "retain.verdict.verdict",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'retain' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
