"""./dev bench: what a bootstrap costs, against a bare libcoap server and other peers. docs/BENCH.md says how to read it.

What is compared is measured in turns within one run. Every bound is judged at the end; exit 1 names those that are missed.
"""
import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from certs import (
    PATTERN as CERT_PATTERN,
    BareDtls,
    CertServer,
    DeadResponder,
    Pki,
    certificate_options,
    check_handshakes,
    device_documents,
    late_ms,
)
from figures import kernel_share, medians, paired, row_of
from registered import Registered, Registry, call_back, wait_registered
from registered import documents as registered_documents
from world import (
    ACCOUNT_URI,
    LIFETIME_S,
    SHORT_SERVER_ID,
    Bare,
    Bsserver,
    Leshan,
    Load,
    Trouble,
    account_payloads,
    cores,
    machine_busy_s,
    process_cpu_us,
)

SCHEMES = ("coap", "coaps")
PATTERNS = {"coap": "open-%06u", "coaps": "dev-%06u"}

# name: (what it is, at least or at most, the bound)
BOUNDS = {
    "bare.coap.cpu": ("bsserver's bootstraps per second of CPU over coap, over bare libcoap's", "least", 0.6),
    "bare.coaps.cpu": ("the same over coaps", "least", 0.6),
    "bare.coap.rate": ("bsserver's bootstraps per second over coap, over bare libcoap's", "least", 0.6),
    "bare.coaps.rate": ("the same over coaps", "least", 0.6),
    "fleet.coap.cpu": ("CPU per bootstrap with the large store, over that with 100 devices, coap", "most", 1.3),
    "fleet.coaps.cpu": ("the same over coaps", "most", 1.3),
    "crowd.failed": ("devices of those that came at once that were not provisioned", "most", 0),
    "crowd.memory_mib": ("peak memory of bsserver meanwhile, MiB", "most", 100),
    "loss.coap.failed": ("devices not provisioned with 3 % loss and 3 % duplication, coap", "most", 0),
    "loss.coaps.failed": ("the same over coaps", "most", 0),
    "traffic.coap.unchanged.writes": ("writes and deletes to devices that hold what they should, coap", "most", 0),
    "traffic.coaps.unchanged.writes": ("the same over coaps", "most", 0),
    "traffic.coap.added.share": ("octets of one server more, over those of a full replacement, coap", "most", 0.9),
    "traffic.coaps.added.share": ("the same over coaps", "most", 0.9),
    "mutual.cpu": ("bsserver's bootstraps with certificates per second of CPU, over bare GnuTLS' handshakes", "least", 0.5),
    "mutual.rate": ("the same by the clock", "least", 0.5),
    "vet.late_ms": ("p99.9 of how late a 5 ms timer is while devices wait for a dead responder", "most", 20),
    "vet.rush.late_ms": ("the same while they come and shake hands", "most", 20),
    "vet.waiting": ("share of these devices that waited at once", "least", 0.95),
    "vet.failed": ("other devices that were not provisioned meanwhile", "most", 0),
    "vet.answered": ("devices that waited and were not refused in the end", "most", 0),
    "registry.idle.cpu": ("CPU per bootstrap over coap with many devices registered and idle, over that with none", "most", 1.1),
    "registry.octets": ("memory of a device that is registered and idle, libcoap's session included", "most", 1536),
    "registry.missed": ("registered devices that were called back and are not bootstrapped in the end", "most", 0),
    "registry.untold": ("of these, such as the job does not tell of, with their session", "most", 0),
    "registry.memory_mib": ("what the daemon's peak memory grew by while it called them back, MiB", "most", 64),
    "leshan.coap.exchange": ("bsserver's exchanges per second of CPU over coap, over Leshan's", "least", 2.2),
    "leshan.coap.bootstrap": ("bsserver's bootstraps per second of CPU over coap, over Leshan's", "least", 1.2),
    "leshan.coaps.exchange": ("exchanges, over coaps", "least", 1.5),
    "leshan.coaps.bootstrap": ("bootstraps, over coaps", "least", 1.5),
}
MEASURED = ("cpu", "rate", "exchange", "bootstrap", "memory_mib", "late_ms", "waiting", "octets")  # means nothing in the tiny runs of --smoke

