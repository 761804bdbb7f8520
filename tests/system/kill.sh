#!/bin/bash
# Nothing is lost: the daemon and the command line are killed while changes are under way; whatever was acknowledged is
# there afterwards, whole. KILLS: how often (20), SEED: when.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

KILLS=${KILLS:-20}
ROWS=${ROWS:-3000} # of a batch that the command line applies

# The killed daemon's files, as they lie there, in a copy that may be opened.
whole() {
	local copy=$D/copy said

	rm -rf "$copy"
	mkdir "$copy" && cp "$D"/store.db* "$copy" || fail 'no copy'
	said=$(sqlite3 "$copy/store.db" 'PRAGMA integrity_check' 2>&1)
	[ "$said" = ok ] || fail "the store is damaged: $said"
}

# Writers on four connections; in three rounds of four the daemon dies a moment later, in one at once.
kills_the_daemon() {
	local i flight in_flight=0 rounds=$((KILLS * 7 / 10)) changes

	new_daemon killed
	start
	for ((i = 0; i < rounds; i++)); do
		flight=$("$PYTHON" "$SRCDIR/tests/system/killer.py" kill "$D/api.sock" "$D/book" "$D_PID" $((SEED + i)) $((RANDOM % 80 * (i % 4 != 0)))) ||
			fail "round $i: $flight"
		within "$PATIENCE" ended "$D_PID" || fail 'it lives'
		wait "$D_PID" 2>/dev/null
		[ "$flight" -eq 0 ] || in_flight=$((in_flight + 1))
		[ $((i % 5)) -ne 0 ] || whole
		start
		changes=$("$PYTHON" "$SRCDIR/tests/system/killer.py" check "$D/api.sock" "$D/book") || {
			echo "$changes"
			fail "round $i: changes are missing"
		}
	done
	echo "$changes"
	a_lost_change_would_be_seen
	stop
	say "the daemon was killed $rounds times, $in_flight of them with a write in flight"
	echo "$in_flight" >"$WORK/in-flight-daemon"
	[ "$in_flight" -ge $((rounds * 6 / 10)) ] || fail 'too few writes were in flight'
}

# The book says that a change was acknowledged which nobody made: the check must miss it. A document that is half of one
# version and half of another must be seen too.
a_lost_change_would_be_seen() {
	sed '$a asked kill-0-0 900000\ntold kill-0-0 900000\nasked nobody 1\ntold nobody 1' "$D/book" >"$D/book.lost"
	expect_rc 1 "$PYTHON" "$SRCDIR/tests/system/killer.py" check "$D/api.sock" "$D/book.lost"
	says 'kill-0-0 has version'
	says '900000 was acknowledged'
	says 'nobody lost'
	cat >"$D/half.json" <<-'EOT'
	{ "profile_format": 1, "endpoint": "half", "labels": { "version": "1" },
	  "credentials": { "bootstrap": { "mode": "psk", "identity": "half", "key": { "generate": 16 } } },
	  "servers": { "dm": { "short_server_id": 101, "uri": "coaps://192.0.2.1:1026", "lifetime": 102, "binding": "U",
	               "security": { "mode": "psk", "identity": "half", "key": { "generate": 16 } } } },
	  "bootstrap": { "policy": "replace" } }
	EOT
	apply "$D/half.json"
	echo 'asked half 1' >"$D/book.half"
	expect_rc 1 "$PYTHON" "$SRCDIR/tests/system/killer.py" check "$D/api.sock" "$D/book.half"
	says 'half is half version 1'
}

# batch VERSION: ROWS documents with it.
batch() {
	awk -v n="$ROWS" -v version="$1" 'BEGIN {
		for (i = 0; i < n; i++) {
			printf "{\"profile_format\":1,\"endpoint\":\"row-%05d\",\"labels\":{\"version\":\"%s\"},", i, version
			printf "\"credentials\":{\"bootstrap\":{\"mode\":\"psk\",\"identity\":\"row-%05d\",\"key\":{\"generate\":16}}},", i
			printf "\"servers\":{\"dm\":{\"short_server_id\":1,\"uri\":\"coaps://192.0.2.1\",\"lifetime\":%d,\"binding\":\"U\",", 100 + version
			printf "\"security\":{\"mode\":\"psk\",\"identity\":\"row-%05d\",\"key\":{\"generate\":16}}}},", i
			printf "\"bootstrap\":{\"policy\":\"replace\"}}\n"
		}
	}'
}

# The names that a result file acknowledges; its last row may be cut off.
acknowledged() {
	sed -n 's/.*"name":"\([^"]*\)","result":"\(created\|updated\|unchanged\)".*/\1/p' "$1" | sort -u
}

