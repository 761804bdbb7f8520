"""Devices that are registered with the daemon, and are called back."""
import json
import os
import subprocess
import time

from world import Bsserver, Trouble, free_port

PATTERN = "reg-%06u"
SSID = 65000
REGISTER_S = 120
AWAKE_S, UPDATE_S = 3, 10  # queue mode: the daemon takes a device for awake so long; so often it speaks


class Registry(Bsserver):
    """With a registry, over coap."""

    def __init__(self, name, build, core, work):
        super().__init__(name, build, core, work)
        self.registry = "coap://127.0.0.1:%d" % free_port()

    def edits(self):
        return super().edits() + (
            ('    # { uri = "coaps://[::]:5686"; security = "psk"; }', '    { uri = "%s"; security = "none"; }' % self.registry),
            ('  uri = "";', '  uri = "%s";' % self.registry),
            ("  awake_seconds = 93;", "  awake_seconds = %d;" % AWAKE_S),
        )

    def metrics(self):
        argv = ["curl", "-sS", "--unix-socket", self.api, "http://localhost/metrics"]
        text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        rows = (line.split() for line in text.splitlines() if line and line[0] != "#" and "{" not in line)
        return {name.replace("bsserver_", ""): float(value) for name, value in rows}

    def memory_kib(self):
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def documents(count):
    yield {"profile_format": 1, "profile": "registered", "registry": True, "bootstrap": {"policy": "replace"}}
    for i in range(1, count + 1):
        yield {
            "profile_format": 1,
            "endpoint": PATTERN % i,
            "extends": "registered",
            "credentials": {"bootstrap": {"mode": "nosec"}},
        }


class Registered:
    """Devices in the background, from first on: each registers and waits."""

    def __init__(self, load, server, first, count, *options):
        state = os.path.join(server.folder, "state-%d" % first)
        with open(state, "w", encoding="ascii") as f:
            json.dump({
                "/0/0/0": server.uris["coap"], "/0/0/1": True, "/0/0/2": 3, "/0/1/0": server.registry, "/0/1/1": False,
                "/0/1/2": 3, "/0/1/10": SSID, "/1/0/0": SSID, "/1/0/1": 86400, "/1/0/6": True, "/1/0/7": "U", "/3/0/16": "U",
            }, f)
        argv = ["taskset", "-c", str(load.core), load.binary, "--server", server.uris["coap"], "--json", "--quiet",
                "--register", str(SSID), "--registered", "--state", state, "--endpoint-pattern", PATTERN,
                "--first", str(first), "--count", str(count), "--concurrency", str(count), "--rate", "2000/s",
                "--timeout", "600s"]
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(argv + list(options), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def end(self):
        out, _ = self.process.communicate()
        if not out.strip():
            raise Trouble("the registered devices said nothing")
        return json.loads(out.splitlines()[-1])["summary"]


def wait_registered(server, count, devices):
    until = time.monotonic() + REGISTER_S
    while server.metrics()["registry_registered"] < count:
        if time.monotonic() > until or any(d.process.poll() is not None for d in devices):
            raise Trouble("%d of %d devices registered" % (server.metrics()["registry_registered"], count))
        time.sleep(0.2)


def call_back(b, server, count, rate):
    """All of them, half in queue mode: the job when it is over, and what the daemon's memory did."""
    half = count // 2
    devices = [
        Registered(b.load, server, 1, half),
        Registered(b.load, server, half + 1, count - half, "--awake", "%ds" % (AWAKE_S + 2), "--update", "%ds" % UPDATE_S),
    ]
    b.started += devices
    wait_registered(server, count, devices)
    time.sleep(AWAKE_S + 1)
    before = server.memory_peak_kib()
    begun = time.monotonic()
    argv = [os.path.join(b.args.build, "lwm2m-prov", "lwm2m-prov"), "--socket", server.api, "--json", "--timeout", "400s",
            "trigger", "--match", PATTERN.split("%", 1)[0] + "*", "--rate", "%d/s" % rate, "--yes", "--wait"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begun
    if not done.stdout.strip():
        raise Trouble("trigger said nothing:\n%s" % done.stderr[-2000:])
    return json.loads(done.stdout), seconds, before, [d.end() for d in devices]
