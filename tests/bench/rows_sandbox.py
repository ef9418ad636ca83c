"""Rows "overhead" and "reaction": a sandbox with its cluster of three, and drills in it."""
import contextlib
import json
import pathlib
import random
import subprocess
import sys
import time

from measure import NotMeasured, below, median, progress, shown

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "integration"))
import kube  # noqa: E402
from scale_history import Line  # noqa: E402

NAMESPACE = "mongo-ns"


@contextlib.contextmanager
def sandbox(bench):
    """Its kubeconfig."""
    program, place = bench.program("sandbox/psmdb-sandbox"), bench.path("sandbox")
    progress("a sandbox starts: API server, operator, Kasten, three mongods, three PBM agents, an S3 server")
    try:
        bench.run(program, "up", "--dir", place, timeout=300)
        yield place / "kubeconfig"
    finally:
        bench.run(program, "down", "--purge", "--dir", place, timeout=120)


def events(run_dir):
    with open(run_dir / "timeline.jsonl", encoding="utf-8") as f:
        return [r for r in map(json.loads, f) if r["type"] == "event"]


# --- overhead ---------------------------------------------------------------------------------------------------------

# What a drill of Case 1 waits for that is not this project's work: (name, begin, end), both of the timeline. An object's state: (object, from, to);
# a list: whichever comes first.
THEIRS = (
    ("PBM: backup, from the psmdb-backup's appearance to ready", ("psmdb-backup", "", None), ("psmdb-backup", None, "ready")),
    ("mongod and PBM's agents: their end, from the deletion to the last pod", "outage.start", "disaster"),
    ("mongod: start, from the psmdb's initializing until it is ready or the psmdb-restore appears", ("psmdb ", None, "initializing"), ["cluster.ready", ("psmdb-restore", "", None)]),
    ("PBM: restore, from the psmdb-restore's appearance to ready", ("psmdb-restore", "", None), ("psmdb-restore", None, "ready")),
)


def matches(event, wanted):
    if isinstance(wanted, list):
        return any(matches(event, each) for each in wanted)
    if isinstance(wanted, str):
        return event["name"] == wanted
    obj, old, new = wanted
    data = event.get("data", {})
    return (event["name"] == "x-state" and data["object"].startswith(obj) and (old is None or data["from"] == old) and (new is None or data["to"] == new))


def span(timeline, begin, end):
    """(begin, end) in seconds."""
    start = next((i for i, e in enumerate(timeline) if matches(e, begin)), None)
    stop = start is not None and next((e for e in timeline[start:] if matches(e, end)), None)
    if not stop:
        raise NotMeasured(f"the timeline has nothing from {begin} to {end}")
    return int(timeline[start]["mono_ms"]) / 1000, int(stop["mono_ms"]) / 1000


def covered(spans):
    """Seconds that lie in any of them."""
    total, until = 0, 0
    for begin, end in sorted(spans):
        total += max(end - max(begin, until), 0)
        until = max(until, end)
    return total


def steps(timeline):
    """[(step, seconds)]"""
    found, begun = [], None
    for event in timeline:
        if event["name"] == "step.start":
            begun = event
        elif event["name"] == "step.end":
            found.append((event["data"]["step"], (int(event["mono_ms"]) - int(begun["mono_ms"])) / 1000))
    return found