# Everything that the result file acknowledges is in the store, in this version.
has_all() {
	local version=$1 result=$2 missing

	prov --json device list --match 'row-*' >"$WORK/listed" 2>&1 || fail "device list: $(head -n 3 "$WORK/listed")"
	sqlite3 -readonly "$D/store.db" "SELECT endpoint FROM device WHERE doc LIKE '%\"version\":\"$version\"%' OR doc LIKE '%\"version\": \"$version\"%'" |
		sort >"$WORK/stored" || fail 'the store cannot be read'
	missing=$(comm -23 <(acknowledged "$result") "$WORK/stored" | wc -l)
	[ "$missing" -eq 0 ] || fail "version $version: $missing rows were acknowledged and are not there"
	[ -z "$(sqlite3 -readonly "$D/store.db" "SELECT endpoint FROM device WHERE NOT json_valid(doc)")" ] || fail 'half a document'
}

rows_of() {
	[ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]
}

# part_done FILE ROWS: so many rows are in it, or the command is over.
part_done() {
	rows_of "$1" "$2" || ended "$CLI_PID"
}

# kill_in_batch VERSION daemon|cli: the batch is under way when that is killed. FLIGHT: 1 when it was.
kill_in_batch() {
	local version=$1 victim=$2 result=$D/result.$1 rows

	batch "$version" >"$D/batch.ndjson"
	"$PROV" --socket "$D/api.sock" apply -f "$D/batch.ndjson" --yes --result "$result" >"$D/cli.out" 2>&1 &
	CLI_PID=$!
	PIDS+=("$CLI_PID")
	within "$PATIENCE" part_done "$result" $((RANDOM % 2 * ROWS / 4)) || fail 'the batch does not begin'
	sleep "0.0$((RANDOM % 4))$((RANDOM % 10))"
	FLIGHT=0
	if [ "$victim" = cli ]; then
		kill -KILL "$CLI_PID" 2>/dev/null
		wait "$CLI_PID" 2>/dev/null
		[ $? -eq 137 ] && [ "$(acknowledged "$result" 2>/dev/null | wc -l)" -lt "$ROWS" ] && FLIGHT=1
	else
		stop KILL
		wait "$CLI_PID" 2>/dev/null
		[ $? -eq 5 ] && FLIGHT=1
		start
	fi
	[ ! -e "$result" ] || has_all "$version" "$result"
	# the same command again ends what was begun
	expect_rc 0 prov apply -f "$D/batch.ndjson" --yes --result "$result"
	has_all "$version" "$result"
	[ "$(acknowledged "$result" | wc -l)" -eq "$ROWS" ] || fail 'rows without an acknowledgement'
}

kills_in_batches() {
	local i rounds=$((KILLS * 3 / 10)) in_flight=0 victim

	new_daemon batch
	start
	for ((i = 1; i <= rounds; i++)); do
		victim=$([ $((i % 2)) -eq 0 ] && echo daemon || echo cli)
		kill_in_batch "$i" "$victim"
		in_flight=$((in_flight + FLIGHT))
		say "$victim killed in batch $i: $([ "$FLIGHT" -eq 1 ] && echo in flight || echo 'nothing in flight')"
	done
	say "$rounds batches of $ROWS devices, $in_flight killed with a write in flight"
	echo "$in_flight" >"$WORK/in-flight-batch"
	stop
}

# Of all kills that were to hit a write, six in ten must have.
enough_in_flight() {
	local total=$((KILLS * 7 / 10 + KILLS * 3 / 10)) hit

	hit=$(($(cat "$WORK/in-flight-daemon") + $(cat "$WORK/in-flight-batch")))
	say "$hit of $total kills with a write in flight"
	[ $((hit * 10)) -ge $((total * 6)) ] || fail 'too few'
}

# Devices are in the middle of their sessions when the daemon dies: they come again and are bootstrapped.
kills_under_devices() {
	local i pid

	new_daemon devices
	set_listeners "coaps://127.0.0.1:$(free_port)"
	start
	for i in 1 2 3; do
		apply "$(document "mid-$i")"
	done
	for i in 1 2 3; do
		"$DEVICE" --server "$COAPS" --endpoint "mid-$i" --psk-key-file "$(key_file "mid-$i")" --quirk slow --slow 1s \
			--attempts 20 --retry 200ms --expect provisioned --session-timeout 2s --retransmit 1 --ack-timeout 1s --trace >"$WORK/mid-$i.log" 2>&1 &
		eval "pid$i=$!"
		PIDS+=("$!")
	done
	within "$PATIENCE" grep -qs write "$WORK/mid-1.log" || fail 'no device is in its session'
	stop KILL
	start
	for i in 1 2 3; do
		eval "pid=\$pid$i"
		within $((PATIENCE * 2)) ended "$pid" || fail "mid-$i is still on its way"
		wait "$pid" || fail "mid-$i: $(tail -n 3 "$WORK/mid-$i.log")"
		ended_as "mid-$i" provisioned
	done
	stop
}

run_case kills-the-daemon kills_the_daemon
run_case kills-in-batches kills_in_batches
[ -n "${CASES:-}" ] || run_case enough-in-flight enough_in_flight
run_case kills-under-devices kills_under_devices
finish
