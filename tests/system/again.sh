#!/bin/bash
# Devices whose session was cut off and that come again: from the same port and from another, over DTLS and without. The
# record of the session that was cut off says what became of it, and the device is served within seconds.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

STEPS='discover write finish'

# nosec_device ENDPOINT
nosec_device() {
	local file=$WORK/${1//[:\/]/-}.json

	key_file "$1-dm" >/dev/null
	cat >"$file" <<-EOT
	{ "profile_format": 1, "endpoint": "$1", "credentials": { "bootstrap": { "mode": "nosec" } },
	  $(server_of "$1"), "bootstrap": { "policy": "replace" } }
	EOT
	apply "$file"
}

# cut_off SCHEME ENDPOINT STEP LIE LIMIT_MS: its session ends there, it comes again and is served in less than that.
cut_off() {
	local server=$COAPS ms

	[ "$1" = coaps ] || server=$COAP
	device "$2" --server "$server" --psk-key-file "$(key_file "$2")" --lie "$3=$4" --attempts 2 --json || fail "$2: not provisioned"
	ms=$(jq -r 'select(.endpoint) | select(.attempts == 2) | .ms | ceil' <<<"$OUT")
	[ -n "$ms" ] && [ "$ms" -lt "$5" ] || fail "$2: provisioned after ${ms:-one attempt} ms"
	say "$2: provisioned ${ms} ms after its first datagram"
}

# first_ended_as ENDPOINT VERDICT REASON STEP: of its two sessions the older one.
first_ended_as() {
	local have

	have=$(prov --json session list "$1" | jq -r '[.sessions[] | [.verdict, .reason, .step] | join(" ")] | sort_by(startswith("provisioned")) | join(", ")')
	[ "$have" = "$2 $3 $4, provisioned none finish" ] || fail "$1: its sessions were: $have"
}

# comes_again SCHEME LIE LIMIT_MS VERDICT REASON: at each step at once.
comes_again() {
	local step endpoint pid pids=()

	new_daemon "$1-$2"
	set_listeners coaps://127.0.0.1:0 coap://127.0.0.1:0
	set_rules 'psk mapped' 'nosec named'
	start
	for step in $STEPS; do
		endpoint=urn:dev:os:$1-$step
		[ "$1" = coap ] || psk_device "$endpoint"
		[ "$1" = coaps ] || nosec_device "$endpoint"
	done
	for step in $STEPS; do
		cut_off "$1" "urn:dev:os:$1-$step" "$step" "$2" "$3" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || fail 'a device was not served again'
	done
	for step in $STEPS; do
		endpoint=urn:dev:os:$1-$step
		ended_as "$endpoint" provisioned none finish
		first_ended_as "$endpoint" "$4" "$5" "$step"
	done
	stop
}

# closes: with a close_notify, and comes again as another process, from another port.
closes() {
	local endpoint=urn:dev:os:closes

	new_daemon closes
	start
	psk_device "$endpoint"
	expect_rc 0 device "$endpoint" --lie write=close --expect failed
	ended_as "$endpoint" failed peer_gone write /0/1
	[ "$(jq -r .detail <<<"$SESSION")" = 'the device closed its session' ] || fail "$SESSION"
	device "$endpoint" || fail 'not provisioned'
	ended_as "$endpoint" provisioned none finish
	stop
}

# Whoever waits for a device goes on waiting while the daemon is started anew.
waits_through_a_restart() {
	local waiting

	new_daemon restart
	start
	psk_device urn:dev:os:waited
	prov wait urn:dev:os:waited --for provisioned --timeout 120s >"$WORK/waited" 2>"$WORK/said" &
	waiting=$!
	within "$PATIENCE" listened || fail 'nobody waits'
	stop
	within "$PATIENCE" grep -q "waiting for it to come back" "$WORK/said" || fail 'it did not ask while nobody was there'
	start
	device urn:dev:os:waited || fail 'not provisioned'
	wait "$waiting" || fail "wait ended with $?: $(cat "$WORK/waited" "$WORK/said")"
	grep -q '^urn:dev:os:waited  provisioned ' "$WORK/waited" || fail "it said: $(cat "$WORK/waited")"
	stop
}
listened() {
	[ "$(api /metrics | sed -n 's/^bsserver_api_event_listeners //p')" = 1 ]
}

run_case waits-through-a-restart waits_through_a_restart
run_case coaps-same-port comes_again coaps restart 10000 failed peer_gone
run_case coaps-new-port comes_again coaps restart-new-port 10000 cancelled superseded
run_case coap-same-port comes_again coap restart 10000 cancelled superseded
run_case coap-new-port comes_again coap restart-new-port 10000 cancelled superseded
run_case coaps-closed closes

finish
