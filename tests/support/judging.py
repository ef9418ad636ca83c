"""The verifier on a living database, and beside it the classes of docs/formats.md §9, found tick by tick from the journal's own text."""
import collections
import json
import os
import subprocess
import uuid

VERIFY = os.environ.get("PSMDB_VERIFY") or os.path.join(os.environ["BUILD_DIR"], "verifier", "psmdb-verify")


def collect(uri, user, password, namespaces, path):
    args = [VERIFY, "collect", "--uri", uri, "--user-file", user, "--password-file", password, "--no-probe-write", "--out", path]
    done = subprocess.run(args + [word for ns in namespaces for word in ("--ns", ns)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def write_bound(path, point, sets=("rs0",)):
    """A restore point, the same on each replica set, as if a backup had ended there."""
    b0 = f"{point[0]},{point[1]}"
    with open(path, "w") as f:
        json.dump({"format": "psmdb-drill/bound", "version": 1, "pinnedAt": "2026-01-01T00:00:00.000Z", "source": "file", "precision": "operation",
                   "backup": {"name": "2026-01-01T00:00:00Z", "opid": "65f0a1b2c3d4e5f601234568", "type": "logical", "pbmVersion": "2.5.0", "mongodbVersion": "6.0.5",
                              "fcv": "6.0", "startTs": "1", "lastTransitionTs": "2", "metadataSha256": "", "metadataBytes": "0", "destination": ""},
                   "clusterLastWriteTs": b0, "clusterFigure": "only" if len(sets) == 1 else "min", "b0": b0, "replicaSets": [{"name": name, "lastWriteTs": b0, "b0": b0, "b1": b0} for name in sets], "files": []}, f)


def judge(folder, journals, observed, point, sets=("rs0",)):
    """The verdict."""
    bound, out = os.path.join(folder, "bound.json"), os.path.join(folder, "verdict.json")
    write_bound(bound, point, sets)
    args = [VERIFY, "judge", "--bound", bound, "--observed", observed, "--out", out, "--quiet"]
    done = subprocess.run(args + [word for path in journals for word in ("--journal", path)], capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 1, 4), done.stderr
    with open(out) as f:
        return json.load(f)


def whole_lines(text):
    return text[:text.rfind("\n") + 1]


def class_of(tick, point, present):
    if tick["state"] == "failed":
        return "resurrected" if present else "refused"
    if tick["state"] == "acked":
        if tick["hi"] <= point:
            return "ok" if present else "lost"
        if tick["lo"] >= point or tick["exact"]:
            return "late" if present else "expected_loss"
        return "at_bound"
    if not present:
        return "indeterminate"
    return "late" if tick["lo"] >= point else "recovered"


def expected(journals, present, point):
    """journals: those that are judged. present: (run, ns, writer) -> sequences that are in the database. -> class -> ticks."""
    counts = collections.Counter()
    judged = set()
    for journal in journals:
        for index, (ns, writer) in enumerate(journal.streams):
            identity = journal.open["run"], ns, writer
            judged.add(identity)
            mine = {seq: tick for (stream, seq), tick in journal.ticks.items() if stream == index}
            there = present.get(identity, set())
            for seq, tick in mine.items():
                counts[class_of(tick, point, seq in there)] += 1
            last = max([tick["hi"] for tick in mine.values() if tick["state"] == "acked"], default=(0, 0))
            beyond = "unexpected" if journal.end else "late" if last >= point else "unjournaled"
            counts[beyond] += len(there - set(mine))
    counts["foreign"] = sum(len(seqs) for identity, seqs in present.items() if identity not in judged)
    return +counts


def counted(verdict):
    return collections.Counter({name: int(count) for name, count in verdict["counts"].items() if int(count)})


def present(admin, namespaces):
    found = collections.defaultdict(set)
    for ns in namespaces:
        db, coll = ns.split(".", 1)
        for doc in admin[db][coll].find({}, {"run": 1, "writer": 1, "seq": 1}):
            identity = str(uuid.UUID(bytes=bytes(doc["run"]))), ns, doc["writer"]
            assert int(doc["seq"]) not in found[identity], f"{identity} {doc['seq']} is there twice"
            found[identity].add(int(doc["seq"]))
    return found


def some_points(journal, times, chance, how_many):
    """Operation times to be taken for the restore point: edges of the journal's own claims, where classes change, and ticks' true ones, inside of batches."""
    points = [tick["hi"] for tick in journal.of("acked").values()] + [tick["lo"] for tick in journal.ticks.values()] + list(times.values())
    return [chance.choice(points) for _ in range(how_many)] if points else []

