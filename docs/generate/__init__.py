"""What the documentation shows that is made from the package: pages of ``docs/reference``, charts."""
