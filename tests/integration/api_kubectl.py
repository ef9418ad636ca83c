import atexit
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import api_server
import tap

CACHE = os.environ.get("PSMDB_DRILL_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "psmdb-drill")
KUBECTL = os.environ.get("PSMDB_DRILL_KUBECTL") or os.path.join(CACHE, "parts", "bin", "kubectl")
CRDS = os.path.join(os.environ["SOURCE_DIR"], "sandbox", "crds")

if not os.access(KUBECTL, os.X_OK):
    tap.skip_all("no kubectl: run scripts/setup --dev")
server = api_server.Server()
atexit.register(server.remove)
work = tempfile.mkdtemp(prefix="drill-kubectl-")
atexit.register(shutil.rmtree, work, ignore_errors=True)
children = []


@atexit.register
def end_children():
    for child in children:
        if child.poll() is None:
            child.kill()
            child.wait()


class Home:
    """A person: kubectl with a HOME, and so with caches, of its own."""

    def __init__(self, kubeconfig=None):
        self.dir = tempfile.mkdtemp(dir=work)
        self.env = {"HOME": self.dir, "PATH": os.environ["PATH"], "KUBECONFIG": kubeconfig or server.kubeconfig}

    def run(self, *args, stdin=None):
        return subprocess.run([KUBECTL, *args], env=self.env, input=stdin, capture_output=True, text=True, timeout=40)

    def __call__(self, *args, stdin=None):
        done = self.run(*args, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(args)}: {done.returncode}: {done.stderr}"
        return done.stdout

    def refused(self, *args, stdin=None):
        done = self.run(*args, stdin=stdin)
        assert done.returncode != 0, f"kubectl {' '.join(args)} was to fail and said: {done.stdout}"
        return done.stderr

    def start(self, *args):
        out = open(os.path.join(self.dir, f"out-{len(children)}"), "w+", encoding="utf-8")
        child = subprocess.Popen([KUBECTL, *args], env=self.env, stdout=out, stderr=subprocess.PIPE, text=True)
        child.out = out.name
        children.append(child)
        return child


def said(child):
    with open(child.out, encoding="utf-8") as f:
        return f.read()


def pod(name, **more):
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "a"}},
                       "spec": {"containers": [{"name": "c", "image": "x"}], **more}})


def policy(name, frequency="@daily", **labels):
    return json.dumps({"apiVersion": "config.kio.kasten.io/v1alpha1", "kind": "Policy", "metadata": {"name": name, "labels": labels},
                       "spec": {"frequency": frequency, "actions": [{"action": "backup"}]}})


def fresh(name):
    """A namespace for one test, and somebody who works in it."""
    kubectl = Home()
    kubectl("create", "namespace", name)
    kubectl("config", "set-context", "--current", f"--namespace={name}", f"--kubeconfig={own_config(kubectl)}")
    return kubectl


def own_config(kubectl):
    path = os.path.join(kubectl.dir, "config")
    shutil.copy(server.kubeconfig, path)
    kubectl.env["KUBECONFIG"] = path
    return path


def applies_the_custom_kinds_and_waits_for_them():
    kubectl = Home()
    for path in sorted(glob.glob(os.path.join(CRDS, "*.yaml"))):
        assert "created" in kubectl("apply", "-f", path)
        assert "unchanged" in kubectl("apply", "-f", path), "applied twice, it is unchanged"
    kubectl("apply", "--server-side", "--force-conflicts", "-f", CRDS)
    assert "condition met" in kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=10s")


def lists_kinds_with_short_names():
    kubectl = Home()
    text = kubectl("api-resources", "-o", "wide")
    row = next(line for line in text.splitlines() if line.startswith("perconaservermongodbbackups "))
    assert "psmdb-backup" in row and "psmdb.percona.com/v1" in row
    actions = next(line for line in text.splitlines() if line.startswith("backupactions "))
    assert "watch" not in actions, actions
    assert "psmdb" in kubectl("get", "crd", "-o", "name")


