"""Two sandboxes around one bucket: what one backs up and exports, the other imports and restores. Each step as a person would do it, with the shipped manifests."""
import base64
import json
import os
import pathlib
import re
import sys
import tempfile
import time
import urllib.request

sys.path[:0] = [str(pathlib.Path(os.environ["SOURCE_DIR"]) / "tests" / room) for room in ("support", "e2e")]
import pymongo  # noqa: E402
import kube  # noqa: E402
import tap  # noqa: E402
from cluster import CLUSTER, NAMESPACE, Cluster  # noqa: E402
from harness import SANDBOX, processes_of, run  # noqa: E402

MANIFESTS = pathlib.Path(os.environ["SOURCE_DIR"]) / "manifests"
BACKUPS, RESTORES = "perconaservermongodbbackups", "perconaservermongodbrestores"
SERVICE, USERS, OPERATOR = f"{CLUSTER}-mongos", f"{CLUSTER}-secrets", "percona-server-mongodb-operator"
CONTENTS = "/apis/apps.kio.kasten.io/v1alpha1/restorepointcontents"
NAMESPACES = "/api/v1/namespaces"
BLUEPRINT = "/apis/cr.kanister.io/v1alpha1/namespaces/kasten-io/blueprints/psmdb-bp"
first = second = None
seen = {}


def place(text):
    """Where the object of a manifest is created: group, plural, namespace and name, of the kinds that are used here."""
    field = lambda name: (re.search(rf"^\s*{name}:\s*(\S+)", text, re.M) or [None, ""])[1]
    version, kind, namespace = field("apiVersion"), field("kind"), field("namespace")
    plural = "policies" if kind == "Policy" else kind.lower() + "s"
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    scoped = kind not in ("CustomResourceDefinition", "Namespace")
    return root + (f"/namespaces/{namespace or NAMESPACE}" if scoped else "") + f"/{plural}", field("name")


def documents(text, **changes):
    for old, new in changes.items():
        assert old.replace("_", "-") in text, old
        text = text.replace(old.replace("_", "-"), new)
    return [d for d in re.split(r"^---\n", text, flags=re.M) if re.search(r"^kind:", d, re.M)]


def send(box, method, path, text, kind):
    """YAML as it is, as kubectl sends it."""
    request = urllib.request.Request(box.api.server + path, method=method, data=text.encode(), headers={"Authorization": f"Bearer {box.api.token}", "Content-Type": kind})
    with urllib.request.urlopen(request, context=box.api.tls, timeout=30) as answer:
        return json.loads(answer.read())


def apply(box, text, **changes):
    """kubectl apply --server-side -f; create -f for what Kasten's own API serves."""
    made = []
    for document in documents(text, **changes):
        path, name = place(document)
        if "kasten.io/" not in path or "config.kio" in path:
            made.append(send(box, "PATCH", f"{path}/{name}?fieldManager=kubectl&force=true", document, "application/apply-patch+yaml"))
        else:
            made.append(send(box, "POST", path, document, "application/yaml"))
    return made


def manifest(name):
    return (MANIFESTS / name).read_text()


def action_ends(box, action, state="Complete", seconds=150):
    path = f"/apis/{action['apiVersion']}/namespaces/{action['metadata']['namespace']}/{action['kind'].lower()}s/{action['metadata']['name']}"
    tap.eventually(lambda: box.api.get(path).get("status", {}).get("state") in ("Complete", "Failed"), seconds, f"{action['kind']} to end")
    status = box.api.get(path)["status"]
    assert status["state"] == state, status
    return status


def run_policy(box, name, seconds=150):
    path = kube.kasten("config", "policies", name=name)
    tap.eventually(lambda: box.api.get(path).get("status", {}).get("validation") == "Success", 20, "the policy to be valid")
    return action_ends(box, apply(box, manifest("run-once.yaml").replace("name: mongo-drill\n", f"name: {name}\n"))[0], seconds=seconds)


def secret(box, name=USERS):
    data = (box.api.there(kube.core("secrets", name=name)) or {}).get("data", {})
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def client(box, words, user="DATABASE_ADMIN"):
    """Straight to the first member: the Service may be gone."""
    pods = {p["metadata"]["name"]: p for p in box.api.items(kube.core("pods"))}
    hosts = [pods[f"{CLUSTER}-rs0-{i}"]["status"]["podIP"] for i in range(3)]
    return pymongo.MongoClient(hosts, 27017, replicaSet="rs0", username=words[f"MONGODB_{user}_USER"], password=words[f"MONGODB_{user}_PASSWORD"],
                               serverSelectionTimeoutMS=8000)


