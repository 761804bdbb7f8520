# The frame of the system tests: a daemon in a folder of its own, devices over real DTLS, TAP. Sourced.
#
# Needs SRCDIR and BUILDDIR. SEED repeats what was random, KEEP=1 keeps the files, CASES='NAME...' runs only
# these cases. Everything that was started is ended at exit; the folder of a failed run is kept and named.
# shellcheck shell=bash

SRCDIR=${SRCDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILDDIR=${BUILDDIR:-$SRCDIR/build}
BSSERVER=${BSSERVER:-$BUILDDIR/bsserver/bsserver}
PROV=${PROV:-$BUILDDIR/lwm2m-prov/lwm2m-prov}
DEVICE=${DEVICE:-$BUILDDIR/tests/sim/lwm2m-device}
PYTHON=$([ -x /usr/bin/python3 ] && echo /usr/bin/python3 || echo python3)
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
PATIENCE=${PATIENCE:-60} # seconds for what takes milliseconds: machines are loaded

WORK=$(mktemp -d "${TMPDIR:-/tmp}/bsserver-test.XXXXXX")
PIDS=()
CASE_NUMBER=0 PASSED=0 FAILED=0 SKIPPED=0
RANDOM=$((SEED % 32768))
unset LWM2M_PROV_SOCKET NOTIFY_SOCKET

say() {
	printf '# %s\n' "$*"
}

# Ends the case that runs (each runs in a subshell) with a reason.
fail() {
	say "failed: $*"
	exit 1
}

# Ends the case that runs, neither passed nor failed.
skip() {
	printf '%s\n' "$*" >"$WORK/skipped"
	exit 77
}

# ended PID: a child that is still there as a zombie has ended too.
ended() {
	local state

	state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
	[ -z "$state" ] || [ "$state" = Z ]
}

kill_all() {
	local pid

	for pid in "${PIDS[@]}"; do
		ended "$pid" || kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	PIDS=()
}

clean_up() {
	local rc=$?

	kill_all
	if [ -n "${KEEP:-}" ] || [ "$FAILED" -gt 0 ]; then
		say "files are in $WORK"
	else
		rm -rf "$WORK"
	fi
	exit "$rc"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# run_case NAME FUNCTION ARGUMENT...: in a subshell, which ends what it started; one line of TAP.
run_case() {
	local name=$1 rc

	shift
	[ -z "${CASES:-}" ] || [[ " $CASES " == *" $name "* ]] || return 0
	CASE_NUMBER=$((CASE_NUMBER + 1))
	: >"$WORK/began"
	(
		PIDS=()
		trap kill_all EXIT
		"$@"
	)
	rc=$?
	case $rc in
	0)
		PASSED=$((PASSED + 1))
		echo "ok $CASE_NUMBER - $name"
		;;
	77)
		SKIPPED=$((SKIPPED + 1))
		echo "ok $CASE_NUMBER - $name # SKIP $(cat "$WORK/skipped")"
		;;
	*)
		FAILED=$((FAILED + 1))
		echo "not ok $CASE_NUMBER - $name"
		show_logs
		;;
	esac
}

