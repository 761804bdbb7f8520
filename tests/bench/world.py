"""The processes that the bench measures and loads: servers pinned to one core, devices on another."""
import json
import os
import random
import signal
import socket
import subprocess
import time

SERVER_START_S = 60
ACCOUNT_URI = "coaps://dm.example.com:5684"
SHORT_SERVER_ID = 101
LIFETIME_S = 86400
MASTER_KEY = "00112233445566778899aabbccddeeff"


class Trouble(Exception):
    """Something that keeps the bench from measuring, as opposed to a figure that is too low."""


def cores():
    """A core for the server and one for the load; the same one when there is no other."""
    there = sorted(os.sched_getaffinity(0))
    return there[0], there[1] if len(there) > 1 else there[0]


def machine_busy_s():
    """CPU time that the whole machine has spent on anything but waiting, seconds."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def process_cpu_us(process):
    """The process's own clock (clock_getcpuclockid): threads that ended are in it. 0 once it was waited for."""
    if process is None or process.poll() is not None:
        return 0
    return time.clock_gettime_ns((~process.pid << 3) | 2) / 1000


def process_ticks(process):
    """utime and stime of the process, in ticks of the clock (os.sysconf("SC_CLK_TCK") a second): samples, hence coarse."""
    with open("/proc/%d/stat" % process.pid, encoding="ascii", errors="replace") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return int(fields[11]), int(fields[12])


def free_port():
    """A UDP port out of the range that the kernel gives to the many devices."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            try:
                s.bind(("127.0.0.1", random.randrange(10240, 30240)))
                return s.getsockname()[1]
            except OSError:
                pass


def tlv(ident, value):
    """A resource of the OMA TLV format (LwM2M Core 1.1 section 7.4.3), identifiers up to 255."""
    head = bytes([0xC0 | (len(value) if len(value) < 8 else 0x08), ident])
    return head + (bytes([len(value)]) if len(value) >= 8 else b"") + value


def account_payloads(identity):
    """What the bench's profile makes of a device of this identity: by path, in TLV."""
    key, ssid = bytes(16), SHORT_SERVER_ID.to_bytes(1, "big")
    security = [(0, ACCOUNT_URI.encode()), (1, b"\0"), (2, b"\0"), (3, identity.encode()), (4, b""), (5, key), (10, ssid)]
    server = [(0, ssid), (1, LIFETIME_S.to_bytes(4, "big")), (6, b"\1"), (7, b"U")]
    return {
        "/0/1": b"".join(tlv(i, v) for i, v in security),
        "/1/0": b"".join(tlv(i, v) for i, v in server),
    }


