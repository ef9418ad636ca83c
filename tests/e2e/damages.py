"""The catalogue of damage: each kind by its name, done to one real drill by code that shares nothing with the verifier, and what the verifier must say of it.

docs/damage.md is made from this list (damage_test.py --table), and a test holds the two against each other.
"""
import contextlib
import datetime
import hashlib
import json
import time
import typing

import bson
import pymongo

import damage

FAIL, INCONCLUSIVE = "FAIL", "INCONCLUSIVE"
VALIDATOR = {"_id": {"$exists": True}}  # which every damaged document passes
KEYS, NAME = [("run", 1), ("writer", 1), ("seq", 1)], "by_seq"


def furnish(client):
    """What a team's collection has beside its documents."""
    client.drill.command("collMod", "ticker", validator=VALIDATOR)
    client.drill.ticker.create_index(KEYS, name=NAME)


class Damage(typing.NamedTuple):
    name: str
    place: str
    what: str
    result: str
    codes: set  # one of these reasons must be given
    counts: dict  # classes and how many ticks must be in them
    do: typing.Callable  # (case) -> context, around collect for the database, else around nothing
    collects: bool = True


CATALOGUE = []


def damages(place, what, result, codes, counts=None, collects=True):
    def add(function):
        CATALOGUE.append(Damage(function.__name__.replace("_", "-"), place, what, result, codes if isinstance(codes, set) else {codes}, counts or {}, function, collects))
        return function
    return add


class Case:
    """What a damage is done to: a copy of the run's evidence, and the restored database."""

    def __init__(self, drill, client, older_bound, scene):
        self.drill, self.client, self.older_bound, self.scene = drill, client, older_bound, scene

    @contextlib.contextmanager
    def put_back(self):
        """Whatever was done to the collection, it has all its documents again afterwards."""
        try:
            yield self.scene
        finally:
            self.put()

    def put(self):
        """An election in between is not the damage."""
        for attempt in range(60):
            try:
                self.scene.coll.drop()
                self.scene.coll.insert_many(self.scene.docs)
                furnish(self.client)
                return
            except pymongo.errors.PyMongoError:
                if attempt == 59:
                    raise
                time.sleep(1)

    def lines(self, name):
        return (self.drill.dir / name).read_text().splitlines()

    def write(self, name, lines):
        (self.drill.dir / name).write_text("\n".join(lines) + "\n")

    def change(self, name, change, rechain=False):
        records = [json.loads(line) for line in self.lines(name)]
        self.write(name, chained(change(records)) if rechain else [json.dumps(r, separators=(",", ":")) for r in change(records)])

    def after_bound(self):
        """seq and createdAt of an acknowledged tick well after the restore point, from the journal's text."""
        b0 = json.loads((self.drill.dir / "bound.json").read_text())["b0"]
        records = [json.loads(line) for line in self.lines("journal.jsonl")]
        stream = [s["ns"] for s in records[0]["streams"]].index("drill.ticker")
        issued = {r["seq"]: r for r in records if r["type"] == "issued" and r["s"] == stream}
        r = next(r for r in records if r["type"] == "acked" and r["s"] == stream and int(r["hi"].split(",")[0]) > int(b0.split(",")[0]) + 1)
        return int(r["seq"]), datetime.datetime.fromisoformat(issued[r["seq"]]["createdAt"].replace("Z", "+00:00"))


def chained(records):
    """Numbered and chained anew, as docs/formats.md has it: the forger knows the format."""
    lines, chain = [], "0" * 32
    for n, record in enumerate(records, 1):
        members = {k: v for k, v in record.items() if k not in ("n", "type", "chain")}
        body = json.dumps({"n": n, "type": record["type"], **members}, separators=(",", ":"), ensure_ascii=False)[:-1]
        chain = hashlib.sha256((chain + body).encode()).hexdigest()[:32]
        lines.append(f'{body},"chain":"{chain}"}}')
    return lines


# --- documents ---------------------------------------------------------------------------------------------------------

@damages("documents", "one tick is missing", FAIL, "LOST", {"lost": 1})
def tick_missing(case):
    return case.scene.removed()


@damages("documents", "the first tick is missing", FAIL, "LOST", {"lost": 1})
@contextlib.contextmanager
def first_tick_missing(case):
    with case.put_back() as scene:
        scene.coll.delete_one({"_id": scene.docs[0]["_id"]})
        yield


