"""Rows "collect" and "memory"."""
import pathlib

import mongosh
from measure import NotMeasured, at_least, below, median, progress, shown

HERE = pathlib.Path(__file__).parent
PYTHON = HERE.parent / "e2e/python"
PART = 200000  # documents of the other languages' turn


def turns_of(bench, ns, rounds):
    return bench.numbers(bench.program("tests/bench/bench_collect"), bench.mongod.uri, ns, rounds, env=bench.login, timeout=900)


def beside_cursor(bench, count, rounds):
    ns = bench.ticks(count)
    progress(f"collect beside a bare cursor, {count:,} ticks, {rounds} rounds")
    turns = turns_of(bench, ns, rounds)
    ratios, cpu = [bare / ours for bare, ours, *_ in turns], [bare / ours for _, _, bare, ours, _ in turns]
    return at_least("collect", f"{count:,} ticks: of a bare libmongoc cursor's speed", 0.95, median(ratios), ratios,
                    note=f"best of each side: {min(t[0] for t in turns) / min(t[1] for t in turns):.2f}; client's CPU: {median(cpu):.2f} of the cursor's; "
                         f"{count / median([t[1] for t in turns]):,.0f} ticks a second")


def times(bench, who, part, side):
    """How many times longer the other side takes for a document, each turn beside one of collect's. side(ns): (seconds, intact documents)."""
    ns = bench.ticks(1000000)
    progress(f"{who}, {part:,} documents, beside collect")
    ratios = []
    for _ in range(2 if bench.quick else 3):
        seconds, intact, *_ = side(ns)
        if intact != part:
            raise NotMeasured(f"{who} found {intact:.0f} of {part} documents intact")
        _, ours, _, _, documents = turns_of(bench, ns, 1)[0]
        ratios.append(seconds / part / (ours / documents))
    return ratios


def beside_pymongo(bench, how):
    return times(bench, f"pymongo ({how})", PART, lambda ns: bench.numbers(PYTHON, HERE / "check.py", bench.mongod.uri, ns, PART, how, env=bench.login)[0])


def beside_mongosh(bench, may_install):
    program, part = mongosh.find(may_install), PART // 4
    script = ('const names = process.env.BENCH_NS.split("."); const c = connect(process.env.BENCH_URI).getSiblingDB(names[0]).getCollection(names[1]);'
              "print(require(process.env.BENCH_CHECK)(c, Number(process.env.BENCH_LIMIT)))")

    def side(ns):
        env = mongosh.environment(bench, NS=ns, LIMIT=part, CHECK=HERE / "check.js")
        return bench.numbers(program, "--nodb", "--quiet", "--norc", "--eval", script, env=env)[0]
    return times(bench, "mongosh", part, side)


def guarded(figure, measure):
    """A side that cannot be had leaves the others their figures."""
    try:
        figure.rounds = measure()
        figure.measured = median(figure.rounds)
    except NotMeasured as e:
        figure.note = str(e)
    return figure


def collect(bench, args):
    yield beside_cursor(bench, 1000000, 5 if bench.quick else 9)
    yield guarded(at_least("collect", f"times pymongo, which does the same check with {PART:,} of the documents", 8, None,
                           note="documents as pymongo gives them, encoded again for the sum"), lambda: beside_pymongo(bench, "plain"))
    yield guarded(shown("collect", "times pymongo on raw bytes cut at fixed places", None, note="for comparison; no document of another shape would be told"),
                  lambda: beside_pymongo(bench, "raw"))
    yield guarded(at_least("collect", f"times mongosh, which does the same check with {PART // 4:,} of the documents", 25, None,
                           note="XXH3 by hash-wasm; its start not counted"), lambda: beside_mongosh(bench, not args.no_install))
    if not bench.quick:
        yield beside_cursor(bench, 10000000, 5)


# --- memory -----------------------------------------------------------------------------------------------------------


def collect_peak(bench, count):
    ns = bench.ticks(count)
    progress(f"psmdb-verify collect, {count:,} ticks")
    return bench.cost(bench.program("verifier/psmdb-verify"), "collect", "--uri", bench.mongod.uri, "--ns", ns, "--out", bench.path("observed.jsonl"),
                      env=bench.login)


def judge_peak(bench, count, each):
    place = evidence(bench, count, each)
    return bench.cost(bench.program("verifier/psmdb-verify"), "judge", "--quiet", "--run", place)


def evidence(bench, count, each):
    """A run's folder whose journal has each ticks a record; made once."""
    place = bench.work / f"run-{count}-{each}"
    if not place.exists():
        progress(f"evidence of a drill with {count:,} ticks, {each} a record")
        place.mkdir(mode=0o700)
        bench.run(bench.program("tests/bench/bench_evidence"), place, count, each)
    return place


def memory(bench, _args):
    large = 1000000 if bench.quick else 10000000
    for name, peak in (("collect", lambda n: collect_peak(bench, n)), ("judge", lambda n: judge_peak(bench, n, 1000))):
        small, big = peak(100000), peak(large)
        yield below("memory", f"{name}, 100,000 ticks, peak RSS", 24, "MiB", small.rss_mib)
        yield below("memory", f"{name}, {large:,} ticks, peak RSS", 24, "MiB", big.rss_mib, note=f"{big.wall_s:.2f} s in all")
        yield below("memory", f"{name}, {large:,} ticks against 100,000", 1.1, "x", big.rss_mib / small.rss_mib, note="the same: within a tenth")
    yield below("memory", "judge, a journal of 500,000 ticks one by one, peak RSS", 24, "MiB", judge_peak(bench, 500000, 1).rss_mib)
