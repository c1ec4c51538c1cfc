"""Randomised campaigns, retain's own or others', as data: who got which arm, and what came of it."""
