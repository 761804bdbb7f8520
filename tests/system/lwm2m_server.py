"""The REST side of an LwM2M Server on 127.0.0.1, as platforms have it, with faults when asked.

lwm2m_server.py FOLDER
    Speaks as Leshan's server demo does, or as FOLDER/kind says: thingsboard, coiote. FOLDER/mode is one word, read at
    each request: up answers; down closes the connection; hang never answers; 500 says so; 400 refuses; echo refuses and
    repeats what came in; garbage answers 200 with what nobody asked for; deaf does what it is asked for and closes the
    connection without a word. FOLDER/only, when it is there, has an expression: other requests ("METHOD URL") are
    answered as if it were up. last answers once more, and is down from then on; gone does what it is asked for, closes
    the connection, and is down from then on. FOLDER/clients.json is what it knows, by endpoint; FOLDER/requests has a line for each
    request, with what came in. FOLDER/devices/ENDPOINT, when it is there, is a device that is registered: "INSTANCE
    SSID ANSWER", which instance of its Object 1 has which Short Server ID, and what it answers a trigger: a status as
    Leshan spells it, asleep, or silent. FOLDER/port is written when it is ready. FOLDER/token, when it is there, is the
    one that it wants.
"""
import json
import os
import re
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.dont_write_bytecode = True
import platforms  # noqa: E402

folder = sys.argv[1]
lock = threading.Lock()
clients = {}


def path(name):
    return os.path.join(folder, name)


def read(name, default=""):
    try:
        with open(path(name)) as f:
            return f.read().strip()
    except FileNotFoundError:
        return default


def put(name, text):
    with open(path(name + ".new"), "w") as f:
        f.write(text)
    os.rename(path(name + ".new"), path(name))


def save():
    put("clients.json", json.dumps(clients, indent=1, sort_keys=True))


if os.path.exists(path("clients.json")):
    clients = json.loads(read("clients.json"))
save()


def leshan(method, url, body):
    """(status, text) as its SecurityServlet answers; None: another servlet's."""
    parts = url.split("/")
    if method == "PUT" and url == "/api/security/clients/":
        try:
            v = json.loads(body)
            endpoint, tls = v["endpoint"], v["tls"]
            identity = tls["details"]["identity"] if tls["mode"] == "psk" else None
            if tls["mode"] != "x509":
                bytes.fromhex(tls["details"]["key"])
        except (ValueError, KeyError) as e:
            return 400, "Invalid request body: %s" % e
        for other, info in clients.items():
            if identity is not None and other != endpoint and info["tls"].get("details", {}).get("identity") == identity:
                return 400, "PSK Identity %s is already used" % identity
        clients[endpoint] = v
        return 200, ""
    if method == "DELETE" and len(parts) == 5 and url.startswith("/api/security/clients/"):
        known = clients.pop(urllib.parse.unquote(parts[4]), None)
        return 200, "" if known else '{"message":"not_found"}'
    if method == "GET" and url == "/api/server/endpoint":
        return 200, '[{"uri":{"full":"coaps://127.0.0.1:5684"},"description":"fake"}]'
    if len(parts) > 4 and url.startswith("/api/clients/"):
        return ask_device(method, urllib.parse.unquote(parts[3]), url.split("?")[0].split("/")[4:])
    return 404, "nothing is here"


def ask_device(method, endpoint, where):
    """As its ClientServlet answers: a read of Object 1, and an execution of its Resource 9."""
    if not re.fullmatch("[a-z0-9:-]+", endpoint) or not read("devices/" + endpoint):
        return 400, "No registered client with id '%s'" % endpoint
    instance, ssid, answer = read("devices/" + endpoint).split()
    if answer == "silent":
        return 504, "Request timeout"
    if answer == "asleep":
        return 200, json.dumps({"ep": endpoint, "path": "/" + "/".join(where), "requestId": "1", "response": None, "delayed": True})
    if method == "GET" and where == ["1"]:
        resources = [{"kind": "singleResource", "id": 0, "type": "INTEGER", "value": ssid}]
        instances = [{"kind": "instance", "id": int(instance), "resources": resources}]
        return 200, json.dumps({"status": "CONTENT(205)", "valid": True, "success": True, "failure": False,
                                "content": {"kind": "obj", "id": 1, "instances": instances}})
    if method == "POST" and len(where) == 3 and where[0] == "1" and where[2] == "9":
        status = answer if where[1] == instance else "NOT_FOUND(404)"
        good = status.startswith("CHANGED")
        return 200, json.dumps({"status": status, "valid": True, "success": good, "failure": not good})
    return 400, "invalid path"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def take(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with lock:
            mode = read("mode", "up") if re.search(read("only"), self.command + " " + self.path) else "up"
            with open(path("requests"), "a") as f:
                f.write("%s %s %s %s\n" % (mode, self.command, self.path, body.decode()))
        if mode == "hang":
            time.sleep(3600)
        if mode == "down":
            self.close_connection = True
            return
        kind = read("kind", "leshan")
        if kind != "leshan":
            self.take_as(kind, mode, body)
            return
        token = read("token")
        if token and self.headers.get("Authorization") != "Bearer " + token:
            self.answer(401, "no")
        elif mode in ("500", "400", "302"):
            self.answer(int(mode), "it said %s" % mode)
        else:
            with lock:
                status, text = leshan(self.command, self.path, body)
                save()
                if mode in ("last", "gone"):
                    put("mode", "down")
            if mode in ("deaf", "gone"):
                self.close_connection = True
            else:
                self.answer(status, text)

    def take_as(self, kind, mode, body):
        if mode in ("500", "400", "302"):
            self.answer(int(mode), json.dumps({"message": "it said " + mode, "error": "it said " + mode}))
        elif mode == "echo":
            text = body.decode() + " " + str(self.headers)
            self.answer(400, json.dumps({"message": text, "error": text}))
        elif mode == "garbage":
            self.answer(200, "<html>welcome</html>")
        else:
            with lock:
                status, text = platforms.KINDS[kind](clients, self.command, self.path, self.headers, body, read)
                save()
            if mode == "deaf":
                self.close_connection = True
            else:
                self.answer(status, text)

    do_GET = do_PUT = do_DELETE = do_POST = take

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args):
        pass


port = int(read("port", "0"))
server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
server.daemon_threads = True
put("port", str(server.server_port))
server.serve_forever()
