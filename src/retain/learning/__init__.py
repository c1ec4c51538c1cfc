"""``Customers`` → out-of-fold ``Scores``: features, pipeline, validation, metrics, experiment.

May import: errors, schema, customers. Everything that learns does so inside the fold.
"""