# The end of what each daemon said since the case began.
show_logs() {
	local log

	for log in "$WORK"/*/log.[0-9]*; do
		[ ! -e "$log" ] || [ "$log" -ot "$WORK/began" ] || tail -n 12 "$log" | sed "s|^|# ${log#"$WORK"/}: |"
	done
}

# The last line of a test script.
finish() {
	echo "1..$CASE_NUMBER"
	say "SEED=$SEED"
	[ "$SKIPPED" -eq 0 ] || say "$SKIPPED skipped"
	echo "$PASSED passed, $FAILED failed"
	[ "$FAILED" -eq 0 ] && [ $((PASSED + SKIPPED)) -gt 0 ]
	exit
}

# within SECONDS COMMAND...: until it succeeds.
within() {
	local until=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -le "$until" ] || return 1
		sleep 0.03
	done
}

# --- the daemon ---------------------------------------------------------------------------------------------------

# new_daemon NAME: a folder $D as `bsserver init` makes it, listening for DTLS at a port of the kernel's choice.
new_daemon() {
	D=$WORK/$1
	"$BSSERVER" init --dir "$D" >"$WORK/init.log" 2>&1 || {
		sed 's/^/# /' "$WORK/init.log"
		fail 'bsserver init'
	}
	set_listeners coaps://127.0.0.1:0
	D_STARTS=0
}

# replace_block FIRST-LINE TEXT: the lines of bsserver.conf from one that begins so to the next ");".
replace_block() {
	awk -v first="$1" -v text="$2" '
	index($0, first) == 1 { inside = 1; print text; seen = 1; next }
	inside { if ($0 ~ /^ *\);$/) { inside = 0; print } ; next }
	{ print }
	END { exit !seen }' "$D/bsserver.conf" >"$WORK/conf.new" && cat "$WORK/conf.new" >"$D/bsserver.conf" ||
		fail "bsserver.conf has no '$1'"
}

# listener_block FIRST-LINE URI...: the block that begins so, indented as it is, lists these.
listener_block() {
	local indent=${1%%[! ]*} lines=$1 uri security sep=

	for uri in "${@:2}"; do
		security=none
		[[ $uri != coaps:* ]] || security=psk
		lines+="$sep"$'\n'"$indent  { uri = \"$uri\"; security = \"$security\"; }"
		sep=,
	done
	replace_block "$1" "$lines"
}

# set_listeners URI...
set_listeners() {
	listener_block 'listeners = (' "$@"
}

# set_rules 'CREDENTIAL RULE'...: such as 'psk mapped'.
set_rules() {
	local rule lines='  rules = (' sep=

	for rule in "$@"; do
		lines+="$sep"$'\n'"    { credential = \"${rule% *}\"; rule = \"${rule#* }\"; }"
		sep=,
	done
	replace_block '  rules = (' "$lines"
}

# set_option NAME VALUE [SECTION]: any other line of the configuration.
set_option() {
	local range=

	grep -q "^  $1 = " "$D/bsserver.conf" || fail "bsserver.conf has no $1"
	[ -z "${3:-}" ] || range="/^$3:/,/^};/"
	sed "${range}s|^  $1 = .*|  $1 = $2;|" "$D/bsserver.conf" >"$WORK/conf.new" && cat "$WORK/conf.new" >"$D/bsserver.conf"
}

# free_port [BUT]: a UDP port that nobody has, other than BUT; out of the range that the kernel takes ports from for who
# wants any, so that it is still free when a daemon that had it is started again.
free_port() {
	local port

	while :; do
		port=$((10240 + RANDOM % 20000))
		[ "$port" = "${1:-}" ] || grep -qsh "$(printf ':%04X ' "$port")" /proc/net/udp /proc/net/udp6 || break
	done
	echo "$port"
}

# refused_to_run RC [FILE]: the daemon must end by itself, so. OUT has what it said.
refused_to_run() {
	expect_rc "$1" timeout "$PATIENCE" "$BSSERVER" run -c "${2:-$D/bsserver.conf}"
}

# launch: bsserver of $D in the background. D_PID, and D_LOG: what it says from now on.
launch() {
	D_STARTS=$((D_STARTS + 1))
	D_LOG=$D/log.$D_STARTS
	: >"$D_LOG"
	"$BSSERVER" run -c "$D/bsserver.conf" >>"$D_LOG" 2>&1 &
	D_PID=$!
	PIDS+=("$D_PID")
}

ready_or_ended() {
	grep -q ' ready,' "$D_LOG" || ended "$D_PID"
}

# start: launch, until it is ready. URIS has its listeners in the configuration's order, COAPS and COAP the first.
start() {
	launch
	within "$PATIENCE" ready_or_ended && grep -q ' ready,' "$D_LOG" || {
		sed 's/^/# /' "$D_LOG"
		fail 'bsserver does not start'
	}
	find_listeners
}

find_listeners() {
	local uri

	mapfile -t URIS < <(sed -n 's/.* listening on //p' "$D_LOG")
	COAPS='' COAP=''
	for uri in "${URIS[@]}"; do
		case $uri in
		coaps:*) COAPS=${COAPS:-$uri} ;;
		*) COAP=${COAP:-$uri} ;;
		esac
	done
}

# stop [SIGNAL]: until it is gone. D_RC is how it ended.
stop() {
	kill -"${1:-TERM}" "$D_PID" 2>/dev/null
	within "$PATIENCE" ended "$D_PID" || fail "bsserver did not end after SIG${1:-TERM}"
	wait "$D_PID" 2>/dev/null
	D_RC=$?
}

# alive: the daemon is there and answers.
alive() {
	ended "$D_PID" && fail "bsserver is gone: $(tail -n 3 "$D_LOG")"
	[ "$(api -o /dev/null -w '%{http_code}' /v1/status)" = 200 ] || fail 'bsserver does not answer'
}

# logged REGEX [SECONDS]: it says so in its log.
logged() {
	within "${2:-$PATIENCE}" grep -Eq -- "$1" "$D_LOG" || fail "not in the log: $1"
}

# --- its two faces ------------------------------------------------------------------------------------------------

prov() {
	"$PROV" --socket "$D/api.sock" "$@"
}

# api [CURL-ARGUMENT...] PATH
api() {
	curl -sS --max-time "$PATIENCE" --unix-socket "$D/api.sock" "${@:1:$#-1}" "http://localhost${!#}"
}

# expect_rc RC COMMAND...: how it must end (RC may be a pattern). OUT has what it said on both channels.
expect_rc() {
	local want=$1 rc

	shift
	OUT=$("$@" 2>&1)
	rc=$?
	# shellcheck disable=SC2053
	[[ $rc == $want ]] || {
		sed 's/^/# /' <<<"$OUT"
		fail "$* ended with $rc, not $want"
	}
}

# says TEXT: OUT has it.
says() {
	[[ $OUT == *"$1"* ]] || {
		sed 's/^/# /' <<<"$OUT"
		fail "did not say: $1"
	}
}

# apply FILE...: all of them must be taken.
apply() {
	local file args=()

	for file in "$@"; do
		args+=(-f "$file")
	done
	expect_rc 0 prov apply "${args[@]}"
}

# key_file NAME [OCTETS]: a key of this run, in hex, repeatable from SEED. Prints the file that holds it.
key_file() {
	local file=$WORK/keys/$1.psk

	if [ ! -e "$file" ]; then
		mkdir -p "$WORK/keys"
		(umask 077 && printf '%s %s' "$SEED" "$1" | sha256sum | cut -c "1-$((2 * ${2:-16}))" >"$file")
	fi
	echo "$file"
}

# --- devices ------------------------------------------------------------------------------------------------------

# document ENDPOINT [SERVERS-AND-MORE]: its profile, with the bootstrap key of this run; more is JSON members, by default
# one server with a PSK and the policy replace. Prints the file.
document() {
	local endpoint=$1 file more=${2:-}

	file=$WORK/${endpoint//[:\/]/-}.json
	key_file "$endpoint" >/dev/null
	key_file "$endpoint-dm" >/dev/null
	cat >"$file" <<-EOT
	{
	  "profile_format": 1,
	  "endpoint": "$endpoint",
	  "credentials": { "bootstrap": { "mode": "psk", "identity": "$endpoint", "key": { "file": "keys/$endpoint.psk" } } },
	  ${more:-"$(server_of "$endpoint"), \"bootstrap\": { \"policy\": \"replace\" }"}
	}
	EOT
	echo "$file"
}

# server_of ENDPOINT: the member "servers" with one account, PSK, Short Server ID 1.
server_of() {
	cat <<-EOT
	"servers": {
	    "dm": {
	      "short_server_id": 1,
	      "uri": "coaps://192.0.2.7:5684",
	      "security": { "mode": "psk", "identity": "$1-dm", "key": { "file": "keys/$1-dm.psk" } },
	      "lifetime": 86400, "notification_storing": false, "binding": "U"
	    }
	  }
	EOT
}

# psk_device ENDPOINT [MORE]: as document, and applied.
psk_device() {
	apply "$(document "$@")"
}

# device ENDPOINT ARGUMENT...: a simulated one over DTLS with its key, unless the arguments say --server or a key. OUT has
# what it said; ends as the simulator does, which expects `provisioned` unless told otherwise.
device() {
	local endpoint=$1 args=() rc

	shift
	[[ " $* " == *' --server '* ]] || args+=(--server "$COAPS")
	[[ " $* " == *' --psk-'*'-file '* || " $* " == *' --server coap:'* ]] || args+=(--psk-key-file "$(key_file "$endpoint")")
	OUT=$(timeout "$((PATIENCE * 3))" "$DEVICE" --endpoint "$endpoint" --seed "$SEED" "${args[@]}" --expect provisioned "$@" 2>&1)
	rc=$?
	[ "$rc" -eq 0 ] || sed 's/^/# device: /' <<<"$OUT"
	return "$rc"
}

# last_session ENDPOINT: of which SESSION then has the JSON.
last_session() {
	SESSION=$(prov --json session show "$1" --last 2>&1)
}

# ended_as ENDPOINT VERDICT [REASON [STEP [PATH]]]: its last session, which is awaited.
ended_as() {
	within "$PATIENCE" last_session_is "$@" || {
		last_session "$1"
		fail "$1: the last session is $(jq -c '[.verdict, .reason, .step, .path, .code, .detail]' <<<"$SESSION" 2>&1), not ${*:2}"
	}
}

last_session_is() {
	local have

	last_session "$1" || return
	have=$(jq -r '[.verdict, .reason, .step, .path] | @tsv' <<<"$SESSION")
	# shellcheck disable=SC2053
	[[ $have == "$2"$'\t'${3:-none}$'\t'${4:-*}$'\t'${5:-*} ]]
}
