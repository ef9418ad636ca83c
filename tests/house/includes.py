#!/usr/bin/env python3
"""The direction of the house: which room may include which. Prints TAP; proves on a made-up tree that it can fail."""
import pathlib
import re
import sys
import tempfile

LAYERS = [["base"], ["doc", "tick", "net", "mongo"], ["evidence", "kube", "s3"], ["psmdb", "kasten"]]
# within a layer nobody uses a neighbour, with these exceptions
NEIGHBOURS = {("doc", "base")}
PROGRAMS = {"ticker", "verifier", "scenarios", "sandbox"}
# lib/psmdb and lib/kasten are the reading side; the sandbox keeps a writing side of its own
FORBIDDEN = {("sandbox", "psmdb"), ("sandbox", "kasten")}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def layer(room):
    for number, rooms in enumerate(LAYERS):
        if room in rooms:
            return number
    return None


def problem(room, used):
    """Why a file of `room` may not include a header of `used`; None if it may."""
    if room == used:
        return None
    if used in PROGRAMS:
        return f"{used} is a program: programs are met over the wire, not included"
    if layer(used) is None:
        return f"{used} is no room"
    if room in PROGRAMS:
        return f"{room} keeps a side of its own and may not read {used}" if (room, used) in FORBIDDEN else None
    if layer(used) < layer(room):
        return None
    return f"{used} is not below {room}"


def check(root):
    found, files = [], 0
    for path in sorted(root.rglob("*.[ch]")):
        parts = path.relative_to(root).parts
        if parts[0] == "lib" and len(parts) > 2:
            room = parts[1]
        elif parts[0] in PROGRAMS:
            room = parts[0]
        else:
            continue
        files += 1
        if room not in PROGRAMS and layer(room) is None:
            found.append(f"{path.relative_to(root)}: room {room} has no place in the order")
            continue
        for header in INCLUDE.findall(path.read_text(errors="replace")):
            if "/" not in header:
                found.append(f"{path.relative_to(root)}: \"{header}\" does not name its room")
                continue
            why = problem(room, header.split("/")[0])
            if why:
                found.append(f"{path.relative_to(root)}: \"{header}\": {why}")
    return found, files


def sees_a_wrong_include():
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path, header in [("lib/base/a.c", "mongo/client.h"), ("ticker/a.c", "verifier/judge.h"), ("lib/net/a.c", "mongo/client.h"),
                             ("sandbox/a.c", "psmdb/backup.h"), ("lib/evidence/a.c", "s3/s3.h"), ("verifier/a.c", "judge.h")]:
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f'#include "{header}"\n')
        return len(check(root)[0]) == 6


def main():
    found, files = check(pathlib.Path(sys.argv[1]))
    for line in found:
        print("#", line)
    print("not ok" if found or not files else "ok", f"1 - includes point one way in {files} files")
    print("ok" if sees_a_wrong_include() else "not ok", "2 - a wrong include is seen")
    print("1..2")


main()
