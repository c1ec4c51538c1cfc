"""Tests here call commands, whose workers are forked from one server."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _warm(warm):
    """Start the server before any command does."""
