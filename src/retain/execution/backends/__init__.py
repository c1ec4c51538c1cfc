"""Clusters that runs are done on."""
