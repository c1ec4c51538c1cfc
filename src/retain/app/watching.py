"""How far a comparison's workers are, for whoever watches a terminal."""

from __future__ import annotations

import sys

CLEAR = "\r\x1b[K"


def watched(done: int, of: int) -> None:
    """Tell a terminal how many parts are done; a file or a pipe is told nothing."""
    if not sys.stderr.isatty():
        return
    text = f"carrying the winner on: {done} of {of} parts" if done < of else ""
    sys.stderr.write(CLEAR + text)
    sys.stderr.flush()
