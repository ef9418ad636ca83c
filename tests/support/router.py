"""A stand-in for mongos, in front of a real config server and real shards: no mongos can be had where these tests run.

What it does as mongos does: it says that it is one; logs clients in at the config server, whose word on their rights it takes; shards collections by the
servers' own commands; sends each document to the shard that owns the chunk of its hash (the hash is the server's), with the statement numbers that retryable
writes need; tells every shard the greatest cluster time that any has told; merges the replies, without orphans. What it does not do: versions of chunks and so stale routing,
transactions, cursors over several shards (one batch holds everything), and everything else that psmdb-ticker and psmdb-verify collect do not ask.
"""
import collections
import hashlib
import hmac
import base64
import os
import socket
import socketserver
import struct
import threading

import bson
from bson.raw_bson import RawBSONDocument

from replica_set import PASSWORD, PORT

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
RAW = bson.CodecOptions(document_class=RawBSONDocument)
OF_A_MONGOS = ("ismaster", "isWritablePrimary", "helloOk", "maxBsonObjectSize", "maxMessageSizeBytes", "maxWriteBatchSize", "localTime", "logicalSessionTimeoutMinutes",
               "connectionId", "minWireVersion", "maxWireVersion", "saslSupportedMechs", "speculativeAuthenticate", "ok", "operationTime", "$clusterTime")


