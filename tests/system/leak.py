"""Looks for keys where none may be, in every form in which somebody might write them down.

leak.py scan KEYS PATH...       files, and folders with all below; of SQLite files every value too. Exit 1: something was found.
leak.py proc KEYS STOP          command lines and environments of all processes, again and again until the file STOP is there.
leak.py prove KEYS PLACE=FILE.. plants a key, in each form, in a copy of each FILE, and in a process; each must be found,
                                and without it nothing. PLACE is store, wal (FILE is a store) or any name of a text file.
KEYS has lines "NAME HEX".
"""
import base64
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

SKIPPED = ("keys", "store.key")


# --- forms: what is planted, by name -------------------------------------------------------------

def joined(form, between):
    return lambda k: between.join(form % b for b in k).encode()


FORMS = {
    "raw octets": lambda k: k,
    "hex": joined("%02x", ""),
    "HEX": joined("%02X", ""),
    "hex with colons": joined("%02x", ":"),
    "HEX with blanks": joined("%02X", " "),
    "base64": base64.b64encode,
    "base64url": lambda k: base64.urlsafe_b64encode(k).rstrip(b"="),
    "base64 of more": lambda k: base64.b64encode(b"\x30" + k + b"tail"),
    "base64url of more": lambda k: base64.urlsafe_b64encode(b"\x30\x82" + k + b"tail"),
    "base64 in lines": lambda k: re.sub(rb"(.{10})", rb"\1\n", base64.b64encode(k)),
    "numbers": joined("%d", ","),
    "numbers with blanks": joined("%d", ", "),
    "signed numbers": lambda k: ", ".join(str(b - 256 if b > 127 else b) for b in k).encode(),
    "0x numbers": joined("0x%02x", ", "),
    "escapes": joined("\\x%02x", ""),
    "percent": joined("%%%02X", ""),
    "a JSON string": lambda k: json.dumps(k.decode("latin-1"))[1:-1].encode(),
    "UTF-8": lambda k: k.decode("latin-1").encode(),
}


# --- finding ---------------------------------------------------------------------------------------

