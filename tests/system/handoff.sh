#!/bin/bash
# LwM2M Servers learn of devices' credentials before the devices register: made, changed and rotated keys, servers that
# fail, devices that fail, and daemons that are killed in between. TAP.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/handoff_lib.sh"

plain() {
	lwm2m_server plain
	handing_daemon plain
	start
	handed dev-1
	knock dev-1 || fail 'not provisioned'
	agree dev-1
	jq -e '."dev-1" == {endpoint: "dev-1", tls: {mode: "psk", details: {identity: "dev-1-dm", key: .["dev-1"].tls.details.key}}}' \
		"$S/clients.json" >/dev/null || fail "not as Leshan has it: $(cat "$S/clients.json")"
	[ "$(wc -l <"$S/requests")" = 1 ] || fail "told more than once: $(cat "$S/requests")"
	last_session dev-1
	jq -e '[.transcript[] | select(.step == "handoff") | .remark] == ["eu was told of the credential of dm"]' <<<"$SESSION" \
		>/dev/null || fail "not in the transcript: $SESSION"
	knock dev-1 || fail 'not provisioned again'
	[ "$(wc -l <"$S/requests")" = 1 ] || fail 'told again of what it knows'
	! grep -F "$DEVICE_KEY" "$D_LOG" || fail 'the key is in the log'
}


rotated() {
	local first

	lwm2m_server rotated
	handing_daemon rotated
	start
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-1 || fail 'not provisioned'
	agree dev-1
	first=$DEVICE_KEY
	knock dev-1 || fail 'not provisioned with the next key'
	[ "$DEVICE_KEY" != "$first" ] || fail 'the key is the same as before'
	agree dev-1
	# one that fails makes no other: the next one is that which the LwM2M Server was to have
	handed dev-2 '{ "generate": 16, "rotate": "30d" }'
	knock dev-2 || fail 'not provisioned'
	first=$DEVICE_KEY
	knock dev-2 || fail 'not provisioned again'
	[ "$DEVICE_KEY" = "$first" ] || fail 'made anew before its time'
	agree dev-2
}

# The server says no, or nothing: the device keeps what it has, and so does the server.
refused() {
	lwm2m_server refused
	handing_daemon refused
	start
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-1 || fail 'not provisioned'
	old=$DEVICE_KEY
	echo 400 >"$S/mode"
	knock dev-1 --expect failed --attempts 1 || fail 'not failed'
	ended_as dev-1 failed handoff handoff
	[[ $(jq -r .detail <<<"$SESSION") == 'eu: HTTP 400: it said 400' ]] || fail "not told why: $SESSION"
	knows dev-1 "$old" || fail 'the server has another'
	echo 302 >"$S/mode"
	knock dev-1 --expect failed || fail 'not failed'
	ended_as dev-1 failed handoff handoff
	echo up >"$S/mode"
	knock dev-1 || fail 'not provisioned'
	[ "$DEVICE_KEY" != "$old" ] || fail 'not made anew'
	agree dev-1
}

silent() {
	local mode old

	lwm2m_server silent
	TIMEOUT=1s handing_daemon silent
	start
	for mode in down hang 500; do
		handed "dev-$mode" '{ "generate": 16, "rotate": "on_bootstrap" }'
		echo up >"$S/mode"
		knock "dev-$mode" || fail 'not provisioned'
		old=$DEVICE_KEY
		DEADLINE=1s handed "dev-$mode" '{ "generate": 16, "rotate": "on_bootstrap" }'
		echo "$mode" >"$S/mode"
		knock "dev-$mode" --expect failed || fail "$mode: not failed"
		ended_as "dev-$mode" failed handoff handoff
		echo up >"$S/mode"
		within "$PATIENCE" knows "dev-$mode" "$old" || fail "$mode: the server has another"
		handed "dev-$mode" '{ "generate": 16, "rotate": "on_bootstrap" }'
		knock "dev-$mode" || fail 'not provisioned'
		agree "dev-$mode"
	done
}

