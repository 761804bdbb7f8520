"""A device at the registry by hand: Register, Update, De-register as datagrams.

registrant.py table PORT KNOWN STRANGER SECURED
    Registrations that must be refused, a table: each must get its code. KNOWN may register without credentials, STRANGER is
    nobody, SECURED has a key of its own. Prints how many there were.
registrant.py life PORT ENDPOINT
    Registers, repeats the datagram, updates from another port, registers again, de-registers. Prints the locations.
registrant.py blocks PORT ENDPOINT
    Registers with a list of Objects that takes four blocks, one of them sent twice and each with another token; updates it
    so; and what must be refused. Prints the location.
registrant.py register PORT ENDPOINT [QUERY...]
    Registers and prints the location.
registrant.py obey PORT ENDPOINT HOW...
    Registers with instances /1/3 and /1/5, says "registered", and answers one request after the other so: a code; or "no"
    for no answer at all, "update" for an Update first. Prints the path of each request. Ends behind the last.
"""
import sys

import rawcoap as coap

LOCATION_PATH, URI_PATH, CONTENT_FORMAT, URI_QUERY, BLOCK1, SIZE1 = 8, 11, 12, 15, 27, 60
LINKS = b'</>;rt="oma.lwm2m";ct=112,</1/0>,</3/0>'
mid = 0x100


def read(datagram):
    """(code, message id, {option: [values]}, payload) of an answer."""
    at, number, opts = 4 + (datagram[0] & 15), 0, {}
    while at < len(datagram) and datagram[at] != 0xFF:
        delta, length = datagram[at] >> 4, datagram[at] & 15
        at += 1
        if delta == 13:
            delta, at = 13 + datagram[at], at + 1
        if length == 13:
            length, at = 13 + datagram[at], at + 1
        number += delta
        opts.setdefault(number, []).append(datagram[at:at + length])
        at += length
    return datagram[1], datagram[2] << 8 | datagram[3], opts, datagram[at + 1:]


def request(method, path, query=(), payload=b"", fmt=40, token=b"reg", more=()):
    global mid
    mid += 1
    opts = [(URI_PATH, p.encode()) for p in path.split("/")] + [(URI_QUERY, q.encode()) for q in query]
    if payload and fmt is not None:
        opts.append((CONTENT_FORMAT, bytes([fmt]) if fmt else b""))
    return coap.message(coap.CON, method, mid, token, opts + list(more), payload)


def ask(peer, datagram):
    peer.send(datagram)
    return read(peer.get(lambda d: d[2:4] == datagram[2:4]))


def must(have, want, what):
    if have[0] != coap.code(want):
        sys.exit("%s: %s, not %s (%s)" % (what, coap.spell(have[0]), want, have[3].decode(errors="replace")))
    return have


def location(answer):
    return "/".join(v.decode() for v in answer[2][LOCATION_PATH])


def register(peer, *query, payload=LINKS, **more):
    return ask(peer, request(coap.POST, "rd", query, payload, **more))


def table(port, known, stranger, secured):
    good = ("ep=" + known, "lt=60", "lwm2m=1.1", "b=U")
    rows = [
        ("4.00", ("lt=60", "lwm2m=1.1")),
        ("4.00", ("ep=", "lt=60", "lwm2m=1.1")),
        ("4.00", ("ep=" + known, "ep=" + known, "lt=60", "lwm2m=1.1")),
        ("4.00", ("ep=" + known, "lwm2m=1.1")),
        ("4.00", ("ep=" + known, "lt=soon", "lwm2m=1.1")),
        ("4.00", ("ep=" + known, "lt=0", "lwm2m=1.1")),
        ("4.00", ("ep=" + known, "lt=99999999999", "lwm2m=1.1")),
        ("4.00", ("ep=" + known, "lt=60")),
        ("4.00", ("ep=" + known, "lt=60", "lwm2m=1.1", "b=X")),
        ("4.12", ("ep=" + known, "lt=60", "lwm2m=2.0")),
        ("4.12", ("ep=" + known, "lt=60", "lwm2m=1.9")),
        ("4.03", ("ep=" + stranger, "lt=60", "lwm2m=1.1")),
        ("4.03", ("ep=" + secured, "lt=60", "lwm2m=1.1")),
    ]
    peer = coap.Peer(port)
    for want, query in rows:
        must(register(peer, *query), want, "&".join(query))
    must(register(peer, *good, payload=b"no links"), "4.00", "no list of Objects")
    must(register(peer, *good, fmt=0), "4.15", "a list as text")
    must(ask(peer, request(coap.POST, "rd/0123456789ab")), "4.04", "Update of nothing")
    must(ask(peer, request(coap.POST, "rd/x/y")), "4.04", "Update of no path")
    must(ask(peer, request(coap.DELETE, "rd/0123456789ab")), "4.04", "De-register of nothing")
    must(ask(peer, request(coap.GET, "rd")), "4.05", "GET /rd")
    must(ask(peer, request(coap.POST, "bs", ["ep=" + known])), "4.04", "POST /bs")
    print(len(rows) + 7)


