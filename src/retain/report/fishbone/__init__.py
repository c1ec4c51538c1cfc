"""The fishbone (Ishikawa diagram) of a verdict's explanations."""

from retain.report.fishbone.fishbone import fishbone

__all__ = ["fishbone"]
