#!/bin/bash
# Devices with certificates at a real daemon, over DTLS, with a real OCSP responder: who is revoked, unknown, or cannot
# be asked about is refused with 4.00, nothing is sent to it, and the record says why, by whom, how old.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

command -v openssl >/dev/null || { echo "1..0 # SKIP openssl is not installed"; exit 0; }

. "$(dirname "$0")/pki_lib.sh"

make_pki() {
	local device

	responder factory-ca
	device="keyUsage = digitalSignature\nextendedKeyUsage = clientAuth\nauthorityInfoAccess = OCSP;URI:$URL"
	certificate good-1 7001 "$device"
	certificate bad-1 7002 "$device"
	certificate lost-1 7003 "$device"
	certificate mute-1 7006 'keyUsage = digitalSignature\nextendedKeyUsage = clientAuth'
	certificate server 7005 'keyUsage = digitalSignature\nextendedKeyUsage = serverAuth\nsubjectAltName = IP:127.0.0.1'
	status V 7001 good-1
	status R 7002 bad-1
}

# reloaded N: the log tells of so many SIGHUPs.
reloaded() {
	[ "$(grep -c 'SIGHUP: log settings' "$D_LOG")" -ge "$1" ]
}

# known_revoked TEXT: the newest record of bad-1 is a refusal, because of what is known already.
known_revoked() {
	knock bad-1 '4.00 silent'
	record bad-1 revoked "it is known to be revoked: $1"
	nothing_sent
}

# trust WORDS: the one trust, with these settings.
trust() {
	replace_block 'trust = (' "trust = ( { name = \"factory\"; file = \"$pki/ca.pem\"; $1 }"
}

# daemon NAME WORDS: with devices good-1, bad-1, lost-1 and mute-1, by their common name.
daemon() {
	local ep

	make_pki
	new_daemon "$1"
	replace_block 'listeners = (' 'listeners = ( { uri = "coaps://127.0.0.1:0"; security = "psk x509"; }'
	replace_block '  rules = (' \
		'  rules = ( { credential = "psk"; rule = "mapped"; }, { credential = "x509"; rule = "cn"; trust = "factory"; }'
	set_option certificate_file "\"$pki/server.pem\""
	set_option key "\"$pki/server.key\""
	set_option connect_ms 1000
	set_option request_ms 1500
	set_option deadline_ms 3000
	set_option fail_seconds 0
	trust "$2"
	start
	for ep in good-1 bad-1 lost-1 mute-1; do
		printf '{ "profile_format": 1, "endpoint": "%s", %s, "bootstrap": { "policy": "replace" } }\n' \
			"$ep" "$(server_of "$ep")" >"$WORK/$ep.json"
		key_file "$ep-dm" >/dev/null
		apply "$WORK/$ep.json"
	done
}

# knock DEVICE WANT: the answer and what follows it, as "4.00 silent".
knock() {
	local got

	got=$("$PYTHON" "$here/knock.py" "${COAPS##*:}" "$1" "$pki/$1.pem" "$pki/$1.key" | tr '\n' ' ')
	[ "$got" = "$2 " ] || fail "$1: $got, not $2"
}

# record DEVICE REASON REGEX...: its newest record that is a refusal.
record() {
	local ep=$1 reason=$2 regex

	shift 2
	within "$PATIENCE" recorded "$ep" "$reason" || fail "$ep: no record with reason $reason: $(cat "$WORK/record" "$WORK/list")"
	for regex; do
		grep -Eq -- "$regex" "$WORK/record" || fail "$ep: the record has no $regex: $(cat "$WORK/record")"
	done
}

recorded() {
	prov --json session list "$1" --limit 1 >"$WORK/list" 2>&1 || return 1
	prov --json session show "$1" --last >"$WORK/record" 2>&1 || return 1
	grep -q "\"reason\": *\"$2\"" "$WORK/record"
}

# Nothing was read or written: no exchange but the request itself.
nothing_sent() {
	[ "$(jq '[.transcript[]? | select(.method != null and (.uplink | not))] | length' "$WORK/record")" = 0 ] ||
		fail "something was sent: $(cat "$WORK/record")"
}

