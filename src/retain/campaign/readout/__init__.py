"""Readout of a campaign: its effect, from a comparison with the control group."""
