"""Devices with certificates: a CA, its responder, a daemon that asks it, and the bare handshake loop beside it."""
import concurrent.futures
import json
import os
import shutil
import socket
import subprocess
import threading
import time

from world import Bsserver, Server, Trouble, free_port

PATTERN = "cert-%06u"
RESPONDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "system", "ocsp_responder.py")


class Pki:
    """A CA made by lwm2m-prov, a server certificate, and one for each device."""

    def __init__(self, build, folder):
        self.binary = os.path.join(build, "lwm2m-prov", "lwm2m-prov")
        self.folder = folder
        os.makedirs(folder)
        self.ca = os.path.join(folder, "ca")
        self.prov("ca", "init", self.ca, "--subject", "CN=bench")
        self.issue("server", "server", "--name", "ip:127.0.0.1")

    def prov(self, *argv):
        done = subprocess.run([self.binary, "pki"] + list(argv), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Trouble("lwm2m-prov pki %s:\n%s%s" % (" ".join(argv), done.stdout, done.stderr))

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, purpose, *options):
        out = ("--out", self.path(name + ".pem"), "--key-out", self.path(name + ".key"))
        self.prov("issue", self.ca, "--subject", "CN=" + name, "--purpose", purpose, *out, *options)

    def devices(self, first, count, url):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for _ in pool.map(lambda i: self.issue(PATTERN % i, "client", "--ocsp-url", url), range(first, first + count)):
                pass

    def index(self):
        """What openssl's responder reads: all that was issued is valid."""
        with open(os.path.join(self.ca, "issued.ndjson"), encoding="utf-8") as f:
            issued = [json.loads(line) for line in f]
        with open(self.path("index"), "w", encoding="ascii") as f:
            for c in issued:
                until = time.strftime("%y%m%d%H%M%SZ", time.gmtime(c["not_after"]))
                f.write("V\t%s\t\t%s\tunknown\t/%s\n" % (until, c["serial"].upper(), c["subject"]))

    def begin_responder(self, core):
        """Answers signed by the CA; the process, and its URL."""
        for suffix in (".pem", ".key"):
            shutil.copy(os.path.join(self.ca, "ca" + suffix), self.path("ocsp" + suffix))
        shutil.copy(os.path.join(self.ca, "ca.pem"), self.path("ca.pem"))
        with open(self.path("mode"), "w", encoding="ascii") as f:
            f.write("up\n")
        return Responder(self.folder, core)


class Responder(Server):
    def __init__(self, folder, core):
        super().__init__("responder", core, folder)
        self.pki = folder

    def begin(self):
        self.start(["/usr/bin/env", "python3", RESPONDER, self.pki], "")
        port = os.path.join(self.pki, "port")
        until = time.monotonic() + 60
        while not os.path.exists(port):
            if time.monotonic() > until or self.process.poll() is not None:
                raise Trouble("the responder does not start: " + self.said())
            time.sleep(0.02)
        with open(port, encoding="ascii") as f:
            return "http://127.0.0.1:%s/" % f.read().strip()


class CertServer(Bsserver):
    """The product with one listener for keys and certificates, which asks about each certificate."""

    def __init__(self, name, build, core, work, pki):
        super().__init__("bsserver " + name, build, core, work)
        self.pki = pki

    more = ()

    def edits(self):
        return self.more + (
            (
                '{ uri = "coaps://[::]:5684"; security = "psk"; }',
                '{ uri = "coaps://127.0.0.1:0"; security = "psk x509"; }',
            ),
            (
                '{ credential = "psk"; rule = "mapped"; }',
                '{ credential = "psk"; rule = "mapped"; },\n'
                '    { credential = "x509"; rule = "cn"; trust = "bench"; }',
            ),
            (
                '# { name = "factory"; file = "factory-ca.pem"; revocation = "hard"; }',
                '{ name = "bench"; file = "%s"; revocation = "hard"; }' % os.path.join(self.pki.ca, "ca.pem"),
            ),
            ('  certificate_file = "";', '  certificate_file = "%s";' % self.pki.path("server.pem")),
            ('  key = "";', '  key = "%s";' % self.pki.path("server.key")),
        )

    def metrics(self):
        """All counters of the daemon, by name without its prefix."""
        done = subprocess.run(["curl", "-sS", "--unix-socket", self.api, "http://localhost/metrics"],
                              capture_output=True, text=True, check=True)
        found = {}
        for line in done.stdout.splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                found[name.replace("bsserver_", "", 1)] = float(value)
        return found


    def wait_until(self, name, wanted, load):
        """Until a gauge has reached that, or rises no more, or the load has ended; its value."""
        most, since = 0, time.monotonic()
        while most < wanted and load.poll() is None and time.monotonic() - since < 3:
            now = self.metrics()[name]
            if now > most:
                most, since = now, time.monotonic()
            time.sleep(0.1)
        return most


class BareDtls(Server):
    """GnuTLS and nothing else: handshakes with the same certificates."""

    def __init__(self, build, core, work, pki):
        super().__init__("bare GnuTLS", core, work)
        self.binary = os.path.join(build, "tests", "bench", "bare_dtls")
        self.pki, self.uris = pki, {}

    def begin(self):
        port = free_port()
        ca = os.path.join(self.pki.ca, "ca.pem")
        self.start([self.binary, str(port), self.pki.path("server.pem"), self.pki.path("server.key"), ca], "ready")
        self.uris = {"coaps": "coaps://127.0.0.1:%d" % port}


class DeadResponder:
    """Accepts connections and never answers."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.url = "http://127.0.0.1:%d/" % self.socket.getsockname()[1]
        self.accepted = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                self.accepted.append(self.socket.accept()[0])
            except OSError:
                return

    def stop(self):
        self.socket.close()
        for s in self.accepted:
            s.close()


def late_ms(before, after):
    """The bound, in milliseconds, that 99.9 % of the looks at the clock between two metrics() were within."""
    name = 'loop_lateness_seconds_bucket{le="%s"}'
    bounds = sorted(float(k.split('"')[1]) for k in after if k.startswith(name[:-6]))
    looks = {b: after[k] - before[k] for b, k in ((b, name % ("+Inf" if b == float("inf") else "%.3f" % b)) for b in bounds)}
    total = looks[float("inf")]
    return next(b * 1000 for b in bounds if looks[b] >= 0.999 * total)


def certificate_options(pki):
    return ("--cert-file", pki.path("%e.pem"), "--private-key-file", pki.path("%e.key"))


def device_documents(profile, first, count):
    for i in range(first, first + count):
        yield {"profile_format": 1, "endpoint": PATTERN % i, "extends": profile}


def check_handshakes(got):
    """Of a run against the bare loop: each device was told goodbye after its handshake."""
    why = "the connection is gone: close_notify"
    if got["reasons"].get(why, 0) != got["bootstraps"]:
        raise Trouble("the bare loop: %s" % json.dumps(got["reasons"]))
    got["rate"] = got["bootstraps"] / got["seconds"]
