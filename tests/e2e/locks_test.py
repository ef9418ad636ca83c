"""Each lock that Case 1 can meet: tried, refused with its reason, and nothing was touched. One sandbox, a ready cluster."""
import harness
from cluster import CLUSTER, NAMESPACE, Cluster, kube
from harness import ERROR, Tap

tap = Tap()
LABEL = f"/api/v1/namespaces/{NAMESPACE}"


def refused(cluster, path, text, words, *args, scenario="case-1"):
    with tap.check(text):
        before = cluster.everything()
        done = cluster.drill(path / f"run-{tap.count}", *args, scenario=scenario, timeout=120)
        assert done.returncode == ERROR, (done.returncode, done.stdout + done.stderr)
        for word in words:
            assert word in done.stdout + done.stderr, (word, done.stdout + done.stderr)
        assert cluster.everything() == before, {k: v for k, v in cluster.everything().items() if before.get(k) != v}


def main():
    with harness.workspace("locks") as path, Cluster(path / "sandbox") as cluster:
        refused(cluster, path, "without --confirm-destroy nothing is destroyed", ["--confirm-destroy"])
        refused(cluster, path, "--confirm-destroy of another namespace does not count", ["--confirm-destroy"], "--confirm-destroy", "other-ns")
        cluster.api.merge(LABEL, {"metadata": {"labels": {"psmdb-drill/allow-disaster": None}}})
        refused(cluster, path, "without the namespace's label nothing is destroyed", ["psmdb-drill/allow-disaster"], "--confirm-destroy", NAMESPACE)
        cluster.api.merge(LABEL, {"metadata": {"labels": {"psmdb-drill/allow-disaster": "yes"}}})
        refused(cluster, path, "the label must say true", ["psmdb-drill/allow-disaster"], "--confirm-destroy", NAMESPACE)
        cluster.api.merge(LABEL, {"metadata": {"labels": {"psmdb-drill/allow-disaster": "true"}}})
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "somebody-elses"},
                 "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
        cluster.api.create(kube.core("persistentvolumeclaims"), claim)
        harness.wait_until(lambda: cluster.api.get(kube.core("persistentvolumeclaims", name="somebody-elses"))["status"]["phase"] == "Bound", 20, "a bound claim")
        refused(cluster, path, "a PVC that is not the psmdb's is named and needs a yes", ["somebody-elses", "--confirm-pvc"], "--confirm-destroy", NAMESPACE)
        cluster.api.delete(kube.core("persistentvolumeclaims", name="somebody-elses"))
        cluster.api.merge(kube.psmdb(name=CLUSTER), {"metadata": {"finalizers": ["delete-psmdb-pods-in-order", "delete-psmdb-pvc"]}})
        refused(cluster, path, "a finalizer that takes the secrets along is refused before the disaster", ["delete-psmdb-pvc"], "--confirm-destroy", NAMESPACE)
    tap.done()


main()
