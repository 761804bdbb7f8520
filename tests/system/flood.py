"""flood.py PORT COUNT KIND [KIND...]: COUNT handshakes at 127.0.0.1:PORT that nobody means to finish, each from an
address and a port of its own in 127/8. KIND: bare (a ClientHello without cookie), cookie (the cookie is returned, and
then nothing more is said), sealed (what only looks like a hello: of another epoch), later (a later fragment of one),
rubbish. Prints how many were answered, and stays with its sockets open until its input ends."""
import os
import random
import select
import socket
import struct
import sys

ECDSA_CCM8, PSK_CCM8 = 0xC0AE, 0xC0A8
BATCH = 400


def hello(cookie, rng, seq):
    """A whole ClientHello in one record, as a device would send it."""
    extensions = struct.pack('>HHHH', 10, 4, 2, 23)          # secp256r1
    extensions += struct.pack('>HHBB', 11, 2, 1, 0)          # points as they are
    extensions += struct.pack('>HHHH', 13, 4, 2, 0x0403)     # ECDSA with SHA-256
    extensions += struct.pack('>HH', 23, 0)                  # extended master secret
    body = b'\xfe\xfd' + rng.randbytes(32) + b'\0' + bytes([len(cookie)]) + cookie
    body += struct.pack('>HHH', 4, ECDSA_CCM8, PSK_CCM8) + b'\1\0'
    body += struct.pack('>H', len(extensions)) + extensions
    message = b'\1' + len(body).to_bytes(3, 'big') + struct.pack('>H', seq) + b'\0\0\0' + len(body).to_bytes(3, 'big')
    return record(message + body, seq)


def record(content, seq, epoch=0):
    return b'\x16\xfe\xfd' + struct.pack('>HHI', epoch, 0, seq) + struct.pack('>H', len(content)) + content


def first(kind, rng):
    if kind == 'sealed':
        return record(b'\1' + rng.randbytes(60), 1, epoch=1)
    if kind == 'later':
        return record(b'\1\0\0\x60\0\0' + b'\0\0\x30' + b'\0\0\x30' + rng.randbytes(0x30), 1)
    if kind == 'rubbish':
        return b'\x16\xfe\xfd' + bytes(10) + b'\1' + rng.randbytes(rng.randrange(80))
    return hello(b'', rng, 0)


def somewhere(rng):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('127.%d.%d.%d' % (rng.randrange(1, 255), rng.randrange(256), rng.randrange(1, 255)), 0))
    s.setblocking(False)
    return s


def answers(sockets, seconds):
    """Each socket's first answer, as far as there is one; dropped datagrams stay dropped."""
    poll = select.poll()
    waiting = {s.fileno(): s for s in sockets}
    got = {}
    for fd in waiting:
        poll.register(fd, select.POLLIN)
    while waiting:
        ready = poll.poll(seconds * 1000)
        if not ready:
            break
        for fd, _ in ready:
            poll.unregister(fd)
            s = waiting.pop(fd)
            got[s] = s.recv(2048)
    return got


def cookie_of(answer):
    """Of a HelloVerifyRequest; None: it is something else."""
    if len(answer) < 28 or answer[13] != 3:
        return None
    return answer[28:28 + answer[27]]


def batch(to, kinds, n, rng, kept):
    sockets = []
    for i in range(n):
        s = somewhere(rng)
        kind = kinds[i % len(kinds)]
        s.sendto(first(kind, rng), to)
        sockets.append((s, kind))
    got = answers([s for s, kind in sockets if kind in ('bare', 'cookie')], 2)
    for s, kind in sockets:
        cookie = cookie_of(got[s]) if s in got else None
        if kind == 'cookie' and cookie:
            s.sendto(hello(cookie, rng, 1), to)
    wrong = len(answers([s for s, kind in sockets if kind not in ('bare', 'cookie')], 0))
    kept += [s for s, _ in sockets][:0 if len(kept) > 4000 else None]
    return len(got), wrong


def main():
    to = ('127.0.0.1', int(sys.argv[1]))
    left, kinds = int(sys.argv[2]), sys.argv[3:]
    rng = random.Random(int(os.environ.get('SEED', '1')))
    answered = wrong = 0
    kept = []
    while left > 0:
        n = min(BATCH, left)
        a, w = batch(to, kinds, n, rng, kept)
        answered, wrong, left = answered + a, wrong + w, left - n
    print(f'answered {answered} wrongly {wrong}', flush=True)
    sys.stdin.read()


main()
