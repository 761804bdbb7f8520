"""Datagrams by hand at a live daemon: what no well-behaved client sends.

rawcoap.py repeat PORT ENDPOINT
    A Bootstrap-Request whose answer got lost: the same datagram comes again, at once, later, and while the server asks.
    Each time it must be answered by the same octets; then the device is reset. Prints how many answers there were.
rawcoap.py requests PORT
    Well-formed requests that ask for the wrong thing, a table: each must get its code. Prints "PORT TEXT" for each that the
    daemon must have recorded, with what it must have said about it.
rawcoap.py storm COAP-PORT COAPS-PORT SEED COUNT
    COUNT mutations of good datagrams at each port, at the pace at which they are taken (none is dropped by the kernel).
"""
import random
import socket
import struct
import sys
import time

PATIENCE = 60
CON, NON, ACK, RST = range(4)
GET, POST, PUT, DELETE = range(1, 5)


def code(text):
    whole, part = text.split(".")
    return int(whole) << 5 | int(part)


def spell(n):
    return "%d.%02d" % (n >> 5, n & 31)


def options(pairs):
    """[(number, octets)...] in any order."""
    out, last = b"", 0
    for number, value in sorted(pairs, key=lambda p: p[0]):
        delta, head, more = number - last, [], b""
        for n in (delta, len(value)):
            if n < 13:
                head.append(n)
            elif n < 269:
                head.append(13)
                more += bytes([n - 13])
            else:
                head.append(14)
                more += struct.pack("!H", n - 269)
        out += bytes([head[0] << 4 | head[1]]) + more + value
        last = number
    return out


def message(kind, method, mid, token=b"", opts=(), payload=b""):
    head = bytes([0x40 | kind << 4 | len(token), method]) + struct.pack("!H", mid)
    return head + token + options(opts) + (b"\xff" + payload if payload else b"")


def post_bs(mid, token, query=(), more=(), payload=b""):
    return message(CON, POST, mid, token, [(11, b"bs")] + [(15, q) for q in query] + list(more), payload)