# It takes the key and does not say so: within the deadline it is asked again, and after it the old one is put back.
deaf() {
	local old

	lwm2m_server deaf
	handing_daemon deaf
	start
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-1 || fail 'not provisioned'
	old=$DEVICE_KEY
	DEADLINE=1s handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	echo deaf >"$S/mode"
	knock dev-1 --expect failed || fail 'not failed'
	echo up >"$S/mode"
	within "$PATIENCE" knows dev-1 "$old" || fail 'the old key was not put back'
	# a new device is not left behind at a server that took it
	echo deaf >"$S/mode"
	DEADLINE=1s handed dev-2
	knock dev-2 --expect failed || fail 'not failed'
	echo up >"$S/mode"
	within "$PATIENCE" knows dev-2 '' || fail 'dev-2 was left behind'
	handed dev-2
	knock dev-2 || fail 'not provisioned'
	agree dev-2
}

# The device does not take what the server knows already.
device_fails() {
	local old

	lwm2m_server fails
	handing_daemon fails
	start
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-1 --lie write#2=4.05 --expect failed || fail 'not failed'
	within "$PATIENCE" knows dev-1 '' || fail 'the server knows a device that has nothing'
	knock dev-1 || fail 'not provisioned'
	old=$DEVICE_KEY
	knock dev-1 --lie finish=5.00 --expect failed || fail 'not failed'
	ended_as dev-1 failed error_response finish
	within "$PATIENCE" knows dev-1 "$old" || fail 'the old key was not put back'
}

unknown_server() {
	lwm2m_server unknown
	handing_daemon unknown
	start
	sed 's/"eu"/"mars"/' "$(document dev-1 "$(handed_members dev-1)")" >"$WORK/mars.json"
	apply "$WORK/mars.json"
	knock dev-1 --expect failed || fail 'not failed'
	ended_as dev-1 failed keep keep
	[[ $(jq -r .detail <<<"$SESSION") == 'no LwM2M Server of the configuration is called mars' ]] || fail "not told why: $SESSION"
}

removed() {
	lwm2m_server removed
	handing_daemon removed
	start
	handed dev-1
	knock dev-1 || fail 'not provisioned'
	agree dev-1
	expect_rc 0 prov device rm dev-1
	within "$PATIENCE" knows dev-1 '' || fail 'the server still knows it'
}

late() {
	lwm2m_server late
	handing_daemon late
	start
	handed dev-1 '{ "generate": 16 }' ', "within_delay": true'
	echo down >"$S/mode"
	knock dev-1 || fail 'not provisioned'
	[ -n "$DEVICE_KEY" ] && knows dev-1 '' || fail 'told before its time'
	echo up >"$S/mode"
	agree dev-1
}

# learned NUMBER: when the LwM2M Server of that number learned of dev-1, in ms.
learned() {
	echo $(($(stat -c %.3Y "$WORK/turn-$1/clients.json" | tr -d .)))
}

