"""``retain-score``: new customers through a saved winner, into its segments, to an offer each.

Exit codes: 0 done, 2 config, verdict, model or data refused; then nothing is written.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retain.app.command_line import Line
from retain.app.run import answer

if TYPE_CHECKING:
    import pandas as pd

    from retain.app.new_customers import NewCustomers
    from retain.app.saved import Saved
    from retain.campaign.audience import Audience
    from retain.learning.scores import Scores
    from retain.record import ScoreDirectory
    from retain.schema import Score
    from retain.schema.scoring import SavedSettings


def main() -> None:
    """The console command ``retain-score``."""
    sys.exit(answer(score, sys.argv[1:], "score"))


def score(line: Line) -> int:
    """Read the verdict and the customers, score, place and write."""
    from rich.console import Console

    from retain.app.board_score import report
    from retain.app.new_customers import data_node, read_new
    from retain.app.saved import opened
    from retain.app.score_files import write

    config = _config(line)
    saved = opened(config.verdict)
    settings = chosen(config, saved)
    new = read_new(data_node(line, config.data, saved), saved)
    home = _home(config, saved, new)
    found = scored(config, saved, settings, new)
    write(home, found)
    report(Console(), home, found)
    return 0


@dataclass(frozen=True)
class Scored:
    """New customers scored, placed and held against those the winner learnt from.

    Attributes
    ----------
    audience
        In the segments of the comparison.
    drift
        As ``campaign.drift`` tells it.
    """

    saved: Saved
    settings: SavedSettings
    new: NewCustomers
    audience: Audience
    drift: pd.DataFrame


def scored(config: Score, saved: Saved, settings: SavedSettings, new: NewCustomers) -> Scored:
    """The new customers through the saved winner."""
    from threadpoolctl import threadpool_limits

    from retain.campaign.drift import drift
    from retain.learning.experiment import score_new

    model = saved.model()
    with threadpool_limits(config.threads):
        scores = score_new(model, new.table, rows=config.rows)
    moved = drift(saved.reference, new.table, scores.table["probability"].to_numpy())
    return Scored(saved, settings, new, _placed(saved, settings, new, scores), moved)


def _placed(saved: Saved, settings: SavedSettings, new: NewCustomers, scores: Scores) -> Audience:
    """The customers with risk and money, in segments whose bounds the comparison settled."""
    from retain.campaign.segments import assigned
    from retain.campaign.value import audience

    found = audience(
        [scores],
        new.customers,
        saved.calibration,
        settings.value,
        consent=settings.campaign.consent,
    )
    return found.placed(assigned(found, saved.cuts))


def chosen(config: Score, saved: Saved) -> SavedSettings:
    """The settings of the comparison with what was typed; an option that was chosen, as it is."""
    from retain.schema import parse
    from retain.schema.scoring import SavedSettings

    tree = saved.settings.model_dump(by_alias=True)
    for key in ("value", "offers", "campaign"):
        typed = getattr(config, key)
        if typed is not None:
            whole = "name" in typed or tree[key] is None
            tree[key] = typed if whole else merged(tree[key], typed)
    return parse(SavedSettings, tree)


def merged(tree: dict[str, Any], typed: dict[str, Any]) -> dict[str, Any]:
    """A tree with some of its leaves, or whole new branches, from another.

    >>> merged({"horizon": {"low": 1, "high": 6}, "draws": 100}, {"horizon": {"low": 2}})
    {'horizon': {'low': 2, 'high': 6}, 'draws': 100}
    """
    below = {
        key: merged(tree[key], value)
        if isinstance(value, dict) and isinstance(tree.get(key), dict)
        else value
        for key, value in typed.items()
    }
    return {**tree, **below}


def _config(line: Line) -> Score:
    from retain.app.configs import Composer
    from retain.schema import Score, parse

    with Composer(line, "score") as composer:
        return parse(Score, composer.one())


def _home(config: Score, saved: Saved, new: NewCustomers) -> ScoreDirectory:
    """Where to write, found to be writable before anything is computed."""
    from retain.errors import RetainError
    from retain.record import ScoreDirectory
    from retain.record.writing import try_writing

    name = f"score-{new.customers.fingerprint[:8]}"
    path = Path(config.outputs).expanduser() if config.outputs else saved.folder / name
    home = ScoreDirectory(path)
    home.check_replaceable()
    above = next(folder for folder in path.absolute().parents if folder.exists())
    try:
        try_writing(above)
    except OSError as error:
        raise RetainError.unwritable(above, error, "outputs=FOLDER") from None
    return home
