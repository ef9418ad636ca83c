"""
The embedded API server against kube-apiserver with etcd, one after the other in the same run and with the same client: memory with nothing and with
2,000 config maps in 20 namespaces, and how long requests take, from the first byte sent to the last one read. A watch's event: from the moment its
cause is sent to the moment that another connection has read it. Prints a table.

usage: BUILD_DIR=build/release tests/bench/apiserver [ROUNDS]      (requests of each kind; default 1000)
"""
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).parents[1] / room) for room in ("support", "integration")]
import kube  # noqa: E402
from scale_history import Line  # noqa: E402

PROGRAM = os.path.join(os.environ["BUILD_DIR"], "sandbox", "psmdb-sandbox")
OBJECTS, NAMESPACES = 2000, 20
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
MERGE = "application/merge-patch+json"
PARTS = {"embedded": ("api",), "real": ("api", "etcd")}


def path(i):
    return f"/api/v1/namespaces/load-{i % NAMESPACES:02}/configmaps"


def config_map(i):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"m-{i:04}", "labels": {"half": str(i % 2)}}, "data": {"text": "x" * 400}}


def timed(what, count):
    """Milliseconds, sorted."""
    took = []
    for i in range(count):
        began = time.perf_counter()
        what(i)
        took.append(1000 * (time.perf_counter() - began))
    return sorted(took)


class Events(threading.Thread):
    """When each version was read."""

    def __init__(self, api, version):
        super().__init__(daemon=True)
        self.line, self.seen = Line(api), {}
        self.answer = self.line.ask("GET", f"/api/v1/configmaps?watch=1&resourceVersion={version}")
        self.start()

    def run(self):
        try:
            while text := self.answer.readline():
                now = time.perf_counter()
                self.seen[json.loads(text)["object"]["metadata"]["resourceVersion"]] = now
        except (OSError, ValueError, ssl.SSLError):
            pass


def delivery(api, line):
    events = Events(api, line.call("GET", "/api/v1/configmaps?limit=1")["metadata"]["resourceVersion"])
    sent = {}
    for i in range(ROUNDS):
        began = time.perf_counter()
        changed = line.call("PATCH", f"{path(i % OBJECTS)}/m-{i % OBJECTS:04}", {"data": {"w": str(i)}}, MERGE)
        sent[changed["metadata"]["resourceVersion"]] = began
        time.sleep(0.002)
    deadline = time.monotonic() + 10
    while not sent.keys() <= events.seen.keys() and time.monotonic() < deadline:
        time.sleep(0.01)
    return sorted(1000 * (events.seen[v] - began) for v, began in sent.items())


class Server:
    def __init__(self, kind):
        self.kind, self.work = kind, tempfile.mkdtemp(prefix="bench-api-")
        self.dir = os.path.join(self.work, "sandbox")

    def __enter__(self):
        self.run("up", "--bare", "--apiserver", self.kind)
        for part in ("kubelet", "kasten"):
            self.run("parts", "stop", part)
        self.api = kube.Kube(os.path.join(self.dir, "kubeconfig"))
        return self

    def __exit__(self, *_):
        self.run("down", "--purge")
        shutil.rmtree(self.work, ignore_errors=True)

    def run(self, *args):
        words = [*args[:2], "--dir", self.dir, *args[2:]] if args[0] == "parts" else [*args, "--dir", self.dir]
        subprocess.run([PROGRAM, *words], check=True, capture_output=True, timeout=240)

    def rss_mib(self):
        with open(os.path.join(self.dir, "state.json"), encoding="utf-8") as f:
            pids = [p["pid"] for p in json.load(f)["parts"] if p["name"] in PARTS[self.kind]]
        total = 0
        for pid in pids:
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                total += next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
        return total / 1024


def measure(kind):
    figures = {}
    with Server(kind) as server:
        line = Line(server.api)
        for i in range(NAMESPACES):
            line.call("POST", "/api/v1/namespaces", {"metadata": {"name": f"load-{i:02}"}})
        time.sleep(3)  # what begins with it has ended
        figures["memory, empty"] = [server.rss_mib()]
        figures["create"] = timed(lambda i: line.call("POST", path(i), config_map(i)), OBJECTS)
        figures["memory, 2,000 objects"] = [server.rss_mib()]
        figures["version (nothing to do)"] = timed(lambda i: line.call("GET", "/version"), ROUNDS)
        figures["get"] = timed(lambda i: line.call("GET", f"{path(i % OBJECTS)}/m-{i % OBJECTS:04}"), ROUNDS)
        figures["list of 2,000"] = timed(lambda i: line.ask("GET", "/api/v1/configmaps").read(), max(ROUNDS // 20, 10))
        figures["list of 2,000, pages of 500"] = timed(lambda i: pages(line), max(ROUNDS // 20, 10))
        figures["patch"] = timed(lambda i: line.call("PATCH", f"{path(i % OBJECTS)}/m-{i % OBJECTS:04}", {"data": {"n": str(i)}}, MERGE), ROUNDS)
        figures["event of a watch"] = delivery(server.api, line)
        figures["memory, at the end"] = [server.rss_mib()]
    return figures


def pages(line):
    go_on = ""
    while True:
        go_on = line.call("GET", f"/api/v1/configmaps?limit=500&continue={go_on}")["metadata"].get("continue")
        if not go_on:
            return


def at(figures, share):
    return figures[min(int(share * len(figures)), len(figures) - 1)]


def main():
    found = {kind: measure(kind) for kind in ("real", "embedded")}
    print("| | embedded | kube-apiserver | ratio |\n| --- | --- | --- | --- |")
    for what, ours in found["embedded"].items():
        theirs = found["real"][what]
        for share, name in ((0, " (MiB)"),) if len(ours) == 1 else ((0.5, " p50 (ms)"), (0.99, " p99 (ms)")):
            print(f"| {what}{name} | {at(ours, share):.2f} | {at(theirs, share):.2f} | {at(ours, share) / at(theirs, share):.2f} |", flush=True)


main()
