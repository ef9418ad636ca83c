"""One real drill, judged as it is and with every kind of damage done to database and evidence."""
import datetime
import json
import os
import re
import stat
import time

import damage
import harness
from harness import FAIL, INCONCLUSIVE, PASS, Tap, failing_junit, reasons

tap = Tap()


def journal(drill):
    return [json.loads(line) for line in (drill.dir / "journal.jsonl").read_text().splitlines()]


def first_acked_after(drill, ns):
    """seq and createdAt of an acknowledged tick of ns well after the bound, from the journal's text."""
    b0 = tuple(int(x) for x in json.loads((drill.dir / "bound.json").read_text())["b0"].split(","))
    records = journal(drill)
    stream = [s["ns"] for s in records[0]["streams"]].index(ns)
    issued = {r["seq"]: r for r in records if r["type"] == "issued" and r["s"] == stream}
    for r in records:
        if r["type"] == "acked" and r["s"] == stream and tuple(int(x) for x in r["hi"].split(","))[0] > b0[0] + 1:
            return int(r["seq"]), datetime.datetime.fromisoformat(issued[r["seq"]]["createdAt"].replace("Z", "+00:00"))
    raise AssertionError("no tick after the bound")


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


def damaged_database(drill, sandbox):
    seq, created_at = first_acked_after(drill, "drill.ticker")
    with sandbox.client() as client:
        scene = damage.Scene(client, "drill.ticker")
        cases = [
            ("a tick removed", scene.removed, "lost", "LOST"),
            ("a tick altered", scene.altered, "corrupted", "CORRUPTED"),
            ("a tick altered and its sum mended", scene.altered_and_mended, "corrupted", "CORRUPTED"),
            ("a tick re-dated and its sum mended", scene.redated, "corrupted", "CORRUPTED"),
            ("a tick copied", scene.duplicated, "duplicated", "DUPLICATED"),
            ("a tick added that was never issued", lambda: scene.invented(1000000), None, None),
            ("a tick left over from after the backup", lambda: scene.left_over(seq, created_at), "late", "LATE"),
        ]
        for text, context, tick_class, code in cases:
            with tap.check(f"{text}: {tick_class or 'unexpected or late'}, FAIL, a JUnit failure"):
                with context() as doc:
                    copy = drill.copy(re.sub(r"\W+", "-", text))
                    copy.collect()
                    status, verdict = copy.check()
                assert status == FAIL and verdict["result"] == "FAIL", copy.output
                if tick_class:
                    assert int(verdict["counts"][tick_class]) == 1, (verdict["counts"], copy.output)
                    assert code in reasons(verdict), reasons(verdict)
                    bad = [r for s in verdict["streams"] for r in s["bad"] if r[2] == tick_class]
                    assert [int(r[0]) for r in bad] == [doc["seq"]], bad
                else:
                    assert int(verdict["counts"]["unexpected"]) + int(verdict["counts"]["late"]) == 1, verdict["counts"]
                assert failing_junit(copy.dir)[0] >= 1
        with tap.check("with everything put back the verdict is PASS again"):
            copy = drill.copy("again")
            copy.collect()
            status, _ = copy.check()
            assert status == PASS, copy.output


def damaged_evidence(drill):
    def cut(lines):
        return lines[:-20]

    def cut_middle(lines):
        return lines[:100] + lines[101:]

    def edited(lines):
        at = next(i for i, line in enumerate(lines) if i > 80 and '"acked"' in line)
        return lines[:at] + [lines[at].replace('"acked"', '"unknown"')] + lines[at + 1:]

    def reordered(lines):
        return lines[:90] + [lines[91], lines[90]] + lines[92:]

    def at_the_bound(lines):
        return lines[:len(lines) // 3]

    for text, change in (("cut at its end", cut), ("cut in the middle", cut_middle), ("edited", edited), ("re-ordered", reordered), ("cut before the bound", at_the_bound)):
        with tap.check(f"a journal {text}: INCONCLUSIVE, never PASS"):
            copy = drill.copy(re.sub(r"\W+", "-", f"journal {text}"))
            path = copy.dir / "journal.jsonl"
            path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
            status, verdict = copy.check()
            assert status == INCONCLUSIVE and verdict["result"] == "INCONCLUSIVE", copy.output
            assert {"JOURNAL_BROKEN", "JOURNAL_CUT"} & set(reasons(verdict)), reasons(verdict)
            assert failing_junit(copy.dir)[1] >= 1
    for name, codes in (("journal.jsonl", {"NO_JOURNAL"}), ("bound.json", {"NO_BOUND"}), ("timeline.jsonl", {"NO_TIMELINE"}), ("observed.jsonl", {"NO_OBSERVATION"})):
        with tap.check(f"without {name}: INCONCLUSIVE"):
            copy = drill.copy(f"no-{name}")
            (copy.dir / name).unlink()
            status, verdict = copy.check()
            assert status == INCONCLUSIVE and codes & set(reasons(verdict)), (status, reasons(verdict), copy.output)
    with tap.check("an observation without its end: INCONCLUSIVE"):
        copy = drill.copy("observed-cut")
        path = copy.dir / "observed.jsonl"
        path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
        status, verdict = copy.check()
        assert status == INCONCLUSIVE and "NO_OBSERVATION" in reasons(verdict), (status, reasons(verdict))


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
            damaged_evidence(drill)
            damaged_database(drill, sandbox)
        tap.ok(not harness.processes_of(path), "no process is left", harness.processes_of(path))
        tap.ok(not (path / "sandbox").exists(), "no file of the sandbox is left")
        tap.ok(strays and not sandbox.strays(), "nor the sockets that the S3 server had made in /tmp", (strays, sandbox.strays()))
    tap.done()


main()
