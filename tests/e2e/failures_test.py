"""Failures that a drill must name instead of timing out: the object, the cause, what to do. One sandbox each group; each failure is mended for the next.

    failures_test.py before | during | after
"""
import base64
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import harness
from cluster import CLUSTER, KASTEN, NAMESPACE, Cluster, kube, verdict
from harness import ERROR, FAIL, PASS, Tap, reasons, run

tap = Tap()
SHORT = ("--set", "before=1s", "--set", "after=1s", "--set", "rate=10")
YES = ("--confirm-destroy", NAMESPACE)
POLICIES, PROFILES = kube.kasten("config", "policies"), kube.kasten("config", "profiles")
PSMDB = kube.psmdb(name=CLUSTER)
SHIPPED = (harness.SOURCE / "scenarios/case-1.yaml").read_text()


def scenario(path, name, change):
    """A scenario of the test's own beside copies of the manifests: files are read below a scenario's own folder."""
    folder = path / "scenarios"
    (folder / "manifests").mkdir(parents=True, exist_ok=True)
    for manifest in ("shard.yaml", "ticker.yaml", "verifier.yaml"):
        (folder / "manifests" / manifest).write_bytes((harness.SOURCE / "manifests" / manifest).read_bytes())
    text = SHIPPED.replace("scenario: case-1", f"scenario: {name}").replace("../manifests/", "manifests/")
    changed = change(text)
    assert changed != text, name
    file = folder / f"{name}.yaml"
    file.write_text(changed)
    return file


def says(done, *words):
    for word in words:
        assert word in done.stdout + done.stderr, f"{word!r} is not said:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def named(cluster, run_dir, words, *args, status=ERROR, limit=90, file="case-1", began=True):
    start = time.monotonic()
    done = cluster.drill(run_dir, *YES, *SHORT, *args, scenario=file, timeout=240)
    took = time.monotonic() - start
    assert done.returncode == status, (done.returncode, done.stdout[-3000:], done.stderr[-3000:])
    says(done, *words)
    assert took < limit, took
    if began and status == ERROR:
        assert verdict(run_dir)["result"] == "ERROR", verdict(run_dir)["result"]
        assert (pathlib.Path(run_dir) / "junit.xml").exists()
    return done


def pods_gone(cluster, run_dir):
    run(harness.DRILL, "cleanup", run_dir, "--kubeconfig", cluster.kubeconfig, check=0)
    harness.wait_until(lambda: not cluster.api.there(kube.core("pods", name="ticker")), 30, "no ticker")


def clean(cluster, run_dir):
    pods_gone(cluster, run_dir)
    # Kasten tries a failed backup again, whoever has given up
    final = ("Complete", "Failed", "Skipped", "Cancelled")
    harness.wait_until(lambda: all(a.get("status", {}).get("state") in final for a in cluster.api.items(kube.kasten("actions", "backupactions", NAMESPACE))), 120,
                       "Kasten's attempts to end")


@contextlib.contextmanager
def changed(cluster, path, patch, back):
    cluster.api.merge(path, patch)
    try:
        yield
    finally:
        cluster.api.merge(path, back)


def validation(cluster, path, value):
    harness.wait_until(lambda: cluster.api.get(path).get("status", {}).get("validation") == value, 20, f"{path} {value}")


# --- before anything is destroyed: looked at first --------------------------------------------------------------------------------------------