def base64_cores(k):
    """What base64 of anything with k inside must hold, for each of the three alignments."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + k + b"\0\0\0")
        first, last = -(-before * 8 // 6), (before + len(k)) * 8 // 6
        yield text[first:last]


class Key:
    def __init__(self, name, octets):
        self.name, self.octets = name, octets
        self.plain = {octets, FORMS["a JSON string"](octets), FORMS["UTF-8"](octets)}
        self.packed = set()
        for core in base64_cores(octets):
            self.packed |= {core, core.translate(bytes.maketrans(b"+/", b"-_"))}
        between = rb"[\s:,;_-]*"
        self.hex = re.compile(between.join(rb"(?:0x|\\x|%%|\\u00)?%02x" % b for b in octets), re.I)
        self.numbers = re.compile(rb"(?<!\d)" + rb"[\s,;]+".join(
            rb"(?:%d|-%d)" % (b, 256 - b) if b > 127 else rb"%d" % b for b in octets) + rb"(?!\d)")

    def within(self, data):
        dense = re.sub(rb"\s+|\\[nr/]", lambda m: b"/" if m[0] == b"\\/" else b"", data)
        if any(p in data for p in self.plain):
            return "as it is"
        if any(p in dense for p in self.packed):
            return "in base64"
        if self.hex.search(data):
            return "in hex"
        return "as numbers" if self.numbers.search(data) else None


def read_keys(path):
    with open(path) as f:
        return [Key(line.split()[0], bytes.fromhex(line.split()[1])) for line in f]


def values_of(path):
    """Every value of an SQLite file, wherever its pages break it."""
    db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    db.text_factory = bytes
    tables = [row[0].decode() for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    values = []
    for table in tables:
        for row in db.execute('SELECT * FROM "%s"' % table):
            values += [v if isinstance(v, bytes) else str(v).encode() for v in row if v is not None]
    db.close()
    return b"\n".join(values)


def files_below(paths):
    for path in paths:
        if not os.path.isdir(path):
            yield path
        for folder, folders, names in os.walk(path):
            folders[:] = [f for f in folders if f not in SKIPPED]
            for name in sorted(names):
                full = os.path.join(folder, name)
                if name not in SKIPPED and os.path.isfile(full):
                    yield full


def scan(keys, paths):
    """(what was found, files, octets)"""
    found, n, octets = [], 0, 0
    for path in files_below(paths):
        with open(path, "rb") as f:
            data = f.read()
        if data.startswith(b"SQLite format 3"):
            data += values_of(path)
        n, octets = n + 1, octets + len(data)
        for key in keys:
            how = key.within(data)
            if how:
                found.append("%s: %s, %s" % (path, key.name, how))
    return found, n, octets


def processes():
    """{what a process shows: whose}"""
    shown = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name in ("cmdline", "environ"):
            try:
                with open("/proc/%s/%s" % (pid, name), "rb") as f:
                    data = f.read()
            except OSError:
                continue
            if data:
                shown[data] = "/proc/%s/%s" % (pid, name)
    return shown


def in_processes(keys, shown):
    return ["%s: %s, %s" % (whose, key.name, key.within(data)) for data, whose in shown.items() for key in keys if key.within(data)]


# --- the proof ----------------------------------------------------------------------------------------

def plant_in_text(source, folder, planted):
    path = os.path.join(folder, "text")
    shutil.copy(source, path)
    with open(path, "ab") as f:
        f.write(b'{"detail": "' + planted + b'"}\n')
    return [path]


def plant_in_store(source, folder, planted):
    path = os.path.join(folder, "store.db")
    shutil.copy(source, path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = DELETE")
    db.execute("CREATE TABLE planted (v)")
    db.execute("INSERT INTO planted VALUES (?)", (b"x" * 5000 + planted + b"x" * 5000,))
    db.commit()
    db.close()
    return [path]


def plant_in_wal(source, folder, planted):
    """Only the WAL has it, and only the WAL is looked at."""
    path = os.path.join(folder, "store.db")
    shutil.copy(source, path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute("CREATE TABLE planted (v)")
    db.execute("INSERT INTO planted VALUES (?)", (planted,))
    db.commit()
    shutil.copy(path + "-wal", path + ".kept")
    db.close()
    return [path + ".kept"]


def plant_in_process(keys, planted, where):
    argv, environment = [b"/bin/sh", b"-c", b"read x"], None
    if where == "cmdline":
        argv.append(b"--key=" + planted)
    else:
        environment = {b"KEY": planted}
    child = subprocess.Popen(argv, env=environment, stdin=subprocess.PIPE)
    try:
        until = time.monotonic() + 30  # the kernel shows them only some time after the start
        while time.monotonic() < until:
            if any("/%d/%s:" % (child.pid, where) in f for f in in_processes(keys, processes())):
                return True
        return False
    finally:
        child.kill()
        child.wait()


PLANTS = {"store": plant_in_store, "wal": plant_in_wal}


def prove(keys, places):
    missed, n = [], 0
    octets = next(k.octets for k in keys if 0 not in k.octets)  # no command line has a NUL inside
    for place in places:
        place, source = place.split("=", 1)
        for form, make in FORMS.items():
            with tempfile.TemporaryDirectory() as folder:
                paths = PLANTS.get(place, plant_in_text)(source, folder, make(octets))
                if not scan(keys, paths)[0]:
                    missed.append("%s in %s" % (form, place))
            n += 1
        with tempfile.TemporaryDirectory() as folder:
            paths = PLANTS.get(place, plant_in_text)(source, folder, b"nothing")
            missed += ["without a key: " + f for f in scan(keys, paths)[0]]
    for where in ("cmdline", "environ"):
        for form, make in FORMS.items():
            if not plant_in_process(keys, make(octets), where):
                missed.append("%s in %s" % (form, where))
            n += 1
    return missed, n


def main():
    keys = read_keys(sys.argv[2])
    if sys.argv[1] == "scan":
        found, n, octets = scan(keys, sys.argv[3:])
        print("# %d keys, %d files, %d octets: %d finds" % (len(keys), n, octets, len(found)))
    elif sys.argv[1] == "proc":
        shown = {}
        parent = os.getppid()
        while not os.path.exists(sys.argv[3]) and os.getppid() == parent:
            shown.update(processes())
            time.sleep(0.003)
        found = in_processes(keys, shown)
        ours = sum(1 for data in shown if b"lwm2m-prov\0" in data or b"bsserver\0" in data)
        print("# %d command lines and environments, %d command lines of ours: %d finds" % (len(shown), ours, len(found)))
        if ours < 2:
            found.append("neither the daemon nor the command line was seen")
    else:
        found, n = prove(keys, sys.argv[3:])
        print("# %d plants, %d missed" % (n, len(found)))
    print("\n".join("# " + f for f in found[:50]), end="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
