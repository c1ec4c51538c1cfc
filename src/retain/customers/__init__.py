"""Raw files → ``Customers``: contract, sources, audit, demo data.

May import: errors, schema.
"""
