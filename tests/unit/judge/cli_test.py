#!/usr/bin/env python3
"""psmdb-verify judge on real files, made here by docs/formats.md alone: its exit statuses, and what it does with files
that are missing, damaged, too many or not to be written. Prints TAP. usage: cli_test.py PSMDB_VERIFY"""
import datetime
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

VERIFY = sys.argv[1]
T0 = 1795413600
RUN = "0f1e2d3c-4b5a-4968-8776-655443322110"
NAME = "2026-11-23T06:00:16Z"
OPID = "65f0a1b2c3d4e5f601234568"
TICKS = 40  # ranges of two ticks, one a second; the first 20 are before the restore point
PASS, FAIL, USAGE, ERROR, INCONCLUSIVE = range(5)


def at(seconds):
    moment = datetime.datetime.fromtimestamp(T0 + seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def digest(k):
    return [int.from_bytes(hashlib.sha256(f"{k}/{lane}".encode()).digest()[:8], "big") for lane in range(11)]


def digest_text(ks):
    return "".join(f"{sum(digest(k)[lane] for k in ks) % (1 << 64):016x}" for lane in range(11))


class File:
    """Records with number and chain."""

    def __init__(self):
        self.lines, self.chain, self.chains = [], "0" * 32, {}

    def add(self, kind, /, **members):
        n = len(self.lines) + 1
        body = json.dumps({"n": n, "type": kind, **members}, separators=(",", ":"))[:-1]
        self.chain = hashlib.sha256((self.chain + body).encode()).hexdigest()[:32]
        self.chains[n] = self.chain
        self.lines.append(f'{body},"chain":"{self.chain}"}}\n')

    def write(self, path):
        path.write_text("".join(self.lines))


def journal(run=RUN, seal=True):
    f = File()
    f.add("open", format="psmdb-drill/journal", version=1, run=run, at=at(0), ticker="by hand", cluster={"kind": "replicaSet", "id": "65f0a1b2c3d4e5f601234567", "set": "rs0"},
          clock={"offset_ms": 0, "error_ms": 1}, interval_us=1000000, batch=2, streams=[{"ns": "drill.ticker", "writer": 0}])
    for k in range(1, TICKS + 1):
        ticks = {"from": str(2 * k - 1), "to": str(2 * k)}
        f.add("issued", ms=1000 * k - 100, s=0, **ticks, lo=f"{T0 + k - 1},2", digest=digest_text([k]))
        f.add("acked", ms=1000 * k, s=0, **ticks, hi=f"{T0 + k},2", exact=False)
    if seal:
        f.add("end", ms=41000, reason="SIGTERM", issued=str(2 * TICKS), acked=str(2 * TICKS), failed="0", unknown="0")
    return f


def timeline(j, bound_sha256):
    f = File()
    f.add("open", format="psmdb-drill/timeline", version=1, drill="5f1c2a34-9d0e-4b7a-8c11-2233445566ff", at=at(-1), by="by hand", scenario="cli", boot="")

    def add(kind, seconds, /, **members):
        held = min(int(seconds), TICKS)
        if held >= 1:
            members["journal"] = {"run": RUN, "n": 2 * held + 1, "chain": j.chains[2 * held + 1]}
        f.add(kind, at=at(seconds), mono_ms=str(int(500000 + seconds * 1000)), **members)

    def event(seconds, name, /, **data):
        add("event", seconds, name=name, data=data)

    event(0.1, "clock", offset_ms="0", error_ms="5")
    for k in range(1, TICKS + 1):
        add("head", k + 0.2, acked={"0": {"seq": str(2 * k), "hi": f"{T0 + k},2"}})
        if k == 15:
            event(15.5, "backup.requested")
        if k == 22:
            event(22.5, "backup.finished", backup=NAME, state="done")
            event(22.6, "bound.pinned", backup=NAME, sha256=bound_sha256)
    event(40.5, "disaster", what="everything")
    event(100, "restore.finished", backup=NAME, state="done", reported_by="pbm")
    event(106, "bucket.recheck", missing="0", changed="0")
    return f


def bound():
    b0 = f"{T0 + 20},2"
    return json.dumps({
        "format": "psmdb-drill/bound", "version": 1, "pinnedAt": at(22.6), "source": "bucket", "precision": "operation",
        "backup": {"name": NAME, "opid": OPID, "type": "logical", "pbmVersion": "2.5.0", "mongodbVersion": "6.0.5", "fcv": "6.0", "startTs": str(T0 + 16),
                   "lastTransitionTs": str(T0 + 22), "metadataSha256": "", "metadataBytes": "0", "destination": "s3://b/p"},
        "clusterLastWriteTs": b0, "clusterFigure": "only", "b0": b0, "replicaSets": [{"name": "rs0", "lastWriteTs": b0, "b0": b0, "b1": b0}], "files": []}) + "\n"


def observed(missing=()):
    ks = [k for k in range(1, 21) if k not in missing]
    f = File()
    f.add("open", format="psmdb-drill/observed", version=1, at=at(105), collector="by hand",
          cluster={"kind": "replicaSet", "id": "65f0a1b2c3d4e5f6012345ff", "set": "rs0", "version": "6.0.5", "fcv": "6.0", "sharded": False},
          read={"concern": "majority", "after": f"{T0 + 104},1", "from": "127.0.0.1:27017"}, clock={"offset_ms": 0, "error_ms": 1})
    f.add("namespace", ns="drill.ticker", exists=True, documents=str(2 * len(ks)), options="{}", indexes=[])
    f.add("restore", name="2026-11-23T06:01:10Z", opid="65f0a1b2c3d4e5f601234570", backup=NAME, kind="logical", status="done", startTs=str(T0 + 70), finishTs=str(T0 + 99), error="")
    f.add("backup", name=NAME, opid=OPID, status="done", lastWriteTs=f"{T0 + 20},2")
    f.add("stream", s=0, ns="drill.ticker", replicaSet="rs0", run=RUN, writer=0, intact=str(2 * len(ks)), first=str(2 * ks[0] - 1), last=str(2 * ks[-1]))
    ranges = []
    for k in ks:
        if ranges and ranges[-1][1] == 2 * k - 2:
            ranges[-1][1] = 2 * k
        else:
            ranges.append([2 * k - 1, 2 * k])
    f.add("intact", s=0, ranges=[[str(a), str(b)] for a, b in ranges])
    f.add("block", s=0, block="0", ticks=2 * len(ks), digest=digest_text(ks))
    f.add("end", documents=str(2 * len(ks)), intact=str(2 * len(ks)), anomalies="0", foreign="0", truncated=False)
    return f


root = pathlib.Path(tempfile.mkdtemp(prefix="psmdb-drill-judge."))
count = 0


def run(name, missing=(), seal=True):
    place = root / name
    place.mkdir()
    j = journal(seal=seal)
    j.write(place / "journal.jsonl")
    (place / "bound.json").write_text(bound())
    timeline(j, hashlib.sha256(bound().encode()).hexdigest()).write(place / "timeline.jsonl")
    observed(missing).write(place / "observed.jsonl")
    return place


def verify(*args):
    done = subprocess.run([VERIFY, *map(str, args)], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def judge(*args):
    return verify("judge", *args)


def check(what, status, got, codes=(), place=None, says=""):
    global count
    count += 1
    verdict = json.loads((place / "verdict.json").read_text()) if place and (place / "verdict.json").exists() else {"reasons": []}
    reasons = [r["code"] for r in verdict["reasons"]]
    good = got[0] == status and set(codes) <= set(reasons) and says in got[1] + got[2]
    if place and status in (PASS, FAIL, INCONCLUSIVE):
        good = good and verdict.get("result") == {PASS: "PASS", FAIL: "FAIL", INCONCLUSIVE: "INCONCLUSIVE"}[status]
    print(f"{'ok' if good else 'not ok'} {count} - {what}")
    if not good:
        print(f"# exit status {got[0]}, wanted {status}; {[(r['code'], r['message']) for r in verdict['reasons']]} {got[1]} {got[2]}")


def edited(name, file, old, new):
    place = run(name)
    text = (place / file).read_text()
    assert old in text, (file, old)
    (place / file).write_text(text.replace(old, new, 1))
    return place


def tests():
    place = run("flawless")
    check("a flawless run: PASS", PASS, judge("--run", place), place=place, says="PASS: 40 of 40")
    verdict = json.loads((place / "verdict.json").read_text())
    check("no reason of any kind is given", PASS, (0 if not verdict["reasons"] else 1, "", str(verdict["reasons"])))
    check("the verdict goes to standard output", PASS, judge("--run", place, "--out", "-"), says='"result":"PASS"')
    check("each file by its own path", PASS, judge("--journal", place / "journal.jsonl", "--timeline", place / "timeline.jsonl", "--bound", place / "bound.json",
          "--observed", place / "observed.jsonl", "--out", root / "own.json"), says="PASS")
    check("an open journal that reaches far enough: PASS", PASS, judge("--run", run("open", seal=False)), ["OPEN_JOURNAL"], root / "open")
    check("a missing tick: FAIL", FAIL, judge("--run", run("lost", missing=[7])), ["LOST", "SILENT_LOSS"], root / "lost", says="2 of 40")
    check("a threshold that is exceeded: FAIL", FAIL, judge("--run", place, "--max-rpo", "5s"), ["RPO_EXCEEDED"], place)

    for file, code in (("journal.jsonl", "NO_JOURNAL"), ("timeline.jsonl", "NO_TIMELINE"), ("bound.json", "NO_BOUND"), ("observed.jsonl", "NO_OBSERVATION")):
        other = run("without-" + file)
        (other / file).unlink()
        check(f"without {file}: INCONCLUSIVE", INCONCLUSIVE, judge("--run", other), [code], other)
    for file, old, new, code in (
            ("journal.jsonl", '"ms":12000', '"ms":12001', "JOURNAL_BROKEN"), ("timeline.jsonl", "everything", "everythink", "TIMELINE_BROKEN"),
            ("bound.json", '"pbmVersion":"2.5.0"'.replace(":", ": "), '"pbmVersion": "2.5.1"', "NO_BOUND"), ("bound.json", '"b1": "', '"b1": "9', "NO_BOUND"),
            ("observed.jsonl", '"ticks":40', '"ticks":39', "OBSERVATION_BROKEN"), ("journal.jsonl", "psmdb-drill/journal", "psmdb-drill/journel", "JOURNAL_BROKEN"),
            ("timeline.jsonl", "{", "", "TIMELINE_BROKEN"), ("observed.jsonl", "{", "", "OBSERVATION_BROKEN")):
        other = edited(f"damaged-{file}-{code}-{len(new)}-{len(old)}", file, old, new)
        check(f"{file} with {new or 'nothing'!r} for {old!r}: INCONCLUSIVE", INCONCLUSIVE, judge("--run", other), [code], other)
    other = run("empty")
    for file in ("journal.jsonl", "timeline.jsonl", "bound.json", "observed.jsonl"):
        (other / file).write_text("")
    check("empty files: INCONCLUSIVE", INCONCLUSIVE, judge("--run", other), ["JOURNAL_BROKEN", "TIMELINE_BROKEN", "NO_BOUND", "OBSERVATION_BROKEN"], other)
    other = run("cut")
    lines = (other / "observed.jsonl").read_text().splitlines(True)
    (other / "observed.jsonl").write_text("".join(lines[:-1]))
    check("an observation without its end: INCONCLUSIVE", INCONCLUSIVE, judge("--run", other), ["NO_OBSERVATION"], other)
    other = run("cut-journal")
    lines = (other / "journal.jsonl").read_text().splitlines(True)
    (other / "journal.jsonl").write_text("".join(lines[:-3]))
    check("a journal cut where it hurts nobody else: INCONCLUSIVE", INCONCLUSIVE, judge("--run", other), ["JOURNAL_CUT"], other)

    other = run("two")
    journal("0f1e2d3c-4b5a-4968-8776-6554433221ff").write(other / "journal-2.jsonl")
    check("two journals: the ticks of the second are lost", FAIL, judge("--run", other), ["LOST"], other, says="40 of 80")
    other = run("twice")
    shutil.copy(other / "journal.jsonl", other / "journal-2.jsonl")
    check("one journal twice: INCONCLUSIVE", INCONCLUSIVE, judge("--run", other), ["JOURNAL_BROKEN"], other)

    check("no argument", USAGE, judge(), says="neither --run nor --out")
    check("an unknown option", USAGE, judge("--run", place, "--florish"), says="--florish")
    check("a threshold that is no time", USAGE, judge("--run", place, "--max-rpo", "soon"), says="soon")
    check("a threshold below 0", USAGE, judge("--run", place, "--max-undecided", "-1"))
    check("no such folder", ERROR, judge("--run", root / "none"), says="none")
    check("a file that is named and not there", ERROR, judge("--run", place, "--bound", root / "none.json"), says="none.json")
    check("a journal that is named and not there", ERROR, judge("--run", place, "--journal", root / "none.jsonl"), says="none.jsonl")
    check("a folder for a file", ERROR, judge("--run", place, "--observed", root))
    check("an output that cannot be written", ERROR, judge("--run", place, "--out", root / "none" / "verdict.json"), says="none")
    check("collect: a description of each member", USAGE, verify("collect", "--uri", "mongodb://h", "--describe", "--each-member"), says="exclude each other")
    other = run("a*[b]?")
    check("a folder with the letters of a pattern", PASS, judge("--run", other), place=other)


try:
    os.umask(0o077)
    tests()
finally:
    shutil.rmtree(root)
print(f"1..{count}")
