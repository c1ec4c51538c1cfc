"""Execution of runs.

A ``sweep`` gives the pending runs of a ``plan`` to a ``dispatcher``, which submits them to an
``executor``: worker processes of this machine, or one of the ``backends``; each worker executes
them by ``runner``. A worker that dies costs its own run, whose record the dispatcher writes. The
jobs of a comparison are submitted to the same executor.
"""