@damages("documents", "the last tick before the restore point is missing", FAIL, "LOST", {"lost": 1})
@contextlib.contextmanager
def last_tick_missing(case):
    with case.put_back() as scene:
        scene.coll.delete_one({"_id": scene.docs[-1]["_id"]})
        yield


@damages("documents", "ten ticks in a row are missing", FAIL, "LOST", {"lost": 10})
@contextlib.contextmanager
def a_run_of_ticks_missing(case):
    with case.put_back() as scene:
        scene.coll.delete_many({"seq": {"$gte": 31, "$lte": 40}})
        yield


@damages("documents", "every second tick is missing", FAIL, "LOST")
@contextlib.contextmanager
def every_second_tick_missing(case):
    with case.put_back() as scene:
        scene.coll.delete_many({"seq": {"$mod": [2, 0]}})
        yield


@damages("documents", "a field has another value", FAIL, "CORRUPTED", {"corrupted": 1})
def value_altered(case):
    return case.scene.altered()


@damages("documents", "a field has another value, and the sum was made to fit", FAIL, "CORRUPTED", {"corrupted": 1})
def value_altered_and_sum_mended(case):
    return case.scene.altered_and_mended()


@damages("documents", "the time of a tick was moved by a millisecond, and the sum was made to fit", FAIL, "CORRUPTED", {"corrupted": 1})
def time_moved(case):
    return case.scene.redated()


@damages("documents", "the sum itself was altered", FAIL, "CORRUPTED", {"corrupted": 1})
def sum_altered(case):
    return case.scene.replaced(lambda d: {**d, "sum": bson.Int64(d["sum"] ^ 1)})


@damages("documents", "a field was added", FAIL, "CORRUPTED", {"corrupted": 1})
def field_added(case):
    return case.scene.replaced(lambda d: {**d, "extra": 1})


@damages("documents", "a field is gone", FAIL, "CORRUPTED", {"corrupted": 1})
def field_removed(case):
    return case.scene.replaced(lambda d: {k: v for k, v in d.items() if k != "createdAt"})


@damages("documents", "the fields are in another order", FAIL, "CORRUPTED", {"corrupted": 1})
def fields_reordered(case):
    return case.scene.replaced(lambda d: {"_id": d["_id"], "randomdata": d["randomdata"], "createdAt": d["createdAt"], **{k: d[k] for k in ("run", "writer", "seq", "sum")}})


@damages("documents", "a number has another type", FAIL, "CORRUPTED", {"corrupted": 1})
def type_changed(case):
    return case.scene.replaced(lambda d: {**d, "writer": bson.Int64(d["writer"])})


@damages("documents", "a number became a text", FAIL, "CORRUPTED", {"corrupted": 1})
def number_became_text(case):
    return case.scene.replaced(lambda d: {**d, "seq": str(d["seq"])})


@damages("documents", "a date became a text", FAIL, "CORRUPTED", {"corrupted": 1})
def date_became_text(case):
    return case.scene.replaced(lambda d: {**d, "createdAt": d["createdAt"].isoformat()})


@damages("documents", "a tick is there twice, under a second _id", FAIL, "DUPLICATED", {"duplicated": 1})
def tick_duplicated(case):
    return case.scene.duplicated()


@damages("documents", "a tick has another _id", FAIL, "CORRUPTED", {"corrupted": 1})
@contextlib.contextmanager
def id_changed(case):
    with case.put_back() as scene:
        doc = scene.middle()
        scene.coll.delete_one({"_id": doc["_id"]})
        scene.coll.insert_one({**doc, "_id": bson.ObjectId()})
        yield


@damages("documents", "a tick carries the number of its neighbour", FAIL, "CORRUPTED")
def number_of_a_neighbour(case):
    return case.scene.replaced(lambda d: {**d, "seq": bson.Int64(d["seq"] + 1)})


@damages("documents", "a well-formed tick far beyond all that were issued", FAIL, {"UNEXPECTED", "LATE"})
def tick_invented(case):
    return case.scene.invented(1000000)


@damages("documents", "a well-formed tick of a writer that there never was", FAIL, {"UNEXPECTED", "LATE"})
def writer_invented(case):
    doc = case.scene.docs[-1]
    return case.scene.added(damage.make(doc["run"], 7, case.scene.ns, 1, doc["createdAt"]))


