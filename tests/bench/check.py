"""The collector's check in Python: each document's sum and derivation, and the intervals of each stream.

usage: MONGODB_USER=.. MONGODB_PASSWORD=.. check.py URI NAMESPACE LIMIT plain|raw      prints: seconds, intact documents, CPU seconds of this process

plain: documents as pymongo gives them, encoded again for the sum. raw: their bytes, cut at fixed places; no document of another shape would be told.
"""
import os
import struct
import sys
import time

import bson
import pymongo
import xxhash
from bson.raw_bson import RawBSONDocument

FIELDS = ["_id", "createdAt", "randomdata", "run", "writer", "seq", "sum"]
# _id, randomdata, run, writer, seq and sum in a tick's 154 bytes: docs/formats.md
CUT = struct.Struct("<9x12s35x32s11x16s8xi5xq5xQx")


class Stream:
    def __init__(self, run, writer, ns):
        self.key = run + struct.pack("<i", writer) + ns.encode()
        self.prefix = xxhash.xxh3_128_digest(self.key)[:6]
        self.ranges = []

    def is_own(self, seq, oid, random):
        return oid == self.prefix + seq.to_bytes(6, "big") and random == xxhash.xxh3_128_hexdigest(self.key + struct.pack("<q", seq))

    def add(self, seq):
        if self.ranges and self.ranges[-1][1] + 1 == seq:
            self.ranges[-1][1] = seq
        else:
            self.ranges.append([seq, seq])

    def twice(self):
        """How many were there before."""
        ranges = sorted(self.ranges)
        return sum(max(0, left[1] - right[0] + 1) for left, right in zip(ranges, ranges[1:]))


def plain(documents, ns):
    streams, intact = {}, 0
    for doc in documents:
        name = (doc["run"], doc["writer"])
        stream = streams.get(name)
        if not stream:
            stream = streams[name] = Stream(*name, ns)
        good = list(doc) == FIELDS and stream.is_own(doc["seq"], doc["_id"].binary, doc["randomdata"])
        if good and xxhash.xxh3_64_intdigest(bson.encode(doc)[:-14]) == doc["sum"] & 0xffffffffffffffff:
            intact += 1
            stream.add(doc["seq"])
    return intact - sum(stream.twice() for stream in streams.values())


def raw(documents, ns):
    streams, intact = {}, 0
    for doc in documents:
        text = doc.raw
        oid, random, run, writer, seq, total = CUT.unpack(text)
        stream = streams.get((run, writer))
        if not stream:
            stream = streams[run, writer] = Stream(run, writer, ns)
        if stream.is_own(seq, oid, random.decode()) and xxhash.xxh3_64_intdigest(text[:-14]) == total:
            intact += 1
            stream.add(seq)
    return intact - sum(stream.twice() for stream in streams.values())


def main():
    uri, ns, limit, how = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    client = pymongo.MongoClient(uri, username=os.environ["MONGODB_USER"], password=os.environ["MONGODB_PASSWORD"],
                                 document_class=RawBSONDocument if how == "raw" else dict)
    db, coll = ns.split(".", 1)
    client.admin.command("ping")
    began, cpu = time.perf_counter(), time.process_time()
    intact = (raw if how == "raw" else plain)(client[db][coll].find({}, batch_size=10000, limit=limit), ns)
    print(f"{time.perf_counter() - began:.4f} {intact} {time.process_time() - cpu:.4f}")


main()
