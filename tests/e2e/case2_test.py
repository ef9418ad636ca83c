"""Case 2: the namespace is lost with everything in it, or the database goes to another cluster.

    case2_test.py same | bucket | elsewhere | mixed | trap | drift

mixed: elsewhere, from a cluster with the real API server into one with the embedded one.
"""
import json
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time

import harness
from cluster import KASTEN, NAMESPACE, Cluster, kube, verdict
from harness import DRILL, ERROR, FAIL, INTERRUPTED, PASS, SOURCE, USAGE, VERIFY, Tap, reasons, run

tap = Tap()
SHORT = ("--set", "before=5s", "--set", "after=3s", "--confirm-destroy", NAMESPACE)


def bundle(cluster):
    return ("--operator", cluster.dir / "bundle.yaml")


def listing(cluster):
    """Key -> bytes, of what PBM writes."""
    rows = (line.split(maxsplit=1) for line in cluster.parts("s3", "ls").stdout.splitlines())
    return {key: size for size, key in rows if not key.endswith(".pbm.init")}


def receive_string(cluster):
    actions = cluster.api.get(kube.kasten("config", "policies", KASTEN, "mongo-drill"))["spec"]["actions"]
    return next(a["exportParameters"]["receiveString"] for a in actions if a["action"] == "export")


def made(cluster):
    """What there is, by uid; pods come and go by themselves."""
    return {name: uid for name, (uid, _) in cluster.everything().items() if "/pods " not in name}


def judged_exactly(run_dir, done):
    assert done.returncode == PASS, done.stdout + done.stderr
    v = verdict(run_dir)
    counts = {name: int(n) for name, n in v["counts"].items()}
    assert v["result"] == "PASS" and counts["ok"] > 5 and counts["expected_loss"] > 3, v["counts"]
    assert all(counts[name] == 0 for name in ("lost", "late", "corrupted", "duplicated", "unexpected", "resurrected", "at_bound")), v["counts"]
    assert set(reasons(v)) <= {"ENVIRONMENT", "OPEN_JOURNAL", "FOREIGN", "PAUSED"}, v["reasons"]


def unchanged(before, cluster):
    after = listing(cluster)
    assert len(before) > 5 and {k: after.get(k) for k in before} == before, {k: (v, after.get(k)) for k, v in before.items() if after.get(k) != v}


def no_secret(cluster, run_dir, secret):
    for path in pathlib.Path(run_dir).rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def own_scenario(path, name, change):
    """A copy of case-2 beside the manifests that it names."""
    if not (path / "manifests").exists():
        (path / "manifests").symlink_to(SOURCE / "manifests")
    text = change((SOURCE / "scenarios/case-2.yaml").read_text().replace("../manifests/", "manifests/"))
    (path / name).write_text(text)
    return path / name