@damages("documents", "a tick from after the restore point was left over", FAIL, "LATE", {"late": 1})
def tick_left_over(case):
    return case.scene.left_over(*case.after_bound())


@damages("documents", "a tick of the other namespace is in this one, too", FAIL, {"CORRUPTED", "DUPLICATED", "UNEXPECTED"})
@contextlib.contextmanager
def tick_of_another_namespace(case):
    other = damage.collection(case.client, "admin.ticker").find_one({"seq": 5})
    with case.put_back() as scene:
        scene.coll.insert_one(other)
        yield


# --- collections ---------------------------------------------------------------------------------------------------------

@damages("collections", "the collection is empty", FAIL, "LOST")
@contextlib.contextmanager
def collection_emptied(case):
    with case.put_back() as scene:
        scene.coll.delete_many({})
        yield


@damages("collections", "the collection is gone", FAIL, "LOST")
@contextlib.contextmanager
def collection_dropped(case):
    with case.put_back() as scene:
        scene.coll.drop()
        yield


@damages("collections", "the collection came back under another name", FAIL, "LOST")
@contextlib.contextmanager
def collection_renamed(case):
    with case.put_back() as scene:
        scene.coll.rename("elsewhere")
        yield
        case.client.drill.drop_collection("elsewhere")


@damages("collections", "the collection is capped and has lost its oldest ticks", FAIL, "LOST")
@contextlib.contextmanager
def collection_capped(case):
    with case.put_back() as scene:
        scene.coll.drop()
        case.client.drill.create_collection("ticker", capped=True, size=1 << 20, max=20)
        scene.coll.insert_many(scene.docs)
        yield


@contextlib.contextmanager
def index_changed(case, keys=None, **options):
    case.scene.coll.drop_index(NAME)
    if keys:
        case.scene.coll.create_index(keys, name=NAME, **options)
    try:
        yield
    finally:
        if keys:
            case.scene.coll.drop_index(NAME)
        case.scene.coll.create_index(KEYS, name=NAME)


@damages("collections", "an index is gone", FAIL, "SCHEMA_DRIFT")
def index_dropped(case):
    return index_changed(case)


@damages("collections", "an index has become unique", FAIL, "SCHEMA_DRIFT")
def index_made_unique(case):
    return index_changed(case, KEYS, unique=True)


@damages("collections", "an index has its keys in another order", FAIL, "SCHEMA_DRIFT")
def index_with_other_keys(case):
    return index_changed(case, list(reversed(KEYS)))


@damages("collections", "a collection's validator is gone", FAIL, "SCHEMA_DRIFT")
@contextlib.contextmanager
def validator_gone(case):
    case.client.drill.command("collMod", "ticker", validator={})
    try:
        yield
    finally:
        case.client.drill.command("collMod", "ticker", validator=VALIDATOR)


@damages("collections", "the collection is capped, and all its ticks are there", FAIL, "SCHEMA_DRIFT")
@contextlib.contextmanager
def collection_made_capped(case):
    with case.put_back() as scene:
        scene.coll.drop()
        case.client.drill.create_collection("ticker", capped=True, size=1 << 24)
        scene.coll.insert_many(scene.docs)
        furnish(case.client)
        yield


# --- users ---------------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def user_changed(case, **change):
    user = (case.drill.sandbox.env["TICKER_USER_FILE"], case.drill.sandbox.env["TICKER_PASSWORD_FILE"])
    name, password = (open(f, encoding="utf-8").read().rstrip("\n") for f in user)
    info = case.client.admin.command("usersInfo", name)["users"][0]
    case.logins = ["--login", ",".join(user)]
    if change:
        case.client.admin.command("updateUser", name, **change)
    else:
        case.client.admin.command("dropUser", name)
    try:
        yield
    finally:
        if change:
            case.client.admin.command("updateUser", name, pwd=password)
        else:
            case.client.admin.command("createUser", name, pwd=password, roles=info["roles"])


@damages("users", "a user has another password than the Secret says", FAIL, "LOGIN_DRIFT")
def password_drifted(case):
    return user_changed(case, pwd="another-one")


@damages("users", "a user is gone", FAIL, "LOGIN_DRIFT")
def user_dropped(case):
    return user_changed(case)


