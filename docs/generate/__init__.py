"""The pages of ``docs/reference`` that are made from the package, each by a module of its name."""
