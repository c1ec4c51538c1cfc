"""``retain-score``: new customers through a saved winner, into its segments, to an offer each.

Exit codes: 0 done, 2 config, verdict, model or data refused, or memory or a disk ran out, and
nothing is written, 70 a bug of retain.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from retain.app.command_line import Line
from retain.app.compare import nothing_thrown_away
from retain.app.run import answer

if TYPE_CHECKING:
    import pandas as pd

    from retain.app.new_customers import NewCustomers
    from retain.app.offered import Offered
    from retain.app.saved import Saved
    from retain.campaign.audience import Audience
    from retain.campaign.settings import Settings
    from retain.learning.scores import Scores
    from retain.record import ScoreDirectory
    from retain.schema import Score


def main() -> None:
    """The console command ``retain-score``."""
    sys.exit(answer(score, sys.argv[1:], "score"))


def score(line: Line) -> int:
    """Read the verdict and the customers, score, place and write."""
    with nothing_thrown_away():  # among texts of a million customers a search finds nothing
        return _scored(line)


def _scored(line: Line) -> int:
    from retain.app.board_score import report
    from retain.app.console import console
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
    report(console(), home, found)
    return 0


@dataclass(frozen=True)
class Scored:
    """New customers scored, placed and offered something, and held against training.

    Attributes
    ----------
    offered
        Segments and campaign, as trees and tables.
    drift
        As ``campaign.drift`` tells it.
    """

    saved: Saved
    new: NewCustomers
    offered: Offered
    drift: pd.DataFrame


def scored(config: Score, saved: Saved, settings: Settings, new: NewCustomers) -> Scored:
    """The new customers through the saved winner and into a campaign.

    Raises
    ------
    RetainError
        When the model is not the verdict's, or offers or limits mean nothing for these customers.
    """
    from threadpoolctl import threadpool_limits

    from retain.app.planning import offered
    from retain.campaign.applied import applied
    from retain.campaign.drift import drift
    from retain.learning.experiment import score_new

    model = saved.model()
    with threadpool_limits(config.threads):
        scores = score_new(model, new.table, rows=config.rows)
        moved = drift(saved.reference, new.table, scores.table["probability"].to_numpy())
        people = _people(saved, settings, new, scores)
        made = applied(people, saved.calibration, settings)
        found = offered(made, settings, saved.calibration, config.report.language, None)
    return Scored(saved, new, found, moved)


def _people(saved: Saved, settings: Settings, new: NewCustomers, scores: Scores) -> Audience:
    """The customers with risk and money; of categories also the levels the comparison met."""
    from retain.app.known_levels import with_levels
    from retain.campaign.worth.value import audience

    found = audience(
        [scores],
        new.customers,
        saved.calibration,
        settings.value,
        consent=settings.planning.consent,
    )
    return replace(found, columns=with_levels(found.columns, saved))


def chosen(config: Score, saved: Saved) -> Settings:
    """What the comparison assumed, offered and allowed, with what was typed.

    An option of a group that was chosen counts as it is. Segments, and the offers unless others
    were chosen, have the cut-offs of the comparison.
    """
    from retain.app.merged import merged
    from retain.campaign.settings import Settings
    from retain.schema import parse
    from retain.schema.scoring import SavedSettings

    tree = {**saved.settings.model_dump(by_alias=True), **saved.cuts.model_dump(by_alias=True)}
    for key in ("value", "offers", "campaign"):
        typed = getattr(config, key)
        if typed is not None:
            tree[key] = typed if "name" in typed else merged(tree[key], typed)
    found = parse(SavedSettings, tree)
    return Settings(found.segmentation, found.value, found.offers, found.campaign)


def _config(line: Line) -> Score:
    from retain.app.configs import Composer
    from retain.schema import Score, parse

    with Composer(line, "score") as composer:
        return parse(Score, composer.one())


def _home(config: Score, saved: Saved, new: NewCustomers) -> ScoreDirectory:
    """Where to write, found to be writable before anything is computed."""
    from retain.errors import RetainError
    from retain.record import ScoreDirectory
    from retain.storage.writing import try_writing

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
