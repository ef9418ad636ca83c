"""The operator's stand-in in a sandbox: clusters, backups and restores through the API, with real mongods, PBM and S3 behind."""
import base64
import os
import pathlib
import signal
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(os.environ["SOURCE_DIR"]) / "tests" / room) for room in ("support", "e2e")]
import pymongo  # noqa: E402
import kube  # noqa: E402
import tap  # noqa: E402
from cluster import CLUSTER, NAMESPACE, Cluster  # noqa: E402

BACKUPS, RESTORES = "perconaservermongodbbackups", "perconaservermongodbrestores"
STORAGE, SERVICE = "my-s3-storage", f"{CLUSTER}-mongos"
box = None


def status(kind, name):
    return (box.api.there(kube.psmdb(kind=kind, name=name)) or {}).get("status", {})


def make(kind, name, spec, finalizers=()):
    box.api.create(kube.psmdb(kind=kind), {"apiVersion": "psmdb.percona.com/v1", "kind": {BACKUPS: "PerconaServerMongoDBBackup", RESTORES: "PerconaServerMongoDBRestore"}[kind],
                                           "metadata": {"name": name, "finalizers": list(finalizers)}, "spec": {"clusterName": CLUSTER, **spec}})


def ends(kind, name, state, seconds=90):
    """Waits for a final state, and returns the states on the way."""
    seen = []

    def done():
        now = status(kind, name).get("state", "")
        if not seen or seen[-1] != now:
            seen.append(now)
        return now in ("ready", "error")
    tap.eventually(done, seconds, f"{kind} {name} to end")
    assert seen[-1] == state, (seen, status(kind, name))
    return seen


def backup(name, finalizers=()):
    make(BACKUPS, name, {"storageName": STORAGE}, finalizers)
    return ends(BACKUPS, name, "ready")


