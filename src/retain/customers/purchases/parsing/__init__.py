"""Parsers of ids, numbers and times in a log."""