def before(cluster, path):
    with tap.check("a policy that Kasten has not validated is named, with its reason"):
        policy = cluster.api.get(f"{POLICIES}/mongo-drill")
        bad = {"apiVersion": policy["apiVersion"], "kind": "Policy", "metadata": {"name": "bad"}, "spec": json.loads(json.dumps(policy["spec"]))}
        bad["spec"]["actions"][0]["backupParameters"]["profile"]["name"] = "no-such-profile"
        cluster.api.create(POLICIES, bad)
        validation(cluster, f"{POLICIES}/bad", "Failed")
        named(cluster, path / "policy", ["Kasten has not validated Policy \"kasten-io/bad\"", "POLICY_INVALID"], "--set", "policy=bad", limit=10, began=False)
        cluster.api.delete(f"{POLICIES}/bad")
    with tap.check("a policy that is not there is named"):
        named(cluster, path / "no-policy", ["policy \"kasten-io/nothing\"", "not found", "manifests/policy.yaml"], "--set", "policy=nothing", limit=10, began=False)
    with tap.check("a profile that is missing is named"):
        profile = cluster.api.get(f"{PROFILES}/s3-profile")
        cluster.api.delete(f"{PROFILES}/s3-profile")
        named(cluster, path / "profile", ["s3-profile"], limit=10, began=False)
        cluster.api.create(PROFILES, {k: v for k, v in {**profile, "metadata": {"name": "s3-profile"}}.items() if k != "status"})
        validation(cluster, f"{PROFILES}/s3-profile", "Success")
        validation(cluster, f"{POLICIES}/mongo-drill", "Success")
    with tap.check("a psmdb without the blueprint's annotation is named"):
        with changed(cluster, PSMDB, {"metadata": {"annotations": {"kanister.kasten.io/blueprint": None}}},
                     {"metadata": {"annotations": {"kanister.kasten.io/blueprint": "psmdb-bp"}}}):
            named(cluster, path / "annotation", ["has no annotation kanister.kasten.io/blueprint", "NO_ANNOTATION"], limit=10, began=False)
    with tap.check("nobody looked: Kasten says Complete without a database backup, and the drill names that within seconds"):
        file = scenario(path, "not-looked", lambda s: s.replace("- check-blueprint: {}\n", ""))
        with changed(cluster, PSMDB, {"metadata": {"annotations": {"kanister.kasten.io/blueprint": None}}},
                     {"metadata": {"annotations": {"kanister.kasten.io/blueprint": "psmdb-bp"}}}):
            named(cluster, path / "complete", ["is Complete, but no psmdb-backup has appeared", "NO_ANNOTATION"], file=file, limit=40)
        clean(cluster, path / "complete")
    with tap.check("a blueprint that backs up to a storage which the psmdb does not have is named"):
        blueprint = f"/apis/cr.kanister.io/v1alpha1/namespaces/{KASTEN}/blueprints/psmdb-bp"
        good = cluster.api.get(blueprint)
        text = json.dumps(good["actions"]).replace("storageName: my-s3-storage", "storageName: no-such-storage")
        cluster.api.merge(blueprint, {"actions": json.loads(text)})
        named(cluster, path / "storage", ["no-such-storage", "STORAGE_MISSING"], limit=10, began=False)
        file = scenario(path, "storage-not-looked", lambda s: s.replace("- check-blueprint: {}\n", ""))
        named(cluster, path / "storage-run", ["has ended with error", "unable to get storage 'no-such-storage'", "STORAGE_MISSING"], file=file, limit=60)
        cluster.api.merge(blueprint, {"actions": good["actions"]})
        clean(cluster, path / "storage-run")


