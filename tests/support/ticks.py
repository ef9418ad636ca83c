"""Ticks, digests and journals as docs/formats.md describes them: an implementation that shares no line with the C code."""
import datetime
import hashlib
import json
import struct
import uuid

import bson
import xxhash
from bson.binary import Binary, UUID_SUBTYPE
from bson.int64 import Int64
from bson.objectid import ObjectId

EPOCH = datetime.datetime(1970, 1, 1)
PREFIX = "@psmdb-drill "


def signed(n):
    return Int64(n - (1 << 64) if n >> 63 else n)


def tick(run, ns, writer, seq, created_ms):
    """The BSON bytes of one tick."""
    key = uuid.UUID(run).bytes + struct.pack("<i", writer) + ns.encode()
    fields = {
        "_id": ObjectId(xxhash.xxh3_128_digest(key)[:6] + seq.to_bytes(6, "big")),
        "createdAt": EPOCH + datetime.timedelta(milliseconds=created_ms),
        "randomdata": xxhash.xxh3_128_hexdigest(key + struct.pack("<q", seq)),
        "run": Binary(uuid.UUID(run).bytes, UUID_SUBTYPE),
        "writer": writer,
        "seq": Int64(seq),
        "sum": Int64(0),
    }
    before_sum = bson.encode(fields)[:-14]
    fields["sum"] = signed(xxhash.xxh3_64_intdigest(before_sum))
    return bson.encode(fields)


def digest(ticks):
    """Of (seq, sum) pairs in one block of 1,000."""
    lanes = [0] * 11
    for seq, total in ticks:
        mixed = xxhash.xxh3_64_intdigest(struct.pack("<qQ", seq, total))
        position = (seq - 1) % 1000
        for lane in [0] + [1 + b for b in range(10) if position >> b & 1]:
            lanes[lane] = (lanes[lane] + mixed) % (1 << 64)
    return "".join(f"{lane:016x}" for lane in lanes)


def optime(text):
    t, i = text.split(",")
    return int(t), int(i)


class Journal:
    """Reads a journal, checks numbers and chain, and follows each tick's life. Raises AssertionError where it is wrong."""

    def __init__(self, text, prefixed=False):
        lines = text.split("\n")
        if prefixed:
            lines = [line[len(PREFIX):] for line in lines if line.startswith(PREFIX)]
        else:
            assert lines.pop() == "", "the last line has no newline"
        chain, self.records = "0" * 32, []
        for number, line in enumerate(lines, 1):
            head, _, tail = line.rpartition(',"chain":')
            chain = hashlib.sha256((chain + head).encode()).hexdigest()[:32]
            assert tail == f'"{chain}"}}', f"chain of record {number}"
            record = json.loads(line)
            assert record["n"] == number, f"number of record {number}"
            self.records.append(record)
        self.open = self.records[0]
        assert self.open["type"] == "open"
        self.end = self.records[-1] if self.records[-1]["type"] == "end" else None
        self.streams = [(s["ns"], s["writer"]) for s in self.open["streams"]]
        self.ticks = {}  # (stream, seq) -> dict
        for record in self.records[1:]:
            if record["type"] != "end":
                self._follow(record)
        if self.end:
            states = [t["state"] for t in self.ticks.values()]
            assert int(self.end["issued"]) == len(states)
            for state in ("acked", "failed", "unknown"):
                assert int(self.end[state]) == states.count(state), state

    def _follow(self, record):
        first = int(record.get("seq") or record["from"])
        last = int(record.get("seq") or record["to"])
        kind = record["type"]
        for seq in range(first, last + 1):
            key = (record["s"], seq)
            if kind == "issued":
                assert key not in self.ticks and (seq == 1 or (record["s"], seq - 1) in self.ticks), f"issued {key}"
                self.ticks[key] = {"state": "issued", "lo": optime(record["lo"]), "issue": record}
                continue
            tick_ = self.ticks[key]
            assert tick_["state"] in ("issued", "unknown"), f"{kind} {key} after {tick_['state']}"
            assert kind != "failed" or tick_["state"] == "issued"
            tick_["was"], tick_["state"], tick_["outcome"] = tick_["state"], kind, record
            if kind == "acked":
                tick_["hi"], tick_["exact"] = optime(record["hi"]), record["exact"]

    def of(self, state):
        return {k: t for k, t in self.ticks.items() if t["state"] == state}

    def issues(self):
        return [r for r in self.records if r["type"] == "issued"]