class Peer:
    def __init__(self, port, host="127.0.0.1"):
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.settimeout(PATIENCE)
        self.s.connect((host, port))

    def send(self, datagram):
        self.s.send(datagram)

    def get(self, want):
        """The next datagram that want() takes; others are passed over."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            datagram = self.s.recv(65536)
            if want(datagram):
                return datagram
        sys.exit("no answer")


def kind_of(datagram):
    return datagram[0] >> 4 & 3


def is_answer(mid):
    return lambda d: kind_of(d) == ACK and struct.unpack("!H", d[2:4])[0] == mid


def is_request(datagram):
    return kind_of(datagram) == CON and 1 <= datagram[1] < 32


def repeat(port, endpoint):
    peer = Peer(port)
    knock = post_bs(77, b"again", [b"ep=" + endpoint.encode()])
    peer.send(knock)
    first = peer.get(is_answer(77))
    if first != message(ACK, code("2.04"), 77, b"again"):
        sys.exit("not accepted: " + first.hex())
    asked = peer.get(is_request)
    for _ in range(5):
        peer.send(knock)
        again = peer.get(is_answer(77))
        if again != first:
            sys.exit("%s, and before it was %s" % (again.hex(), first.hex()))
    answered = asked[2:4]
    peer.send(bytes([0x40 | ACK << 4 | asked[0] & 15, code("2.05")]) + answered + asked[4:4 + (asked[0] & 15)] +
              options([(12, b"\x28")]) + b"\xff</0/0>,</3/0>")
    write = peer.get(lambda d: is_request(d) and d[2:4] != answered)
    peer.send(knock)
    if peer.get(is_answer(77)) != first:
        sys.exit("another answer in the middle of the session")
    peer.send(message(RST, 0, struct.unpack("!H", write[2:4])[0]))
    print(7)


# name, query options, more options, code, text in the record; an empty text: there is no record
REQUESTS = (
    ("an empty ep", [b"ep="], [], "4.00", "ep must have 1 to"),
    ("ep two times", [b"ep=a", b"ep=b"], [], "4.00", "ep is there twice"),
    ("an ep of control characters", [b"ep=a\x01\x7f"], [], "4.00", "ep is not printable"),
    ("an ep of broken UTF-8", [b"ep=\xff\xfe"], [], "4.00", "ep is not printable"),
    ("an ep of an escaped NUL", [b"ep=a%00"], [], "4.00", "endpoint a%00 knocks"),
    ("no ep", [], [], "4.00", "no endpoint name"),
    ("an unknown ep", [b"ep=nobody"], [], "4.00", "endpoint is not registered"),
    ("a pct that is none", [b"ep=raw", b"pct=x"], [], "4.00", "pct is not a content format"),
    ("a pct too large", [b"ep=raw", b"pct=65536"], [], "4.00", "pct is not a content format"),
    ("pct two times", [b"ep=raw", b"pct=110", b"pct=112"], [], "4.00", "pct is there twice"),
    ("a pct of no use", [b"ep=raw", b"pct=50"], [], "4.15", "pct=50"),
    ("too many queries", [b"a"] * 17 + [b"ep=raw"], [], "4.00", "more than 16"),
    ("a critical option that nobody knows", [b"ep=raw"], [(2583, b"")], "4.02", ""),
    ("another path", [b"ep=raw"], [(11, b"x")], "4.04", ""),
)


def requests(port):
    bad = 0
    for n, (name, query, more, want, text) in enumerate(REQUESTS):
        peer = Peer(port)
        peer.send(post_bs(100 + n, b"t", query, more))
        answer = peer.get(is_answer(100 + n))
        if spell(answer[1]) != want:
            print("%s: %s, not %s" % (name, spell(answer[1]), want), file=sys.stderr)
            bad += 1
        if text:
            print(peer.s.getsockname()[1], text)
    sys.exit(1 if bad else 0)


def hello(rnd):
    """A DTLS 1.2 ClientHello as GnuTLS writes it, without and with a cookie, and a record of each other type."""
    suites = bytes.fromhex("c0a800a8c0a400aec0acc0ae")
    extensions = bytes.fromhex("00170000000a000400020017000b00020100")
    body = (b"\xfe\xfd" + rnd.randbytes(32) + b"\0" + bytes([rnd.choice((0, 16, 32))]))
    body += rnd.randbytes(body[-1]) + struct.pack("!H", len(suites)) + suites + b"\1\0"
    body += struct.pack("!H", len(extensions)) + extensions
    shake = b"\1" + len(body).to_bytes(3, "big") + b"\0\0" + b"\0\0\0" + len(body).to_bytes(3, "big") + body
    kind = rnd.choice((22, 22, 22, 22, 20, 21, 23, 24))
    return bytes([kind]) + b"\xfe" + rnd.choice((b"\xff", b"\xfd")) + b"\0" * 8 + struct.pack("!H", len(shake)) + shake


def good_coap(rnd):
    mid, token = rnd.randrange(65536), rnd.randbytes(rnd.randrange(9))
    return rnd.choice((
        post_bs(mid, token, [b"ep=raw"]),
        post_bs(mid, token, [b"ep=nobody", b"pct=112"]),
        post_bs(mid, token, [b"ep=raw"], [(27, bytes([rnd.randrange(256)]))], rnd.randbytes(64)),
        message(CON, GET, mid, token, [(11, b"bspack"), (15, b"ep=raw")]),
        message(CON, GET, mid, token, [(11, b".well-known"), (11, b"core")]),
        message(CON, PUT, mid, token, [(11, b"0"), (11, b"0"), (12, b"\x2d\x16")], rnd.randbytes(40)),
        message(ACK, code("2.05"), mid, token, [(12, b"\x28"), (23, b"\x0e")], b"</0/0>,</1/0>"),
        message(RST, 0, mid),
        message(NON, code("2.04"), mid, token),
    ))


def mutate(rnd, datagram):
    d = bytearray(datagram)
    for _ in range(rnd.choice((1, 1, 2, 4, 16))):
        how = rnd.randrange(6)
        at = rnd.randrange(len(d)) if d else 0
        if how == 0 and d:
            d[at] ^= 1 << rnd.randrange(8)
        elif how == 1 and d:
            d[at] = rnd.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))
        elif how == 2:
            d[at:at] = rnd.randbytes(rnd.choice((1, 2, 8, 300)))
        elif how == 3:
            del d[at:at + rnd.choice((1, 2, 8, 300))]
        elif how == 4:
            del d[at:]
        else:
            d += d[at:]
        del d[9000:]
    return bytes(d)


def receive_queue(port):
    """Octets that wait in the kernel for whoever listens there, and datagrams that it dropped."""
    waiting = drops = 0
    for name in ("udp", "udp6"):
        with open("/proc/net/" + name) as f:
            for line in list(f)[1:]:
                fields = line.split()
                if int(fields[1].split(":")[1], 16) == port and fields[2].endswith(":0000"):
                    waiting += int(fields[4].split(":")[1], 16)
                    drops += int(fields[12])
    return waiting, drops


def drain(port):
    until = time.monotonic() + PATIENCE
    while receive_queue(port)[0] > 0:
        if time.monotonic() > until:
            sys.exit("port %d takes no more datagrams" % port)
        time.sleep(0.002)


def storm(ports, seed, count):
    rnd = random.Random(seed)
    good = (good_coap, hello)
    dropped = [receive_queue(p)[1] for p in ports]
    for i in range(count):
        if i % 40 == 0:  # from a new port: a new peer
            peers = [Peer(p) for p in ports]
        for which, peer in enumerate(peers):
            datagram = good[which](rnd) if rnd.random() < 0.95 else rnd.randbytes(rnd.randrange(200))
            try:
                peer.send(mutate(rnd, datagram) if rnd.random() < 0.95 else datagram)
            except OSError as e:
                sys.exit("port %d: %s" % (ports[which], e))
        if i % 20 == 19:
            for p in ports:
                drain(p)
    dropped = [receive_queue(p)[1] - d for p, d in zip(ports, dropped)]
    if any(dropped):
        sys.exit("%s datagrams were dropped before they were looked at" % dropped)
    print("# %d datagrams at each port, SEED=%d" % (count, seed))


if __name__ == "__main__":
    what = sys.argv[1]
    if what == "repeat":
        repeat(int(sys.argv[2]), sys.argv[3])
    elif what == "requests":
        requests(int(sys.argv[2]))
    else:
        storm([int(sys.argv[2]), int(sys.argv[3])], int(sys.argv[4]), int(sys.argv[5]))
