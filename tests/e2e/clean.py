"""The evidence of one flawless drill told again with other clocks and other moments: every one of them must be a PASS."""
import datetime
import json
import random

import damages

HOUR = 3600000
SHIFTS = (-3 * HOUR, -1, 0, 1, 90000, HOUR, 42 * 24 * HOUR)


def moved(text, ms):
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) + datetime.timedelta(milliseconds=ms)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def read(drill, name):
    return [json.loads(line) for line in (drill.dir / name).read_text().splitlines()]


def write(drill, name, records):
    lines = damages.chained(records)
    (drill.dir / name).write_text("\n".join(lines) + "\n")
    return [json.loads(line)["chain"] for line in lines]


def reached(journal, b1):
    """Up to where a journal is needed: each stream has an acknowledged tick that was sent after a reply from behind the restore point."""
    streams, issued = set(), {}
    for n, r in enumerate(journal, 1):
        if r["type"] == "issued":
            issued[r["s"], r["seq"]] = time_of(r["lo"])
        elif r["type"] == "acked" and issued[r["s"], r["seq"]] >= b1:
            streams.add(r["s"])
        if len(streams) == len(journal[0]["streams"]):
            return n
    raise AssertionError("the journal does not reach behind the restore point")


def time_of(text):
    return tuple(int(x) for x in text.split(","))


def told_again(copy, seed):
    """Changes a copy of the run; returns what was changed."""
    chance = random.Random(seed)
    bound = json.loads((copy.dir / "bound.json").read_text())
    journal, timeline, observed = (read(copy, f"{name}.jsonl") for name in ("journal", "timeline", "observed"))
    ticker, drill, collector = (chance.choice(SHIFTS) for _ in range(3))
    journal[0]["at"] = moved(journal[0]["at"], ticker)
    journal[0]["clock"]["offset_ms"] -= ticker
    observed[0]["at"] = moved(observed[0]["at"], collector)
    observed[0]["clock"]["offset_ms"] -= collector
    for r in timeline:
        r["at"] = moved(r["at"], drill)
    # the drill was on the machine of the cluster: their clocks were one
    begun = next(i for i, r in enumerate(timeline) if r.get("name") == "backup.requested")
    timeline.insert(begun, {**timeline[begun], "name": "clock", "data": {"offset_ms": str(-drill), "error_ms": "1"}})
    # pinned by the drill, on its own clock
    (copy.dir / "bound.json").write_text(json.dumps({**bound, "pinnedAt": moved(bound["pinnedAt"], drill)}))
    last = max(time_of(s["b1"]) for s in bound["replicaSets"])
    end = chance.randint(reached(journal, last), len(journal))
    chains = write(copy, "journal.jsonl", journal[:end])
    # what the drill had seen by then: less of the journal, and not every head
    kept = []
    for r in timeline:
        if "journal" in r and r["journal"]["n"] > end:
            if r["type"] == "head":
                continue
            r["journal"]["n"] = end
        if r["type"] == "head" and chance.random() < 0.3:
            continue
        if "journal" in r:
            r["journal"]["chain"] = chains[r["journal"]["n"] - 1]
        kept.append(r)
    write(copy, "timeline.jsonl", kept)
    write(copy, "observed.jsonl", observed)
    return f"ticker's clock {ticker:+} ms, drill's {drill:+} ms, collector's {collector:+} ms, journal cut at {end} of {len(journal)}"
