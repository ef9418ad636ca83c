"""What the rows of tests/bench/run share: figures with their goals, programs and what they cost, and one mongod with ticks in it."""
import dataclasses
import os
import pathlib
import statistics
import subprocess
import sys
import time

import mongod

PASSWORD = "bench"
KIB = 1024


class NotMeasured(Exception):
    """Something that a figure needs is not there."""


@dataclasses.dataclass
class Figure:
    row: str
    what: str
    goal: str = ""  # "at least", "below" or "" (for information)
    limit: float = 0
    unit: str = "x"
    measured: float = None
    rounds: list = dataclasses.field(default_factory=list)
    note: str = ""

    @property
    def met(self):
        if self.measured is None or not self.goal:
            return None
        return self.measured >= self.limit if self.goal == "at least" else self.measured < self.limit

    def said(self):
        if self.measured is None:
            return "not measured"
        return "" if self.met is None else "met" if self.met else "NOT MET"

    def number(self, value):
        return f"{value:.{2 if value < 100 else 0}f} {self.unit}"


def at_least(row, what, limit, measured, rounds=(), note="", unit="x"):
    return Figure(row, what, "at least", limit, unit, measured, list(rounds), note)


def below(row, what, limit, unit, measured, rounds=(), note=""):
    return Figure(row, what, "below", limit, unit, measured, list(rounds), note)


def shown(row, what, measured, unit="x", note="", rounds=()):
    return Figure(row, what, "", 0, unit, measured, list(rounds), note)


median = statistics.median


def progress(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


@dataclasses.dataclass
class Cost:
    wall_s: float
    user_s: float
    system_s: float
    rss_mib: float
    status: int
    output: str

    @property
    def cpu_s(self):
        return self.user_s + self.system_s


class Bench:
    """The programs, a folder for whatever they write, and the mongod."""

    def __init__(self, build, work, quick):
        self.build, self.work, self.quick = pathlib.Path(build), pathlib.Path(work), quick
        self.number, self.filled = 0, set()
        self.mongod_ = None

    def program(self, name):
        return self.build / name

    def path(self, name):
        self.number += 1
        return self.work / f"{self.number}-{name}"

    def run(self, *argv, timeout=600, env=None, ok=(0,)):
        done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=timeout, env=env or os.environ, check=False)
        if done.returncode not in ok:
            raise NotMeasured(f"{pathlib.Path(str(argv[0])).name}: exit status {done.returncode}: {(done.stderr or done.stdout)[-600:].strip()}")
        return done

    def numbers(self, *argv, **kwargs):
        """The lines of numbers that a program prints."""
        return [[float(word) for word in line.split()] for line in self.run(*argv, **kwargs).stdout.splitlines()]

    def cost(self, *argv, timeout=600, env=None, ok=(0,)):
        path = self.path("cost")
        done = self.run(self.program("tests/bench/bench_cost"), path, *argv, timeout=timeout, env=env, ok=ok)
        wall, user, system, rss = path.read_text().split()
        return Cost(float(wall), float(user), float(system), float(rss) / KIB, done.returncode, done.stdout)

    # --- mongod

    @property
    def mongod(self):
        if not self.mongod_:
            if not mongod.find():
                raise NotMeasured("no mongod: run scripts/setup")
            progress("a mongod starts: one member, journaled, on this machine's disk")
            self.mongod_ = mongod.Mongod(46, password=PASSWORD)
        return self.mongod_

    @property
    def login(self):
        return dict(os.environ, MONGODB_USER="root", MONGODB_PASSWORD=PASSWORD)

    def ticks(self, count):
        """The namespace that holds so many, of four writers."""
        ns = f"drill.t{count}"
        if count not in self.filled:
            progress(f"{count:,} ticks go into {ns}")
            self.run(self.program("tests/bench/bench_fill"), self.mongod.uri, ns, count, 4, env=self.login, timeout=900)
            self.filled.add(count)
        return ns

    def drop(self, ns):
        db, coll = ns.split(".", 1)
        with self.mongod.client() as client:
            client[db].drop_collection(coll)

    def close(self):
        if self.mongod_:
            self.mongod_.remove()
