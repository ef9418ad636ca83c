"""Rows "ticker" and "flat-out"."""
import json
import os
import pathlib
import re
import subprocess
import time
import urllib.request

import mongosh
from measure import NotMeasured, at_least, below, median, progress, shown

PREFIX = "@psmdb-drill "
WRITERS, BATCH = 4, 1000


def records(text):
    return [json.loads(line.removeprefix(PREFIX)) for line in text.splitlines() if line.startswith((PREFIX, "{"))]


def late(metrics):
    """{upper bound in ms: share of commands that were sent within it}"""
    found = re.findall(r'schedule_error_seconds_bucket\{le="([^"]+)"\} (\d+)', metrics)
    total = int(found[-1][1])
    return {float(bound.replace("+Inf", "inf")) * 1000: int(count) / total for bound, count in found}


def tick(bench, seconds):
    """One ticker as a pod runs it, beside nothing else: (cost, journal, metrics a second before its end)."""
    out, port = bench.path("ticker.out"), 20000 + os.getpid() % 10000
    where = f"{bench.mongod.host}:{port}"
    argv = [bench.program("tests/bench/bench_cost"), bench.path("cost"), bench.program("ticker/psmdb-ticker"), "--uri", bench.mongod.uri, "--duration",
            f"{seconds}s", "--listen", where]
    with open(out, "wb") as f:
        child = subprocess.Popen([str(a) for a in argv], stdout=f, stderr=subprocess.DEVNULL, env=bench.login)
    try:
        time.sleep(seconds - 1)
        with urllib.request.urlopen(f"http://{where}/metrics", timeout=5) as answer:
            metrics = answer.read().decode()
        if child.wait(30):
            raise NotMeasured(f"psmdb-ticker: exit status {child.returncode}")
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait(30)
    wall, user, system, rss = argv[1].read_text().split()
    return float(user) + float(system), float(rss) / 1024, records(out.read_text()), metrics


def drift_ms(journal):
    """How much later than by the schedule of the first ones the last ticks were journaled; ms of the journal, so to one millisecond."""
    error = [[r["ms"] - 1000 * (int(r["seq"]) - 1) for r in journal if r["type"] == "issued" and r["s"] == stream] for stream in (0, 1)]
    return max((median(e[-10:]) - median(e[:10]) for e in error), key=abs)


def a_mongosh_a_tick(bench, may_install):
    program = mongosh.find(may_install)
    script = ('connect(process.env.BENCH_URI).getSiblingDB("admin").getCollection("bench")'
              ".insertOne({createdAt: new Date(), randomdata: String(Math.random())}, {writeConcern: {w: 'majority', j: true}})")
    progress("mongosh, a start for each insert, 5 times")
    return [bench.cost(program, "--nodb", "--quiet", "--norc", "--eval", script, env=mongosh.environment(bench)) for _ in range(5)]


def ticker(bench, args):
    seconds = 3600 if args.long else 30 if bench.quick else 60
    progress(f"the ticker, one a second into two namespaces, {seconds} s")
    cpu_s, rss_mib, journal, metrics = tick(bench, seconds)
    end = journal[-1]
    count, shares = int(end["acked"]), late(metrics)
    if end["type"] != "end" or count != int(end["issued"]) or count < 2 * seconds - 2:
        raise NotMeasured(f"the ticker's journal ends with {end}")
    ratio = at_least("ticker", "one a second: times less CPU than a mongosh a tick", 500, None)
    try:
        others = a_mongosh_a_tick(bench, not args.no_install)
        ratio.rounds = [c.cpu_s / (cpu_s / count) for c in others]
        ratio.measured = median(ratio.rounds)
        ratio.note = (f"{1000 * cpu_s / count:.2f} ms a tick, its start with it, over {count} ticks; {1000 * median([c.cpu_s for c in others]):,.0f} ms and "
                      f"{median([c.rss_mib for c in others]):.0f} MiB a mongosh")
    except NotMeasured as e:
        ratio.note = str(e)
    yield ratio
    yield below("ticker", "one a second: peak RSS", 16, "MiB", rss_mib)
    yield below("ticker", "one a second: schedule error, p99 at most", 5.001, "ms", min(bound for bound, share in shares.items() if share >= 0.99),
                note=f"a histogram's bound: {', '.join(f'{100 * shares[b]:.1f} % within {b:g} ms' for b in (1, 2.5, 5))}")
    drift = drift_ms(journal)
    skipped = int(re.search(r"slots_skipped_total (\d+)", metrics).group(1))
    yield below("ticker", f"one a second: drift over {seconds} s from the absolute schedule", 2, "ms", abs(drift),
                note=f"{drift:+.0f} ms, to a millisecond; slots skipped: {skipped}" + ("" if args.long else "; an hour: --long"))


# --- flat out ---------------------------------------------------------------------------------------------------------


def bare(bench, ns, count):
    return bench.numbers(bench.program("tests/bench/bench_insert"), bench.mongod.uri, ns, count, WRITERS, BATCH, env=bench.login)[0][0]


def flat(bench, ns, count):
    journal = bench.path("journal.jsonl")
    bench.run(bench.program("ticker/psmdb-ticker"), "--uri", bench.mongod.uri, "--ns", ns, "--flat-out", "--writers", WRITERS, "--batch", BATCH,
              "--count", count, "--journal", journal, env=bench.login)
    lines = records(journal.read_text())
    journal.unlink()
    if int(lines[-1]["acked"]) != WRITERS * count:
        raise NotMeasured(f"the ticker's journal ends with {lines[-1]}")
    acked = [r["ms"] for r in lines if r["type"] == "acked"]
    return (max(acked) - lines[1]["ms"]) / 1000


def flat_out(bench, _args):
    count, rounds = (50000, 4) if bench.quick else (75000, 7)
    progress(f"the ticker flat out beside a bare bulk insert loop: {WRITERS} writers, {BATCH} a command, {WRITERS * count:,} ticks a turn, {rounds} rounds")
    turns = []
    for i in range(rounds):
        sides = [("bare", bare), ("flat", flat)]
        took = {}
        for name, side in sides if i % 2 else sides[::-1]:
            ns = f"drill.{name}{i}"
            took[name] = side(bench, ns, count)
            bench.drop(ns)
        turns.append(took)
    ratios = [t["bare"] / t["flat"] for t in turns]
    best = {name: min(t[name] for t in turns) for name in ("bare", "flat")}
    yield at_least("flat-out", f"{WRITERS} writers: of a bare libmongoc bulk insert loop", 0.9, median(ratios), ratios,
                   note=f"majority, journaled, retryable writes, batches of {BATCH}, the same documents; the ticker's journal synced to disk; "
                        f"best of each side: {best['bare'] / best['flat']:.2f}; {WRITERS * count / best['flat']:,.0f} ticks a second")