FULL = {"rounds": 7, "coap": 12000, "coaps": 5000, "fleet": 100000, "crowd": 4000, "loss": 1000, "traffic": 20, "warm": 3,
        "mutual": 128, "again": 8, "wait": 1000, "others": 500, "registered": 10000, "trigger_rate": 500}
SMOKE = {"rounds": 1, "coap": 20, "coaps": 20, "fleet": 200, "crowd": 20, "loss": 20, "traffic": 2, "warm": 1,
         "mutual": 4, "again": 2, "wait": 20, "others": 20, "registered": 20, "trigger_rate": 500}
SMALL_FLEET = 100
OTHERS_MUCH = 0.2  # cores
TRAFFIC_PATTERN = "traffic-%s-%03u"
TRAFFIC_TRIES = 5  # until nothing had to be repeated


def say(text=""):
    print(text, flush=True)


class Bench:
    """What all sections share, and what they found."""

    def __init__(self, args, work):
        self.args, self.work = args, work
        self.size = dict(SMOKE if args.smoke else FULL)
        if args.rounds:
            self.size["rounds"] = args.rounds
        self.server_core, self.load_core = cores()
        self.load = Load(args.build, self.load_core, work)
        self.started, self.servers = [], {}
        self.found, self.verdicts = {}, []
        self.others = {}  # cores that others kept busy, by section

    # --- servers ---------------------------------------------------------------------------------

    def bsserver(self, name, per_scheme, policy="replace"):
        """A daemon with so many devices of each scheme; the same one when it is asked for again."""
        if name in self.servers:
            return self.servers[name]
        server = Bsserver("bsserver " + name, self.args.build, self.server_core, self.work)
        self.started.append(server)
        begun = time.monotonic()
        server.begin()
        server.apply(fleet(self.load, per_scheme, policy))
        say("# bsserver %s: %d devices applied in %.1f s" % (name, 2 * per_scheme, time.monotonic() - begun))
        self.servers[name] = server
        return server

    def main_server(self):
        return self.bsserver("main", max(self.size["coap"], self.size["coaps"], self.size["crowd"]))

    def bare_server(self):
        """libcoap that sends what the main server sends a device, taken from a transcript; the same one when asked again."""
        if "bare" not in self.servers:
            main, first = self.main_server(), PATTERNS["coap"] % 1
            self.run(main, "coap", 1)
            bare = Bare(self.args.build, self.server_core, self.work)
            self.servers["bare"] = self.started_server(bare, steps_of(main.last_session(first), first))
        return self.servers["bare"]

    def started_server(self, server, *args):
        self.started.append(server)
        server.begin(*args)
        return server

    def stop(self):
        for server in self.started:
            server.stop()

    def own_s(self):
        """CPU time of this bench and all that it started, seconds."""
        own = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        alive = sum(process_cpu_us(getattr(s, "process", None)) for s in self.started)
        return sum(u.ru_utime + u.ru_stime for u in own) + alive / 1e6

    # --- measuring -------------------------------------------------------------------------------

    def run(self, server, scheme, count, *options):
        argv = ("--count", str(count), "--endpoint-pattern", PATTERNS[scheme]) + options
        got = self.load.run(server, scheme, *argv)
        if got["bootstraps"] == 0:
            raise Trouble("%s: no bootstrap over %s ended: %s" % (server.name, scheme, got))
        return got

    def turns(self, scheme, contenders):
        """contenders: name -> (server, count, options). In turns, each round the other way round."""
        rows = {name: [] for name in contenders}
        for i in range(self.size["rounds"]):
            order = list(contenders) if i % 2 == 0 else list(contenders)[::-1]
            for name in order:
                server, count, options = contenders[name]
                got = self.run(server, scheme, count, *options)
                if got["provisioned"] != got["bootstraps"]:
                    raise Trouble("%s over %s: %s" % (name, scheme, json.dumps(got)))
                rows[name].append(row_of(got))
        return rows

    def show_turns(self, scheme, rows):
        say()
        say("%-22s %10s %10s %10s %7s %9s %8s %8s %8s %9s" % (
            scheme, "boots/s", "CPU us", "min..max", "kernel", "us/exch.", "exch.", "p50 ms", "p99 ms", "max ms"))
        for name, got in rows.items():
            m = medians(got)
            cpu = [r["cpu_us"] for r in got]
            say("%-22s %10.0f %10.1f %10s %7s %9.2f %8.2f %8.2f %8.2f %9.2f" % (
                name, m["rate"], m["cpu_us"], "%.0f..%.0f" % (min(cpu), max(cpu)), kernel_share(got),
                m["cpu_us"] / m["exchanges"], m["exchanges"], m["p50_ms"], m["p99_ms"], max(r["max_ms"] for r in got)))

    def judge(self, name, value, detail=""):
        what, sense, bound = BOUNDS[name]
        bound = self.args.bound.get(name, bound)
        if self.args.smoke and name.split(".")[-1] in MEASURED and name not in self.args.bound:
            ok = True
        else:
            ok = value >= bound if sense == "least" else value <= bound
        self.verdicts.append({"name": name, "what": what, "value": value, sense: bound, "ok": ok})
        say("%-6s %-24s %8.3f  at %s %g: %s%s" % ("ok" if ok else "MISSED", name, value, sense, bound, what, detail))


