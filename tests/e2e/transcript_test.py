"""The demo as a person types it: real kubectl and the shipped manifests alone, with the exit status and every printed line of each command held against what it must be.

Both cases are played in one cluster: Case 1 (psmdb, ticker and PVCs are lost), then Case 2 (the namespace is lost), then all is uninstalled.

Other than in the demo:
- this project's image and manifests (ticker.yaml, verifier.yaml) in the place of percona-client and its shell loop: psmdb-drill:0.1.0
- the endpoint, buckets and keys are the sandbox's, and what a manifest says must be changed is changed here
- Kasten is there from the start; the profile and the blueprint that the sandbox gives it are deleted first, so that the transcript makes its own
- the operator's bundle is the sandbox's (DIR/bundle.yaml), and there is no mongos: the Service of that name leads to the primary
- in Case 2 the users' Secret is restored before the psmdb, as restore-action-import.yaml advises: without it nobody could log in afterwards

    transcript_test.py [other]

The kubectl is PSMDB_DRILL_KUBECTL or the one of scripts/setup --dev; other: PSMDB_DRILL_KUBECTL_OTHER or the older one of scripts/setup --nightly.
"""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

import harness
from cluster import CLUSTER, KASTEN, NAMESPACE, Cluster
from harness import SOURCE, Tap