# The requirement's own picture: servers 1 and 2 see the device together, 3 and 4 later, and each has learned of its
# credential before: 1 and 2 before Finish, 3 and 4 within their delay. And again, when each of them has to do with it
# already.
in_turn() {
	local n of=() servers='' names=(0 one two three four) finish after round before=0

	for n in 1 2 3 4; do
		lwm2m_server "turn-$n"
		of[n]="{ name = \"${names[n]}\"; driver = \"leshan\"; url = \"http://127.0.0.1:$S_PORT\"; }"
		servers+=", \"${names[n]}\": { \"short_server_id\": $n, \"uri\": \"coaps://192.0.2.$n\", \"lifetime\": 86400, \"binding\": \"U\",
			\"security\": { \"mode\": \"psk\", \"identity\": \"dev-1-$n\", \"key\": { \"generate\": 16, \"rotate\": \"on_bootstrap\" } },
			\"registration_priority_order\": $n, \"bootstrap_on_registration_failure\": false
			$([ "$n" -lt 3 ] || echo ", \"initial_registration_delay_timer\": \"$((n * 2 - 5))m\"")
			, \"handoff\": { \"to\": \"${names[n]}\", \"deadline\": \"30s\" $([ "$n" -lt 3 ] || echo ', "within_delay": true') } }"
	done
	new_daemon turns
	replace_block 'lwm2m_servers = (' "lwm2m_servers = ( ${of[1]}, ${of[2]}, ${of[3]}, ${of[4]}"
	start
	psk_device dev-1 "\"servers\": { ${servers#, } }, \"bootstrap\": { \"policy\": \"replace\" }"
	for round in 1 2; do
		knock dev-1 --registrations || fail "round $round: not provisioned"
		grep '^{"endpoint"' <<<"$OUT" >"$WORK/held"
		[ "$(jq -c '[.registrations[] | [.server, .after]]' "$WORK/held")" = '[[1,0],[2,0],[3,60],[4,240]]' ] ||
			fail "not in this order: $(jq -c .registrations "$WORK/held")"
		within "$PATIENCE" session_behind "$before" dev-1 || fail "round $round: no record of it"
		before=$(jq '.id | tonumber' <<<"$SESSION")
		finish=$(jq '(.id | tonumber) / 1000 + ([.transcript[] | select(.step == "finish")][-1].at_ms) | floor' <<<"$SESSION")
		for n in 1 2 3 4; do
			S=$WORK/turn-$n
			DEVICE_KEY=$(jq -r --argjson n "$n" '.tree | . as $t | to_entries[] | select(.key | test("^/0/[0-9]+/10$")) |
				select(.value == $n) | $t[.key[:-2] + "5"] | if type == "object" then .hex else . end' "$WORK/held")
			agree dev-1
			after=$(jq --argjson n "$n" '.registrations[] | select(.server == $n) | .after' "$WORK/held")
			[ "$(learned "$n")" -le $((finish + after * 1000)) ] || # both are cut to the millisecond
				fail "round $round: server $n learned of it at $(learned "$n"), and it knocks $after s after $finish"
			DEVICE_KEYS[round * 10 + n]=$DEVICE_KEY
		done
		within "$PATIENCE" none_is_open || fail "round $round: something is left: $(prov handoff list)"
	done
	[ "$(printf '%s\n' "${DEVICE_KEYS[@]}" | sort -u | wc -l)" = 8 ] || fail 'two keys are the same'
	stop
	[ "$D_RC" = 0 ] || fail "the daemon ends with $D_RC: $(tail -n 5 "$D_LOG")"
}

# session_behind ID ENDPOINT: SESSION is its newest, a later one than that, and is over.
session_behind() {
	last_session "$2" && jq -e --argjson id "$1" '(.id | tonumber) > $id and .verdict == "provisioned"' <<<"$SESSION" >/dev/null
}

none_is_open() {
	prov --json handoff list --open | jq -e '.handoffs == []' >/dev/null
}

# --- killed in each state --------------------------------------------------------------------------------------------

# in_state ENDPOINT STATE
in_state() {
	[ "$(prov --json handoff list "$1" | jq -r '.handoffs[0].state')" = "$2" ]
}

# killed STATE SERVER-MODE LIE THEN: a device that has a key already bootstraps anew; server and device behave so that its
# hand-off comes to that state and stays there; then the daemon is killed and started again, and the server answers again.
# THEN is what the server knows in the end before the device comes again: old, new, or either.
killed() {
	local state=$1 mode=$2 lie=$3 then=$4 late=${5:-} old device_pid

	lwm2m_server "killed-$state"
	handing_daemon "killed-$state"
	start
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }' "$late"
	knock dev-1 || fail 'not provisioned'
	old=$DEVICE_KEY
	within "$PATIENCE" in_state dev-1 settled || fail 'not settled'
	[ "$mode" != deaf ] || DEADLINE=1s handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	echo "$mode" >"$S/mode"
	device dev-1 ${lie:+--lie "$lie"} --expect any --timeout "${PATIENCE}s" >/dev/null 2>&1 &
	device_pid=$!
	within "$PATIENCE" in_state dev-1 "$state" || fail "never $state: $(prov handoff list)"
	stop KILL
	kill -KILL "$device_pid" 2>/dev/null
	echo up >"$S/mode"
	start
	case $then in
	old) within "$PATIENCE" knows dev-1 "$old" || fail 'the server has not what the device has' ;;
	new) within "$PATIENCE" in_state dev-1 settled || fail 'not settled' ;;
	either) in_state dev-1 "$state" || fail "not in doubt: $(prov handoff list)" ;;
	esac
	[ "$then" != new ] || ! knows dev-1 "$old" || fail 'the server was never told'
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }' "$late"
	knock dev-1 || fail 'not provisioned'
	within "$PATIENCE" in_state dev-1 settled || fail "not settled at last: $(prov handoff list)"
	agree dev-1
	[ "$DEVICE_KEY" != "$old" ] || fail 'the key is still the old one'
	stop
	[ "$D_RC" = 0 ] || fail "the daemon ends with $D_RC: $(tail -n 5 "$D_LOG")"
}

