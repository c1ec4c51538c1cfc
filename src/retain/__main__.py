"""``python -m retain``."""

import sys

# Python puts the current folder first on the path, and a file ``random.py`` in it before its own.
# The folder that holds this package, and what PYTHONPATH names, stay.
if not sys.flags.safe_path and not __file__.startswith(f"{sys.path[0]}/retain/"):
    del sys.path[0]

from retain.cli.run import main

if __name__ == "__main__":
    main()
