"""How runs are done: processes, their limits, checkpoints, racing, progress."""