def life(port, endpoint):
    peer, other = coap.Peer(port), coap.Peer(port)
    query = ("ep=" + endpoint, "lt=60", "lwm2m=1.0", "b=UQ")
    first = request(coap.POST, "rd", query, LINKS)
    answer = must(ask(peer, first), "2.01", "Register")
    again = must(ask(peer, first), "2.01", "Register, repeated")
    if location(answer) != location(again):
        sys.exit("a repeated Register made another registration")
    here = location(answer)
    must(ask(peer, request(coap.POST, here)), "2.04", "Update")
    must(ask(other, request(coap.POST, here, ["lt=90"], b"</1/0>,</5/0>")), "2.04", "Update from elsewhere")
    must(ask(other, request(coap.POST, here, ["lt=no"])), "4.00", "Update, wrong")
    there = location(must(register(peer, *query), "2.01", "Register again"))
    must(ask(other, request(coap.POST, here)), "4.04", "Update of what was replaced")
    must(ask(other, request(coap.DELETE, there)), "2.02", "De-register")
    must(ask(other, request(coap.DELETE, there)), "4.04", "De-register again")
    print(here, there)


def number(value):
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def block(peer, path, query, body, num, szx=6, size1=None):
    size = 16 << szx
    more = [(BLOCK1, number(num << 4 | (len(body) > (num + 1) * size) << 3 | szx))] + ([(SIZE1, number(size1))] if size1 else [])
    return ask(peer, request(coap.POST, path, query, body[num * size:(num + 1) * size], token=b"b%d" % num, more=more))


def in_blocks(peer, path, query, body, last):
    count = (len(body) + 1023) // 1024
    for num in [*range(count - 1), count - 2, count - 1]:
        want = "2.31" if num < count - 1 else last
        answer = must(block(peer, path, query, body, num), want, "block %d of %s" % (num, path))
        if answer[2][BLOCK1] != [number(num << 4 | (num < count - 1) << 3 | 6)]:
            sys.exit("block %d of %s: answered for another" % (num, path))
    return answer


def blocks(port, endpoint):
    peer = coap.Peer(port)
    query = ("ep=" + endpoint, "lt=60", "lwm2m=1.1", "b=U")
    links = b'</>;rt="oma.lwm2m";ct=112,</1/7>,</3/0>' + b"".join(b",</%d/%d>" % (10240 + i // 9, i % 9) for i in range(270))
    here = location(in_blocks(peer, "rd", query, links[:3999].rsplit(b",", 1)[0], "2.01"))
    in_blocks(peer, here, (), links[:2999].rsplit(b",", 1)[0], "2.04")
    must(block(peer, "rd", query, links, 1), "4.08", "the second block alone")
    must(block(peer, "rd", query, links, 0), "2.31", "the first block")
    must(block(peer, "rd", query, links, 2), "4.08", "one is missing")
    answer = must(block(peer, "rd", query, links, 0, size1=4097), "4.13", "4097 octets")
    if answer[2][SIZE1] != [number(4096)]:
        sys.exit("4.13 does not say how much is taken: %s" % answer[2])
    must(ask(peer, request(coap.POST, here)), "2.04", "Update")
    print(here)


def obey(port, endpoint, *how):
    peer = coap.Peer(port)
    query = ("ep=" + endpoint, "lt=600", "lwm2m=1.1", "b=U")
    here = location(must(register(peer, *query, payload=b"</1/3>,</1/5>,</3/0>"), "2.01", "Register"))
    print("registered", flush=True)
    for word in how:
        if word == "update":
            sys.stdin.readline()
            must(ask(peer, request(coap.POST, here)), "2.04", "Update")
            continue
        datagram = peer.get(lambda d: coap.kind_of(d) == coap.CON and d[1] in (1, 2, 3, 4))
        method, mid, opts, _ = read(datagram)
        print(method, "/" + "/".join(v.decode() for v in opts.get(URI_PATH, [])), flush=True)
        if word != "no":
            token = datagram[4:4 + (datagram[0] & 15)]
            peer.send(coap.message(coap.ACK, coap.code(word), mid, token))


if __name__ == "__main__":
    what, port, rest = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    if what == "table":
        table(port, *rest)
    elif what == "obey":
        obey(port, *rest)
    elif what == "blocks":
        blocks(port, *rest)
    elif what == "life":
        life(port, *rest)
    else:
        print(location(must(register(coap.Peer(port), "ep=" + rest[0], *(rest[1:] or ("lt=60", "lwm2m=1.1"))), "2.01", "Register")))
