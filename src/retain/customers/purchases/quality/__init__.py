"""Checks of the label: chance, persistence, season, and the forecast of money."""