@damages("users", "a role was taken from a user", FAIL, "ROLE_DRIFT")
@contextlib.contextmanager
def role_taken(case):
    with open(case.drill.sandbox.env["TICKER_USER_FILE"], encoding="utf-8") as file:
        name = file.read().rstrip("\n")
    role = case.client.admin.command("usersInfo", name)["users"][0]["roles"][0]
    case.client.admin.command("revokeRolesFromUser", name, roles=[role])
    try:
        yield
    finally:
        case.client.admin.command("grantRolesToUser", name, roles=[role])


# --- the restore point ---------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def bound_edited(case, change):
    path = case.drill.dir / "bound.json"
    bound = json.loads(path.read_text())
    change(bound)
    path.write_text(json.dumps(bound))
    yield


def moved(bound, seconds):
    t, i = bound["b0"].split(",")
    for place in [bound, *bound["replicaSets"]]:
        for key in ("b0", "b1", "clusterLastWriteTs", "lastWriteTs"):
            if key in place:
                place[key] = f"{int(t) + seconds},{i}"


@damages("restore point", "it was moved to an hour later: what is missing would be an expected loss", FAIL, "WRONG_BACKUP", collects=False)
def bound_moved_later(case):
    return bound_edited(case, lambda b: moved(b, 3600))


@damages("restore point", "it was moved to five seconds earlier: what was lost would be an expected loss", FAIL, "WRONG_BACKUP", collects=False)
def bound_moved_earlier(case):
    return bound_edited(case, lambda b: moved(b, -5))


@damages("restore point", "that of an older backup is given in its place", FAIL, {"WRONG_BACKUP", "BOUND_BEFORE_ANCHOR"}, collects=False)
@contextlib.contextmanager
def bound_of_an_older_backup(case):
    (case.drill.dir / "bound.json").write_bytes(case.older_bound.read_bytes())
    yield


@damages("restore point", "its file ends in the middle", INCONCLUSIVE, "NO_BOUND", collects=False)
@contextlib.contextmanager
def bound_cut(case):
    path = case.drill.dir / "bound.json"
    path.write_text(path.read_text()[:200])
    yield


# --- journal, timeline, observation ----------------------------------------------------------------------------------------

def edits(name, change, rechain=False):
    @contextlib.contextmanager
    def do(case):
        case.change(name, change, rechain)
        yield
    return do


@contextlib.contextmanager
def missing(case, name):
    (case.drill.dir / name).unlink()
    yield


def without(records, at):
    return records[:at] + records[at + 1:]


def with_unknown(records):
    at = next(i for i, r in enumerate(records) if i > 80 and r["type"] == "acked")
    r = {k: v for k, v in records[at].items() if k not in ("hi", "exact")}
    return records[:at] + [{**r, "type": "unknown", "error": "invented", "code": 0}] + records[at + 1:]


def later_ack(records):
    return [{**r, "hi": f"{int(r['hi'].split(',')[0]) + 3600},1"} if r["type"] == "acked" and i > 40 else r for i, r in enumerate(records)]


