#!/bin/bash
# The store's disk fills up under the daemon: what was acknowledged stays, what was not is said so, and when there is room
# again everything goes on. The disk is a tmpfs of 8 MiB in a mount namespace of its own. ROWS: devices of the batch (3000).
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
if [ -z "${OWN_MOUNTS:-}" ]; then
	for how in '' --map-root-user; do
		# shellcheck disable=SC2086
		unshare $how --mount true 2>/dev/null && exec unshare $how --mount env OWN_MOUNTS=1 bash "$0" "$@"
	done
	echo '1..0 # SKIP no small disk: mounting one is not allowed here'
	exit 0
fi
. "$(dirname "$0")/lib.sh"

ROWS=${ROWS:-3000}

# small_disk: at $DISK, with the store of $D on it.
small_disk() {
	DISK=$WORK/disk
	mkdir "$DISK"
	mount --make-rprivate / && mount -t tmpfs -o size=8m,mode=0700 tmpfs "$DISK" || fail 'no small disk'
	mv "$D"/store.db* "$DISK" || fail 'no store to move'
	set_option uri "\"sqlite:$DISK/store.db\""
}

free_octets() {
	stat -f -c '%a * %S' "$DISK" | sed 's/^/echo $((/; s/$/))/' | sh
}

# ballast OCTETS: so many are left free.
ballast() {
	rm -f "$DISK/ballast"
	head -c "$(($(free_octets) - $1))" /dev/zero >"$DISK/ballast" || fail 'no ballast'
}

batch() {
	awk -v n="$ROWS" 'BEGIN {
		for (i = 0; i < n; i++) {
			printf "{\"profile_format\":1,\"endpoint\":\"row-%05d\",", i
			printf "\"credentials\":{\"bootstrap\":{\"mode\":\"psk\",\"identity\":\"row-%05d\",\"key\":{\"generate\":16}}},", i
			printf "\"servers\":{\"dm\":{\"short_server_id\":1,\"uri\":\"coaps://192.0.2.1\",\"lifetime\":100,\"binding\":\"U\","
			printf "\"security\":{\"mode\":\"psk\",\"identity\":\"row-%05d\",\"key\":{\"generate\":16}}}},", i
			printf "\"bootstrap\":{\"policy\":\"replace\"}}\n"
		}
	}'
}

# rows_with RESULT-REGEX FILE: the names, whose newest row is such a one.
rows_with() {
	jq -r 'select(.name) | "\(.name) \(.result)"' "$2" | awk -v want="$1" '{ last[$1] = $2 }
		END { for (name in last) if (last[name] ~ want) print name }' | sort
}

# all_there: what the result file acknowledges is in the store, and nothing else but the first devices.
all_there() {
	prov --json device list --match 'row-*' --limit 100000 | jq -r '.devices[].endpoint' | sort >"$WORK/there"
	rows_with 'created|updated|unchanged' "$WORK/result" >"$WORK/told"
	[ "$(comm -23 "$WORK/told" "$WORK/there" | wc -l)" -eq 0 ] || fail "lost: $(comm -23 "$WORK/told" "$WORK/there" | head -n 3)"
	[ "$(comm -13 "$WORK/told" "$WORK/there" | wc -l)" -eq 0 ] || fail "kept, and not said: $(comm -13 "$WORK/told" "$WORK/there" | head -n 3)"
}

whole() {
	local said

	said=$(sqlite3 "$DISK/store.db" 'PRAGMA integrity_check' 2>&1)
	[ "$said" = ok ] || fail "the store is damaged: $said"
}

fills_up() {
	local told lost

	new_daemon full
	small_disk
	start
	psk_device before
	device before || fail 'a device with room'
	batch >"$WORK/batch.ndjson"
	ballast 1500000
	expect_rc 4 prov apply -f "$WORK/batch.ndjson" --yes --result "$WORK/result"
	says 'the disk is full, nothing of this was kept'
	logged 'error api: [0-9]+ rows of an apply were not kept \(store: the disk is full'
	alive
	all_there
	told=$(wc -l <"$WORK/told")
	[ "$told" -gt 0 ] && [ "$told" -lt "$ROWS" ] || fail "$told of $ROWS rows were acknowledged"
	say "$told of $ROWS devices found room, and the rest was told that there is none"

	# full as it is, what is known goes on being known
	ballast 0
	expect_rc 0 prov device show before
	expect_rc '[14]' prov apply -f "$WORK/batch.ndjson" --yes --result "$WORK/result"
	says 'the disk is full'
	all_there
	device before --expect any --repeat 60
	say "a device in the meantime$(grep -o '^before: [a-z]*' <<<"$OUT" | sed 's/before//')"
	alive
	lost=$(grep -c 'record could not be kept' "$D_LOG")
	[ "$(api /metrics | sed -n 's/^bsserver_records_lost_total //p')" = "$lost" ] || fail "records lost: $(api /metrics | grep lost), and $lost in the log"
	say "$lost records were lost, and counted"

	# room again: the same command goes on
	rm "$DISK/ballast"
	mount -o remount,size=64m "$DISK" || fail 'no more room'
	expect_rc 0 prov apply -f "$WORK/batch.ndjson" --yes --result "$WORK/result"
	all_there
	[ "$(wc -l <"$WORK/told")" -eq "$ROWS" ] || fail "$(wc -l <"$WORK/told") rows"
	device before || fail 'a device with room again'
	ended_as before provisioned
	stop
	[ "$D_RC" -eq 0 ] || fail "ended with $D_RC"
	whole
}

# Killed while the disk is full, and started there.
dies_on_it() {
	new_daemon dies
	small_disk
	start
	psk_device before
	batch >"$WORK/batch.ndjson"
	ballast 1000000
	expect_rc 4 prov apply -f "$WORK/batch.ndjson" --yes --result "$WORK/result"
	ballast 0
	stop KILL
	launch
	within "$PATIENCE" ready_or_ended || fail 'neither ready nor ended'
	if ended "$D_PID"; then
		logged 'full|No space'
		say "it does not start: $(tail -n 1 "$D_LOG")"
	else
		say 'it starts on the full disk'
		all_there
		stop
	fi
	rm "$DISK/ballast"
	start
	all_there
	expect_rc 0 prov apply -f "$(document late)"
	stop
	whole
}

run_case fills-up fills_up
umount "$WORK/disk" 2>/dev/null
rmdir "$WORK/disk" 2>/dev/null
rm -f "$WORK/result"
run_case dies-on-it dies_on_it
umount "$WORK/disk" 2>/dev/null
finish