def ids(box, words):
    with client(box, words) as c:
        return sorted(d["_id"] for d in c.drill.t.find())


def can_log_in(box, words, user="DATABASE_ADMIN"):
    try:
        with client(box, words, user) as c:
            c.admin.command("connectionStatus")
        return True
    except pymongo.errors.OperationFailure as e:
        assert e.code == 18, e
        return False


def put(box, a, b):
    with client(box, secret(box)) as c:
        c.drill.get_collection("t", write_concern=pymongo.WriteConcern("majority")).insert_many([{"_id": i} for i in range(a, b)])


def restore_ends(box, name, seconds=90):
    path = kube.psmdb(kind=RESTORES, name=name)
    tap.eventually(lambda: box.api.get(path).get("status", {}).get("state") in ("ready", "error"), seconds, "the psmdb-restore to end")
    status = box.api.get(path)["status"]
    assert status["state"] == "ready", status


def restore_by_hand(box, name):
    s3 = seen["s3"]
    text = manifest("psmdb-restore.yaml").replace("name: restore-by-hand", f"name: {name}").replace("https://s3.example.com", s3["endpointUrl"])
    apply(box, text.replace("CHANGE-ME-bucket/pbm/CHANGE-ME-backup", f"{s3['bucket']}/{seen['destination']}").replace("CHANGE-ME-bucket", s3["bucket"]))
    restore_ends(box, name)


def imported(box):
    """The newest by the time of its action, as import-policy.yaml says."""
    labels = f"k10.kasten.io/appNamespace={NAMESPACE},k10.kasten.io/exportType=portableAppData"
    return max(box.api.items(CONTENTS, labels), key=lambda c: c["status"]["actionTime"])


def gone(box, path):
    return box.api.there(path) is None


def operators(box):
    """The processes of its operator."""
    found = []
    for pid in processes_of(box.dir):
        try:
            if b"\0serve\0operator\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
        except OSError:  # it has just ended
            pass
    return found


# --- the first cluster -------------------------------------------------------------------------------------------------


def the_first_cluster_exports_what_it_backs_up():
    first.wait_ready()
    put(first, 0, 100)
    run_policy(first, "mongo-drill")
    policy = first.api.get(kube.kasten("config", "policies", name="mongo-drill"))
    seen["receive"] = policy["spec"]["actions"][1]["exportParameters"]["receiveString"]
    backup, = first.api.items(kube.psmdb(kind=BACKUPS))
    seen["destination"], seen["s3"] = backup["status"]["destination"], backup["status"]["s3"]
    seen["passwords"] = secret(first)
    point, = first.api.items(kube.kasten("apps", "restorepoints", NAMESPACE), "k10.kasten.io/exportProfile")
    seen["content"], seen["time"] = point["spec"]["restorePointContentRef"]["name"], point["status"]["actionTime"]
    put(first, 100, 150)


def kastens_bucket_is_its_own():
    profile = first.api.get(kube.kasten("config", "profiles", name="s3-profile"))["spec"]["locationSpec"]["objectStore"]
    assert profile["name"] == "kasten" and seen["s3"]["bucket"] == "drill", profile
    exported, = first.parts("s3", "--bucket", "kasten", "ls", "").stdout.splitlines()
    assert re.search(rf"\skasten/migration/[-0-9a-f]+/{seen['content']}$", exported), exported
    backed_up = first.parts("s3", "ls", "").stdout
    assert seen["destination"] in backed_up and "migration" not in backed_up and seen["content"] not in backed_up, backed_up
    refused = first.parts("s3", "--bucket", "other", "ls", check=2)
    assert "no bucket" in refused.stderr and "kasten" in refused.stderr, refused.stderr


# --- the second one ----------------------------------------------------------------------------------------------------


def the_second_cluster_is_bare_and_has_no_s3_server():
    second.up("--bare", "--bucket-of", first.dir)
    state = json.loads((second.dir / "state.json").read_text())
    assert [p["name"] for p in state["parts"]] == ["api", "kubelet", "kasten"] and state["s3"]["of"] == str(first.dir), state
    assert gone(second, f"{NAMESPACES}/{NAMESPACE}") and gone(second, "/apis/psmdb.percona.com/v1")
    actions = second.api.get(BLUEPRINT)["actions"]
    assert "backup" in actions and "restore" not in actions
    assert second.parts("s3", "ls", seen["destination"]).stdout == first.parts("s3", "ls", seen["destination"]).stdout != ""


