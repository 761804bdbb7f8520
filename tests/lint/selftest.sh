#!/bin/sh
# Each check of this folder must be able to fail: here it is given a tree with one fault and must
# name it, and a tree without and must pass.
lint=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
n=0
bad=0

# expect NAME SCRIPT TEXT: the check fails and says TEXT; an empty TEXT: it passes.
expect() {
	n=$((n + 1))
	said=$(sh "$lint/$2" "$tree" 2>&1)
	rc=$?
	if [ -z "$3" ] && [ $rc -eq 0 ]; then
		echo "ok $n - selftest: $1"
	elif [ -n "$3" ] && [ $rc -ne 0 ] && printf '%s\n' "$said" | grep -qF -- "$3"; then
		echo "ok $n - selftest: $1"
	else
		bad=$((bad + 1))
		echo "not ok $n - selftest: $1"
		printf '%s\n' "$said" | grep -v '^ok' | sed 's/^/# /'
	fi
}

# with FILE TEXT: a tree of just this file.
with() {
	rm -rf "${tree:?}"/*
	mkdir -p "$tree/$(dirname "$1")"
	printf '%b' "$2" >"$tree/$1"
}

while IFS='|' read -r name script file text finding; do
	with "$file" "$text"
	expect "$name" "$script" "$finding"
done <<'EOF'
a plain file includes what it may|includes.sh|profiles/a.c|#include "profiles/a.h"\n#include "lib/base/err.h"\n#include <stdio.h>\n|
base leans on a codec|includes.sh|lib/base/a.c|#include "lib/lwm2m/tlv.h"\n|lib/base/a.c:1: lib/lwm2m/tlv.h is not for lib/base
bootstrap reaches for the store|includes.sh|bsserver/bootstrap/a.c|\n# include "bsserver/store/store.h"\n|a.c:2: bsserver/store/store.h is not for bsserver/bootstrap
bootstrap reads the clock|includes.sh|bsserver/bootstrap/a.c|#include <time.h>\n|time.h is not for bsserver/bootstrap
the command line reaches into the daemon|includes.sh|lwm2m-prov/a.c|#include "bsserver/store/store.h"\n|is not for lwm2m-prov
the store takes more of bootstrap than records|includes.sh|bsserver/store/a.c|#include "bsserver/bootstrap/session.h"\n|is not for bsserver/store
the store takes records|includes.sh|bsserver/store/a.c|#include "bsserver/bootstrap/record.h"\n|
libcoap outside of transport|includes.sh|bsserver/registry/a.c|#include <coap3/coap.h>\n|coap3/coap.h belongs to: bsserver/transport
GnuTLS in another file of transport|includes.sh|bsserver/transport/a.c|#include <gnutls/gnutls.h>\n|gnutls/gnutls.h belongs to
GnuTLS in the DTLS file|includes.sh|bsserver/transport/dtls_psk.c|#include <gnutls/gnutls.h>\n|
an inner header used elsewhere|includes.sh|bsserver/api/a.c|#include "bsserver/transport/internal.h"\n|is for its own folder only
an outside type in a header|includes.sh|bsserver/loop/loop.h|#include <uv.h>\n|a header of ours names no outside type
a library nobody owns|includes.sh|lib/base/a.c|#include <zlib.h>\n|<zlib.h> has no owner
a folder without a row|includes.sh|bsserver/attic/a.c|#include "lib/base/err.h"\n|no row for this folder
somebody starts the server|includes.sh|bsserver/conf/a.c|#include "bsserver/server.h"\n|bsserver/server.h belongs to
a word that asks to be done|words.sh|lib/a.c|/* TODO later */\n|lib/a.c:1:
the same as part of a name|words.sh|lib/a.c|int todos;\n|
a path of one machine|words.sh|docs/a.md|see /work/notes\n|docs/a.md:1:
an unbounded copy|words.sh|lib/a.c|strcpy(a, b);\n|lib/a.c:1:
a bounded relative of it|words.sh|lib/a.c|my_strcpy(a, b);\n|
a hidden struct|words.sh|lib/a.h|typedef struct a a;\n|lib/a.h:1:
a second label|words.sh|lib/a.c|fail:\n|lib/a.c:1:
the one label|words.sh|lib/a.c|out:\n|
a function that is not there|conformance.sh|docs/CONFORMANCE.md|\0174 a \0174 b \0174 `fly()` \0174 *open* \0174\n|fly() is not defined anywhere
a test that is not there|conformance.sh|docs/CONFORMANCE.md|\0174 a \0174 b \0174 *open* \0174 `tests/none.c` \0174\n|tests/none.c is not there
a case of a script that is not there|conformance.sh|docs/CONFORMANCE.md|\0174 a \0174 b \0174 *open* \0174 `tests/none.sh:int-0` \0174\n|tests/none.sh:int-0 is not there
blanks at the end|words.sh|lib/a.c|int a; \n|lib/a.c:1:
EOF

# lines N: as many of them
lines() { yes '	x();' | head -n "$1"; }

with lib/a.c "void\nlong_one(int a)\n{\n$(lines 79)\n}\n"
expect "a function of 81 lines" sizes.sh "lib/a.c:3: long_one: 81 lines"
with lib/a.c "void\nlong_one(int a)\n{\n$(lines 43)\n}\n"
expect "a p90 of 45 lines" sizes.sh "p90 is 45"
with lib/a.c "void\nshort_one(int a)\n{\n$(lines 42)\n}\n"
expect "a p90 of 44 lines" sizes.sh ""
with lib/a.c "void\ntable(int a)\n{\n$(yes '	{ 1, "x" }, /* a row */' | head -n 100)\n}\n"
expect "a table of 100 rows in a function" sizes.sh ""
with lib/a.c "$(lines 701)\n"
expect "a file of 701 lines" sizes.sh "lib/a.c: 701 lines"

echo "1..$n"
echo "# $n checks, $bad failed"
[ "$bad" -eq 0 ]
