"""Sweep, compare, score and readout as plain functions."""
