#!/bin/bash
# A CA in a folder: what it issues is judged by others (openssl, certtool), and by pki verify. TAP.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"

. "$(dirname "$0")/cli_frame.sh"

command -v openssl >/dev/null && command -v certtool >/dev/null ||
	{ echo '1..0 # SKIP openssl or certtool is not installed'; exit 0; }

# judge NAME COMMAND...: it must end well; but NAME COMMAND...: it must not.
judge() {
	local name=$1
	shift
	why=$("$@" 2>&1) && why=
	report "$name"
}
but() {
	local name=$1
	shift
	why=$("$@" 2>&1) && why="it was taken: $why" || why=
	report "$name"
}
# says NAME TEXT: what the last command printed has it.
says() {
	grep -qF -- "$2" out err && why= || why=$(cat out err)
	report "$1"
}

for type in p256 p384 ed25519; do
	ends 0 "ca init: $type" pki ca init "$type" --subject "CN=Root $type,O=Example" --key-type $type
	ends 0 "ca init: below $type" pki ca init "$type.sub" --parent "$type" --subject 'CN=Issuing,O=Example' --days 9000
	ends 0 "issue: a key made here, $type" pki issue "$type.sub" --subject CN=dev-1 --purpose client \
		--name uri:urn:dev:1 --out "$type.pem" --key-out "$type.key"
	cat "$type.pem" "$type.sub/ca.pem" "$type/ca.pem" >chain.pem
	judge "openssl takes it, $type" openssl verify -x509_strict -purpose sslclient -CAfile "$type/ca.pem" \
		-untrusted "$type.sub/ca.pem" "$type.pem"
	judge "certtool takes it, $type" certtool --verify-chain --infile chain.pem
	ends 0 "pki verify takes it, $type" pki verify --ca "$type/ca.pem" --chain chain.pem --purpose client
	judge "the key is that of the certificate, $type" cmp <(openssl pkey -in "$type.key" -pubout) \
		<(openssl x509 -in "$type.pem" -pubkey -noout)
done
but 'a client is no server' openssl verify -purpose sslserver -CAfile p256/ca.pem -untrusted p256.sub/ca.pem p256.pem

