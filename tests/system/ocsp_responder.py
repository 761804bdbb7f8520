"""openssl's OCSP responder behind HTTP on 127.0.0.1, which it does not bind itself, with faults when asked.

ocsp_responder.py FOLDER
    FOLDER has what "openssl ca" keeps (index), ca.pem, ocsp.pem, ocsp.key, and mode: one word, read at each request.
    up answers; 500 says so; down closes the connection; hang never answers. Writes FOLDER/port when it is ready and a
    line to FOLDER/requests for each request.
"""
import os
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

folder = sys.argv[1]
lock = threading.Lock()


def read(name):
    with open(os.path.join(folder, name)) as f:
        return f.read().strip()


def note(line):
    with lock, open(os.path.join(folder, "requests"), "a") as f:
        f.write(line + "\n")


def respond(request):
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/request", "wb") as f:
            f.write(request)
        subprocess.run(
            ["openssl", "ocsp", "-index", folder + "/index", "-CA", folder + "/ca.pem", "-rsigner", folder + "/ocsp.pem",
             "-rkey", folder + "/ocsp.key", "-ndays", "1", "-reqin", d + "/request", "-respout", d + "/response"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(d + "/response", "rb") as f:
            return f.read()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        request = self.rfile.read(int(self.headers["Content-Length"]))
        mode = read("mode")
        note(mode)
        if mode == "hang":
            time.sleep(3600)
        if mode != "up" and mode != "500":
            self.close_connection = True
            return
        body = respond(request) if mode == "up" else b"no"
        self.send_response(200 if mode == "up" else 500)
        self.send_header("Content-Type", "application/ocsp-response")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(folder + "/port.new", "w") as f:
    f.write(str(server.server_port))
os.rename(folder + "/port.new", folder + "/port")
server.serve_forever()
