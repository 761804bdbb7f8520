#!/bin/bash
# Certificates that devices are to be given, at a real daemon with a real OCSP responder: what is revoked, or cannot be
# asked about, is not written; the session fails and says why, and the device keeps what it had.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

command -v openssl >/dev/null || { echo "1..0 # SKIP openssl is not installed"; exit 0; }
. "$(dirname "$0")/pki_lib.sh"

# account NAME CERTIFICATE: one server, known by that certificate, for a device that has its own from "factory".
account() {
	cat <<-EOT
	"servers": { "dm": { "short_server_id": 1, "uri": "coaps://dm.example.com:5684", "lifetime": 86400, "binding": "U",
	    "security": { "mode": "x509", "identity": { "file": "pki/$1.pem" }, "key": { "file": "pki/$1.key" },
	      "server_public_key": { "file": "pki/$2.pem" } } } }
	EOT
}

# daemon NAME WORDS: the CA is trusted with these settings for servers, and two devices are given certificates of it.
daemon() {
	responder issuing-ca
	server="keyUsage = digitalSignature\nextendedKeyUsage = serverAuth\nsubjectAltName = DNS:dm.example.com"
	certificate dm 7001 "$server\nauthorityInfoAccess = OCSP;URI:$URL"
	certificate mute 7002 "$server"
	certificate dev-1 7003 "keyUsage = digitalSignature\nextendedKeyUsage = clientAuth\nauthorityInfoAccess = OCSP;URI:$URL"
	status V 7001 dm
	status V 7003 dev-1
	new_daemon "$1"
	set_option connect_ms 1000
	set_option request_ms 1500
	set_option deadline_ms 3000
	set_option fail_seconds 0
	set_option refresh_seconds 0
	[ -z "$2" ] || servers_trust "$2"
	start
	psk_device dev-1 "$(account dev-1 dm), \"bootstrap\": { \"policy\": \"replace\" }"
	psk_device dev-2
}

servers_trust() {
	replace_block 'trust = (' "trust = ( { name = \"management\"; file = \"$pki/ca.pem\"; for = \"servers\"; $1 }"
}

# told REGEX: the transcript of the last session has it.
told() {
	grep -Eq -- "$1" <<<"$SESSION" || fail "the record has no $1: $SESSION"
}

# failed_for REGEX: the last session was, which may not be recorded yet.
failed_for() {
	last_session_is dev-1 failed handout plan && [[ $(jq -r .detail <<<"$SESSION") =~ $1 ]]
}

# not_given REGEX: dev-1 fails, for that; nothing was written or deleted.
not_given() {
	device dev-1 --expect failed || fail 'dev-1 was not failed'
	within "$PATIENCE" failed_for "$1" || fail "the detail is $(jq .detail <<<"$SESSION"), not $1"
	[ "$(jq '[.transcript[] | select(.method == "PUT" or .method == "DELETE" or .path == "/bs" and (.uplink | not))] | length' \
		<<<"$SESSION")" = 0 ] || fail "something was written: $SESSION"
}

given() {
	device dev-1 || fail 'dev-1 was not provisioned'
	ended_as dev-1 provisioned
}

good_and_revoked() {
	daemon good 'revocation = "hard";'
	given
	told "the server's certificate has a good chain"
	told "the device's certificate has a good chain"
	told "/0/0/4: status: not revoked.*$URL"
	told "/0/0/3: status: not revoked.*$URL"
	status R 7001 dm
	not_given "^/0/0/4: status: revoked on 20.*keyCompromise.*$URL"
	certificate dm 7011 "$server\nauthorityInfoAccess = OCSP;URI:$URL" # which nobody issued, says the responder
	apply "$WORK/dev-1.json"
	not_given "^/0/0/4: status: .*does not know.*$URL"
	status V 7011 dm
	given
	status R 7003 dev-1
	certificate dm 7012 "$server\nauthorityInfoAccess = OCSP;URI:$URL"
	status V 7012 dm
	apply "$WORK/dev-1.json"
	not_given '^/0/0/3: status: revoked on 20'
}

nobody_answers() {
	daemon hard 'revocation = "hard"; stale_grace = 0;'
	for mode in down 500; do
		echo "$mode" >"$pki/mode"
		not_given "^/0/0/[34]: status: .*$URL"
	done
	servers_trust 'revocation = "soft";'
	kill -HUP "$D_PID"
	logged 'SIGHUP: log settings'
	given
	told 'status: .*allowed by the configuration'
}