def sharding(cluster, path):
    with tap.check("a pod that cannot shard fails its step with its own last words, and stays; with its manifest mended the run goes on, and the pod is gone"):
        file = scenario(path, "unshardable", lambda s: s.replace("- describe: {", "- pause: {for: 1h}\n- describe: {"))
        manifest = path / "scenarios/manifests/shard.yaml"
        good = manifest.read_text()
        manifest.write_text(good.replace("name: MONGODB_PASSWORD", "name: PASSWORD"))
        named(cluster, path / "unshardable", ['pod "mongo-ns/shard" has failed: psmdb-ticker: MONGODB_USER is set without MONGODB_PASSWORD', "hint: set both, or neither", "--resume"], file=file, limit=40)
        assert "is set without" in (path / "unshardable/logs/shard.log").read_text()
        assert cluster.api.there(kube.core("pods", name="shard")) and not cluster.api.there(kube.core("pods", name="ticker"))
        manifest.write_text(good)
        log = pathlib.Path(f"{path}/resumed.out")
        with open(log, "wb") as out:
            child = subprocess.Popen([str(a) for a in (harness.DRILL, "run", "--resume", path / "unshardable", "--kubeconfig", cluster.kubeconfig, *YES)],
                                     stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            harness.wait_until(lambda: child.poll() is not None or '"step":"pause"' in (path / "unshardable/timeline.jsonl").read_text(), 40, "the step behind the ticker's")
            assert child.poll() is None and "replica set rs0: nothing to shard" in log.read_text(), log.read_text()
            assert not cluster.api.there(kube.core("pods", name="shard"))
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(20)
        pods_gone(cluster, path / "unshardable")


# --- backup, API server, token -----------------------------------------------------------------------------------------------------------------


def during(cluster, path):
    with tap.check("a wrong S3 secret: the backup's error is named as that, while Kasten still tries"):
        secret = kube.core("secrets", name="s3-secret")
        good = cluster.api.get(secret)["data"]["AWS_SECRET_ACCESS_KEY"]
        with changed(cluster, secret, {"data": {"AWS_SECRET_ACCESS_KEY": "d3Jvbmc="}}, {"data": {"AWS_SECRET_ACCESS_KEY": good}}):
            named(cluster, path / "secret", ["has ended with error", "S3_CREDENTIALS"], limit=120)
        pods_gone(cluster, path / "secret")
        with tap.check("an attempt that Kasten repeats for that run: no other run begins meanwhile, and says so"):
            named(cluster, path / "other", ["of another run is still", "ANOTHER_BACKUP"], limit=10, began=False)
        clean(cluster, path / "secret")
    with tap.check("the API server is away for 6 s while the backup is made, and again behind the disaster: survived"):
        child = cluster.start_drill(path / "away", *YES, *SHORT)
        for event in ("backup.requested", "volumes.gone"):
            harness.wait_until(lambda: child.poll() is not None or f'"{event}"' in (path / "away/timeline.jsonl").read_text(), 240, event)  # pylint: disable=cell-var-from-loop
            assert child.poll() is None, pathlib.Path(f"{path}/away.out").read_text()[-3000:]
            cluster.parts("stop", "api")
            time.sleep(6)
            cluster.parts("start", "api")
        assert child.wait(240) == PASS, pathlib.Path(f"{path}/away.out").read_text()[-3000:]
    cluster.wait_ready()
    with tap.check("the token is revoked in the middle: named, nothing lost; with a good one the run goes on to its verdict"):
        child = cluster.start_drill(path / "token", *YES, *SHORT, "--set", "before=4s")
        harness.wait_until(lambda: "backup.requested" in (path / "token/timeline.jsonl").read_text(), 60, "the backup")
        tokens = cluster.dir / "api/tokens.csv"
        text = tokens.read_text()
        tokens.write_text("".join(line for line in text.splitlines(True) if ",admin," not in line))
        assert child.wait(60) == ERROR
        out = pathlib.Path(f"{path}/token.out").read_text()
        assert re.search("token|Unauthorized|401", out) and "--resume" in out, out[-2000:]
        tokens.write_text(text)
        done = cluster.resume(path / "token", *YES)
        assert done.returncode in (PASS, harness.INCONCLUSIVE), (done.stdout[-3000:], done.stderr[-2000:])
        assert verdict(path / "token")["counts"]["lost"] in ("0", 0)


# --- disaster and restore ----------------------------------------------------------------------------------------------------------------------


def agents(cluster):
    found = []
    for proc in pathlib.Path("/proc").iterdir():
        if proc.name.isdigit():
            with contextlib.suppress(OSError):
                if b"pbm-agent" in (proc / "cmdline").read_bytes() and str(cluster.dir).encode() in (proc / "environ").read_bytes():
                    found.append(int(proc.name))
    return found


def after(cluster, path):
    with tap.check("a PVC that does not go away: the pod that uses it is named; once that is gone the run goes on to PASS"):
        claim = "mongod-data-my-cluster-name-rs0-0"
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "holder"},
               "spec": {"restartPolicy": "Never", "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": claim}}],
                        "containers": [{"name": "c", "image": "psmdb-drill:0.1.0", "command": ["psmdb-ticker"], "volumeMounts": [{"name": "d", "mountPath": "/data"}]}]}}
        file = scenario(path, "held", lambda s: s.replace("- disaster: {}", "- disaster: {timeout: 20s}"))
        pod["spec"]["containers"][0]["args"] = ["--uri", "mongodb://my-cluster-name-mongos.mongo-ns.svc.cluster.local:27017/", "--ns", "holder.ticker", "--journal", "-",
                                                "--give-up", "1h"]
        pod["spec"]["containers"][0]["env"] = [
            {"name": n, "valueFrom": {"secretKeyRef": {"name": "my-cluster-name-secrets", "key": f"MONGODB_DATABASE_ADMIN_{k}"}}}
            for n, k in (("MONGODB_USER", "USER"), ("MONGODB_PASSWORD", "PASSWORD"))]
        cluster.api.create(kube.core("pods"), pod)
        harness.wait_until(lambda: cluster.api.get(kube.core("pods", name="holder"))["status"]["phase"] == "Running", 20, "the holder")
        named(cluster, path / "held", [f"PVC {claim} is not gone: used by pod holder", "DELETION_STUCK", "--resume"], file=file, limit=150)
        cluster.api.call("DELETE", kube.core("pods", name="holder"), {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 1})
        done = cluster.resume(path / "held", *YES)
        assert done.returncode == PASS, (done.stdout[-3000:], done.stderr[-2000:])
    cluster.wait_ready()
    with tap.check("a restore that no agent takes up is named as stuck, not waited for; once they work again the run goes on to PASS"):
        file = scenario(path, "stuck", lambda s: s.replace("- restore: {}", "- restore: {stuck: 15s}"))
        known = {r["metadata"]["name"] for r in cluster.api.items(kube.psmdb(kind="perconaservermongodbrestores"))}
        child = cluster.start_drill(path / "stuck", *YES, *SHORT, scenario=file)
        harness.wait_until(lambda: {r["metadata"]["name"] for r in cluster.api.items(kube.psmdb(kind="perconaservermongodbrestores"))} - known, 120, "a restore")
        frozen = agents(cluster)
        try:
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            assert len(frozen) == 3, frozen
            assert child.wait(90) == ERROR
        finally:
            for pid in frozen:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        out = pathlib.Path(f"{path}/stuck.out").read_text()
        assert "is stuck for 15 s" in out and "RESTORE_STUCK" in out and "--resume" in out, out[-2000:]
        assert verdict(path / "stuck")["result"] == "ERROR"
        done = cluster.resume(path / "stuck", *YES)
        assert done.returncode == PASS, (done.stdout[-3000:], done.stderr[-2000:])
    cluster.wait_ready()
    with tap.check("a restore that ends in error is named, and judged: FAIL RESTORE_FAILED"):
        file = scenario(path, "damaged", lambda s: s.replace("- restore: {}", "- fault: {delete: data}\n- restore: {}"))
        named(cluster, path / "damaged", ["has ended with error", "BACKUP_FILES_MISSING", "RESTORE_FAILED"], "--allow-faults", status=FAIL, file=file, limit=150)
        assert "RESTORE_FAILED" in reasons(verdict(path / "damaged"))


