#!/bin/bash
# Thousands of handshakes that nobody finishes, from as many addresses, at a real daemon: a device gets its bootstrap all
# the same, with a key and with a certificate, and the daemon does not grow.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
MANY=${MANY:-10000}

flood_daemon() {
	new_daemon "$1"
	expect_rc 0 "$PROV" pki ca init "$D/ca" --subject CN=factory
	expect_rc 0 "$PROV" pki issue "$D/ca" --subject CN=bs --purpose server --name ip:127.0.0.1 \
		--out "$D/server.pem" --key-out "$D/server.key"
	expect_rc 0 "$PROV" pki issue "$D/ca" --subject CN=cert-1 --purpose client --out "$D/cert-1.pem" --key-out "$D/cert-1.key"
	replace_block 'listeners = (' 'listeners = ( { uri = "coaps://127.0.0.1:0"; security = "psk x509"; }'
	replace_block 'trust = (' "trust = ( { name = \"factory\"; file = \"$D/ca/ca.pem\"; revocation = \"off\"; }"
	replace_block '  rules = (' '  rules = ( { credential = "psk"; rule = "mapped"; }, { credential = "x509"; rule = "cn"; trust = "factory"; }'
	set_option certificate_file "\"$D/server.pem\""
	set_option key "\"$D/server.key\""
	start
	psk_device psk-1
	key_file cert-1-dm >/dev/null
	printf '{ "profile_format": 1, "endpoint": "cert-1", %s }\n' "$(server_of cert-1)" >"$WORK/cert-1.json"
	apply "$WORK/cert-1.json"
}

both_devices() {
	local began=$SECONDS

	device psk-1 || fail 'the device with a key was not provisioned'
	device cert-1 --server "$COAPS" --cert-file "$D/cert-1.pem" --private-key-file "$D/cert-1.key" ||
		fail 'the device with a certificate was not provisioned'
	say "both provisioned within $((SECONDS - began)) s"
}

memory_kib() {
	sed -n "s/^$1:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$D_PID/status"
}

counter() {
	api /metrics | sed -n "s/^bsserver_$1 //p"
}

# flood COUNT KIND...: FLOODED has what it says; its sockets stay open until the case is over.
flood() {
	local hold

	rm -f "$WORK/flooded"
	exec {hold}> >(SEED=$SEED exec "$PYTHON" "$here/flood.py" "${COAPS##*:}" "$@" >"$WORK/flooded")
	PIDS+=($!)
	within "$PATIENCE" test -s "$WORK/flooded" || fail 'the flood does not end'
	FLOODED=$(cat "$WORK/flooded")
	say "$*: $FLOODED"
}

# withstands KIND...: what was half open of these when the flood ended is told by HALF_OPEN.
withstands() {
	local before after

	flood_daemon "flood-${1}"
	both_devices
	before=$(memory_kib VmHWM)
	flood "$MANY" "$@"
	HALF_OPEN=$(counter transport_handshakes_half_open)
	both_devices
	after=$(memory_kib VmHWM)
	say "memory: $before KiB before, $after KiB after; half open $HALF_OPEN, cookies $(counter transport_cookies_total)," \
		"turned away $(counter transport_handshakes_turned_away_total), given up $(counter transport_handshakes_given_up_total)"
	[ $((after - before)) -lt 32768 ] || fail "it grew by $((after - before)) KiB"
	[[ $FLOODED == *' wrongly 0' ]] || fail 'something was answered that is no hello'
	alive
}

without_cookies() {
	withstands bare
	[ "$HALF_OPEN" = 0 ] || fail "$HALF_OPEN sessions were made for hellos without cookie"
	[ "$(counter transport_cookies_total)" -ge $((MANY / 2)) ] || fail 'they were not answered'
}

with_cookies() {
	withstands cookie
	[ "$HALF_OPEN" -gt 0 ] && [ "$HALF_OPEN" -le 256 ] || fail "$HALF_OPEN are half open; at most 256 may be"
	[ "$(counter transport_handshakes_given_up_total)" -gt 0 ] || fail 'none made room'
	[ "$(prov --json session list --limit 5000 | jq length)" -lt 1000 ] || fail 'each of them has a record'
}

what_is_no_hello() {
	withstands sealed later rubbish
	[ "$HALF_OPEN" = 0 ] || fail "$HALF_OPEN sessions were made for what is no hello"
}

run_case 'ClientHellos without a cookie' without_cookies
run_case 'ClientHellos with their cookie, and then nothing more' with_cookies
run_case 'other epochs, later fragments, rubbish' what_is_no_hello
finish
