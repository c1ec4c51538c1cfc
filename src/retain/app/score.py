"""``retain-score``: new customers through a saved winner, into its segments, to an offer each.

Exit codes: 0 done, 2 config, verdict, model or data refused, or memory or a disk ran out, and no
scores are written, 70 a bug of retain.
"""

from __future__ import annotations

import shlex
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from retain.app.command_line import Line
from retain.app.compare import nothing_thrown_away
from retain.app.run import answer
from retain.record import ScoreDirectory, StudyDirectory
from retain.storage.paths import parse_path

if TYPE_CHECKING:
    import pandas as pd

    from retain.app.campaigns import Repointing
    from retain.app.new_customers import NewCustomers
    from retain.app.offered import Offered
    from retain.app.saved import Saved
    from retain.campaign.audience import Audience
    from retain.campaign.settings import Settings
    from retain.learning.scores import Scores
    from retain.schema import Score


def main() -> None:
    """The console command ``retain-score``."""
    sys.exit(answer(score, sys.argv[1:], "score"))


def score(line: Line) -> int:
    """Read the verdict and the customers, score, place and write."""
    from retain.app.workers import warm_up

    with suppress(OSError):  # a worker that cannot start says so
        warm_up()  # while this one reads
    with nothing_thrown_away():  # among texts of a million customers a search finds nothing
        return _scored(line)


def _scored(line: Line) -> int:
    from retain.app.board_score import report
    from retain.app.compare import say_waiting
    from retain.app.console import console
    from retain.app.saved import find_verdict
    from retain.errors import RetainError

    config = _config(line)
    path = find_verdict(config.verdict)
    study = _home(config, path)
    try:
        with ExitStack() as stack:
            stack.enter_context(study.alone(lambda: say_waiting(study)))
            if study != (source := _study_of(path)):
                stack.enter_context(source.reading(lambda: say_waiting(source)))
            home, found, repointing = _placed(line, config, path, study)
    except OSError as error:
        raise RetainError.unwritable(study.path, error, "outputs=FOLDER") from None
    report(console(), study, home, found)
    if repointing is not None:
        raise RetainError(repointing.describe(shlex.join(["retain-score", *line.words])))
    return 0


def _placed(
    line: Line, config: Score, path: Path, study: StudyDirectory
) -> tuple[ScoreDirectory, Scored, Repointing | None]:
    """Score the new customers, and put what was found in place together with their campaign.

    Earlier scores of the same customers stay as they are where the new ones would point to
    another campaign and nobody asked for that; the campaign is written all the same.
    """
    from retain.app.campaigns import find_repointing, pointed_campaign, write_campaign
    from retain.app.new_customers import data_node, read_new
    from retain.app.saved import opened
    from retain.app.score_files import write
    from retain.app.verdict_files import read_older
    from retain.storage.transaction import transaction

    saved = opened(path)
    settings = chosen(config, saved)
    new = read_new(data_node(line, config.data, saved), saved)
    found = scored(config, saved, settings, new)
    home = study.score(new.customers.fingerprint[:8])
    older = pointed_campaign(read_older(home.score_json))
    with transaction(study.path) as staging:
        found = replace(found, offered=write_campaign(found.offered, staging))
        repointing = find_repointing(study, home.path, older, found.offered)
        if repointing is None or settings.planning.replace:
            made = StudyDirectory(staging.path).score(home.path.name)
            staging.add(made.path.relative_to(staging.path).as_posix())
            write(made, found)
            return home, found, None
    return home, found, repointing


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

    scores = _scores(config, saved, new)
    with threadpool_limits(config.threads):
        moved = drift(saved.reference, new.table, scores.table["probability"].to_numpy())
        people = _people(saved, settings, new, scores)
        made = applied(people, saved.calibration, settings)
        found = offered(made, settings, saved.calibration, config.report.language, None)
    return Scored(saved, new, found, moved)


def _scores(config: Score, saved: Saved, new: NewCustomers) -> Scores:
    """What the saved model, in a process of its own, makes of the new customers."""
    from retain.app.apart import apart
    from retain.app.scratch import scratch
    from retain.app.shared_memory import share

    model = (saved.folder / saved.file.file, saved.file.sha256)
    with scratch() as folder:
        table = share(new.table, folder / "table")
        job = (*model, table, config.rows, config.threads)
        with apart("score", *job, does="scores the customers") as scoring:
            scores: Scores = scoring()
    return scores


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


def _home(config: Score, path: Path) -> StudyDirectory:
    """The folder that gets ``scores/`` and ``campaigns/``: the verdict's study, or another one.

    Raises
    ------
    RetainError
        When the verdict lies in no study and no folder is named.
    """
    from retain.errors import RetainError

    if config.outputs:
        return StudyDirectory(parse_path("outputs", config.outputs))
    study = _study_of(path)
    if path.absolute().parent.name != study.verdict.name:
        raise RetainError(
            f"{path.parent} is no verdict/ within a study, beside which scores could lie; name a "
            "folder for them: outputs=FOLDER"
        )
    return study


def _study_of(path: Path) -> StudyDirectory:
    """The study whose verdict is at ``path``; ``verdict.json`` alone is one in the folder above."""
    return StudyDirectory(path.parents[1] if len(path.parts) > 2 else path.absolute().parents[1])
