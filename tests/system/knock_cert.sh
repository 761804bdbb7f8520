#!/bin/bash
# Devices that knock with a certificate or a raw public key: whole sessions over real DTLS, and each refusal by its name.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/certs.sh"

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
	expect_rc 0 prov why meter-1
	says 'lets it in with a certificate of trust factory whose common name (CN) is "meter-1"'
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
	raw_key_pair known
	raw_key_pair unknown
	knocks_with raw "{ \"mode\": \"rpk\", \"identity\": $(jq -Rs . "$WORK/known.pub") }"
	with_rpk known
	device raw "${CERT[@]}" || fail 'not provisioned'
	ended_as raw provisioned
	[[ $(jq -r .credential <<<"$SESSION") == rpk:* ]] || fail "the record says $(jq .credential <<<"$SESSION")"
	with_rpk unknown
	device raw "${CERT[@]}" --timeout "${PATIENCE}s" --expect any
	within "$PATIENCE" why_peer 'no device that may knock is registered with the raw public key' || fail "why: $OUT"
	stop
}

# refused_in_handshake CA SUBJECT PURPOSE REASON: with such a certificate.
refused_in_handshake() {
	cert_daemon "handshake-$4"
	start
	knocks_with meter-1 '{ "mode": "x509" }'
	issue "$1" "bad-$4" "$2" "$3"
	with_cert "bad-$4"
	device meter-1 "${CERT[@]}" --timeout "${PATIENCE}s" --expect any
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
