#!/bin/bash
# Devices are called back through the LwM2M Server that they are registered with: which way is chosen, what its answers come
# to, a server that is away and comes again, and a daemon that is killed meanwhile. TAP.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/handoff_lib.sh"

# registered ENDPOINT INSTANCE ANSWER: so the fake server says that the device would answer it.
registered() {
	mkdir -p "$S/devices"
	echo "$2 1 $3" >"$S/devices/$1"
}

# handed_devices ENDPOINT...: bootstrapped once, their servers told.
handed_devices() {
	local e

	for e; do
		handed "$e" '{ "generate": 16, "rotate": "on_bootstrap" }'
		knock "$e" || fail "$e is not provisioned"
	done
	: >"$S/requests"
}

# asked LINE: a request of that beginning came in.
asked() {
	grep -q "^[a-z0-9]* $1" "$S/requests"
}

# row JOB ENDPOINT FILTER: holds of what came of it.
row() {
	prov --json job show "$1" | jq -e --arg e "$2" ".rows[] | select(.endpoint == \$e) | $3" >/dev/null
}

# comes JOB ENDPOINT FILTER: it does within patience.
comes() {
	within "$PATIENCE" row "$@" || fail "never $3: $(prov --json job show "$1" | jq -c '.rows')"
}

# Its server calls the device back, it bootstraps and gets the next key.
comes_back() {
	local old

	lwm2m_server back
	handing_daemon back
	start
	handed_devices dev-1
	old=$DEVICE_KEY
	registered dev-1 0 'CHANGED(204)'
	expect_rc 0 prov --json trigger --dry-run dev-1 ghost
	jq -e '[.rows[] | {endpoint, outcome, via}] == [{endpoint: "dev-1", outcome: "by_server", via: "eu"},
		{endpoint: "ghost", outcome: "unknown", via: null}]' <<<"$OUT" >/dev/null || fail "dry run: $OUT"
	[ ! -s "$S/requests" ] || fail 'a dry run asked'
	kill -HUP "$D_PID"
	within "$PATIENCE" grep -q SIGHUP "$D_LOG" || fail 'it does not read its configuration again'
	expect_rc 0 prov trigger dev-1 ghost
	comes 1 dev-1 '.outcome == "triggered" and .code == "2.04" and .via == "eu"'
	asked 'POST /api/clients/dev-1/1/0/9?timeout=20 ' || fail "asked: $(cat "$S/requests")"
	! asked GET || fail "its instance was looked for: $(cat "$S/requests")"
	comes 1 ghost '.outcome == "unknown" and .via == null'
	knock dev-1 || fail 'not provisioned'
	comes 1 dev-1 '.outcome == "bootstrapped" and .session != null and .via == "eu"'
	agree dev-1
	[ "$DEVICE_KEY" != "$old" ] || fail 'the key is the same as before'
	within "$PATIENCE" eval 'prov --json job show 1 | jq -e ".state == \"done\"" >/dev/null' || fail 'the job is not over'
	api /metrics >"$WORK/metrics"
	grep -q '^bsserver_handoff_triggers_total 1$' "$WORK/metrics" || fail "not counted: $(grep trigger "$WORK/metrics")"
	stop
}

# What a server says of a device, and what comes of it. The device's inventory says instance 0.
each_answer() {
	local name answer wanted n=0

	lwm2m_server answers
	handing_daemon answers
	start
	handed_devices dev-1
	while read -r answer wanted; do
		n=$((n + 1))
		registered dev-1 0 "$answer"
		[ "$answer" != absent ] || rm "$S/devices/dev-1"
		expect_rc 0 prov trigger dev-1
		comes "$n" dev-1 "$wanted"
		prov job cancel "$n" >/dev/null
	done <<-'END'
	INTERNAL_SERVER_ERROR(500) .outcome == "refused" and .code == "5.00" and .failed and .via == "eu"
	METHOD_NOT_ALLOWED(405) .outcome == "refused" and .code == "4.05"
	silent .outcome == "timed_out" and .via == "eu" and .failed
	asleep .outcome == "asleep" and .told and .said == "it sleeps, and is told when it wakes"
	absent .outcome == "asleep" and (.told | not) and .said == "it is not registered there"
	END
	# another instance than the device had when it was here: it is looked for there
	registered dev-1 5 'CHANGED(204)'
	expect_rc 0 prov trigger dev-1
	comes $((n + 1)) dev-1 '.outcome == "triggered"'
	asked 'POST /api/clients/dev-1/1/5/9' || fail "asked: $(cat "$S/requests")"
	echo wanted >"$S/token"
	expect_rc 0 prov trigger dev-1
	comes $((n + 2)) dev-1 '.outcome == "refused" and .code == null and .said == "HTTP 401: no"'
	stop
	[ "$D_RC" = 0 ] || fail "the daemon ends with $D_RC"
}

