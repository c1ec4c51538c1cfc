"""Readers of logs in files, databases and Arrow streams."""
