"""``retain-score``: risk, segment and offer of new customers by a saved winner.

Exit codes: 0 done, 2 config, verdict, model or data are invalid, or memory or disk is full, and no
scores are written, 70 a bug of retain.
"""

from __future__ import annotations

import shlex
import sys
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from retain.cli.garbage import gc_paused
from retain.cli.overrides import Arguments
from retain.cli.recorded_source import overlay_typed, typed_keys
from retain.cli.run import run_command
from retain.cli.terminal.output import write_json
from retain.errors import RetainError
from retain.record.directory import ScoreDirectory
from retain.record.study import StudyDirectory
from retain.schema.parsing import Node
from retain.storage.paths import parse_path
from retain.storage.reading import MAX_TABLE_BYTES, read_json_object

if TYPE_CHECKING:
    from retain.schema.scoring import Score
    from retain.workflows.campaign_files import Repointing
    from retain.workflows.saved_winner import LoadedWinner
    from retain.workflows.score import ScoreResult


UNLABELLED = {"target": None, "positive": None, "has_target": False}
"""Keys of the target, with their values for data without one."""


def data_node(line: Arguments, typed: Node | None, saved: LoadedWinner) -> Node:
    """Return the data node of the new customers: the winner's, or the one typed.

    Raises
    ------
    RetainError
        When nothing was typed, as the winner's own customers are not new.
    """
    if not typed:
        raise RetainError(
            "name the new customers with what is different about them, such as "
            f"{_changeable_keys(saved)}."
        )
    trained = saved.winner.config.get("data")
    node = overlay_typed(line, typed, trained if isinstance(trained, dict) else {})
    named = {key[0] for key in typed_keys(line, "data")}
    return node | {k: v for k, v in UNLABELLED.items() if k in node and k not in named}


def _changeable_keys(saved: LoadedWinner) -> str:
    """Return the keys that may differ from the winner's source."""
    if saved.test_snapshot is None:
        return "data.path=FILE or data.dir=FOLDER"
    return f"data.snapshot=DAY, one after {saved.test_snapshot}, or data.path=LOG"


def main() -> None:
    """Run the console command ``retain-score``."""
    sys.exit(run_command(score, sys.argv[1:], "score"))


def score(line: Arguments) -> int:
    """Score new customers, assign segments and offers, and write the files."""
    from retain.cli.ci_sections import add_scores
    from retain.execution.worker import start_forkserver
    from retain.record.documents import read_document
    from retain.record.score_document import ScoreDocument

    with suppress(OSError):  # reported when a worker starts
        start_forkserver("retain.workflows.saved_winner")  # while this one reads
    with gc_paused():  # a million customers' texts hold no garbage
        home = score_and_write(line)
    if line.report.markdown is not None:
        add_scores(line.report, read_document(ScoreDocument, home.score_json)[1])
    if line.json:
        write_json(read_json_object(home.score_json, max_bytes=MAX_TABLE_BYTES))
    return 0


def score_and_write(line: Arguments) -> ScoreDirectory:
    """Score new customers, write and print the results, and return their folder."""
    from retain.cli.terminal.console import console, say_waiting
    from retain.cli.terminal.scoring import print_scoring
    from retain.workflows.saved_winner import find_verdict

    config = _config(line)
    path = find_verdict(config.verdict)
    study = _output_study(config, path)
    try:
        with ExitStack() as stack:
            stack.enter_context(study.alone(lambda: say_waiting(study)))
            if study != (source := _study_of(path)):
                stack.enter_context(source.reading(lambda: say_waiting(source)))
            home, result, repointing = _apply_campaign(line, config, path, study)
    except OSError as error:
        raise RetainError.unwritable(study.path, error, "output_dir=FOLDER") from None
    print_scoring(console(), study, home, result)
    if repointing is not None:
        raise RetainError(repointing.describe(shlex.join(["retain-score", *line.words])))
    return home


def _apply_campaign(
    line: Arguments, config: Score, path: Path, study: StudyDirectory
) -> tuple[ScoreDirectory, ScoreResult, Repointing | None]:
    """Score the new customers, and write the scores together with their campaign.

    If the new scores would point to another campaign without ``campaign.replace``, the earlier
    ones are kept; the campaign is written anyway.
    """
    from retain.storage.transaction import transaction
    from retain.workflows.campaign_files import find_repointing, write_campaign
    from retain.workflows.new_customers import read_new_customers
    from retain.workflows.open_campaigns import check_unsent, find_open_campaigns
    from retain.workflows.saved_winner import load_winner
    from retain.workflows.score import (
        begin_after_snapshot,
        merge_settings,
        score_customers,
        write_scores,
    )

    saved = load_winner(path)
    settings = merge_settings(config, saved)
    beside = StudyDirectory(saved.folder.parent)
    if ("unsent",) in typed_keys(line, "campaign"):  # those of the comparison may be gone by now
        check_unsent(beside, settings)
    new = read_new_customers(data_node(line, config.data, saved), saved)
    settings = begin_after_snapshot(settings, config, new.customers.snapshot)
    home = study.score(new.customers.fingerprint[:8])
    others = find_open_campaigns(beside, settings, home.score_json)
    result = score_customers(config, saved, settings, new, others)
    with transaction(study.path) as staging:
        result = replace(result, campaign=write_campaign(result.campaign, staging))
        repointing = find_repointing(study, home.score_json, result.campaign)
        if repointing is None or settings.campaign.replace:
            made = StudyDirectory(staging.path).score(home.path.name)
            staging.add(made.path.relative_to(staging.path).as_posix())
            write_scores(made, result)
            return home, result, None
    return home, result, repointing


def _config(line: Arguments) -> Score:
    from retain.cli.compose import Composer
    from retain.schema.parsing import parse
    from retain.schema.scoring import Score

    with Composer(line, "score") as composer:
        return parse(Score, composer.one())


def _output_study(config: Score, path: Path) -> StudyDirectory:
    """Return the study that gets ``scores/`` and ``campaigns/``.

    Raises
    ------
    RetainError
        When the verdict lies in no study and no folder is named.
    """
    from retain.errors import RetainError

    if config.output_dir:
        return StudyDirectory(parse_path("output_dir", config.output_dir))
    study = _study_of(path)
    if path.absolute().parent.name != study.verdict.name:
        raise RetainError(
            f"{path.parent} is not the verdict/ of a study, beside which scores could lie; name a "
            "folder for them: output_dir=FOLDER"
        )
    return study


def _study_of(path: Path) -> StudyDirectory:
    """Return the study whose verdict is at ``path``, a folder or ``verdict.json``."""
    return StudyDirectory(path.parents[1] if len(path.parts) > 2 else path.absolute().parents[1])
