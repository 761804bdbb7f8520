#!/bin/bash
# What comes over the network: repeated, malformed and wrong requests, devices that claim to be others, the faults of other
# servers that ours must not have. DATAGRAMS: how many malformed ones at each port (4000), SEED: which.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

DATAGRAMS=${DATAGRAMS:-4000}

raw() {
	timeout $((PATIENCE * 3)) "$PYTHON" "$SRCDIR/tests/system/rawcoap.py" "$@"
}

# open_daemon NAME [LOG-LEVELS]: with a listener of each kind.
open_daemon() {
	new_daemon "$1"
	set_option levels "${2:-\"info\"}"
	set_listeners coaps://127.0.0.1:0 coap://127.0.0.1:0
	set_rules 'psk mapped' 'nosec named'
	start
}

# open_device ENDPOINT: it knocks without credentials.
open_device() {
	local file

	file=$(document "$1")
	jq '.credentials.bootstrap = { mode: "nosec" }' "$file" >"$file.nosec" && mv "$file.nosec" "$file" || fail "no $file"
	apply "$file"
}

# sessions_are ENDPOINT N [OPTION...]: so many are kept of it.
sessions_are() {
	local n

	n=$(prov --json session list "$1" "${@:3}" | jq '.sessions | length')
	[ "$n" = "$2" ] || fail "$1 has $n sessions${3:+ (${*:3})}, not $2"
}

# --- repetitions ---------------------------------------------------------------------------------------------------

# The device lost our 2.04 and asks again: it must get it again, or it waits for ever.
repeated_request() {
	local answers secure server

	open_daemon repeated
	open_device raw
	answers=$(raw repeat "${COAP##*:}" raw) || fail "$answers"
	ended_as raw failed reset write
	sessions_are raw 1
	[ "$(jq '[.transcript[] | select(.step == "request")] | length' <<<"$SESSION")" = 1 ] || fail 'the transcript has it more than once'
	say "$answers equal answers, one session"
	psk_device twice-psk
	open_device twice-nosec
	for secure in twice-psk twice-nosec; do
		server=$COAPS
		[ "$secure" = twice-psk ] || server=$COAP
		device "$secure" --server "$server" --psk-key-file "$(key_file "$secure")" --lie request=twice || fail "$secure"
		ended_as "$secure" provisioned
		sessions_are "$secure" 1
	done
	stop
}

# --- faults --------------------------------------------------------------------------------------------------------

# recorded PORT TEXT: `session list` has it from there, and says this about it.
recorded() {
	prov --json session list --limit 100 |
		jq -e --arg peer "127.0.0.1:$1" --arg text "$2" '.sessions[] | select(.peer == $peer) | .detail | contains($text)' >/dev/null
}

wrong_requests() {
	local wanted port text n=0

	open_daemon wrong
	open_device raw
	wanted=$(raw requests "${COAP##*:}" 2>&1) || fail "$wanted"
	while read -r port text; do
		within "$PATIENCE" recorded "$port" "$text" || fail "no record from port $port says '$text'"
		n=$((n + 1))
	done <<<"$wanted"
	[ "$n" -ge 10 ] || fail "only $n"
	say "$n records say what was wrong"
	sessions_are raw 4 --verdict refused
	sessions_are raw 4
	stop
}

malformed_datagrams() {
	local said before after

	open_daemon storm '"debug"'
	open_device raw
	psk_device storm
	device storm || fail 'before the storm'
	before=$(awk '/^VmRSS/ { print $2 }' "/proc/$D_PID/status")
	said=$(raw storm "${COAP##*:}" "${COAPS##*:}" "$SEED" "$DATAGRAMS") || fail "$said"
	echo "$said"
	alive
	device storm || fail 'after the storm, over DTLS'
	open_device calm
	device calm --server "$COAP" || fail 'after the storm, without DTLS'
	after=$(awk '/^VmRSS/ { print $2 }' "/proc/$D_PID/status")
	say "resident memory: $before KiB before, $after KiB after"
	[ $((after - before)) -lt 65536 ] || fail 'it grew by more than 64 MiB'
	prov session cancel raw >"$WORK/cancelled" 2>&1
	stop
	[ "$D_RC" -eq 0 ] || fail "ended with $D_RC"
}

# --- claims --------------------------------------------------------------------------------------------------------

# refused_claim NAME REASON ARGUMENT...: somebody else calls himself `real` while that one is in its session.
refused_claim() {
	local name=$1 reason=$2

	shift 2
	device real --seed "$SEED" "$@" --expect any --timeout "${PATIENCE}s"
	[[ $OUT != *': provisioned'* ]] || fail "$name was let in"
	within "$PATIENCE" record_says "$reason" || fail "$name: no record says $reason: $RECORDS"
	prov --json status | jq -e '.sessions.live == 1' >/dev/null || fail "$name: the session of the real one is not under way: $(prov --json status)"
}

record_says() {
	RECORDS=$(prov session list --limit 50)
	grep -q "$1" <<<"$RECORDS"
}

# in_session ENDPOINT ARGUMENT...: the real one, in the middle of its session. REAL is its process.
in_session() {
	"$DEVICE" --server "$COAPS" --endpoint "$1" --psk-key-file "$(key_file "$1")" --json "${@:2}" >"$WORK/$1.out" 2>&1 &
	REAL=$!
	PIDS+=("$REAL")
	within "$PATIENCE" is_running "$1" || fail "$1 does not begin"
}

