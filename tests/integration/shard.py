"""psmdb-ticker --shard and a ticker behind a router: a real config server and two real shards, and a stand-in for mongos (support/router.py)."""
import datetime
import json
import os
import subprocess
import tempfile

import bson

import judging
import router
import shards
import tap
import ticker_run
import ticks
from ticker_run import TICKER, Ticker

VERIFY = judging.VERIFY
SETS = ("cfg", "rs0", "rs1")
BASE_MS = 1700000000000
EPOCH = datetime.datetime(1970, 1, 1)


class Bench:
    def __init__(self, directory):
        self.dir, self.runs = directory, 0
        self.cluster = shards.Cluster(directory, 65)
        self.router = None

    def start(self):
        self.cluster.create(agents=False)
        cfg = self.cluster.sets["cfg"]
        # as the operator makes them; who is logged in through a mongos is a user of the config server
        cfg.run("admin", "createUser", "clusterAdmin", pwd=shards.PASSWORD, roles=["clusterAdmin"])
        cfg.run("admin", "createUser", "monitor", pwd=shards.PASSWORD, roles=["clusterMonitor"])
        cfg.run("admin", "createUser", "nobody", pwd=shards.PASSWORD, roles=[])
        cfg.run("admin", "createUser", "routed", pwd=shards.PASSWORD, roles=["drillTicker", "clusterMonitor"])
        cfg.run("admin", "createUser", "databaseAdmin", pwd=shards.PASSWORD,
                roles=["readWriteAnyDatabase", "readAnyDatabase", "restore", "backup", "dbAdminAnyDatabase", "clusterMonitor"])
        self.router = router.Router(self.cluster, cfg.members[0].host.rpartition(".")[0] + ".2")

    def shard(self, *namespaces, user="clusterAdmin", status=0, uri=None, give_up="500ms"):
        """What the program says."""
        args = [TICKER, "--shard", "--uri", uri or self.router.uri, *self.cluster.credentials(user), "--give-up", give_up]
        done = subprocess.run(args + [word for ns in namespaces for word in ("--ns", ns)], capture_output=True, text=True, timeout=60)
        assert done.returncode == status, done
        return done.stdout if status == 0 else done.stderr

    def read(self, db, coll, name="cfg", query=None):
        client = self.cluster.sets[name].client()
        found = list(client[db][coll].find(query or {}))
        client.close()
        return found

    def entry(self, ns):
        found = self.read("config", "collections", query={"_id": ns})
        return found[0] if found else None

    def chunks(self, ns):
        return sorted(((c["shard"], str(c["min"])) for c in self.read("config", "chunks", query={"uuid": self.entry(ns)["uuid"]})))

    def insert(self, name, ns, count):
        client = self.cluster.sets[name].client()
        db, coll = ns.split(".")
        client[db][coll].insert_many([{"_id": i} for i in range(count)])
        client.close()

    def tick(self, *args, namespaces=("drill.ticker",), status=0):
        self.runs += 1
        user, password = (f"{self.dir}/routed.{what}" for what in ("user", "password"))
        self.cluster.credentials("routed")
        ticker = Ticker(self.router.uri, f"{self.dir}/journal-{self.runs}.jsonl", *args, *(word for ns in namespaces for word in ("--ns", ns)), user=user, password=password)
        code = ticker.wait(60)
        assert code == status, ticker.err
        return ticker

    def collect(self, ns="drill.ticker"):
        """From each server itself. -> its path"""
        path = f"{self.dir}/observed.jsonl"
        if os.path.exists(path):
            os.unlink(path)
        uris = [word for name in SETS for word in ("--uri", self.cluster.sets[name].uri)]
        done = subprocess.run([VERIFY, "collect", *uris, *self.cluster.credentials("verifier"), "--ns", ns, "--ns", "admin.ticker", "--out", path], capture_output=True, text=True,
                              timeout=100)
        assert done.returncode == 0, done.stderr
        assert "orphans=0" in done.stderr or "orphans" not in done.stderr, done.stderr
        return path

    def collect_routed(self, user="databaseAdmin", namespaces=("drill.ticker", "admin.ticker"), fault=""):
        """Through the router, as the drill does and as the user that it does it as. -> its path, what it said"""
        path = f"{self.dir}/routed.jsonl"
        if os.path.exists(path):
            os.unlink(path)
        self.router.fault, self.router.chunks_asked = fault, 0
        args = [VERIFY, "collect", "--uri", self.router.uri, *self.cluster.credentials(user), *(word for ns in namespaces for word in ("--ns", ns)), "--out", path]
        try:
            done = subprocess.run(args + (["--no-probe-write"] if user != "databaseAdmin" else []), capture_output=True, text=True, timeout=100)
        finally:
            self.router.fault = ""
        assert done.returncode == 0, done.stderr
        return path, done.stderr

    def owners(self, ticker):
        """Which shard owns each tick of it that is in rs0."""
        client, routing = self.cluster.sets["rs0"].client(), router.Client(self.router, None)
        try:
            run = bson.Binary(bytes.fromhex(ticker.journal().open["run"].replace("-", "")), 4)
            return routing.places("drill", "ticker", [doc["_id"] for doc in client["drill"]["ticker"].find({"run": run})])
        finally:
            client.close()
            routing.close()

    def judge(self, ticker, observed):
        point = max(tick["hi"] for tick in ticker.journal().of("acked").values())
        verdict = judging.judge(self.dir, [ticker.path], observed, point, SETS)
        return verdict, {reason["code"] for reason in verdict["reasons"]}, {
            each["name"]: each["ticks"] and int(each["ticks"]) for each in verdict["restorePoint"]["replicaSets"]}

    def stored(self, journal):
        """(stream, seq) -> the replica set it is on."""
        found = {}
        for name in SETS:
            client = self.cluster.sets[name].client()
            for key in ticker_run.stored(client, journal):
                assert key not in found, f"{key} is on {found[key]} and on {name}"
                found[key] = name
            client.close()
        return found

    def check_times(self, journal):
        """Each acknowledged tick's operation time, by the oplog of the server that has it, lies in (lo, hi]."""
        times = {}
        for name in SETS:
            client = self.cluster.sets[name].client()
            times.update(ticker_run.operation_times(client, journal))
            client.close()
        for key, tick in journal.of("acked").items():
            assert key in times, f"{key} is in no oplog"
            assert tick["lo"] < times[key] <= tick["hi"], f"{key}: {tick['lo']} < {times[key]} <= {tick['hi']}"
            assert not tick["exact"] or times[key] == tick["hi"], f"{key} is not exact"
        return times

    def check(self, ticker, touched=("rs0", "rs1")):
        """Of one run: what is acknowledged is there, once, on the shard that owns it, and the verifier finds the same."""
        journal = ticker.journal()
        acked, found = journal.of("acked"), self.stored(journal)
        assert acked and len(acked) == len(journal.ticks), {state: len(journal.of(state)) for state in ("acked", "failed", "unknown")}
        assert set(acked) == set(found), (len(acked), len(found))
        self.check_times(journal)
        point = max(tick["hi"] for tick in acked.values())
        verdict = judging.judge(self.dir, [ticker.path], self.collect(), point, SETS)
        counts = judging.counted(verdict)
        counts.pop("foreign", None)
        assert counts == {"ok": len(acked)}, (counts, len(acked), verdict["title"])
        where = {name: sum(1 for place in found.values() if place == name) for name in SETS}
        told = {each["name"]: int(each["ticks"]) for each in verdict["restorePoint"]["replicaSets"]}
        assert told == where, (told, where)
        for name in touched:
            assert where[name] > len(acked) / 10, where
        return where