def makes_namespaces_secrets_and_config_maps():
    kubectl = fresh("makes")
    assert "namespace/makes2 created" in kubectl("create", "ns", "makes2")
    assert "AlreadyExists" in kubectl.refused("create", "ns", "makes2")
    kubectl("create", "secret", "generic", "s", "--from-literal=user=admin", "--from-literal=empty=")
    secret = json.loads(kubectl("get", "secret", "s", "-o", "json"))
    assert secret["data"] == {"user": "YWRtaW4=", "empty": ""} and secret["type"] == "Opaque", secret
    kubectl("create", "configmap", "c", "--from-literal=key=a value")
    assert kubectl("get", "cm", "c", "-o", "jsonpath={.data.key}") == "a value"
    kubectl("create", "serviceaccount", "who")
    kubectl("delete", "ns", "makes2", "--timeout=20s")
    assert "NotFound" in kubectl.refused("get", "ns", "makes2")


def gets_in_every_form():
    kubectl = fresh("gets")
    assert "No resources found" in kubectl.run("get", "pods").stderr
    kubectl("create", "-f", "-", stdin=pod("p1"))
    head, row = kubectl("get", "pods").splitlines()
    assert head.split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"] and row.split()[:4] == ["p1", "0/1", "Pending", "0"]
    assert "NODE" in kubectl("get", "pods", "-o", "wide")
    assert "NAMESPACE" in kubectl("get", "pods", "-A") and "LABELS" in kubectl("get", "pods", "--show-labels")
    assert "kind: Pod" in kubectl("get", "pod", "p1", "-o", "yaml")
    assert json.loads(kubectl("get", "pods", "-o", "json"))["items"][0]["metadata"]["name"] == "p1"
    assert kubectl("get", "pod", "p1", "-o", "jsonpath={.status.phase}") == "Pending"
    assert kubectl("get", "pods", "-o", "name") == "pod/p1\n"
    assert "p1" in kubectl("get", "pods", "-l", "app in (a,b),!x") and "p1" not in kubectl("get", "pods", "-l", "app!=a")
    assert "p1" in kubectl("get", "pods", "--field-selector=status.phase=Pending")
    ended = '{"status":{"containerStatuses":[{"name":"c","restartCount":3,"lastState":{"terminated":{"finishedAt":"2020-01-01T00:00:00Z"}}}]}}'
    kubectl("patch", "pod", "p1", "--type=merge", "--subresource=status", "-p", ended)
    assert re.search(r" 3 \(\d+d ago\) ", kubectl("get", "pods")), kubectl("get", "pods")
    assert kubectl("get", "--raw", "/readyz") == "ok"
    assert 'pods "none" not found' in kubectl.refused("get", "pod", "none")
    assert "doesn't have a resource type" in kubectl.refused("get", "nonsense")


def pages_through_long_lists():
    kubectl = fresh("pages")
    docs = [json.loads(policy(f"p{i:02}")) for i in range(25)]
    kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": docs}))
    names = kubectl("get", "policies", "-o", "name", "--chunk-size=7").split()
    assert len(names) == len(set(names)) == 25, names
    assert len(kubectl("get", "policies", "--chunk-size=10").splitlines()) == 26


def describes():
    kubectl = fresh("describes")
    kubectl("create", "-f", "-", stdin=pod("p1"))
    kubectl("create", "-f", "-", stdin=policy("daily"))
    assert "Status:       Pending" in kubectl("describe", "pod", "p1")
    assert "Frequency:" in kubectl("describe", "policy", "daily")
    assert "Phase" in kubectl("describe", "ns", "describes") or "Status:" in kubectl("describe", "ns", "describes")


def applies_in_the_old_way():
    kubectl = fresh("applies-old")
    assert "created" in kubectl("apply", "-f", "-", stdin=policy("p", "@daily", keep="1", drop="1"))
    kubectl("label", "policy", "p", "mine=1")
    assert "configured" in kubectl("apply", "-f", "-", stdin=policy("p", "@weekly", keep="1"))
    now = json.loads(kubectl("get", "policy", "p", "-o", "json"))
    assert now["spec"]["frequency"] == "@weekly" and now["metadata"]["labels"] == {"keep": "1", "mine": "1"}, now
    assert "unchanged" in kubectl("apply", "-f", "-", stdin=policy("p", "@weekly", keep="1"))
    assert "server dry run" in kubectl("apply", "--dry-run=server", "-f", "-", stdin=policy("p", "@hourly"))
    assert kubectl("get", "policy", "p", "-o", "jsonpath={.spec.frequency}") == "@weekly"
    diff = kubectl.run("diff", "-f", "-", stdin=policy("p", "@hourly", keep="1"))
    assert diff.returncode == 1 and "+  frequency: '@hourly'" in diff.stdout, diff


