#!/bin/bash
# LwM2M Servers of the configuration that is read again on SIGHUP: new ones, changed ones, mistakes, and those that go. TAP.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/handoff_lib.sh"

DEADLINE=1m

# servers TEXT...: what lwm2m_servers lists from now on.
servers() {
	local IFS=,

	replace_block 'lwm2m_servers = (' "lwm2m_servers = (
$*"
}

# one NAME PORT [MORE]: one of them.
one() {
	echo "{ name = \"$1\"; driver = \"leshan\"; url = \"http://127.0.0.1:$2\"; timeout = \"2s\"; ${3:-} }"
}

# read_again MESSAGE: SIGHUP, and the log says so once more than before.
read_again() {
	local n

	n=$(grep -cF "SIGHUP: $1" "$D_LOG")
	kill -HUP "$D_PID"
	within "$PATIENCE" said "$1" "$((n + 1))" || fail "SIGHUP: not said: $1: $(tail -n 3 "$D_LOG")"
}

said() {
	[ "$(grep -cF "SIGHUP: $1" "$D_LOG")" -ge "$2" ]
}

GOOD='log settings, our credentials, trust and lwm2m_servers are read again'

new_ones() {
	lwm2m_server new
	new_daemon new
	start
	handed dev-1
	knock dev-1 --expect failed || fail 'not failed'
	ended_as dev-1 failed keep keep
	expect_rc 8 prov handoff test
	servers "$(one eu "$S_PORT")"
	read_again "$GOOD"
	expect_rc 0 prov handoff test
	knock dev-1 || fail 'not provisioned'
	agree dev-1
}

changed() {
	lwm2m_server first
	echo second-token >"$S/token"
	new_daemon changed
	servers "$(one eu "$S_PORT" 'token_file = "eu.token";')"
	echo first-token >"$D/eu.token"
	start
	expect_rc 1 prov handoff test eu
	echo second-token >"$D/eu.token"
	read_again "$GOOD"
	expect_rc 0 prov handoff test eu
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-1 || fail 'not provisioned'
	agree dev-1
	lwm2m_server second
	servers "$(one eu "$S_PORT")"
	read_again "$GOOD"
	knock dev-1 || fail 'not provisioned again'
	agree dev-1
	! grep -F -e first-token -e second-token "$D_LOG" || fail 'a token is in the log'
}

# One that is being asked, and does not answer, while its address changes: it is asked at the new one.
under_way() {
	local first device_pid

	lwm2m_server mute
	first=$S
	echo hang >"$S/mode"
	new_daemon moved
	servers "$(one eu "$S_PORT")"
	start
	handed dev-1
	device dev-1 >"$WORK/device.log" 2>&1 &
	device_pid=$!
	within "$PATIENCE" test -s "$first/requests" || fail 'not asked'
	lwm2m_server moved
	servers "$(one eu "$S_PORT")"
	read_again "$GOOD"
	wait "$device_pid" || fail "not provisioned: $(cat "$WORK/device.log")"
	[ -n "$(server_key dev-1)" ] || fail "told nowhere: $(cat "$S/clients.json")"
	stop
	[ "$D_RC" = 0 ] || fail "the daemon ends with $D_RC: $(tail -n 5 "$D_LOG")"
}

mistakes() {
	lwm2m_server mistakes
	new_daemon mistakes
	servers "$(one eu "$S_PORT" 'token_file = "eu.token";')"
	echo token >"$D/eu.token"
	start
	cp "$D/bsserver.conf" "$WORK/good.conf"
	servers "$(one eu "$S_PORT" 'token_file = "not-there";')" "$(one us "$S_PORT")"
	read_again 'the old configuration stays (lwm2m_servers: eu: '
	servers "$(one us "$S_PORT")" "$(one eu "$S_PORT" | sed s/leshan/lashen/)"
	read_again 'the old configuration stays (lwm2m_servers: eu: there is no driver "lashen"'
	servers "$(one eu "$S_PORT" 'ulr = "x";')"
	read_again 'the old configuration stays ('
	[ "$(api /v1/handoffs/servers | jq -c '[.servers[].name]')" = '["eu"]' ] || fail 'not the old one'
	expect_rc 0 prov handoff test eu
	expect_rc 8 prov handoff test us
	cp "$WORK/good.conf" "$D/bsserver.conf"
	read_again "$GOOD"
	expect_rc 0 prov handoff test eu
}

gone() {
	local old key

	lwm2m_server gone
	new_daemon gone
	servers "$(one eu "$S_PORT")"
	start
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	handed dev-2 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-1 || fail 'not provisioned'
	old=$DEVICE_KEY
	knock dev-2 || fail 'not provisioned'
	key=$DEVICE_KEY
	echo '^PUT' >"$S/only"
	echo deaf >"$S/mode"
	DEADLINE=1s handed dev-2 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-2 --expect failed || fail 'not failed'
	servers
	read_again "$GOOD"
	within "$PATIENCE" grep -qF 'LwM2M Server eu is not in lwm2m_servers any more: it knows 2 devices, and the hand-offs of 1 of them wait' \
		"$D_LOG" || fail "not said whom it leaves behind: $(tail -n 5 "$D_LOG")"
	echo up >"$S/mode"
	: >"$S/requests"
	expect_rc 8 prov handoff test eu
	expect_rc 8 prov handoff test
	knock dev-1 --expect failed || fail 'not failed'
	ended_as dev-1 failed keep keep
	expect_rc 0 prov --json handoff list
	jq -e '[.handoffs[] | .endpoint] == ["dev-1", "dev-2"]' <<<"$OUT" >/dev/null || fail "not kept: $OUT"
	[ ! -s "$S/requests" ] || fail "asked all the same: $(cat "$S/requests")"
	servers "$(one eu "$S_PORT")"
	read_again "$GOOD"
	within "$PATIENCE" knows dev-2 "$key" || fail 'the old key of dev-2 was not given back'
	knows dev-1 "$old" || fail 'dev-1 has another'
	knock dev-1 || fail 'not provisioned'
	agree dev-1
	stop
	[ "$D_RC" = 0 ] || fail "the daemon ends with $D_RC: $(tail -n 5 "$D_LOG")"
}

run_case new-ones-are-there new_ones
run_case other-tokens-and-addresses changed
run_case what-is-under-way-goes-on under_way
run_case a-mistake-keeps-the-old mistakes
run_case one-that-goes-is-missed gone
finish
