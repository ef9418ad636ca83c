"""Damage to ticks, by code that shares nothing with the verifier: its own reading of docs/formats.md, pymongo and xxhash."""
import contextlib
import datetime
import struct

import bson
import xxhash


def stream_key(run, writer, ns):
    return run.bytes + struct.pack("<i", writer) + ns.encode()


def tick_id(run, writer, ns, seq):
    return bson.ObjectId(xxhash.xxh3_128_digest(stream_key(run, writer, ns))[:6] + seq.to_bytes(6, "big"))


def random_data(run, writer, ns, seq):
    return xxhash.xxh3_128_hexdigest(stream_key(run, writer, ns) + struct.pack("<q", seq))


def mended(doc):
    """The document with a sum that agrees with its bytes."""
    doc = dict(doc)
    doc["sum"] = bson.Int64(0)
    raw = bson.encode(doc, codec_options=options())
    value = xxhash.xxh3_64_intdigest(raw[:-14])
    doc["sum"] = bson.Int64(value - (1 << 64) if value >= 1 << 63 else value)
    return doc


def make(run, writer, ns, seq, created_at):
    return mended({"_id": tick_id(run, writer, ns, seq), "createdAt": created_at, "randomdata": random_data(run, writer, ns, seq), "run": run, "writer": writer,
                   "seq": bson.Int64(seq), "sum": bson.Int64(0)})


def options():
    return bson.codec_options.CodecOptions(uuid_representation=bson.binary.UuidRepresentation.STANDARD)


def collection(client, ns):
    database, name = ns.split(".", 1)
    return client.get_database(database).get_collection(name, codec_options=options())


class Scene:
    """One restored collection; every damage is a context that is undone at its end."""

    def __init__(self, client, ns):
        self.ns = ns
        self.coll = collection(client, ns)
        self.docs = list(self.coll.find({}).sort("seq", 1))

    def middle(self):
        return self.docs[len(self.docs) // 2]

    @contextlib.contextmanager
    def removed(self):
        doc = self.middle()
        self.coll.delete_one({"_id": doc["_id"]})
        yield doc
        self.coll.insert_one(doc)

    @contextlib.contextmanager
    def replaced(self, new):
        doc = self.middle()
        self.coll.replace_one({"_id": doc["_id"]}, new(doc))
        yield doc
        self.coll.replace_one({"_id": doc["_id"]}, doc)

    @contextlib.contextmanager
    def added(self, doc):
        self.coll.insert_one(doc)
        yield doc
        self.coll.delete_one({"_id": doc["_id"]})

    def altered(self):
        return self.replaced(lambda d: {**d, "randomdata": "0" * 32})

    def altered_and_mended(self):
        return self.replaced(lambda d: mended({**d, "randomdata": "0" * 32}))

    def redated(self):
        return self.replaced(lambda d: mended({**d, "createdAt": d["createdAt"] + datetime.timedelta(milliseconds=1)}))

    def duplicated(self):
        return self.added({**self.middle(), "_id": bson.ObjectId()})

    def invented(self, beyond):
        last = self.docs[-1]
        return self.added(make(last["run"], last["writer"], self.ns, last["seq"] + beyond, last["createdAt"]))

    def left_over(self, seq, created_at):
        """The very tick that the journal acknowledged after the backup."""
        last = self.docs[-1]
        return self.added(make(last["run"], last["writer"], self.ns, seq, created_at))
