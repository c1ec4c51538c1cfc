"""The console commands: a word at once, then the command, whose libraries take seconds to load."""

from __future__ import annotations

import sys
from importlib import import_module

from retain.cli.terminal.output import write_passing

SILENT = {"-q", "--quiet", "--json", "-h", "--help"}
"""Flags whose output begins with itself."""


def retain() -> None:
    """Run the console command ``retain``."""
    _start("retain", "run")


def compare() -> None:
    """Run the console command ``retain-compare``."""
    _start("retain-compare", "compare")


def score() -> None:
    """Run the console command ``retain-score``."""
    _start("retain-score", "score")


def readout() -> None:
    """Run the console command ``retain-readout``."""
    _start("retain-readout", "readout")


def simulate() -> None:
    """Run the console command ``retain-simulate``."""
    _start("retain-simulate", "simulate")


def verify() -> None:
    """Run the console command ``retain-verify``."""
    _start("retain-verify", "verify")


def clean() -> None:
    """Run the console command ``retain-clean``."""
    _start("retain-clean", "clean")


def dashboard() -> None:
    """Run the console command ``retain-dashboard``."""
    _start("retain-dashboard", "dashboard")


def _start(command: str, module: str) -> None:
    """Say in a terminal that the command began, and run it."""
    words = f"{command}: loading" if SILENT.isdisjoint(sys.argv[1:]) else ""
    write_passing(words)
    main = import_module(f"retain.cli.{module}").main
    write_passing(" " * len(words))
    main()
