"""Explanations of a winner's ranking: associations, drivers, ablation, label audit."""
