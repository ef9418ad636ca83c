"""A sharded cluster of real parts, without a mongos: config server, two shards, an agent of PBM beside each mongod, an S3 server."""
import glob
import json
import os
import pathlib
import shutil
import subprocess
import time

from mongod import with_us
from replica_set import PASSWORD, PORT, ReplicaSet, address_block, wait

MAJORITY = {"w": "majority", "wtimeout": 30000}
ACCESS, SECRET, BUCKET, PREFIX = "AKSHARDS", "shards/secret+1", "drill", "shards"
UNSET = ("AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "MONGODB_USER",
         "MONGODB_PASSWORD", "PBM_MONGODB_URI")


def find(name):
    cache = os.environ.get("PSMDB_DRILL_CACHE", os.path.expanduser("~/.cache/psmdb-drill"))
    for path in (os.environ.get(f"PSMDB_DRILL_{name.upper().replace('-', '_')}"), f"{cache}/parts/bin/{name}", shutil.which(name)):
        if path and os.access(path, os.X_OK):
            return path
    return None


class S3:
    def __init__(self, directory, host):
        self.dir, self.host = pathlib.Path(directory), host
        # its sockets in /tmp are named by port alone
        self.port = 20000 + os.getpid() % 900 * 10
        self.endpoint = f"http://{host}:{self.port}"
        self.process = None

    def start(self):
        (self.dir / "data").mkdir(parents=True)
        allowed = [f"{what}:{BUCKET}" for what in ("Read", "Write", "List", "Tagging")]
        (self.dir / "s3.json").write_text(json.dumps({"identities": [{"name": "shards", "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}],
                                                                       "actions": ["Admin", *allowed]}]}))
        for name, text in (("access", ACCESS), ("secret", SECRET)):
            (self.dir / name).write_text(text)
        p = self.port
        args = [*with_us(find("weed")), "-logtostderr=true", "mini", f"-dir={self.dir}/data", f"-ip={self.host}", f"-ip.bind={self.host}", "-master.telemetry=false",
                "-admin.ui=false", "-webdav=false", f"-s3.port={p}", "-s3.port.iceberg=0", f"-master.port={p + 2}", f"-volume.port={p + 3}", f"-filer.port={p + 4}",
                f"-admin.port={p + 5}", f"-s3.config={self.dir}/s3.json"]
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen(args, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, cwd=self.dir, env=environment(self.dir))

    def options(self):
        return ["--endpoint", self.endpoint, "--region", "us-east-1", "--bucket", BUCKET, "--prefix", PREFIX, "--access-key-file", self.dir / "access",
                "--secret-key-file", self.dir / "secret"]

    def stop(self):
        if not self.process:
            return
        self.process.kill()
        self.process.wait()
        for port in [self.port + i for i in range(6)] + [self.port + 10000 + i for i in range(6)]:
            for path in glob.glob(f"/tmp/seaweedfs-*-{port}.sock"):
                os.unlink(path)


def environment(home, **more):
    return {**{k: v for k, v in os.environ.items() if k not in UNSET}, "HOME": str(home), **more}


