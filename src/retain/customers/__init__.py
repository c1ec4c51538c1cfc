"""Raw files → ``Customers``: contract, sources, audit, demo data."""
