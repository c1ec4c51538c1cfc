"""A source of customers, and a launcher."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import retain
from retain import plugins


@plugins.source("demo_loyal")
def demo_loyal(customers=400, seed=0, min_days=200):
    """Return those of the demo store who have been customers for some time."""
    everyone = retain.demo(customers=customers, seed=seed)
    keep = everyone.features["days_registered"] >= min_days
    return everyone.filter(keep, "newcomers", f"registered fewer than {min_days} days ago")


@plugins.launcher("processes")
def processes(jobs=2):
    """Return an executor; one of Dask or MPI would send the same jobs to other machines."""
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))
