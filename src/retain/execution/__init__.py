"""Execution of runs.

A ``sweep`` hands the pending runs of a ``plan`` to a ``run_pool`` of worker processes, or to one of
the ``backends``; each worker executes them by ``runner``. A worker that dies costs its own run: the
pool, or the backend, writes its record. A ``job_executor`` does the jobs of a comparison, in
workers of the same kind.
"""
