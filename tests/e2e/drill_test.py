"""One real drill by hand, judged as it is; what it leaves behind."""
import json
import os
import stat
import time

import damage
import harness
from harness import FAIL, PASS, Tap, failing_junit, reasons

tap = Tap()


def clean(drill, sandbox):
    with tap.check("a flawless restore: PASS, exit status 0, every acknowledged tick before the bound is there"):
        status, verdict = drill.check()
        count = verdict["counts"]
        assert status == PASS and verdict["result"] == "PASS", drill.output
        assert int(count["ok"]) > 100 and int(count["expected_loss"]) > 20 and int(count["at_bound"]) == 0, count
        assert all(int(count[c]) == 0 for c in ("lost", "late", "corrupted", "duplicated", "unexpected", "resurrected")), count
        assert failing_junit(drill.dir) == (0, 0)
        for name in ("report.html", "report.md", "junit.xml", "verdict.json", "journal.jsonl", "timeline.jsonl", "bound.json", "observed.jsonl"):
            assert (drill.dir / name).stat().st_size > 0, name
    with tap.check("thresholds: a loss or a recovery longer than allowed is FAIL"):
        status, verdict = drill.check("--max-rpo", "1ms")
        assert status == FAIL and "RPO_EXCEEDED" in reasons(verdict), verdict["reasons"]
        status, verdict = drill.check("--max-rto", "1ms")
        assert status == FAIL and "RTO_EXCEEDED" in reasons(verdict), verdict["reasons"]
        status, verdict = drill.check("--max-rpo", "1h", "--max-rto", "1h")
        assert status == PASS, drill.output
    with tap.check("the demo's query returns the newest tick, through pymongo"):
        with sandbox.client() as client:
            for ns in ("admin.ticker", "drill.ticker"):
                newest = list(damage.collection(client, ns).find({}).sort("createdAt", -1).limit(1))[0]
                shown = [n for n in json.loads((drill.dir / "verdict.json").read_text())["newest"] if n["ns"] == ns][0]
                assert int(shown["seq"]) == newest["seq"], (shown, newest)
    with tap.check("every document is byte for byte what a second implementation derives"):
        with sandbox.client() as client:
            for ns in ("admin.ticker", "drill.ticker"):
                for doc in damage.collection(client, ns).find({}):
                    assert doc == damage.make(doc["run"], doc["writer"], ns, doc["seq"], doc["createdAt"]), doc
    with tap.check("no secret of the sandbox is in any file of the run, and the files are private"):
        values = harness.secrets_in(sandbox.dir)
        assert len(values) >= 5, values.keys()
        for path in drill.dir.rglob("*"):
            if path.is_file():
                text = path.read_bytes()
                for name, value in values.items():
                    assert value.encode() not in text, f"{name} is in {path.name}"
        assert stat.S_IMODE(os.stat(drill.dir).st_mode) == 0o700


def main():
    with harness.workspace("drill") as path:
        with harness.Sandbox(path / "sandbox") as sandbox:
            strays = sandbox.strays()
            drill = harness.Drill(sandbox, path / "run")
            drill.start_ticker()
            time.sleep(8)
            name = drill.backup()
            drill.pin(name)
            time.sleep(6)
            drill.disaster()
            done = drill.restore(name)
            tap.ok(done.returncode == 0, "PBM restores the backup", done.stdout + done.stderr)
            drill.collect()
            clean(drill, sandbox)
        tap.ok(not harness.processes_of(path), "no process is left", harness.processes_of(path))
        tap.ok(not (path / "sandbox").exists(), "no file of the sandbox is left")
        tap.ok(strays and not sandbox.strays(), "nor the sockets that the S3 server had made in /tmp", (strays, sandbox.strays()))
    tap.done()


main()
