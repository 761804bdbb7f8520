# A CA of openssl's with an OCSP responder, for the tests of what it says. Sourced after lib.sh.
# shellcheck shell=bash

here=$(cd "$(dirname "$0")" && pwd)
pki=$WORK/pki

quiet() {
	"$@" >"$WORK/quiet.log" 2>&1 || {
		sed 's/^/# /' "$WORK/quiet.log"
		fail "$1 $2"
	}
}

# certificate NAME SERIAL EXTENSIONS: by ca.
certificate() {
	quiet openssl ecparam -name prime256v1 -genkey -noout -out "$pki/$1.key"
	quiet openssl req -new -key "$pki/$1.key" -subj "/CN=$1" -out "$pki/$1.csr"
	printf 'subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n%b\n' "$3" >"$pki/$1.ext"
	quiet openssl x509 -req -in "$pki/$1.csr" -CA "$pki/ca.pem" -CAkey "$pki/ca.key" -set_serial "0x$2" -days 30 \
		-extfile "$pki/$1.ext" -out "$pki/$1.pem"
}

# responder NAME: a CA of that name in an empty $pki, with its responder at $URL, which answers until $pki/mode says else.
responder() {
	rm -rf "$pki" # of the case before
	mkdir -p "$pki"
	echo up >"$pki/mode"
	: >"$pki/index"
	echo 'unique_subject = no' >"$pki/index.attr"
	"$PYTHON" "$here/ocsp_responder.py" "$pki" &
	PIDS+=("$!")
	within "$PATIENCE" test -e "$pki/port" || fail 'the responder does not start'
	URL=http://127.0.0.1:$(cat "$pki/port")/
	quiet openssl ecparam -name prime256v1 -genkey -noout -out "$pki/ca.key"
	quiet openssl req -x509 -new -key "$pki/ca.key" -subj "/CN=$1" -days 60 -out "$pki/ca.pem" \
		-addext 'keyUsage = critical, keyCertSign, cRLSign'
	certificate ocsp 7fff 'extendedKeyUsage = OCSPSigning\nnoCheck = ignored'
}

# status V|R SERIAL NAME: what the responder says of it from now on.
status() {
	local later earlier=

	later=$(date -u -d '+30 days' +%y%m%d%H%M%SZ)
	[ "$1" = V ] || earlier=$(date -u -d '-1 hour' +%y%m%d%H%M%SZ),keyCompromise
	[ ! -e "$pki/index" ] || sed -i "/\t$2\tunknown/d" "$pki/index"
	printf '%s\t%s\t%s\t%s\tunknown\t/CN=%s\n' "$1" "$later" "$earlier" "$2" "$3" >>"$pki/index"
}