# What is known of bad-1 is some seconds old by now, and said so.
refused_as_known() {
	knock bad-1 '4.00 silent'
	record bad-1 revoked
	grep -Eq '[0-9]+ s ago' "$WORK/record"
}

# The answer for good-1 has run out by now.
let_in_as_stale() {
	knock good-1 '2.04 asked'
	grep -q 'stale: there is no newer answer' "$D_LOG"
}

good_revoked_and_unknown() {
	daemon verdicts 'revocation = "hard";'
	knock good-1 '2.04 asked'
	knock bad-1 '4.00 silent'
	record bad-1 revoked "revoked on 20.*keyCompromise" "says $URL" '"step": *"vet"'
	nothing_sent
	knock lost-1 '4.00 silent'
	record lost-1 status_unknown "$URL"
	nothing_sent
	knock mute-1 '4.00 silent'
	record mute-1 no_status 'names no OCSP responder'
	nothing_sent
	[ "$(wc -l <"$pki/requests")" = 3 ] || fail "requests: $(wc -l <"$pki/requests")"
	within "$PATIENCE" refused_as_known || fail "the record does not say how old it is: $(cat "$WORK/record")"
	[ "$(wc -l <"$pki/requests")" = 3 ] || fail 'what was known was asked for again'
	# it stays known when the answer has run out, so that it is not handed out either
	openssl x509 -in "$pki/bad-1.pem" -outform DER -out "$pki/bad-1.der"
	python3 -c 'import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute("SELECT sha256, detail FROM revoked"))' \
		"$WORK/verdicts/store.db" >"$WORK/revoked"
	grep -q "$(sha256sum <"$pki/bad-1.der" | cut -c 1-64).*keyCompromise" "$WORK/revoked" || fail "the store knows of: $(cat "$WORK/revoked")"
	[ "$(wc -l <"$WORK/revoked")" = 1 ] || fail 'it was noted twice, or another one'
}

soft_mode() {
	daemon soft 'revocation = "soft"; no_source = "allow";'
	echo down >"$pki/mode"
	knock good-1 '2.04 asked'
	logged 'nobody could say .*allowed by the configuration'
	knock mute-1 '2.04 asked'
	echo up >"$pki/mode"
	knock lost-1 '4.00 silent' # who is unknown to the one who should know is refused all the same
	record lost-1 status_unknown "$URL"
	nothing_sent
	knock bad-1 '4.00 silent'
	record bad-1 revoked "revoked on 20.*keyCompromise" "says $URL"
	nothing_sent
	# whoever silences the responder afterwards gains nothing, not even after a restart without what was kept of it
	stop KILL # nobody waits for the sessions of those who were let in
	echo down >"$pki/mode"
	rm -f "$D/certificate-status"
	start
	known_revoked 'found: revoked on 20.*keyCompromise'
}

responder_down() {
	daemon down 'revocation = "hard";'
	for mode in down 500 hang; do
		echo "$mode" >"$pki/mode"
		knock good-1 '4.00 silent'
		record good-1 no_status "$URL"
		nothing_sent
	done
	echo up >"$pki/mode"
	knock good-1 '2.04 asked'
}

stale_answers() {
	daemon stale 'revocation = "hard"; max_age = 1; stale_grace = "1h";'
	knock good-1 '2.04 asked'
	echo down >"$pki/mode"
	within "$PATIENCE" let_in_as_stale || fail 'the answer does not run out'
	trust 'revocation = "hard"; max_age = 1; stale_grace = 0;'
	kill -HUP "$D_PID"
	logged 'SIGHUP: log settings'
	knock good-1 '4.00 silent'
	record good-1 no_status "$URL" 'the last answer, not revoked, came [0-9]+ s ago'
	nothing_sent
	expect_rc 0 prov session list good-1 --limit 1
	says no_status
	expect_rc 0 prov why good-1
	says no_status
}

# A stop waits for sessions, and nobody answers in that of good-1 any more.
stop_at_once() {
	prov session cancel good-1 >/dev/null 2>&1
	stop
}

