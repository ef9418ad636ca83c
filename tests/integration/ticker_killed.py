"""psmdb-ticker killed with SIGKILL at random moments, and its open journal judged against the living database.

usage: ticker_killed.py [--count N]: N kills (default: 5)."""
import argparse
import atexit
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import bson

import judging
import mongod
import tap
import ticker_run
import ticks

arguments = argparse.ArgumentParser()
arguments.add_argument("--count", type=int, default=5)
arguments.add_argument("--seed", type=int, default=random.randrange(1 << 32))
arguments = arguments.parse_args()
chance = random.Random(arguments.seed)
PASSWORD = "p@ss:w/ord#1"
RATES = (["--rate", "20", "--ns", "{ns}"], ["--rate", "500", "--ns", "{ns}"], ["--flat-out", "--batch", "100", "--writers", "2", "--ns", "{ns}"])
READER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "second_reader.py")

if not mongod.find():
    tap.skip_all("no mongod: run scripts/setup")
server = mongod.Mongod(14, PASSWORD, ["enableTestCommands=1"])
atexit.register(server.remove)
work = tempfile.mkdtemp(prefix="drill-killed-")
atexit.register(shutil.rmtree, work, ignore_errors=True)
atexit.register(ticker_run.end_children)
admin = server.client()
USER, SECRET = ticker_run.secret(work, "user", "root"), ticker_run.secret(work, "password", PASSWORD)


