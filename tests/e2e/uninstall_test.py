"""An installation goes, and the drill proves that nothing of it is left; what others use stays, and what is not named.

    uninstall_test.py
"""
import json
import pathlib
import re
import shlex

import harness
from cluster import CLUSTER, KASTEN, NAMESPACE, Cluster, kube, verdict
from harness import ERROR, FAIL, PASS, SOURCE, USAGE, Tap, reasons

tap = Tap()
POLICIES = kube.kasten("config", "policies", KASTEN)
VOLUMES = "/api/v1/persistentvolumes"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"


def base(cluster, *more):
    return ("--confirm-destroy", NAMESPACE, "--operator", cluster.dir / "bundle.yaml", *more)


def named(done):
    """What a refusal wants to have named, as it says it."""
    lines = re.findall(r"^  (--confirm-delete .*)$", done.stderr, re.M)
    return [word for line in lines for word in shlex.split(line.removesuffix(" \\"))]


def everything(api):
    """Every object of every kind, but what Kubernetes tells of the past, and the sandbox's note of what it has set up."""
    found = set()
    for version in ["/api/v1"] + [f"/apis/{g['preferredVersion']['groupVersion']}" for g in api.get("/apis")["groups"]]:
        for r in api.get(version)["resources"]:
            if "list" in r["verbs"] and "/" not in r["name"] and r["name"] != "events":
                found |= {f"{r['name']} {o['metadata'].get('namespace', '')}/{o['metadata']['name']}" for o in api.items(f"{version}/{r['name']}")}
    return {name for name in found if not name.startswith(f"configmaps {KASTEN}/sandbox-installed")}


def listing(cluster):
    rows = (line.split(maxsplit=1) for line in cluster.parts("s3", "ls").stdout.splitlines())
    return {key: size for size, key in rows if key.startswith("pbm/") and not key.endswith(".pbm.init")}


def backed_up(cluster):
    """By the policy, as manifests/run-once.yaml does."""
    run = {"apiVersion": "actions.kio.kasten.io/v1alpha1", "kind": "RunAction", "metadata": {"name": "by-hand"},
           "spec": {"subject": {"apiVersion": "config.kio.kasten.io/v1alpha1", "kind": "Policy", "name": "mongo-drill", "namespace": KASTEN}}}
    path = kube.kasten("actions", "runactions", KASTEN)
    cluster.api.create(path, run)
    harness.wait_until(lambda: cluster.api.get(f"{path}/by-hand")["status"]["state"] == "Complete", 90, "the policy's run")
    contents = cluster.api.items("/apis/apps.kio.kasten.io/v1alpha1/restorepointcontents")
    assert len(contents) == 2, contents


def bare_objects(path):
    """What a cluster has that has Kasten alone: the target of every uninstallation."""
    with_kasten = Cluster(path / "bare")
    try:
        with_kasten.up("--bare")
        for name in ("blueprints.cr.kanister.io/psmdb-bp", "profiles.config.kio.kasten.io/s3-profile"):
            plural, _, rest = name.partition(".")
            group, _, name = rest.partition("/")
            with_kasten.api.delete(f"/apis/{group}/v1alpha1/namespaces/{KASTEN}/{plural}/{name}")
        with_kasten.api.delete(f"/api/v1/namespaces/{KASTEN}/secrets/k10-s3-secret")
        return everything(with_kasten.api)
    finally:
        with_kasten.__exit__()


def refused(cluster, path, text, words, *args, status=ERROR):
    with tap.check(text):
        before = everything(cluster.api)
        done = cluster.drill(path / f"no-{tap.count}", *args, scenario="uninstall", timeout=60)
        assert done.returncode == status, (done.returncode, done.stdout + done.stderr)
        for word in words:
            assert word in done.stderr, (word, done.stderr)
        assert everything(cluster.api) == before and not (path / f"no-{tap.count - 1}").exists()
        return done


def refusals(cluster, path):
    """Each is looked at before anything is deleted."""
    refused(cluster, path, "without --confirm-destroy nothing is deleted", ["--confirm-destroy"], "--operator", cluster.dir / "bundle.yaml")
    refused(cluster, path, "without the operator's manifest nothing is begun", ["--operator FILE"], "--confirm-destroy", NAMESPACE, status=USAGE)
    refused(cluster, path, "what is named must be KIND/NAME", ["is not KIND/NAME"], *base(cluster, "--confirm-delete", "psmdb-bp"), status=USAGE)
    done = refused(cluster, path, "what lies outside of the namespace must be named, and the refusal says it all, ready to be given", ["10 are not"], *base(cluster))
    wanted = named(done)
    assert [w.split(".")[0].split("/")[0] for w in wanted[1::2]] == ["policies", "policies", "restorepointcontents", "blueprints", "profiles", "secrets", "secrets",
                                                                     *["customresourcedefinitions"] * 3], wanted
    refused(cluster, path, "all but one is not enough", ["1 is not", "--confirm-delete policies.config.kio.kasten.io/mongo-drill"], *base(cluster, *wanted[2:]))
    cluster.api.create(POLICIES, {"apiVersion": "config.kio.kasten.io/v1alpha1", "kind": "Policy", "metadata": {"name": "theirs"},
                                  "spec": {"frequency": "@onDemand", "selector": {"matchLabels": {"k10.kasten.io/appNamespace": "others"}},
                                           "actions": [{"action": "backup", "backupParameters": {"profile": {"name": "s3-profile", "namespace": KASTEN}}}]}})
    refused(cluster, path, "a profile that another policy uses is not deleted, though it is named", ['Profile "s3-profile" is used by Policy "kasten-io/theirs"'], *base(cluster, *wanted))
    refused(cluster, path, "nor is it when every policy is named, since no step deletes that one", ['Profile "s3-profile" is used by Policy "kasten-io/theirs"'],
            *base(cluster, *wanted, "--confirm-delete", "policies.config.kio.kasten.io/*"))
    cluster.api.delete(f"{POLICIES}/theirs")
    cluster.api.create("/api/v1/namespaces", {"metadata": {"name": "others"}})
    other = {**cluster.psmdb(), "status": None, "metadata": {"name": CLUSTER}}
    cluster.api.create(kube.psmdb(namespace="others"), other)
    refused(cluster, path, "custom kinds stay while another team has a psmdb", [f'is used by PerconaServerMongoDB "others/{CLUSTER}"'], *base(cluster, *wanted))
    cluster.api.delete(kube.psmdb(namespace="others", name=CLUSTER))
    cluster.api.delete("/api/v1/namespaces/others")
    harness.wait_until(lambda: not cluster.api.there("/api/v1/namespaces/others"), 30, "the other namespace to go")
    return wanted