BROKEN = {"JOURNAL_BROKEN", "JOURNAL_CUT"}
for text, what, change, rechain in (
        ("journal-cut", "the journal ends before the disaster", lambda r: r[:-20], False),
        ("journal-cut-before-the-bound", "the journal ends before the restore point", lambda r: r[:len(r) // 3], False),
        ("journal-without-a-record", "a record of the journal is missing", lambda r: without(r, 100), False),
        ("journal-without-a-record-chained-anew", "a record of the journal is missing, and the chain was made to fit", lambda r: without(r, 100), True),
        ("journal-reordered", "two records of the journal have changed places", lambda r: r[:90] + [r[91], r[90]] + r[92:], False),
        ("journal-record-twice", "a record of the journal is there twice", lambda r: r[:91] + r[90:], False),
        ("journal-edited", "an acknowledged tick is called unknown", with_unknown, False),
        ("journal-edited-chained-anew", "an acknowledged tick is called unknown, and the chain was made to fit", with_unknown, True)):
    CATALOGUE.append(Damage(text, "journal", what, INCONCLUSIVE, BROKEN, {}, edits("journal.jsonl", change, rechain), False))
CATALOGUE.append(Damage("journal-acks-moved-later", "journal", "acknowledgements were moved to after the restore point, and the chain was made to fit", FAIL, BROKEN, {},
                        edits("journal.jsonl", later_ack, True), False))


def other_head(records):
    """As if the drill had followed another journal."""
    at = next(i for i, r in enumerate(records) if i > 5 and r["type"] == "head")
    return records[:at] + [{**records[at], "journal": {**records[at]["journal"], "chain": "0" * 32}}] + records[at + 1:]


def no_event(name):
    return lambda records: [r for r in records if r.get("name") != name]


for text, what, codes, change in (
        ("timeline-without-the-disaster", "the timeline does not say when the disaster was, and the chain was made to fit", {"NO_DISASTER"}, no_event("disaster")),
        ("timeline-without-the-request", "the timeline does not say when the backup was requested, and the chain was made to fit", {"NO_ANCHOR"}, no_event("backup.requested")),
        ("timeline-of-another-journal", "the timeline has seen another journal than the one that is given, and the chain was made to fit", BROKEN, other_head)):
    CATALOGUE.append(Damage(text, "timeline", what, INCONCLUSIVE, codes, {}, edits("timeline.jsonl", change, True), False))
CATALOGUE.append(Damage("timeline-edited", "timeline", "a record of the timeline was altered", INCONCLUSIVE, {"TIMELINE_BROKEN"}, {},
                        edits("timeline.jsonl", lambda records: [{**r, "at": records[0]["at"]} if i == 5 else r for i, r in enumerate(records)]), False))


def one_more(records):
    """A lost tick counted as there, in the observation's own words."""
    return [{**r, "ranges": [[r["ranges"][0][0], str(int(r["ranges"][-1][1]) + 1)]]} if r["type"] == "intact" else r for r in records]


for text, what, codes, change, rechain in (
        ("observation-without-its-end", "the observation has no end", {"NO_OBSERVATION"}, lambda r: r[:-1], False),
        ("observation-edited", "a record of the observation was altered", {"OBSERVATION_BROKEN"}, one_more, False),
        ("observation-edited-chained-anew", "the observation says that a tick more is there, and the chain was made to fit", {"OBSERVATION_BROKEN", "NO_OBSERVATION"}, one_more, True)):
    CATALOGUE.append(Damage(text, "observation", what, INCONCLUSIVE, codes, {}, edits("observed.jsonl", change, rechain), False))
def made_later(records):
    """As if it had been described after the restore point, when it says nothing of what the backup must hold."""
    return [{**r, "until": f"{int(r['until'].split(',')[0]) + 3600},1"} if r["type"] == "open" else r for r in records]


def of_another_cluster(records):
    return [{**r, "cluster": {**r["cluster"], "id": "0" * 24}} if r["type"] == "open" else r for r in records]


for text, what, change, rechain in (
        ("description-cut", "the description of indexes and users has no end", lambda r: r[:-1], False),
        ("description-edited", "a record of the description was altered", lambda r: [{**d, "indexes": []} if d["type"] == "namespace" else d for d in r], False),
        ("description-made-later", "the description is from after the restore point, and the chain was made to fit", made_later, True),
        ("description-of-another-cluster", "the description is of another cluster, and the chain was made to fit", of_another_cluster, True)):
    CATALOGUE.append(Damage(text, "description", what, INCONCLUSIVE, {"BEFORE_UNUSABLE"}, {}, edits("described.jsonl", change, rechain), False))
for text, what, codes in (("journal", "the journal", {"NO_JOURNAL"}), ("timeline", "the timeline", {"NO_TIMELINE"}), ("bound", "the restore point", {"NO_BOUND"}),
                          ("observed", "the observation", {"NO_OBSERVATION"})):
    file = f"{text}.json" if text == "bound" else f"{text}.jsonl"
    CATALOGUE.append(Damage(f"{text}-missing", "evidence", f"{what} is missing", INCONCLUSIVE, codes, {}, lambda case, file=file: missing(case, file), False))


def counts():
    places = list(dict.fromkeys(d.place for d in CATALOGUE))
    numbers = [sum(d.place == p for d in CATALOGUE) for p in places]
    return "\n".join([f"| {' | '.join(places)} | all |", "| " + "---: | " * (len(places) + 1), f"| {' | '.join(map(str, numbers))} | {sum(numbers)} |"]).replace(" \n", "\n") + "\n"


def table():
    rows = [f"| {d.place} | `{d.name}` | {d.what} | {d.result} | {', '.join(f'`{c}`' for c in sorted(d.codes))} |" for d in CATALOGUE]
    return "\n".join(["| where | name | what | verdict | reason (one of) |", "| --- | --- | --- | --- | --- |", *rows]) + "\n"