def read_by_another(path):
    """What a reader that shares no code with the verifier says: whole, open or broken, and its exit status' text."""
    done = subprocess.run([sys.executable, READER, path], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def compare(journals, paths, observed, found, point, what):
    verdict = judging.judge(work, paths, observed, point)
    counts, wanted = judging.counted(verdict), judging.expected(journals, found, point)
    assert counts == wanted, f"{what}, restore point {point}: {dict(counts)} instead of {dict(wanted)}"
    codes = {reason["code"] for reason in verdict["reasons"]}
    assert "OPEN_JOURNAL" in codes and "JOURNAL_BROKEN" not in codes, (what, codes)
    assert verdict["result"] != "PASS", "a journal that ends before the restore point's end, and no timeline"
    assert ("UNJOURNALED" in codes) == (counts["unjournaled"] > 0)
    return counts


def is_judged(path, observed, found, times, now):
    """The journal as the kill has left it, and as a copy that lags behind it: cut behind a record, or in the middle of one."""
    text = open(path).read()
    journal = ticks.Journal(judging.whole_lines(text))
    torn = not text.endswith("\n")
    status, told = read_by_another(path)
    assert status == 4, (status, told)
    counts = compare([journal], [path], observed, found, now, "the journal")
    # every tick is on disk before it is sent
    assert not counts["unjournaled"] and not counts["lost"] and not counts["late"] and counts["ok"] == len(journal.of("acked")), counts
    outstanding = counts["recovered"] + counts["indeterminate"]
    assert outstanding <= len(journal.streams) * journal.open["batch"], f"{outstanding} ticks without outcome"
    for point in judging.some_points(journal, times, chance, 2):
        compare([journal], [path], observed, found, point, "the journal")
    cut, first = os.path.join(work, "cut"), text.index("\n") + 1
    for _ in range(2):
        at = chance.randrange(first, len(text) + 1)
        with open(cut, "w") as f:
            f.write(text[:at])
        lagging = ticks.Journal(judging.whole_lines(text[:at]))
        status, told = read_by_another(cut)
        assert status == 4, (status, told)
        for point in [now] + judging.some_points(lagging, times, chance, 1):
            counts += compare([lagging], [cut], observed, found, point, f"cut at {at}")
    return torn, counts


def hold_inserts(ms):
    """How long each of the ticker's inserts lies at the server before it is done."""
    mode, data = ("alwaysOn", {"blockConnection": True, "blockTimeMS": ms}) if ms else ("off", {})
    admin.admin.command("configureFailPoint", "failCommand", mode=mode, data={"failCommands": ["insert"], "appName": "psmdb-ticker", **data})


def settled():
    """The operation time when the server has done what the killed one had sent: its connections are gone."""
    def none_left():
        ops = admin.admin.aggregate([{"$currentOp": {"allUsers": True, "idleConnections": True}}, {"$match": {"appName": "psmdb-ticker"}}])
        return not list(ops)
    tap.eventually(none_left, 20, "the server to end the killed ticker's connections")
    now = admin.admin.command("ping")["operationTime"]
    return now.time, now.inc


def a_killed_ticker_leaves_a_readable_journal_and_the_right_classes():
    print(f"# seed {arguments.seed}")
    seen, torn, early = None, 0, 0
    for number in range(arguments.count):
        ns = f"drill.kill{number // 3}"  # the runs of each rate share a collection
        path = os.path.join(work, f"journal-{number}")
        run = ticker_run.Ticker(server.uri, path, *(word.format(ns=ns) for word in RATES[number % 3]), user=USER, password=SECRET)
        if number % 5 == 4:
            time.sleep(chance.uniform(0, 0.2))
        else:
            run.wait_for('"issued"', 1)
            time.sleep(chance.uniform(0, 1 if "--rate" in RATES[number % 3] else 0.3))
        if number % 5 == 2:
            hold_inserts(300)
            time.sleep(0.1)
        run.stop(signal.SIGKILL)
        now = settled()
        hold_inserts(0)
        if "\n" not in run.text():
            early += 1
            continue
        observed = os.path.join(work, f"observed-{number}")
        judging.collect(server.uri, USER, SECRET, [ns], observed)
        found = judging.present(admin, [ns])
        journal = ticks.Journal(judging.whole_lines(run.text()))
        ticker_run.check_claims(admin, journal)
        broken, counts = is_judged(path, observed, found, ticker_run.operation_times(admin, journal), now)
        torn, seen = torn + broken, counts + seen if seen else counts
    print(f"# {arguments.count} kills, {early} before the journal, {torn} in the middle of a line; classes met: {dict(seen)}")
    for needed in ("ok", "late", "recovered", "unjournaled"):
        assert arguments.count < 5 or seen[needed], f"no tick was {needed}: the kills prove little"


def several_runs_in_one_collection_are_told_apart():
    ns, paths = "drill.kill0", [os.path.join(work, f"journal-{number}") for number in range(min(3, arguments.count))]
    paths = [path for path in paths if os.path.exists(path) and "\n" in open(path).read()]
    assert len(paths) > 1
    observed, now = os.path.join(work, "observed-all"), admin.admin.command("ping")["operationTime"]
    judging.collect(server.uri, USER, SECRET, [ns], observed)
    found = judging.present(admin, [ns])
    journals = [ticks.Journal(judging.whole_lines(open(path).read())) for path in paths]
    counts = compare(journals, paths, observed, found, (now.time, now.inc), "all journals")
    assert not counts["foreign"]
    counts = compare(journals[:1], paths[:1], observed, found, (now.time, now.inc), "one of the journals")
    assert counts["foreign"] == sum(len(found.get((j.open["run"], *stream), ())) for j in journals[1:] for stream in j.streams)


def the_comparison_finds_what_is_spoilt_on_purpose():
    ns, path = "drill.kill0", os.path.join(work, "journal-1")
    journal, now = ticks.Journal(judging.whole_lines(open(path).read())), admin.admin.command("ping")["operationTime"]
    found, observed = judging.present(admin, [ns]), os.path.join(work, "observed-spoilt")
    run = bson.Binary(bytes.fromhex(journal.open["run"].replace("-", "")), 4)
    assert admin.drill.kill0.delete_one({"run": run, "seq": 1}).deleted_count == 1
    judging.collect(server.uri, USER, SECRET, [ns], observed)
    try:
        compare([journal], [path], observed, found, (now.time, now.inc), "spoilt")
    except AssertionError:
        pass
    else:
        raise AssertionError("a tick that is gone was not noticed")
    lines = open(path).read().splitlines(True)
    with open(path, "w") as f:
        f.writelines(lines[:2] + lines[3:])
    assert read_by_another(path)[0] == 1, "a journal without its third record is not called broken"


if __name__ == "__main__":
    sys.exit(tap.run([a_killed_ticker_leaves_a_readable_journal_and_the_right_classes, several_runs_in_one_collection_are_told_apart,
                      the_comparison_finds_what_is_spoilt_on_purpose]))
