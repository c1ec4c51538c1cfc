"""Log the records of a study to MLflow, with the whole of it: settings and means.

python peers/mlflow_runs.py STUDY STORE.db
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient


def main() -> None:
    """Log every run of a study into a SQLite store."""
    study, store = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    client = MlflowClient(tracking_uri=f"sqlite:///{store}")
    experiment = client.create_experiment(study.name)
    now = int(time.time() * 1000)
    for file in sorted(study.glob("*/record.json")):
        tree = json.loads(file.read_text(encoding="utf-8"))
        run = client.create_run(experiment, run_name=file.parent.name)
        params = [Param(*text.split("=", 1)) for text in tree["overrides"]]
        metrics = [Metric(name, one["value"], now, 0) for name, one in tree["metrics"].items()]
        client.log_batch(run.info.run_id, metrics=metrics, params=params)
        client.set_terminated(run.info.run_id)


if __name__ == "__main__":
    main()
