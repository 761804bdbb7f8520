#!/bin/bash
# An LwM2M Server that stops exactly at one stage of a key's way: what the session comes to, what device and server have
# meanwhile, what is tried again, and that both have the same key in the end. TAP.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/handoff_lib.sh"

handoff_says() {
	prov --json handoff list dev-1 | jq -e ".handoffs[0] | $1" >/dev/null
}

# stopped STAGE MODE LIE VERDICT KNOWN STATE AGAIN: a device that has a key comes for the next one, and its server stops as
# MODE says while the device does as LIE says. The session ends as VERDICT; the server then knows the old key or a new one,
# the hand-off is in STATE. When the server is back it knows AGAIN: old, new. Then the device comes once more.
stopped() {
	local stage=$1 mode=$2 lie=$3 verdict=$4 known=$5 state=$6 again=$7 old device_key

	lwm2m_server "$stage"
	handing_daemon "$stage"
	start
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-1 || fail 'not provisioned'
	old=$DEVICE_KEY
	within "$PATIENCE" handoff_says '.state == "settled"' || fail 'not settled at first'
	# who waits in vain waits briefly
	[ "$mode" = last ] || DEADLINE=5s handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	echo "$mode" >"$S/mode"
	knock dev-1 ${lie:+--lie "$lie"} --expect "$verdict" --attempts 1 || fail "the session is not $verdict"
	device_key=$DEVICE_KEY
	within "$PATIENCE" handoff_says ".state == \"$state\"" || fail "never $state: $(prov --json handoff list)"
	if [ "$known" = old ]; then
		knows dev-1 "$old" || fail 'the server knows a key that it was not told'
	else
		[ -n "$(server_key dev-1)" ] && ! knows dev-1 "$old" || fail 'the server has not taken it'
	fi
	# the device has what its session says
	[ "$verdict" != provisioned ] || [ "$device_key" != "$old" ] || fail 'the device has the old key'
	[ "$state" != returning ] || within "$PATIENCE" handoff_says '.error != null' || fail 'it is not said what is wrong'
	echo up >"$S/mode"
	if [ "$again" = old ]; then
		within "$PATIENCE" knows dev-1 "$old" || fail 'the old key was not put back'
		within "$PATIENCE" handoff_says '.state == "held"' || fail "never held: $(prov --json handoff list)"
	else
		within "$PATIENCE" handoff_says '.state == "settled"' || fail "never settled: $(prov --json handoff list)"
		! knows dev-1 "$old" || fail 'the new key was taken back'
	fi
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-1 || fail 'not provisioned at last'
	agree dev-1
	within "$PATIENCE" handoff_says '.state == "settled" and .error == null' || fail "not settled at last: $(prov --json handoff list)"
	[ "$DEVICE_KEY" != "$old" ] || fail 'the key is still the old one'
	jq -e 'length == 1' "$S/clients.json" >/dev/null || fail "the server knows more: $(cat "$S/clients.json")"
	stop
	[ "$D_RC" = 0 ] || fail "the daemon ends with $D_RC"
}

# A server that keeps several: it is away when the old key is to be dropped. Both have the new one, and the old one is
# dropped when it is back, and no other.
stopped_at_the_drop() {
	local old

	lwm2m_server drop
	new_daemon drop
	cat >"$D/tell" <<-'END'
	#!/bin/sh
	cd "$1" && read -r line && echo "$line" >>asked && case $line in
	*'"call":"drop"'*) exit "$(cat status)" ;;
	esac
	END
	chmod +x "$D/tell"
	replace_block 'lwm2m_servers = (' "lwm2m_servers = (
  { name = \"eu\"; driver = \"exec\"; program = [ \"tell\", \"$S\" ]; timeout = \"10s\"; several = true; grace = 1; }"
	echo 75 >"$S/status"
	start
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-1 || fail 'not provisioned'
	old=$DEVICE_KEY
	knock dev-1 || fail 'not provisioned again'
	within "$PATIENCE" grep -q "\"call\":\"drop\".*$old" "$S/asked" || fail 'the old key was never to be dropped'
	within "$PATIENCE" handoff_says '.state == "retiring" and .error != null' || fail "not told: $(prov --json handoff list)"
	echo 0 >"$S/status"
	within "$PATIENCE" handoff_says '.state == "settled" and .error == null' || fail "not settled: $(prov --json handoff list)"
	! grep -q "\"call\":\"drop\".*$DEVICE_KEY" "$S/asked" || fail 'the new key was dropped'
	stop
}

run_case before-it-is-told stopped before down '' failed old returning old
run_case told-before-it-says-so stopped taken gone '' failed new returning old
run_case told-before-the-writes stopped confirmed last '' provisioned new settled new
run_case told-and-the-device-fails stopped fails last finish=5.00 failed new returning old
run_case finished-before-the-old-one-is-dropped stopped_at_the_drop
finish