bench = None


def a_replica_set_has_nothing_to_shard():
    # asked directly, a shard is one
    said = subprocess.run([TICKER, "--shard", "--uri", bench.cluster.sets["rs0"].uri, *bench.cluster.credentials("ticker")], capture_output=True, text=True, timeout=60)
    assert (said.returncode, said.stdout, said.stderr) == (0, "replica set rs0: nothing to shard\n", ""), said


def who_may_not_is_told_which_right_is_missing():
    said = bench.shard("drill.ticker", user="nobody", status=3)
    assert '"find" on "config.collections"' in said and "clusterAdmin" in said, said
    said = bench.shard("drill.ticker", user="monitor", status=3)
    assert '"enableSharding" on "drill"' in said and "no permission" in said, said
    bench.cluster.sets["cfg"].run("admin", "createRole", "reads", roles=[], privileges=[{"resource": {"db": "config", "collection": ""}, "actions": ["find"]}])
    bench.cluster.sets["cfg"].run("admin", "createUser", "reader", pwd=shards.PASSWORD, roles=["reads"])
    said = bench.shard("drill.ticker", user="reader", status=3)
    assert '"collStats" on "drill.ticker"' in said, said
    assert bench.entry("drill.ticker") is None
    bench.cluster.sets["cfg"].run("admin", "updateUser", "nobody", pwd="another")
    said = bench.shard("drill.ticker", user="nobody", status=3)
    assert "uthentication failed" in said, said


