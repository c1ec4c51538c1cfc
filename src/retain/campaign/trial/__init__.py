"""Randomised campaigns as data: who was assigned to which arm, and what came of it."""
