"""Three real mongods in one replica set, each behind a relay: the set's own traffic and the clients' goes through them."""
import os
import shutil
import signal
import tempfile
import time

import pymongo
import pymongo.errors

import mongod
from relay import Relay, Switchboard

PORT = 27017
# a member that replicates from one whose packets are swallowed asks it eleven times, ten seconds each, before it turns to another
PARAMETERS = ("oplogFetcherSteadyStateMaxFetcherRestarts=0", "oplogNetworkTimeoutBufferSeconds=1")


class Member(mongod.Mongod):
    def __init__(self, folder, host, password, oplog_mb):
        self.dir, self.host, self.port, self.password, self.parameters, self.oplog_mb = folder, host, PORT, password, PARAMETERS, oplog_mb
        self.process = None
        os.makedirs(folder + "/db")
        with open(folder + "/key", "w") as f:
            f.write("dGVzdHMgb2YgcHNtZGItZHJpbGw=\n")
        os.chmod(folder + "/key", 0o600)


class ReplicaSet:
    def __init__(self, second_octet, password, oplog_mb=64):
        self.dir, self.password = tempfile.mkdtemp(prefix="drill-set-"), password
        third = mongod.free_address(second_octet).split(".")[2]
        self.members = [Member(f"{self.dir}/{i}", f"127.{second_octet}.{third}.{1 + i}", password, oplog_mb) for i in range(3)]
        self.board = Switchboard(lambda: [m.process.pid for m in self.members if m.process])
        self.names = [f"127.{second_octet}.{third}.{101 + i}" for i in range(3)]
        self.relays = [Relay(self.board, name, PORT, (m.host, PORT)) for name, m in zip(self.names, self.members)]
        self.uri = "mongodb://" + ",".join(f"{name}:{PORT}" for name in self.names) + "/?replicaSet=rs0"
        for m in self.members:
            m.start(wait=False)
        first = self.members[0]._connect(directConnection=True)
        first.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": i, "host": f"{name}:{PORT}"} for i, name in enumerate(self.names)],
                                                "settings": {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 500}})
        self._wait(lambda: first.admin.command("hello")["isWritablePrimary"], "a primary")
        first.admin.command("createUser", "root", pwd=password, roles=["root"], writeConcern={"w": 3, "wtimeout": 30000})
        first.close()

    def _wait(self, done, what, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            try:
                if done():
                    return
            except pymongo.errors.PyMongoError:
                pass
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds} s for {what}")
            time.sleep(0.05)

    def hello(self, index):
        """What one member answers, past the relays. None: nothing."""
        client = pymongo.MongoClient(self.members[index].host, PORT, directConnection=True, serverSelectionTimeoutMS=1000, socketTimeoutMS=1000, connectTimeoutMS=1000)
        try:
            return client.admin.command("hello")
        except pymongo.errors.PyMongoError:
            return None
        finally:
            client.close()

    def primary(self, other_than=None, seconds=60):
        """The index of the member of the highest term that calls itself primary."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            told = {i: self.hello(i) for i in range(3) if i != other_than}
            terms = {answer["electionId"]: i for i, answer in told.items() if answer and answer["isWritablePrimary"]}
            if terms:
                return terms[max(terms)]
            time.sleep(0.05)
        raise AssertionError(f"waited {seconds} s for a primary")

    def is_whole(self):
        """A primary, two secondaries, and all of them know it."""
        told = [self.hello(i) for i in range(3)]
        return all(told) and sum(t["isWritablePrimary"] for t in told) == 1 and sum(t["secondary"] for t in told) == 2 and \
            len({t.get("primary") for t in told}) == 1

    def wait_until_whole(self, seconds=60):
        self._wait(self.is_whole, "all three members", seconds)

    def client(self):
        """Through the members' own addresses: the primary of now, past the relays."""
        return self.members[self.primary()]._connect(directConnection=True, username="root", password=self.password)

    def write(self):
        """Whether the set takes a write of a majority now, past the relays."""
        for member in self.members:
            client = pymongo.MongoClient(member.host, PORT, directConnection=True, serverSelectionTimeoutMS=500, socketTimeoutMS=2000, connectTimeoutMS=500,
                                         username="root", password=self.password, retryWrites=False)
            try:
                concern = pymongo.WriteConcern("majority", wtimeout=1000, j=True)
                client.probe.get_collection("writes", write_concern=concern).insert_one({})
                return True
            except pymongo.errors.PyMongoError:
                continue
            finally:
                client.close()
        return False

    def everybody_of(self, index):
        """(relay, which of its connections) for all that goes to this member or comes from it."""
        pid = self.members[index].process.pid
        return [(r, (lambda source: True) if i == index else (lambda source, pid=pid: source == pid)) for i, r in enumerate(self.relays)]

    def members_of(self, index):
        """The same without its clients."""
        pids = {m.process.pid for m in self.members}
        return [(r, (lambda source, pids=pids: source in pids) if r is self.relays[index] else which) for r, which in self.everybody_of(index)]

    def heal(self):
        for relay in self.relays:
            relay.refuses = relay.holds = lambda source: False
            relay.release()

    def remove(self):
        for m in self.members:
            if m.process and m.process.poll() is None:
                m.process.send_signal(signal.SIGCONT)
                m.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