def applies_on_the_server_and_meets_conflicts():
    kubectl = fresh("applies-new")
    assert "serverside-applied" in kubectl("apply", "--server-side", "-f", "-", stdin=policy("p", "@daily", drop="1"))
    kubectl("patch", "policy", "p", "--type=merge", "--field-manager=other", "-p", '{"spec":{"frequency":"@hourly"}}')
    why = kubectl.refused("apply", "--server-side", "-f", "-", stdin=policy("p", "@weekly"))
    assert 'conflict with "other"' in why and ".spec.frequency" in why, why
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=policy("p", "@weekly"))
    now = json.loads(kubectl("get", "policy", "p", "-o", "json"))
    assert now["spec"]["frequency"] == "@weekly" and "labels" not in now["metadata"], now
    # from the old way to the new one: nobody is in the way
    kubectl("apply", "-f", "-", stdin=policy("q"))
    moved = kubectl.run("apply", "--server-side", "-f", "-", stdin=policy("q", "@weekly"))
    assert moved.returncode == 0 and "rejected" not in moved.stderr, moved.stderr


def replaces_labels_annotates_and_patches():
    kubectl = fresh("changes")
    kubectl("create", "-f", "-", stdin=pod("p1"))
    kubectl("replace", "-f", "-", stdin=pod("p1", restartPolicy="Never"))
    kubectl("replace", "--force", "-f", "-", stdin=pod("p1"))
    assert kubectl("get", "pod", "p1", "-o", "jsonpath={.spec.restartPolicy}") == "Always"
    kubectl("label", "pod", "p1", "x=1")
    assert "--overwrite" in kubectl.refused("label", "pod", "p1", "x=2")
    kubectl("label", "pod", "p1", "x=2", "--overwrite")
    kubectl("annotate", "pods", "--all", "note=a b")
    kubectl("patch", "pod", "p1", "-p", '{"spec":{"containers":[{"name":"c","image":"y"}]}}')
    kubectl("patch", "pod", "p1", "--type=json", "-p", '[{"op":"test","path":"/spec/containers/0/image","value":"y"},{"op":"add","path":"/metadata/labels/z","value":"1"}]')
    kubectl("patch", "pod", "p1", "--type=merge", "--subresource=status", "-p", '{"status":{"phase":"Running"}}')
    now = json.loads(kubectl("get", "pod", "p1", "-o", "json"))
    assert now["metadata"]["labels"] == {"app": "a", "x": "2", "z": "1"} and now["metadata"]["annotations"]["note"] == "a b"
    assert now["status"]["phase"] == "Running" and now["spec"]["containers"] == [{"name": "c", "image": "y"}], now
    kubectl("label", "pod", "p1", "x-")
    assert "x" not in json.loads(kubectl("get", "pod", "p1", "-o", "json"))["metadata"]["labels"]
    kubectl("create", "-f", "-", stdin=policy("p"))
    assert "unknown format" in kubectl.refused("patch", "policy", "p", "--type=strategic", "-p", "{}")
    stale = json.loads(kubectl("get", "policy", "p", "-o", "json"))
    kubectl("annotate", "policy", "p", "a=b")
    assert "the object has been modified" in kubectl.refused("replace", "-f", "-", stdin=json.dumps(stale))


