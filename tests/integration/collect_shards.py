"""psmdb-verify collect on the replica sets of a sharded cluster, each read directly: a config server and two shards, made of mongod alone."""
import datetime
import json
import os
import subprocess
import tempfile

import bson
import shards
import tap
import ticks

PROGRAM = os.environ["BUILD_DIR"] + "/verifier/psmdb-verify"
RUN, OTHER = "0f1e2d3c-4b5a-4968-8776-655443322110", "1f1e2d3c-4b5a-4968-8776-655443322110"
BASE_MS = 1700000000000


class Bench:
    def __init__(self, directory):
        self.dir = directory
        self.cluster = shards.Cluster(directory, 63)
        self.log = ""

    def collect(self, *names, status=0, options=()):
        out = f"{self.dir}/observed.jsonl"
        if os.path.exists(out):
            os.unlink(out)
        uris = [word for name in names for word in ("--uri", self.cluster.sets[name].uri)]
        done = subprocess.run([PROGRAM, "collect", *uris, *self.cluster.credentials("verifier"), "--wait", "3s", "--out", out, *options], capture_output=True, text=True,
                              timeout=100)
        self.log = done.stdout + done.stderr
        assert done.returncode == status, self.log
        if status == 0:
            return [json.loads(line) for line in open(out)]
        return None

    def insert(self, name, run, first, last, ns="drill.ticker"):
        client = self.cluster.sets[name].client()
        db, coll = ns.split(".")
        client[db][coll].insert_many([bson.raw_bson.RawBSONDocument(ticks.tick(run, ns, 0, seq, BASE_MS + seq)) for seq in range(first, last + 1)])
        client.close()

    def chunks_of(self, ns):
        client = self.cluster.sets["cfg"].client()
        uuid = client["config"]["collections"].find_one({"_id": ns})["uuid"]
        found = list(client["config"]["chunks"].find({"uuid": uuid}).sort("min", 1))
        client.close()
        return found

    def config(self, collection, *documents):
        client = self.cluster.sets["cfg"].client()
        client["config"][collection].delete_many({"_id": {"$in": [d["_id"] for d in documents]}})
        client["config"][collection].insert_many(documents)
        client.close()


bench = None


def of(records, kind, **members):
    return [r for r in records if r["type"] == kind and all(r.get(k) == v for k, v in members.items())]


def ranges(records, replica_set):
    stream, = of(records, "stream", ns="drill.ticker", replicaSet=replica_set)
    return [r for record in of(records, "intact", s=stream["s"]) for r in record["ranges"]]


def three_replica_sets_become_one_observation():
    bench.insert("rs0", RUN, 1, 100)
    bench.insert("rs1", OTHER, 1, 50)
    bench.insert("cfg", RUN, 1, 10, "admin.ticker")
    records = bench.collect("cfg", "rs0", "rs1")
    sets = of(records, "set")
    assert [(s["name"], s["role"], s["shard"]) for s in sets] == [("cfg", "config", ""), ("rs0", "shard", "rs0"), ("rs1", "shard", "rs1")], sets
    assert len({s["cluster"] for s in sets}) == 1 and len(sets[0]["cluster"]) == 24 and len({s["id"] for s in sets}) == 3, sets
    assert records[0]["cluster"]["set"] == "cfg" and records[-1]["documents"] == "160" == records[-1]["intact"], records[-1]
    assert ranges(records, "rs0") == [["1", "100"]] and ranges(records, "rs1") == [["1", "50"]]


def each_probe_and_namespace_says_of_which_set_it_is():
    records = bench.collect("cfg", "rs0", "rs1")
    probes = [(p["replicaSet"], p["name"]) for p in of(records, "probe", ok=True)]
    # a config server has no database "drill"
    assert probes == [("cfg", "login"), ("cfg", "read")] + [(s, p) for s in ("rs0", "rs1") for p in ("login", "read", "write")], probes
    documents = {(n["replicaSet"], n["ns"]): n["documents"] for n in of(records, "namespace")}
    assert documents[("rs0", "drill.ticker")] == "100" and documents[("cfg", "admin.ticker")] == "10" and documents[("cfg", "drill.ticker")] == "0", documents


