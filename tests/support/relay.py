"""TCP relays in one thread that tests can make worse: connections dropped, swallowed, or held back and delivered later.

A relay knows by /proc which of the given processes a connection comes from, so that a member can be cut off from the others and not from
its clients.
"""
import asyncio
import os
import socket
import threading


def number_of(address):
    """As /proc/net/tcp writes it."""
    host, port = address[:2]
    return f"{int.from_bytes(socket.inet_aton(host), 'little'):08X}:{port:04X}"


def owner(here, there, pids):
    """Which of these processes has the socket with these addresses. None: another."""
    ends = [number_of(here), number_of(there)]
    with open("/proc/net/tcp") as f:
        inodes = [fields[9] for fields in (line.split() for line in f) if fields[1:3] == ends]
    for pid in pids:
        for fd in os.listdir(f"/proc/{pid}/fd") if os.path.exists(f"/proc/{pid}/fd") else ():
            try:
                if os.readlink(f"/proc/{pid}/fd/{fd}") == f"socket:[{inodes[0]}]":
                    return pid
            except (OSError, IndexError):
                continue
    return None


class Connection:
    def __init__(self, relay, source):
        self.relay, self.source, self.writers, self.gate = relay, source, [], asyncio.Event()
        self.gate.set()

    def drop(self):
        self.gate.set()
        for writer in self.writers:
            writer.transport.abort()


class Relay:
    """From an address to another. What may pass is asked for each connection when it is made, and can be changed later."""

    def __init__(self, switchboard, host, port, to):
        self.board, self.address, self.to, self.connections = switchboard, (host, port), to, set()
        self.refuses = lambda source: False  # closes new connections
        self.holds = lambda source: False    # new connections are taken and nothing of them passes
        switchboard.call(self._listen())

    async def _listen(self):
        self.server = await asyncio.start_server(self._serve, *self.address)

    async def _serve(self, reader, writer):
        source = await asyncio.to_thread(owner, writer.get_extra_info("peername"), self.address, self.board.pids())
        if self.refuses(source):
            await asyncio.sleep(0.3)  # who is refused comes again at once: a thousand times a second takes the others' turn
            writer.transport.abort()
            return
        c = Connection(self, source)
        c.writers.append(writer)
        if self.holds(source):
            c.gate.clear()
        self.connections.add(c)
        try:
            await c.gate.wait()
            there_reader, there = await asyncio.open_connection(*self.to)
            c.writers.append(there)
            await asyncio.gather(self._pump(c, reader, there), self._pump(c, there_reader, writer))
        except OSError:
            pass
        finally:
            c.drop()
            self.connections.discard(c)

    async def _pump(self, c, reader, writer):
        while data := await reader.read(65536):
            await c.gate.wait()
            writer.write(data)
            await writer.drain()
        await c.gate.wait()
        if writer.can_write_eof():
            writer.write_eof()

    # --- from other threads

    def drop(self, which=lambda source: True):
        def now():
            for c in list(self.connections):
                if which(c.source):
                    c.drop()
        self.board.soon(now)

    def hold(self, which=lambda source: True):
        """What these connections say from now on is kept back, in both directions."""
        def now():
            for c in self.connections:
                if which(c.source):
                    c.gate.clear()
        self.board.soon(now)

    def release(self):
        """What was kept back is delivered."""
        def now():
            for c in self.connections:
                c.gate.set()
        self.board.soon(now)


class Switchboard:
    """The thread of the relays. pids: gives the processes to be told apart."""

    def __init__(self, pids):
        self.pids = pids
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda loop, context: None)
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    def soon(self, function):
        async def run():
            function()
        self.call(run())
