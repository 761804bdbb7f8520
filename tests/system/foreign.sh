#!/bin/bash
# Other people's DTLS clients at a real daemon: which suites and versions it has, and that whoever is not to come in is
# refused with the alert that says why, and a record that says it too.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/certs.sh"

DTLS12='NORMAL:-VERS-ALL:+VERS-DTLS1.2'

# s_client ARGUMENT...: OUT is what openssl says of one handshake.
s_client() {
	OUT=$(timeout "$PATIENCE" openssl s_client "${DTLS:--dtls1_2}" -connect "127.0.0.1:${COAPS##*:}" "$@" </dev/null 2>&1)
}

with_meter() {
	s_client -cert "$WORK/meter-1.pem" -key "$WORK/meter-1.key" "$@"
}

with_psk() {
	s_client -psk_identity psk-1 -psk "$(cat "$(long_key)")" "$@"
}

# gnutls_cli ARGUMENT...: the same by GnuTLS.
gnutls_cli() {
	OUT=$(timeout "$PATIENCE" gnutls-cli --udp -p "${COAPS##*:}" 127.0.0.1 --no-ca-verification "$@" </dev/null 2>&1)
}

# The key of psk-1: 64 octets, which RFC 7925 section 4.2 wants to be possible. Prints the file that holds it.
long_key() {
	local file=$WORK/keys/psk-1.psk

	if [ ! -e "$file" ]; then
		mkdir -p "$WORK/keys"
		(umask 077 && printf '%s long' "$SEED" | sha512sum | cut -c 1-128 >"$file")
	fi
	echo "$file"
}

foreign_daemon() {
	long_key >/dev/null
	cert_daemon "$1"
	[ -e "$WORK/meter-1.pem" ] || issue factory meter-1 CN=meter-1 client
	start
	knocks_with meter-1 '{ "mode": "x509" }'
	psk_device psk-1
}

# offered COMMAND SUITE...: each is taken when it is all that the client has. refused_suites COMMAND SUITE...: none is.
offered() {
	local suite

	for suite in "${@:2}"; do
		"$1" -cipher "$suite:@SECLEVEL=0"
		[[ $OUT == *"Cipher is $suite"* && $OUT == *'Compression: NONE'* ]] || fail "$suite: $OUT"
	done
}
refused_suites() {
	local suite

	for suite in "${@:2}"; do
		"$1" -cipher "$suite:@SECLEVEL=0"
		[[ $OUT == *'alert handshake failure'* ]] || fail "$suite: $OUT"
	done
}

suites() {
	foreign_daemon suites
	offered with_meter ECDHE-ECDSA-AES128-CCM8 ECDHE-ECDSA-AES128-CCM ECDHE-ECDSA-AES128-GCM-SHA256 \
		ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-ECDSA-AES128-SHA256
	offered with_psk PSK-AES128-CCM8 PSK-AES128-CCM PSK-AES128-GCM-SHA256 PSK-AES256-GCM-SHA384 PSK-AES128-CBC-SHA256 \
		ECDHE-PSK-AES128-CBC-SHA256
	refused_suites with_meter ECDHE-ECDSA-AES128-SHA ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-AES128-GCM-SHA256 \
		AES128-GCM-SHA256 ECDHE-ECDSA-NULL-SHA
	refused_suites with_psk PSK-AES128-CBC-SHA PSK-NULL-SHA256 DHE-PSK-AES128-GCM-SHA256
	with_meter -cipher 'ALL:@SECLEVEL=0' # ours goes first, whatever the client likes best
	says 'Cipher is ECDHE-ECDSA-AES128-CCM8'
	gnutls_cli --x509certfile "$WORK/meter-1.pem" --x509keyfile "$WORK/meter-1.key" --priority "$DTLS12:+AES-128-CCM-8"
	says '(DTLS1.2-X.509)-(ECDHE-SECP256R1)-(ECDSA-SHA256)-(AES-128-CCM-8)'
	says 'extended master secret'
	within "$PATIENCE" why_peer 'no cipher suite in common' || fail "why says: $OUT"
	stop
}

extensions() {
	foreign_daemon extensions
	with_meter -cipher 'ECDHE-ECDSA-AES128-SHA256' -tlsextdebug -servername bs.example.com -maxfraglen 1024
	says 'server extension "encrypt-then-mac"'
	says 'server extension "extended master secret"'
	says 'server extension "EC point formats"'
	says 'server extension "max fragment length"'
	says 'Extended master secret: yes'
	[[ $OUT != *'session ticket'* ]] || fail "a ticket: $OUT"
	with_psk -cipher 'PSK-AES128-CCM8:@SECLEVEL=0'
	says 'PSK identity hint: None'
	DTLS=-dtls1 s_client -cipher 'ALL:@SECLEVEL=0' -cert "$WORK/meter-1.pem" -key "$WORK/meter-1.key"
	says 'alert protocol version'
	within "$PATIENCE" why_peer 'the device offers no DTLS 1.2' || fail "why says: $OUT"
	stop
}