def deletes_by_name_label_file_and_all():
    kubectl = fresh("deletes")
    for name, label in (("a", "1"), ("b", "1"), ("c", "2"), ("d", "2"), ("e", "3")):
        kubectl("create", "-f", "-", stdin=policy(name, n=label))
    assert 'policy.config.kio.kasten.io "a" deleted' in kubectl("delete", "policy", "a")
    kubectl("delete", "policies", "-l", "n=1")
    assert kubectl("get", "policies", "-o", "name").split() == [f"policy.config.kio.kasten.io/{n}" for n in "cde"]
    kubectl("delete", "-f", "-", stdin=policy("c"))
    kubectl("delete", "policies", "--all", "--cascade=foreground")
    assert kubectl("get", "policies", "-o", "name") == ""
    assert "NotFound" in kubectl.refused("delete", "policy", "a")
    kubectl("delete", "policy", "a", "--ignore-not-found")


def waits_for_fields_and_deletions():
    kubectl = fresh("waits")
    kubectl("create", "-f", "-", stdin=pod("p1"))
    waiter = kubectl.start("wait", "pod/p1", "--for=jsonpath={.status.phase}=Running", "--timeout=20s")
    kubectl("patch", "pod", "p1", "--subresource=status", "-p", '{"status":{"phase":"Running"}}')
    assert waiter.wait(20) == 0 and "condition met" in said(waiter)
    waiter = kubectl.start("wait", "pod/p1", "--for=delete", "--timeout=20s")
    kubectl("delete", "pod", "p1")
    assert waiter.wait(20) == 0
    assert "timed out" in kubectl.refused("wait", "crd/blueprints.cr.kanister.io", "--for=condition=Nonsense", "--timeout=1s")


def watches():
    kubectl = fresh("watches")
    watcher = kubectl.start("get", "policies", "-w", "-o", "name")
    events = kubectl.start("get", "policies", "-w", "--output-watch-events")
    kubectl("create", "-f", "-", stdin=policy("p"))
    tap.eventually(lambda: "policy.config.kio.kasten.io/p" in said(watcher), 10, "a line of the watch")
    kubectl("annotate", "policy", "p", "a=b")
    kubectl("delete", "policy", "p")
    tap.eventually(lambda: "DELETED" in said(events), 10, "the deletion")
    assert [line.split()[0] for line in said(events).splitlines()] == ["EVENT", "ADDED", "MODIFIED", "DELETED"], said(events)
    watcher.kill(), events.kill()


class Log:
    """What a kubelet writes."""

    def __init__(self, kubectl, namespace, name, container="c"):
        uid = kubectl("get", "pod", name, "-o", "jsonpath={.metadata.uid}")
        self.dir = os.path.join(server.dir, "pods", f"{namespace}_{name}_{uid}")
        self.path = os.path.join(self.dir, f"{container}.log")
        os.makedirs(self.dir)

    def write(self, *texts):
        with open(self.path, "a", encoding="utf-8") as f:
            for text in texts:
                f.write(f"2026-11-28T07:00:00.123456789Z stdout {text}\n")


def shows_logs():
    kubectl = fresh("logs")
    kubectl("create", "-f", "-", stdin=pod("p1"))
    assert "waiting to start" in kubectl.refused("logs", "p1")
    log = Log(kubectl, "logs", "p1")
    log.write("one", "two", "", "four words and more")
    assert kubectl("logs", "p1") == "one\ntwo\n\nfour words and more\n"
    assert kubectl("logs", "p1", "-c", "c", "--tail=1") == "four words and more\n"
    assert kubectl("logs", "p1", "--timestamps", "--tail=1").startswith("2026-11-28T07:00:00.123456789Z four")
    assert kubectl("logs", "p1", "--since-time=2026-11-28T08:00:00Z") == ""
    assert kubectl("logs", "-l", "app=a", "--tail=1") == "four words and more\n"
    assert "not valid for pod" in kubectl.refused("logs", "p1", "-c", "x")
    os.rename(log.path, os.path.join(log.dir, "c.previous.log"))
    log.write("again")
    assert kubectl("logs", "p1") == "again\n" and kubectl("logs", "p1", "--previous", "--tail=4").startswith("one\n")