def a_namespace_that_is_not_sharded_has_no_orphans():
    records = bench.collect("cfg", "rs0", "rs1")
    assert not any("orphans" in n for n in of(records, "namespace")) and "orphans" not in bench.log.replace("orphans=0", ""), bench.log


def chunks(*parts):
    uuid = bson.Binary(bytes(range(16)), 4)
    stamp = bson.Timestamp(1, 1)
    bench.config("collections", {"_id": "drill.ticker", "uuid": uuid, "key": {"seq": 1}, "unique": False, "lastmodEpoch": bson.ObjectId(), "timestamp": stamp})
    bench.config("chunks", *({"_id": bson.ObjectId(bytes([7] * 11 + [i])), "uuid": uuid, "min": {"seq": low}, "max": {"seq": high}, "shard": shard,
                              "lastmod": bson.Timestamp(1, i)} for i, (low, high, shard) in enumerate(parts)))


def what_another_shard_owns_is_left_out_and_counted():
    chunks((bson.MinKey(), bson.Int64(21), "rs0"), (bson.Int64(21), bson.Int64(31), "rs1"), (bson.Int64(31), bson.Int64(81), "rs0"),
           (bson.Int64(81), bson.MaxKey(), "rs1"))
    records = bench.collect("cfg", "rs0", "rs1")
    assert ranges(records, "rs0") == [["1", "20"], ["31", "80"]], ranges(records, "rs0")
    assert ranges(records, "rs1") == [["21", "30"]], ranges(records, "rs1")
    orphans = {n["replicaSet"]: n.get("orphans") for n in of(records, "namespace", ns="drill.ticker")}
    assert orphans == {"cfg": None, "rs0": "30", "rs1": "40"} and records[-1]["documents"] == "90", (orphans, records[-1])
    assert "orphans were left out" in bench.log, bench.log


def what_a_real_migration_left_behind_is_left_out():
    bench.cluster.shard("moved", {"seq": 1})
    bench.insert("rs0", RUN, 1, 100, "drill.moved")
    bench.cluster.move("drill.moved", {"seq": bson.Int64(61)}, {"seq": bson.MaxKey()}, "rs1")
    client = bench.cluster.sets["rs0"].client()
    assert client["drill"]["moved"].count_documents({}) == 100
    client.close()
    records = bench.collect("cfg", "rs0", "rs1", options=("--ns", "drill.moved"))
    found = {(n["replicaSet"], n["documents"], n.get("orphans")) for n in of(records, "namespace", ns="drill.moved")}
    assert found == {("cfg", "0", None), ("rs0", "60", "40"), ("rs1", "40", None)}, found
    # without the config server's word the moved ones are there twice
    assert bench.collect("rs0", "rs1", options=("--ns", "drill.moved"))[-1]["documents"] == "140"


def fail_get_more(mode):
    bench.cluster.sets["rs0"].run("admin", "configureFailPoint", "failCommand", mode=mode,
                                  data={"failCommands": ["getMore"], "closeConnection": True, "appName": "psmdb-verify collect"})


def an_orphan_is_counted_once_though_the_reading_is_broken_off_among_them():
    # batches of 20: three of what is owned, two of orphans, and the connection is lost whenever more is asked for behind the first of these
    fail_get_more({"skip": 3})
    try:
        records = bench.collect("cfg", "rs0", options=("--ns", "drill.moved", "--batch-size", "20"))
    finally:
        fail_get_more("off")
    found, = of(records, "namespace", ns="drill.moved", replicaSet="rs0")
    assert "reading goes on where it was broken off" in bench.log, bench.log
    assert (found["documents"], found["orphans"]) == ("60", "40"), (found, bench.log)


def hashes(name, ns):
    """As the server computes them: the keys of its hashed index."""
    client = bench.cluster.sets[name].client()
    db, coll = ns.split(".")
    found = {doc["_id"]: next(iter(client[db][coll].find({"_id": doc["_id"]}, hint=[("_id", "hashed")], return_key=True)))["_id"] for doc in client[db][coll].find()}
    client.close()
    return found