def same(path):
    paused = own_scenario(path, "paused.yaml", lambda text: text.replace("- recreate-namespace", "- pause: {for: 5s}\n- recreate-namespace"))
    with Cluster(path / "sandbox") as cluster:
        run_dir = path / "run"
        child = cluster.start_drill(run_dir, *SHORT, *bundle(cluster), scenario=paused)
        output = pathlib.Path(f"{run_dir}.out")
        with tap.check("Ctrl-C while the namespace is deleted: at once, and how to go on"):
            harness.wait_until(lambda: "the disaster: delete namespace" in output.read_text(), 120, "the disaster")
            before = listing(cluster)
            time.sleep(1)
            child.send_signal(signal.SIGINT)
            assert child.wait(10) == INTERRUPTED, output.read_text()
            assert "the disaster has begun" in output.read_text() and f"--resume {run_dir}" in output.read_text(), output.read_text()
        with tap.check("and while it is gone"):
            child = subprocess.Popen([str(a) for a in (DRILL, "run", "--resume", run_dir, "--kubeconfig", cluster.kubeconfig, "--confirm-destroy", NAMESPACE)],
                                     stdin=subprocess.DEVNULL, stdout=output.open("wb"), stderr=subprocess.STDOUT)
            harness.wait_until(lambda: "pause" in output.read_text(), 60, "the pause")
            child.send_signal(signal.SIGINT)
            assert child.wait(10) == INTERRUPTED and not cluster.api.there(f"/api/v1/namespaces/{NAMESPACE}"), output.read_text()
        with tap.check("taken up again: namespace, operator, secrets, psmdb and data come back: PASS, with exact classes, under 4 minutes"):
            began = time.monotonic()
            done = cluster.resume(run_dir, "--confirm-destroy", NAMESPACE)
            judged_exactly(run_dir, done)
            assert time.monotonic() - began < 240
        with tap.check("the bucket is as it was, and the listing says so"):
            unchanged(before, cluster)
            assert "files of the backup since it was pinned" not in done.stdout
        with tap.check("the namespace has its labels again, and the psmdb its blueprint, so that backups go on"):
            assert cluster.api.get(f"/api/v1/namespaces/{NAMESPACE}")["metadata"]["labels"]["psmdb-drill/allow-disaster"] == "true"
            assert cluster.psmdb()["metadata"]["annotations"]["kanister.kasten.io/blueprint"] == "psmdb-bp"
        with tap.check("the receive string is in no file of the run"):
            no_secret(cluster, run_dir, receive_string(cluster))
        with tap.check("the imported restore point was restored from, and the report tells how long each part took"):
            content, = (o["name"] for o in json.loads((run_dir / "state.json").read_text())["objects"] if o["plural"] == "restorepointcontents")
            assert "imported" in content, content
            phases = {p["name"]: int(p["toMs"]) - int(p["fromMs"]) for p in verdict(run_dir)["rto"]["phases"]}
            assert phases["cluster ready"] > 1000 and phases["restore finished"] > 1000, phases
        with tap.check("a clean-up leaves what came back, its operator included"):
            done = run(DRILL, "cleanup", run_dir, "--kubeconfig", cluster.kubeconfig, check=0)
            assert "deployments" not in done.stdout and cluster.psmdb()["status"]["state"] == "ready", done.stdout
            assert [p["metadata"]["name"] for p in cluster.api.items(kube.kasten("config", "policies"))] == ["mongo-drill"]


def bucket(path):
    with Cluster(path / "sandbox") as cluster:
        with tap.check("the destination from a listing of the bucket: PASS, with exact classes"):
            done = cluster.drill(path / "run", *SHORT, *bundle(cluster), "--set", "destination-from=bucket", scenario="case-2")
            judged_exactly(path / "run", done)
            assert "from a listing of the bucket" in done.stdout
        with tap.check("without the operator's manifest nothing is begun"):
            before = made(cluster)
            done = cluster.drill(path / "none", *SHORT, scenario="case-2")
            assert done.returncode == USAGE and "--operator FILE" in done.stderr, done.stdout + done.stderr
            assert made(cluster) == before, set(before.items()) ^ set(made(cluster).items())


