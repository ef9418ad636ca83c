"""Case 2 killed (SIGKILL) at named moments, and resumed.

    killed_case2.py same | elsewhere                   one run, its drill killed at every moment in turn: PASS; as a test
    killed_case2.py same --each                        a run and a sandbox for each moment; by hand
    killed_case2.py same --sandbox --at importing      the sandbox itself is killed (everything in it dies) and started again; as a test
    killed_case2.py same --sandbox --each              the same for each moment; by hand

A drill that alone was killed ends in PASS. With the sandbox a backup or a ticker may have ended, too: before the disaster an ERROR is good if it names its cause;
from the disaster on there is nothing more to lose: PASS, or INCONCLUSIVE with its reason (a restore whose agents are gone is first told as AGENTS_LOST, and asked for anew). Never FAIL, never a time-out, never a lost tick.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import harness
from cluster import NAMESPACE, Cluster, kube, verdict
from harness import DRILL, ERROR, FAIL, INCONCLUSIVE, INTERRUPTED, PASS, Tap, reasons

YES = ("--confirm-destroy", NAMESPACE)
TIMES = ("--set", "before=5s", "--set", "after=3s", "--set", "rate=5")


class Sight:
    """What a run's own files say of how far it is."""

    def __init__(self, run_dir):
        self.events, self.values, self.done, step = [], {}, set(), None
        for line in (run_dir / "timeline.jsonl").read_text().splitlines():
            if '"step.start"' in line or '"step.end"' in line or '"disaster"' in line or '"outage.start"' in line or '"x-state"' in line:
                self.events.append(line)
        for line in self.events:
            found = re.search(r'"name":"step\.(start|end)".*"step":"([a-z-]+)"', line)
            step = (found[2] if found[1] == "start" else None) if found else step
            if found and found[1] == "end" and '"result":"ok"' in line:
                self.done.add(found[2])
        self.step = step
        self.values = json.loads((run_dir / "state.json").read_text())["values"]

    def saw(self, text):
        return any(re.search(text, line) for line in self.events)


class Moment:
    """A moment within a step. Some are shorter than a look at the files."""

    def __init__(self, step, value=None, event=None):
        self.step, self.value, self.event = step, value, event

    def met(self, sight):
        return sight.step == self.step and (not self.value or self.value in sight.values) and (not self.event or sight.saw(self.event))

    def missed(self, sight):
        return self.step in sight.done and self.step != "tick"  # which is there twice


SAME = {
    "backing-up": Moment("run-policy", "run-action"),
    "backed-up": Moment("tick", "import-profile"),
    "psmdb-ends": Moment("lose-namespace", event='"outage.start"'),
    "namespace-ends": Moment("lose-namespace", "lost-namespace"),
    "namespace-gone": Moment("recreate-namespace"),
    "installing": Moment("install-operator"),
    "importing": Moment("import-point", "import-policy"),
    "imported": Moment("import-point", "import-action"),
    "secrets": Moment("restore-secrets", "secrets-asked"),
    "psmdb": Moment("restore-cluster", "cluster-asked"),
    "restoring": Moment("restore-data", "restore-object", "psmdb-restore.*running"),
    "collecting": Moment("collect"),
}
ELSEWHERE = {"leaving": Moment("leave-cluster", "outage")} | {name: when for name, when in SAME.items() if not re.match("back|psmdb-ends|namespace", name)}
MOMENTS = {"same": SAME, "elsewhere": ELSEWHERE}


