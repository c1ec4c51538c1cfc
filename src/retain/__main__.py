"""``python -m retain``."""

from retain.app.run import main

if __name__ == "__main__":
    main()
