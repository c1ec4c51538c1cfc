"""Many records → one ``Verdict``: comparison, statistics, sealed test and its ledger."""
