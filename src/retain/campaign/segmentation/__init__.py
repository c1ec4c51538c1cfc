"""Segmentation: rules, bands, a tree, and the profile of each segment."""
