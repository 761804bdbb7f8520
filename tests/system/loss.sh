#!/bin/bash
# Datagrams that are lost: whichever it is, of the handshake or of the session, the device is provisioned in its first
# attempt, since both sides repeat what was not answered.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

FLIGHTS=6 # handshake: 5 datagrams of the device and 5 of the server; the rest is the session

# one_lost WAY: a device for each datagram of that way, all at once.
one_lost() {
	local way=$1 i endpoint pid pids=()

	new_daemon "one-$way"
	start
	for i in $(seq $((FLIGHTS + 1))); do
		psk_device "urn:dev:os:$way-$i"
	done
	for i in $(seq $((FLIGHTS + 1))); do
		(device "urn:dev:os:$way-$i" "--drop-$way" "$i") &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "a device was not provisioned"
	done
	for i in $(seq $((FLIGHTS + 1))); do
		endpoint=urn:dev:os:$way-$i
		ended_as "$endpoint" provisioned none finish
		[ "$(prov --json session list "$endpoint" | jq -s 'flatten | length')" -eq 1 ] || fail "$endpoint: more than one session"
	done
	stop
}

# rounds_lost: the end of the handshake is lost three times, whose end it is; the fourth comes seven seconds after the first.
rounds_lost() {
	local way pid pids=()

	new_daemon rounds
	start
	for way in sent received; do
		psk_device "urn:dev:os:rounds-$way"
	done
	(device urn:dev:os:rounds-sent --drop-sent 4-11) & # its ChangeCipherSpec and Finished, then the whole flight twice
	pids+=($!)
	(device urn:dev:os:rounds-received --drop-received 4-9) & # ours, as often as it repeats its own
	pids+=($!)
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "a device was not provisioned"
	done
	for way in sent received; do
		ended_as "urn:dev:os:rounds-$way" provisioned none finish
	done
	stop
}

# many_lost: a fleet on a bad network.
many_lost() {
	local n=30 i files=()

	new_daemon many
	start
	for i in $(seq "$n"); do
		files+=("$(document "$(printf 'bad-%02u' "$i")")")
	done
	apply "${files[@]}"
	for i in $(seq "$n"); do
		printf '%s %s\n' "$(printf 'bad-%02u' "$i")" "$(cat "$(key_file "$(printf 'bad-%02u' "$i")")")"
	done >"$WORK/keys.txt"
	expect_rc 0 timeout "$((PATIENCE * 3))" "$DEVICE" --server "$COAPS" --endpoint-pattern 'bad-%02u' --count "$n" --concurrency "$n" \
		--psk-keys-file "$WORK/keys.txt" --loss 3% --dup 3% --linger 0s --seed "$SEED" --expect provisioned --quiet
	say "$(grep provisioned <<<"$OUT" | tail -n 1)"
	stop
}

run_case any-datagram-of-the-device one_lost sent
run_case any-datagram-of-the-server one_lost received
run_case the-end-of-a-handshake-three-times rounds_lost
run_case a-fleet-on-a-bad-network many_lost

finish
