"""The runs of a sweep on a Ray cluster of two nodes with a CPU each."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

RAY = "hydra/launcher=ray"
NO_CATEGORY = tuple(f"features.{g}=false" for g in ("communication", "product", "purchase"))
pytestmark = [
    # Ray's own: it leaves pipes and sockets of the processes it starts to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def ray(optional):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RAY_AUTH_MODE", "disabled")
        patched.setenv("RAY_USAGE_STATS_ENABLED", "0")
        yield optional("ray")


@pytest.fixture(scope="module")
def cluster(ray):
    """A head without CPUs and two nodes; the test that kills one is the last."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    yield cluster, nodes
    cluster.shutdown()


def test_both_nodes_leave_what_local_workers_leave(cluster, odd_models, retain, tiny, results):
    models = "model=raises,kills,exits,tree,dummy"
    line = (*odd_models, *tiny, "-m", models, "sampler=none,smotenc", *NO_CATEGORY)
    joined = (RAY, f"hydra.launcher.address={cluster[0].address}")
    for outputs, where in (("here", ("workers=2",)), ("there", joined)):
        code, output = retain(*line, *where, f"outputs={outputs}")
        assert code == 1
        assert "2 done, 3 failed, 5 not applicable, 0 done before" in output
    assert len(results("here")) == 10
    assert results("there") == results("here")
    code, output = retain(*line, *joined, "outputs=there", "dry_run=true")
    assert output.count("failed before") == 3


def raylets_of_first(count):
    """The raylets that the first ``count`` runs to start are under."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        output = Path("raylets").read_text().split() if Path("raylets").exists() else []
        if len(output) >= count:
            return output
        time.sleep(0.1)
    raise AssertionError("the runs did not start")


def test_an_interrupt_stops_the_runs_and_leaves_no_record(
    ray, odd_models, tiny, retain, records, monkeypatch
):
    monkeypatch.setenv("RETAIN_STAY", "2")
    line = (*odd_models, *tiny, "-m", "model=stays,dummy")
    command = [sys.executable, "-m", "retain", *line, RAY, "workers=1"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    raylets_of_first(1)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "The same command continues" in out
    assert "Traceback" not in err
    time.sleep(2)  # longer than the run that was met would have taken
    assert records("adhoc") == {}
    code, output = retain(*line, "dry_run=true")
    assert code == 0
    assert "interrupted" in output


def test_runs_that_no_node_has_room_for_are_not_waited_for_for_ever(cluster, retain, tiny):
    joined = (RAY, f"hydra.launcher.address={cluster[0].address}", "hydra.launcher.wait_min=0.02")
    code, output = retain(*tiny, "-m", "model=dummy,tree", "threads=8", *joined)
    assert code == 2
    assert "no node of the Ray cluster had room for a run of 8 CPUs" in output


def test_a_cluster_that_is_not_there_is_named(ray, retain, tiny):
    code, output = retain(*tiny, "model=dummy", RAY, "hydra.launcher.address=nowhere")
    assert code == 2
    assert output.splitlines()[-1].startswith("hydra.launcher.address=nowhere: ")


def test_a_node_that_dies_costs_the_run_it_was_doing(
    cluster, odd_models, retain, tiny, monkeypatch
):
    monkeypatch.setenv("RETAIN_STAY", "3")
    seen = []

    def kill():
        seen.extend(raylets_of_first(2))
        lost = {str(node.all_processes["raylet"][0].process.pid): node for node in cluster[1]}
        cluster[0].remove_node(lost[seen[0]], allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    code, output = retain(
        *odd_models,
        *tiny,
        "-m",
        "model=stays",
        "model.C=1.0,2.0,3.0",
        RAY,
        f"hydra.launcher.address={cluster[0].address}",
    )
    killer.join()
    assert len(set(seen)) == 2, "both nodes did runs"
    assert code == 1
    assert "2 done, 1 failed" in output
    assert "its Ray worker died: The actor" in output
