"""Measures every figure that has a goal, each against its other side in the same run, and prints measured value, goal, and whether it is met.

It starts what it needs (a mongod, a sandbox) in a folder of its own and leaves nothing but mongosh in the cache of scripts/setup, which it gets by npm if
it can. Take the figures of a machine that does nothing else: about ten minutes, with --quick about five.
"""
import argparse
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import mongod  # noqa: E402
import rows_collect  # noqa: E402
import rows_judge  # noqa: E402
import rows_sandbox  # noqa: E402
import rows_ticker  # noqa: E402
from measure import Bench, Figure, NotMeasured, progress  # noqa: E402

ROWS = ("collect", "memory", "judge", "ticker", "flat-out", "overhead", "reaction")
PROGRAMS = ("verifier/psmdb-verify", "ticker/psmdb-ticker", "scenarios/psmdb-drill", "sandbox/psmdb-sandbox",
            *(f"tests/bench/bench_{name}" for name in ("cost", "fill", "collect", "insert", "evidence", "journal_read")))
BEGIN, END = "<!-- tests/bench/run -->", "<!-- tests/bench/run: end -->"
BUILD_IT = "cmake --preset release && cmake --build build/release -j2"


def arguments():
    p = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                epilog="exit status: 0 all was measured (goals that are missed are printed), 2 usage, 3 something could not be measured")
    p.add_argument("--build", default=HERE.parents[1] / "build/release", help="folder of the programs (default: build/release)")
    p.add_argument("--quick", action="store_true", help="no 10 M ticks in the database, fewer rounds, a shorter ticker")
    p.add_argument("--only", action="append", choices=ROWS, metavar="ROW", help=f"one of: {', '.join(ROWS)}; may be given several times")
    p.add_argument("--long", action="store_true", help="the ticker's drift over an hour")
    p.add_argument("--no-install", action="store_true", help="do not get mongosh by npm")
    p.add_argument("--json", metavar="FILE", help="the figures with all rounds")
    p.add_argument("--into", metavar="FILE", help=f"write the table into this page, too, between the lines {BEGIN} and {END}")
    args = p.parse_args()
    if args.into and not page_parts(args.into):
        p.error(f"--into: \"{args.into}\" has no line {BEGIN} and after it {END}")
    return args


def page_parts(path):
    """What stands before and behind the table."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN + "\n")
    _, end, after = rest.partition(END + "\n")
    return (before + begin, end + after) if begin and end else None


def cpu():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    return names[0] if names else platform.machine()


def machine():
    with open("/proc/meminfo", encoding="ascii") as f:
        memory = int(f.readline().split()[1]) / 1048576
    return {"cpu": cpu(), "processors": os.cpu_count(), "memory_gib": round(memory, 1), "kernel": platform.release(), "load": round(os.getloadavg()[0], 1)}


FAILURES = (NotMeasured, subprocess.SubprocessError, RuntimeError, OSError, AssertionError)


def gather(figures, row, measured):
    """Keeps what was measured before something was missing."""
    try:
        for figure in measured:
            figures.append(figure)
            print_one(figure)
    except FAILURES as e:
        figures.append(Figure(row, "the rest of the row", "at least", note=str(e)))
        print_one(figures[-1])


def in_sandbox(bench, figures, rows):
    try:
        with rows_sandbox.sandbox(bench) as kubeconfig:
            for row in rows:
                gather(figures, row, getattr(rows_sandbox, row)(bench, kubeconfig))
    except FAILURES as e:
        for row in rows:
            if not any(f.row == row for f in figures):
                gather(figures, row, failed(e))


def failed(error):
    yield from ()
    raise error


def print_one(f):
    value = "not measured" if f.measured is None else f.number(f.measured)
    progress(f"   {f.row}: {f.what}: {value}" + (f" ({f.note})" if f.note and f.measured is None else ""))


def measure_all(bench, args):
    wanted, figures = args.only or ROWS, []
    # what wants a quiet machine comes before 10 M ticks are written
    if {"overhead", "reaction"} & set(wanted):
        in_sandbox(bench, figures, [r for r in ("reaction", "overhead") if r in wanted])
    for row, rows in (("judge", rows_judge.judge), ("ticker", rows_ticker.ticker), ("flat-out", rows_ticker.flat_out), ("collect", rows_collect.collect),
                      ("memory", rows_collect.memory)):
        if row in wanted:
            gather(figures, row, rows(bench, args))
    return sorted(figures, key=lambda f: ROWS.index(f.row))


def table(figures):
    lines = ["| row | figure | measured | goal | | |", "| --- | --- | --- | --- | --- | --- |"]
    for f in figures:
        goal = f"{f.goal} {f.number(round(f.limit, 2))}" if f.goal and f.limit else ""
        lines.append(f"| {f.row} | {f.what} | {'' if f.measured is None else f.number(f.measured)} | {goal} | {f.said()} | {f.note} |")
    return "\n".join(lines)


def summary(figures, before, after, how, seconds):
    goals = [f for f in figures if f.goal]
    missed, absent = [f for f in goals if f.met is False], [f for f in figures if f.measured is None]
    return (f"{before['cpu']}, {before['processors']} processors, {before['memory_gib']} GiB, Linux {before['kernel']}, {mongod_name()}; "
            f"load {before['load']} at the beginning and {after['load']} at the end; {how}, {time.strftime('%Y-%m-%d')}, {seconds:.0f} s.\n"
            f"{sum(f.met is True for f in goals)} of {len(goals)} goals met, {len(missed)} not met, {len(absent)} not measured.")


def mongod_name():
    """As scripts/setup calls the folder it lies in."""
    path = mongod.find()
    return os.path.basename(os.path.dirname(os.path.realpath(path))) if path else "no mongod"


def main():
    args = arguments()
    build = pathlib.Path(args.build).resolve()
    missing = [p for p in PROGRAMS if not os.access(build / p, os.X_OK)]
    if missing:
        print(f"tests/bench/run: not built: {', '.join(missing)}\ntests/bench/run: hint: {BUILD_IT}", file=sys.stderr)
        return 3
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    before, began = machine(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="drill-bench-") as work:
        bench = Bench(build, work, args.quick)
        try:
            figures = measure_all(bench, args)
        except KeyboardInterrupt:
            return 130
        finally:
            bench.close()
    after = machine()
    how = "`tests/bench/run" + " --quick" * args.quick + " --long" * args.long + "".join(f" --only {row}" for row in args.only or ()) + "`"
    text = f"{table(figures)}\n\n{summary(figures, before, after, how, time.monotonic() - began)}\n"
    print(text, end="")
    if args.into:
        head, tail = page_parts(args.into)
        pathlib.Path(args.into).write_text(f"{head}\n{text}\n{tail}", encoding="utf-8")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump({"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "before": before, "after": after, "mongod": mongod_name(),
                       "figures": [dict(vars(x), met=x.met) for x in figures]}, f, indent=1)
            f.write("\n")
    return 3 if any(f.measured is None for f in figures) else 0


sys.exit(main())