def a_namespace_is_sharded_so_that_each_shard_has_a_part():
    said = bench.shard("admin.ticker", "drill.ticker").splitlines()
    assert said == ["admin.ticker: not sharded: collections of this database cannot be, they live on the config servers",
                    'drill.ticker: sharded now, by { "_id" : "hashed" }, over the shards rs0, rs1'], said
    assert bench.entry("drill.ticker")["key"] == {"_id": "hashed"} and bench.entry("admin.ticker") is None
    assert {shard for shard, _ in bench.chunks("drill.ticker")} == {"rs0", "rs1"}, bench.chunks("drill.ticker")


def a_database_that_was_not_there_is_made():
    said = bench.shard("fresh.ticker")
    assert "fresh.ticker: sharded now" in said and "rs0, rs1" in said, said


def again_changes_nothing():
    before, begun = (bench.entry("drill.ticker"), bench.chunks("drill.ticker")), len(bench.router.seen)
    said = bench.shard("drill.ticker")
    assert said == 'drill.ticker: was sharded already, by { "_id" : "hashed" }, over the shards rs0, rs1\n', said
    names = {name for name, _ in bench.router.seen[begun:]}
    assert "find" in names and not names & {"enableSharding", "shardCollection"}, names
    assert before == (bench.entry("drill.ticker"), bench.chunks("drill.ticker"))


def what_holds_documents_is_refused_before_anything_is_changed():
    bench.insert("rs0", "drill.full", 3)
    said = bench.shard("drill.never", "drill.full", status=3)
    assert '"drill.full" is not sharded and holds 3 documents' in said and "drop the collection" in said, said
    assert bench.entry("drill.never") is None and bench.entry("drill.full") is None and len(bench.read("drill", "full", "rs0")) == 3


def another_key_stays_if_it_reaches_every_shard():
    bench.cluster.shard("ranged", {"seq": 1})
    said = bench.shard("drill.ranged", status=3)
    assert 'shard "rs1" owns no chunk of "drill.ranged" (by { "seq" : 1 })' in said, said
    bench.cluster.move("drill.ranged", {"seq": bson.Int64(10)}, {"seq": bson.MaxKey()}, "rs1")
    before = bench.chunks("drill.ranged")
    said = bench.shard("drill.ranged")
    assert said == 'drill.ranged: was sharded by another key, which stays, by { "seq" : 1 }, over the shards rs0, rs1\n', said
    assert bench.entry("drill.ranged")["key"] == {"seq": 1} and before == bench.chunks("drill.ranged")


