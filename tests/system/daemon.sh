#!/bin/bash
# The daemon as a daemon: command line, configuration, sealing key, signals, systemd, its own protection.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

# --- command line and configuration: each mistake is named with its place ------------------------------------------

wrong_command_lines() {
	local line want args n=0

	while IFS='|' read -r line want; do
		read -ra args <<<"$line"
		expect_rc 2 "$BSSERVER" "${args[@]}"
		says "bsserver: $want"
		says 'usage:'
		n=$((n + 1))
	done <<-'EOT'
		|a command is missing
		rum|no such command: rum
		run|run is called otherwise
		run -f x|run is called otherwise
		run -c|run is called otherwise
		run -c x y|run is called otherwise
		--check-config x|--check-config is called otherwise
		init|init is called otherwise
		--version now|--version takes no argument
	EOT
	say "$n command lines"
}

# Each command that --help names has its item in bsserver(8).
commands_in_the_manual() {
	local verb

	expect_rc 0 "$BSSERVER" --help
	for verb in $(awk '$1 == "bsserver" { print $2 }' <<<"$OUT"); do
		grep -qF ".It Cm ${verb//-/\\-}" "$SRCDIR/docs/man/bsserver.8" || fail "bsserver(8) does not tell of $verb"
	done
}

# bad_conf SED-SCRIPT MESSAGE: the template so changed is refused by --check-config and by run, in the same words.
bad_conf() {
	cp "$D/bsserver.conf" "$D/bad.conf"
	sed -i "$1" "$D/bad.conf"
	cmp -s "$D/bsserver.conf" "$D/bad.conf" && fail "nothing was changed by $1"
	expect_rc 3 "$BSSERVER" --check-config -c "$D/bad.conf"
	[[ $OUT == "bsserver: $D/bad.conf"$2 ]] || fail "said '$OUT', not '$2'"
	refused_to_run 3 "$D/bad.conf"
	[[ $OUT == "bsserver: $D/bad.conf"$2 ]] || fail "run said '$OUT', not '$2'"
}

wrong_configurations() {
	new_daemon conf
	expect_rc 0 "$BSSERVER" --check-config -c "$D/bsserver.conf"
	[ "$OUT" = "$D/bsserver.conf: fine" ] || fail "said $OUT"
	bad_conf 's|sessions_kept = 20|sessions_kept = 0|' ':*: store.sessions_kept: must be 1 to 10000, is 0'
	bad_conf 's|sessions_kept = 20|session_kept = 20|' \
		':*: store.session_kept: no such setting (did you mean store.sessions_kept?)'
	bad_conf 's|sqlite:store.db|mysql:store|' ':*: store.uri: must begin with sqlite:'
	bad_conf 's|coaps://127.0.0.1:0|coaps://localhost:0|' \
		':*: coaps://localhost:0: the address is no IP address (names are not looked up)'
	bad_conf 's|coaps://127.0.0.1:0|coap://127.0.0.1:0|' \
		':*: coap://127.0.0.1:0: coap has no security at all: say so with security = "none", or use coaps'
	bad_conf 's|^listeners = (|listeners = ((|' ':*: syntax error'
	bad_conf 's|rule = "mapped"|rule = "maped"|' \
		': auth.rules: there is no rule "maped" for credential "psk"'
	bad_conf '/rule = "mapped"/d' \
		':*: auth.rules: there must be at least one: without a rule nobody is let in'
	bad_conf 's|levels = "info"|levels = "loud"|' ': *loud*'
	bad_conf 's|security = "psk"|security = "psk x509"|' \
		': devices may come with certificates or raw public keys, and we have no key'
	bad_conf 's|# { group = "lwm2m"; allow = "read enroll operate"; }|{ user = "root"; allow = "read enrol"; }|' \
		': api: api.permissions: root: no permission is called enrol; did you mean enroll?'
	bad_conf 's|# { group = "lwm2m"|{ group = "no-such-group"|; s|operate"; }$|operate"; }|' \
		': api: api.permissions: no group no-such-group on this machine'
	bad_conf 's|  group = "";|  group = "no-such-group";|' ': api: api.group: no group no-such-group on this machine'
	bad_conf "s|socket = \"api.sock\"|socket = \"$(printf '%0120d' 0)\"|" ": api: *: a socket's path has at most 107 octets"
	bad_conf 's|mode = "0660"|mode = "rw"|' ': api.mode: must be four octal digits, as 0660'
}

a_configuration_that_is_not_there() {
	refused_to_run 1 "$WORK/nowhere/bsserver.conf"
	[ "$OUT" = "bsserver: $WORK/nowhere/bsserver.conf: cannot be read" ] || fail "said $OUT"
}

