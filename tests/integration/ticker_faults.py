"""500 ticks a second into a replica set of three whose primary is killed, frozen and cut off in turn, all in one run of the ticker.

usage: ticker_faults.py [--count N]: N rounds of each kind (default: 1)."""
import argparse
import atexit
import collections
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

import bson
import pymongo

import mongod
import relayed_set
import tap
import ticker_run
import ticks

arguments = argparse.ArgumentParser()
arguments.add_argument("--count", type=int, default=1)
arguments.add_argument("--seed", type=int, default=random.randrange(1 << 32))
arguments = arguments.parse_args()
chance = random.Random(arguments.seed)
PASSWORD, NS, RATE, WRITERS, WINDOW_MS = "p@ss:w/ord#1", "drill.ticker", 250, 2, 100
# the server waits a second for a majority, the ticker five more for the server: no stall of the network is longer than a round has time for
OPTIONS = ["--ns", NS, "--rate", str(RATE), "--writers", str(WRITERS), "--write-timeout", "1s", "--give-up", "30s"]
STALL_MAX, BEHIND_MAX = 180, 30  # seconds: of everything; of the ticker behind the set

if not mongod.find():
    tap.skip_all("no mongod: run scripts/setup")
work = tempfile.mkdtemp(prefix="drill-faults-")
atexit.register(shutil.rmtree, work, ignore_errors=True)
members = relayed_set.ReplicaSet(12, PASSWORD, oplog_mb=64 + 32 * arguments.count)
atexit.register(members.remove)
atexit.register(ticker_run.end_children)
run = ticker_run.Ticker(members.uri, os.path.join(work, "journal"), *OPTIONS, user=ticker_run.secret(work, "user", "root"),
                        password=ticker_run.secret(work, "password", PASSWORD), never_shown=(PASSWORD,))


def last_words():
    return [line for line in run.said().replace("\r", "\n").splitlines() if "ticking" not in line][-12:]


class Tail:
    """Counts acknowledgements of each stream while the journal grows."""

    def __init__(self, path):
        self.path, self.offset, self.acked = path, 0, collections.Counter()

    def read(self):
        if os.path.exists(self.path):
            with open(self.path, "rb") as f:
                f.seek(self.offset)
                text = f.read()
            text = text[:text.rfind(b"\n") + 1]
            self.offset += len(text)
            self.acked.update(json.loads(line)["s"] for line in text.splitlines() if b'"type":"acked"' in line)
        return self.acked

    def wait(self, count, seconds=STALL_MAX):
        """For so many more acknowledged commands of every stream."""
        before = dict(self.read())

        def there():
            if run.process.poll() is not None:
                run.wait()
                raise AssertionError(f"the ticker has ended: {run.err}")
            return all(self.read()[s] >= before.get(s, 0) + count for s in range(WRITERS))
        try:
            tap.eventually(there, seconds, "acknowledgements of every stream")
        except AssertionError as e:
            raise AssertionError(f"{e}; a write of somebody else: {members.write()}; the ticker says: {last_words()}") from None


tail = Tail(run.path)


class Watch:
    """From the moment of a fault: when the set itself takes writes again, whoever asks, and when ticks flow."""

    def __init__(self):
        self.began, self.set_after, self.ticks_after = time.monotonic(), None, None
        self.tail = Tail(run.path)
        self.tail.offset = os.path.getsize(run.path)
        self.threads = [threading.Thread(target=watch, daemon=True) for watch in (self.watch_set, self.watch_ticks)]
        for thread in self.threads:
            thread.start()

    def seconds(self):
        return time.monotonic() - self.began

    def watch_set(self):
        while self.seconds() < STALL_MAX and not members.write():
            time.sleep(0.2)
        self.set_after = self.seconds()

    def watch_ticks(self):
        while self.seconds() < STALL_MAX and not all(self.tail.read()[s] >= 20 for s in range(WRITERS)):
            time.sleep(0.05)
        self.ticks_after = self.seconds()

    def judged(self):
        for thread in self.threads:
            thread.join()
        assert self.ticks_after < STALL_MAX, f"no ticks for {STALL_MAX} s; the set took writes after {self.set_after:.1f} s; the ticker says: {last_words()}"
        assert self.ticks_after - self.set_after < BEHIND_MAX, f"the set took writes after {self.set_after:.1f} s, the ticker only after {self.ticks_after:.1f} s; it says: {last_words()}"
        return f"the set takes writes after {self.set_after:.1f} s, ticks flow after {self.ticks_after:.1f} s"


def wait_for_the_others(seconds=60):
    """Until ticks flow without the primary; if they do not, the fault ends, and how far the ticker was behind the set is judged: members whose sync source was the third
    may take no majority for minutes, whoever asks."""
    try:
        tail.wait(20, seconds)
    except AssertionError as e:
        print(f"# the fault ends: {e}", flush=True)


# --- what is done to the primary -------------------------------------------------------------------------------------------------


def killed(primary, round, hit):
    members.members[primary].kill()
    hit()
    if round % 2:
        wait_for_the_others()
    else:
        time.sleep(chance.uniform(0, 1.5))  # or it is back before or in the middle of the election
    members.members[primary].start(wait=False)


def frozen(primary, round, hit):
    member = members.members[primary].process
    member.send_signal(signal.SIGSTOP)
    hit()
    try:
        members.primary(other_than=primary)
        if round % 2:
            wait_for_the_others()  # the ticker has given the old one up
        else:
            time.sleep(chance.uniform(0, 2))  # it wakes with commands in its hands, and no longer as primary
    finally:
        member.send_signal(signal.SIGCONT)


