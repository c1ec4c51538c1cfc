"""``retain-simulate``: invented outcomes of a campaign, by a truth that is known.

Exit codes: 0 done, 2 config, campaign or truth are invalid, or memory or disk is full, 70 a bug of
retain.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from retain.cli.overrides import Arguments
from retain.cli.readout import full_key
from retain.cli.run import run_command
from retain.cli.terminal.output import write_json
from retain.errors import RetainError
from retain.record.documents import to_tree
from retain.storage.paths import parse_path

if TYPE_CHECKING:
    from retain.schema.simulate import Simulate


def main() -> None:
    """Run the console command ``retain-simulate``."""
    sys.exit(run_command(simulate, sys.argv[1:], "simulate"))


def simulate(line: Arguments) -> int:
    """Invent the outcomes of a campaign, and print what its plan is truly worth."""
    from retain.cli.terminal.console import console, say_waiting
    from retain.cli.terminal.simulation import print_simulation
    from retain.workflows.campaign_files import find_campaign
    from retain.workflows.simulate import simulate_campaign

    config = _config(line)
    if config.campaign.dir is None:
        raise RetainError("no campaign is named; type campaign=ID or campaign=FOLDER.")
    if config.truth is not None:
        _check_truth_keys(line)
    campaign = find_campaign(config.campaign.dir, parse_path("outputs", config.outputs))
    simulation = simulate_campaign(campaign, config, on_wait=say_waiting)
    print_simulation(console(), simulation, campaign.path)
    if line.json:
        write_json(to_tree(simulation.document))
    return 0


def _config(line: Arguments) -> Simulate:
    from retain.cli.compose import Composer
    from retain.schema.parsing import parse
    from retain.schema.simulate import Simulate

    overrides = tuple(full_key(text) for text in line.overrides)
    with Composer(replace(line, overrides=overrides), "simulate") as composer:
        return parse(Simulate, composer.one())


def _check_truth_keys(line: Arguments) -> None:
    """Raise for keys that say another truth than the file does."""
    from retain.schema.simulate import TruthKeys

    for text in line.overrides:
        key = text.lstrip("+~").partition("=")[0].partition(".")[0]
        if key in TruthKeys.model_fields:
            problem = "the truth is that of the file truth=FILE"
            raise RetainError.at(key, problem, "expected one of the two")
