"""Case 1 with the sandbox killed (SIGKILL of its supervisor: everything in it dies) at a moment, started again, and the run resumed.

    killed.py --count 10 [--seed N]      ten random moments, a table at the end; by hand
    killed.py --at 5 --at 24 --at 50     these moments (seconds after the run began); as a test

A run that was killed must end in the right verdict, PASS, or say precisely why not: INCONCLUSIVE with its reason, or ERROR with the step and its cause. Never a wrong
FAIL, never a PASS with a lost tick, never a time-out. With --at an ERROR is good only before the disaster, and only by name: a backup that is under way ends with its
agents, and a ticker with its node, so no verdict can follow. Once everything is gone there is nothing more to lose: PASS or INCONCLUSIVE.
"""
import argparse
import os
import pathlib
import random
import re
import signal
import time

import harness
from cluster import NAMESPACE, Cluster, kube, verdict
from harness import ERROR, INCONCLUSIVE, INTERRUPTED, PASS, Tap, reasons, run

YES = ("--confirm-destroy", NAMESPACE)
TIMES = ("--set", "before=5s", "--set", "after=5s", "--set", "rate=5")


def kill(cluster, run_dir):
    os.kill(cluster.supervisor(), signal.SIGKILL)
    # the drill names the sandbox's kubeconfig, and its run
    harness.wait_until(lambda: set(harness.processes_of(cluster.dir)) <= set(harness.processes_of(run_dir)), 20, "everything in the sandbox to be gone")


def one(path, seconds, strict):
    """(exit status, result, why, moment's step)"""
    run_dir = path / f"at-{seconds:05.1f}"
    with Cluster(path / f"sandbox-{seconds:05.1f}") as cluster:
        child = cluster.start_drill(run_dir, *YES, *TIMES)
        time.sleep(seconds)
        step = last_step(run_dir)
        kill(cluster, run_dir)
        gone = '"volumes.gone"' in (run_dir / "timeline.jsonl").read_text()
        child.send_signal(signal.SIGINT)
        assert child.wait(90) in (PASS, INCONCLUSIVE, ERROR, INTERRUPTED), (child.returncode, pathlib.Path(f"{run_dir}.out").read_text()[-3000:])
        cluster.up("--no-wait")
        done = cluster.resume(run_dir, *YES, timeout=400)
        result = verdict(run_dir)
        why = ", ".join(reasons(result)) if result["result"] in ("PASS", "FAIL", "INCONCLUSIVE") else (done.stderr.strip().splitlines() or [""])[-1]
        check(done, result)
        if strict and done.returncode == ERROR:
            assert not gone and re.search("hint: [A-Z][A-Z0-9_]+: ", done.stderr), done.stdout[-2500:] + done.stderr[-2500:]
        return done.returncode, result["result"], why, step


def last_step(run_dir):
    lines = [line for line in pathlib.Path(f"{run_dir}.out").read_text().splitlines() if line.startswith("== ")]
    return lines[-1][12:60] if lines else "start"


def check(done, result):
    said = done.stdout[-2500:] + done.stderr[-2500:]
    assert done.returncode in (PASS, INCONCLUSIVE, ERROR), said
    assert int(result["counts"]["lost"] if result["counts"] else 0) == 0, said
    if done.returncode == INCONCLUSIVE:
        assert any(r["severity"] == "inconclusive" for r in result["reasons"]), said
    if done.returncode == ERROR:
        assert "step " in done.stderr and "waited" not in done.stderr, said


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--at", type=float, action="append", default=[])
    args = parser.parse_args()
    chance = random.Random(args.seed)
    moments = [(at, True) for at in args.at] + [(chance.uniform(0.5, 65), False) for _ in range(args.count)]
    tap, rows = Tap(), []
    with harness.workspace("killed") as path:
        for seconds, strict in moments:
            with tap.check(f"killed {seconds:.1f} s after the run began, started again, resumed: the right verdict, or precisely why not"):
                rows.append((seconds, *one(path, seconds, strict)))
                print(f"# {seconds:5.1f} s  {rows[-1][4]:48}  exit {rows[-1][1]}  {rows[-1][2]}  {rows[-1][3]}", flush=True)
    if args.count:
        print(f"# seed {args.seed}: " + ", ".join(f"{sum(r[2] == v for r in rows)} {v}" for v in ("PASS", "INCONCLUSIVE", "ERROR", "FAIL")))
    tap.done()


main()
