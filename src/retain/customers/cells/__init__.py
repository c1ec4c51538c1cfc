"""Cells of text as values: numbers, dates, answers, and the type of a column."""
