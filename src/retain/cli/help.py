"""``--help``, with the options read from the config folder without importing Hydra."""

from __future__ import annotations

from retain.cli.overrides import Groups
from retain.plugins.decorators import GROUPS
from retain.plugins.registry import Kind, Plugin, broken, plugins
from retain.storage.paths import conf_dir

USAGE = {
    "run": """retain: which regular customers are about to buy less?

  retain model=lightgbm sampler=smote features.site=false     one run
  retain -m study=models                                      a sweep; again: continues it
  retain -m model=svc,logreg seed=1,2,3                       a sweep of your own
  retain -m study=models dry_run=true                         lists the runs and their states
  retain data=one_click data.dir=PATH                         the four files of the store
  retain data=table data.path=my.csv data.id=ID data.target=COLUMN data.positive=VALUE

Exit codes: 0 done · 1 a run failed · 2 config or data refused · 70 a bug · 130 interrupted
""",
    "compare": """retain-compare: who won, how sure that is, what moved it; whom to offer what.

  retain-compare study=models                                 outputs/models
  retain-compare study=[models,samplers]                      several studies together
  retain-compare runs=DIR                                     run directories in any folder
  retain-compare study=models gate.roc_auc=0.88               for CI: exit code 3 where missed
  retain-compare study=models gate.roc_auc=0.88 gate_only=true    the same and nothing else
  retain-compare study=models explain=fast                    why, but nothing fitted again
  retain-compare study=models campaign.budget=500             offers within a budget
  retain-compare study=models campaign.replace=true           point to another campaign than before
  retain-compare diff=[ONE,OTHER]                             two runs, by id or folder
  retain-compare trees=[MAIN,BRANCH]                          two folders of outputs: is one worse?
  retain-compare study=models data=one_click data.dir=PATH    when the data have moved

Exit codes: 0 done · 1 broken runs left out · 2 refused · 3 a gate was not met · 70 a bug
""",
    "score": """retain-score: new customers through a saved winner: score, segment, offer, drift.

  retain-score verdict=outputs/models/verdict data=one_click data.dir=PATH    four new files
  retain-score verdict=DIR data.path=new.csv                  read as the winner's table was
  retain-score verdict=DIR data.path=new.csv campaign.budget=5000             other limits
  retain-score verdict=DIR data.path=new.csv output_dir=FOLDER    scores/ and campaigns/ elsewhere

Nobody needs a target. Who cannot be scored is listed with the reason in not_scored.csv.

Exit codes: 0 done · 2 config, verdict, model or data refused, and nothing is written · 70 a bug
""",
    "readout": """retain-readout: what a campaign really did, against its control group.

  retain-readout campaign=ID outcomes=later.csv           the campaign that was sent, by its id
  retain-readout campaign=FOLDER outcomes=FILE            or by its folder, campaigns/ID
  retain-readout campaign=ID outcomes=FILE outcomes.id=COLUMN outcomes.declined=COLUMN
  retain-readout campaign=ID outcomes=FILE outcomes.profit=COLUMN outcomes.contacted=COLUMN
  retain-readout campaign=ID outcomes=FILE outcomes.unknown_customers=drop   more than the campaign

Any other randomised campaign, from a table with a row per customer, into outputs/NAME/trial:
  retain-readout data=table data.path=FILE treatment=COLUMN control=VALUE outcome=COLUMN
  retain-readout data=table data.path=FILE treatment=COLUMN control=VALUE outcome=[COLUMN,COLUMN]
  retain-readout data=table data.path=FILE treatment=COL control=VAL outcome=COL effects=dr_learner

What it writes into campaigns/ID/readout holds a catalogue for the next campaign:
  retain-compare study=NAME -cd outputs/NAME/campaigns/ID/readout offers=NAME campaign.replace=true

Exit codes: 0 done · 2 config, campaign, table or outcomes refused · 70 a bug
""",
    "simulate": """retain-simulate: invented outcomes of a campaign, by a truth that is known.

  retain-simulate campaign=ID                             save rates drawn from the catalogue's
  retain-simulate campaign=ID save_rate.OFFER=0.2         or typed by offer
  retain-simulate campaign=ID heterogeneity=risk strength=0.4     helps some and harms others
  retain-simulate campaign=ID risk_odds=1.3 noncompliance=0.1 missing=0.05    not all goes by plan
  retain-simulate campaign=ID truth=FILE                  what another plan is worth by that truth

Nobody learns anything about customers from them: they try out the readout and the next plan.
  retain-readout campaign=ID outcomes=outputs/NAME/simulated/ID/outcomes.csv

Exit codes: 0 done · 2 config, campaign or truth refused · 70 a bug
""",
    "verify": """retain-verify: is a verdict as it was written, with the numbers of its runs?

  retain-verify outputs/models                            the verdict and all campaigns of a study
  retain-verify FOLDER                                    the same in a copy, or one campaign alone
  retain-verify outputs/models --json                     what was verified, for programs

Every file is held against manifest.json. What records suffice for is computed again; the rest is
listed. The first thing that does not agree is named. Nothing is written.

Exit codes: 0 all agrees · 1 something does not · 2 nothing to verify, or unreadable · 70 a bug
""",
    "clean": """retain-clean: what can go from a folder of outputs, and why nobody misses it.

  retain-clean outputs                                    lists what can go, and removes nothing
  retain-clean outputs --yes                              removes it
  retain-clean outputs failed=false                       keeps a kind: failed, outdated, cached
  retain-clean outputs older_than=30                      keeps what changed in the last 30 days

A run that a verdict, campaign, score or ledger names stays, and so do these themselves. So does
what retain did not write, and what is behind a link. Nothing goes while a sweep runs.

Exit codes: 0 listed, or removed · 2 config or folder refused, or in use · 70 a bug
""",
    "dashboard": """retain-dashboard: studies, runs, comparisons and campaigns as local pages.

  retain-dashboard                                        outputs, at a free port; prints the link
  retain-dashboard FOLDER                                 of another folder
  retain-dashboard FOLDER against=OTHER                   with what changed from another folder
  retain-dashboard port=8765                              at a port of your own
  retain-dashboard export=FOLDER                          the same as files, which need no server
  retain-dashboard export=FOLDER ids=hashed               to be shared: nobody knows the customers

It reads and never writes, answers this machine alone, and asks nothing of a network.

Exit codes: 0 ended by Ctrl-C, or exported · 2 config, folder or port refused · 70 a bug
""",
}
OFFERED = {
    "run": (
        "data",
        "features",
        "scaling",
        "model",
        "sampler",
        "calibration",
        "tuning",
        "validation",
        "metrics",
        "audit",
        "study",
        "hydra/launcher",
    ),
    "compare": (
        "data",
        "segmentation",
        "assumptions",
        "offers",
        "campaign",
        "effects",
        "explain",
        "tracking",
    ),
    "score": ("data", "assumptions", "offers", "campaign", "effects"),
    "readout": ("effects",),
    "simulate": (),
    "verify": (),
    "clean": (),
    "dashboard": (),
}