# dated NAME FROM UNTIL: NAME.pem by the CA factory with these dates, YYYYMMDDHHMMSSZ.
dated() {
	openssl ecparam -name prime256v1 -genkey -noout -out "$WORK/$1.key"
	openssl req -new -key "$WORK/$1.key" -subj /CN=meter-1 -out "$WORK/$1.csr"
	: >"$WORK/dated.index"
	cat >"$WORK/dated.conf" <<-EOT
	[ca]
	default_ca = one
	[one]
	database = $WORK/dated.index
	new_certs_dir = $WORK
	rand_serial = yes
	default_md = sha256
	policy = any
	x509_extensions = device
	[any]
	commonName = supplied
	[device]
	keyUsage = critical, digitalSignature
	extendedKeyUsage = clientAuth
	subjectKeyIdentifier = hash
	authorityKeyIdentifier = keyid
	EOT
	expect_rc 0 openssl ca -batch -notext -config "$WORK/dated.conf" -cert "$WORK/factory/ca.pem" \
		-keyfile "$WORK/factory/ca.key" -in "$WORK/$1.csr" -out "$WORK/$1.pem" -startdate "$2" -enddate "$3"
}

# refused_as ALERT REASON WORDS: what the client was told; what `session list` and `why --peer` say.
refused_as() {
	[[ ${OUT,,} == *"alert"*"$1"* || ${OUT,,} == *"$1"*"alert"* ]] || fail "no alert '$1': $OUT"
	within "$PATIENCE" why_peer "$3" || fail "why says: $OUT"
	expect_rc 0 prov session list --limit 1
	says "$2"
	says "$3"
}

# refused_at_last WORDS: what `session list` says of the newest session.
refused_at_last() {
	OUT=$(prov session list --limit 1 2>&1)
	[[ $OUT == *$1* ]]
}

strangers() {
	foreign_daemon strangers
	s_client
	refused_as 'handshake failure' handshake 'the device shows no certificate'
	raw_key_pair nobody
	gnutls_cli --rawpkkeyfile "$WORK/nobody.key" --rawpkfile "$WORK/nobody.pub" \
		--priority 'NORMAL:-CTYPE-ALL:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK'
	refused_as 'access was denied' unknown_identity 'no device that may knock is registered with the raw public key'
	issue stranger foreign CN=meter-1 client
	s_client -cert "$WORK/foreign.pem" -key "$WORK/foreign.key"
	refused_as 'unknown ca' certificate unknown_ca
	issue factory for-servers CN=meter-1 server
	s_client -cert "$WORK/for-servers.pem" -key "$WORK/for-servers.key"
	refused_as 'unsupported certificate' certificate wrong_purpose
	dated expired 20200101000000Z 20210101000000Z
	s_client -cert "$WORK/expired.pem" -key "$WORK/expired.key"
	refused_as 'certificate expired' certificate expired
	dated early 20400101000000Z 20410101000000Z
	s_client -cert "$WORK/early.pem" -key "$WORK/early.key"
	refused_as 'certificate expired' certificate not_yet_valid # RFC 5246 section 7.2.2: "or is not currently valid"
	issue factory gone CN=meter-1 client
	expect_rc 0 prov --reason superseded pki revoke "$WORK/factory" "$WORK/gone.pem" --tell
	OUT=$("$PYTHON" "$(dirname "$0")/knock.py" "${COAPS##*:}" meter-1 "$WORK/gone.pem" "$WORK/gone.key" | tr '\n' ' ')
	[ "$OUT" = '4.00 silent ' ] || fail "a revoked one: $OUT"
	within "$PATIENCE" refused_at_last 'known to be revoked: superseded' || fail "no record: $OUT"
	says revoked
	s_client -psk_identity nobody -psk 00112233 -cipher 'PSK-AES128-CCM8:@SECLEVEL=0'
	refused_as 'unknown psk identity' unknown_identity 'unknown identity'
	s_client -psk_identity psk-1 -psk 00112233445566778899aabbccddeeff -cipher 'PSK-AES128-CCM8:@SECLEVEL=0'
	refused_as 'decrypt error' wrong_key 'wrong key for this identity'
	[ "$(prov --json session list --limit 100 | jq -s 'flatten | map(select(.verdict == "provisioned")) | length')" = 0 ] ||
		fail 'somebody was let in'
	stop
}

run_case 'the suites that are offered, and no others' suites
run_case 'versions and extensions' extensions
run_case 'who is refused is told why, and there is a record of it' strangers
finish
