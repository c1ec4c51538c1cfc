"""What the documentation shows of the package: pages of ``docs/reference``, and charts."""
