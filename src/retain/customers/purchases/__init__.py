"""A purchase log in, customers at several snapshots out.

May import: errors, schema, customers.*.
"""