why=$(find . -type f \( -name '*.key' -o -name '*.ndjson' -o -path './p*/*' -o -name 'p*.pem' \) ! -perm 600)
report 'every file is its owner'"'"'s alone'
why=$(openssl x509 -in p256.pem -noout -serial)
[ ${#why} = 39 ] && [[ ${why#serial=} =~ ^[4-7] ]] && why=
report 'a serial number has 16 octets and is positive'
why=$(diff <(openssl x509 -in p256/ca.pem -noout -enddate) <(openssl x509 -in p256.sub/ca.pem -noout -enddate))
report 'no certificate outlives its CA'

openssl ecparam -name prime256v1 -genkey -noout -out c.key
openssl req -new -key c.key -subj /O=Example/CN=dm.example.com -addext 'basicConstraints=CA:TRUE' -out c.csr 2>/dev/null
ends 0 'csr sign: under its own subject' pki csr sign p256.sub c.csr --purpose server --name dns:dm.example.com \
	--out srv.pem --ocsp-url http://127.0.0.1:1/ocsp --crl-url http://127.0.0.1:1/crl
judge 'openssl takes it as a server' openssl verify -x509_strict -purpose sslserver -verify_hostname dm.example.com \
	-CAfile p256/ca.pem -untrusted p256.sub/ca.pem srv.pem
why=$(diff <(openssl x509 -in srv.pem -noout -subject -nameopt RFC2253) <(echo 'subject=CN=dm.example.com,O=Example'))
report 'its subject is in the order of the request'
but 'what a request asks for beside its key is not in it' grep -q CA:TRUE <(openssl x509 -in srv.pem -noout -text)
judge 'where its status can be asked' grep -q OCSP.*http://127.0.0.1:1/ocsp <(openssl x509 -in srv.pem -noout -text)
openssl req -in c.csr -outform DER -out bad.csr
last=$(tail -c 1 bad.csr | od -An -tu1)
truncate -s -1 bad.csr
# shellcheck disable=SC2059
printf "\\x$(printf %02x $((last ^ 1)))" >>bad.csr
ends 7 'csr sign: one that its key did not sign' pki csr sign p256.sub bad.csr --purpose server --out bad.pem
openssl pkey -in c.key -pubout -out c.pub
ends 0 'issue: a bare public key' pki issue p256.sub --subject CN=dev-2 --purpose client --public-key c.pub --out dev2.pem
ends 2 'issue: for no key' pki issue p256.sub --subject CN=dev-3 --purpose client --out dev3.pem
ends 3 'issue: a subject that is none' pki issue p256.sub --subject nonsense --purpose client --public-key c.pub --out dev3.pem
ends 10 'issue: a file that is there stays' pki issue p256.sub --subject CN=dev-3 --purpose client --public-key c.pub --out dev2.pem
why=$(grep dev-3 p256.sub/issued.ndjson)
report 'and nothing was issued'
ends 10 'ca init: a CA that is there stays' pki ca init p256 --subject CN=other

# --- revoked -------------------------------------------------------------------------------------

ends 0 'revoke: by its file' pki revoke p256.sub p256.pem --reason keyCompromise
ends 10 'revoke: not twice' pki revoke p256.sub p256.pem
ends 8 'revoke: what it never issued' pki revoke p256.sub 0123456789
ends 8 'revoke: what another issued' pki revoke p256.sub p384.pem
ends 2 'revoke: for a reason that there is not' pki revoke p256.sub srv.pem --reason whim
ends 0 'crl' pki crl p256.sub --out sub.crl
ends 0 'crl: of none' pki crl p256 --out root.crl
cat sub.crl root.crl >all.crl
but 'openssl refuses what is revoked' openssl verify -crl_check_all -CRLfile all.crl -CAfile p256/ca.pem -untrusted p256.sub/ca.pem p256.pem
judge 'and nothing else' openssl verify -crl_check_all -CRLfile all.crl -CAfile p256/ca.pem -untrusted p256.sub/ca.pem srv.pem
ends 0 'expiring: in 400 days' pki expiring p256.sub --within 400d
says 'it names what ends' dev-2
but 'what is revoked is not listed' grep -q dev-1 out
ends 0 'expiring: in 30 days' --json pki expiring p256.sub
says 'nothing does' '"issued": []'

# It waits at a pipe, and ends as it would when it crashed.
mkfifo pipe
(ulimit -c unlimited; exec "$PROV" pki show pipe) >out 2>err &
waits=$!
exec {writer}>pipe
why=$(grep -E '^Max core file size' "/proc/$waits/limits")
[[ $why =~ ^Max\ core\ file\ size\ +0\ +0\  ]] && why=
kill -ABRT "$waits" && wait "$waits" 2>/dev/null
exec {writer}>&-
[ -z "$(find . -name '*core*')" ] || why=$(find . -name '*core*')
report 'what has keys in its memory leaves no core'

# A line that was cut short when the machine went down was never acknowledged.
printf '{"serial":"00","subj' >>p256.sub/issued.ndjson
ends 0 'issue: after a crash' pki issue p256.sub --subject CN=dev-4 --purpose client --public-key c.pub --out dev4.pem
judge 'its list is whole again' grep -q dev-4 p256.sub/issued.ndjson
ends 0 'and is read' pki expiring p256.sub

# --- a key in a token ----------------------------------------------------------------------------

if command -v softhsm2-util >/dev/null; then
	export SOFTHSM2_CONF=$WORK/softhsm.conf
	mkdir tokens && echo "directories.tokendir = $WORK/tokens" >softhsm.conf
	softhsm2-util --init-token --free --label ca --pin 1234 --so-pin 12345678 >/dev/null
	openssl pkcs8 -topk8 -nocrypt -in c.key -out c8.key
	softhsm2-util --import c8.key --token ca --label k1 --id 01 --pin 1234 >/dev/null
	url='pkcs11:token=ca;object=k1;type=private'
	echo 1234 >pin && echo 9999 >wrong
	ends 0 'ca init: a key in a token' pki ca init hsm --subject CN=Hsm --ca-key "$url" --pin-file pin
	ends 0 'issue: a key in a token' pki issue hsm --subject CN=dev-5 --purpose client --out d5.pem --key-out d5.key --pin-file pin
	judge 'openssl takes it' openssl verify -x509_strict -CAfile hsm/ca.pem d5.pem
	but 'no key is in the folder' test -e hsm/ca.key
	ends 1 'issue: a wrong PIN' pki issue hsm --subject CN=dev-6 --purpose client --out d6.pem --key-out d6.key --pin-file wrong
	ends 7 'ca init: a PIN on the command line' pki ca init hsm2 --subject CN=Hsm --ca-key "$url?pin-value=1234"
else
	number=$((number + 1))
	echo "ok $number - a key in a token # SKIP softhsm2 is not installed"
fi

echo "1..$number"
[ "$failed" -eq 0 ]