a_restart_keeps_what_is_known() {
	daemon kept 'revocation = "hard";'
	knock good-1 '2.04 asked'
	stop_at_once
	[ -s "$D/certificate-status" ] && [ "$(stat -c %a "$D/certificate-status")" = 600 ] || fail 'nothing was kept'
	echo down >"$pki/mode"
	start
	knock good-1 '2.04 asked'
	[ "$(wc -l <"$pki/requests")" = 1 ] || fail 'it was asked again'
	stop_at_once
	printf 'tampered' | dd of="$D/certificate-status" bs=1 seek=200 conv=notrunc 2>/dev/null
	start
	knock good-1 '4.00 silent'
}

reload_and_stop_while_it_waits() {
	daemon busy 'revocation = "hard";'
	echo hang >"$pki/mode"
	"$PYTHON" "$here/knock.py" "${COAPS##*:}" good-1 "$pki/good-1.pem" "$pki/good-1.key" >"$WORK/first" &
	PIDS+=($!)
	within "$PATIENCE" test -s "$pki/requests" || fail 'nobody asked'
	kill -HUP "$D_PID"
	logged 'SIGHUP: log settings'
	alive
	stop
	[ "$D_RC" -eq 0 ] || fail "it ended with $D_RC"
	grep -q 'bootstrap refused at vet' "$D_LOG" || fail "no record: $(tail -n 5 "$D_LOG")"
	[ "$(grep -c 'bootstrap refused at vet' "$D_LOG")" = 1 ] || fail 'it was answered twice'
}

# A revocation list of our own CA, without any responder: who is on it is refused, others come in.
by_list() {
	expect_rc 0 "$PROV" pki ca init "$WORK/factory" --subject CN=list-ca
	for ep in good-1 bad-1; do
		expect_rc 0 "$PROV" pki issue "$WORK/factory" --subject "CN=$ep" --purpose client --out "$WORK/$ep.pem" \
			--key-out "$WORK/$ep.key"
	done
	expect_rc 0 "$PROV" pki crl "$WORK/factory" --out "$WORK/ca.crl"
	daemon by-list 'revocation = "hard";'
	cp "$WORK/good-1.pem" "$WORK/good-1.key" "$WORK/bad-1.pem" "$WORK/bad-1.key" "$pki"
	cp "$WORK/factory/ca.pem" "$pki/ca.pem"
	trust "revocation = \"hard\"; crl_files = [ \"$WORK/ca.crl\" ];"
	kill -HUP "$D_PID"
	logged 'SIGHUP: log settings'
	knock good-1 '2.04 asked'
	knock bad-1 '2.04 asked'
	expect_rc 0 prov --reason keyCompromise pki revoke "$WORK/factory" "$WORK/bad-1.pem" --tell
	known_revoked keyCompromise # before the list is read anew
	expect_rc 0 "$PROV" pki crl "$WORK/factory" --out "$WORK/ca.crl" --force
	quiet openssl crl -in "$WORK/ca.crl" -CAfile "$WORK/factory/ca.pem" -noout
	kill -HUP "$D_PID"
	within "$PATIENCE" reloaded 2 || fail 'no second SIGHUP'
	knock good-1 '2.04 asked'
	knock bad-1 '4.00 silent'
	record bad-1 revoked 'says crl'
	nothing_sent
	[ ! -s "$pki/requests" ] || fail 'a responder was asked'
}

no_word_about_it_is_a_mistake() {
	new_daemon words
	replace_block 'trust = (' 'trust = ( { name = "factory"; file = "x.pem"; }'
	expect_rc 3 "$BSSERVER" --check-config -c "$D/bsserver.conf"
	says 'revocation: is missing'
}

run_case 'good, revoked, unknown, without a responder' good_revoked_and_unknown
run_case 'soft: who cannot be asked about is let in, who is revoked is not' soft_mode
run_case 'responder down, failing, hanging: refused' responder_down
run_case 'stale within grace and past it' stale_answers
run_case 'a restart keeps what is known, and believes no changed file' a_restart_keeps_what_is_known
run_case 'reload and stop while a responder hangs' reload_and_stop_while_it_waits
run_case 'by a revocation list' by_list
run_case 'revocation must be configured in words' no_word_about_it_is_a_mistake
finish
