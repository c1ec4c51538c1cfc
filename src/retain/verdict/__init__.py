"""Many records → one ``Verdict``: comparison, statistics, sealed test and its ledger.

May import: errors, schema, record, customers, learning.
"""
