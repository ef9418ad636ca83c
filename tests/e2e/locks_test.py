"""Each lock that Case 1 can meet: tried, refused with its reason, and nothing was touched. One sandbox, a ready cluster."""
import harness
from cluster import CLUSTER, KASTEN, NAMESPACE, Cluster, kube
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


def scenario(path, name, step, namespace=NAMESPACE):
    file = path / f"{name}.yaml"
    file.write_text(f"scenario: {name}\nparameters: {{namespace: {namespace}, cluster: {CLUSTER}}}\nsteps:\n- {step}\n")
    return file


def manifest(path, name, version, kind, namespace="", rest=""):
    where = f", namespace: {namespace}" if namespace else ""
    (path / f"{name}.yaml").write_text(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}{where}}}\n{rest}\n")
    return f"apply: {{file: {name}.yaml}}"


def steps(cluster, path):
    """Scenarios of one's own reach no further than the shipped ones."""
    deletes = scenario(path, "takes", "delete: {kind: pvc, name: somebody-elses}")
    refused(cluster, path, "delete takes no PVC that is not the psmdb's", ["somebody-elses", "--confirm-pvc"], "--confirm-destroy", NAMESPACE, scenario=deletes)
    refused(cluster, path, "delete asks both locks", ["--confirm-destroy"], scenario=deletes)
    label = scenario(path, "opens", 'create-namespace: {name: other, labels: {psmdb-drill/allow-disaster: "true"}}')
    refused(cluster, path, "no step sets the label", ["psmdb-drill/allow-disaster", "by hand"], "--allow-cluster-changes", scenario=label)
    plain = scenario(path, "makes", "create-namespace: {name: other}")
    refused(cluster, path, "what belongs to the cluster needs a flag", ["--allow-cluster-changes"], scenario=plain)
    kinds = scenario(path, "uninstalls", "delete: {kind: crd, name: perconaservermongodbs.psmdb.percona.com}")
    refused(cluster, path, "delete takes nothing that belongs to the whole cluster unless it is named, whatever the flags",
            ["outside of namespace", "--confirm-delete customresourcedefinitions.apiextensions.k8s.io/perconaservermongodbs.psmdb.percona.com"],
            "--confirm-destroy", NAMESPACE, "--allow-cluster-changes", scenario=kinds)
    spaces = scenario(path, "empties", "delete: {kind: ns, name: default}")
    refused(cluster, path, "nor another namespace, though it is named", ["a namespace is not deleted as an object"],
            "--confirm-destroy", NAMESPACE, "--confirm-delete", "namespaces/default", scenario=spaces)
    others = scenario(path, "gathers", "delete: {kind: cm, namespace: kube-system, all: true}")
    refused(cluster, path, "nor anything in a namespace that is neither the one under test nor Kasten's", ["kube-system", "by hand"],
            "--confirm-destroy", NAMESPACE, "--confirm-delete", "configmaps/*", scenario=others)
    far = scenario(path, "reaches", manifest(path, "far", "v1", "ConfigMap", "default", "data: {a: b}"))
    refused(cluster, path, "nothing is made in other namespaces", ['"default"'], scenario=far)
    theirs = scenario(path, "changes", manifest(path, "mongo-drill", "config.kio.kasten.io/v1alpha1", "Policy", KASTEN, "spec: {frequency: '@daily'}"))
    refused(cluster, path, "what is Kasten's is not changed", ["is Kasten's"], scenario=theirs)
    within = scenario(path, "annotates", "annotate: {kind: policies.config.kio.kasten.io, name: mongo-drill, annotations: {a: b}}", KASTEN)
    refused(cluster, path, "nor annotated by a drill whose namespace is Kasten's", ["is Kasten's"], scenario=within)
    restore = scenario(path, "overwrites", manifest(path, "again", "psmdb.percona.com/v1", "PerconaServerMongoDBRestore", "",
                                                    f"spec: {{clusterName: {CLUSTER}, backupName: none}}"))
    refused(cluster, path, "making a restore needs both locks: it overwrites", ["--confirm-destroy"], scenario=restore)
    secret = scenario(path, "reads", "secret: {name: mine, from-env: {home: HOME}}")
    refused(cluster, path, "the environment is read by name only, and with leave", ["--secret-env HOME"], scenario=secret)


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
        steps(cluster, path)
        cluster.api.delete(kube.core("persistentvolumeclaims", name="somebody-elses"))
        cluster.api.merge(kube.psmdb(name=CLUSTER), {"metadata": {"finalizers": ["delete-psmdb-pods-in-order", "delete-psmdb-pvc"]}})
        refused(cluster, path, "a finalizer that takes the secrets along is refused before the disaster", ["delete-psmdb-pvc"], "--confirm-destroy", NAMESPACE)
    tap.done()


main()
