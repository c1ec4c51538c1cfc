"""Checks of rows, duplicates and orders."""