def a_shard_without_a_chunk_is_named():
    assert "rs0, rs1" in bench.shard("drill.moved")
    for chunk in bench.read("config", "chunks", query={"uuid": bench.entry("drill.moved")["uuid"], "shard": "rs1"}):
        bench.cluster.move("drill.moved", chunk["min"], chunk["max"], "rs0")
    said = bench.shard("drill.moved", status=3)
    assert 'shard "rs1" owns no chunk of "drill.moved"' in said and "after 500 ms" in said and "moveRange" in said, said
    # one that is being drained need not
    client = bench.cluster.sets["cfg"].client()
    client["config"]["shards"].update_one({"_id": "rs1"}, {"$set": {"draining": True}})
    assert bench.shard("drill.moved").endswith("over the shards rs0\n")
    client["config"]["shards"].update_one({"_id": "rs1"}, {"$unset": {"draining": 1}})
    client.close()


def ticks_one_by_one_reach_both_shards_and_are_what_the_journal_says():
    where = bench.check(bench.tick("--flat-out", "--batch", "1", "--count", "150", namespaces=("admin.ticker", "drill.ticker")), touched=SETS)
    assert where["cfg"] == 150 == where["rs0"] + where["rs1"], where


def so_do_batches_that_are_split_over_the_shards():
    begun = len(bench.router.parts["drill.ticker"])
    bench.check(bench.tick("--flat-out", "--batch", "50", "--writers", "2", "--count", "400"))
    parts = bench.router.parts["drill.ticker"][begun:]
    assert sum(1 for part in parts if len({shard for shard, _ in part}) == 2) >= 8, parts


def a_tick_that_is_there_already_is_found_on_its_shard():
    # the same batch again, as after a lost reply: by the statements' numbers, nothing is inserted twice
    bench.router.fault = "loses a reply"
    ticker = bench.tick("--flat-out", "--batch", "20", "--count", "60")
    assert bench.router.lost == 1 and not bench.router.fault, bench.router.lost
    journal = ticker.journal()
    assert any(tick["was"] == "unknown" for tick in journal.of("acked").values())
    bench.check(ticker)


def complaint(fault, *args):
    """What the check says when the router goes wrong; its documents are taken away again."""
    bench.router.fault = fault
    try:
        ticker = bench.tick("--flat-out", "--count", "60", *args)
    finally:
        bench.router.fault = ""
    try:
        bench.check(ticker)
        return "nothing"
    except AssertionError as found:
        return str(found)
    finally:
        run = bson.Binary(bytes.fromhex(ticker.journal().open["run"].replace("-", "")), 4)
        for name in ("rs0", "rs1"):
            client = bench.cluster.sets[name].client()
            client["drill"]["ticker"].delete_many({"run": run})
            client.close()


def a_router_that_goes_wrong_does_not_pass():
    said = complaint("all to one shard", "--batch", "10")
    assert "orphans were left out" in said, said
    said = complaint("acknowledged and not sent", "--batch", "1")
    assert said.startswith("(60, "), said
    said = complaint("an early operation time", "--batch", "10")
    assert " < " in said and " <= " in said, said


def a_tick_that_is_taken_from_one_shard_is_lost():
    ticker = bench.tick("--flat-out", "--batch", "10", "--count", "100")
    journal = ticker.journal()
    client = bench.cluster.sets["rs1"].client()
    assert client["drill"]["ticker"].find_one_and_delete({"run": bson.Binary(bytes.fromhex(journal.open["run"].replace("-", "")), 4)})
    client.close()
    point = max(tick["hi"] for tick in journal.of("acked").values())
    verdict = judging.judge(bench.dir, [ticker.path], bench.collect(), point, SETS)
    counts = judging.counted(verdict)
    assert (verdict["result"], counts["lost"], counts["ok"]) == ("FAIL", 1, 99), (verdict["result"], counts)


def streams(path):
    """All that an observation says of its streams, but their numbers: (namespace, run, writer, set) -> lines."""
    found, current = {}, None
    with open(path) as lines:
        for line in map(json.loads, lines):
            if line["type"] == "stream":
                current = found.setdefault((line["ns"], line["run"], line["writer"], line["replicaSet"]), [])
            if line["type"] in ("stream", "intact", "block"):
                current.append({key: value for key, value in line.items() if key not in ("s", "n", "chain")})
    return found


