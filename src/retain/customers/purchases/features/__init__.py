"""Labels and features as SQL."""
