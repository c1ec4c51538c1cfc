"""How far a comparison's workers are, for whoever watches a terminal."""

from __future__ import annotations

from retain.app.terminal import write_progress


def watched(done: int, of: int) -> None:
    """Tell a terminal how many parts are done; a file or a pipe is told nothing."""
    write_progress(f"carrying the winner on: {done} of {of} parts" if done < of else "")
