"""The embedded API server as a process of a test: psmdb-sandbox serve api, in a folder of its own."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PROGRAM = os.environ.get("PSMDB_SANDBOX") or os.path.join(os.environ["BUILD_DIR"], "sandbox", "psmdb-sandbox")
ADDRESS = "127.0.0.1"


def free_port():
    with socket.socket() as s:
        s.bind((ADDRESS, 0))
        return s.getsockname()[1]


class Server:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="drill-api-")
        self.port = free_port()
        self.kubeconfig = os.path.join(self.dir, "kubeconfig")
        self.process = None
        self.start()

    def args(self):
        return [PROGRAM, "serve", "api", "--dir", self.dir, "--address", ADDRESS, "--port", str(self.port),
                "--service-range", "127.9.9.128-127.9.9.254"]

    def start(self):
        log = os.path.join(self.dir, "api.log")
        begin = os.path.getsize(log) if os.path.exists(log) else 0
        with open(log, "ab") as out:
            self.process = subprocess.Popen(self.args(), stdout=out, stderr=out)
        deadline = time.monotonic() + 20
        while True:
            with open(log, "rb") as f:
                f.seek(begin)
                text = f.read()
            if b"msg=ready" in text:
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the API server does not start: {text.decode(errors='replace')}")
            time.sleep(0.01)

    def stop(self):
        """By SIGTERM: the exit status, and the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20), time.monotonic() - began
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("SIGTERM did not end the API server within 20 s") from None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def remove(self):
        if self.process.poll() is None:
            self.kill()
        if os.environ.get("PSMDB_DRILL_KEEP"):
            print("# see", self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