def removed(cluster, path, wanted, bare):
    run_dir = path / "run"
    files = listing(cluster)
    assert len(files) > 5, files
    cluster.api.create(VOLUMES, {"metadata": {"name": "kept-by-hand"}, "spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": "/nowhere"},
        "claimRef": {"namespace": NAMESPACE, "name": "old"}}})
    cluster.api.create(BINDINGS, {"metadata": {"name": "left"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
                                  "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": NAMESPACE}]})
    cluster.api.create(POLICIES, {"apiVersion": "config.kio.kasten.io/v1alpha1", "kind": "Policy", "metadata": {"name": "of-another-name"},
                                  "spec": {"frequency": "@onDemand", "selector": {"matchLabels": {"k10.kasten.io/appNamespace": NAMESPACE}}, "actions": [{"action": "backup"}]}})
    with tap.check("something is left: FAIL, named, with what to do; a kind that went with the operator is not"):
        own = path / "uninstall.yaml"
        own.write_text((SOURCE / "scenarios/uninstall.yaml").read_text().replace("prove-removed: {}", "prove-removed: {timeout: 3s}").replace(
            "- release-backups: {}", "- release-backups: {}\n- delete: {kind: psmdb-backup, all: true}"))
        done = cluster.drill(run_dir, *base(cluster, *wanted), scenario=own)
        assert done.returncode == FAIL and "PersistentVolume kept-by-hand" in done.stdout, done.stdout + done.stderr
        v = verdict(run_dir)
        assert v["result"] == "FAIL" and v["removal"]["left"] == "3" and reasons(v) == ["LEFT_BEHIND", "BACKUPS_KEPT"], v
        for left in ("ClusterRoleBinding left", f"Policy {KASTEN}/of-another-name", "PersistentVolume kept-by-hand"):
            assert left in v["reasons"][0]["message"], v["reasons"]
    with tap.check("the same run looks again when it is gone: PASS"):
        for left in (f"{VOLUMES}/kept-by-hand", f"{BINDINGS}/left", f"{POLICIES}/of-another-name"):
            cluster.api.delete(left)
        done = cluster.resume(run_dir, "--confirm-destroy", NAMESPACE)
        assert done.returncode == PASS, done.stdout + done.stderr
        v = verdict(run_dir)
        assert v["result"] == "PASS" and int(v["removal"]["kinds"]) > 20 and v["removal"]["kindsUnread"] == "0", v
        assert harness.failing_junit(run_dir) == (0, 0)
    with tap.check("no object of it is in the API, no process runs, no volume is there"):
        now = everything(cluster.api)
        assert now == bare, now ^ bare
        names = {pathlib.Path(f"/proc/{pid}/comm").read_text().strip() for pid in harness.processes_of(cluster.dir)}
        assert not names & {"mongod", "pbm-agent", "psmdb-ticker"}, names
        assert not list((cluster.dir / "volumes").iterdir())
    with tap.check("the backups are in the bucket as they were, and the report says where"):
        assert listing(cluster) == files
        place = next(r["message"] for r in v["reasons"] if r["code"] == "BACKUPS_KEPT")
        assert any(key.startswith(place.removeprefix("s3://drill/")) for key in files), (place, files)
    with tap.check("resumed once more it does nothing, and says the same"):
        done = cluster.resume(run_dir, "--confirm-destroy", NAMESPACE)
        assert done.returncode == PASS and "looking" not in done.stdout, done.stdout + done.stderr
    with tap.check("no secret is in a file of the run"):
        values = [v.encode() for v in harness.secrets_in(cluster.dir).values() if len(v) > 7]
        for file in run_dir.rglob("*"):
            assert not file.is_file() or not any(v in file.read_bytes() for v in values), file
    with tap.check("each deletion stands in the timeline"):
        events = [json.loads(line) for line in (run_dir / "timeline.jsonl").read_text().splitlines()]
        deleted = [e["data"]["object"] for e in events if e.get("name") == "x-deleted"]
        assert f"{NAMESPACE}/{CLUSTER}" in deleted and f"{KASTEN}/mongo-drill" in deleted and "perconaservermongodbs.psmdb.percona.com" in deleted, deleted


def main():
    with harness.workspace("uninstall") as path:
        bare = bare_objects(path)
        with Cluster(path / "sandbox") as cluster:
            backed_up(cluster)
            cluster.api.create(POLICIES, {"apiVersion": "config.kio.kasten.io/v1alpha1", "kind": "Policy", "metadata": {"name": "mongo-drill-import"},
                                          "spec": {"frequency": "@onDemand", "actions": [{"action": "import", "importParameters": {
                                              "profile": {"name": "s3-profile", "namespace": KASTEN}, "receiveString": "of another cluster"}}]}})
            wanted = refusals(cluster, path)
            removed(cluster, path, wanted, bare)
    tap.done()


main()