init_keeps_what_is_there() {
	new_daemon twice
	sha256sum "$D"/* >"$WORK/sums"
	expect_rc 1 "$BSSERVER" init --dir "$D"
	[[ $OUT == "bsserver: $D/bsserver.conf: File exists"* ]] || fail "said $OUT"
	sha256sum --quiet -c "$WORK/sums" || fail 'something was changed'
}

files_are_private() {
	local file mode

	new_daemon modes
	start
	for file in store.key store.db store.db-wal bsserver.conf; do
		mode=$(stat -c %a "$D/$file") || fail "$file is not there"
		[[ $mode == ?[04]0 ]] || fail "$file has mode $mode"
	done
	[ "$(stat -c %a "$D/store.key")" -le 600 ] || fail 'the sealing key can be read by others'
	[ "$(stat -c %a "$D/api.sock")" = 660 ] || fail "api.sock has mode $(stat -c %a "$D/api.sock")"
	stop
}

# --- the sealing key -----------------------------------------------------------------------------------------------

# refuses_key RC MESSAGE: run ends by itself, with this, and the store stays as it is.
refuses_key() {
	local before

	before=$(sqlite3 "$D/store.db" .dump | sha256sum)
	refused_to_run "$1"
	# shellcheck disable=SC2053
	[[ $OUT == *$2* ]] || fail "said '$OUT', not '$2'"
	[ "$(sqlite3 "$D/store.db" .dump | sha256sum)" = "$before" ] || fail 'the store was changed'
	[ ! -e "$D/store.key" ] || [ "$(sha256sum <"$D/store.key")" = "$(sha256sum <"$D/key.kept")" ] || fail 'another key was made'
}

sealing_keys() {
	new_daemon key
	start
	psk_device sealed
	stop
	cp "$D/store.key" "$D/key.right"
	mv "$D/store.key" "$D/key.kept"
	refuses_key 1 "$D/store.key cannot be read: make one with bsserver init"
	head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$D/store.key"
	chmod 600 "$D/store.key"
	cp "$D/store.key" "$D/key.kept"
	refuses_key '[13]' 'key'
	[[ $OUT =~ [0-9a-f]{8}.*[0-9a-f]{8} ]] || fail "the ids of both keys are not named: $OUT"
	say "$OUT"
	printf 'abcd' >"$D/store.key"
	cp "$D/store.key" "$D/key.kept"
	refuses_key '[13]' "$D/store.key"
	say "$OUT"
	cp "$D/key.right" "$D/store.key"
	chmod 644 "$D/store.key"
	cp "$D/store.key" "$D/key.kept"
	refuses_key '[13]' "$D/store.key: mode 0644 lets others at it; it must be 0600 or 0400"
	chmod 600 "$D/store.key"
	start
	expect_rc 0 prov device show sealed
	stop
}

one_daemon_per_store() {
	new_daemon twins
	start
	cp "$D/bsserver.conf" "$D/other.conf"
	sed -i 's|api.sock|api2.sock|' "$D/other.conf"
	refused_to_run 1 "$D/other.conf"
	says 'store.db'
	say "$OUT"
	ended "$D_PID" && fail 'the first daemon is gone'
	stop
	[ "$D_RC" -eq 0 ] || fail "ended with $D_RC"
}

# --- signals, systemd ----------------------------------------------------------------------------------------------

ends_on_signals() {
	local signal

	new_daemon signals
	for signal in TERM INT; do
		start
		stop "$signal"
		[ "$D_RC" -eq 0 ] || fail "SIG$signal: ended with $D_RC"
		logged "SIG$signal: stopping, 0 sessions under way"
		[ ! -e "$D/api.sock" ] || fail 'the API socket was left behind'
	done
}

reloads_its_log_settings() {
	new_daemon reload
	start
	set_option levels '"debug"'
	kill -HUP "$D_PID"
	logged 'SIGHUP: log settings, our credentials, trust and lwm2m_servers are read again'
	set_option levels '"loud"'
	kill -HUP "$D_PID"
	logged 'error conf: SIGHUP: the old configuration stays \(.*loud'
	stop
}

says_that_its_store_is_new() {
	new_daemon anew
	start
	grep -q 'made anew' "$D_LOG" && fail 'the store of init is not new'
	stop
	rm "$D"/store.db*
	start
	logged "warning store: sqlite:$D/store.db was not there, or empty: it is made anew and knows no device"
	stop
}

no_file_takes_a_closed_stream() {
	local fd

	new_daemon closed
	(exec <&- >&- 2>&-; exec "$BSSERVER" run -c "$D/bsserver.conf") &
	D_PID=$!
	within "$PATIENCE" answers || fail 'it did not start'
	for fd in 0 1 2; do
		[ "$(readlink "/proc/$D_PID/fd/$fd")" = /dev/null ] || fail "descriptor $fd is $(readlink "/proc/$D_PID/fd/$fd")"
	done
	stop
}

outlives_the_reader_of_its_log() {
	new_daemon reader
	# shellcheck disable=SC2016
	bash -c 'echo $$ >"$1"; exec "$2" run -c "$3" 2>&1 >/dev/null' - "$WORK/pid" "$BSSERVER" "$D/bsserver.conf" | true &
	within "$PATIENCE" test -s "$WORK/pid" || fail 'it was not started'
	D_PID=$(<"$WORK/pid")
	within "$PATIENCE" answers || fail 'it does not answer'
	kill -HUP "$D_PID" # something to be logged
	alive
	alive
	stop
}
# Its loop runs: signals are caught.
answers() {
	[ "$(api -o /dev/null -w '%{http_code}' /v1/status 2>/dev/null)" = 200 ]
}

tells_systemd() {
	local said=$WORK/notified pid

	new_daemon notify
	"$PYTHON" - "$WORK/notify.sock" "$said" <<-'EOT' &
	import socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	s.bind(sys.argv[1])
	while True:
	    word = s.recv(512).decode()
	    with open(sys.argv[2], "a") as f:
	        f.write(word + "\n")
	EOT
	pid=$!
	PIDS+=("$pid")
	within "$PATIENCE" test -S "$WORK/notify.sock" || fail 'nobody listens'
	export NOTIFY_SOCKET=$WORK/notify.sock
	start
	within "$PATIENCE" grep -qsx READY=1 "$said" || fail 'READY=1 was not said'
	stop
	within "$PATIENCE" grep -qsx STOPPING=1 "$said" || fail 'STOPPING=1 was not said'
}

# The daemon holds keys: it leaves no core, and nobody of its own user may look into it.
leaves_no_core() {
	local pattern files

	new_daemon core
	cd "$D" || fail "cd $D"
	ulimit -c unlimited 2>/dev/null || say 'the limit of cores cannot be raised here'
	start
	grep -Eq '^Max core file size +0 +0 ' "/proc/$D_PID/limits" || fail 'the limit of cores is not 0'
	pattern=$(cat /proc/sys/kernel/core_pattern)
	stop ABRT
	[ "$D_RC" -eq 134 ] || fail "SIGABRT: ended with $D_RC"
	files=$(find "$D" -type f -name '*core*')
	[ -z "$files" ] || fail "left $files"
	case $pattern in
	/*) [ -z "$(find "${pattern%/*}" -maxdepth 1 -newer "$D/log.1" -name '*bsserver*' 2>/dev/null)" ] || fail "a core in ${pattern%/*}" ;;
	esac
	say "core_pattern is $pattern"
	start
	stop
}

# A program that does not protect itself leaves one here: or this test could not fail.
a_core_would_be_seen() {
	local pattern

	mkdir -p "$WORK/plain" && cd "$WORK/plain" || fail 'no folder'
	pattern=$(cat /proc/sys/kernel/core_pattern)
	[[ $pattern != '|'* && $pattern != /* ]] || skip "cores go to $pattern here"
	ulimit -c unlimited 2>/dev/null || skip 'the limit of cores cannot be raised here'
	bash -c 'kill -ABRT $$' 2>/dev/null
	[ -n "$(find . -type f -name '*core*')" ] || skip 'this machine keeps no cores'
}

run_case wrong-command-lines wrong_command_lines
run_case commands-in-the-manual commands_in_the_manual
run_case wrong-configurations wrong_configurations
run_case configuration-not-there a_configuration_that_is_not_there
run_case init-keeps-what-is-there init_keeps_what_is_there
run_case files-are-private files_are_private
run_case sealing-keys sealing_keys
run_case one-daemon-per-store one_daemon_per_store
run_case ends-on-signals ends_on_signals
run_case reloads-its-log-settings reloads_its_log_settings
run_case no-file-takes-a-closed-stream no_file_takes_a_closed_stream
run_case outlives-the-reader-of-its-log outlives_the_reader_of_its_log
run_case says-that-its-store-is-new says_that_its_store_is_new
run_case tells-systemd tells_systemd
run_case a-core-would-be-seen a_core_would_be_seen
run_case leaves-no-core leaves_no_core
finish
