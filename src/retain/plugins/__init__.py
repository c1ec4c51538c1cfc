"""Components of other packages, registered by decorator and named in configs.

A package names a module in its entry point ``retain.plugins``; importing the module runs the
decorators here. A module that is not installed is named in ``RETAIN_PLUGINS=MODULE,MODULE``.
Imports nothing heavy.
"""

from retain.plugins.decorators import (
    calibration,
    feature,
    launcher,
    metric,
    model,
    offer_rule,
    sampler,
    scaling,
    segmentation,
    source,
)

__all__ = [
    "calibration",
    "feature",
    "launcher",
    "metric",
    "model",
    "offer_rule",
    "sampler",
    "scaling",
    "segmentation",
    "source",
]
