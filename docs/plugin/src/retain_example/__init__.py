"""One plug-in of each kind for retain; importing this package registers them."""

from retain_example import campaigns, learning, running

__all__ = ["campaigns", "learning", "running"]