def secrets(cluster):
    """Every secret value that the cluster knows, and the tokens."""
    found = [line.split(",")[0].encode() for line in (cluster.dir / "api/tokens.csv").read_text().splitlines()]
    for namespace in (NAMESPACE, KASTEN):
        for secret in cluster.api.items(kube.core("secrets", namespace)):
            found += [base64.b64decode(v) for k, v in (secret.get("data") or {}).items() if not k.endswith(("_USER", ".crt"))]
    return [value for value in found if len(value) >= 8]


def no_secret(cluster, path):
    with tap.check("no secret of the cluster is in what the runs wrote, nor in the logs of the sandbox and its pods"):
        values = secrets(cluster)
        assert len(values) >= 8, len(values)
        files = [f for f in path.rglob("*") if f.is_file() and (cluster.dir not in f.parents or f.suffix == ".log")]
        assert any(f.name == "state.json" for f in files) and any("mongod" in f.name for f in files), files
        for file in files:
            data = file.read_bytes()
            assert not [v for v in values if v in data], file


def main():
    what = sys.argv[1]
    with harness.workspace(f"failures-{what}") as path, Cluster(path / "sandbox") as cluster:
        {"before": lambda *args: (sharding(*args), before(*args)), "during": during, "after": after}[what](cluster, path)
        no_secret(cluster, path)
    tap.done()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.umask(0o077)
    main()
