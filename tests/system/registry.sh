#!/bin/bash
# Devices that register with the daemon itself, as one of their LwM2M Servers.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

# set_registry URI...: where devices register.
set_registry() {
	local uri lines='  listeners = (' sep=

	for uri in "$@"; do
		case $uri in
		coaps:*) lines+="$sep"$'\n'"    { uri = \"$uri\"; security = \"psk\"; }" ;;
		*) lines+="$sep"$'\n'"    { uri = \"$uri\"; security = \"none\"; }" ;;
		esac
		sep=,
	done
	replace_block '  listeners = (' "$lines"
}

# start_registry: start, and REG_COAP and REG_COAPS are where devices register.
start_registry() {
	start
	REG_COAP=$(sed -n 's/.* devices register on \(coap:.*\)/\1/p' "$D_LOG" | head -n 1)
	REG_COAPS=$(sed -n 's/.* devices register on \(coaps:.*\)/\1/p' "$D_LOG" | head -n 1)
}

# registrant COMMAND ARGUMENT...: of registrant.py, at the port of REG_COAP.
registrant() {
	expect_rc 0 "$PYTHON" "$SRCDIR/tests/system/registrant.py" "$1" "${REG_COAP##*:}" "${@:2}"
}

# counted NAME VALUE: among the metrics.
counted() {
	[ "$(api /metrics | sed -n "s/^bsserver_$1 //p")" = "$2" ] || fail "$1 is $(api /metrics | grep "^bsserver_$1"), not $2"
}

by_hand() {
	new_daemon by-hand
	set_registry coap://127.0.0.1:0
	start_registry
	psk_device known
	psk_device secured "\"servers\": { \"registry\": { \"short_server_id\": 9, \"uri\": \"coaps://192.0.2.1\",
		\"security\": { \"mode\": \"psk\", \"identity\": \"secured\", \"key\": { \"generate\": 16 } } } }"
	registrant table known stranger secured
	counted registry_refused_total 18
	counted registry_registered 0
	registrant life known
	counted registry_registers_total 2
	counted registry_updates_total 2
	counted registry_registered 0
	logged 'de-registered.*known'
	stop
	[ "$D_RC" -eq 0 ] || fail "ended with $D_RC"
}

no_registry() {
	new_daemon no-registry
	start_registry
	[ -z "$REG_COAP$REG_COAPS" ] || fail 'there is a registry that nobody asked for'
	counted registry_registered ''
	stop
}

run_case registers-by-hand by_hand
run_case no-registry-unless-said no_registry
finish