def through_the_router_each_tick_is_known_to_live_where_it_does():
    ticker = bench.tick("--flat-out", "--batch", "10", "--count", "150", namespaces=("admin.ticker", "drill.ticker"))
    stored = bench.stored(ticker.journal())
    where = {name: sum(1 for place in stored.values() if place == name) for name in SETS}
    assert all(where.values()), where
    path, said = bench.collect_routed()
    assert "not known" not in said, said
    verdict, reasons, told = bench.judge(ticker, path)
    assert told == where, (told, where)
    counts = judging.counted(verdict)
    counts.pop("foreign", None)
    assert counts == {"ok": len(stored)}, counts
    # as if each server had been read itself: by the streams, and by the verdict
    direct = bench.collect()
    assert streams(path) == streams(direct), (streams(path), streams(direct))
    assert (verdict["result"], reasons) == (bench.judge(ticker, direct)[0]["result"], bench.judge(ticker, direct)[1]), reasons
    assert "SHARD_UNCOVERED" not in reasons, reasons


def where_a_tick_lives_is_not_guessed():
    ticker = bench.tick("--flat-out", "--batch", "10", "--count", "60", namespaces=("admin.ticker", "drill.ticker"))

    path, said = bench.collect_routed(fault="chunks move after the first look")
    assert "drill.ticker: chunks were moved" in said and "admin.ticker: " not in said, said
    verdict, reasons, told = bench.judge(ticker, path)
    assert "SHARD_UNCOVERED" in reasons and verdict["result"] == "INCONCLUSIVE" and told == {"cfg": 60, "rs0": None, "rs1": None}, (reasons, told)
    assert judging.counted(verdict)["ok"] == 120, verdict["counts"]

    # who knows nothing but the cluster's id; the ticks are found all the same
    bench.cluster.sets["cfg"].run("admin", "createRole", "onlyReads", roles=["readAnyDatabase"],
                                  privileges=[{"resource": {"db": "config", "collection": "version"}, "actions": ["find"]}])
    bench.cluster.sets["cfg"].run("admin", "createUser", "onlyReader", pwd=shards.PASSWORD, roles=["onlyReads"])
    path, said = bench.collect_routed("onlyReader")
    for ns, needs in (("drill.ticker", "config.shards"), ("admin.ticker", "getShardMap")):
        assert any(ns in line and needs in line and "clusterMonitor" in line for line in said.splitlines()), said
    verdict, reasons, told = bench.judge(ticker, path)
    assert "SHARD_UNCOVERED" in reasons and verdict["result"] == "INCONCLUSIVE" and told == {"cfg": 60, "rs0": None, "rs1": None}, (reasons, told)
    assert judging.counted(verdict)["ok"] == 120, verdict["counts"]


def a_router_that_lies_about_chunks_does_not_pass():
    ticker = bench.tick("--flat-out", "--batch", "10", "--count", "60", namespaces=("admin.ticker", "drill.ticker"))
    path, _ = bench.collect_routed(fault="all chunks are on one shard")
    verdict, reasons, told = bench.judge(ticker, path)
    assert "SHARD_UNCOVERED" in reasons and verdict["result"] == "INCONCLUSIVE" and told == {"cfg": 60, "rs0": 60, "rs1": 0}, (reasons, told)


def through_the_router_a_tick_that_is_taken_from_one_shard_is_lost():
    ticker = bench.tick("--flat-out", "--batch", "10", "--count", "100", namespaces=("admin.ticker", "drill.ticker"))
    before = bench.judge(ticker, bench.collect_routed()[0])[2]
    client = bench.cluster.sets["rs1"].client()
    assert client["drill"]["ticker"].find_one_and_delete({"run": bson.Binary(bytes.fromhex(ticker.journal().open["run"].replace("-", "")), 4)})
    client.close()
    verdict, _, told = bench.judge(ticker, bench.collect_routed()[0])
    counts = judging.counted(verdict)
    assert (verdict["result"], counts["lost"], counts["ok"]) == ("FAIL", 1, 199), (verdict["result"], counts)
    assert told == {**before, "rs1": before["rs1"] - 1}, (before, told)