def overhead(bench, kubeconfig):
    run_dir = bench.path("case-1")
    progress("Case 1, a minute or so")
    began = time.monotonic()
    bench.run(bench.program("scenarios/psmdb-drill"), "run", "case-1", "--run", run_dir, "--kubeconfig", kubeconfig, "--confirm-destroy", NAMESPACE,
              "--set", "rate=5", "--set", "before=3s", "--set", "after=3s", timeout=600)
    wall = time.monotonic() - began
    timeline = events(run_dir)
    spans = [span(timeline, begin, end) for _, begin, end in THEIRS]
    parts = [(name, end - begin) for (name, _, _), (begin, end) in zip(THEIRS, spans)]
    theirs, ticking = covered(spans), sum(s for step, s in steps(timeline) if step == "tick")
    ours = wall - ticking - theirs
    yield below("overhead", "Case 1: the time that is not mongod's, PBM's or the S3 server's, of all but the ticking on purpose", 10, "%",
                100 * ours / (wall - ticking), note=f"{ours:.1f} s of {wall - ticking:.1f} s, control plane and talk with the bucket with it; 6 s of ticking "
                                                    f"are in no figure ({100 * ours / wall:.0f} % of all {wall:.1f} s)")
    for name, seconds in parts:
        yield shown("overhead", f"theirs: {name}", seconds, "s")
    inside = {"run-policy": parts[0][1], "disaster": parts[1][1], "restore": parts[2][1] + parts[3][1]}
    left = sorted(((seconds - inside.get(step, 0), step) for step, seconds in steps(timeline) if step != "tick"), reverse=True)
    yield shown("overhead", "ours, by step", ours, "s", note=", ".join(f"{step} {seconds:.2f}" for seconds, step in left if seconds >= 0.05))


# --- reaction ---------------------------------------------------------------------------------------------------------

WAITS, RUNS = 120, 2
MERGE = "application/merge-patch+json"


class Timeline:
    """Follows a timeline as it is written."""

    def __init__(self, run_dir):
        self.path, self.file, self.rest = run_dir / "timeline.jsonl", None, ""

    def next(self, name, number, child, timeout=20):
        """The event of that name and the number-th wait."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if not self.file and self.path.exists():
                self.file = open(self.path, encoding="utf-8")
            while self.file:
                self.rest += self.file.readline()
                if not self.rest.endswith("\n"):
                    break
                event, self.rest = json.loads(self.rest), ""
                if event.get("name") == name and event["data"]["step"] == "wait":
                    return event
            if child.poll() is not None:
                break
            time.sleep(0.002)
        raise NotMeasured(f"{name} of wait {number} did not come")


def reactions(bench, kubeconfig, seed):
    """Milliseconds from before the change is sent to the step's end: one step \"wait\" for each change."""
    scenario, run_dir = bench.path("waits.yaml"), bench.path("waits")
    scenario.write_text("scenario: waits\nabout: waits for one change after the other\nparameters:\n  namespace: mongo-ns\nsteps:\n" + "".join(
        f"- wait: {{kind: configmap, name: bench, path: .data.n, value: 'n{i}'}}\n" for i in range(WAITS)))
    api = kube.Kube(kubeconfig)
    line, rng, took = Line(api), random.Random(seed), []
    path = kube.core("configmaps", NAMESPACE)
    if not api.there(f"{path}/bench"):
        api.create(path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bench"}, "data": {"n": "none"}})
    log = open(bench.path("waits.log"), "wb")
    child = subprocess.Popen([str(bench.program("scenarios/psmdb-drill")), "run", str(scenario), "--run", str(run_dir), "--kubeconfig", str(kubeconfig)],
                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        timeline = Timeline(run_dir)
        for i in range(WAITS):
            timeline.next("step.start", i, child)
            time.sleep(rng.uniform(0.02, 0.1))  # the watch stands
            sent_ms = time.clock_gettime(time.CLOCK_MONOTONIC) * 1000
            line.call("PATCH", f"{path}/bench", {"data": {"n": f"n{i}"}}, MERGE)
            # the timeline's milliseconds are cut
            took.append(int(timeline.next("step.end", i, child)["mono_ms"]) + 1 - sent_ms)
    except NotMeasured as e:
        raise NotMeasured(f"{e}: {pathlib.Path(log.name).read_text()[-400:]}") from None
    finally:
        child.terminate()
        child.wait(30)
        line.close()
        log.close()
    return took


def reaction(bench, kubeconfig):
    progress(f"{RUNS * WAITS} steps that each wait for one change")
    took = sorted(ms for run in range(RUNS) for ms in reactions(bench, kubeconfig, run))
    yield below("reaction", f"from a change at the API server to the end of the step that waits for it, p99 of {len(took)}", 50, "ms",
                took[int(0.99 * len(took))], note=f"from before the change is sent; p50 {median(took):.1f} ms, longest {took[-1]:.1f} ms")