claims() {
	open_daemon claims
	psk_device real
	psk_device other
	key_file stranger >/dev/null
	in_session real --quirk slow --slow 1800ms --expect provisioned
	refused_claim 'another identity' identity_mismatch --server "$COAPS" --psk-identity other --psk-key-file "$(key_file other)"
	refused_claim 'no credentials' no_credential_rule --server "$COAP"
	refused_claim 'a wrong key' wrong_key --server "$COAPS" --psk-identity real --psk-key-file "$(key_file stranger)"
	refused_claim 'an unknown identity' unknown_identity --server "$COAPS" --psk-identity stranger --psk-key-file "$(key_file stranger)"
	within "$PATIENCE" ended "$REAL" || fail 'the real one does not end'
	wait "$REAL" || fail "the real one was disturbed: $(cat "$WORK/real.out")"
	[ "$(grep '^{"endpoint"' "$WORK/real.out" | jq .attempts)" = 1 ] || fail "not at once: $(cat "$WORK/real.out")"
	within "$PATIENCE" is_recorded real provisioned || fail "$(prov session list real)"
	sessions_are real 1 --verdict provisioned
	stop
}

# is_recorded ENDPOINT VERDICT: one of its sessions ended so.
is_recorded() {
	prov --json session list "$1" --verdict "$2" | jq -e '.sessions | length > 0' >/dev/null
}

# The device itself, with its own key, ends its older session by a newer request.
newer_request() {
	open_daemon newer
	psk_device real
	in_session real --lie 'write#1=no-answer' --expect any
	device real || fail 'the real one is not let in again'
	ended_as real provisioned
	within "$PATIENCE" has_superseded || fail "the older session is not superseded: $(prov session list real)"
	sessions_are real 2
	stop
}

has_superseded() {
	prov --json session list real | jq -e '[.sessions[] | select(.reason == "superseded")] | length == 1' >/dev/null
}

is_running() {
	api /v1/live | jq -e --arg ep "$1" '[.. | objects | select(.endpoint? == $ep)] | length == 1' >/dev/null
}

# --- faults of other servers ---------------------------------------------------------------------------------------

# A certificate of more than 1 KiB goes in blocks; the device answers each but the last with 2.31, which is no failure.
large_certificate() {
	local names

	open_daemon blocks
	mkdir -p "$WORK/keys"
	names=$(printf 'DNS:name-%03d.example.com,' {1..60})
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=large -days 30 \
		-addext "subjectAltName=${names%,}" -keyout "$WORK/keys/large.key" -out "$WORK/keys/large.pem" 2>/dev/null || fail openssl
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server -days 30 \
		-addext "subjectAltName=${names%,}" -keyout "$WORK/keys/server.key" -out "$WORK/keys/server.pem" 2>/dev/null || fail openssl
	openssl x509 -in "$WORK/keys/server.pem" -outform DER -out "$WORK/large.der"
	[ "$(stat -c %s "$WORK/large.der")" -gt 1200 ] || fail 'the certificate is too small'
	psk_device large '"servers": { "dm": { "short_server_id": 1, "uri": "coaps://192.0.2.7", "lifetime": 60, "binding": "U",
		"security": { "mode": "x509", "identity": { "file": "keys/large.pem" }, "key": { "file": "keys/large.key" },
		"server_public_key": { "file": "keys/server.pem" } } } }, "bootstrap": { "policy": "replace" }'
	device large --json --tree --show-secrets || fail 'the certificate did not arrive'
	[ "$(grep '^{"endpoint"' <<<"$OUT" | jq -r '.tree["/0/1/4"].hex')" = "$(xxd -p -c 100000 "$WORK/large.der")" ] ||
		fail 'another certificate arrived'
	ended_as large provisioned
	say "$(stat -c %s "$WORK/large.der") octets in blocks"
	device large --json --tree --show-secrets --quirk small-buffer || fail 'a device that hints at smaller blocks'
	[ "$(grep '^{"endpoint"' <<<"$OUT" | jq -r '.tree["/0/1/4"].hex')" = "$(xxd -p -c 100000 "$WORK/large.der")" ] ||
		fail 'another certificate arrived in smaller blocks'
	stop
}

# Where the bootstrap account lies is the device's business: nothing is written over it. Its values are those that the
# simulator begins with.
bootstrap_account_stays() {
	local account like want have n=0

	open_daemon account
	psk_device stays
	for account in 0 1 2 7; do
		for like in anjay leshan wakaama zephyr; do
			device stays --account "$account" --like "$like" --slow 20ms --json --tree --show-secrets ||
				fail "$like with its account at /0/$account"
			have=$(grep '^{"endpoint"' <<<"$OUT" | jq -c --arg at "/0/$account/" '.tree | with_entries(select(.key | startswith($at)))')
			want=$(jq -cn --arg at "/0/$account/" --arg uri "$COAPS" --arg id "$(printf factory | xxd -p)" \
				--arg key "01$(printf '00%.0s' {1..15})" '{ ($at + "0"): $uri, ($at + "1"): true, ($at + "2"): 0,
				($at + "3"): { hex: $id }, ($at + "4"): { hex: "" }, ($at + "5"): { hex: $key } }')
			[ "$have" = "$want" ] || fail "$like: /0/$account is $have, not $want"
			n=$((n + 1))
		done
	done
	say "$n devices"
	stop
}

run_case repeated-request repeated_request
run_case wrong-requests wrong_requests
run_case malformed-datagrams malformed_datagrams
run_case claims claims
run_case newer-request newer_request
run_case large-certificate large_certificate
run_case bootstrap-account-stays bootstrap_account_stays
finish