def an_orphan_is_not_seen_through_the_router():
    bench.router.fault = "all to one shard"
    ticker = bench.tick("--flat-out", "--batch", "10", "--count", "60")
    orphans = sum(1 for owner in bench.owners(ticker) if owner != "rs0")
    verdict, _, told = bench.judge(ticker, bench.collect_routed()[0])
    counts = judging.counted(verdict)
    assert orphans and (counts["lost"], counts["ok"], told) == (orphans, 60 - orphans, {"cfg": 0, "rs0": 60 - orphans, "rs1": 0}), (orphans, counts, told)


def a_collection_that_is_not_sharded_is_on_one_shard():
    run = "0f1e2d3c-4b5a-4968-8776-655443322110"
    for name, ns in (("rs0", "drill.plain"), ("rs1", "drill.moved_whole")):
        db, coll = ns.split(".")
        client = bench.cluster.sets[name].client()
        client[db][coll].insert_many([bson.raw_bson.RawBSONDocument(ticks.tick(run, ns, 0, seq, BASE_MS + seq)) for seq in (1, 2, 3)])
        client.close()
    # as 8.0 writes it of one that is not on its database's primary
    number = bson.Binary(os.urandom(16), 4)
    client = bench.cluster.sets["cfg"].client()
    client["config"]["collections"].insert_one({"_id": "drill.moved_whole", "uuid": number, "key": {"_id": 1}, "unique": False, "unsplittable": True,
                                                "lastmodEpoch": bson.ObjectId(), "lastmod": EPOCH, "timestamp": bson.Timestamp(1, 1)})
    client["config"]["chunks"].insert_one({"uuid": number, "min": {"_id": bson.MinKey()}, "max": {"_id": bson.MaxKey()}, "shard": "rs1", "lastmod": bson.Timestamp(1, 0)})
    client.close()
    path, said = bench.collect_routed(namespaces=("drill.plain", "drill.moved_whole", "elsewhere.ticker"))
    assert sorted(streams(path)) == [("drill.moved_whole", run, 0, "rs1"), ("drill.plain", run, 0, "rs0")] and "not known" not in said, (streams(path), said)


def main():
    global bench  # pylint: disable=global-statement
    tests = [a_replica_set_has_nothing_to_shard, who_may_not_is_told_which_right_is_missing, a_namespace_is_sharded_so_that_each_shard_has_a_part,
             a_database_that_was_not_there_is_made, again_changes_nothing, what_holds_documents_is_refused_before_anything_is_changed,
             another_key_stays_if_it_reaches_every_shard, a_shard_without_a_chunk_is_named, ticks_one_by_one_reach_both_shards_and_are_what_the_journal_says,
             so_do_batches_that_are_split_over_the_shards, a_tick_that_is_there_already_is_found_on_its_shard, a_router_that_goes_wrong_does_not_pass,
             a_tick_that_is_taken_from_one_shard_is_lost, through_the_router_each_tick_is_known_to_live_where_it_does, where_a_tick_lives_is_not_guessed,
             a_router_that_lies_about_chunks_does_not_pass, through_the_router_a_tick_that_is_taken_from_one_shard_is_lost,
             an_orphan_is_not_seen_through_the_router,
             a_collection_that_is_not_sharded_is_on_one_shard]
    with tempfile.TemporaryDirectory(prefix="shard-") as directory:
        bench = Bench(directory)
        try:
            bench.start()
            return tap.run(tests)
        finally:
            ticker_run.end_children()
            if bench.router:
                bench.router.stop()
            bench.cluster.remove()


raise SystemExit(main())
