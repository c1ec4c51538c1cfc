"""The fishbone (Ishikawa diagram) of a verdict's reasons: read, measured, laid out, drawn."""

from retain.report.fishbone.fishbone import fishbone

__all__ = ["fishbone"]
