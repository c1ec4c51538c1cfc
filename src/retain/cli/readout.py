"""``retain-readout``: the measured effect of a campaign against its control group.

    campaigns/<id>/readout/
      readout.json           the results, for programs; see campaign/readout/readout.py
      effects.csv            the effects, one row per outcome and subgroup
      offers/<name>.yaml     the catalogue with updated save rates

Exit codes: 0 done, 2 config, campaign or outcomes are invalid, or memory or disk is full, 70 a bug
of retain.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from retain.cli.overrides import Arguments, quote_ids
from retain.cli.run import answer
from retain.cli.terminal.output import write_json
from retain.errors import RetainError
from retain.record.directory import CampaignDirectory, ReadoutDirectory
from retain.record.study import StudyDirectory
from retain.storage.paths import parse_path
from retain.storage.transaction import transaction
from retain.storage.writing import write_text

if TYPE_CHECKING:
    import pandas as pd

    from retain.campaign.readout.readout import ReadoutResult as Found
    from retain.schema.campaign import Catalogue
    from retain.schema.readout import Readout


INTERVALS = ("difference", "customers_saved")
SHORTHANDS = {"campaign": "campaign.dir", "outcomes": "outcomes.file"}
"""Short keys of the command line and their full keys."""


def main() -> None:
    """Run the console command ``retain-readout``."""
    sys.exit(answer(readout, sys.argv[1:], "readout"))


def readout(line: Arguments) -> int:
    """Read plan and outcomes, measure the effects, write and print them."""
    from retain.campaign.assignment import read_assignment
    from retain.campaign.readout.outcomes import read_outcomes
    from retain.campaign.readout.readout import build_readout as read_out
    from retain.cli.compare import say_waiting
    from retain.cli.terminal.console import console
    from retain.cli.terminal.readout import print_readout
    from retain.workflows.campaign_files import find_campaign

    config = _config(line)
    if config.campaign.dir is None:
        raise RetainError("no campaign is named; type campaign=ID or campaign=FOLDER.")
    campaign = find_campaign(config.campaign.dir, parse_path("outputs", config.outputs))
    study, subfolder = _readout_dir(campaign)
    try:
        with study.alone(lambda: say_waiting(study)):
            assignment = read_assignment(campaign.path)
            outcomes = read_outcomes(config.outcomes, assignment)
            result = read_out(assignment, outcomes, resamples=config.resamples)
            with transaction(study.path) as staging:
                write(ReadoutDirectory(staging.add(subfolder)), result)
    except OSError as error:
        message = f"copy {campaign.path} to a folder of yours and name that: campaign=FOLDER"
        raise RetainError.unwritable(campaign.readout.path, error, message) from None
    print_readout(console(), result.tree, campaign.readout.path)
    if line.json:
        write_json(result.tree)
    return 0


def _readout_dir(campaign: CampaignDirectory) -> tuple[StudyDirectory, str]:
    """Return the folder to lock, and the readout's path in it.

    A campaign copied out of its study is locked itself.
    """
    folder = campaign.path.absolute()
    study = StudyDirectory(folder.parents[1])
    if folder.parent == study.campaigns:
        return study, campaign.readout.path.absolute().relative_to(study.path).as_posix()
    return StudyDirectory(campaign.path), campaign.readout.path.name


def write(files: ReadoutDirectory, result: Found) -> None:
    """Write all files into a new folder."""
    from retain.verdict.export import write_csv

    write_csv(effects_table(result.tree["effects"]), files.effects)
    if result.catalogue is not None:
        name = result.catalogue.name
        write_text(files.offers(name), offers_yaml(result.catalogue, result.tree["campaign_id"]))
    text = json.dumps(result.tree, ensure_ascii=False, indent=1, allow_nan=False)
    write_text(files.readout, f"{text}\n")


def effects_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the effects as a flat table for ``effects.csv``."""
    import pandas as pd

    flat = []
    for row in rows:
        cells: dict[str, Any] = {}
        for name, value in row.items():
            cells |= _interval(name, value) if name in INTERVALS else {name: value}
        flat.append(cells)
    return pd.DataFrame(flat)


def _interval(name: str, found: dict[str, float | None] | None) -> dict[str, float | None]:
    """Return a number and both ends of its interval, each in a column of its own."""
    ends = found or dict.fromkeys(("value", "low", "high"))
    return {name: ends["value"], f"{name}_low": ends["low"], f"{name}_high": ends["high"]}


def offers_yaml(catalogue: Catalogue, campaign: str) -> str:
    """Return the catalogue as an option of the config group ``offers``, interpolations escaped."""
    from retain.campaign.assignment import to_yaml_dict
    from retain.execution.yaml_writer import to_yaml

    message = f"# Offers, with their save rates as the read-out of campaign {campaign} left them."
    return f"{message}\n{to_yaml(_escape_interpolation(to_yaml_dict(catalogue)))}"


def _escape_interpolation(node: Any) -> Any:
    """Return the tree with ``${`` escaped, so that it is not read as a reference."""
    if isinstance(node, dict):
        return {key: _escape_interpolation(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_escape_interpolation(value) for value in node]
    return node.replace("${", "\\${") if isinstance(node, str) else node


def _config(line: Arguments) -> Readout:
    """Return the tree of ``readout.yaml``; ``campaign=DIR`` means ``campaign.dir=DIR``."""
    from retain.cli.compose import Composer
    from retain.schema.parsing import parse
    from retain.schema.readout import Readout

    overrides = tuple(_full_key(text) for text in line.overrides)
    with Composer(replace(line, overrides=overrides), "readout") as composer:
        return parse(Readout, composer.one())


def _full_key(text: str) -> str:
    key, equals, value = text.partition("=")
    full = f"{SHORTHANDS.get(key, key)}{equals}{value}"
    return quote_ids(full) if key == "campaign" else full
