"""The comparison of two trees of runs: what changed, why, and whether the best run lost."""
