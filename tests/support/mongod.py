"""A real mongod, alone in a replica set, for tests: in a temporary folder, on an address of its own, gone at the end."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pymongo
import pymongo.errors


def find():
    cache = os.environ.get("PSMDB_DRILL_CACHE", os.path.expanduser("~/.cache/psmdb-drill"))
    for path in (os.environ.get("PSMDB_DRILL_MONGOD"), os.path.join(cache, "parts/bin/mongod"), shutil.which("mongod")):
        if path and os.access(path, os.X_OK):
            return path
    return None


def free_address(second_octet):
    """An address of 127.<second_octet>.x.1 whose port 27017 nobody has."""
    for third in range(os.getpid() % 199, os.getpid() % 199 + 50):
        host = f"127.{second_octet}.{third}.1"
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind((host, 27017))
                return host
            except OSError:
                continue
    raise RuntimeError("no free address")


def with_us(*args):
    """Ends when whoever has started it is killed."""
    return ["setpriv", "--pdeathsig", "KILL", *args]


class Mongod:
    oplog_mb = 64

    def __init__(self, second_octet, password=None, parameters=()):
        self.dir = tempfile.mkdtemp(prefix="drill-mongod-")
        self.host, self.port, self.password, self.parameters = free_address(second_octet), 27017, password, parameters
        self.uri = f"mongodb://{self.host}:{self.port}/?replicaSet=rs0"
        self.process = None
        self.fresh()

    def fresh(self):
        """An empty replica set, with a user root/password if there is a password."""
        self.stop()
        shutil.rmtree(self.dir + "/db", ignore_errors=True)
        os.mkdir(self.dir + "/db")
        with open(self.dir + "/key", "w") as f:
            f.write("dGVzdHMgb2YgcHNtZGItZHJpbGw=\n")
        os.chmod(self.dir + "/key", 0o600)
        self.start(wait=False)
        direct = self._connect(directConnection=True)
        direct.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": f"{self.host}:{self.port}"}],
                                                 "settings": {"electionTimeoutMillis": 1000}})
        self._wait(lambda: direct.admin.command("hello")["isWritablePrimary"])
        if self.password:
            direct.admin.command("createUser", "root", pwd=self.password, roles=["root"])
        direct.close()

    def start(self, wait=True):
        args = [*with_us(find()), "--dbpath", self.dir + "/db", "--port", str(self.port), "--bind_ip", self.host, "--replSet", "rs0",
                "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", str(self.oplog_mb), "--unixSocketPrefix", self.dir,
                "--wiredTigerEngineConfigString", "log=(file_max=4MB,prealloc=false)",
                "--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100",
                "--setParameter", "diagnosticDataCollectionEnabled=false"]
        if self.password:
            args += ["--keyFile", self.dir + "/key"]
        for parameter in self.parameters:
            args += ["--setParameter", parameter]
        self.process = subprocess.Popen(args, stdout=open(self.dir + "/log", "ab"), stderr=subprocess.STDOUT, start_new_session=True)
        # connections to itself must not wait for a lost mongod's election
        direct = self._connect(directConnection=True, username=None)
        self._wait(lambda: direct.admin.command("ping"))
        if wait:
            self._wait(lambda: direct.admin.command("hello")["isWritablePrimary"])
        direct.close()

    def _wait(self, done, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"mongod ended: see {self.dir}/log")
            try:
                if done():
                    return
            except pymongo.errors.PyMongoError:
                pass
            if time.monotonic() > deadline:
                raise RuntimeError("mongod did not get ready")
            time.sleep(0.05)

    def _connect(self, **options):
        return pymongo.MongoClient(self.host, self.port, serverSelectionTimeoutMS=5000, **options)

    def client(self):
        if self.password:
            return self._connect(replicaSet="rs0", username="root", password=self.password)
        return self._connect(replicaSet="rs0")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