def secret(name):
    data = box.api.get(kube.core("secrets", name=name))["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def client(address, user="DATABASE_ADMIN", direct=True):
    words = secret(f"{CLUSTER}-secrets")
    return pymongo.MongoClient(address, 27017, username=words[f"MONGODB_{user}_USER"], password=words[f"MONGODB_{user}_PASSWORD"],
                               directConnection=direct, serverSelectionTimeoutMS=8000)


def service_address():
    return box.api.get(kube.core("services", name=SERVICE))["spec"]["clusterIP"]


def endpoints():
    found = box.api.there(kube.core("endpoints", name=SERVICE)) or {}
    return [a["ip"] for subset in found.get("subsets") or [] for a in subset.get("addresses") or []]


def put(first, last):
    with client(service_address()) as c:
        for db in (c.drill, c.admin):
            db.get_collection("t", write_concern=pymongo.WriteConcern("majority")).insert_many([{"_id": i} for i in range(first, last)])


def count():
    with client(service_address()) as c:
        return c.drill.t.count_documents({}), c.admin.t.count_documents({})


def bucket(prefix=""):
    return [line.split(None, 1)[1] for line in box.parts("s3", "ls", prefix).stdout.splitlines()]


def processes(*words):
    """Processes of this sandbox by the words in their command lines."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(box.dir) in line and all(word in line for word in words):
            found.append(int(path.parent.name))
    return found


def operator_pid():
    tap.eventually(lambda: processes("serve operator "), 30, "the operator's process")
    return processes("serve operator ")[0]


def gone(path):
    return box.api.there(path) is None


def the_psmdb_gets_ready_and_says_what_stands_in_for_mongos():
    box.wait_ready()
    psmdb = box.psmdb()
    assert psmdb["status"]["host"] == f"{SERVICE}.{NAMESPACE}.svc.cluster.local", psmdb["status"]
    assert psmdb["status"]["replsets"]["rs0"] == {"size": 3, "ready": 3, "status": "ready", "initialized": True}, psmdb["status"]
    assert "mongos" in psmdb["metadata"]["annotations"]["psmdb-drill/note"]
    assert psmdb["status"]["conditions"][-1]["type"] == "ready"


def users_have_the_roles_of_the_real_operator():
    for user, command in (("DATABASE_ADMIN", "replSetGetStatus"), ("CLUSTER_ADMIN", "replSetGetStatus"), ("CLUSTER_MONITOR", "serverStatus"),
                          ("BACKUP", "replSetGetStatus")):
        with client(service_address(), user) as c:
            assert c.admin.command(command)["ok"] == 1, user
    with client(service_address(), "USER_ADMIN") as c:
        assert len(c.admin.command("usersInfo")["users"]) == 5
    put(0, 100)


def only_the_key_file_goes_with_the_cluster():
    owners = {s["metadata"]["name"]: bool(s["metadata"].get("ownerReferences")) for s in box.api.items(kube.core("secrets"))}
    assert owners[f"{CLUSTER}-mongodb-keyfile"]
    assert not any(owners[name] for name in (f"{CLUSTER}-secrets", f"internal-{CLUSTER}-users", f"{CLUSTER}-mongodb-encryption-key")), owners


def wrong_objects_end_in_error_with_the_operators_words():
    make(BACKUPS, "no-storage", {"storageName": "X"})
    make(RESTORES, "no-backup", {"backupName": "nope"})
    make(RESTORES, "no-cluster", {"clusterName": "other", "backupSource": {"destination": "s3://drill/2026-11-28T05:47:00Z", "s3": {"bucket": "drill"}}})
    ends(BACKUPS, "no-storage", "error")
    ends(RESTORES, "no-backup", "error")
    ends(RESTORES, "no-cluster", "error")
    assert status(BACKUPS, "no-storage")["error"] == "unable to get storage 'X'"
    assert status(RESTORES, "no-backup")["error"] == 'perconaservermongodbbackups.psmdb.percona.com "nope" not found'
    assert status(RESTORES, "no-cluster")["error"].startswith(f"get cluster {NAMESPACE}/other: ")


def a_wrong_secret_is_named_by_the_failed_backup():
    path = kube.core("secrets", name="s3-secret")
    right = box.api.get(path)["data"]["AWS_SECRET_ACCESS_KEY"]
    box.api.merge(path, {"data": {"AWS_SECRET_ACCESS_KEY": base64.b64encode(b"wrong").decode()}})
    time.sleep(1)  # the operator knows secrets by its watch, as it knows backups, and one watch does not wait for the other
    try:
        make(BACKUPS, "wrong-secret", {"storageName": STORAGE})
        ends(BACKUPS, "wrong-secret", "error")
    finally:
        box.api.merge(path, {"data": {"AWS_SECRET_ACCESS_KEY": right}})
    error = status(BACKUPS, "wrong-secret")["error"]
    assert "SignatureDoesNotMatch" in error or "Forbidden" in error, error


def a_backup_goes_through_its_states_and_is_in_the_bucket():
    seen = backup("b1")
    now = status(BACKUPS, "b1")
    assert [s for s in seen if s] == ["requested", "running", "ready"], seen
    assert now["destination"] == f"pbm/{now['pbmName']}" and now["replsetNames"] == ["rs0"] and now["s3"]["bucket"] == "drill", now
    assert now["start"] <= now["completed"] == now["lastTransition"], now
    files = bucket(now["destination"])
    assert f"{now['destination']}.pbm.json" in files and any("admin.t" in f for f in files) and any("drill.t" in f for f in files), files


def an_operator_killed_during_a_backup_goes_on_with_it():
    make(BACKUPS, "b2", {"storageName": STORAGE})
    tap.eventually(lambda: status(BACKUPS, "b2").get("state") in ("requested", "running"), 60, "the backup to begin")
    name = status(BACKUPS, "b2")["pbmName"]
    os.kill(operator_pid(), signal.SIGKILL)
    ends(BACKUPS, "b2", "ready")
    assert status(BACKUPS, "b2")["pbmName"] == name
    assert len([f for f in bucket("pbm/") if f.endswith(".pbm.json")]) == 2, bucket("pbm/")


def an_operator_that_is_asked_to_end_ends_within_two_seconds():
    pid = operator_pid()
    os.kill(pid, signal.SIGTERM)
    tap.eventually(lambda: not pathlib.Path(f"/proc/{pid}").exists(), 2, "the operator to end")
    operator_pid()


def primary():
    (address,) = endpoints()
    (pid,) = processes("/mongod ", f"--bind_ip {address} ")
    return address, pid


def a_primary_that_hangs_for_two_seconds_stays_the_primary():
    before, pid = primary()
    with client(before) as c:
        term = c.admin.command("replSetGetStatus")["term"]
        os.kill(pid, signal.SIGSTOP)
        time.sleep(2)
        os.kill(pid, signal.SIGCONT)
        time.sleep(1)
        status = c.admin.command("replSetGetStatus")
    assert (status["myState"], status["term"]) == (1, term), (status["myState"], status["term"], term)


def endpoints_follow_the_primary():
    before, pid = primary()
    os.kill(pid, signal.SIGKILL)
    tap.eventually(lambda: endpoints() and endpoints() != [before], 15, "another primary")
    box.wait_ready()
    assert count()[0] == 100


def the_disaster_leaves_secrets_and_backups():
    global cluster
    cluster = box.psmdb()
    put(100, 150)
    box.api.delete(kube.psmdb(name=CLUSTER))
    tap.eventually(lambda: gone(kube.psmdb(name=CLUSTER)), 30, "the psmdb to go")
    for claim in box.api.items(kube.core("persistentvolumeclaims")):
        box.api.delete(kube.core("persistentvolumeclaims", name=claim["metadata"]["name"]))
    tap.eventually(lambda: not box.api.items(kube.core("persistentvolumeclaims")), 30, "the claims to go")
    names = {s["metadata"]["name"] for s in box.api.items(kube.core("secrets"))}
    assert f"internal-{CLUSTER}-users" in names and f"{CLUSTER}-mongodb-keyfile" not in names, names
    assert status(BACKUPS, "b1")["state"] == "ready"
    assert gone(kube.core("services", name=SERVICE))


def the_cluster_is_made_again_empty_with_the_old_passwords():
    passwords = secret(f"{CLUSTER}-secrets")
    box.api.create(kube.psmdb(), {key: cluster[key] for key in ("apiVersion", "kind", "spec")} | {
        "metadata": {key: cluster["metadata"][key] for key in ("name", "annotations", "finalizers")}})
    box.wait_ready()
    assert secret(f"{CLUSTER}-secrets") == passwords
    assert count() == (0, 0)


def a_restore_survives_the_operators_death_and_mongos_comes_back_after_it():
    make(RESTORES, "r1", {"backupName": "b1"})
    tap.eventually(lambda: status(RESTORES, "r1").get("state") in ("requested", "running"), 60, "the restore to begin")
    assert gone(kube.core("services", name=SERVICE)) and not box.psmdb()["status"].get("host")
    os.kill(operator_pid(), signal.SIGKILL)
    ends(RESTORES, "r1", "ready")
    box.wait_ready()
    assert box.psmdb()["status"]["host"].startswith(SERVICE)
    assert count() == (100, 100)


def an_unknown_backup_stays_requested_for_ever():
    make(RESTORES, "never", {"storageName": STORAGE, "backupSource": {"destination": "s3://drill/pbm/2020-01-01T00:00:00Z"}})
    tap.eventually(lambda: status(RESTORES, "never").get("state") == "requested", 60, "requested")
    make(BACKUPS, "behind", {"storageName": STORAGE})
    time.sleep(3)
    assert status(RESTORES, "never")["state"] == "requested" and status(RESTORES, "never")["pbmName"]
    assert status(BACKUPS, "behind").get("state", "") not in ("requested", "running", "ready")
    box.api.delete(kube.psmdb(kind=RESTORES, name="never"))
    box.wait_ready()


def a_backup_with_the_finalizer_takes_its_files_along():
    backup("b3", ["delete-backup"])
    place = status(BACKUPS, "b3")["destination"]
    assert bucket(place)
    box.api.delete(kube.psmdb(kind=BACKUPS, name="b3"))
    tap.eventually(lambda: gone(kube.psmdb(kind=BACKUPS, name="b3")), 60, "the backup to go")
    assert not bucket(place), bucket(place)


def without_the_cluster_only_the_record_is_erased():
    backup("b4", ["percona.com/delete-backup"])
    place = status(BACKUPS, "b4")["destination"]
    path = kube.psmdb(name=CLUSTER)
    box.api.merge(path, {"metadata": {"finalizers": ["delete-psmdb-pvc"]}})
    box.api.delete(path)
    tap.eventually(lambda: gone(path), 30, "the psmdb to go")
    tap.eventually(lambda: not box.api.items(kube.core("persistentvolumeclaims")), 30, "the claims to go with it")
    names = {s["metadata"]["name"] for s in box.api.items(kube.core("secrets"))}
    assert names == {"s3-secret"}, names
    box.api.delete(kube.psmdb(kind=BACKUPS, name="b4"))
    tap.eventually(lambda: gone(kube.psmdb(kind=BACKUPS, name="b4")), 30, "the backup to go")
    assert bucket(place) and f"{place}.pbm.json" not in bucket(place), bucket(place)


TESTS = [the_psmdb_gets_ready_and_says_what_stands_in_for_mongos, users_have_the_roles_of_the_real_operator, only_the_key_file_goes_with_the_cluster,
         wrong_objects_end_in_error_with_the_operators_words, a_wrong_secret_is_named_by_the_failed_backup, a_backup_goes_through_its_states_and_is_in_the_bucket,
         an_operator_killed_during_a_backup_goes_on_with_it, an_operator_that_is_asked_to_end_ends_within_two_seconds,
         a_primary_that_hangs_for_two_seconds_stays_the_primary, endpoints_follow_the_primary, the_disaster_leaves_secrets_and_backups, the_cluster_is_made_again_empty_with_the_old_passwords,
         a_restore_survives_the_operators_death_and_mongos_comes_back_after_it, an_unknown_backup_stays_requested_for_ever,
         a_backup_with_the_finalizer_takes_its_files_along, without_the_cluster_only_the_record_is_erased]

with tempfile.TemporaryDirectory(prefix="psmdb-it-") as scratch:
    box = Cluster(pathlib.Path(scratch) / "sandbox")
    with box:
        result = tap.run(TESTS, sys.argv[1] if len(sys.argv) > 1 else None)
sys.exit(result)
