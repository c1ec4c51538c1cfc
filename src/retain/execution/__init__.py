"""Worker processes and the runs they do: limits, checkpoints, racing, progress."""
