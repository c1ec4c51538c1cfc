"""The door for Python: what a notebook calls, by the words and defaults of the commands."""
