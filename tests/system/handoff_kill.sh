#!/bin/bash
# The daemon is killed at every named point of a hand-off: between the steps of a row, between two writes of the store,
# around each request to the LwM2M Server and to the device (failing.c has the points). Started again it brings device,
# store and LwM2M Server together, without a person. POINTS=N: so many points of each session, chosen by SEED (5);
# POINTS=all: each of them. TAP.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/handoff_lib.sh"

FAILING=$BUILDDIR/tests/system/failing_bsserver
POINTS=${POINTS:-5}
TIMEOUT=5s DEADLINE=10s

# failing NAME VALUE: the daemon with points, and that in its environment.
failing() {
	local -x "$1=$2"
	local BSSERVER=$FAILING

	start
}

# state: of dev-1's hand-off.
state() {
	prov --json handoff list dev-1 | jq -r '.handoffs[0].state'
}

# quiet: nothing of it is under way: whoever comes next begins with what is known.
quiet() {
	case $(state) in
	held | settled | finishing) ;;
	*) false ;;
	esac
}

in_state() {
	[ "$(state)" = "$1" ]
}

# points ARGUMENT...: those that a session of dev-1 passes, a device that behaves so. In POINT.
points() {
	rm -f "$WORK/points"
	failing FAILPOINTS "$WORK/points"
	knock dev-1 --expect any --attempts 1 "$@"
	within "$PATIENCE" quiet || fail "under way: $(prov handoff list)"
	stop
	mapfile -t POINT < <(sort -u "$WORK/points")
}

# killed_at POINT ARGUMENT...: with the device under way; OLD is what it and its server have before. HAS is what it has after
# that, "" when it was not told that it is finished. REACHED counts.
killed_at() {
	local device_pid

	failing FAILPOINT "$1"
	"$DEVICE" --server "$COAPS" --endpoint dev-1 --psk-key-file "$(key_file dev-1)" --seed "$SEED" --json --tree --show-secrets \
		--expect any --attempts 1 "${@:2}" >"$WORK/device" 2>&1 &
	device_pid=$!
	PIDS+=("$device_pid")
	within "$PATIENCE" either_ended "$device_pid" "$D_PID" || fail "$1: neither the device nor the daemon comes to an end"
	ended "$D_PID" || within 1 ended "$D_PID" # what is still to be done for it
	if ended "$D_PID"; then
		REACHED=$((REACHED + 1))
		wait "$D_PID" 2>/dev/null
		[ $? -eq 137 ] || fail "$1: the daemon ended by itself: $(tail -n 5 "$D_LOG")"
	else
		stop
	fi
	kill -KILL "$device_pid" 2>/dev/null
	wait "$device_pid" 2>/dev/null
	HAS=$(grep '^{"endpoint".*"outcome":"provisioned"' "$WORK/device" | held_key)
}

either_ended() {
	ended "$1" || ended "$2"
}

# comes_together POINT: the daemon is started again, and nobody does anything; then the device comes again.
comes_together() {
	local at known

	start
	within "$PATIENCE" quiet || fail "$1: still under way: $(prov handoff list)"
	at=$(state) known=$(server_key dev-1)
	case $at in
	held) [ "$known" = "$OLD" ] || fail "$1: the server does not have the old key again" ;;
	settled) [ -z "$HAS" ] || [ "$known" = "$HAS" ] || fail "$1: the server has another key than the device" ;;
	finishing) [ "$known" != "$OLD" ] || fail "$1: the device may have the new key, and its server does not" ;;
	esac
	[ -z "$HAS" ] || [ "$known" = "$HAS" ] || fail "$1: $at, and the server does not let the device in"
	knock dev-1 || fail "$1: not provisioned: $(prov handoff list)"
	agree dev-1
	within "$PATIENCE" in_state settled || fail "$1: not settled at last: $(prov handoff list)"
	[ "$DEVICE_KEY" != "$OLD" ] || fail "$1: the key is still the old one"
	stop
	[ "$D_RC" = 0 ] || fail "$1: the daemon ends with $D_RC: $(tail -n 5 "$D_LOG")"
	OLD=$DEVICE_KEY
}

# killed NAME ARGUMENT...: at points of sessions of a device that behaves so.
killed() {
	local n i all=0 tries point seen='' REACHED=0 POINT HAS OLD

	lwm2m_server "$1"
	handing_daemon "$1"
	start
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-1 || fail 'not provisioned'
	stop
	points "${@:2}"
	start
	knock dev-1 || fail 'not provisioned after that'
	within "$PATIENCE" in_state settled || fail "not settled: $(prov handoff list)"
	stop
	OLD=$DEVICE_KEY
	n=${#POINT[@]}
	[ "$n" -ge 20 ] || fail "there are $n points only: ${POINT[*]}"
	if [ "$POINTS" = all ]; then
		all=1 tries=$n n=$((n * 3 / 4)) # how many commits there are differs from session to session
	else
		tries=$((POINTS * 4)) n=$POINTS
	fi
	for ((i = 0; i < tries && (all || REACHED < n); i++)); do
		[ "$POINTS" = all ] && point=${POINT[i]} || point=${POINT[RANDOM % ${#POINT[@]}]}
		killed_at "$point" "${@:2}"
		comes_together "$point"
		seen+=" $point"
	done
	say "$REACHED of ${#POINT[@]} points reached:$seen"
	[ "$REACHED" -ge "$n" ] || fail 'too few points were reached'
}

run_case killed-at-points-of-a-session-that-ends-well killed well
run_case killed-at-points-of-a-session-that-gives-back killed back --lie finish=5.00
finish
