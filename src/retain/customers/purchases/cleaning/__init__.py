"""Rows that are wrong, and orders put together."""
