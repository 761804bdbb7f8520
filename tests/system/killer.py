"""Writes through the API from several connections at once, kills the daemon in the middle, and keeps book.

killer.py kill SOCKET BOOK PID SEED MILLISECONDS
    Writes until MILLISECONDS after every connection had its first answer, then SIGKILLs PID. Appends to BOOK a line
    "asked NAME VERSION" before each request and "told NAME VERSION" for each change that was acknowledged. Prints how many
    requests were under way, sent whole and not answered, when the daemon died.
killer.py check SOCKET BOOK
    Every change that was acknowledged is there, or a later one that was asked for; no document is half of one and half of
    another, and each can be planned. Prints what was looked at; exit 1 and the differences otherwise.
"""
import http.client
import json
import os
import random
import signal
import socket
import sys
import threading
import time
from urllib.parse import quote

CONNECTIONS = 4
NAMES = 25  # of each connection
FINE = ("created", "updated", "unchanged")


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


def document(name, version):
    """Version is in three places, and in what the daemon makes of the document."""
    return {
        "profile_format": 1,
        "endpoint": name,
        "labels": {"version": str(version)},
        "credentials": {"bootstrap": {"mode": "psk", "identity": name, "key": {"generate": 16}}},
        "servers": {
            "dm": {
                "short_server_id": 101,
                "uri": "coaps://192.0.2.1:%d" % (1024 + version % 60000),
                "security": {"mode": "psk", "identity": name, "key": {"generate": 16}},
                "lifetime": 100 + version,
                "binding": "U",
            }
        },
        "bootstrap": {"policy": "replace"},
    }


def read_book(path):
    asked, told = {}, {}
    if os.path.exists(path):
        with open(path) as f:
            for line in f:
                kind, name, version = line.split()
                book = asked if kind == "asked" else told
                book.setdefault(name, set()).add(int(version))
    return asked, told


class Writer(threading.Thread):
    def __init__(self, number, path, book, seed, asked):
        super().__init__(daemon=True)
        self.connection = Connection(path)
        self.book = book
        self.random = random.Random(seed * 1000 + number)
        self.versions = {"kill-%d-%d" % (number, i): 0 for i in range(NAMES)}
        for name in self.versions:
            self.versions[name] = max(asked.get(name, {0}))
        self.first = threading.Event()
        self.lost = False
        self.problem = None

    def once(self):
        names = self.random.sample(sorted(self.versions), self.random.choice((1, 1, 2, 5, NAMES)))
        for name in names:
            self.versions[name] += 1
        body = "".join(json.dumps({"doc": document(n, self.versions[n])}) + "\n" for n in names)
        self.book.write("".join("asked %s %d\n" % (n, self.versions[n]) for n in names))
        self.connection.request("POST", "/v1/apply", body, {"Content-Type": "application/x-ndjson"})
        self.lost = True
        answer = self.connection.getresponse()
        text = answer.read()
        self.lost = False
        if answer.status != 200:
            raise ValueError("%d %s" % (answer.status, text))
        rows = [json.loads(line) for line in text.splitlines()]
        if len(rows) != len(names):
            raise ValueError("%d rows for %d documents" % (len(rows), len(names)))
        for row in rows:
            if row["result"] not in FINE:
                raise ValueError(json.dumps(row))
            self.book.write("told %s %d\n" % (row["name"], self.versions[row["name"]]))

    def run(self):
        try:
            while True:
                self.once()
                self.first.set()
        except (OSError, http.client.HTTPException):
            pass  # it was killed
        except ValueError as e:
            self.problem = str(e)
        self.first.set()


def kill(path, book_path, pid, seed, milliseconds):
    asked, _ = read_book(book_path)
    with open(book_path, "a", buffering=1) as book:
        writers = [Writer(i, path, book, seed, asked) for i in range(CONNECTIONS)]
        for w in writers:
            w.start()
        for w in writers:
            w.first.wait(60)
        time.sleep(milliseconds / 1000)
        os.kill(pid, signal.SIGKILL)
        for w in writers:
            w.join(60)
    problems = [w.problem for w in writers if w.problem]
    if problems or any(w.is_alive() for w in writers):
        sys.exit("\n".join(problems) or "a connection outlived the daemon")
    print(sum(w.lost for w in writers))


def get(connection, path):
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read()
    return answer.status, json.loads(text) if text else None


def look_at(connection, name, versions, told):
    status, device = get(connection, "/v1/devices/" + quote(name, safe=""))
    if status == 404:
        return "lost" if told else None
    if status != 200:
        return "status %d" % status
    found = device["document"]
    version = int(found["labels"]["version"])
    if version < max(told or {0}):
        return "has version %d, %d was acknowledged" % (version, max(told))
    if version not in versions:
        return "has version %d, which nobody wrote" % version
    want = document(name, version)
    server = found["servers"]["dm"]
    if server["lifetime"] != want["servers"]["dm"]["lifetime"] or server["uri"] != want["servers"]["dm"]["uri"]:
        return "is half version %d and half another" % version
    status, plan = get(connection, "/v1/devices/%s/plan" % quote(name, safe=""))
    if status != 200 or str(100 + version) not in json.dumps(plan):
        return "plan of version %d: status %d" % (version, status)
    return None


def check(path, book_path):
    asked, told = read_book(book_path)
    connection = Connection(path)
    wrong = 0
    for name, versions in sorted(asked.items()):
        problem = look_at(connection, name, versions, told.get(name))
        if problem:
            print("# %s %s" % (name, problem))
            wrong += 1
    print("# %d devices, %d changes acknowledged, %d asked for" % (
        len(asked), sum(map(len, told.values())), sum(map(len, asked.values()))))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    if sys.argv[1] == "kill":
        kill(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]))
    else:
        check(sys.argv[2], sys.argv[3])
