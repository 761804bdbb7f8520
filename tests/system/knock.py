"""A Bootstrap-Request over DTLS with a certificate, by openssl.

knock.py PORT ENDPOINT CERTIFICATE KEY
    Prints the code of the answer ("2.04", "4.00"), then "asked" when the server sends a request of its own after it, else
    "silent": within a minute where it was let in, within a second where it was refused. Prints "refused" when the handshake
    comes to nothing.
"""
import os
import select
import struct
import subprocess
import sys
import time

PATIENCE = 60
port, endpoint, cert, key = sys.argv[1:5]


def option(delta, value):
    if len(value) < 13:
        return bytes([delta << 4 | len(value)]) + value
    return bytes([delta << 4 | 13, len(value) - 13]) + value


request = struct.pack("!BBH", 0x42, 0x02, 0x1234) + b"tk" + option(11, b"bs") + option(4, b"ep=" + endpoint.encode())
client = subprocess.Popen(
    ["openssl", "s_client", "-dtls1_2", "-quiet", "-connect", "127.0.0.1:" + port, "-cert", cert, "-key", key],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
client.stdin.write(request)
client.stdin.flush()


def receive(seconds):
    """Some octets; b"" when none come, None at the end."""
    ready, _, _ = select.select([client.stdout], [], [], seconds)
    return (os.read(client.stdout.fileno(), 65536) or None) if ready else b""


def main():
    got, until = b"", time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if got[:4] == b"\x60\x00\x12\x34":  # an empty acknowledgement: the answer comes apart
            got = got[4:]
        if len(got) >= 6:
            break
        more = receive(1)
        if more is None:
            return print("refused")
        got += more
    if len(got) < 6:
        return print("mute")
    print("%d.%02d" % (got[1] >> 5, got[1] & 31))
    left = got[6:] if got[1] == 0x44 else b""  # a refusal has words behind it
    end = time.monotonic() + (PATIENCE if got[1] == 0x44 else 1)
    while got[1] == 0x44 and not left and time.monotonic() < end:
        left = receive(end - time.monotonic()) or b""
    while got[1] != 0x44 and time.monotonic() < end:
        more = receive(end - time.monotonic())
        if more is None:
            break
        if more and more[0] & 0xc0 == 0x40 and 0 < more[1] < 5:
            left = more
    print("asked" if left else "silent")


try:
    main()
finally:
    client.kill()
    client.wait()