class Story:
    """One run in its sandbox, or its two."""

    def __init__(self, case, path, name):
        self.case, self.run_dir, self.out = case, path / f"run-{name}", path / f"run-{name}.out"
        self.a, self.b = Cluster(path / f"a-{name}"), Cluster(path / f"b-{name}")

    def __enter__(self):
        self.a.up()
        self.more = [*YES, "--operator", self.a.dir / "bundle.yaml"]
        if self.case == "elsewhere":
            self.b.up("--bare", "--bucket-of", self.a.dir)
            self.b.api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {
                "name": NAMESPACE, "labels": {"psmdb-drill/allow-disaster": "true"}}})
            self.more += ["--to-kubeconfig", self.b.kubeconfig, "--allow-cluster-changes"]
        return self

    def __exit__(self, *what):
        if self.case == "elsewhere":
            self.b.__exit__(*what)
        self.a.__exit__(*what)

    def start(self):
        begun = (self.run_dir / "state.json").exists()
        how = ("--resume", self.run_dir) if begun else ("case-2", "--run", self.run_dir, *TIMES)
        with self.out.open("ab") as log:
            return subprocess.Popen([str(a) for a in (DRILL, "run", *how, "--kubeconfig", self.a.kubeconfig, *self.more)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def said(self):
        return self.out.read_text()[-4000:]

    def reach(self, child, when):
        """Until the run is at this moment, at once; false: it is behind it already."""
        end = time.monotonic() + 180
        while time.monotonic() < end:
            try:
                sight = Sight(self.run_dir)
                if when.met(sight) or when.missed(sight):
                    return when.met(sight)
            except (OSError, ValueError):
                pass
            assert child.poll() is None, f"ended before: {child.returncode}\n{self.said()}"
            time.sleep(0.02)
        raise AssertionError(f"waited 180 s\n{self.said()}")

    def psmdb_ends(self):
        """Asked for: killed before, the drill would have ended nothing, and the ticker would go on."""
        harness.wait_until(lambda: not self.a.psmdb() or "deletionTimestamp" in self.a.psmdb()["metadata"], 20, "the psmdb to end")

    def kill_drill(self, child):
        child.kill()
        child.wait(10)
        harness.wait_until(lambda: not harness.processes_of(self.run_dir), 15, "no child of the drill's to be left")

    def kill_sandbox(self, child):
        os.kill(self.a.supervisor(), signal.SIGKILL)
        harness.wait_until(lambda: set(harness.processes_of(self.a.dir)) <= set(harness.processes_of(self.run_dir)), 20, "everything in the sandbox to be gone")
        child.send_signal(signal.SIGINT)
        assert child.wait(90) in (PASS, INCONCLUSIVE, ERROR, INTERRUPTED), self.said()
        self.a.up("--no-wait")

    def finish(self):
        child = self.start()
        try:
            return child.wait(300)
        except subprocess.TimeoutExpired:
            child.kill()
            raise AssertionError(f"waited 300 s\n{self.said()}") from None

    def asked_once(self):
        """Nothing was asked for a second time, whatever the first attempt had not written down."""
        there = self.b if self.case == "elsewhere" else self.a
        for path, count in ((kube.psmdb(kind="perconaservermongodbrestores"), 1), (kube.kasten("actions", "restoreactions", NAMESPACE), 2),
                            (kube.kasten("apps", "restorepoints", NAMESPACE), 1)):
            names = [o["metadata"]["name"] for o in there.api.items(path)]
            assert len(names) == count, names
        imports = [p for p in there.api.items(kube.kasten("config", "policies")) if p["metadata"]["name"].startswith("drill-import")]
        assert len(imports) == 1, imports


def passed(story, status):
    assert status == PASS, (status, story.said())
    v = verdict(story.run_dir)
    assert v["result"] == "PASS" and int(v["counts"]["lost"]) == int(v["counts"]["at_bound"]) == 0 and int(v["counts"]["ok"]) > 20, v["counts"]
    assert set(reasons(v)) <= {"ENVIRONMENT", "OPEN_JOURNAL", "FOREIGN", "PAUSED"}, v["reasons"]


# so long nobody goes on: once while the database dies, once in the recovery
RESTS = {"psmdb-ends": 12, "leaving": 8, "importing": 8}


def events(run_dir, name):
    """When, on the wall, in ms."""
    lines = [json.loads(line) for line in (run_dir / "timeline.jsonl").read_text().splitlines()]
    return [datetime.datetime.fromisoformat(r["at"].replace("Z", "+00:00")).timestamp() * 1000 for r in lines if r.get("name") == name]


def without_rests(story):
    """The figures are those of the cluster: RPO and RTO each lack the seconds in which nobody went on. A database that is only left behind goes on writing: that is lost."""
    v = verdict(story.run_dir)
    said = next(r["message"] for r in v["reasons"] if r["code"] == "PAUSED")
    assert " of the recovery, " in said, said
    disaster, finished = events(story.run_dir, "disaster")[0], events(story.run_dir, "restore.finished")[-1]
    phases = {p["name"]: int(p["toMs"]) for p in v["rto"]["phases"]}
    assert finished - disaster - 25000 < phases["restore finished"] < finished - disaster - 8000, (phases, finished - disaster, said)
    point = int(v["restorePoint"]["b0"].split(",")[0]) * 1000
    most, least_idle = disaster - point, 0
    if story.case == "same":
        assert " of the disaster, " in said, said
        least_idle = 6000
    assert most - 24000 < int(v["rpo"]["valueMs"]) <= most - least_idle, (v["rpo"], most, said)
    assert said in (story.run_dir / "report.md").read_text().replace("\\", ""), said


def in_turn(tap, path, case):
    with Story(case, path, "turn") as story:
        missed = []
        for name, when in MOMENTS[case].items():
            with tap.check(f"{case}: killed while {name}, or right behind it"):
                child = story.start()
                if not story.reach(child, when):
                    missed.append(name)
                if name == "psmdb-ends":
                    story.psmdb_ends()
                story.kill_drill(child)
                time.sleep(RESTS.get(name, 0))
        with tap.check(f"{case}: killed {len(MOMENTS[case])} times and resumed as often: PASS, with exact classes; of the moments at most three were missed"):
            passed(story, story.finish())
            assert len(missed) <= 3, missed
        with tap.check(f"{case}: a rest in the disaster, and one in the recovery, are in no figure, and the report names them"):
            without_rests(story)
        with tap.check(f"{case}: each object was asked for once"):
            story.asked_once()


def judge_sandbox(story, status, begun):
    said = story.said()
    v = verdict(story.run_dir)
    assert status in (PASS, INCONCLUSIVE, ERROR) and status != FAIL, (status, said)
    assert int(v["counts"]["lost"] if v["counts"] else 0) == 0, said
    if status == ERROR:
        assert not begun and re.search("hint: [A-Z][A-Z0-9_]+: ", said) and "waited" not in v["title"], said
    if status == INCONCLUSIVE:
        assert any(r["severity"] == "inconclusive" for r in v["reasons"]), said
    return f"{v['result']} {', '.join(reasons(v))}"


def alone(tap, path, case, name, sandbox):
    with tap.check(f"{case}: {'the sandbox' if sandbox else 'the drill'} killed while {name}, resumed"), Story(case, path, name) as story:
        child = story.start()
        assert story.reach(child, MOMENTS[case][name]), "the moment was missed"
        begun = '"outage.start"' in (story.run_dir / "timeline.jsonl").read_text()
        (story.kill_sandbox if sandbox else story.kill_drill)(child)
        status = story.finish()
        if sandbox and status == ERROR and "AGENTS_LOST" in story.said() and begun:
            # nobody goes on with a restore whose agents are gone: the drill says so, and the next attempt asks for another
            print(f"# {case} {name}: AGENTS_LOST, resumed once more", flush=True)
            passed(story, story.finish())
        elif sandbox:
            print(f"# {case} {name}: {judge_sandbox(story, status, begun)}", flush=True)
        else:
            passed(story, status)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=MOMENTS)
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--sandbox", action="store_true")
    parser.add_argument("--at", action="append", default=[])
    args = parser.parse_args()
    tap = Tap()
    names = list(MOMENTS[args.case]) if args.each else args.at
    with harness.workspace("killed2") as path:
        for name in names:
            alone(tap, path, args.case, name, args.sandbox)
        if not names:
            in_turn(tap, path, args.case)
    tap.done()


main()
