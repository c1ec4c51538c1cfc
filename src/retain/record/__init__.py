"""The run directory: what a run leaves behind, and all that later rooms know of it.

    outputs/<study>/                    StudyDirectory
      status.json                       how far the sweep is, each second; see execution/status.py
      <slug>-<id>/                      RunDirectory
        record.json                     Record, written last and atomically; see its fields
        scores.parquet                  customer_id, repeat, fold, target, probability
        folds.parquet                   those of the folds a race has done so far, and as metadata
                                        what made them; gone once the record is written
        run.log                         everything logged, the traceback of a failure included
        .lock                           held by the process that does the run, empty
        .hydra/                         config.yaml, hydra.yaml, overrides.yaml as Hydra writes them
      jobs/                             logs of a cluster's jobs, left there when one died
      verdict/                          written by retain-compare, replaced as a whole
        verdict.json                    what was found, for programs; see verdict/document.py
        report.html  pictures/          the same for people; fishbone.svg, .png beside it
        leaderboard.csv  segments.csv  customers.csv  model.skops
        drivers.csv  features.csv  groups.csv                 why; see explanations/document.py
        reference.json                                        shares of the training customers
      campaigns/<id>/                   CampaignDirectory, never overwritten; named by content
        campaign.json                   the plan, its settings, the hashes of its tables; see
                                        campaign/planning/document.py
        campaign.csv  offers.csv        who is contacted, who is in the control group; what to say
        readout/                        ReadoutDirectory, written by retain-readout
          readout.json  effects.csv  offers/<name>.yaml
      scores/<name>/                    ScoreDirectory, written by retain-score
        scores.csv  not_scored.csv  drift.csv  segments.csv  score.json
      ledger.jsonl                      one line for every opening of the sealed test
      .lock                             held by the command that reads or writes these
      .staging-*/  .commit/             a transaction under way, or killed: storage/transaction.py

States. A directory without ``record.json`` was interrupted and runs again, from the folds it has
if ``folds.parquet`` is of the same data, splits, code and packages. With it, ``state`` is
``done``; ``failed``, with ``reason`` and ``traceback``; or ``not_applicable``, with ``reason``:
this combination has no meaning, which is neither a failure nor a zero. Failed runs run again
when their line is launched again; the other two do not, unless a race ``stopped`` a run that is
done and the line is launched without one.

A run whose record cannot be read, or contradicts itself or its folder, is broken: a comparison
lists it with its reason and leaves it out, and the same line does it again.

``record.json`` is plain JSON, so that it can be read without this package; ``schema`` counts up
when the meaning of a key changes.
"""

from retain.record.campaign import CampaignDirectory, ReadoutDirectory
from retain.record.consistency import NEEDED_METRICS, RecordChecker
from retain.record.directory import RunDirectory, ScoreDirectory
from retain.record.facts import (
    CANNOT_CHANGE_A_RESULT,
    SCHEMA,
    CategoricalAgreement,
    CheckResult,
    DataInfo,
    Environment,
    FunnelStep,
    Git,
    LabelInfo,
    LabelVariant,
    MetricSummary,
    NumericAgreement,
    Record,
    SnapshotFacts,
    SplitInfo,
    State,
    TuningInfo,
    identity,
    slug_of,
)
from retain.record.reading import check_scores_size
from retain.record.study import BrokenRun, StudyDirectory

__all__ = [
    "CANNOT_CHANGE_A_RESULT",
    "NEEDED_METRICS",
    "SCHEMA",
    "BrokenRun",
    "CampaignDirectory",
    "CategoricalAgreement",
    "CheckResult",
    "DataInfo",
    "Environment",
    "FunnelStep",
    "Git",
    "LabelInfo",
    "LabelVariant",
    "MetricSummary",
    "NumericAgreement",
    "ReadoutDirectory",
    "Record",
    "RecordChecker",
    "RunDirectory",
    "ScoreDirectory",
    "SnapshotFacts",
    "SplitInfo",
    "State",
    "StudyDirectory",
    "TuningInfo",
    "check_scores_size",
    "identity",
    "slug_of",
]
