"""What a watch or a list of a busy API server must have shown, held against the whole history of a kind."""
import dataclasses
import http.client
import json
import random
import socket
import threading

Event = dataclasses.make_dataclass("Event", ["type", "place", "version", "labels"], frozen=True, namespace={"__hash__": lambda e: hash((e.place, e.version))})


def event(type_, item, cluster):
    """None: an object of somebody else's."""
    meta = item["metadata"]
    if not meta.get("namespace", "").startswith("load-"):
        return None
    assert meta["labels"]["cluster"] == cluster, f"an object of another cluster is seen in {cluster}: {meta}"
    return Event(type_, f"{meta['namespace']}/{meta['name']}", int(meta["resourceVersion"]), tuple(sorted(meta["labels"].items())))


class Line:
    """A connection that is kept, to one API server."""

    def __init__(self, api, timeout=40):
        host, port = api.server.removeprefix("https://").split(":")
        self.api = api
        self.connection = http.client.HTTPSConnection(host, int(port), context=api.tls, timeout=timeout)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method, path, body=None, kind="application/json"):
        self.connection.request(method, path, None if body is None else json.dumps(body), {"Authorization": f"Bearer {self.api.token}", "Content-Type": kind})
        return self.connection.getresponse()

    def call(self, method, path, body=None, kind="application/json"):
        answer = self.ask(method, path, body, kind)
        text = answer.read()
        assert answer.status < 300, (method, path, answer.status, text[:500])
        return json.loads(text)

    def close(self):
        self.connection.close()


class Watcher(threading.Thread):
    """
    Reads every event of a path from a version on, until one of an object of that name. rude: it leaves in the middle again and again, and goes
    on from the last version it knows, an event's or a bookmark's.
    """

    def __init__(self, api, cluster, path, version, last, rude=False):
        super().__init__(daemon=True)
        self.api, self.cluster, self.path, self.version, self.last, self.rude = api, cluster, path, version, last, rude
        self.events, self.bookmarks, self.resumes, self.error = [], 0, 0, None
        self.start()

    def run(self):
        try:
            rng = random.Random(self.path)
            while not self.read(rng.randint(20, 200) if self.rude else 1 << 30):
                self.resumes += 1
        except Exception as error:  # pylint: disable=broad-exception-caught
            self.error = error

    def read(self, most):
        """True: the last one came."""
        line = Line(self.api)
        try:
            path = f"{self.path}{'&' if '?' in self.path else '?'}watch=1&allowWatchBookmarks=true&resourceVersion={self.version}"
            answer = line.ask("GET", path + ("&timeoutSeconds=3" if self.rude else ""))
            assert answer.status == 200, answer.read()
            for _ in range(most):
                text = answer.readline()
                if not text:
                    assert self.rude, "the watch has ended"
                    return False
                if self.take(json.loads(text)):
                    return True
            return False
        finally:
            line.close()

    def take(self, got):
        assert got["type"] in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK"), got
        self.version = int(got["object"]["metadata"]["resourceVersion"])
        if got["type"] == "BOOKMARK":
            self.bookmarks += 1
            return False
        seen = event(got["type"], got["object"], self.cluster)
        if seen:
            self.events.append(seen)
        return bool(seen) and seen.place.endswith("/" + self.last)


def selects(labels, selector):
    return not selector or tuple(selector.split("=")) in labels


def state(history, version=None, selector=None):
    """place -> version, of the objects as they were then."""
    there = {}
    for e in history:
        if version is not None and e.version > version:
            break
        if e.type == "DELETED":
            del there[e.place]
        else:
            there[e.place] = e
    return {place: e.version for place, e in there.items() if selects(e.labels, selector)}


def check_history(history):
    """Each change once and in order, and each life from its beginning to its end."""
    there, before = {}, 0
    for e in history:
        assert e.version > before, f"{e} comes behind version {before}"
        before = e.version
        assert (e.type == "ADDED") == (e.place not in there), f"{e}, and before it {there.get(e.place)}"
        there[e.place] = e
        if e.type == "DELETED":
            del there[e.place]


def check_replies(history, wrote, places):
    """Whoever wrote was answered with the version, or (places) is only known to have changed it once."""
    seen = {(e.place, e.version) for e in history if e.type != "DELETED"}
    missing, more = sorted(wrote - seen), sorted(seen - wrote)
    assert not missing, f"{len(missing)} changes were answered for and not seen, such as {missing[:3]}"
    assert sorted(place for place, _ in more) == sorted(places), f"{len(more)} changes were seen beside those answered for, not {len(places)}: {more[:3]}"


def selected(history, selector):
    """The events of a watch that selects: what leaves the selection is deleted, what enters it is added."""
    inside, events = set(), []
    for e in history:
        now, before = e.type != "DELETED" and selects(e.labels, selector), e.place in inside
        (inside.add if now else inside.discard)(e.place)
        if now or before:
            events.append(dataclasses.replace(e, type="MODIFIED" if now and before else "ADDED" if now else "DELETED"))
    return events


def check_same(history, events, who):
    for at, (wanted, got) in enumerate(zip(history, events)):
        assert wanted == got, f"{who}: event {at} is {got}, not {wanted}"
    assert len(events) == len(history), f"{who}: {len(events)} events, not {len(history)}"


def check_list_and_watch(history, events, who):
    """A list at some version, and each change behind it: where one ends and the other begins is for the events to show."""
    behind = 0
    while behind < min(len(events), len(history)) and events[-behind - 1] == history[-behind - 1]:
        behind += 1
    for changes in range(behind, max(behind - 100, -1), -1):
        first = events[:len(events) - changes]
        if [(e.place, e.version) for e in first] == sorted(state(history[:len(history) - changes]).items()):
            assert all(e.type == "ADDED" for e in first)
            return
    at = len(events) - behind - 1
    seen = [(e.type, e.place, e.version) for e in events]
    raise AssertionError(f"{who}: of {len(events)} events ({len(seen) - len(set(seen))} twice) only the last {behind} are the history's; before them {events[max(at, 0)]}, "
                         f"in the history {history[len(history) - behind - 1]}")
