"""Verification of a verdict and its campaigns: files by manifests, numbers by records."""
