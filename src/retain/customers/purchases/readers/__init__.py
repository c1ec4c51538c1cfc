"""Logs in files, databases and Arrow streams."""