# --- documents -----------------------------------------------------------------------------------


def server_document(ssid, uri):
    return {
        "short_server_id": ssid,
        "uri": uri,
        "security": {"mode": "psk", "identity": "${endpoint}", "key": {"generate": 16}},
        "lifetime": LIFETIME_S,
        "binding": "U",
    }


def profile(name, policy, more_servers=0):
    servers = {"dm": server_document(SHORT_SERVER_ID, ACCOUNT_URI)}
    for i in range(more_servers):
        servers["more%d" % i] = server_document(SHORT_SERVER_ID + 1 + i, "coaps://more%d.example.com:5684" % i)
    return {"profile_format": 1, "profile": name, "servers": servers, "bootstrap": {"policy": policy}}


def open_device(endpoint, parent):
    return {
        "profile_format": 1,
        "endpoint": endpoint,
        "extends": parent,
        "credentials": {"bootstrap": {"mode": "nosec"}},
    }


def fleet(load, per_scheme, policy):
    """One profile, and devices that knock over coap and over coaps, so many of each."""
    yield profile("bench", policy)
    for i in range(1, per_scheme + 1):
        yield open_device(PATTERNS["coap"] % i, "bench")
    for endpoint, identity, key in load.keys(PATTERNS["coaps"], per_scheme):
        yield {
            "profile_format": 1,
            "endpoint": endpoint,
            "extends": "bench",
            "credentials": {"bootstrap": {"mode": "psk", "identity": identity, "key": {"hex": key}}},
        }


def steps_of(session, identity):
    """The requests of a transcript, for the bare server, with payloads of the same sizes."""
    payloads, steps = account_payloads(identity), []
    for e in session["transcript"]:
        if "remark" in e or e.get("uplink"):
            continue
        step = e["method"] + ":" + e["path"]
        if e["method"] == "PUT":
            payload = payloads.get(e["path"])
            if payload is None or len(payload) != e["sent"] or e["format"] != 11542:
                raise Trouble("no payload for %s of %d octets in format %s" % (e["path"], e["sent"], e["format"]))
            step += ":%d:%s" % (e["format"], payload.hex())
        elif e["method"] == "GET":
            step += ":40" if e["path"] == "/" else ":11542"
        steps.append(step)
    return steps


# --- sections ------------------------------------------------------------------------------------


def section_rate(b):
    """Against libcoap that sends the same requests and does nothing else."""
    main, bare = b.main_server(), b.bare_server()
    found = {"steps": [s[:40] for s in bare.steps]}
    for scheme in SCHEMES:
        n = b.size[scheme]
        rows = b.turns(scheme, {"bsserver": (main, n, ()), "bare libcoap": (bare, n, ())})
        b.show_turns(scheme, rows)
        ours, theirs = rows["bsserver"], rows["bare libcoap"]
        if medians(ours)["exchanges"] != medians(theirs)["exchanges"]:
            raise Trouble("the bare server did not send as many requests")
        b.judge("bare.%s.cpu" % scheme, *paired(theirs, ours, "cpu_us"))
        b.judge("bare.%s.rate" % scheme, *paired(ours, theirs, "rate"))
        found[scheme] = rows
    return found


