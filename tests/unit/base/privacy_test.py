"""The programs that handle secrets, while they run: no core dump, and no look inside for an ordinary user.

    privacy_test.py NON-DUMPABLE PROGRAM [ARGUMENT ...]     NON-DUMPABLE: 0 in a build whose sanitizer needs ptrace
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time


def limits(pid):
    text = pathlib.Path(f"/proc/{pid}/limits").read_text()
    return re.search(r"Max core file size\s+(\S+)\s+(\S+)", text).groups()


def main():
    private, argv = sys.argv[1] == "1", sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        if "follow" in argv:
            subprocess.run([argv[0], "init", "--run", "run"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        # a program that is allowed core dumps when it begins, and has something to wait for
        child = subprocess.Popen(["/bin/sh", "-c", 'ulimit -S -c unlimited 2>/dev/null || ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "sh", *argv], cwd=folder,
                                 stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 10
            while time.monotonic() < end and limits(child.pid) != ("0", "0"):
                assert child.poll() is None, f"ended with {child.returncode}"
                time.sleep(0.02)
            assert limits(child.pid) == ("0", "0"), limits(child.pid)
            # what may not be dumped belongs to root in /proc; root itself is told nothing by that
            if private and os.getuid():
                assert os.stat(f"/proc/{child.pid}/environ").st_uid == 0
                try:
                    pathlib.Path(f"/proc/{child.pid}/environ").read_bytes()
                    raise AssertionError("its environment can be read")
                except PermissionError:
                    pass
        finally:
            child.kill()
            child.wait()
    print("ok 1 - no core dump, and no look inside\n1..1")


main()