class Server:
    """A process on the server's core. cpu_us() is its utime and stime, all threads, in microseconds."""

    def __init__(self, name, core, work):
        self.name, self.core = name, core
        self.folder = os.path.join(work, name.replace(" ", "-"))
        os.makedirs(self.folder, exist_ok=True)
        self.log = os.path.join(self.folder, "log")
        self.process = None
        self.first = []  # a command that runs it, such as chrt

    def start(self, argv, ready):
        with open(self.log, "w", encoding="utf-8") as log:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(
                ["taskset", "-c", str(self.core)] + self.first + argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        until = time.monotonic() + SERVER_START_S
        while ready not in self.said():
            if self.process.poll() is not None or time.monotonic() > until:
                raise Trouble("%s did not start:\n%s" % (self.name, self.said()[-2000:]))
            time.sleep(0.02)

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def cpu_us(self):
        return process_cpu_us(self.process)

    def quiet_cpu_us(self):
        """cpu_us() once it has done what it still had to do: records are written after the last answer."""
        before = self.cpu_us()
        for _ in range(100):
            time.sleep(0.05)
            now = self.cpu_us()
            if now - before < 500:
                return now
            before = now
        return before

    def memory_peak_kib(self):
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
        raise Trouble("%s: no VmHWM" % self.name)

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


class Bsserver(Server):
    """The product, as `bsserver init` makes it, with a coap and a coaps listener."""

    def __init__(self, name, build, core, work):
        super().__init__(name, core, work)
        self.build = build
        self.binary = os.path.join(build, "bsserver", "bsserver")
        self.conf = os.path.join(self.folder, "bsserver.conf")
        self.api = os.path.join(self.folder, "api.sock")
        self.uris = {}

    def edits(self):
        """What bsserver.conf says, and what it is to say instead."""
        return (
            (
                '{ uri = "coaps://[::]:5684"; security = "psk"; }',
                '{ uri = "coaps://127.0.0.1:0"; security = "psk"; },\n'
                '  { uri = "coap://127.0.0.1:0"; security = "none"; }',
            ),
            (
                '{ credential = "psk"; rule = "mapped"; }',
                '{ credential = "psk"; rule = "mapped"; },\n    { credential = "nosec"; rule = "named"; }',
            ),
        )

    def begin(self):
        subprocess.run([self.binary, "init", "--dir", self.folder], check=True, stdout=subprocess.DEVNULL)
        with open(self.conf, encoding="utf-8") as f:
            text = f.read()
        for old, new in self.edits():
            if old not in text:
                raise Trouble("%s: no line %s" % (self.conf, old))
            text = text.replace(old, new)
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(text)
        self.start([self.binary, "run", "-c", self.conf], " ready,")
        for line in self.said().splitlines():
            if " listening on " in line:
                uri = line.split()[-1]
                self.uris[uri.split(":")[0]] = uri

    def prov(self, *argv):
        binary = os.path.join(self.build, "lwm2m-prov", "lwm2m-prov")
        done = subprocess.run(
            [binary, "--socket", self.api] + list(argv), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise Trouble("lwm2m-prov %s:\n%s%s" % (" ".join(argv), done.stdout[-2000:], done.stderr[-2000:]))
        return done.stdout

    def apply(self, documents):
        """Documents are written as lines of JSON and applied."""
        path = os.path.join(self.folder, "fleet.ndjson")
        with open(path, "w", encoding="utf-8") as f:
            for d in documents:
                f.write(json.dumps(d) + "\n")
        self.prov("apply", "--yes", "-f", path)
        os.unlink(path)

    def last_session(self, endpoint):
        return json.loads(self.prov("session", "show", endpoint, "--last", "--json"))

    def version(self):
        return subprocess.run([self.binary, "--version"], capture_output=True, text=True, check=True).stdout.strip()


class Bare(Server):
    """libcoap and nothing else: it sends the requests of a transcript."""

    def __init__(self, build, core, work):
        super().__init__("bare libcoap", core, work)
        self.binary = os.path.join(build, "tests", "bench", "bare_coap")
        self.uris, self.steps = {}, []

    def begin(self, steps):
        self.steps = steps
        key, coap, coaps = os.path.join(self.folder, "key"), free_port(), free_port()
        write_key(key)
        argv = [self.binary, "--coap", str(coap), "--coaps", str(coaps), "--key", key]
        for s in steps:
            argv += ["--step", s]
        self.start(argv, "ready")
        self.uris = {"coap": "coap://127.0.0.1:%d" % coap, "coaps": "coaps://127.0.0.1:%d" % coaps}


class Leshan(Server):
    """Leshan's bootstrap server in a JVM of its own. Over coap it serves only devices without any credentials."""

    def __init__(self, scheme, harness, core, work):
        super().__init__("leshan " + scheme, core, work)
        self.harness, self.scheme, self.uris = harness, scheme, {}

    def begin(self):
        key, coap, coaps = os.path.join(self.folder, "key"), free_port(), free_port()
        write_key(key)
        argv = ["java", "-XX:+UseSerialGC", "-cp", "%s/interop.jar:%s/lib/*" % (self.harness, self.harness)]
        argv += ["bsserver.interop.BsServer", "--coap", str(coap), "--coaps", str(coaps), "--key", key]
        argv += ["--account", ACCOUNT_URI] + (["--nosec"] if self.scheme == "coap" else [])
        self.start(argv, "ready")
        self.uris = {"coap": "coap://127.0.0.1:%d" % coap, "coaps": "coaps://127.0.0.1:%d" % coaps}


def write_key(path):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as f:
        f.write(MASTER_KEY + "\n")


class Load:
    """lwm2m-device on the load's core: run() gives its summary, with what the server spent meanwhile."""

    def __init__(self, build, core, work):
        self.binary = os.path.join(build, "tests", "sim", "lwm2m-device")
        self.core = core
        self.key = os.path.join(work, "master.key")
        write_key(self.key)

    def keys(self, pattern, count):
        """Endpoint, identity and key of each: as --psk-master-file derives them."""
        argv = [self.binary, "--psk-master-file", self.key, "--print-keys", "--endpoint-pattern", pattern]
        done = subprocess.run(argv + ["--count", str(count)], capture_output=True, text=True, check=True)
        return [line.split() for line in done.stdout.splitlines()]

    def begin(self, server, *options):
        """Devices in the background; end() has their summary."""
        argv = ["taskset", "-c", str(self.core), self.binary, "--server", server.uris["coaps"], "--json", "--quiet"]
        # pylint: disable-next=consider-using-with
        return subprocess.Popen(argv + list(options), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def end(self, process):
        out, _ = process.communicate()
        if process.returncode not in (0, 1) or not out.strip():
            raise Trouble("the devices in the background ended with %d" % process.returncode)
        return json.loads(out.splitlines()[-1])["summary"]

    def run(self, server, scheme, *options):
        argv = ["taskset", "-c", str(self.core), self.binary, "--server", server.uris[scheme], "--json", "--quiet"]
        if "--cert-file" not in options:  # beside such a handshake a wake-up is nothing
            argv += ["--spin"]  # the wake-up of a process is no part of what sending to a device costs
        if scheme == "coaps" and "--cert-file" not in options:
            one_for_all = not isinstance(server, Bsserver)
            argv += ["--psk-key-file" if one_for_all else "--psk-master-file", self.key]
        before = server.quiet_cpu_us()
        user, kernel = process_ticks(server.process)
        done = subprocess.run(argv + list(options), capture_output=True, text=True, check=False)
        cpu_us = server.quiet_cpu_us() - before
        ticks = [now - then for now, then in zip(process_ticks(server.process), (user, kernel))]
        if done.returncode not in (0, 1) or not done.stdout.strip():
            raise Trouble("%s:\n%s" % (" ".join(argv), done.stderr[-2000:]))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return dict(lines[-1]["summary"], server_cpu_us=cpu_us, server_ticks=ticks, devices=lines[:-1])