def section_fleet(b):
    """Does a bootstrap cost more when the store holds many?"""
    half, few = b.size["fleet"] // 2, SMALL_FLEET // 2
    large, small = b.bsserver("large", half), b.bsserver("small", few)
    found = {"devices": {"large": 2 * half, "small": 2 * few}}
    for scheme in SCHEMES:
        n = min(b.size[scheme], half)
        spread = ("--first", str(half - n + 1))
        again = ("--repeat", str(max(1, n // few)))
        rows = b.turns(scheme, {"large store": (large, n, spread), "100 devices": (small, few, again)})
        b.show_turns(scheme, rows)
        b.judge("fleet.%s.cpu" % scheme, *paired(rows["large store"], rows["100 devices"], "cpu_us"))
        found[scheme] = rows
    return found


def section_crowd(b):
    """All at once, over coaps; the daemon is a fresh one, so that its peak is theirs."""
    n = b.size["crowd"]
    server = b.bsserver("crowd", n)
    before = server.memory_peak_kib()
    got = b.run(server, "coaps", n, "--concurrency", str(n))
    row = row_of(got)
    peak = server.memory_peak_kib()
    say()
    say("%d devices at once over coaps: %d provisioned in %.1f s, %d retransmissions, %.1f us of CPU each; "
        "ms: p50 %.0f, p99 %.0f, max %.0f; VmHWM %.1f MiB (before: %.1f)" % (
            n, got["provisioned"], got["seconds"], got["retransmissions"], row["cpu_us"], row["p50_ms"], row["p99_ms"],
            row["max_ms"], peak / 1024, before / 1024))
    b.judge("crowd.failed", n - got["provisioned"])
    b.judge("crowd.memory_mib", peak / 1024)
    return dict(row, provisioned=got["provisioned"], seconds=got["seconds"], vm_hwm_kib=peak, vm_hwm_before_kib=before)


def section_loss(b):
    """A bad network, both ways."""
    server, n, found = b.main_server(), b.size["loss"], {}
    for scheme in SCHEMES:
        got = b.run(server, scheme, n, "--concurrency", str(n), "--loss", "3%", "--dup", "3%")
        row = row_of(got)
        say()
        say("%d devices over %s, 3 %% lost and 3 %% doubled: %d provisioned in %.1f s; datagrams lost %d, doubled %d; "
            "ms: p50 %.0f, p99 %.0f, max %.0f; %.1f us of CPU each; seed %d" % (
                n, scheme, got["provisioned"], got["seconds"], got["datagrams"]["lost"], got["datagrams"]["doubled"],
                row["p50_ms"], row["p99_ms"], row["max_ms"], row["cpu_us"], got["seed"]))
        b.judge("loss.%s.failed" % scheme, n - got["provisioned"])
        found[scheme] = dict(row, provisioned=got["provisioned"], datagrams=got["datagrams"], seed=got["seed"])
    return found


TRAFFIC = (
    # what becomes of the device, policy, servers that the profile has; each goes on from where the one before it ended
    ("fresh", "incremental", 2),
    ("unchanged", "incremental", 2),
    ("added", "incremental", 3),
    ("replaced", "replace", 3),
)


def traffic_documents(load, scheme, count, policy, servers):
    name = "traffic-" + scheme
    document = profile(name, policy, servers - 1)
    rights = ["read", "write", "execute"]
    document["access_control"] = {"/3/0": {"owner": "dm", "acl": {s: rights for s in document["servers"]}}}
    for i, s in enumerate(document["servers"]):
        document["access_control"]["/1/%d" % i] = {"owner": s, "acl": {s: rights}}
    document["bootstrap"]["early_return"] = 0  # the bench comes back at once, which is nobody's fault
    yield document
    pattern = TRAFFIC_PATTERN.replace("%s", scheme)
    keys = {endpoint: (identity, key) for endpoint, identity, key in load.keys(pattern, count)}
    for endpoint, (identity, key) in keys.items():
        device = open_device(endpoint, name)
        if scheme == "coaps":
            device["credentials"]["bootstrap"] = {"mode": "psk", "identity": identity, "key": {"hex": key}}
        yield device


def traffic_of(b, server, scheme, endpoint, state):
    """One bootstrap of one device: what the device counted. state is the file that it comes with and leaves behind."""
    argv = ["--endpoint", endpoint, "--lines", "--tree", "--show-secrets"]
    if os.path.exists(state):
        argv += ["--state", state]
    for _ in range(TRAFFIC_TRIES):
        got = b.load.run(server, scheme, *argv)
        if not got["retransmissions"] and not got["duplicates"]:
            break
    if got["provisioned"] != 1 or got["retransmissions"] or got["duplicates"] or got["attempts"] != 1:
        raise Trouble("%s over %s: %s" % (endpoint, scheme, json.dumps(got)))
    with open(os.open(state, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
        json.dump(got["devices"][0]["tree"], f)
    d = got["datagrams"]
    return {
        "exchanges": got["exchanges"],
        "writes": got["writes"],
        "deletes": got["deletes"],
        "datagrams_up": d["sent"],
        "datagrams_down": d["received"],
        "octets_up": d["sent_octets"],
        "octets_down": d["received_octets"],
    }


def section_traffic(b):
    """What a bootstrap costs the network: a new device, one that holds everything, one more server, all anew."""
    server, n, found = b.bsserver("traffic", 1), b.size["traffic"], {}
    for scheme in SCHEMES:
        found[scheme] = {}
        say()
        say("%-12s %9s %7s %8s %14s %14s %16s" % (
            scheme, "exchanges", "writes", "deletes", "datagrams", "octets", "up / down"))
        for what, policy, servers in TRAFFIC:
            server.apply(traffic_documents(b.load, scheme, n, policy, servers))
            rows = []
            for i in range(1, n + 1):
                endpoint = TRAFFIC_PATTERN % (scheme, i)
                rows.append(traffic_of(b, server, scheme, endpoint, os.path.join(b.work, endpoint)))
            m = {k: statistics.mean(r[k] for r in rows) for k in rows[0]}
            found[scheme][what] = m
            say("%-12s %9.1f %7.1f %8.1f %14.1f %14.1f %9.1f / %.1f" % (
                what, m["exchanges"], m["writes"], m["deletes"], m["datagrams_up"] + m["datagrams_down"],
                m["octets_up"] + m["octets_down"], m["octets_up"], m["octets_down"]))
        octets = {what: m["octets_up"] + m["octets_down"] for what, m in found[scheme].items()}
        unchanged = found[scheme]["unchanged"]
        b.judge("traffic.%s.unchanged.writes" % scheme, unchanged["writes"] + unchanged["deletes"])
        b.judge("traffic.%s.added.share" % scheme, octets["added"] / octets["replaced"])
    return found


def section_peers(b):
    """Leshan's bootstrap server: it deletes, writes and finishes; it does not discover, verify or store. And bare libcoap."""
    main, bare, found = b.main_server(), b.bare_server(), {}
    for scheme in SCHEMES:
        n = b.size[scheme]
        leshan = b.started_server(Leshan(scheme, b.args.leshan, b.server_core, b.work))
        for _ in range(b.size["warm"]):
            b.run(leshan, scheme, n)
        rows = b.turns(scheme, {"bsserver": (main, n, ()), "Leshan": (leshan, n, ()), "bare libcoap": (bare, n, ())})
        b.show_turns(scheme, rows)
        for got in rows.values():
            for r in got:
                r["cpu_us_exchange"] = r["cpu_us"] / r["exchanges"]
        ours, theirs = rows["bsserver"], rows["Leshan"]
        b.judge("leshan.%s.exchange" % scheme, *paired(theirs, ours, "cpu_us_exchange"))
        b.judge("leshan.%s.bootstrap" % scheme, *paired(theirs, ours, "cpu_us"))
        ratio, detail = paired(ours, theirs, "rate")
        say("       bootstraps per second over Leshan's: %.3f%s" % (ratio, detail))
        ceiling, detail = paired(theirs, rows["bare libcoap"], "cpu_us_exchange")
        reached, _ = paired(rows["bare libcoap"], ours, "cpu_us_exchange")
        say("       exchanges per second of CPU, bare libcoap's over Leshan's: %.3f%s: what libcoap alone comes to; "
            "bsserver comes to %.0f %% of that" % (ceiling, detail, 100 * reached))
        leshan.stop()
        found[scheme] = rows
    return found


def section_mutual(b):
    """P-256 certificates on both sides, one verification of the device's chain, its status known: against bare handshakes."""
    n = b.size["mutual"]
    pki = Pki(b.args.build, os.path.join(b.work, "pki"))
    responder = pki.begin_responder(b.load_core)
    b.started.append(responder)
    pki.devices(1, n, responder.begin())
    pki.index()
    ours = b.started_server(CertServer("mutual", b.args.build, b.server_core, b.work, pki))
    bare = b.started_server(BareDtls(b.args.build, b.server_core, b.work, pki))
    ours.apply([profile("bench", "replace")] + list(device_documents("bench", 1, n)))
    argv = ("--count", str(n), "--endpoint-pattern", CERT_PATTERN) + certificate_options(pki)
    first = b.load.run(ours, "coaps", *argv)  # the responder is asked about each, once
    asked = ours.metrics()["certificate_status_fetches_total"]
    if first["provisioned"] != n or asked < n:
        raise Trouble("not all have a status: %s, %d exchanges with the responder" % (json.dumps(first), asked))
    rows = {"bsserver": [], "bare GnuTLS": []}
    for i in range(b.size["rounds"]):
        for name in list(rows) if i % 2 == 0 else list(rows)[::-1]:
            mine = name == "bsserver"
            more = ("--repeat", str(b.size["again"]), "--expect", "provisioned" if mine else "any", "--timeout", "300s")
            got = b.load.run(ours if mine else bare, "coaps", *argv, *more)
            if not mine:
                check_handshakes(got)
            elif got["provisioned"] != got["bootstraps"]:
                raise Trouble("bsserver: %s" % json.dumps(got))
            rows[name].append(row_of(got))
    b.show_turns("certificates", rows)
    if ours.metrics()["certificate_status_fetches_total"] != asked:
        raise Trouble("the responder was asked again")
    b.judge("mutual.cpu", *paired(rows["bare GnuTLS"], rows["bsserver"], "cpu_us"))
    b.judge("mutual.rate", *paired(rows["bsserver"], rows["bare GnuTLS"], "rate"))
    return rows


def section_vet(b):
    """Devices wait for a responder that accepts connections and never answers; how late is the loop, do others notice?"""
    n, others = b.size["wait"], b.size["others"]
    pki = Pki(b.args.build, os.path.join(b.work, "pki-vet"))
    dead = DeadResponder()
    b.started.append(dead)
    pki.devices(1, n, dead.url)
    server = CertServer("vet", b.args.build, b.server_core, b.work, pki)
    server.more = (("  loop_look_ms = 100;", "  loop_look_ms = 5;"), ("  request_ms = 5000;", "  request_ms = 15000;"),
                   ("  deadline_ms = 10000;", "  deadline_ms = %d;" % (3000 if b.args.smoke else 15000)))
    if subprocess.run(["chrt", "-f", "1", "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0:
        server.first = ["chrt", "-f", "1"]  # how late the loop is, not how late the machine
    else:
        say("# not allowed to use the real-time scheduler: what else this machine does is measured as well")
    b.started_server(server)
    server.apply(list(fleet(b.load, others, "replace")) + list(device_documents("bench", 1, n)))
    knock = ("--concurrency", "4")
    before = [b.run(server, "coaps", others, *knock)["latency_ms"] for _ in range(3)]
    m = [server.metrics()]
    rush = b.load.begin(server, "--count", str(n), "--concurrency", str(n), "--endpoint-pattern", CERT_PATTERN,
                        "--timeout", "120s", "--expect", "refused", *certificate_options(pki))
    most = server.wait_until("certificate_status_waiting", n, rush)
    m.append(server.metrics())
    during, failed = [], 0
    while not during or (len(during) < 3 and m[-1]["certificate_status_waiting"] >= most):
        got = b.run(server, "coaps", others, *knock)
        failed += got["bootstraps"] - got["provisioned"]
        m.append(server.metrics())
        if m[-1]["certificate_status_waiting"] < most:
            if not during and not b.args.smoke:
                raise Trouble("the other devices took longer than the %d waited" % n)
            m.pop()
            break
        during.append(got["latency_ms"])
    got = b.load.end(rush)
    m.append(server.metrics())
    lateness = {"rush": late_ms(m[0], m[1]), "waiting": late_ms(m[1], m[-2]), "end": late_ms(m[-2], m[-1])}
    p50 = [statistics.median(r["p50"] for r in rows) if rows else 0 for rows in (before, during)]
    say()
    say("%d of %d devices waited at once; p50 of the others: %.2f ms before, %.2f ms during; refused in the end: %d; "
        "a 5 ms timer late, p99.9: %g ms while they came, %g ms while they waited, %g ms until they were refused" % (
            most, n, p50[0], p50[1], got["refused"], lateness["rush"], lateness["waiting"], lateness["end"]))
    b.judge("vet.late_ms", lateness["waiting"])
    b.judge("vet.rush.late_ms", max(lateness["rush"], lateness["end"]))
    b.judge("vet.waiting", most / n)
    b.judge("vet.failed", failed)
    b.judge("vet.answered", n - got["refused"])
    return {"before": before, "during": during, "late_ms": lateness, "waiting": most, "refused": got["refused"]}


def section_registry(b):
    """Devices registered with the daemon: what they cost when they are idle, and all of them called back, half from sleep."""
    n = b.size["registered"]
    busy, quiet = (Registry("registry " + w, b.args.build, b.server_core, b.work) for w in ("registered", "none"))
    for server in (busy, quiet):
        b.started_server(server)
        server.apply(list(registered_documents(n)) + [profile("bench", "replace")] +
                     [open_device(PATTERNS["coap"] % i, "bench") for i in range(1, b.size["coap"] + 1)])
    before = busy.memory_kib()
    idle = Registered(b.load, busy, 1, n)
    b.started.append(idle)
    wait_registered(busy, n, [idle])
    each = (busy.memory_kib() - before) * 1024 / n
    rows = b.turns("coap", {"%d registered" % n: (busy, b.size["coap"], ()), "none registered": (quiet, b.size["coap"], ())})
    b.show_turns("coap", rows)
    idle.stop()
    ratio, detail = paired(*rows.values(), "cpu_us")
    job, seconds, peak_before, fleets = call_back(b, busy, n, b.size["trigger_rate"])
    peak = busy.memory_peak_kib()
    good = job["outcomes"]["bootstrapped"]
    told = sum(1 for r in job["rows"] if r["outcome"] == "bootstrapped" and r["session"])
    say()
    say("%d registered devices take %.0f octets each, libcoap's included; %d called back at %d/s, half of them asleep, in %.1f s: "
        "%d bootstrapped, %d registered again; VmHWM %.1f MiB (before: %.1f)" % (
            n, each, n, b.size["trigger_rate"], seconds, good, sum(f["after"]["registered"] for f in fleets) - n, peak / 1024,
            peak_before / 1024))
    b.judge("registry.idle.cpu", ratio, detail)
    b.judge("registry.octets", each)
    b.judge("registry.missed", n - good)
    b.judge("registry.untold", n - told)
    b.judge("registry.memory_mib", (peak - peak_before) / 1024)
    return {"rows": rows, "octets": each, "seconds": seconds, "outcomes": job["outcomes"], "told": told, "vm_hwm_kib": peak,
            "vm_hwm_before_kib": peak_before, "fleets": fleets}


SECTIONS = {
    "rate": section_rate,
    "fleet": section_fleet,
    "crowd": section_crowd,
    "loss": section_loss,
    "traffic": section_traffic,
    "mutual": section_mutual,
    "vet": section_vet,
    "registry": section_registry,
    "peers": section_peers,
}


# --- all together --------------------------------------------------------------------------------


def bound_of(text):
    name, _, value = text.partition("=")
    if name not in BOUNDS:
        raise argparse.ArgumentTypeError("%s: none of %s" % (name, ", ".join(BOUNDS)))
    return name, float(value)


def arguments():
    p = argparse.ArgumentParser(prog="./dev bench", description=__doc__.split("\n", 1)[0])
    p.add_argument("sections", nargs="*", metavar="SECTION", help="some only: " + ", ".join(SECTIONS))
    p.add_argument("--peers", action="store_true", help="add Leshan's bootstrap server (needs Java and Maven)")
    p.add_argument("--rounds", type=int, help="how often each is measured (%d)" % FULL["rounds"])
    p.add_argument("--bound", type=bound_of, action="append", default=[], metavar="NAME=VALUE", help="another bound")
    p.add_argument("--smoke", action="store_true", help="tiny numbers, judged only where a bound is given")
    p.add_argument("--json", metavar="FILE", help="where the figures go (build/bench.json)")
    p.add_argument("--build", default="build/gcc", help=argparse.SUPPRESS)
    p.add_argument("--leshan", help=argparse.SUPPRESS)
    args = p.parse_args()
    for name in args.sections:
        if name not in SECTIONS:
            p.error("%s: none of %s" % (name, ", ".join(SECTIONS)))
    if not args.sections:
        args.sections = [s for s in SECTIONS if s != "peers"]
    if args.peers and "peers" not in args.sections:
        args.sections.append("peers")
    if "peers" in args.sections and not args.leshan:
        p.error("peers needs --peers")
    args.bound = dict(args.bound)
    args.build = os.path.abspath(args.build)
    args.json = os.path.abspath(args.json or os.path.join(args.build, os.pardir, "bench.json"))
    return args


def machine(b):
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {
        "cpu": model,
        "cpus": os.cpu_count(),
        "kernel": platform.release(),
        "server_core": b.server_core,
        "load_core": b.load_core,
        "load_average": os.getloadavg(),
    }


def run_section(b, name):
    """Runs it, and says when it did not have the machine to itself: what is compared suffers unequally."""
    begun, busy, own = time.monotonic(), machine_busy_s(), b.own_s()
    found = SECTIONS[name](b)
    others = max(0.0, machine_busy_s() - busy - (b.own_s() - own)) / (time.monotonic() - begun)
    if others > OTHERS_MUCH:
        say("# %s: others kept %.1f cores busy meanwhile; measure again when the machine is idle" % (name, others))
    b.others[name] = others
    return found


def report(b, begun):
    missed = [v["name"] for v in b.verdicts if not v["ok"]]
    whole = {
        "bench_format": 1,
        "smoke": b.args.smoke,
        "seconds": time.monotonic() - begun,
        "machine": machine(b),
        "size": b.size,
        "sections": b.found,
        "others_cores": b.others,
        "bounds": b.verdicts,
        "missed": missed,
    }
    with open(b.args.json, "w", encoding="utf-8") as f:
        json.dump(whole, f, indent=1)
        f.write("\n")
    say()
    say("%d bounds held, %d missed%s; figures in %s" % (
        len(b.verdicts) - len(missed), len(missed), ": " + ", ".join(missed) if missed else "", b.args.json))
    return 1 if missed else 0


def main():
    args = arguments()
    work = tempfile.mkdtemp(prefix="bench.", dir=args.build)  # on the disk that the build is on
    b = Bench(args, work)
    begun = time.monotonic()
    rc = 2
    try:
        m = machine(b)
        say("# %s, %s CPUs, Linux %s; server on core %d, load on core %d; load average %.1f" % (
            m["cpu"], m["cpus"], m["kernel"], b.server_core, b.load_core, m["load_average"][0]))
        if b.server_core == b.load_core:
            say("# one core only: rates say little, CPU per bootstrap still does")
        for name in args.sections:
            say()
            say("== %s: %s" % (name, SECTIONS[name].__doc__))
            b.found[name] = run_section(b, name)
        rc = report(b, begun)
    except Trouble as trouble:
        print("bench: %s" % trouble, file=sys.stderr)
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
    finally:
        b.stop()
        shutil.rmtree(work, ignore_errors=True)
    return rc


if __name__ == "__main__":
    sys.exit(main())
