"""scripts/demo as a user runs it.

    demo_test.py good | silent | cut
"""
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import harness
from harness import FAIL, PASS, SOURCE, Tap, failing_junit, reasons

tap = Tap()
ENV = {**os.environ, "PSMDB_DRILL_BUILD": str(harness.BUILD), "TERM": "dumb"}  # and TMPDIR, to see what is left there


def demo(directory, *args):
    return subprocess.run([SOURCE / "scripts/demo", "--no-setup", "--apiserver", harness.APISERVER, "--run", directory, *args], capture_output=True, text=True, timeout=300, env=ENV, check=False)


def leftovers(path):
    return harness.processes_of(path), os.listdir(ENV["TMPDIR"])


def interrupted(path, seconds):
    """Ctrl-C after so many seconds: exit status, processes left, temporary files left, whether the sandbox is left."""
    run_dir, temp = path / f"cut-{seconds:02}", path / f"tmp-{seconds:02}"
    temp.mkdir()
    child = subprocess.Popen([SOURCE / "scripts/demo", "--no-setup", "--apiserver", harness.APISERVER, "--run", run_dir], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             env={**ENV, "TMPDIR": str(temp)}, start_new_session=True)
    time.sleep(seconds)
    os.killpg(child.pid, signal.SIGINT)
    status = child.wait(60)
    time.sleep(1)
    return status, harness.processes_of(run_dir), os.listdir(temp), pathlib.Path(f"{run_dir}.sandbox").exists()


def good(path):
    with tap.check("scripts/demo: PASS, under 2 minutes, says what was lost and where the report is, leaves nothing running"):
        began = time.monotonic()
        done = demo(path / "good")
        took = time.monotonic() - began
        assert done.returncode == PASS, done.stdout + done.stderr
        assert took < 120, took
        for word in ("PASS", "acknowledged", "ok ", "expected loss", "lost", "RPO", "RTO", "operation time", "bucket, exact", "restore finished", "report.html"):
            assert word in done.stdout[-5000:], (word, done.stdout[-5000:])
        for name in ("journal.jsonl", "timeline.jsonl", "bound.json", "observed.jsonl", "verdict.json", "report.html", "report.md", "junit.xml", "state.json",
                     "logs/ticker.log", "logs/api.log", "logs/kubelet.log", "logs/s3.log"):
            assert (path / "good" / name).stat().st_size > 0, name
        assert leftovers(path) == ([], []), leftovers(path)
        assert not (path / "good.sandbox").exists()
        assert list((path / "good/logs").glob("*-mongod.log")) and list((path / "good/logs").glob("*-backup-agent.log"))
    with tap.check("the clocks are compared once, while ticks go on behind the backup, and the proof does not wait for it"):
        events = [e for e in map(json.loads, (path / "good/timeline.jsonl").read_text().splitlines()) if e["type"] == "event"]
        at = [i for i, e in enumerate(events) if e["name"] == "clock"]
        step = [e["data"]["step"] for e in events[:at[0]] if e["name"] == "step.start"][-1]
        assert len(at) == 1 and step == "tick" and 0 <= int(events[at[0]]["data"]["error_ms"]) < 500, (at, step)
        assert [e["name"] for e in events[:at[0]]].count("bound.pinned") == 1


def silent(path):
    with tap.check("scripts/demo --silent-loss: psmdb-restore says ready, the verdict is FAIL, names the missing operations and says so"):
        done = demo(path / "silent", "--silent-loss")
        assert done.returncode == FAIL, done.stdout + done.stderr
        assert re.search(r"psmdb-restore \S+ says: ready", done.stdout), done.stdout
        verdict = json.loads((path / "silent/verdict.json").read_text())
        assert {"LOST", "SILENT_LOSS", "BACKUP_FILES_CHANGED"} <= set(reasons(verdict)), reasons(verdict)
        assert int(verdict["counts"]["lost"]) > 0 and int(verdict["counts"]["ok"]) > 0, verdict["counts"]
        bad = [r for s in verdict["streams"] for r in s["bad"] if r[2] == "lost"]
        assert sum(int(r[1]) - int(r[0]) + 1 for r in bad) == int(verdict["counts"]["lost"]), bad
        assert failing_junit(path / "silent")[0] >= 1
        assert leftovers(path) == ([], []), leftovers(path)


def cut(path):
    with tap.check("Ctrl-C while it starts, ticks, backs up and restores: exit status 130, no process, no sandbox, no temporary file"):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for result in pool.map(lambda seconds: interrupted(path, seconds), (2, 14, 24, 50)):
                assert result == (130, [], [], False), result


def main():
    with harness.workspace("demo") as path:
        ENV["TMPDIR"] = str(path / "tmp")
        (path / "tmp").mkdir()
        {"good": good, "silent": silent, "cut": cut}[sys.argv[1]](path)
    tap.done()


main()
