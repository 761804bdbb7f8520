#!/bin/bash
# Devices that knock with a certificate or a raw public key: whole sessions over real DTLS, and each refusal by its name.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

# ca NAME: a CA in a folder. issue CA NAME SUBJECT PURPOSE ARGUMENT...: NAME.pem and NAME.key of it, in $WORK.
ca() {
	expect_rc 0 "$PROV" pki ca init "$WORK/$1" --subject "CN=$1"
}
issue() {
	expect_rc 0 "$PROV" pki issue "$WORK/$1" --subject "$3" --purpose "$4" --out "$WORK/$2.pem" \
		--key-out "$WORK/$2.key" "${@:5}"
}

# cert_daemon NAME: $D takes PSK, X.509 of the CA "factory" by common name, pinned certificates and raw public keys.
cert_daemon() {
	new_daemon "$1"
	[ -d "$WORK/factory" ] || ca factory
	[ -d "$WORK/stranger" ] || ca stranger
	[ -e "$WORK/server.pem" ] || issue factory server CN=bs.example.com server --name dns:bs.example.com
	replace_block 'listeners = (' 'listeners = ( { uri = "coaps://127.0.0.1:0"; security = "psk x509 rpk"; }'
	replace_block 'trust = (' "trust = ( { name = \"factory\"; file = \"$WORK/factory/ca.pem\"; revocation = \"off\"; }"
	replace_block '  rules = (' '  rules = ( { credential = "psk"; rule = "mapped"; }, { credential = "x509"; rule = "mapped"; },
	  { credential = "x509"; rule = "cn"; trust = "factory"; }, { credential = "rpk"; rule = "mapped"; }'
	set_option certificate_file "\"$WORK/server.pem\""
	sed "s|^  key = .*|  key = \"$WORK/server.key\";|" "$D/bsserver.conf" >"$WORK/conf.new" &&
		cat "$WORK/conf.new" >"$D/bsserver.conf"
}

# knocks_with ENDPOINT CREDENTIALS: the document of a device with these, applied.
knocks_with() {
	local file

	file=$(document "$1")
	jq --argjson credentials "$2" '.credentials.bootstrap = $credentials' "$file" >"$file.new" && mv "$file.new" "$file"
	apply "$file"
}

# with_cert NAME, with_rpk NAME: the simulator's arguments.
with_cert() {
	CERT=(--server "$COAPS" --cert-file "$WORK/$1.pem" --private-key-file "$WORK/$1.key")
}
with_rpk() {
	CERT=(--server "$COAPS" --rpk-file "$WORK/$1.pub" --private-key-file "$WORK/$1.key")
}

by_name() {
	cert_daemon by-name
	start
	knocks_with meter-1 '{ "mode": "x509" }'
	issue factory meter-1 CN=meter-1 client
	with_cert meter-1
	device meter-1 "${CERT[@]}" || fail 'not provisioned'
	ended_as meter-1 provisioned
	[[ $(jq -r .credential <<<"$SESSION") == x509:* ]] || fail "the record says $(jq .credential <<<"$SESSION")"
	[[ $(jq -r .rule <<<"$SESSION") == *factory* ]] || fail "the rule is $(jq .rule <<<"$SESSION")"
	device '' "${CERT[@]}" || fail 'not provisioned without ep'
	stop
}

another_name() {
	cert_daemon another-name
	start
	knocks_with meter-1 '{ "mode": "x509" }'
	knocks_with meter-2 '{ "mode": "x509" }'
	issue factory meter-2 CN=meter-2 client
	with_cert meter-2
	device meter-1 "${CERT[@]}" --expect refused:4.00 || fail 'it was let in'
	ended_as meter-1 refused identity_mismatch lookup
	stop
}

pinned() {
	cert_daemon pinned
	start
	issue stranger old CN=whatever client
	issue factory pin CN=whatever client
	knocks_with pin "{ \"mode\": \"x509\", \"identity\": $(jq -Rs . "$WORK/pin.pem") }"
	with_cert pin
	device pin "${CERT[@]}" || fail 'not provisioned'
	ended_as pin provisioned
	stop
}

raw_key() {
	cert_daemon raw
	start
	for name in known unknown; do
		openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null | openssl pkcs8 -topk8 -nocrypt -out "$WORK/$name.key"
		openssl pkey -in "$WORK/$name.key" -pubout -out "$WORK/$name.pub"
	done
	knocks_with raw "{ \"mode\": \"rpk\", \"identity\": $(jq -Rs . "$WORK/known.pub") }"
	with_rpk known
	device raw "${CERT[@]}" || fail 'not provisioned'
	ended_as raw provisioned
	[[ $(jq -r .credential <<<"$SESSION") == rpk:* ]] || fail "the record says $(jq .credential <<<"$SESSION")"
	with_rpk unknown
	device raw "${CERT[@]}" --timeout 10s --expect any
	within "$PATIENCE" why_peer 'no device that may knock is registered with the raw public key' || fail "why: $OUT"
	stop
}

# why_peer TEXT: of the address that was refused last, as the log has it, `why` says so.
why_peer() {
	local peer

	peer=$(sed -n 's/.*bootstrap refused at request.* peer=\([0-9.]*\):.*/\1/p' "$D_LOG" | tail -n 1)
	[ -n "$peer" ] && OUT=$(prov why --peer "$peer" 2>&1)
	[[ $OUT == *$1* ]]
}

# refused_in_handshake CA SUBJECT PURPOSE REASON: with such a certificate.
refused_in_handshake() {
	cert_daemon "handshake-$4"
	start
	knocks_with meter-1 '{ "mode": "x509" }'
	issue "$1" "bad-$4" "$2" "$3"
	with_cert "bad-$4"
	device meter-1 "${CERT[@]}" --timeout 10s --expect any
	expect_rc 0 prov session list meter-1
	[[ $OUT != *provisioned* ]] || fail "it was let in: $OUT"
	within "$PATIENCE" why_peer "$4" || fail "why says: $OUT"
	stop
}

run_case x509-by-common-name by_name
run_case x509-another-name another_name
run_case x509-pinned pinned
run_case raw-public-key raw_key
run_case x509-foreign-ca refused_in_handshake stranger CN=meter-1 client unknown_ca
run_case x509-server-only refused_in_handshake factory CN=meter-1 server wrong_purpose
finish