NAMED: dict[str, tuple[Kind, ...]] = {
    "metrics": ("metric",),
    "features": ("feature",),
    "segmentation": ("segmentation", "offer rule"),
}
"""Kinds of plug-ins that an option of a group names."""


def _list_plugins(primary: str) -> list[str]:
    """Return a line for each plug-in that a command takes, with its package."""
    kinds = [kind for group in OFFERED[primary] for kind in NAMED.get(group, ())]
    kinds += [kind for kind, group in GROUPS.items() if group in OFFERED[primary]]
    found = [one for one in plugins() if one.kind in kinds]
    lines = [f"  {type_plugin(one):<45} {one.package}" for one in found]
    lines += [f"  {name} cannot be imported: {why}" for name, why in broken().items()]
    return ["Plug-ins, and where they are from:", *lines, ""] if lines else []


def type_plugin(plugin: Plugin) -> str:
    """Return what is typed to name a plug-in."""
    if plugin.kind == "offer rule":
        return f"plugin: {plugin.name} in a rule"
    if plugin.kind in GROUPS:
        return f"{GROUPS[plugin.kind]}={plugin.name}"
    return f"{'metrics' if plugin.kind == 'metric' else 'features'}.plugins=[{plugin.name}]"


def format_help(primary: str) -> str:
    """Return the help text of a command."""
    options = Groups.among([conf_dir()]).options
    lines = [f"  {group:<15}{' '.join(options[group])}" for group in OFFERED[primary]]
    if lines:
        lines = ["Choices (GROUP=OPTION; the keys of an option are in its file):", *lines, ""]
        lines += _list_plugins(primary)
    sweep = "-m sweep · " if primary == "run" else ""
    keys = (conf_dir() / f"{primary}.yaml").read_text(encoding="utf-8").split("\n\n", 1)[1]
    return "\n".join(
        [
            USAGE[primary],
            *lines,
            "Keys and their defaults:",
            *(f"  {line}".rstrip() for line in keys.rstrip().splitlines()),
            "",
            f"Flags: {sweep}--quiet prints nothing · --json prints the result as JSON",
            "       --junit FILE, --markdown FILE the same for CI and for a pull request",
            "       -cd DIR configs of your own · --cfg job, --info (Hydra's)",
            f"Configs: {conf_dir()}",
            "",
        ]
    )
