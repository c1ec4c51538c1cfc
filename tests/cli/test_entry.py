"""The console commands say something before their libraries are loaded."""

import io
import sys
from types import SimpleNamespace

import pytest

from retain.cli import entry


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def started(monkeypatch):
    """What a command wrote before it ran, and all it wrote."""

    def start(command, *arguments, stream=None):
        seen, stream = [], stream or Terminal()
        monkeypatch.setattr(sys, "argv", [command, *arguments])
        monkeypatch.setattr(sys, "stderr", stream)
        loaded = SimpleNamespace(main=lambda: None)
        monkeypatch.setattr(
            entry, "import_module", lambda name: seen.append((name, stream.getvalue())) or loaded
        )
        getattr(entry, command.rpartition("-")[2])()
        return *seen[0], stream.getvalue()

    return start


@pytest.mark.parametrize(
    ("command", "module"),
    [
        ("retain", "run"),
        ("retain-compare", "compare"),
        ("retain-score", "score"),
        ("retain-readout", "readout"),
        ("retain-simulate", "simulate"),
        ("retain-verify", "verify"),
        ("retain-clean", "clean"),
        ("retain-dashboard", "dashboard"),
    ],
)
def test_a_terminal_is_told_before_anything_is_loaded(started, command, module):
    name, before, after = started(command, "model=tree")
    assert name == f"retain.cli.{module}"
    assert before == f"{command}: loading\r"
    assert after.removeprefix(before).strip() == ""


@pytest.mark.parametrize("flag", sorted(entry.SILENT))
def test_flags_that_ask_for_nothing_else_get_nothing_else(started, flag):
    assert started("retain", flag)[2].strip() == ""


def test_a_file_gets_the_command_s_own_output_alone(started):
    assert started("retain", stream=io.StringIO())[2] == ""