def follows_logs_through_restart_and_rotation():
    kubectl = fresh("follows")
    kubectl("create", "-f", "-", stdin=pod("p1"))
    log = Log(kubectl, "follows", "p1")
    log.write("first")
    kubectl("patch", "pod", "p1", "--subresource=status", "-p", '{"status":{"phase":"Running","containerStatuses":[{"name":"c","state":{"running":{}}}]}}')
    follower = kubectl.start("logs", "-f", "p1")
    tap.eventually(lambda: said(follower) == "first\n", 10, "what was there")
    log.write("second")
    tap.eventually(lambda: said(follower) == "first\nsecond\n", 5, "the next line")
    log.write("last of this file")
    os.rename(log.path, log.path + ".rotated")
    log.write("third")
    tap.eventually(lambda: said(follower).endswith("second\nlast of this file\nthird\n"), 5, "the rotated file and the new one")
    kubectl("patch", "pod", "p1", "--subresource=status", "-p", '{"status":{"containerStatuses":[{"name":"c","state":{"terminated":{"exitCode":1}}}]}}')
    os.rename(log.path, os.path.join(log.dir, "c.previous.log"))
    log.write("fourth")
    kubectl("patch", "pod", "p1", "--subresource=status", "-p", '{"status":{"containerStatuses":[{"name":"c","state":{"running":{}}}]}}')
    log.write("fifth")
    tap.eventually(lambda: said(follower).endswith("third\nfourth\nfifth\n"), 5, "the restarted container's lines")
    log.write("sixth")
    kubectl("patch", "pod", "p1", "--subresource=status", "-p", '{"status":{"phase":"Failed"}}')
    assert follower.wait(5) == 0 and said(follower).endswith("fifth\nsixth\n"), said(follower)


def ends_following_when_the_pod_is_gone():
    kubectl = fresh("gone")
    kubectl("create", "-f", "-", stdin=pod("p1"))
    Log(kubectl, "gone", "p1").write("line")
    follower = kubectl.start("logs", "-f", "p1")
    tap.eventually(lambda: said(follower) == "line\n", 10, "the line")
    kubectl("delete", "pod", "p1")
    assert follower.wait(5) == 0


def terminates_a_namespace_with_all_in_it():
    kubectl = fresh("ends")
    kubectl("create", "-f", "-", stdin=pod("p1"))
    kubectl("create", "-f", "-", stdin=policy("p"))
    held = json.loads(policy("held"))
    held["metadata"]["finalizers"] = ["example.org/hold"]
    kubectl("create", "-f", "-", stdin=json.dumps(held))
    why = kubectl.refused("delete", "ns", "ends", "--timeout=2s")
    assert "timed out" in why, why
    status = json.loads(kubectl("get", "ns", "ends", "-o", "json"))["status"]
    assert status["phase"] == "Terminating", status
    assert "because it is being terminated" in kubectl.refused("create", "-f", "-", stdin=policy("late"))
    kubectl("patch", "policy", "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    kubectl("wait", "--for=delete", "ns/ends", "--timeout=20s")


def refuses_a_bad_token():
    kubectl = Home()
    path = own_config(kubectl)
    kubectl("config", "set-credentials", "admin", "--token=wrong", f"--kubeconfig={path}")
    assert "must be logged in" in kubectl.refused("get", "ns")
    assert "must be logged in" in kubectl.refused("create", "ns", "never")


def is_said_to_be_well():
    kubectl = Home()
    assert "psmdb-sandbox" in kubectl("version")
    assert "is running at" in kubectl("cluster-info")


if __name__ == "__main__":
    if len(sys.argv) > 1:  # one test alone
        Home()("apply", "-f", CRDS)
    sys.exit(tap.run([applies_the_custom_kinds_and_waits_for_them, lists_kinds_with_short_names, makes_namespaces_secrets_and_config_maps,
                      gets_in_every_form, pages_through_long_lists, describes, applies_in_the_old_way, applies_on_the_server_and_meets_conflicts,
                      replaces_labels_annotates_and_patches, deletes_by_name_label_file_and_all, waits_for_fields_and_deletions, watches,
                      shows_logs, follows_logs_through_restart_and_rotation, ends_following_when_the_pod_is_gone,
                      terminates_a_namespace_with_all_in_it, refuses_a_bad_token, is_said_to_be_well], sys.argv[1] if len(sys.argv) > 1 else None))