def cut_off(primary, round, hit):
    everybody, others = members.everybody_of(primary), members.members_of(primary)
    way = ("its clients' packets are delivered late", "from the other members alone", "its packets are delivered late", "connections are dropped", "packets are swallowed")[round % 5]
    if way == "connections are dropped":
        for relay, which in everybody:
            relay.refuses = which
            relay.drop(which)
    elif way == "from the other members alone":
        for relay, which in others:
            relay.refuses = which
            relay.drop(which)
    elif way == "its clients' packets are delivered late":
        # new connections pass: what is late meets its own repetition and later ticks
        pids = members.board.pids()
        members.relays[primary].hold(lambda source: source not in pids)
        hit()
        time.sleep(6.5)  # more than the ticker waits
        tail.wait(20)
        members.heal()
        return way
    else:
        for relay, which in everybody:
            relay.holds = which
            relay.hold(which)
    hit()
    members.primary(other_than=primary)
    if way != "from the other members alone":
        wait_for_the_others()
    else:
        time.sleep(chance.uniform(0, 2))
    if way == "packets are swallowed":
        for relay, which in everybody:
            relay.drop(which)
    members.heal()
    return way


# --- the rounds and what must hold afterwards ---------------------------------------------------------------------------------------


def every_round_of_a_killed_frozen_and_cut_off_primary_is_survived():
    print(f"# seed {arguments.seed}")
    tail.wait(40)
    for round in range(arguments.count):
        for fault in (killed, frozen, cut_off):
            members.wait_until_whole()
            primary, watches = members.primary(), []
            way = fault(primary, round, lambda: watches.append(Watch()))
            told = watches[0].judged()
            tail.wait(RATE // 2)
            print(f"# round {round}: {fault.__name__} member {primary}{', ' + way if way else ''}: {told}", flush=True)
    members.wait_until_whole()
    tail.wait(40)
    assert run.stop() == 0, run.err


def every_acknowledged_tick_is_in_every_member_once_and_byte_for_byte():
    journal = run.journal()
    assert journal.end and journal.end["reason"] == "stopped" and not run.errors()
    members.wait_until_whole()
    admin = members.client()
    found = ticker_run.check_claims(admin, journal)
    now = members.hello(members.primary())["lastWrite"]["opTime"]["ts"]
    for index in range(3):
        tap.eventually(lambda: members.hello(index)["lastWrite"]["opTime"]["ts"] >= now, 30, "a member that follows")
        if index != members.primary():
            member = members.members[index]._connect(directConnection=True, username="root", password=PASSWORD, readPreference="secondary")
            assert set(ticker_run.stored(member, journal)) == set(found), f"member {index} has other ticks"
            member.close()
    was = collections.Counter(t.get("was") for t in journal.of("acked").values())
    print(f"# {len(journal.ticks)} ticks: {len(journal.of('acked'))} acknowledged ({was['unknown']} of them after a doubt), {len(journal.of('failed'))} refused, "
          f"{len(journal.of('unknown'))} in doubt for good, of them {len(set(journal.of('unknown')) & set(found))} there")
    assert was["unknown"] > 0, "no fault was felt"


def every_doubt_has_its_outcome_and_none_is_called_a_refusal():
    journal = run.journal()
    assert not journal.of("issued"), "ticks without outcome"
    assert not journal.of("failed"), "a fault was taken for a refusal"
    assert not any(t["exact"] for t in journal.of("acked").values() if t["was"] == "unknown")


def a_stall_is_followed_by_no_burst():
    journal = run.journal()
    allowed = RATE * WINDOW_MS // 1000 + 2 * journal.open["batch"]
    for stream in range(WRITERS):
        times = [r["ms"] for r in journal.issues() if r["s"] == stream]
        print(f"# stream {stream}: longest stall {max(b - a for a, b in zip(times, times[1:]))} ms")
        most = ticker_run.most_within(journal, stream, WINDOW_MS)
        assert most <= allowed, f"{most} ticks in {WINDOW_MS} ms, {allowed} are due"


def the_checks_find_what_is_spoilt_on_purpose():
    journal, admin = run.journal(), members.client()
    collection = admin.drill.ticker.with_options(write_concern=pymongo.WriteConcern("majority"))
    key = chance.choice(sorted(journal.of("acked")))
    tick = dict(ticker_run.stored(admin, journal)[key].items())

    def must_fail(what):
        try:
            ticker_run.check_claims(admin, run.journal())
        except AssertionError:
            return
        raise AssertionError(f"not noticed: {what}")
    collection.delete_one({"_id": tick["_id"]})
    must_fail("a tick that is lost")
    collection.insert_one(dict(tick, createdAt=tick["createdAt"].replace(year=2001)))
    must_fail("a tick with other bytes")
    collection.replace_one({"_id": tick["_id"]}, tick)
    collection.insert_one(dict(tick, _id=bson.ObjectId()))
    must_fail("a tick that is there twice")
    collection.delete_many({"seq": tick["seq"], "writer": tick["writer"], "_id": {"$ne": tick["_id"]}})
    ns, writer = journal.streams[0]
    last = max(seq for stream, seq in journal.ticks if stream == 0)
    collection.insert_one(bson.decode(ticks.tick(journal.open["run"], ns, writer, last + 1, 0)))
    must_fail("a tick that was never issued")


if __name__ == "__main__":
    sys.exit(tap.run([every_round_of_a_killed_frozen_and_cut_off_primary_is_survived, every_acknowledged_tick_is_in_every_member_once_and_byte_for_byte,
                      every_doubt_has_its_outcome_and_none_is_called_a_refusal, a_stall_is_followed_by_no_burst, the_checks_find_what_is_spoilt_on_purpose]))
