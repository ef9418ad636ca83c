"""A backup of two shards whose restore point is an interval: real mongods, agents of PBM and an S3 server, no mongos.

Each replica set has a ticker of its own: 200 a second on shard rs0, one a second on shard rs1 and on the config server. What is there after the restore is
held against the operation times that the oplogs gave each tick before the disaster, by code that shares nothing with the verifier.
"""
import contextlib
import datetime
import json
import pathlib
import signal
import subprocess
import sys
import time

import harness
from harness import FAIL, INCONCLUSIVE, PASS, Tap, reasons

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import damage  # pylint: disable=wrong-import-position
import shards  # pylint: disable=wrong-import-position
from replica_set import wait  # pylint: disable=wrong-import-position

RATES = {"rs0": 200, "rs1": 1, "cfg": 1}
NS = {"rs0": "drill.ticker", "rs1": "drill.ticker", "cfg": "admin.ticker"}
tap = Tap()


class Drill(harness.Drill):
    """rs0's ticker is the one that the drill follows; the others keep their journals in the run's folder."""

    def __init__(self, cluster, directory):
        super().__init__(None, directory)
        self.cluster, self.others = cluster, []

    def arguments(self, name):
        return [harness.TICKER, "--uri", self.cluster.sets[name].uri, *self.cluster.credentials("ticker"), "--ns", NS[name], "--rate", str(RATES[name]), "--journal"]

    def start_tickers(self):
        self.follower = subprocess.Popen([harness.DRILL, "follow", "--run", self.dir], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.ticker = subprocess.Popen([*self.arguments("rs0"), "-"], stdout=self.follower.stdin, stderr=subprocess.DEVNULL)
        self.follower.stdin.close()
        for name in ("rs1", "cfg"):
            self.others.append(subprocess.Popen([*self.arguments(name), self.dir / f"journal-{name}.jsonl"], stderr=subprocess.DEVNULL))

    def stop_tickers(self):
        for ticker in self.others:
            ticker.kill()
            ticker.wait()
        self.others = []
        self.stop_ticker(signal.SIGKILL)

    def backup(self):
        self.note("backup.requested")
        name = self.cluster.backup()
        wait(lambda: self.cluster.backup_state(name) == "done", 150, "the backup")
        self.note("backup.finished", backup=name, state="done")
        harness.run(harness.VERIFY, "bound", *self.cluster.s3.options(), "--backup", name, "--out", self.dir / "bound.json", check=0)
        self.note("bound.pinned", backup=name)
        return name

    def collect(self, names=("cfg", "rs0", "rs1")):
        path = self.dir / "observed.jsonl"
        path.unlink(missing_ok=True)
        uris = [word for name in names for word in ("--uri", self.cluster.sets[name].uri)]
        harness.run(harness.VERIFY, "collect", *uris, *self.cluster.credentials("verifier"), "--out", path, check=0)


    def copy(self, name):
        other = super().copy(name)
        other.__class__ = Drill
        return other


def operation_times(cluster, name):
    """When each tick of this replica set was written, by its oplog."""
    client = cluster.sets[name].client()
    times = {entry["o"]["_id"]: (entry["ts"].time, entry["ts"].inc) for entry in client["local"]["oplog.rs"].find({"op": "i", "ns": NS[name]})}
    client.close()
    return times


def present(cluster, name):
    client = cluster.sets[name].client()
    ids = {doc["_id"] for doc in damage.collection(client, NS[name]).find({}, {"_id": 1})}
    client.close()
    return ids


def pair(text):
    t, i = text.split(",")
    return int(t), int(i)


def story(path, cluster):
    drill = Drill(cluster, path / "run")
    times = {}
    try:
        drill.start_tickers()
        time.sleep(4)
        name = drill.backup()
        time.sleep(4)
        for rs in RATES:
            times[rs] = operation_times(cluster, rs)
        drill.note("disaster", what="every mongod killed, every data folder deleted, the tickers killed")
        cluster.lose()
    finally:
        drill.stop_tickers()
    drill.note("volumes.gone")
    drill.note("cluster.requested")
    cluster.create()
    cluster.configure()
    drill.note("cluster.ready")
    drill.note("restore.requested", backup=name)
    cluster.restore(name)
    drill.note("restore.finished", backup=name, state="done", reported_by="pbm")
    drill.collect()
    return drill, times


def check_honest(drill, times):
    bound = json.loads((drill.dir / "bound.json").read_text())
    b0, b1 = pair(bound["b0"]), {s["name"]: pair(s["b1"]) for s in bound["replicaSets"]}
    tap.ok(b1["rs0"] > b0, "the restore point is an interval on the busy shard", bound["replicaSets"])
    found = {rs: present(drill.cluster, rs) for rs in RATES}
    between = {rs: {i for i, t in times[rs].items() if b0 < t <= b1[rs]} for rs in RATES}
    for rs in RATES:
        before = {i for i, t in times[rs].items() if t <= b0}
        tap.ok(before and before <= found[rs], f"{rs}: by the oplog, everything up to b0 is there ({len(before)} ticks)", len(before - found[rs]))
        allowed = before | between[rs]
        tap.ok(found[rs] <= allowed, f"{rs}: and nothing from after b1", len(found[rs] - allowed))
    print("# b0", b0, "b1", b1, "between", {rs: (len(between[rs]), len(between[rs] & found[rs])) for rs in RATES}, flush=True)
    status, verdict = drill.check()
    count = {k: int(v) for k, v in verdict["counts"].items() if int(v)}
    print("#", verdict["title"], count, verdict["undecided"] if "undecided" in verdict else "", flush=True)
    tap.ok(status == PASS and "TORN" in reasons(verdict), "PASS, with the warning TORN", drill.output)
    width = max(b[0] for b in b1.values()) - b0[0]
    tap.ok(any(r["code"] == "TORN" and f"{width} s apart" in r["message"] for r in verdict["reasons"]), f"which tells that the shards are {width} s apart", verdict["reasons"])
    exact = sum(len({i for i, t in times[rs].items() if t <= b0}) for rs in RATES)
    tap.ok(count["ok"] == exact, f"as many ticks are ok as the oplogs say: {exact}", count)
    tap.ok(not count.get("late") and not count.get("lost"), "none is late, none lost", count)
    inside = len(between["rs0"])
    tap.ok(inside <= count.get("at_bound", 0) + count.get("recovered", 0), f"the {inside} ticks of the interval are at_bound", count)
    return b0, b1


@contextlib.contextmanager
def damaged(drill, name):
    client = drill.cluster.sets["rs0"].client()
    other = drill.copy(name)
    try:
        yield other, damage.collection(client, NS["rs0"])
    finally:
        client.close()


def check_lost(drill, times, b0):
    victim = sorted(i for i, t in times["rs0"].items() if t <= b0)[-20]
    with damaged(drill, "lost") as (other, coll):
        doc = coll.find_one_and_delete({"_id": victim})
        other.collect()
        coll.insert_one(doc)
        status, verdict = other.check()
    tap.ok(status == FAIL and verdict["counts"]["lost"] == "1" and "LOST" in reasons(verdict), "a tick from before b0 is deleted on the busy shard: FAIL, LOST", other.output)


def put_back(drill, coll, tick_id):
    """The very tick that the journal acknowledged."""
    last = coll.find_one(sort=[("seq", -1)])
    seq = int.from_bytes(tick_id.binary[6:], "big")
    issued = next(r for r in map(json.loads, (drill.dir / "journal.jsonl").read_text().splitlines()) if r["type"] == "issued" and r.get("seq") == str(seq))
    created = datetime.datetime.strptime(issued["createdAt"], "%Y-%m-%dT%H:%M:%S.%fZ")
    coll.insert_one(damage.make(last["run"], last["writer"], NS["rs0"], seq, created))


def check_late(drill, times, b1):
    late = sorted(i for i, t in times["rs0"].items() if t > b1["rs0"])[10]
    with damaged(drill, "late") as (other, coll):
        put_back(drill, coll, late)
        other.collect()
        coll.delete_one({"_id": late})
        status, verdict = other.check()
    tap.ok(status == FAIL and verdict["counts"]["late"] == "1" and "LATE" in reasons(verdict), "a tick from after b1 is there: FAIL, LATE", other.output)


def check_interval(drill, times, b0, b1):
    """Those of the interval are not all late: a dump may hold them, this one or another PBM's."""
    inside = sorted(i for i, t in times["rs0"].items() if b0 < t <= b1["rs0"])
    with damaged(drill, "interval") as (other, coll):
        chosen = next(i for i in inside[len(inside) // 2:] if not coll.find_one({"_id": i}))
        put_back(drill, coll, chosen)
        other.collect()
        status, verdict = other.check()
        tap.ok(status == PASS and verdict["counts"]["late"] == "0", "a tick of the interval is there: PASS, it is not late", other.output)
        came = len(set(inside) & present(drill.cluster, "rs0"))
        bound = json.loads((other.dir / "bound.json").read_text())
        for s in bound["replicaSets"]:
            s["lastWriteTs"] = s["b1"] = bound["b0"]
        (other.dir / "bound.json").write_text(json.dumps(bound))
        status, verdict = other.check()
        tap.ok(status == FAIL and int(verdict["counts"]["late"]) == came, f"judged with one instant for all shards, {came} of them are late: the interval matters", other.output)
        coll.delete_one({"_id": chosen})


def check_left_out(drill):
    other = drill.copy("left-out")
    other.collect(("cfg", "rs1"))
    status, verdict = other.check()
    tap.ok(status == INCONCLUSIVE and {"SHARD_UNCOVERED", "NO_OBSERVATION"} <= set(reasons(verdict)) and verdict["counts"]["lost"] == "0",
           "the busy shard was not read: INCONCLUSIVE, and none of its ticks is called lost", other.output)


def main():
    with harness.workspace("shards") as path:
        cluster = shards.Cluster(path, 62)
        try:
            with tap.check("a busy and an idle shard are backed up, lost and restored"):
                cluster.s3.start()
                cluster.create()
                cluster.configure()
                drill, times = story(path, cluster)
                b0, b1 = check_honest(drill, times)
                check_lost(drill, times, b0)
                check_late(drill, times, b1)
                check_left_out(drill)
                check_interval(drill, times, b0, b1)
        finally:
            cluster.remove()
    tap.done()


main()
