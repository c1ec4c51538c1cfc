"""``Customers`` → out-of-fold ``Scores``: features, pipeline, validation, metrics, experiment."""