class Cluster:
    def __init__(self, directory, second_octet):
        self.dir = pathlib.Path(directory)
        block = address_block(second_octet)
        self.s3 = S3(self.dir / "s3", f"{block}.1")
        self.sets = {name: ReplicaSet(self.dir, name, [f"{block}.{11 + i}"], role)
                     for i, (name, role) in enumerate((("cfg", "configsvr"), ("rs0", "shardsvr"), ("rs1", "shardsvr")))}
        self.agents = []
        self.users = {}

    def create(self, agents=True):
        """Three fresh replica sets that are one cluster, each with an agent."""
        for rs in self.sets.values():
            rs.start()
        for rs in self.sets.values():
            self._make_users(rs)
        for name in ("rs0", "rs1"):
            self.sets["cfg"].run("admin", "_configsvrAddShard", f"{name}/{self.sets[name].seeds}", name=name, writeConcern=MAJORITY)
        self.sets["cfg"].run("admin", "_configsvrCreateDatabase", "drill", primaryShardId="rs0", writeConcern=MAJORITY)
        for rs in self.sets.values() if agents else ():
            self._start_agent(rs)
        for agent in self.agents:
            wait(lambda log=agent.log: b"listening for the commands" in log.read_bytes(), what=f"an agent, see {agent.log}", process=agent)

    def shard(self, collection, key):
        """Shards a collection of "drill", all of it on rs0, as a mongos would have it done."""
        cfg = self.sets["cfg"].client()
        version = cfg["config"]["databases"].find_one({"_id": "drill"})["version"]
        cfg.close()
        self.sets["rs0"].run("drill", "_shardsvrCreateCollection", collection, shardKey=key, unique=False, databaseVersion=version, writeConcern=MAJORITY)

    def move(self, ns, low, high, to):
        """A migration. What was moved stays on the shard that gave it, for the 15 minutes until its range deleter comes."""
        self.sets["cfg"].run("admin", "_configsvrMoveRange", ns, toShard=to, min=low, max=high, writeConcern=MAJORITY)

    def _make_users(self, rs):
        rs.run("admin", "createRole", "anyAction", privileges=[{"resource": {"anyResource": True}, "actions": ["anyAction"]}], roles=[])
        rs.run("admin", "createUser", "pbm", pwd=PASSWORD, roles=["readWrite", "backup", "clusterMonitor", "restore", "anyAction"])
        rs.run("admin", "createRole", "drillTicker", roles=[], privileges=[
            *({"resource": {"db": db, "collection": "ticker"}, "actions": ["insert", "find"]} for db in ("admin", "drill")),
            {"resource": {"cluster": True}, "actions": ["replSetGetConfig"]}])
        rs.run("admin", "createUser", "ticker", pwd=PASSWORD, roles=["drillTicker"])
        rs.run("admin", "createRole", "drillProber", roles=[], privileges=[{"resource": {"db": "drill", "collection": "probe"}, "actions": ["insert", "update", "find"]}])
        rs.run("admin", "createUser", "verifier", pwd=PASSWORD, roles=["readAnyDatabase", "clusterMonitor", "drillProber", {"role": "read", "db": "config"}])

    def _start_agent(self, rs):
        log = self.dir / f"agent-{rs.name}.log"
        log.unlink(missing_ok=True)
        with open(log, "wb") as out:
            agent = subprocess.Popen(with_us(find("pbm-agent")), stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                                     env=environment(self.dir, PBM_MONGODB_URI=f"mongodb://pbm:{PASSWORD}@{rs.members[0].host}:{PORT}/?authSource=admin"))
        agent.log = log
        self.agents.append(agent)

    def credentials(self, user):
        for name, text in (("user", user), ("password", PASSWORD)):
            (self.dir / f"{user}.{name}").write_text(text)
        return ["--user-file", self.dir / f"{user}.user", "--password-file", self.dir / f"{user}.password"]

    def pbm(self, *args, check=True, timeout=120, **kwargs):
        cfg = self.sets["cfg"]
        env = environment(self.dir, PBM_MONGODB_URI=f"mongodb://pbm:{PASSWORD}@{cfg.seeds}/?replicaSet=cfg&authSource=admin")
        done = subprocess.run([find("pbm"), *args], env=env, capture_output=True, text=True, timeout=timeout, **kwargs)
        if check and done.returncode:
            raise RuntimeError(f"pbm {args[0]}: {done.stdout}{done.stderr}")
        return done

    def configure(self):
        self.pbm("config", "--file", "/dev/stdin", "--wait", input=json.dumps({"storage": {"type": "s3", "s3": {
            "endpointUrl": self.s3.endpoint, "region": "us-east-1", "bucket": BUCKET, "prefix": PREFIX, "forcePathStyle": True,
            "credentials": {"access-key-id": ACCESS, "secret-access-key": SECRET}}}}))
        self.idle()

    def status(self):
        return json.loads(self.pbm("status", "-o", "json").stdout)

    def idle(self, seconds=60):
        def quiet():
            try:
                status = self.status()
            except (RuntimeError, ValueError):
                return False
            nodes = [n for rs in status.get("cluster") or [] for n in rs["nodes"]]
            return len(nodes) == 3 and all(n["ok"] for n in nodes) and not (status.get("running") or {}).get("type")
        wait(quiet, seconds, "idle PBM agents")

    def backup(self):
        """Starts one and gives its name."""
        return json.loads(self.pbm("backup", "-o", "json").stdout)["name"]

    def backup_state(self, name):
        done = self.pbm("describe-backup", name, "-o", "json", check=False)
        return json.loads(done.stdout)["status"] if done.returncode == 0 else ""

    def restore(self, name):
        return self.pbm("restore", name, "--wait", timeout=300)

    def lose(self):
        """Every mongod killed, its data deleted, the agents too."""
        self.stop_agents()
        for rs in self.sets.values():
            rs.wipe()

    def stop_agents(self):
        for agent in self.agents:
            if agent.poll() is None:
                agent.kill()
            agent.wait()
        self.agents = []

    def remove(self):
        self.stop_agents()
        for rs in self.sets.values():
            rs.stop()
        self.s3.stop()