def receive(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_message(sock):
    length, number, _, code = struct.unpack("<iiii", receive(sock, 16))
    return number, code, receive(sock, length - 16)


def message(doc, answers=0):
    body = struct.pack("<IB", 0, 0) + bson.encode(doc)
    return struct.pack("<iiii", 16 + len(body), 1, answers, OP_MSG) + body


def parse(body):
    """The command of an OP_MSG, sequences of documents as arrays."""
    at, command, arrays = 4, None, {}
    while at < len(body):
        kind, size = struct.unpack_from("<Bi", body, at)
        part = body[at + 1:at + 1 + size]
        at += 1 + size
        if kind == 0:
            command = dict(bson.decode(part, RAW))
            continue
        name, _, docs = part[4:].partition(b"\0")
        arrays[name.decode()] = bson.decode_all(docs, RAW)
    return {**command, **arrays}


class Server:
    """A connection to a mongod. root: logged in as the tests' superuser."""

    def __init__(self, router, host, root):
        self.router = router
        self.sock = socket.create_connection((host, PORT), 30)
        if root:
            self._log_in()

    def _log_in(self):
        nonce = base64.b64encode(os.urandom(18)).decode()
        bare = f"n=root,r={nonce}"
        begun = self.run({"saslStart": 1, "mechanism": "SCRAM-SHA-256", "payload": f"n,,{bare}".encode(), "options": {"skipEmptyExchange": True}, "$db": "admin"})
        first = begun["payload"].decode()
        parts = dict(part.split("=", 1) for part in first.split(","))
        final = f"c=biws,r={parts['r']}"
        salted = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), base64.b64decode(parts["s"]), int(parts["i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), f"{bare},{first},{final}".encode(), "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
        done = self.run({"saslContinue": 1, "conversationId": begun["conversationId"], "payload": f"{final},p={proof}".encode(), "$db": "admin"})
        assert done["ok"] == 1 and done["done"], done

    def ask(self, command):
        self.sock.sendall(message(command))
        _, _, body = read_message(self.sock)
        reply = parse(body)
        self.router.hear(reply)
        return reply

    def run(self, command):
        reply = self.ask(command)
        assert reply["ok"] == 1, dict(reply)
        return reply

    def tell(self, command):
        """With what the router knows of the cluster's time: who is logged in as root need not have it signed."""
        if self.router.time:
            command = {**command, "$clusterTime": {"clusterTime": self.router.time, "signature": {"hash": bytes(20), "keyId": bson.Int64(0)}}}
        return self.ask(command)

    def read(self, db, coll, query, **more):
        return self.run({"find": coll, "filter": query, "readConcern": {"level": "majority"}, "batchSize": 100000, **more, "$db": db})["cursor"]["firstBatch"]


def problem(code, name, text):
    return {"ok": 0.0, "errmsg": text, "code": code, "codeName": name}


def below(bound, number, otherwise):
    return otherwise if isinstance(bound, (bson.MinKey, bson.MaxKey)) else bound <= number


class Client:
    """One client's connection: one to the config server that is logged in as the client is, and one of root's to each server."""

    def __init__(self, router, sock):
        self.router, self.sock, self.servers = router, sock, {}
        self.mine = Server(router, router.hosts["cfg"], root=False)

    def server(self, name):
        if name not in self.servers:
            self.servers[name] = Server(self.router, self.router.hosts[name], root=True)
        return self.servers[name]

    def close(self):
        for server in (self.mine, *self.servers.values()):
            server.sock.close()

    def serve(self):
        while True:
            number, code, body = read_message(self.sock)
            if code == OP_QUERY:
                end = body.index(b"\0", 4)
                reply = self.answer({**bson.decode(body[end + 9:], RAW), "$db": "admin"})
                body = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(reply)
                self.sock.sendall(struct.pack("<iiii", 16 + len(body), 1, number, OP_REPLY) + body)
            else:
                self.sock.sendall(message(self.answer(parse(body)), number))

    def answer(self, command):
        command.pop("$clusterTime", None)
        name, db = next(iter(command)), command["$db"]
        self.router.seen.append((name, db))
        special = getattr(self, f"do_{name}", None)
        if special and (db not in ("admin", "config") or name in ("hello", "isMaster", "ismaster", "enableSharding", "shardCollection", "getParameter")):
            return special(command)
        if db in ("admin", "config"):
            if "afterClusterTime" in command.get("readConcern", {}):
                self.server("cfg").tell({"ping": 1, "$db": "admin"})  # it may have come from a shard
            return self.router.chunks_told(name, command, self.mine.ask(command))
        return problem(59, "CommandNotFound", f"this stand-in for a mongos does not know {name!r}")

    # --- what mongos says of itself

    def do_hello(self, command):
        for key in ("topologyVersion", "maxAwaitTimeMS"):
            command.pop(key, None)
        reply = self.mine.ask(command)
        if reply["ok"] != 1:
            return reply
        return {"msg": "isdbgrid", "topologyVersion": {"processId": self.router.process_id, "counter": bson.Int64(0)}, **{k: v for k, v in reply.items() if k in OF_A_MONGOS}}

    do_isMaster = do_ismaster = do_hello

    def do_getParameter(self, command):
        if "featureCompatibilityVersion" in command:
            return problem(72, "InvalidOptions", "no option found to get")
        return self.mine.ask(command)

    # --- rights

    def lacks(self, action, db, coll=""):
        """The refusal, if the client may not. Its rights are what the config server says, which keeps the users."""
        info = self.mine.run({"connectionStatus": 1, "showPrivileges": True, "$db": "admin"})["authInfo"]
        for privilege in info["authenticatedUserPrivileges"]:
            on = privilege["resource"]
            fits = on.get("anyResource") or ("db" in on and on["db"] in ("", db) and on["collection"] in ("", coll))
            if fits and action in privilege["actions"]:
                return None
        return problem(13, "Unauthorized", f"not authorized on {db} to execute command {{ {action} }}")

    # --- sharding

    def database(self, db):
        found = self.server("cfg").read("config", "databases", {"_id": db})
        return found[0] if found else None

    def do_enableSharding(self, command):
        db = command["enableSharding"]
        return self.lacks("enableSharding", db) or self.server("cfg").tell(
            {"_configsvrCreateDatabase": db, "writeConcern": command["writeConcern"], "$db": "admin"})

    def do_shardCollection(self, command):
        ns = command["shardCollection"]
        db, coll = ns.split(".", 1)
        refusal = self.lacks("enableSharding", db, coll)
        if refusal:
            return refusal
        place = self.database(db)
        reply = self.server(place["primary"]).tell({"_shardsvrCreateCollection": coll, "shardKey": command["key"], "unique": False, "databaseVersion": place["version"],
                                                    "writeConcern": command["writeConcern"], "$db": db})
        return {"collectionsharded": ns, **reply} if reply["ok"] == 1 else reply

    def chunks(self, ns):
        """None: not sharded."""
        entries = self.server("cfg").read("config", "collections", {"_id": ns})
        if not entries or entries[0].get("unsplittable"):
            return None
        assert dict(entries[0]["key"]) == {"_id": "hashed"}, "this stand-in for a mongos only knows a hash of _id"
        return self.server("cfg").read("config", "chunks", {"uuid": entries[0]["uuid"]}, sort={"min": 1})

    def home(self, db, coll):
        """The one shard of a collection that is not sharded: its database's primary, unless it was moved away, as 8.0 can."""
        for entry in self.server("cfg").read("config", "collections", {"_id": f"{db}.{coll}"}):
            return self.server("cfg").read("config", "chunks", {"uuid": entry["uuid"]})[0]["shard"]
        return self.database(db)["primary"]

    def hashes(self, ids):
        stages = [{"$documents": [{"i": i} for i in ids]}, {"$project": {"h": {"$toHashedIndexKey": "$i"}}}]
        found = self.server("cfg").run({"aggregate": 1, "pipeline": stages, "cursor": {"batchSize": 100000}, "$db": "admin"})["cursor"]["firstBatch"]
        assert len(found) == len(ids)
        return [doc["h"] for doc in found]

    def places(self, db, coll, ids):
        """The shard of each document."""
        chunks = self.chunks(f"{db}.{coll}")
        if chunks is None:
            return [self.home(db, coll)] * len(ids)
        return [next(c["shard"] for c in chunks if below(c["min"]["_id"], h, True) and not below(c["max"]["_id"], h, False)) for h in self.hashes(ids)]

    # --- data

    def do_collStats(self, command):
        db, coll = command["$db"], command["collStats"]
        place = self.database(db)
        return self.lacks("collStats", db, coll) or (self.server(place["primary"]).tell(command) if place
                                                     else problem(26, "NamespaceNotFound", f"database {db} not found"))

    def do_insert(self, command):
        db, coll, docs = command["$db"], command["insert"], command["documents"]
        refusal = self.lacks("insert", db, coll)
        if refusal:
            return refusal
        parts, ordered = [], command.get("ordered", True)
        for index, shard in enumerate(self.router.misroute(self.places(db, coll, [doc["_id"] for doc in docs]))):
            # in order, only neighbours go together
            part = next((p for p in (parts[-1:] if ordered else parts) if p[0] == shard), None)
            if not part:
                part = (shard, [])
                parts.append(part)
            part[1].append(index)
        self.router.parts[f"{db}.{coll}"].append([(shard, len(indexes)) for shard, indexes in parts])
        merged = Merged()
        for shard, indexes in parts:
            merged.take(indexes, self.router.send(self.server(shard), shard, {**command, "documents": [docs[i] for i in indexes], **({"stmtIds": indexes} if "txnNumber" in command else {})}))
            if ordered and merged.errors:
                break
        if self.router.fault == "loses a reply":
            self.router.fault, self.router.lost = "", self.router.lost + 1
            raise EOFError
        return merged.reply(self.router)

    def do_find(self, command):
        db, coll = command["$db"], command["find"]
        refusal = self.lacks("find", db, coll)
        if refusal:
            return refusal
        if not self.database(db):
            return self.empty(f"{db}.{coll}")
        found, times, sharded = [], [], self.chunks(f"{db}.{coll}") is not None
        for shard in ("rs0", "rs1") if sharded else (self.home(db, coll),):
            reply = self.server(shard).tell({**command, "batchSize": 100000, "singleBatch": True})
            if reply["ok"] != 1:
                return reply
            docs = reply["cursor"]["firstBatch"]
            found += self.owned(db, coll, shard, docs) if sharded else docs
            times.append(reply["operationTime"])
        if command.get("sort"):
            assert dict(command["sort"]) == {"_id": 1}, command["sort"]
            found.sort(key=lambda doc: doc["_id"])
        return {"cursor": {"firstBatch": found, "id": bson.Int64(0), "ns": f"{db}.{coll}"}, "ok": 1.0, "operationTime": max(times), "$clusterTime": self.router.signed}

    def empty(self, ns):
        return {"cursor": {"firstBatch": [], "id": bson.Int64(0), "ns": ns}, "ok": 1.0, "operationTime": self.router.time, "$clusterTime": self.router.signed}

    def owned(self, db, coll, shard, docs):
        """Without the orphans."""
        return [doc for doc, place in zip(docs, self.places(db, coll, [doc["_id"] for doc in docs])) if place == shard] if docs else []

    def on_primary(self, command, action):
        db = command["$db"]
        return self.lacks(action, db, command[next(iter(command))]) or self.server(self.database(db)["primary"]).tell(command)

    def do_listCollections(self, command):
        place = self.database(command["$db"])
        return self.lacks("listCollections", command["$db"]) or (self.server(place["primary"]).tell(command) if place else self.empty(f"{command['$db']}.$cmd.listCollections"))

    def do_listIndexes(self, command):
        return self.on_primary(command, "listIndexes")

    def do_update(self, command):
        assert self.chunks(f"{command['$db']}.{command['update']}") is None, "this stand-in for a mongos only updates where nothing is sharded"
        return self.on_primary(command, "update")


class Merged:
    """The replies of the shards to the parts of one insert, as one."""

    def __init__(self):
        self.n, self.errors, self.concern, self.retried, self.times = 0, [], None, [], []

    def take(self, indexes, reply):
        if "operationTime" in reply:
            self.times.append(reply["operationTime"])
        if reply["ok"] != 1:
            self.errors += [{"index": i, "code": reply["code"], "errmsg": reply["errmsg"]} for i in indexes]
            return
        self.n += reply["n"]
        self.errors += [{**error, "index": indexes[error["index"]]} for error in reply.get("writeErrors", [])]
        self.concern = self.concern or reply.get("writeConcernError")
        self.retried += reply.get("retriedStmtIds", [])

    def reply(self, router):
        reply = {"n": self.n}
        if self.errors:
            reply["writeErrors"] = sorted(self.errors, key=lambda error: error["index"])
        if self.concern:
            reply["writeConcernError"] = self.concern
        if self.retried:
            reply["retriedStmtIds"] = self.retried
        return {**reply, "ok": 1.0, "operationTime": router.pick_time(self.times), "$clusterTime": router.signed}


class Router:
    """Listens until stop(). fault: a wrong that it does, to see whether a test finds it."""

    def __init__(self, cluster, host):
        self.hosts = {name: rs.members[0].host for name, rs in cluster.sets.items()}
        self.process_id, self.lock = bson.ObjectId(), threading.Lock()
        self.time = self.signed = None
        self.fault, self.lost = "", 0
        self.chunks_asked = 0
        self.seen = []                               # (command, database), of all clients
        self.parts = collections.defaultdict(list)   # namespace -> of each insert, how many documents went where
        router = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                client = Client(router, self.request)
                try:
                    client.serve()
                except (EOFError, OSError):
                    pass
                finally:
                    client.close()

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = allow_reuse_address = True

        self.listener = Listener((host, PORT), Handler)
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()
        self.uri = f"mongodb://{host}:{PORT}/"

    def stop(self):
        self.listener.shutdown()
        self.listener.server_close()

    def hear(self, reply):
        told = reply.get("$clusterTime")
        with self.lock:
            if told and (not self.time or told["clusterTime"] > self.time):
                self.time, self.signed = told["clusterTime"], told

    # --- where a fault can be put in

    def misroute(self, places):
        return ["rs0"] * len(places) if self.fault == "all to one shard" else places

    def chunks_told(self, name, command, reply):
        if name != "find" or command["find"] != "chunks" or reply["ok"] != 1:
            return reply
        self.chunks_asked += 1
        moved = self.fault == "chunks move after the first look" and self.chunks_asked > 1
        if moved or self.fault == "all chunks are on one shard":
            chunks = [{**chunk, "shard": "rs0"} for chunk in reply["cursor"]["firstBatch"]]
            reply = {**reply, "cursor": {**reply["cursor"], "firstBatch": chunks}}
        return reply

    def send(self, server, shard, command):
        if self.fault == "acknowledged and not sent" and shard == "rs1":
            return {"ok": 1.0, "n": len(command["documents"]), "operationTime": self.time}
        return server.tell(command)

    def pick_time(self, times):
        return bson.Timestamp(min(times).time - 1, 1) if self.fault == "an early operation time" else max(times)
