"""Engines that build the feature table, and its cache."""