def elsewhere(path, servers=(harness.APISERVER, harness.APISERVER)):
    with Cluster(path / "a", servers[0]) as a:
        b = Cluster(path / "b", servers[1])
        b.up("--bare", "--bucket-of", a.dir)
        there = ("--to-kubeconfig", b.kubeconfig, *bundle(a))

        def refused(text, words, *args):
            with tap.check(text):
                before = made(a)
                done = a.drill(path / f"no-{tap.count}", *SHORT, *args, scenario="case-2")
                assert done.returncode == ERROR and all(w in done.stderr for w in words), (done.returncode, done.stdout + done.stderr)
                assert made(a) == before

        try:
            refused("the other cluster's namespace has locks of its own", ["the cluster to restore into", f'"{NAMESPACE}"'], *there)
            b.api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
            refused("its label is asked for", ["the cluster to restore into", "psmdb-drill/allow-disaster"], *there)
            b.api.merge(f"/api/v1/namespaces/{NAMESPACE}", {"metadata": {"labels": {"psmdb-drill/allow-disaster": "true"}}})
            refused("custom kinds are made there only with a flag", ["--allow-cluster-changes"], *there)
            with tap.check("the cluster itself is no other cluster"):
                done = a.drill(path / "self", *SHORT, "--to-kubeconfig", a.kubeconfig, *bundle(a), scenario="case-2")
                assert done.returncode == 2 and "the very one" in done.stderr and not (path / "self").exists(), (done.returncode, done.stderr)
            all_there = (*there, "--allow-cluster-changes")
            profile = kube.kasten("config", "profiles", KASTEN, "s3-profile")
            kept = b.api.get(profile)
            b.api.merge(profile, {"spec": {"locationSpec": {"objectStore": {"name": "another"}}}})
            refused("a profile there that leads to another bucket is refused before the run", ["leads to bucket \"another\"", "check-target"], *all_there)
            b.api.delete(profile)
            refused("and none at all", ["has no profile \"kasten-io/s3-profile\"", "manifests/profile.yaml"], *all_there)
            b.api.create(kube.kasten("config", "profiles", KASTEN), {k: kept[k] for k in ("apiVersion", "kind", "spec")} | {"metadata": {"name": "s3-profile"}})
            harness.wait_until(lambda: b.api.get(profile)["status"]["validation"] == "Success", 20, "the profile to be validated")
            role = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles/percona-server-mongodb-operator"
            b.api.call("PATCH", f"{role}?fieldManager=helm", {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": role.rsplit("/", 1)[1]},
                       "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}, kind="application/apply-patch+yaml")
            refused("a part of the operator that another manager owns is met before the run, with the way out",
                    ["would refuse the operator's manifest", "OPERATOR_CONFLICT", "\"helm\"", "--force-conflicts"], *all_there)
            b.api.delete(role)
            uid = a.psmdb()["metadata"]["uid"]
            with tap.check("restored into another cluster: PASS, with exact classes, under 4 minutes"):
                began = time.monotonic()
                done = a.drill(path / "run", *SHORT, *there, "--allow-cluster-changes", scenario="case-2")
                judged_exactly(path / "run", done)
                assert time.monotonic() - began < 240
            with tap.check("the first cluster is as it was, the backup's files too"):
                assert a.psmdb()["metadata"]["uid"] == uid and a.psmdb()["status"]["state"] == "ready"
                rechecks = [line for line in (path / "run/timeline.jsonl").read_text().splitlines() if '"name":"bucket.recheck"' in line]
                assert len(rechecks) == 1 and re.search(r'"missing":"?0"?,"changed":"?0"?', rechecks[0]), rechecks
            with tap.check("both clocks were compared with the drill's, and the RTO carries the error"):
                clocks = [json.loads(line) for line in (path / "run/timeline.jsonl").read_text().splitlines() if '"name":"clock' in line]
                assert [c["name"] for c in clocks] == ["clock", "clock.target", "clock.target"], clocks
                assert all(abs(int(c["data"]["offset_ms"])) <= int(c["data"]["error_ms"]) < 500 for c in clocks), clocks
                assert verdict(path / "run")["rto"]["errorMs"] >= int(clocks[-1]["data"]["error_ms"]), verdict(path / "run")["rto"]
            with tap.check("the psmdb there backs up nothing by itself, and erases nothing when it goes"):
                spec = b.psmdb()
                assert not spec["metadata"].get("finalizers") and not spec["spec"]["backup"].get("tasks"), spec["metadata"]
                assert not spec["spec"]["backup"]["pitr"]["enabled"]
            refused("a database that is there is not overwritten", ["has psmdb", "empty namespace"], *there, "--allow-cluster-changes")
            with tap.check("a clean-up asks for both clusters"):
                done = run(DRILL, "cleanup", path / "run", "--kubeconfig", a.kubeconfig)
                assert done.returncode != 0 and "--to-context" in done.stderr, done.stderr
                run(DRILL, "cleanup", path / "run", "--kubeconfig", a.kubeconfig, "--to-kubeconfig", b.kubeconfig, check=0)
                assert b.psmdb()["status"]["state"] == "ready" and not b.api.items(kube.psmdb(kind="perconaservermongodbrestores"))
        finally:
            b.__exit__()


def mixed(path):
    elsewhere(path, ("real", "embedded"))


def trap(path):
    """Finalizer delete-backup: deleted with its namespace, the backup takes its files along."""
    careless = own_scenario(path, "careless.yaml", lambda text: text.replace("- release-backups: {}\n", ""))
    with Cluster(path / "sandbox") as cluster:
        run_dir = path / "run"
        with tap.check("the namespace is not deleted while that would erase the backup: refused in advance, with finalizer and way out"):
            done = cluster.drill(run_dir, *SHORT, *bundle(cluster), scenario=careless)
            assert done.returncode == ERROR, done.stdout + done.stderr
            for word in ("refused: ", "delete-backup", "erases the backup in the bucket", "release-backups"):
                assert word in done.stderr, (word, done.stderr)
            assert cluster.psmdb()["status"]["state"] == "ready"
        # a namespace's end deletes it like this, and whether its operator is still there to see it is a race
        with tap.check("deleted all the same, the data are really gone"):
            backup, = cluster.api.items(kube.psmdb(kind="perconaservermongodbbackups"))
            assert len(listing(cluster)) > 10
            cluster.api.delete(kube.psmdb(kind="perconaservermongodbbackups", name=backup["metadata"]["name"]))
            harness.wait_until(lambda: not listing(cluster), 90, "the backup's files to be erased")
        with tap.check("the pinned list tells which files are missing"):
            values = dict(line.removeprefix("export ").split("=", 1) for line in cluster.parts("env").stdout.splitlines())
            access, secret, endpoint = (shlex.split(values[f"S3_{name}"])[0] for name in ("ACCESS_KEY_FILE", "SECRET_KEY_FILE", "ENDPOINT"))
            done = run(VERIFY, "bound", "--endpoint", endpoint, "--region", "us-east-1", "--bucket", "drill", "--prefix", "pbm",
                       "--access-key-file", access, "--secret-key-file", secret, "--recheck", run_dir / "bound.json")
            assert done.returncode == FAIL and "missing" in done.stdout + done.stderr, (done.returncode, done.stdout + done.stderr)


def drift(path):
    """The psmdb comes back without the Secret of its users: the operator makes new passwords, the backup brings the old ones."""
    (path / "manifests").mkdir()
    for file in (SOURCE / "manifests").glob("*.yaml"):
        (path / "manifests" / file.name).write_text(file.read_text().replace("    - --logins\n", "    - --wait\n    - 5s\n    - --logins\n"))
    drifting = own_scenario(path, "drift.yaml", lambda text: text.replace(", '${users-secret}']", "]").replace("timeout: 5m", "timeout: 15s"))
    with Cluster(path / "sandbox") as cluster:
        done = cluster.drill(path / "run", *SHORT, *bundle(cluster), scenario=drifting)
        with tap.check("users who cannot log in are a FAIL, though psmdb-restore says ready"):
            assert done.returncode == FAIL, done.stdout + done.stderr
            assert "says: ready" in done.stdout and "LOGIN_DRIFT" in done.stdout, done.stdout
        v = verdict(path / "run")
        with tap.check("each user is named, with whether it can log in"):
            logins = {login["user"]: login["ok"] for login in v["logins"]}
            assert logins == {"backup": True, "clusterAdmin": False, "clusterMonitor": False, "databaseAdmin": False, "userAdmin": False}, logins
            message = next(r["message"] for r in v["reasons"] if r["code"] == "LOGIN_DRIFT")
            assert "4 of 5" in message and all(f'"{user}"' in message for user, ok in logins.items() if not ok), message
        with tap.check("and the data are judged all the same: nothing is lost"):
            assert int(v["counts"]["ok"]) > 5 and int(v["counts"]["lost"]) == 0, v["counts"]


def main():
    with harness.workspace("case2") as path:
        {"same": same, "bucket": bucket, "elsewhere": elsewhere, "mixed": mixed, "trap": trap, "drift": drift}[sys.argv[1]](path)
    tap.done()


main()