# --- other ways to tell it ---------------------------------------------------------------------------------------------

# A program: what it is given goes to a file, what it says and how it ends comes from another.
by_program() {
	lwm2m_server program
	new_daemon program
	cat >"$D/tell" <<-'END'
	#!/bin/sh
	cd "$1" && cat >>asked && env >environment && cat answer && exit "$(cat status)"
	END
	chmod +x "$D/tell"
	replace_block 'lwm2m_servers = (' "lwm2m_servers = (
  { name = \"eu\"; driver = \"exec\"; program = [ \"tell\", \"$S\" ]; timeout = \"20s\"; several = true; grace = 1; }"
	echo 0 >"$S/status"
	: >"$S/answer"
	start
	expect_rc 0 prov handoff test eu
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-1 || fail 'not provisioned'
	old=$DEVICE_KEY
	jq -se --arg k "$old" '.[1] == {call: "tell", server: "eu", endpoint: "dev-1", account: "dm", short_server_id: 1, mode: "psk",
		identity: "dev-1-dm", identity_hex: "6465762d312d646d", key_hex: $k}' "$S/asked" >/dev/null || fail "asked: $(cat "$S/asked")"
	[ "$(grep -cvE '^(PATH|LANG|PWD|OLDPWD|SHLVL|_)=' "$S/environment")" = 0 ] || fail "it has $(cat "$S/environment")"
	knock dev-1 || fail 'not provisioned again'
	# it keeps several: the old one is dropped when the time of grace is over
	within "$PATIENCE" grep -q "\"call\":\"drop\".*$old" "$S/asked" || fail 'the old key was never dropped'
	within "$PATIENCE" grep -qF 'eu did what it was asked for (drop)' "$D_LOG" || fail 'the old key is not known to be dropped'
	echo 1 >"$S/status"
	echo '{ "error": "not \"today\"" }' >"$S/answer"
	knock dev-1 --expect failed || fail 'not failed'
	ended_as dev-1 failed handoff handoff
	[[ $(jq -r .detail <<<"$SESSION") == 'eu: the program ended with 1: not \"today\"' ]] || fail "not told why: $SESSION"
	stop
	sed -i 's/timeout = "20s"/timeout = "1s"/' "$D/bsserver.conf"
	printf '#!/bin/sh\nsleep 100' >"$D/tell"
	start
	DEADLINE=1s handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-1 --expect failed || fail 'not failed'
	[[ $(prov why dev-1) == *'did not end in time'* ]] || fail "not told why: $(prov why dev-1)"
	stop
	[ "$D_RC" = 0 ] || fail "the daemon ends with $D_RC"
}

