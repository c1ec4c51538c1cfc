"""Randomised campaigns as data: who got which arm, and what came of it."""
