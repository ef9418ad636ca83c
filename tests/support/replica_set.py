"""A real replica set, alone or a part of a sharded cluster, for tests: in a folder, on addresses of its own, gone at the end."""
import os
import shutil
import socket
import subprocess
import time

import pymongo
import pymongo.errors

import mongod

PORT = 27017
PASSWORD = "replica-set-test"


def address_block(second_octet):
    """"127.<second_octet>.x": nobody has port 27017 of its .11."""
    for third in range(os.getpid() % 199, os.getpid() % 199 + 50):
        block = f"127.{second_octet}.{third}"
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind((f"{block}.11", PORT))
                return block
            except OSError:
                continue
    raise RuntimeError("no free address")


def wait(done, seconds=60, what="mongod", process=None):
    deadline = time.monotonic() + seconds
    while True:
        if process and process.poll() is not None:
            raise RuntimeError(f"{what} ended with {process.returncode}")
        try:
            result = done()
            if result:
                return result
        except pymongo.errors.PyMongoError:
            pass
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {seconds} s for {what}")
        time.sleep(0.05)


class Member:
    def __init__(self, directory, set_name, host, role):
        self.dir, self.set_name, self.host, self.role = directory, set_name, host, role
        self.process = None

    def start(self, port=PORT, standalone=False):
        """standalone: without its replica set and without users, so that it can be changed behind the set's back."""
        os.makedirs(self.dir + "/db", exist_ok=True)
        with open(self.dir + "/key", "w") as f:
            f.write("dGVzdHMgb2YgcHNtZGItZHJpbGw=\n")
        os.chmod(self.dir + "/key", 0o600)
        args = [*mongod.with_us(mongod.find()), "--dbpath", self.dir + "/db", "--port", str(port), "--bind_ip", self.host, "--nounixsocket",
                "--wiredTigerCacheSizeGB", "0.25", "--wiredTigerEngineConfigString", "log=(file_max=4MB,prealloc=false)",
                "--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100", "--setParameter", "diagnosticDataCollectionEnabled=false",
                "--setParameter", "enableTestCommands=1"]
        if not standalone:
            args += ["--replSet", self.set_name, "--oplogSize", "64", "--keyFile", self.dir + "/key"] + ([f"--{self.role}"] if self.role else [])
        with open(self.dir + "/log", "ab") as log:
            self.process = subprocess.Popen(args, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        client = pymongo.MongoClient(self.host, port, directConnection=True, serverSelectionTimeoutMS=500)
        wait(lambda: client.admin.command("ping"), what=f"mongod at {self.host}, see {self.dir}/log", process=self.process)
        return client

    def client(self):
        return pymongo.MongoClient(self.host, PORT, directConnection=True, username="root", password=PASSWORD, serverSelectionTimeoutMS=5000)

    def state(self):
        client = self.client()
        try:
            return client.admin.command("replSetGetStatus")["myState"]
        finally:
            client.close()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


class ReplicaSet:
    """hosts: one address for each member. role: None, "configsvr" or "shardsvr"."""

    def __init__(self, directory, name, hosts, role=None, hidden=()):
        self.name, self.role, self.hidden = name, role, hidden
        self.members = [Member(f"{directory}/{name}-{i}", name, host, role) for i, host in enumerate(hosts)]
        self.seeds = ",".join(f"{host}:{PORT}" for host in hosts)
        self.uri = f"mongodb://{self.seeds}/?replicaSet={name}"

    def start(self):
        direct = [m.start() for m in self.members]
        config = {"_id": self.name, "members": [{"_id": i, "host": f"{m.host}:{PORT}", **({"priority": 0} if i else {}), **({"hidden": True} if i in self.hidden else {})}
                                                for i, m in enumerate(self.members)], "settings": {"electionTimeoutMillis": 1000}}
        if self.role == "configsvr":
            config["configsvr"] = True
        direct[0].admin.command("replSetInitiate", config)
        wait(lambda: direct[0].admin.command("hello")["isWritablePrimary"], what=f"a primary of {self.name}")
        direct[0].admin.command("createUser", "root", pwd=PASSWORD, roles=["root", "__system"])
        for client in direct:
            client.close()
        return self

    def settled(self):
        """Every member is primary or secondary."""
        wait(lambda: all(m.state() in (1, 2) for m in self.members), what=f"the members of {self.name}")

    def client(self):
        return pymongo.MongoClient(self.uri, username="root", password=PASSWORD, serverSelectionTimeoutMS=10000)

    def run(self, database, *command, **more):
        client = self.client()
        try:
            return client[database].command(*command, **more)
        finally:
            client.close()

    def stop(self):
        for m in self.members:
            if m.process and m.process.poll() is None:
                m.process.terminate()
        for m in self.members:
            m.stop()

    def wipe(self):
        for m in self.members:
            if m.process:
                m.process.kill()
        for m in self.members:
            m.stop()
            shutil.rmtree(m.dir + "/db", ignore_errors=True)
