"""Scores and profit → whom to win back: value at risk, segments.

May import: errors, schema, record, customers, learning, verdict.
"""
