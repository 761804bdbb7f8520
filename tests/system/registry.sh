#!/bin/bash
# Devices that register with the daemon itself, as one of their LwM2M Servers.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

# set_registry URI...: where devices register.
set_registry() {
	listener_block '  listeners = (' "$@"
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

in_blocks() {
	new_daemon in-blocks
	set_registry coap://127.0.0.1:0
	start_registry
	psk_device known
	registrant blocks known
	[ "$(api /v1/devices/known/registration | jq -c '[.state, (.objects | length > 2000), (.objects | contains("</1/7>"))]')" = \
		'["registered",true,true]' ] || fail "blocks: $(api /v1/devices/known/registration)"
	counted registry_registers_total 1
	counted registry_updates_total 2
	stop
	[ "$D_RC" -eq 0 ] || fail "ended with $D_RC"
}

# holds JQ: TREE, what the device holds.
holds() {
	[ "$(jq "$1" <<<"$TREE")" = true ] || fail "it does not hold $1: $TREE"
}

# with_registry ENDPOINT: its server dm, and an account at the registry. Prints members of the document.
with_registry() {
	echo "\"registry\": true, $(server_of "$1"), \"bootstrap\": { \"policy\": \"replace\" }"
}

account() {
	local key

	new_daemon account
	set_registry coap://127.0.0.1:0
	set_option uri '"coaps://bs.example:5686"' registry
	start_registry
	psk_device acc "$(with_registry acc)"
	device acc --json --tree --show-secrets || fail 'not provisioned'
	TREE=$(grep '^{"endpoint"' <<<"$OUT" | jq .tree)
	ended_as acc provisioned
	holds '."/0/2/0" == "coaps://bs.example:5686" and ."/0/2/10" == 65000 and ."/1/1/0" == 65000'
	holds '."/0/2/3".hex == "616363" and (."/0/2/5".hex | length) == 32'
	holds '."/2/0/0" == 1 and ."/2/0/1" == 1 and ."/2/0/2/65000" == 4 and ."/2/0/3" == 65535'
	holds '."/2/1/0" == 1 and ."/2/1/1" == 0 and ."/2/1/3" == 1 and ."/2/2/0" == 3 and ."/2/2/3" == 1'
	key=$(jq -r '."/0/2/5".hex' <<<"$TREE")
	# the same key the next time, and when its document is applied again
	apply "$(document acc "$(with_registry acc)")"
	device acc --json --tree --show-secrets || fail 'not provisioned again'
	[ "$(grep '^{"endpoint"' <<<"$OUT" | jq -r '.tree."/0/2/5".hex')" = "$key" ] || fail 'another key'
	stop
}

not_without() {
	new_daemon not-without
	start
	expect_rc 3 prov apply -f "$(document acc "$(with_registry acc)")"
	says 'this daemon has no registry'
	expect_rc 0 prov check -f "$(document acc "$(with_registry acc)")"
	stop
}

# obey ENDPOINT HOW...: a registered device in the background, which answers so. What it saw is in $WORK/ENDPOINT.saw; a line
# on descriptor 9 lets it go on where it waits to be told.
obey() {
	mkfifo "$WORK/$1.go"
	"$PYTHON" "$SRCDIR/tests/system/registrant.py" obey "${REG_COAP##*:}" "$@" <"$WORK/$1.go" >"$WORK/$1.saw" 2>&1 &
	PIDS+=($!)
	exec 9>"$WORK/$1.go"
	within "$PATIENCE" grep -q registered "$WORK/$1.saw" || fail "$1 does not register: $(cat "$WORK/$1.saw")"
}

# saw ENDPOINT LINE...: exactly these requests.
saw() {
	local want

	want=$(printf '%s\n' registered "${@:2}")
	within "$PATIENCE" diff -q <(echo "$want") "$WORK/$1.saw" >/dev/null || fail "$1 saw: $(cat "$WORK/$1.saw")"
}

# job ID JQ: is true of it, sooner or later.
job() {
	within "$PATIENCE" job_is "$@" || fail "job $1 is not $2: $(prov --json job show "$1")"
}

job_is() {
	[ "$(prov --json job show "$1" | jq "$2")" = true ]
}

refusals() {
	new_daemon refusals
	set_registry coap://127.0.0.1:0
	set_option answer_seconds 6 registry
	start_registry
	for ep in agrees not-ours never silent; do psk_device "$ep"; done
	expect_rc 8 prov trigger --match 'nobody*'
	expect_rc 2 prov trigger
	expect_rc 2 prov trigger --rate 7/x agrees
	expect_rc 3 prov trigger --window 2-4 agrees
	obey agrees 2.04
	expect_rc 0 prov --json trigger --dry-run agrees never ghost
	[ "$(jq -rc '[.rows[].outcome]' <<<"$OUT")" = '["awake","unknown","unknown"]' ] || fail "dry run: $OUT"
	expect_rc 0 prov trigger agrees
	job 1 '.outcomes.triggered == 1 and .state == "running" and .rows[0].code == "2.04"'
	saw agrees '2 /1/3/9'
	# the first instance is another server's; then nobody's
	obey not-ours 4.01 4.05
	expect_rc 0 prov trigger not-ours
	job 2 '.outcomes.refused == 1 and .state == "done" and .rows[0].code == "4.01" and .rows[0].failed'
	saw not-ours '2 /1/3/9' '2 /1/5/9'
	expect_rc 0 prov trigger never
	job 3 '.outcomes.unknown == 1 and .state == "done"'
	obey silent no
	expect_rc 1 prov trigger silent --wait
	job 4 '.outcomes.timed_out == 1 and .state == "done"'
	expect_rc 0 prov job list
	expect_rc 10 prov job cancel 4
	expect_rc 8 prov job show 5
	expect_rc 0 prov job cancel 1
	job 1 '.state == "cancelled"'
	counted trigger_asked_total 3
	stop
}

# registry_daemon NAME SCHEME [OPTION VALUE]...: started; devices register at a port that is known beforehand.
registry_daemon() {
	local port

	port=$(free_port)
	new_daemon "$1"
	REG=$2://127.0.0.1:$port
	set_registry "$REG"
	set_option uri "\"$REG\"" registry
	while [ $# -gt 2 ]; do
		set_option "$3" "$4" registry
		set -- "$1" "$2" "${@:5}"
	done
	start_registry
}

# alive_device ENDPOINT ARGUMENT...: in the background; it registers with its account here, and what it says is in
# $WORK/ENDPOINT.out.
alive_device() {
	(device "$1" --register 65000 --json --trace --timeout 90s "${@:2}"
		rc=$?
		printf '%s\n' "$OUT" >"$WORK/$1.out"
		exit $rc) &
	DEVICE_PID=$!
	PIDS+=("$DEVICE_PID")
}

# over: the device in the background has ended, and well.
over() {
	wait "$DEVICE_PID" || fail "the device ended with $?"
}

# registered ENDPOINT STATE [AWAKE]: what the registry says of it, sooner or later.
registered() {
	within "$PATIENCE" registered_is "$@" || fail "$1 is not $2 ${3:-}: $(api "/v1/devices/$1/registration")"
}

registered_is() {
	[ "$(api "/v1/devices/$1/registration" | jq -r '"\(.state)\(if '"${3:-true}"' then "" else " asleep" end)"')" = "$2" ]
}

# The device registers with the account that the profile's "registry": true gave it, is asked to bootstrap, does, and
# registers again.
int_5() {
	local saw

	registry_daemon "int-5-$1" "$1"
	psk_device int5 "$(with_registry int5)"
	alive_device int5 --repeat 2
	registered int5 registered .awake
	expect_rc 0 prov wait int5 --for registered --timeout "$PATIENCE"
	expect_rc 0 prov --json trigger int5 --wait
	[ "$(jq -c '[.state, .outcomes.bootstrapped, .rows[0].endpoint, .rows[0].code, .rows[0].failed]' <<<"$OUT")" = '["done",1,"int5","2.04",false]' ] ||
		fail "the job: $OUT"
	over
	last_session int5
	[ "$(jq -r .id <<<"$SESSION")" = "$(jq -r '.rows[0].session' <<<"$OUT")" ] || fail "another session: $OUT"
	saw=$(sed -n 's/^ *[0-9.]* int5 \(registered\|triggered\|provisioned\|registration.*\) *\([0-9.]*\).*/\1/p' "$WORK/int5.out" | tr '\n' ' ')
	[ "$saw" = 'provisioned registered triggered provisioned registered ' ] || fail "it did: $saw"
	registered int5 registered
	[ "$(api /v1/devices/int5/registration | jq -c '[.version, .lifetime, .queue_mode, .secure]')" = \
		"[\"1.1\",86400,false,$([ "$1" = coaps ] && echo true || echo false)]" ] || fail 'another registration'
	stop
	[ "$D_RC" -eq 0 ] || fail "ended with $D_RC"
}

# stranger ENDPOINT IDENTITY KEYFILE: a state with an account here that has these.
stranger() {
	STATE=$WORK/$1.state
	cat >"$STATE" <<-EOT
	{ "/0/0/0": "$COAPS", "/0/0/1": true, "/0/0/2": 0, "/0/1/0": "$REG", "/0/1/1": false, "/0/1/2": 0,
	  "/0/1/3": { "hex": "$(printf '%s' "$2" | xxd -p -c 256)" }, "/0/1/5": { "hex": "$(cat "$3")" }, "/0/1/10": 65000,
	  "/1/0/0": 65000, "/1/0/1": 60, "/1/0/7": "U", "/3/0/16": "U" }
	EOT
}

refused_register() {
	device "$@" --register 65000 --registered --state "$STATE" --timeout "${PATIENCE}s" --expect any --json --trace --retransmit 1 || fail 'the simulator'
	[ "$(grep '^{"summary"' <<<"$OUT" | jq -c '[.summary.after.registered, .summary.after.refused]')" = '[0,1]' ] ||
		fail "it was not refused: $OUT"
}

# reg_server ENDPOINT: an account here with a key of this run.
reg_server() {
	echo "\"registry\": true, \"servers\": { \"registry\": { \"security\": { \"mode\": \"psk\", \"identity\": \"$1\",
		\"key\": { \"file\": \"keys/$1-reg.psk\" } } } }"
}

strangers() {
	registry_daemon strangers coaps
	for ep in one two; do
		key_file "$ep-reg" >/dev/null
		psk_device "$ep" "$(reg_server "$ep")"
	done
	stranger one one "$(key_file other)"
	refused_register one
	logged 'refused in the handshake, with identity "one"'
	stranger one nobody "$(key_file one-reg)"
	refused_register one
	logged 'refused in the handshake, with identity "nobody"'
	# the key of one, and the name of two
	stranger two one "$(key_file one-reg)"
	refused_register two
	grep -q 'registration refused 4.03' <<<"$OUT" || fail "not by 4.03: $OUT"
	# its own
	stranger one one "$(key_file one-reg)"
	device one --register 65000 --registered --repeat 1 --state "$STATE" --timeout 1s --expect any --json >/dev/null
	registered one registered
	expect_rc 0 prov device block one
	refused_register one
	psk_device one "\"labels\": { \"still\": \"blocked\" }, $(reg_server one)"
	refused_register one
	expect_rc 0 prov device rm one
	within "$PATIENCE" registered_gone one || fail 'a device that was removed is still registered'
	stop
}

registered_gone() {
	[ "$(api -o /dev/null -w '%{http_code}' "/v1/devices/$1/registration")" = 404 ]
}

# open_fleet NAME COUNT: documents of so many devices without security, and a state with an account here; all applied.
open_fleet() {
	local i

	for ((i = 1; i <= $2; i++)); do
		printf '{ "profile_format": 1, "endpoint": "%s-%05u", "credentials": { "bootstrap": { "mode": "nosec" } }, "registry": true, ' "$1" "$i"
		printf '"bootstrap": { "policy": "replace" } }\n'
	done >"$WORK/$1.ndjson"
	expect_rc 0 prov apply -f "$WORK/$1.ndjson" --yes
	STATE=$WORK/$1.state
	cat >"$STATE" <<-EOT
	{ "/0/0/0": "$BS", "/0/0/1": true, "/0/0/2": 3, "/0/1/0": "$REG", "/0/1/1": false, "/0/1/2": 3, "/0/1/10": 65000,
	  "/1/0/0": 65000, "/1/0/1": 86400, "/1/0/6": true, "/1/0/7": "U", "/3/0/16": "U" }
	EOT
}

# fleet NAME COUNT ARGUMENT...: of registered devices, in the background.
fleet() {
	"$DEVICE" --server "$BS" --endpoint-pattern "$1-%05u" --count "$2" --concurrency "$2" --state "$STATE" --seed "$SEED" \
		--register 65000 --registered --expect any --json --quiet "${@:3}" >"$WORK/$1.out" 2>&1 &
	DEVICE_PID=$!
	PIDS+=("$DEVICE_PID")
}

# open_daemon NAME [OPTION VALUE]...: without security, at ports that stay the same when it is started again.
open_daemon() {
	new_daemon "$1"
	BS=coap://127.0.0.1:$(free_port)
	REG=coap://127.0.0.1:$(free_port "${BS##*:}")
	set_listeners "$BS"
	set_rules 'nosec named'
	set_registry "$REG"
	set_option uri "\"$REG\"" registry
	while [ $# -gt 1 ]; do
		set_option "$2" "$3" registry
		set -- "$1" "${@:4}"
	done
	start_registry
}

# Devices that sleep are asked as they wake; the daemon is killed in the middle, and the job goes on.
queue_mode() {
	open_daemon queue awake_seconds 1 answer_seconds 5
	open_fleet q 12
	# one whose session the kill ends tries again
	fleet q 12 --repeat 9 --update 1500ms --awake 20s --attempts 9 --retry 500ms --session-timeout 3s
	within "$PATIENCE" count_is registry_registered 12 || fail 'not all register'
	registered q-00003 registered .awake
	registered q-00003 'registered asleep' .awake
	expect_rc 0 prov trigger --match 'q-*' --rate 4/s --reason night
	job 1 '.outcomes.bootstrapped >= 2'
	stop KILL
	start_registry
	registered q-00003 registered
	job 1 '.outcomes.bootstrapped == 12 and .state == "done" and .failed == 0'
	[ "$(prov --json job show 1 | jq -c '[.reason, .selector, .devices, ([.rows[] | select(.session and .code == "2.04" or .session)] | length)]')" = \
		'["night","--match q-*",12,12]' ] || fail "the job: $(prov --json job show 1)"
	stop
	start_registry
	job 1 '.state == "done" and .outcomes.bootstrapped == 12'
	expect_rc 10 prov job resume 1
	stop
}

count_is() {
	[ "$(api /metrics | sed -n "s/^bsserver_$1 //p")" = "$2" ]
}

# A job waits while it is paused, and ends when it expires or is cancelled; a few go first.
job_states() {
	open_daemon states
	open_fleet s 10
	fleet s 10 --repeat 9
	within "$PATIENCE" count_is registry_registered 10 || fail 'not all register'
	expect_rc 0 prov trigger --match 's-*' --rate 30/h
	job 1 '.outcomes.bootstrapped == 1 and .outcomes.pending == 9'
	expect_rc 0 prov job pause 1
	job 1 '.state == "paused"'
	expect_rc 0 prov job resume 1
	expect_rc 0 prov job cancel 1
	job 1 '.state == "cancelled" and .outcomes.cancelled == 9'
	expect_rc 0 prov trigger s-00001 ghost --window "$(date -d '2 hours' +%H:%M)-$(date -d '3 hours' +%H:%M)" --expires 1s
	job 2 '.state == "done" and .outcomes.expired == 2'
	expect_rc 0 prov trigger --match 's-*' --canary 20% --rate 1000/s
	job 3 '.outcomes.bootstrapped == 10 and .canary == 2 and .state == "done"'
	expect_rc 0 prov trigger ghost s-00001 --canary 1
	job 4 '.state == "paused" and .outcomes.unknown == 1 and .outcomes.pending == 1'
	expect_rc 0 prov --json job list
	[ "$(jq -c '[.jobs[].id]' <<<"$OUT")" = '[4,3,2,1]' ] || fail "jobs: $OUT"
	stop
}

# Bootstrapped, and never registered: a named state; four times in an hour: held back, until it registers.
comes_back() {
	local i

	registry_daemon comes-back coaps
	for i in lost once; do
		key_file "$i-reg" >/dev/null
		psk_device "$i" "$(reg_server "$i")"
	done
	device lost || fail 'not provisioned'
	ended_as lost provisioned
	expect_rc 6 prov wait lost --for registered --timeout 1
	expect_rc 0 prov wait lost --for provisioned --timeout "$PATIENCE"
	expect_rc 0 prov --json session list lost
	[ "$(jq -r '.sessions[0].after' <<<"$OUT")" = awaited ] || fail "session list: $OUT"
	counted registry_awaited 1
	device once || fail 'not provisioned'
	for i in 2 3 4; do device lost || fail "not provisioned the ${i}th time"; done
	within "$PATIENCE" count_is registry_comes_back 1 || fail 'it is not said to come back'
	device lost --expect refused:5.03 || fail 'not held back'
	ended_as lost refused held_back
	expect_rc 0 prov --json why lost
	[ "$(jq -r .after <<<"$OUT")" = comes_back ] || fail "why: $OUT"
	says 'held back by a pause that grows'
	expect_rc 0 prov --json session list lost
	[ "$(jq -c '[.sessions[] | [.reason, .after]][:2]' <<<"$OUT")" = '[["held_back",null],["none","comes_back"]]' ] || fail "session list: $OUT"
	counted registry_held_back_total 1
	kept_after_a_kill
	stop
}

# What is said of devices that do not register is known after a restart, until they do.
kept_after_a_kill() {
	local i

	stop KILL
	start_registry
	within "$PATIENCE" count_is registry_comes_back 1 || fail 'it is not said to come back after a restart'
	counted registry_awaited 1
	expect_rc 0 prov --json why once
	[ "$(jq -r .after <<<"$OUT")" = awaited ] || fail "why: $OUT"
	device lost --expect refused:5.03 || fail 'not held back after a restart'
	stranger lost lost "$(key_file lost-reg)"
	device lost --register 65000 --registered --repeat 1 --state "$STATE" --timeout 3s --expect any --json >/dev/null
	registered lost registered
	counted registry_comes_back 0
	stop KILL
	start_registry
	within "$PATIENCE" count_is registry_awaited 1 || fail 'the other one is not awaited any more'
	counted registry_comes_back 0
	expect_rc 0 prov wait lost --for registered --timeout "$PATIENCE"
	for i in 1 2 3 4; do device lost --register 65000 || fail 'not let in although it registers each time'; done
	counted registry_comes_back 0
}

no_registry() {
	new_daemon no-registry
	start_registry
	[ -z "$REG_COAP$REG_COAPS" ] || fail 'there is a registry that nobody asked for'
	counted registry_registered ''
	stop
}

run_case registers-by-hand by_hand
run_case registers-in-blocks in_blocks
run_case account-is-provisioned account
run_case account-needs-a-registry not_without
run_case int-5 int_5 coaps
run_case int-5-coap int_5 coap
run_case strangers-do-not-register strangers
run_case trigger-each-answer refusals
run_case queue-mode-and-a-killed-daemon queue_mode
run_case jobs-wait-expire-and-go-in-steps job_states
run_case comes-back-and-never-registers comes_back
run_case no-registry-unless-said no_registry
finish
