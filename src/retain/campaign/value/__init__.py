"""Value: calibrated risk, the cost of a decline, and their intervals."""
