"""psmdb-verify collect --each-member on a real replica set of three, one of them hidden: what a secondary holds that its primary does not, and one that is away."""
import json
import os
import subprocess
import tempfile
import threading
import time

import bson
import pymongo
import tap
import ticks
from replica_set import PASSWORD, ReplicaSet, address_block

PROGRAM = os.environ["BUILD_DIR"] + "/verifier/psmdb-verify"
RUN = "0f1e2d3c-4b5a-4968-8776-655443322110"
BASE_MS = 1700000000000
OTHER_PORT = 27018


class Bench:
    def __init__(self, directory):
        self.dir = directory
        block = address_block(64)
        self.set = ReplicaSet(directory, "rs0", [f"{block}.{11 + i}" for i in range(3)], hidden=(2,))
        self.hosts = [f"{m.host}:27017" for m in self.set.members]
        for name, text in (("user", "root"), ("password", PASSWORD)):
            with open(f"{directory}/{name}", "w") as f:
                f.write(text)

    def collect(self, *options):
        for name in ("observed.jsonl", "verdict.json"):
            if os.path.exists(f"{self.dir}/{name}"):
                os.unlink(f"{self.dir}/{name}")
        out = f"{self.dir}/observed.jsonl"
        done = subprocess.run([PROGRAM, "collect", "--uri", self.set.uri, "--user-file", f"{self.dir}/user", "--password-file", f"{self.dir}/password", "--ns",
                               "drill.ticker", "--ns", "admin.ticker", "--wait", "10s", "--out", out, *options], capture_output=True, text=True, timeout=100)
        self.log = done.stdout + done.stderr
        assert done.returncode == 0, self.log
        with open(out) as f:
            return [r for r in map(json.loads, f) if r["type"] == "member"]

    def reasons(self):
        """What the judge says of this observation, with nothing else in evidence: never a PASS, but the reason must be there, or not."""
        subprocess.run([PROGRAM, "judge", "--observed", f"{self.dir}/observed.jsonl", "--out", f"{self.dir}/verdict.json", "--quiet"], capture_output=True, timeout=60,
                       check=False)
        with open(f"{self.dir}/verdict.json") as f:
            verdict = json.load(f)
        return {r["code"]: r["message"] for r in verdict["reasons"]}, verdict

    def insert(self, first, last, ns="drill.ticker"):
        client = self.set.client()
        db, coll = ns.split(".")
        client[db][coll].with_options(write_concern=pymongo.WriteConcern(3, 20000)).insert_many(
            [bson.raw_bson.RawBSONDocument(ticks.tick(RUN, ns, 0, seq, BASE_MS + seq)) for seq in range(first, last + 1)])
        client.close()

    def behind_its_back(self, number, change):
        """change(client) on one member that knows nothing of its replica set."""
        member = self.set.members[number]
        member.stop()
        client = member.start(port=OTHER_PORT, standalone=True)
        change(client)
        client.close()
        member.stop()
        member.start()
        self.set.settled()


bench = None


def of(members, number, ns="drill.ticker"):
    return next(m for m in members if m["host"] == bench.hosts[number] and m["ns"] == ns)


def a_healthy_set_is_equal_on_each_member():
    bench.insert(1, 3000)
    bench.insert(1, 100, "admin.ticker")
    members = bench.collect("--each-member")
    assert [(m["host"], m["state"], m["hidden"], m["ns"]) for m in members] == [
        (bench.hosts[i], "secondary", i == 2, ns) for i in (1, 2) for ns in ("drill.ticker", "admin.ticker")], members
    assert all(m["read"] and m["equal"] and m["detail"] == "" for m in members), members
    assert of(members, 1)["documents"] == of(members, 2)["intact"] == "3000", members
    codes, verdict = bench.reasons()
    assert not {"MEMBER_DIFFERS", "MEMBER_NOT_READ"} & set(codes) and verdict["members"] == {"asked": "2", "read": "2", "equal": "2"}, (codes, verdict["members"])


def only_who_asks_for_it_gets_it():
    assert bench.collect() == []
    assert "members" not in bench.reasons()[1]


def a_write_meanwhile_is_no_difference():
    stop = threading.Event()

    def write():
        seq = 3001
        while not stop.is_set():
            bench.insert(seq, seq)
            seq += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        members = bench.collect("--each-member")
    finally:
        stop.set()
        thread.join()
    assert not [m for m in members if m["read"] and not m["equal"]], members
    unread = [m for m in members if not m["read"]]
    assert all("the primary changes" in m["detail"] for m in unread), unread


def what_was_done_behind_a_secondarys_back_is_named():
    other = bson.raw_bson.RawBSONDocument(ticks.tick(RUN, "admin.ticker", 0, 45, BASE_MS))
    bench.behind_its_back(1, lambda client: (client["drill"]["ticker"].delete_one({"seq": 1234}), client["admin"]["ticker"].replace_one({"seq": 45}, other)))
    members = bench.collect("--each-member")
    lost, altered = of(members, 1), of(members, 1, "admin.ticker")
    assert lost["read"] and not lost["equal"] and "drill.ticker writer 0" in lost["detail"] and "ticks 1234 to 1234 are not there" in lost["detail"], members
    # with a sum that is right: only the digest tells
    assert altered["read"] and not altered["equal"] and altered["intact"] == "100" and "ticks 1 to 1000 are intact in both, and one of them differs" in altered["detail"]
    assert of(members, 2)["equal"] and of(members, 2, "admin.ticker")["equal"], members
    codes, verdict = bench.reasons()
    assert verdict["result"] == "FAIL" and bench.hosts[1] in codes["MEMBER_DIFFERS"] and "1234" in codes["MEMBER_DIFFERS"], codes
    assert bench.hosts[2] not in codes["MEMBER_DIFFERS"] and "MEMBER_NOT_READ" not in codes, codes


def a_member_that_is_away_was_not_read():
    bench.set.members[2].stop()
    started = time.monotonic()
    members = bench.collect("--each-member")
    assert time.monotonic() - started < 20
    away, = [m for m in members if m["host"] == bench.hosts[2]]
    assert not away["read"] and not away["equal"] and away["hidden"] and away["ns"] == "" and away["detail"], away
    codes, verdict = bench.reasons()
    assert bench.hosts[2] in codes["MEMBER_NOT_READ"] and verdict["members"] == {"asked": "2", "read": "1", "equal": "0"}, (codes, verdict["members"])


def main():
    global bench  # pylint: disable=global-statement
    with tempfile.TemporaryDirectory(prefix="collect-members-") as directory:
        bench = Bench(directory)
        try:
            bench.set.start()
            bench.set.settled()
            return tap.run([a_healthy_set_is_equal_on_each_member, only_who_asks_for_it_gets_it, a_write_meanwhile_is_no_difference,
                            what_was_done_behind_a_secondarys_back_is_named, a_member_that_is_away_was_not_read])
        finally:
            bench.set.stop()


raise SystemExit(main())
