"""Engines that compute features from a log, and the cache of what they computed."""