def within(number, chunk):
    low, high = chunk["min"]["_id"], chunk["max"]["_id"]
    return (isinstance(low, bson.MinKey) or low <= number) and (isinstance(high, bson.MaxKey) or number < high)


def so_it_is_with_a_hashed_key():
    bench.cluster.shard("hashed", {"_id": "hashed"})
    bench.insert("rs0", RUN, 1, 200, "drill.hashed")
    client = bench.cluster.sets["rs0"].client()
    others = [7, bson.Int64(7 << 40), 7.5, -0.5, "text", "", None, datetime.datetime(2026, 1, 1)]
    client["drill"]["hashed"].insert_many([{"_id": i} for i in others])
    client.close()
    of_rs0 = hashes("rs0", "drill.hashed")
    # from the beginning each shard has chunks of it: what was written to rs0 and is none of its own is an orphan, too
    first = next(c for c in bench.chunks_of("drill.hashed") if c["shard"] == "rs0")
    inside = sorted(h for h in of_rs0.values() if within(h, first))
    bench.cluster.move("drill.hashed", {"_id": bson.Int64(inside[len(inside) // 2])}, first["max"], "rs1")
    moved = len(inside) - len(inside) // 2
    owned = sum(1 for h in of_rs0.values() if any(within(h, c) for c in bench.chunks_of("drill.hashed") if c["shard"] == "rs0"))
    records = bench.collect("cfg", "rs0", "rs1", options=("--ns", "drill.hashed"))
    found = {n["replicaSet"]: (int(n["documents"]), int(n.get("orphans", 0))) for n in of(records, "namespace", ns="drill.hashed")}
    assert moved > 5 and 20 < owned < 180 and found == {"cfg": (0, 0), "rs0": (owned, 208 - owned), "rs1": (moved, 0)}, (found, moved, owned)


def what_cannot_be_told_is_left_in_and_the_log_says_so():
    client = bench.cluster.sets["rs0"].client()
    client["drill"]["hashed"].insert_many([{"_id": {"a": 1}}, {"_id": True}])
    client.close()
    records = bench.collect("cfg", "rs0", options=("--ns", "drill.hashed"))
    assert "whose these are could not be told" in bench.log and "drill.hashed on rs0: 2 documents" in bench.log, bench.log
    assert of(records, "end")


def without_the_config_server_nothing_is_left_out_and_the_log_says_so():
    records = bench.collect("rs0", "rs1")
    assert records[-1]["documents"] == "150" and "no config server is among what is read" in bench.log, bench.log


def a_set_that_is_given_twice_is_refused():
    bench.collect("rs0", "rs0", status=2)
    assert 'replica set "rs0" is given twice' in bench.log, bench.log


def one_that_cannot_be_reached_fails_the_whole():
    bench.cluster.sets["rs1"].stop()
    bench.collect("cfg", "rs0", "rs1", status=3)
    assert "rs1" in bench.log, bench.log


def main():
    global bench  # pylint: disable=global-statement
    tests = [three_replica_sets_become_one_observation, each_probe_and_namespace_says_of_which_set_it_is, a_namespace_that_is_not_sharded_has_no_orphans,
             what_another_shard_owns_is_left_out_and_counted, what_a_real_migration_left_behind_is_left_out,
             an_orphan_is_counted_once_though_the_reading_is_broken_off_among_them, so_it_is_with_a_hashed_key, what_cannot_be_told_is_left_in_and_the_log_says_so,
             without_the_config_server_nothing_is_left_out_and_the_log_says_so, a_set_that_is_given_twice_is_refused, one_that_cannot_be_reached_fails_the_whole]
    with tempfile.TemporaryDirectory(prefix="collect-shards-") as directory:
        bench = Bench(directory)
        try:
            bench.cluster.create(agents=False)
            return tap.run(tests)
        finally:
            bench.cluster.remove()


raise SystemExit(main())