tap = Tap()
CACHE = os.environ.get("PSMDB_DRILL_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "psmdb-drill")
KUBECTL = os.environ.get("PSMDB_DRILL_KUBECTL") or os.path.join(CACHE, "parts/bin/kubectl")
OTHER = os.environ.get("PSMDB_DRILL_KUBECTL_OTHER") or os.path.join(CACHE, "parts/bin/kubectl-other")
NS, IO = f"-n {NAMESPACE}", f"-n {KASTEN}"
PSMDB, KIO = "psmdb.percona.com", "kio.kasten.io"
OPERATOR, USERS = "percona-server-mongodb-operator", f"{CLUSTER}-secrets"
ENDPOINT = f"{CLUSTER}-mongos.{NAMESPACE}.svc.cluster.local"
# what kubectl logs where its wait is over before its watch has begun
WATCH_NOT_NEEDED = re.compile(r'^E\d{4} \S+ +\d+ reflector\.go:\d+\] "Failed to watch" err="Get [^\n]*: context canceled"[^\n]*\n?', re.M)
UNQUALIFIED = ('Warning: metadata.finalizers: "delete-psmdb-pods-in-order": prefer a domain-qualified finalizer name '
               "to avoid accidental conflicts with other finalizer writers")
PODS = [f"{CLUSTER}-rs0-{i}" for i in range(3)]


def bundle_lines(verb):
    return [f"customresourcedefinition.apiextensions.k8s.io/perconaservermongodb{kind}.{PSMDB} {verb}" for kind in ("s", "backups", "restores")] + [
        f"serviceaccount/{OPERATOR} {verb}", f"role.rbac.authorization.k8s.io/{OPERATOR} {verb}",
        f"rolebinding.rbac.authorization.k8s.io/service-account-{OPERATOR} {verb}", f"deployment.apps/{OPERATOR} {verb}"]


DELETED_BUNDLE = [f'customresourcedefinition.apiextensions.k8s.io "perconaservermongodb{kind}.{PSMDB}" deleted' for kind in ("s", "backups", "restores")] + [
    f'serviceaccount "{OPERATOR}" deleted', f'role.rbac.authorization.k8s.io "{OPERATOR}" deleted',
    f'rolebinding.rbac.authorization.k8s.io "service-account-{OPERATOR}" deleted', f'deployment.apps "{OPERATOR}" deleted']


class Person:
    """Types kubectl commands, with a HOME, and so with caches, of its own."""

    def __init__(self, kubectl, cluster, home):
        self.kubectl, self.cluster, self.home = kubectl, cluster, pathlib.Path(home)
        self.home.mkdir()
        self.env = {"HOME": str(home), "PATH": os.environ["PATH"], "KUBECONFIG": str(cluster.kubeconfig)}
        self.edited = 0

    def run(self, line):
        return subprocess.run([self.kubectl, *shlex.split(line)], env=self.env, capture_output=True, text=True, timeout=150)

    def says(self, line, *expected, warns=""):
        """Every line on stdout, in order, "*" for one word that is not known before, columns by one blank; and nothing on stderr but what it warns of."""
        done = self.run(line)
        # newer kubectl adds the namespace to what it deleted; a restart's time is no matter
        said = [re.sub(r" from \S+ namespace$| \(\S+ ago\)", "", re.sub(r" +", " ", text).rstrip()) for text in done.stdout.splitlines()]
        fits = len(said) == len(expected) and all(re.fullmatch(re.escape(e).replace(r"\*", r"\S+"), s) for e, s in zip(expected, said))
        warned = (WATCH_NOT_NEEDED.sub("", done.stderr) if " wait " in line else done.stderr).strip()
        assert done.returncode == 0 and fits and warned == warns, f"kubectl {line}\nexit status {done.returncode}\nexpected {list(expected)}\nsaid     {said}\n{done.stderr}"
        return done.stdout

    def asks(self, line):
        """A question whose answer is looked at by whoever asks."""
        done = self.run(line)
        assert done.returncode == 0 and not done.stderr, f"kubectl {line}: exit status {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def refused(self, line, words):
        done = self.run(line)
        assert done.returncode == 1 and not done.stdout and words in done.stderr, f"kubectl {line}: exit status {done.returncode}: {done.stdout}{done.stderr}"

    def creates(self, path, kind):
        """kubectl create -f of what has a generateName; returns the name."""
        return self.says(f"create -f {path}", f"{kind}/* created").split()[0].split("/")[1]

    def edits(self, name, *changes):
        """A copy of a manifest with what must be changed in it."""
        text = (SOURCE / "manifests" / name).read_text()
        for old, new in changes:
            assert old in text, (name, old)
            text = text.replace(old, new)
        self.edited += 1
        path = self.home / f"{self.edited}-{name}"
        path.write_text(text)
        return path

    def action_ends(self, namespace, kind, name):
        """Asked again and again: Kasten's actions have no watch, so there is no kubectl wait for them."""
        state = lambda: self.asks(f"-n {namespace} get {kind} {name} -o jsonpath='{{.status.state}}'")
        harness.wait_until(lambda: state() in ("Complete", "Failed"), 150, f"{kind} {name} to end")
        assert state() == "Complete", self.asks(f"-n {namespace} get {kind} {name} -o jsonpath='{{.status.error}}'")


class Play:
    def __init__(self, person):
        self.me, self.cluster = person, person.cluster
        words = (line.removeprefix("export ").split("=", 1) for line in self.cluster.parts("env").stdout.splitlines())
        env = {name: shlex.split(value)[0] for name, value in words if value}
        self.endpoint, self.region, self.bucket = env["S3_ENDPOINT"], env["S3_REGION"], env["S3_BUCKET"]
        self.access, self.secret = (pathlib.Path(env[f"S3_{name}_KEY_FILE"]).read_text().strip() for name in ("ACCESS", "SECRET"))

    # --- what is asked more than once ------------------------------------------------------------------------------------

    def objects(self):
        """Every object of every kind in every namespace, but what Kubernetes tells of the past and, on the real one, of its own health."""
        kinds = sorted(k for k in self.me.asks("api-resources --verbs=list -o name").split() if not k.startswith(("events", "componentstatuses")))
        return set(self.me.asks(f"get {','.join(kinds)} -A --ignore-not-found -o name").split())

    def psmdb_is_ready(self):
        self.me.says(f"{NS} wait psmdb/{CLUSTER} --for=jsonpath='{{.status.state}}'=ready --timeout=120s", f"perconaservermongodb.{PSMDB}/{CLUSTER} condition met")
        self.me.says(f"{NS} get psmdb", "NAME ENDPOINT STATUS AGE", f"{CLUSTER} {ENDPOINT} ready *")
        # so that not to see them means something, once they must be gone
        harness.wait_until(lambda: {"mongod", "pbm-agent"} <= self.programs(), 30, "mongod and pbm-agent to run")

    def operator_runs(self):
        self.me.says(f"{NS} wait deployment/{OPERATOR} --for=condition=Available --timeout=60s", f"deployment.apps/{OPERATOR} condition met")
        self.me.says(f"{NS} get deployments", "NAME READY UP-TO-DATE AVAILABLE AGE", f"{OPERATOR} 1/1 1 1 *")

    def records(self, pod):
        """What a pod has said to the drill: its log's marked lines, the last one maybe half written."""
        lines = (line.partition("@psmdb-drill ") for line in self.me.asks(f"{NS} logs {pod}").splitlines())
        return [json.loads(record) for start, mark, record in lines if mark and not start and record.endswith("}")]

    def journal(self):
        return self.records("ticker")

    @staticmethod
    def ticks(journal, kind):
        """namespace -> sequence numbers"""
        streams = [s["ns"] for s in journal[0]["streams"]]
        return {ns: {int(r["seq"]) for r in journal if r["type"] == kind and streams[r["s"]] == ns} for ns in streams}

    def ticks_come(self, count):
        harness.wait_until(lambda: all(len(seqs) >= count for seqs in self.ticks(self.journal(), "acked").values()), 30, "ticks")

    def documents(self):
        """What the verifier pod reads: (namespace, run of a ticker) -> sequence numbers of intact ticks."""
        self.me.says(f"apply -f {self.me.edits('verifier.yaml')}", "pod/verifier created")
        self.me.says(f"{NS} wait pod/verifier --for=jsonpath='{{.status.phase}}'=Succeeded --timeout=60s", "pod/verifier condition met")
        records = self.records("verifier")
        self.me.says(f"{NS} delete pod verifier", 'pod "verifier" deleted')
        assert records[-1]["type"] == "end" and records[-1]["anomalies"] == "0", records[-1]
        streams = {r["s"]: (r["ns"], r["run"]) for r in records if r["type"] == "stream"}
        found = {stream: set() for stream in streams.values()}
        for r in records:
            for first, last in r["ranges"] if r["type"] == "intact" else ():
                found[streams[r["s"]]].update(range(int(first), int(last) + 1))
        return found

    def restored_exactly(self):
        found = self.documents()
        assert set(found) == {("admin.ticker", self.run), ("drill.ticker", self.run)}, found
        for (ns, _), there in found.items():
            assert there and self.before[ns] <= there <= self.within[ns] and there == set(range(1, max(there) + 1)), (ns, there, self.before, self.within)
            assert max(there) < max(self.acked[ns]), (ns, max(there), "nothing was written after the backup")
        return found

    # --- installed -------------------------------------------------------------------------------------------------------

    def kasten_alone_is_there(self):
        me = self.me
        me.says(f"{IO} delete blueprint psmdb-bp", 'blueprint.cr.kanister.io "psmdb-bp" deleted')
        me.says(f"{IO} delete profile s3-profile", f'profile.config.{KIO} "s3-profile" deleted')
        me.says(f"{IO} delete secret k10-s3-secret", 'secret "k10-s3-secret" deleted')
        me.refused(f"get ns {NAMESPACE}", f'Error from server (NotFound): namespaces "{NAMESPACE}" not found')
        me.refused(f"{NS} get psmdb", 'error: the server doesn\'t have a resource type "psmdb"')
        self.at_first = self.objects()

    def the_operator_is_installed(self):
        me = self.me
        me.says(f"create ns {NAMESPACE}", f"namespace/{NAMESPACE} created")
        me.says(f"{NS} apply --server-side -f {self.cluster.dir}/bundle.yaml", *bundle_lines("serverside-applied"))
        self.operator_runs()

    def the_database_gets_ready(self):
        me = self.me
        me.says(f"{NS} create secret generic s3-secret --from-literal=AWS_ACCESS_KEY_ID={self.access} --from-literal=AWS_SECRET_ACCESS_KEY={self.secret}",
                "secret/s3-secret created")
        cr = me.edits("cr.yaml", ("CHANGE-ME-bucket", self.bucket), ("https://s3.example.com", self.endpoint), ("us-east-1", self.region),
                      ("  annotations:\n    kanister.kasten.io/blueprint: psmdb-bp\n", ""))
        me.says(f"apply -f {cr}", f"perconaservermongodb.{PSMDB}/{CLUSTER} created", warns=UNQUALIFIED)
        self.psmdb_is_ready()
        me.says(f"{NS} get pods", "NAME READY STATUS RESTARTS AGE", *[f"{pod} 2/2 Running * *" for pod in PODS], f"{OPERATOR}-* 1/1 Running 0 *")
        me.says(f"{NS} get pvc", "NAME STATUS VOLUME CAPACITY ACCESS MODES STORAGECLASS VOLUMEATTRIBUTESCLASS AGE",
                *[f"mongod-data-{pod} Bound * 3Gi RWO <unset> *" for pod in PODS])

    def kasten_knows_the_database(self):
        me = self.me
        profile = me.edits("profile.yaml", ("aws_access_key_id: CHANGE-ME", f"aws_access_key_id: {self.access}"),
                           ("aws_secret_access_key: CHANGE-ME", f"aws_secret_access_key: {self.secret}"), ("CHANGE-ME-bucket", "kasten"),
                           ("https://s3.example.com", self.endpoint), ("us-east-1", self.region))
        me.says(f"apply -f {profile}", "secret/k10-s3-secret created", f"profile.config.{KIO}/s3-profile created")
        me.says(f"apply -f {me.edits('psmdb-bp.yaml')}", "blueprint.cr.kanister.io/psmdb-bp created")
        me.says(f"{NS} annotate psmdb {CLUSTER} kanister.kasten.io/blueprint=psmdb-bp", f"perconaservermongodb.{PSMDB}/{CLUSTER} annotated")
        me.says(f"apply -f {me.edits('policy.yaml')}", f"policy.config.{KIO}/mongo-drill created")
        for kind, name in (("profile", "s3-profile"), ("policy", "mongo-drill")):
            plural = f"{kind}s.config.{KIO}".replace("policys", "policies")
            me.says(f"{IO} wait {plural}/{name} --for=jsonpath='{{.status.validation}}'=Success --timeout=30s", f"{kind}.config.{KIO}/{name} condition met")

    # --- Case 1 ----------------------------------------------------------------------------------------------------------

    def the_ticker_writes(self):
        me = self.me
        me.says(f"apply -f {me.edits('ticker.yaml')}", "pod/ticker created")
        me.says(f"{NS} wait pod/ticker --for=condition=Ready --timeout=30s", "pod/ticker condition met")
        self.ticks_come(3)
        first = self.journal()[0]
        assert first["type"] == "open" and first["cluster"]["set"] == "rs0", first
        self.run = first["run"]

    def the_policy_backs_up(self):
        me = self.me
        self.before = self.ticks(self.journal(), "acked")
        run = me.creates(me.edits("run-once.yaml"), f"runaction.actions.{KIO}")
        me.action_ends(KASTEN, f"runactions.actions.{KIO}", run)
        self.within = self.ticks(self.journal(), "issued")
        table = me.says(f"{NS} get psmdb-backup", "NAME CLUSTER STORAGE DESTINATION TYPE STATUS COMPLETED AGE",
                        f"backup-* {CLUSTER} my-s3-storage pbm/* logical ready * *")
        self.backup, self.destination = table.splitlines()[1].split()[0], table.splitlines()[1].split()[3]
        label = f"k10.{KIO[4:]}/runActionName={run},k10.{KIO[4:]}/exportProfile"
        points = me.asks(f"{NS} get restorepoints.apps.{KIO} -l {label} -o jsonpath='{{.items[*].metadata.name}}'").split()
        assert len(points) == 1, points
        self.point, = points
        newest = {ns: max(seqs) for ns, seqs in self.within.items()}
        harness.wait_until(lambda: all(max(seqs) > newest[ns] + 1 for ns, seqs in self.ticks(self.journal(), "acked").items()), 30, "ticks after the backup")
        self.acked = self.ticks(self.journal(), "acked")

    def the_disaster_takes_psmdb_ticker_and_volumes(self):
        me = self.me
        me.says(f"{NS} delete psmdb --all", f'perconaservermongodb.{PSMDB} "{CLUSTER}" deleted')
        me.says(f"{NS} delete pod ticker", 'pod "ticker" deleted')
        me.says(f"{NS} delete pvc --all", *[f'persistentvolumeclaim "mongod-data-{pod}" deleted' for pod in PODS])
        self.no_volume_is_left()

    def the_restore_point_brings_it_back(self):
        me = self.me
        restore = me.creates(me.edits("restore-action.yaml", ("RESTORE-POINT", self.point)), f"restoreaction.actions.{KIO}")
        me.action_ends(NAMESPACE, f"restoreactions.actions.{KIO}", restore)
        self.psmdb_is_ready()
        me.says(f"{NS} get psmdb-restore", "NAME CLUSTER STATUS AGE", f"restore-* {CLUSTER} ready *")

    def the_documents_of_the_backup_are_back_and_none_newer(self):
        self.found = self.restored_exactly()

    # --- Case 2 ----------------------------------------------------------------------------------------------------------

    def what_outlives_the_namespace_is_kept(self):
        me = self.me
        path = '{.spec.actions[?(@.action=="export")].exportParameters.receiveString}'
        self.receive = me.asks(f"{IO} get policies.config.{KIO} mongo-drill -o jsonpath='{path}'")
        assert len(self.receive) > 20, "no receive string"
        assert me.asks(f"{NS} get psmdb-backup {self.backup} -o jsonpath={{.status.destination}}") == self.destination
        self.listing = self.cluster.parts("s3", "ls").stdout
        names = sorted(re.findall(r"\s(pbm/\S+)\.pbm\.json$", self.listing, re.M))
        assert names == [self.destination], (names, self.destination)
        self.listed = names[-1]
        release = '[{"op":"remove","path":"/metadata/finalizers"}]'
        assert me.asks(f"{NS} get psmdb-backup {self.backup} -o jsonpath={{.metadata.finalizers}}") == '["delete-backup"]'
        me.says(f"{NS} patch psmdb-backup {self.backup} --type=json -p '{release}'", f"perconaservermongodbbackup.{PSMDB}/{self.backup} patched")

    def the_namespace_is_lost(self):
        me = self.me
        me.says(f"{NS} delete psmdb {CLUSTER}", f'perconaservermongodb.{PSMDB} "{CLUSTER}" deleted')
        me.says(f"delete ns {NAMESPACE}", f'namespace "{NAMESPACE}" deleted')
        me.refused(f"get ns {NAMESPACE}", f'Error from server (NotFound): namespaces "{NAMESPACE}" not found')
        self.no_volume_is_left()
        assert self.cluster.parts("s3", "ls").stdout == self.listing, "the backup's files are not as they were"

    def namespace_operator_and_blueprint_are_made_anew(self):
        me = self.me
        me.says(f"create ns {NAMESPACE}", f"namespace/{NAMESPACE} created")
        me.says(f"{NS} apply --server-side -f {self.cluster.dir}/bundle.yaml", *bundle_lines("serverside-applied"))
        self.operator_runs()
        me.says(f"replace -f {me.edits('psmdb-bp-no-restore.yaml')}", "blueprint.cr.kanister.io/psmdb-bp replaced")
        actions = json.loads(me.asks(f"{IO} get blueprint psmdb-bp -o jsonpath={{.actions}}"))
        assert set(actions) == {"backup", "delete"}, actions

    def the_restore_point_is_imported(self):
        me = self.me
        me.says(f"apply -f {me.edits('import-policy.yaml', ('RECEIVE-STRING', self.receive))}", f"policy.config.{KIO}/mongo-drill-import created")
        me.says(f"{IO} wait policies.config.{KIO}/mongo-drill-import --for=jsonpath='{{.status.validation}}'=Success --timeout=30s",
                f"policy.config.{KIO}/mongo-drill-import condition met")
        run = me.creates(me.edits("run-once.yaml", ("name: mongo-drill\n", "name: mongo-drill-import\n")), f"runaction.actions.{KIO}")
        me.action_ends(KASTEN, f"runactions.actions.{KIO}", run)
        labels = f"k10.kasten.io/appNamespace={NAMESPACE},k10.kasten.io/exportType=portableAppData"
        content = me.asks(f"get restorepointcontents.apps.{KIO} -l {labels} --sort-by=.status.actionTime -o name").split()[-1]
        name = content.split("/")[1]
        me.says(f"get {content}", "NAME STATE AGE", f"{name} Unbound *")
        me.says(f"create -f {me.edits('restore-point.yaml', ('CONTENT', name))}", f"restorepoint.apps.{KIO}/from-content created")
        harness.wait_until(lambda: me.asks(f"get {content} -o jsonpath={{.status.state}}") == "Bound", 30, "the content to be Bound")

    def psmdb_and_secrets_are_restored(self):
        me = self.me
        text = (SOURCE / "manifests/restore-action-import.yaml").read_text()
        entry = text[text.index("    - group: psmdb"):text.index("    - group: ''")]
        users = me.edits("restore-action-import.yaml", (entry, ""), ("name: s3-secret\n", f"name: {USERS}\n"))
        for path in (users, me.edits("restore-action-import.yaml")):
            me.action_ends(NAMESPACE, f"restoreactions.actions.{KIO}", me.creates(path, f"restoreaction.actions.{KIO}"))
        me.says(f"{NS} get secret s3-secret {USERS}", "NAME TYPE DATA AGE", "s3-secret Opaque 2 *", f"{USERS} Opaque * *")
        self.psmdb_is_ready()
        restores = me.asks(f"{NS} get psmdb-restore -o name")
        assert not restores, restores

    def restored_by_hand(self, name, destination):
        me = self.me
        path = me.edits("psmdb-restore.yaml", ("s3://CHANGE-ME-bucket/pbm/CHANGE-ME-backup", f"s3://{self.bucket}/{destination}"), ("CHANGE-ME-bucket", self.bucket),
                        ("https://s3.example.com", self.endpoint), ("us-east-1", self.region), ("restore-by-hand", name))
        me.says(f"create -f {path}", f"perconaservermongodbrestore.{PSMDB}/{name} created")
        me.says(f"{NS} wait psmdb-restore/{name} --for=jsonpath='{{.status.state}}'=ready --timeout=120s", f"perconaservermongodbrestore.{PSMDB}/{name} condition met")
        me.says(f"{NS} get psmdb-restore {name}", "NAME CLUSTER STATUS AGE", f"{name} {CLUSTER} ready *")
        self.psmdb_is_ready()
        found = self.documents()
        assert found == self.found, (found, self.found)

    def the_data_come_back_from_the_listed_destination(self):
        before = self.documents()
        assert not before, before
        self.restored_by_hand("restore-from-listing", self.listed)

    def and_again_over_newer_ones_from_the_destination_that_the_backup_named(self):
        me = self.me
        me.says(f"apply -f {me.edits('ticker.yaml')}", "pod/ticker created")
        me.says(f"{NS} wait pod/ticker --for=condition=Ready --timeout=30s", "pod/ticker condition met")
        self.ticks_come(2)
        newer = self.journal()[0]["run"]
        me.says(f"{NS} delete pod ticker", 'pod "ticker" deleted')
        before = self.documents()
        assert newer != self.run and {run for _, run in before} == {self.run, newer} and all(before.values()), before
        self.restored_by_hand("restore-from-status", self.destination)

    # --- uninstalled -----------------------------------------------------------------------------------------------------

    def all_is_uninstalled(self):
        me = self.me
        me.says(f"{NS} delete psmdb --all", f'perconaservermongodb.{PSMDB} "{CLUSTER}" deleted')
        me.says(f"{NS} delete pvc --all", *[f'persistentvolumeclaim "mongod-data-{pod}" deleted' for pod in PODS])
        me.says(f"{IO} delete policies.config.{KIO} --all", *[f'policy.config.{KIO} "{name}" deleted' for name in ("mongo-drill", "mongo-drill-import")])
        contents = me.asks(f"get restorepointcontents.apps.{KIO} -o jsonpath='{{.items[*].metadata.name}}'").split()
        assert contents, "no content of a restore point is left"
        # without a watch kubectl cannot wait for their end
        me.says(f"delete restorepointcontents.apps.{KIO} --all --wait=false", *[f'restorepointcontent.apps.{KIO} "{name}" deleted' for name in contents])
        harness.wait_until(lambda: not me.asks(f"get restorepointcontents.apps.{KIO} -o name"), 60, "Kasten to retire its contents")
        me.says(f"{IO} delete blueprint psmdb-bp", 'blueprint.cr.kanister.io "psmdb-bp" deleted')
        me.says(f"{IO} delete profile s3-profile", f'profile.config.{KIO} "s3-profile" deleted')
        # the second one came with the export and does not go with its policy
        me.says(f"{IO} delete secret k10-s3-secret mongo-drill-migration-token", 'secret "k10-s3-secret" deleted', 'secret "mongo-drill-migration-token" deleted')
        me.says(f"{NS} delete -f {self.cluster.dir}/bundle.yaml", *DELETED_BUNDLE,
                warns="Warning: deleting cluster-scoped resources, not scoped to the provided namespace")
        me.says(f"delete ns {NAMESPACE}", f'namespace "{NAMESPACE}" deleted')

    def nothing_is_left_but_the_backup_in_the_bucket(self):
        me = self.me
        records = sorted(self.objects() - self.at_first)  # Kasten's own, of what it has done
        assert records and all(re.fullmatch(r"(run|import|retire)action\.actions\.kio\.kasten\.io/\S+", r) for r in records), records
        for record in records:
            kind, name = record.split("/")
            me.says(f"{IO} delete {record} --wait=false", f'{kind} "{name}" deleted')
        harness.wait_until(lambda: self.objects() == self.at_first, 30, "nothing to be left")
        me.refused("get psmdb -A", 'error: the server doesn\'t have a resource type "psmdb"')
        self.no_volume_is_left()
        assert self.cluster.parts("s3", "ls").stdout == self.listing, "the backup's files are not as they were"

    def the_sandbox_itself_goes_without_a_trace(self):
        self.cluster.__exit__()
        assert not self.cluster.dir.exists() and not harness.processes_of(self.cluster.dir)

    def no_volume_is_left(self):
        """Nor a process that had one."""
        harness.wait_until(lambda: not self.me.asks("get pv -o name"), 30, "the volumes to go")
        assert not list((self.cluster.dir / "volumes").iterdir())
        assert not self.programs() & {"mongod", "pbm-agent"}, self.programs()

    def programs(self):
        """The names of the programs that run for this sandbox."""
        names = set()
        for pid in harness.processes_of(self.cluster.dir):
            try:
                names.add(pathlib.Path(f"/proc/{pid}/comm").read_text().strip())
            except OSError:
                pass
        return names


def play(kubectl):
    with harness.workspace("transcript") as path:
        cluster = Cluster(path / "sandbox")
        try:
            with tap.check(f"{kubectl}: a cluster with nothing in it but Kasten"):
                cluster.up("--bare")
                p = Play(Person(kubectl, cluster, path / "home"))
            if tap.failed:
                return
            for step in (p.kasten_alone_is_there, p.the_operator_is_installed, p.the_database_gets_ready, p.kasten_knows_the_database, p.the_ticker_writes,
                         p.the_policy_backs_up, p.the_disaster_takes_psmdb_ticker_and_volumes, p.the_restore_point_brings_it_back,
                         p.the_documents_of_the_backup_are_back_and_none_newer, p.what_outlives_the_namespace_is_kept, p.the_namespace_is_lost,
                         p.namespace_operator_and_blueprint_are_made_anew, p.the_restore_point_is_imported, p.psmdb_and_secrets_are_restored,
                         p.the_data_come_back_from_the_listed_destination, p.and_again_over_newer_ones_from_the_destination_that_the_backup_named,
                         p.all_is_uninstalled, p.nothing_is_left_but_the_backup_in_the_bucket,
                         p.the_sandbox_itself_goes_without_a_trace):
                with tap.check(step.__name__.replace("_", " ")):
                    step()
                if tap.failed:  # each step needs what the one before it has left
                    return
        finally:
            cluster.__exit__()


def main():
    kubectl, option = (OTHER, "--nightly") if sys.argv[1:] == ["other"] else (KUBECTL, "--dev")
    if os.access(kubectl, os.X_OK):
        play(kubectl)
    else:
        tap.ok(True, f"everything # SKIP no kubectl: run scripts/setup {option}")
    tap.done()


main()