# A server that keeps several: the old key is dropped as soon as the device has registered here, long before its time.
seen() {
	local first port

	lwm2m_server seen
	new_daemon seen
	printf '#!/bin/sh\ncat >>"$1/asked"\necho >>"$1/asked"\n' >"$D/tell"
	chmod +x "$D/tell"
	replace_block 'lwm2m_servers = (' "lwm2m_servers = (
  { name = \"eu\"; driver = \"exec\"; program = [ \"tell\", \"$S\" ]; timeout = \"10s\"; several = true; grace = 86400; }"
	port=$(free_port)
	listener_block '  listeners = (' "coaps://127.0.0.1:$port"
	set_option uri "\"coaps://127.0.0.1:$port\"" registry
	start
	DEADLINE=10s
	psk_device dev-1 "\"registry\": true, $(handed_members dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }')"
	knock dev-1 || fail 'not provisioned'
	first=$DEVICE_KEY
	knock dev-1 || fail 'not provisioned again'
	[ "$DEVICE_KEY" != "$first" ] || fail 'not made anew'
	within "$PATIENCE" in_state dev-1 retiring || fail "the old one is not kept: $(prov handoff list)"
	! grep -q '"call":"drop"' "$S/asked" || fail 'dropped before the device was seen'
	# it comes a third time, and registers: the second goes, which was the old one by then
	knock dev-1 --register 65000 || fail 'not provisioned, or not registered'
	within "$PATIENCE" in_state dev-1 settled || fail "it keeps the old one: $(prov handoff list)"
	[ "$(jq -sc '[.[] | select(.call == "drop") | .key_hex] | unique | length' "$S/asked")" = 2 ] || fail "asked: $(cat "$S/asked")"
	! jq -se --arg k "$DEVICE_KEY" 'any(.call == "drop" and .key_hex == $k)' "$S/asked" >/dev/null || fail 'the new key was dropped'
	stop
	[ "$D_RC" = 0 ] || fail "the daemon ends with $D_RC"
}

by_template() {
	lwm2m_server template
	new_daemon template
	replace_block 'lwm2m_servers = (' "lwm2m_servers = (
  { name = \"eu\"; driver = \"http\"; url = \"http://127.0.0.1:$S_PORT\"; timeout = \"$TIMEOUT\";
    tell = \"PUT /api/security/clients/\"; forget = \"DELETE /api/security/clients/%e\"; test = \"GET /api/server/endpoint\";
    tell_body = \"{@endpoint@:@%e@,@tls@:{@mode@:@%m@,@details@:{@identity@:@%i@,@key@:@%k@}}}\"; }"
	sed -i '/tell_body/s/@/\\"/g' "$D/bsserver.conf"
	start
	expect_rc 0 prov handoff test eu
	handed urn:dev:1
	knock urn:dev:1 || fail 'not provisioned'
	agree urn:dev:1
	expect_rc 0 prov device rm urn:dev:1
	within "$PATIENCE" knows urn:dev:1 '' || fail 'not forgotten'
}

# What people see of it: states, why, whether servers answer.
shown() {
	lwm2m_server shown
	echo secret-token >"$S/token"
	handing_daemon shown 'token_file = "eu.token";'
	echo wrong >"$D/eu.token"
	start
	expect_rc 1 prov handoff test
	says 'HTTP 401'
	handed dev-1
	knock dev-1 --expect failed || fail 'not failed'
	expect_rc 0 prov --json handoff list dev-1
	jq -e '.handoffs[0] | .state == "held" and .error == "HTTP 401: no" and .known == null and .new != null' <<<"$OUT" \
		>/dev/null || fail "not as it is: $OUT"
	expect_rc 0 prov why dev-1
	says 'hand-off to eu: nothing is under way'
	stop
	echo secret-token >"$D/eu.token"
	start
	expect_rc 0 prov handoff test eu
	expect_rc 8 prov handoff test mars
	expect_rc 0 prov handoff retry dev-1
	expect_rc 0 prov handoff retry
	knock dev-1 || fail 'not provisioned'
	expect_rc 0 prov handoff list
	says settled
	expect_rc 0 prov --json handoff list --open
	jq -e '.handoffs == []' <<<"$OUT" >/dev/null || fail "something is open: $OUT"
	[[ $OUT != *"$DEVICE_KEY"* ]] || fail 'a key is shown'
	api /metrics >"$WORK/metrics"
	grep -q '^bsserver_handoff_told_total 1$' "$WORK/metrics" || fail "not counted: $(grep handoff "$WORK/metrics")"
	! grep -rF secret-token "$D_LOG" "$WORK/metrics" || fail 'the token is in the log'
}

run_case told-before-the-device-registers plain
run_case made-anew-at-each-bootstrap rotated
run_case a-refusal-leaves-both-as-they-were refused
run_case nobody-answers silent
run_case taken-without-a-word deaf
run_case given-back-when-the-device-fails device_fails
run_case a-server-that-is-not-configured unknown_server
run_case a-removed-device-is-forgotten removed
run_case within-the-delay late
run_case servers-in-turn in_turn
run_case told-by-a-program by_program
run_case told-by-templates by_template
run_case the-old-one-goes-when-the-device-was-seen seen
run_case what-is-shown-of-it shown
run_case killed-while-the-server-is-silent killed intent hang '' old
run_case killed-while-the-device-is-written-to killed told up write=silent old
run_case killed-while-the-device-is-asked-to-finish killed finishing up finish=silent either
run_case killed-while-the-old-key-is-given-back killed returning deaf '' old
run_case killed-before-the-server-is-told-late killed late down '' new ', "within_delay": true'
finish
