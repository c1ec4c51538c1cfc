"""The types of ``conf/``: values live only in YAML, types only here.

May import: errors. ``parse`` holds a plain mapping (what Hydra composed, ``+`` included) against
a type and answers with the nearest right name where a key is wrong.
"""

from retain.schema.contract import (
    Cleaning,
    ColumnSpec,
    DerivedSpec,
    NewcomerRule,
    OutlierRule,
    PeriodSpec,
    Policy,
    TableSpec,
)
from retain.schema.nodes import (
    GROUPS,
    UNTUNED,
    Audit,
    Bands,
    Calibration,
    Compare,
    Features,
    Judging,
    Launcher,
    Limits,
    Metrics,
    Reasons,
    Report,
    Run,
    SearchRange,
    Segmentation,
    Tracking,
    Tuning,
    Validation,
)
from retain.schema.parsing import (
    Config,
    parse,
)

__all__ = [
    "GROUPS",
    "UNTUNED",
    "Audit",
    "Bands",
    "Calibration",
    "Cleaning",
    "ColumnSpec",
    "Compare",
    "Config",
    "DerivedSpec",
    "Features",
    "Judging",
    "Launcher",
    "Limits",
    "Metrics",
    "NewcomerRule",
    "OutlierRule",
    "PeriodSpec",
    "Policy",
    "Reasons",
    "Report",
    "Run",
    "SearchRange",
    "Segmentation",
    "TableSpec",
    "Tracking",
    "Tuning",
    "Validation",
    "parse",
]