# It sleeps and is told when it wakes: the session that comes then is the job's, also after the daemon was killed.
sleeps() {
	lwm2m_server sleeps
	handing_daemon sleeps
	start
	handed_devices dev-1 dev-2
	registered dev-1 0 asleep
	registered dev-2 0 asleep
	expect_rc 0 prov trigger dev-1 dev-2
	comes 1 dev-1 '.told'
	comes 1 dev-2 '.told'
	knock dev-1 || fail 'not provisioned'
	comes 1 dev-1 '.outcome == "bootstrapped" and (.told | not)'
	comes 1 dev-2 '.outcome == "asleep"'
	stop KILL
	start
	comes 1 dev-2 '.outcome == "asleep" and .told and .via == "eu"'
	knock dev-2 || fail 'not provisioned'
	comes 1 dev-2 '.outcome == "bootstrapped"'
	stop
}

# away MODE: the server gives no answer to the trigger; the job says so, asks again, and goes on when it is back.
away() {
	lwm2m_server "away-$1"
	TIMEOUT=3s handing_daemon "away-$1"
	start
	handed_devices dev-1
	registered dev-1 0 'CHANGED(204)'
	echo "$1" >"$S/mode"
	expect_rc 0 prov trigger dev-1
	comes 1 dev-1 '.outcome == "pending" and .via == "eu" and .said != null and (.failed | not)'
	prov --json job show 1 | jq -e '.state == "running" and .failed == 0' >/dev/null || fail 'the job does not run on'
	if [ "$1" = down ]; then
		stop KILL
		start
	fi
	echo up >"$S/mode"
	comes 1 dev-1 '.outcome == "triggered" and .said == null'
	knock dev-1 || fail 'not provisioned'
	comes 1 dev-1 '.outcome == "bootstrapped"'
	stop
	[ "$D_RC" = 0 ] || fail "the daemon ends with $D_RC"
}

# It was asked, and did not say so; the device came all the same: the job knows it.
deaf() {
	lwm2m_server deaf
	handing_daemon deaf
	start
	handed_devices dev-1
	registered dev-1 0 'CHANGED(204)'
	echo deaf >"$S/mode"
	expect_rc 0 prov trigger dev-1
	comes 1 dev-1 '.outcome == "pending" and .said != null'
	echo up >"$S/mode"
	knock dev-1 || fail 'not provisioned'
	comes 1 dev-1 '.outcome == "bootstrapped"'
	stop
}

# A server that has no way is not asked; with a template another one is.
by_template() {
	lwm2m_server template
	new_daemon template
	replace_block 'lwm2m_servers = (' "lwm2m_servers = (
  { name = \"eu\"; driver = \"http\"; url = \"http://127.0.0.1:$S_PORT\"; timeout = \"$TIMEOUT\";
    tell = \"PUT /api/security/clients/\"; forget = \"DELETE /api/security/clients/%e\";
    tell_body = \"{@endpoint@:@%e@,@tls@:{@mode@:@%m@,@details@:{@identity@:@%i@,@key@:@%k@}}}\"; }"
	sed -i '/tell_body/s/@/\\"/g' "$D/bsserver.conf"
	start
	handed_devices dev-1
	registered dev-1 0 'CHANGED(204)'
	expect_rc 0 prov trigger dev-1
	comes 1 dev-1 '.outcome == "unknown"'
	stop
	sed -i 's|^    tell = |    trigger = "POST /api/clients/%e/1/%n/9";\n&|' "$D/bsserver.conf"
	start
	expect_rc 0 prov trigger dev-1
	comes 2 dev-1 '.outcome == "triggered" and .code == null and .via == "eu"'
	asked 'POST /api/clients/dev-1/1/0/9 ' || fail "asked: $(cat "$S/requests")"
	stop
}

run_case through-its-server comes_back
run_case each-answer-of-a-server each_answer
run_case asleep-and-told sleeps
run_case a-server-that-is-away away down
run_case a-server-that-hangs away hang
run_case asked-without-a-word deaf
run_case by-a-template by_template
finish
