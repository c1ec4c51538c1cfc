"""Invented outcomes of campaigns, and what plans are worth by the truth behind them."""
