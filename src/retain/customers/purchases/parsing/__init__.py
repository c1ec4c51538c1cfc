"""Cells of a log as ids, numbers and times."""
