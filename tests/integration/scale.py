"""
Two sandboxes side by side, 20 namespaces and 2,000 objects in each, and several kubectl at once that create, label, patch and delete while
others watch: every watcher sees each change once and in order, lists in pages are of one moment, and nothing of one cluster is seen in the other.
"""
import atexit
import concurrent.futures
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import kube
import tap
from scale_history import Line, Watcher, check_history, check_list_and_watch, check_replies, check_same, event, selected, state

PROGRAM = os.path.join(os.environ["BUILD_DIR"], "sandbox", "psmdb-sandbox")
CACHE = os.environ.get("PSMDB_DRILL_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "psmdb-drill")
KUBECTL = os.environ.get("PSMDB_DRILL_KUBECTL") or os.path.join(CACHE, "parts", "bin", "kubectl")
NAMESPACES = [f"load-{i:02}" for i in range(20)]
ROOTS = {"configmaps": "/api/v1", "secrets": "/api/v1", "pods": "/api/v1", "things": "/apis/example.org/v1"}
COUNTS = {"configmaps": 55, "secrets": 20, "pods": 5, "things": 20}  # a namespace; a kubelet has 117 addresses for pods
MERGE = "application/merge-patch+json"
LAST = "zz-last"
DEFINITION = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.example.org"},
              "spec": {"group": "example.org", "scope": "Namespaced", "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
                       "versions": [{"name": "v1", "served": True, "storage": True,
                                     "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}

if not os.access(KUBECTL, os.X_OK):
    tap.skip_all("no kubectl: run scripts/setup --dev")
work = tempfile.mkdtemp(prefix="drill-scale-")
clusters = {}


class Cluster:
    def __init__(self, name):
        self.name, self.dir, self.home = name, os.path.join(work, name), os.path.join(work, f"home-{name}")
        os.mkdir(self.home)
        self.wrote = {kind: set() for kind in ROOTS}  # (place, version) of each answered write
        self.labelled, self.lists, self.errors, self.watches, self.kubectls = [], [], [], {}, {}
        self.lock, self.over = threading.Lock(), threading.Event()

    def up(self):
        done = subprocess.run([PROGRAM, "up", "--bare", "--dir", self.dir], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        self.api = kube.Kube(os.path.join(self.dir, "kubeconfig"))

    def down(self):
        for child in self.kubectls.values():
            child.kill()
            child.wait()
        subprocess.run([PROGRAM, "down", "--purge", "--dir", self.dir], capture_output=True, timeout=120)

    def env(self):
        return {"HOME": self.home, "PATH": os.environ["PATH"], "KUBECONFIG": os.path.join(self.dir, "kubeconfig")}

    def kubectl(self, *args, stdin=None):
        """Notes what the server answered: the objects as they are then."""
        done = subprocess.run([KUBECTL, *args, "-o", "name" if args[0] == "delete" else "json"], env=self.env(), input=stdin, capture_output=True, text=True, timeout=90)
        assert done.returncode == 0, f"kubectl {' '.join(args)}: {done.stderr}"
        for item in documents(done.stdout) if args[0] != "delete" else []:
            if args[0] == "label":  # it shows what it had read, with the label, and not what it was answered
                self.labelled.append(place(item))
            else:
                self.note(item)

    def note(self, item):
        kind, meta = item["kind"].lower() + "s", item["metadata"]
        if kind in self.wrote:
            with self.lock:
                self.wrote[kind].add((place(item), int(meta["resourceVersion"])))

    def start_kubectl(self, who, *args):
        out = os.path.join(self.home, who + ".out")
        with open(out, "wb") as f:
            self.kubectls[who] = subprocess.Popen([KUBECTL, "get", *args, "-A", "-w", "--output-watch-events", "-o", "json"], env=self.env(), stdout=f, stderr=subprocess.STDOUT)

    def said(self, who):
        with open(os.path.join(self.home, who + ".out"), encoding="utf-8") as f:
            return f.read()

    def in_thread(self, what, *args):
        def body():
            try:
                what(*args)
            except Exception as error:  # pylint: disable=broad-exception-caught
                self.errors.append(f"{what.__name__}: {error!r}")
        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        return thread


def documents(text):
    """kubectl -o json prints one object behind the other, or a List."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        tree, at = decoder.raw_decode(text, at)
        at += len(text[at:at + 8]) - len(text[at:at + 8].lstrip())
        yield from tree["items"] if tree.get("kind") == "List" else [tree]


def place(item):
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"


def collection(kind, namespace=None):
    return f"{ROOTS[kind]}{f'/namespaces/{namespace}' if namespace else ''}/{kind}"


def thing(cluster, kind, namespace, name, i=0):
    metadata = {"name": name, "namespace": namespace, "labels": {"cluster": cluster.name, "half": str(i % 2), **({"drop": "yes"} if i % 10 == 3 else {})}}
    body = {"configmaps": {"kind": "ConfigMap", "data": {"text": "x" * 200}}, "secrets": {"kind": "Secret", "stringData": {"word": f"{cluster.name}-{name}"}},
            "pods": {"kind": "Pod", "spec": {"containers": [{"name": "c", "image": "example.org/nothing"}]}}, "things": {"kind": "Thing", "spec": {"n": i}}}[kind]
    return {"apiVersion": ROOTS[kind].removeprefix("/apis/").removeprefix("/api/"), "metadata": metadata, **body}


# --- those who write


def create(cluster, namespaces):
    items = [thing(cluster, kind, namespace, f"{kind[0]}-{i:02}", i) for namespace in namespaces for kind, count in COUNTS.items() for i in range(count)]
    cluster.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))


def change(cluster, namespace):
    cluster.kubectl("label", "configmaps", "-l", "!raw", "-n", namespace, "half=2", "--overwrite")
    cluster.kubectl("annotate", "things,secrets", "-l", "!raw", "-n", namespace, "note=yes")
    cluster.kubectl("patch", "configmap", "c-07", "-n", namespace, "--type=merge", "-p", '{"data":{"text":"patched"}}')
    cluster.kubectl("delete", "configmaps,things,pods", "-l", "drop=yes", "-n", namespace, "--wait=false")


def write_all_the_time(cluster, number):
    """Beside kubectl, and faster: objects come, are changed in two ways, go, and come again under the same name."""
    rng, line = random.Random(number), Line(cluster.api)
    while not cluster.over.is_set():
        kind, namespace, name = rng.choice(["configmaps", "things"]), rng.choice(NAMESPACES[:-1]), f"raw-{number}-{rng.randint(0, 3)}"
        path = collection(kind, namespace)
        made = thing(cluster, kind, namespace, name, rng.randint(0, 1))
        made["metadata"]["labels"]["raw"] = "yes"
        cluster.note(line.call("POST", path, made))
        changed = line.call("PATCH", f"{path}/{name}", {"metadata": {"labels": {"half": str(rng.randint(0, 1)), "x": str(rng.random())}}}, MERGE)
        cluster.note(changed)
        cluster.note(line.call("PUT", f"{path}/{name}", {**changed, "more": {"n": 9007199254740993}}))
        line.call("DELETE", f"{path}/{name}")
        time.sleep(0.02)


# --- those who read


def list_in_pages(cluster, kind, selector, limit):
    line = Line(cluster.api)
    while not cluster.over.is_set():
        items, go_on, version = [], "", None
        while True:
            page = line.call("GET", f"{collection(kind)}?limit={limit}&continue={go_on}" + (f"&labelSelector={selector.replace('=', '%3D')}" if selector else ""))
            assert version in (None, page["metadata"]["resourceVersion"]), "the pages of a list are of two moments"
            version = page["metadata"]["resourceVersion"]
            assert len(page["items"]) <= limit
            items += [event("ADDED", item, cluster.name) for item in page["items"]]
            go_on = page["metadata"].get("continue")
            if not go_on:
                break
        cluster.lists.append((kind, selector, int(version), [(e.place, e.version) for e in items if e]))
        time.sleep(0.1)


def begin(cluster):
    for namespace in NAMESPACES:
        cluster.api.create("/api/v1/namespaces", {"metadata": {"name": namespace, "labels": {"cluster": cluster.name}}})
    cluster.api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", DEFINITION)
    for kind in ROOTS:
        version = cluster.api.get(collection(kind))["metadata"]["resourceVersion"]
        cluster.watches[kind, "steady"] = Watcher(cluster.api, cluster.name, collection(kind), version, LAST)
        cluster.watches[kind, "rude"] = Watcher(cluster.api, cluster.name, collection(kind), version, LAST, rude=True)
        if kind in ("configmaps", "things"):
            cluster.watches[kind, "half=1"] = Watcher(cluster.api, cluster.name, collection(kind) + "?labelSelector=half%3D1", version, LAST)
    cluster.start_kubectl("configmaps-early", "configmaps")
    cluster.start_kubectl("things-early", "things")


def load(cluster):
    beside = [cluster.in_thread(write_all_the_time, cluster, n) for n in range(2)]
    beside += [cluster.in_thread(list_in_pages, cluster, *what) for what in (("configmaps", None, 137), ("things", "half=0", 50))]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: create(cluster, NAMESPACES[n::4]), range(4)))
        total = sum(len(cluster.api.items(collection(kind))) for kind in ROOTS)
        assert total >= 2000, total
        # in the middle: what is there comes in pages of 500, and changes while it does
        changes = [pool.submit(change, cluster, namespace) for namespace in NAMESPACES[:8]]
        cluster.start_kubectl("configmaps-late", "configmaps")
        cluster.start_kubectl("pods-late", "pods")
        for done in changes:
            done.result()
    cluster.kubectl("delete", "namespace", NAMESPACES[-1])
    cluster.over.set()
    for thread in beside:
        thread.join(20)
        assert not thread.is_alive()
    tap.eventually(lambda: all(map(settled, cluster.api.items(collection("pods")))), 40, "the kubelet to have looked at every pod")
    for kind in ROOTS:
        item = thing(cluster, kind, NAMESPACES[0], LAST, 1)
        cluster.note(cluster.api.create(collection(kind, NAMESPACES[0]), item))


def settled(pod):
    return "deletionTimestamp" not in pod["metadata"] and pod["status"].get("containerStatuses")


def up_to_the_last(events):
    """A kubelet goes on behind it."""
    for at, e in enumerate(events):
        if e.place.endswith("/" + LAST):
            return events[:at + 1]
    raise AssertionError("the last one is not there")


def two_sandboxes_come_up_side_by_side():
    clusters.update({name: Cluster(name) for name in ("here", "there")})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(Cluster.up, clusters.values()))


def two_thousand_objects_are_written_while_others_read():
    for cluster in clusters.values():
        begin(cluster)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(load, clusters.values()))
    for cluster in clusters.values():
        assert not cluster.errors, cluster.errors
        for (kind, how), watch in cluster.watches.items():
            watch.join(20)
            assert not watch.error and not watch.is_alive(), f"{cluster.name}: {kind}, {how}: {watch.error!r}"
        for who in cluster.kubectls:
            tap.eventually(lambda: f'"name":"{LAST}"' in cluster.said(who), 20, f"{who} to see the last object: {cluster.said(who)[-300:]}")  # pylint: disable=cell-var-from-loop


def each_change_is_seen_once_and_in_order_by_every_watch():
    for cluster in clusters.values():
        for kind in ROOTS:
            history = cluster.watches[kind, "steady"].events
            check_history(history)
            if kind != "pods":  # the kubelet writes, too
                check_replies(history, cluster.wrote[kind], cluster.labelled if kind == "configmaps" else [])
            assert cluster.wrote[kind] <= {(e.place, e.version) for e in history}
            rude = cluster.watches[kind, "rude"]
            check_same(history, rude.events, f"{cluster.name}: {kind}, resumed {rude.resumes} times")
            assert rude.resumes > 3, rude.resumes
            if (kind, "half=1") in cluster.watches:
                check_same(selected(history, "half=1"), cluster.watches[kind, "half=1"].events, f"{cluster.name}: {kind}, half=1")
            now = {e.place: e.version for e in (event("ADDED", item, cluster.name) for item in cluster.api.items(collection(kind))) if e}
            if kind == "pods":
                now[f"{NAMESPACES[0]}/{LAST}"] = history[-1].version
            assert now == state(history), f"{cluster.name}: {kind} differ from what was watched: {sorted(set(now.items()) ^ set(state(history).items()))[:4]}"
            print(f"# {cluster.name}: {len(history)} changes of {kind}, {len(now)} at the end; resumed {rude.resumes} times, {rude.bookmarks} bookmarks")
        assert any(w.bookmarks for w in cluster.watches.values())


def kubectl_get_w_of_several_clients_sees_every_change_once():
    for cluster in clusters.values():
        for who in cluster.kubectls:
            text = cluster.said(who)
            # what is there at first comes as it was read: in lists of 500
            events = [event(d["type"], item, cluster.name) for d in documents(text) for item in d["object"].get("items", [d["object"]])]
            check_list_and_watch(cluster.watches[who.split("-")[0], "steady"].events, up_to_the_last([e for e in events if e]),
                                 f"{cluster.name}: kubectl get {who}")


def lists_in_pages_are_of_one_moment():
    for cluster in clusters.values():
        longest = 0
        for kind, selector, version, found in cluster.lists:
            wanted = sorted(state(cluster.watches[kind, "steady"].events, version, selector).items())
            assert found == wanted, f"{cluster.name}: {kind} at {version}: {sorted(set(found) ^ set(wanted))[:5]}"
            longest = max(longest, len(found))
        print(f"# {cluster.name}: {len(cluster.lists)} lists, the longest of {longest}")
        assert len(cluster.lists) > 10 and longest > 500


def nothing_is_left_of_them():
    for cluster in clusters.values():
        cluster.down()
        assert not os.path.exists(cluster.dir)
    clusters.clear()


@atexit.register
def remove():
    for cluster in clusters.values():
        cluster.down()
    if not os.environ.get("PSMDB_DRILL_KEEP"):
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(tap.run([two_sandboxes_come_up_side_by_side, two_thousand_objects_are_written_while_others_read, each_change_is_seen_once_and_in_order_by_every_watch,
                      kubectl_get_w_of_several_clients_sees_every_change_once, lists_in_pages_are_of_one_moment, nothing_is_left_of_them],
                     sys.argv[1] if len(sys.argv) > 1 else None))
