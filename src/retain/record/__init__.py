"""The run directory: the files of a run, a study, a campaign and a scoring.

    outputs/<study>/                    StudyDirectory
      dropped_rows.csv                  rows of the data's files that are no customers
      status.json                       the sweep's progress, each second; see execution/status.py
      <slug>-<id>/                      RunDirectory
        record.json                     Record, written last and atomically; see its fields
        scores.parquet                  customer_id, repeat, fold, target, probability,
                                        and duplicate_group if any customers are copies
        folds.parquet                   scores of the folds done so far in a race, with their
                                        origin as metadata; removed once the record is written
        run.log                         the log, with the traceback of a failure
        .lock                           lock of the process that does the run, empty
        .hydra/                         config.yaml, hydra.yaml, overrides.yaml as Hydra writes them
      jobs/                             logs of a cluster's jobs, kept if one died
      verdict/                          written by retain-compare, replaced as a whole
        verdict.json                    the results, for programs; see verdict/document.py
        report.html  pictures/          the same for people; fishbone.svg, .png beside it
        leaderboard.csv  segments.csv  customers.csv  model.skops
        drivers.csv  features.csv  groups.csv                 see explanations/document.py
        verdict.xlsx                    customers and segments, with the extra excel
        reference.json                                        shares of the training customers
        manifest.json                   size and SHA-256 of all these; see record/manifest.py
      campaigns/<id>/                   CampaignDirectory, never overwritten; named by content
        campaign.json                   the plan, its settings, the hashes of its tables; see
                                        campaign/planning/document.py
        campaign.csv  offers.csv        contacts and control group; texts of offers
        customers.parquet               what was known of the customers in campaign.csv
        contacts.csv  do_not_contact.csv  approval.csv   who, when, by which channel; the plan
        outcomes_template.csv  columns.csv  README.txt   to fill in; what the columns hold
        campaign.xlsx  manifest.json    a sheet for each channel, with the extra excel
        readout/                        ReadoutDirectory, written by retain-readout
          readout.json  effects.csv  offers/<name>.yaml  manifest.json
          trial/                        TrialDirectory: the campaign as a trial, effects learned
      scores/<name>/                    ScoreDirectory, written by retain-score
        scores.csv  not_scored.csv  drift.csv  segments.csv  score.json  dropped_rows.csv
      simulated/<id>/                   SimulationDirectory, written by retain-simulate
        outcomes.csv  truth.json  true_customers.csv
      ledger.jsonl                      one line for every access to the sealed test
      .lock                             lock of the command that reads or writes these
      .staging-*/  .commit/             an unfinished transaction: storage/transaction.py

States. A run without ``record.json`` was interrupted and runs again, after the folds it has if
``folds.parquet`` is of the same data, splits, code and packages. Otherwise ``state`` is ``done``;
``failed``, with ``reason`` and ``traceback``; or ``not_applicable``, with ``reason``, if the
combination has no meaning. Launched again, failed runs run again; the others do not, except a
done run that was stopped early, if the new launch has no early stopping.

A run whose record cannot be read, or contradicts itself or its folder, is broken: a comparison
leaves it out and lists it with its reason, and a new launch repeats it.

``schema`` counts up when the meaning of a key in ``record.json`` changes.
"""
