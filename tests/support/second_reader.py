#!/usr/bin/env python3
"""Checks a journal, timeline or observation: number, chain, lifecycle, totals. Written from docs/formats.md, not from the C code.

usage: second_reader.py FILE        one line of totals on stdout
exit status: 0 whole, 1 broken (stderr says where), 4 open (cut, torn or without its end)
"""
import hashlib
import json
import re
import sys

LINE_MAX = 15360


class Broken(Exception):
    pass


def no_twice(pairs):
    if len(dict(pairs)) != len(pairs):
        raise Broken("a key twice in one object")
    return dict(pairs)


def records(data):
    """Yields the records of whole lines; returns whether the file was torn."""
    chain, n = "0" * 32, 0
    lines = data.split(b"\n")
    torn = lines.pop()
    for line in lines:
        n += 1
        if len(line) + 1 > LINE_MAX:
            raise Broken(f"line {n}: too long")
        m = re.fullmatch(rb'(\{"n":(\d+),"type":"([A-Za-z]{1,31})".*),"chain":"([0-9a-f]{32})"\}', line, re.S)
        if not m or int(m[2]) != n:
            raise Broken(f"line {n}: no record with that number")
        chain = hashlib.sha256(chain.encode() + m[1]).hexdigest()[:32]
        if chain != m[4].decode():
            raise Broken(f"line {n}: chain")
        try:
            yield json.loads(line.decode(), object_pairs_hook=no_twice), chain
        except ValueError as e:
            raise Broken(f"line {n}: {e}")
    if torn:
        yield None, chain


def number(text):
    if not isinstance(text, str) or not re.fullmatch(r"0|-?[1-9]\d*", text):
        raise Broken(f"no decimal string: {text!r}")
    return int(text)


def ticks(rec, streams):
    if not 0 <= rec["s"] < len(streams):
        raise Broken("no such stream")
    first, last = (rec["seq"],) * 2 if "seq" in rec else (rec["from"], rec["to"])
    first, last = number(first), number(last)
    if not 1 <= first <= last <= 1 << 47 or (first - 1) // 1000 != (last - 1) // 1000:
        raise Broken("no range within one block")
    return range(first, last + 1)


class Journal:
    """One state a tick, in a dictionary: slow and plain, unlike what it is compared with."""

    allowed = {"acked": ("issued", "unknown"), "failed": ("issued",), "unknown": ("issued", "unknown")}

    def __init__(self, rec):
        self.streams = [(s["ns"], s["writer"]) for s in rec["streams"]]
        self.state = [{} for _ in self.streams]
        self.whole = False

    def take(self, rec):
        kind = rec["type"]
        if kind == "end":
            self.whole = True
            for what, count in self.totals().items():
                if number(rec[what]) != count:
                    raise Broken(f"the end claims {rec[what]} {what}, counted {count}")
        elif kind == "issued":
            state = self.state[rec["s"]] if rec["s"] < len(self.state) else None
            for seq in ticks(rec, self.streams):
                if seq != len(state) + 1:
                    raise Broken(f"issued {seq} behind {len(state)}")
                state[seq] = "issued"
        elif kind in self.allowed:
            for seq in ticks(rec, self.streams):
                if self.state[rec["s"]].get(seq) not in self.allowed[kind]:
                    raise Broken(f"{seq} cannot be {kind}")
                self.state[rec["s"]][seq] = kind
        else:
            raise Broken(f"type {kind}")

    def totals(self):
        states = [s for state in self.state for s in state.values()]
        return {"issued": len(states), **{k: states.count(k) for k in ("acked", "failed", "unknown")}}


class Timeline:
    whole = True

    def __init__(self, rec):
        self.counts = {"events": 0, "heads": 0}

    def take(self, rec):
        number(rec["mono_ms"])
        if rec["type"] not in ("event", "head"):
            raise Broken(f"type {rec['type']}")
        self.counts[rec["type"] + "s"] += 1

    def totals(self):
        return self.counts


class Observed:
    def __init__(self, rec):
        self.counts = {"documents": 0, "intact": 0, "anomalies": 0, "foreign": 0}
        self.stream = None
        self.streams = 0
        self.whole = False

    def finish_stream(self):
        if self.stream:
            head, seqs, blocks = self.stream
            want = {}
            for a, b in seqs:
                for seq in range(a, b + 1):
                    want[(seq - 1) // 1000] = want.get((seq - 1) // 1000, 0) + 1
            if want != blocks or sum(want.values()) != number(head["intact"]):
                raise Broken("stream, ranges and blocks do not agree")
            self.counts["intact"] += number(head["intact"])
        self.stream = None

    def take(self, rec):
        kind = rec["type"]
        if kind in ("intact", "block"):
            if not self.stream or rec["s"] != self.stream[0]["s"]:
                raise Broken(f"{kind} of another stream")
            for a, b in rec.get("ranges", []):
                if not (self.stream[1][-1][1] if self.stream[1] else 0) < number(a) <= number(b):
                    raise Broken("ranges are not ascending")
                self.stream[1].append((number(a), number(b)))
            if kind == "block":
                self.stream[2][number(rec["block"])] = rec["ticks"]
            return
        self.finish_stream()
        if kind == "stream":
            if rec["s"] != self.streams:
                raise Broken("streams are not in order")
            self.streams += 1
            self.stream = (rec, [], {})
        elif kind == "anomaly":
            self.counts["anomalies"] += 1
        elif kind == "foreign":
            self.counts["foreign"] += number(rec["documents"])
        elif kind == "end":
            self.whole = True
            counted = {**self.counts, "documents": sum(self.counts.values())}
            if not rec["truncated"] and any(number(rec[k]) != v for k, v in counted.items()):
                raise Broken(f"the end does not agree with {counted}")
            self.counts = {k: number(rec[k]) for k in counted}
        elif kind not in ("set", "member", "probe", "login", "namespace", "restore", "backup", "newest"):
            raise Broken(f"type {kind}")

    def totals(self):
        return self.counts


def main(path):
    formats = {"psmdb-drill/journal": Journal, "psmdb-drill/timeline": Timeline, "psmdb-drill/observed": Observed}
    content, n, torn, last = None, 0, False, ""
    with open(path, "rb") as f:
        data = f.read()
    try:
        for rec, last in records(data):
            if rec is None:
                torn = True
                if content and content.whole and not isinstance(content, Timeline):
                    raise Broken("a torn line behind the end")
                break
            n += 1
            if n == 1:
                if rec["type"] != "open" or rec.get("format") not in formats or rec.get("version") != 1:
                    raise Broken("no open record of a known format")
                content, name = formats[rec["format"]](rec), rec["format"].split("/")[1]
                continue
            if content.whole and not isinstance(content, Timeline):
                raise Broken("a record behind the end")
            content.take(rec)
        if not content:
            raise Broken("no record")
    except (Broken, KeyError, TypeError, IndexError) as e:
        print(f"{path}: record {n}: {e!r}", file=sys.stderr)
        return 1
    state = "whole" if content.whole and not torn else "open"
    print(name, state, f"records={n}", *(f"{k}={v}" for k, v in content.totals().items()), f"chain={last}")
    return 0 if state == "whole" else 4


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else 2)
