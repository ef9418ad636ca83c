"""A run of psmdb-ticker, and what its journal's claims are worth: the database read with pymongo, each tick derived again by ticks.py."""
import os
import signal
import subprocess
import tempfile

import bson
from bson.raw_bson import RawBSONDocument

import tap
import ticks

TICKER = os.environ.get("PSMDB_TICKER") or os.path.join(os.environ["BUILD_DIR"], "ticker", "psmdb-ticker")
children = []


def end_children():
    for child in children:
        if child.poll() is None:
            child.kill()
            child.wait()


def secret(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


class Ticker:
    """One run of the program."""

    def __init__(self, uri, journal, *args, user=None, password=None, never_shown=(), stdout=subprocess.PIPE, **popen):
        self.path, self.never_shown, self.log = journal, never_shown, tempfile.TemporaryFile()
        login = ["--user-file", user, "--password-file", password] if user else []
        self.process = subprocess.Popen([TICKER, "--uri", uri, *login, "--journal", journal, *args], stdout=stdout, stderr=self.log, text=True, **popen)
        children.append(self.process)

    def wait(self, seconds=40):
        self.out, _ = self.process.communicate(timeout=seconds)
        self.err = self.said()
        assert "Sanitizer" not in self.err, self.err
        for text in (self.out or "", self.err):
            assert not any(word in text for word in self.never_shown)
        return self.process.returncode

    def stop(self, signum=signal.SIGTERM, seconds=40):
        self.process.send_signal(signum)
        return self.wait(seconds)

    def said(self):
        """Standard error so far; the offset is the program's."""
        return os.pread(self.log.fileno(), 1 << 24, 0).decode()

    def wait_until_said(self, text, seconds=30):
        tap.eventually(lambda: text in self.said(), seconds, f"{text!r} on standard error")

    def text(self):
        return open(self.path).read() if os.path.exists(self.path) else ""

    def wait_for(self, text, count=1, seconds=20):
        tap.eventually(lambda: self.text().count(text) >= count, seconds, f"{count} times {text} in the journal")

    def wait_for_more(self, text, count=1, seconds=40):
        self.wait_for(text, self.text().count(text) + count, seconds)

    def journal(self):
        return ticks.Journal(self.text())

    def errors(self):
        """Lines that are no log."""
        return [line for line in self.err.splitlines() if line.startswith("psmdb-ticker: ")]


def stored(admin, journal):
    """What the run has in the database: (stream, seq) -> raw document. Each once, and each with the bytes that it must have."""
    found = {}
    for index, (ns, writer) in enumerate(journal.streams):
        db, coll = ns.split(".", 1)
        options = bson.CodecOptions(document_class=RawBSONDocument)
        collection = admin[db].get_collection(coll, codec_options=options)
        run = bson.Binary(bytes.fromhex(journal.open["run"].replace("-", "")), 4)
        for doc in collection.find({"run": run, "writer": writer}):
            key = (index, int(doc["seq"]))
            created = int((doc["createdAt"] - ticks.EPOCH).total_seconds() * 1000 + 0.5)
            assert doc.raw == ticks.tick(journal.open["run"], ns, writer, key[1], created), f"bytes of {key}"
            assert key not in found, f"{key} is there twice"
            found[key] = doc
    return found


def check_digests(journal, found):
    for record in journal.issues():
        first, last = int(record.get("seq") or record["from"]), int(record.get("seq") or record["to"])
        seqs = range(first, last + 1)
        assert (first - 1) // 1000 == (last - 1) // 1000, "a range crosses a block"
        if any((record["s"], seq) not in found for seq in seqs):
            continue
        sums = [(seq, int(found[record["s"], seq]["sum"]) % (1 << 64)) for seq in seqs]
        if "seq" in record:
            assert record["sum"] == f"{sums[0][1]:016x}"
        else:
            assert record["digest"] == ticks.digest(sums)


def operation_times(admin, journal):
    """(stream, seq) -> true operation time, from the oplog; each insert once."""
    times = {}
    run = bson.Binary(bytes.fromhex(journal.open["run"].replace("-", "")), 4)
    names = {pair: index for index, pair in enumerate(journal.streams)}

    def take(op, ts):
        if op.get("op") == "i" and op["o"].get("run") == run:
            key = names[op["ns"], op["o"]["writer"]], int(op["o"]["seq"])
            assert key not in times, f"{key} was inserted twice"
            times[key] = (ts.time, ts.inc)
    for entry in admin.local["oplog.rs"].find({"$or": [{"o.run": run}, {"o.applyOps.o.run": run}]}):
        take(entry, entry["ts"])
        for op in entry["o"].get("applyOps", []) if entry["op"] == "c" else []:
            take(op, entry["ts"])
    return times


def check_against_oplog(admin, journal):
    """Each acknowledged tick's true operation time lies in (lo, hi], and is hi where that was claimed."""
    times = operation_times(admin, journal)
    for key, tick in journal.of("acked").items():
        assert tick["lo"] < times[key] <= tick["hi"], f"{key}: {tick['lo']} < {times[key]} <= {tick['hi']}"
        assert not tick["exact"] or times[key] == tick["hi"], f"{key} is not exact"
    return times


def check_claims(admin, journal):
    """All of the above, and that the data is what the journal claims."""
    found = stored(admin, journal)
    check_digests(journal, found)
    check_against_oplog(admin, journal)
    assert not set(journal.of("acked")) - set(found), "an acknowledged tick is missing"
    assert not set(journal.of("failed")) & set(found), "a refused tick is there"
    assert not set(found) - set(journal.ticks), "a tick that was never issued is there"
    return found


def most_within(journal, stream, window_ms):
    """The most ticks of a stream that were issued within any such time."""
    times = [(r["ms"], int(r.get("to") or r["seq"]) - int(r.get("from") or r["seq"]) + 1) for r in journal.issues() if r["s"] == stream]
    most = current = begin = 0
    for ms, count in times:
        current += count
        while times[begin][0] <= ms - window_ms:
            current -= times[begin][1]
            begin += 1
        most = max(most, current)
    return most