the_loop_does_not_wait() {
	daemon hang 'revocation = "hard"; stale_grace = 0;'
	echo hang >"$pki/mode"
	device dev-1 --expect failed &
	PIDS+=($!)
	within "$PATIENCE" test -s "$pki/requests" || fail 'nobody asked'
	device dev-2 || fail 'another device waited'
	[ "$(prov --json session list dev-1 | jq '.sessions | length')" = 0 ] || fail 'dev-1 did not wait'
	ended_as dev-1 failed handout plan
}

without_a_source() {
	daemon mute 'revocation = "hard";'
	apply "$(document dev-1 "$(account dev-1 mute), \"bootstrap\": { \"policy\": \"replace\" }")"
	not_given '^/0/0/4: status: .*names no OCSP responder'
	servers_trust 'revocation = "hard"; no_source = "allow";'
	kill -HUP "$D_PID"
	logged 'SIGHUP: log settings'
	given
	told '/0/0/4: status: '
}

of_an_unknown_issuer() {
	daemon unknown ''
	not_given "^/0/0/4: the issuer of the server's certificate is not known here; add the CA to a trust"
	set_option allow_unknown_issuer true bootstrap
	kill -HUP "$D_PID"
	logged 'SIGHUP: log settings'
	given
	told "the issuer of the server's certificate is not known here: neither chain nor status judged"
	[ ! -s "$pki/requests" ] || fail 'a responder was asked that no known CA vouches for'
	# A CA that devices know servers by says nothing of the devices themselves.
	apply "$(document dev-1 "$(account dev-1 ca | sed 's/"mode": "x509"/&, "certificate_usage": 2/'), \"bootstrap\": { \"policy\": \"replace\" }")"
	given
	[ ! -s "$pki/requests" ] || fail 'a responder was asked'
}

# Two accounts, one with the CA and one with a certificate of it, and nothing in the configuration about its status.
of_a_ca_that_is_handed_out() {
	daemon handed ''
	apply "$(document dev-1 "$(jq -c --argjson b "{$(account dev-1 mute)}" \
		'.servers.other = ($b.servers.dm | .short_server_id = 2)' <<<"{$(account dev-1 ca |
			sed 's/"mode": "x509"/&, "certificate_usage": 2/')}" | sed 's/^{//; s/}$//'), \"bootstrap\": { \"policy\": \"replace\" }")"
	not_given '^/0/1/4: status: .*names no OCSP responder.*one for = "servers" says how to ask'
}

# A CA below a known one is handed out as an anchor: its own status counts.
an_anchor_below() {
	daemon below 'revocation = "hard";'
	certificate sub 7020 "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\nauthorityInfoAccess = OCSP;URI:$URL"
	status V 7020 sub
	apply "$(document dev-1 "$(account dev-1 sub | sed 's/"mode": "x509"/&, "certificate_usage": 2/'), \"bootstrap\": { \"policy\": \"replace\" }")"
	given
	told '/0/0/4: status: not revoked'
	status R 7020 sub
	not_given '^/0/0/4: status: revoked on 20'
}

# The bootstrap account that a device is handed over to is judged as well.
handed_over() {
	daemon handover 'revocation = "hard";'
	status R 7001 dm
	mkdir -p "$WORK/next"
	cp -r "$pki" "$WORK/next/pki"
	printf '{ "profile_format": 1, "profile": "next", %s }' "$(account dev-1 dm | sed 's/"dm":/"boot":/')" >"$WORK/next/next.json"
	apply "$WORK/next/next.json"
	expect_rc 0 prov device handover dev-2 --profile next
	device dev-2 --expect failed || fail 'dev-2 was handed over'
	ended_as dev-2 failed handout plan
	[[ $(jq -r .detail <<<"$SESSION") =~ '/0/0/4: status: revoked on' ]] || fail "the detail is $(jq .detail <<<"$SESSION")"
}

run_case 'good is written; revoked is not, and it says so' good_and_revoked
run_case 'no answer: hard refuses, soft says that it does not know' nobody_answers
run_case 'others are served while a responder hangs' the_loop_does_not_wait
run_case 'without a responder: refused, unless the trust allows it' without_a_source
run_case 'an unknown issuer is refused unless the configuration allows it; nobody is asked' of_an_unknown_issuer
run_case 'a CA that is handed out vouches for servers, and its status must be configured' of_a_ca_that_is_handed_out
run_case 'a CA below a known one is an anchor as long as it is not revoked' an_anchor_below
run_case 'a bootstrap account is judged before a device is handed over' handed_over
finish
