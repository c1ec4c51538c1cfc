"""Garbage collection is off in a process that imports this: the server of workers.

It imports for a second and leaves no garbage; collecting would take an eighth of the time. Each
worker turns it on again.
"""

import gc

gc.disable()