def the_host_is_not_ended_under_its_guest():
    refused = run(SANDBOX, "down", "--purge", "--dir", first.dir)
    assert refused.returncode == 3 and str(second.dir) in refused.stderr and "end it first" in refused.stderr, refused.stderr
    assert first.psmdb()["status"]["state"] == "ready"


def an_import_makes_the_content_known():
    apply(second, manifest("import-policy.yaml"), RECEIVE_STRING=seen["receive"])
    run_policy(second, "mongo-drill-import")
    content = imported(second)
    assert content["metadata"]["name"].startswith(seen["content"]) and content["status"]["actionTime"] == seen["time"], content
    assert content["status"]["state"] == "Unbound"


def the_operator_is_there_once_its_bundle_is_applied():
    apply(second, f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {NAMESPACE}\n")
    assert not second.api.items(kube.core("pods")) and not operators(second)
    apply(second, (second.dir / "bundle.yaml").read_text())
    tap.eventually(lambda: [p for p in second.api.items(kube.core("pods")) if p["status"].get("phase") == "Running"], 30, "the operator to run")
    assert len(operators(second)) == 1, operators(second)
    assert second.api.items(kube.psmdb()) == []


def the_psmdb_and_its_keys_come_back_alone():
    content = imported(second)["metadata"]["name"]
    apply(second, manifest("restore-point.yaml"), CONTENT=content)
    tap.eventually(lambda: second.api.get(f"{CONTENTS}/{content}")["status"]["state"] == "Bound", 20, "the content to be Bound")
    action_ends(second, apply(second, manifest("restore-action-import.yaml"))[0])
    assert secret(second, "s3-secret") == secret(first, "s3-secret")
    assert second.psmdb()["metadata"]["annotations"]["kanister.kasten.io/blueprint"] == "psmdb-bp"
    second.wait_ready()
    assert not second.api.items(kube.psmdb(kind=RESTORES)) and not second.api.items(kube.psmdb(kind=BACKUPS))
    assert ids(second, secret(second)) == []


def its_passwords_are_new():
    theirs = secret(second)
    assert set(theirs) == set(seen["passwords"])
    assert not [key for key in theirs if key.endswith("_PASSWORD") and theirs[key] == seen["passwords"][key]]
    assert can_log_in(second, theirs)


def a_restore_by_hand_brings_the_data_of_the_backup_and_the_old_users():
    restore_by_hand(second, "by-hand")
    assert not can_log_in(second, secret(second)), "the secret is right though nobody restored it"
    assert not can_log_in(second, secret(second), "CLUSTER_ADMIN")
    assert can_log_in(second, secret(second), "BACKUP"), "PBM keeps the user that it is logged in as"
    assert ids(second, seen["passwords"]) == list(range(100))


def with_the_old_users_the_cluster_does_not_get_ready_again():
    until = time.monotonic() + 12
    while time.monotonic() < until:
        assert second.psmdb()["status"]["state"] != "ready", second.psmdb()["status"]
        time.sleep(0.3)
    assert second.api.get(kube.psmdb(kind=RESTORES, name="by-hand"))["status"]["state"] == "ready"


def with_the_users_secret_restored_first_everything_fits():
    path = kube.psmdb(name=CLUSTER)
    second.api.merge(path, {"metadata": {"finalizers": ["delete-psmdb-pvc"]}})
    second.api.delete(path)
    tap.eventually(lambda: gone(second, path) and not second.api.items(kube.core("persistentvolumeclaims")), 60, "the psmdb and its volumes to go")
    assert not secret(second)
    text = manifest("restore-action-import.yaml")
    users = re.sub(r"    - group: psmdb.*\n.*\n.*\n", "", text).replace("name: s3-secret\n", f"name: {USERS}\n")
    action_ends(second, apply(second, users)[0])
    assert secret(second) == seen["passwords"] and gone(second, path)
    action_ends(second, apply(second, text)[0])
    second.wait_ready()
    restore_by_hand(second, "second-by-hand")
    second.wait_ready()
    assert ids(second, secret(second)) == list(range(100))


def the_first_cluster_has_noticed_nothing():
    assert ids(first, seen["passwords"]) == list(range(150))


# --- the namespace is lost ---------------------------------------------------------------------------------------------


def a_namespace_takes_its_operator_along():
    before = operators(second)
    assert len(before) == 1, before
    second.api.delete(f"{NAMESPACES}/{NAMESPACE}")
    tap.eventually(lambda: gone(second, f"{NAMESPACES}/{NAMESPACE}"), 60, "the namespace to go")
    tap.eventually(lambda: not operators(second), 20, "the operator's process to end")
    assert imported(second)["status"]["state"] == "Unbound"
    apply(second, f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {NAMESPACE}\n")
    assert not second.api.items(kube.core("pods")) and gone(second, f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{OPERATOR}")
    assert not operators(second), operators(second)


def a_backup_that_is_deleted_with_its_cluster_is_erased_by_the_pbm_inside_the_operator():
    second.api.create(kube.psmdb(kind=BACKUPS), {"apiVersion": "psmdb.percona.com/v1", "kind": "PerconaServerMongoDBBackup", "spec": {"clusterName": CLUSTER, "storageName": "my-s3-storage"},
                                                 "metadata": {"name": "lost", "finalizers": ["delete-backup"]}})
    path = kube.psmdb(kind=BACKUPS, name="lost")
    tap.eventually(lambda: second.api.get(path).get("status", {}).get("state") in ("ready", "error"), 90, "the backup to end")
    status = second.api.get(path)["status"]
    assert status["state"] == "ready", status
    where = status["destination"]
    assert second.parts("s3", "ls", where).stdout
    second.api.delete(kube.core("secrets", name="s3-secret"))
    second.api.delete(kube.psmdb(name=CLUSTER))
    second.api.delete(path)
    tap.eventually(lambda: gone(second, path), 30, "the backup to go")
    assert not second.parts("s3", "ls", where).stdout
    tap.eventually(lambda: gone(second, kube.psmdb(name=CLUSTER)), 60, "the psmdb to go")


def a_namespace_without_its_operator_hangs_on_the_finalizers_and_the_backup_stays():
    files = first.parts("s3", "ls", seen["destination"]).stdout
    deployment = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{OPERATOR}"
    assert len(operators(first)) == 1 and [p for p in first.api.items(kube.core("pods")) if OPERATOR in p["metadata"]["name"]]
    first.api.delete(deployment)
    tap.eventually(lambda: not [p for p in first.api.items(kube.core("pods")) if OPERATOR in p["metadata"]["name"]] and not operators(first), 30, "the operator to go")
    first.api.delete(f"{NAMESPACES}/{NAMESPACE}")

    def remains():
        status = (first.api.there(f"{NAMESPACES}/{NAMESPACE}") or {}).get("status", {})
        words = {c["type"]: c["message"] for c in status.get("conditions", []) if c["status"] == "True"}
        return status.get("phase") == "Terminating" and "delete-backup in 1 resource instances" in words.get("NamespaceFinalizersRemaining", "")
    tap.eventually(lambda: remains() and not first.api.items(kube.core("pods")), 60, "the namespace to hang")
    assert [len(first.api.items(kube.psmdb(kind=kind))) for kind in ("perconaservermongodbs", BACKUPS)] == [1, 1]
    assert first.parts("s3", "ls", seen["destination"]).stdout == files != ""
    for kind in (BACKUPS, "perconaservermongodbs"):
        for item in first.api.items(kube.psmdb(kind=kind)):
            first.api.merge(kube.psmdb(kind=kind, name=item["metadata"]["name"]), {"metadata": {"finalizers": None}})
    tap.eventually(lambda: gone(first, f"{NAMESPACES}/{NAMESPACE}"), 60, "the namespace to go")
    assert first.parts("s3", "ls", seen["destination"]).stdout == files


TESTS = [the_first_cluster_exports_what_it_backs_up, kastens_bucket_is_its_own, the_second_cluster_is_bare_and_has_no_s3_server,
         the_host_is_not_ended_under_its_guest, an_import_makes_the_content_known, the_operator_is_there_once_its_bundle_is_applied,
         the_psmdb_and_its_keys_come_back_alone, its_passwords_are_new, a_restore_by_hand_brings_the_data_of_the_backup_and_the_old_users,
         with_the_old_users_the_cluster_does_not_get_ready_again, with_the_users_secret_restored_first_everything_fits,
         the_first_cluster_has_noticed_nothing, a_backup_that_is_deleted_with_its_cluster_is_erased_by_the_pbm_inside_the_operator,
         a_namespace_takes_its_operator_along, a_namespace_without_its_operator_hangs_on_the_finalizers_and_the_backup_stays]

with tempfile.TemporaryDirectory(prefix="psmdb-it-") as scratch:
    first, second = Cluster(pathlib.Path(scratch) / "first"), Cluster(pathlib.Path(scratch) / "second")
    with first:
        try:
            result = tap.run(TESTS, sys.argv[1] if len(sys.argv) > 1 else None)
        finally:
            second.__exit__()
sys.exit(result)
