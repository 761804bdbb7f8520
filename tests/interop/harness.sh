# The foreign peers, as shell functions: build them, run them, wait for what they say. Sourced by run.sh and the bench.
# Needs SRCDIR (the source tree) and WORK (a directory of its own); HARNESS is where Maven puts what it builds.
# shellcheck shell=bash

declare -A PROCESS LOG SEEN INPUT

say() {
	printf '# %s\n' "$*"
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Java and Maven, from Debian where they are missing.
install_java() {
	command -v mvn >/dev/null && command -v javac >/dev/null && return 0
	say 'installing Maven and a JDK'
	as_root apt-get install -y --no-install-recommends maven openjdk-17-jdk-headless >"$WORK/apt.log" 2>&1 && return 0
	as_root apt-get update >>"$WORK/apt.log" 2>&1
	as_root apt-get install -y --no-install-recommends maven openjdk-17-jdk-headless >>"$WORK/apt.log" 2>&1 && return 0
	tail -n 5 "$WORK/apt.log" | sed 's/^/# /'
	return 1
}

# 0 built, 77 Maven Central does not answer (a local repository that has everything needs no answer), 1 otherwise.
build_harness() {
	local project=$SRCDIR/tests/interop/leshan log=$WORK/maven.log

	if [ -e "$HARNESS/built" ] && [ -z "$(find "$project" -newer "$HARNESS/built" -type f -not -path '*/target/*')" ]; then
		return 0
	fi
	say 'building the Leshan harness with Maven'
	mkdir -p "$HARNESS" || return 1
	if mvn -B -q -Dstyle.color=never -f "$project/pom.xml" -Dharness.out="$HARNESS" package >"$log" 2>&1; then
		: >"$HARNESS/built"
		return 0
	fi
	grep -a ERROR "$log" | head -n 3 | sed 's/^/# /'
	if grep -Eqi 'could not transfer|unknown host|connection refused|timed out|unreachable|no route to host' "$log"; then
		say 'Maven Central (repo.maven.apache.org) does not answer: the foreign peers cannot be built'
		return 77
	fi
	return 1
}

# Ends the case that runs (each runs in a subshell) with a reason.
fail() {
	say "failed: $*"
	exit 1
}

# A UDP and TCP port that nobody has.
free_port() {
	local port hex

	while :; do
		port=$((20000 + RANDOM % 12000))
		hex=$(printf ':%04X' "$port")
		grep -qsh "$hex " /proc/net/udp /proc/net/udp6 /proc/net/tcp /proc/net/tcp6 || break
	done
	echo "$port"
}

# start NAME COMMAND...: in the background, output into a log, standard input by tell.
start() {
	local name=$1 input

	shift
	LOG[$name]=$WORK/$name.log
	SEEN[$name]=0
	: >"${LOG[$name]}"
	rm -f "$WORK/$name.in"
	mkfifo "$WORK/$name.in" || fail "mkfifo $WORK/$name.in"
	exec {input}<>"$WORK/$name.in"
	INPUT[$name]=$input
	"$@" <"$WORK/$name.in" >"${LOG[$name]}" 2>&1 &
	PROCESS[$name]=$!
}

# start_java NAME PROGRAM ARGUMENT...
start_java() {
	local name=$1 program=$2

	shift 2
	start "$name" java -XX:+UseSerialGC -cp "$HARNESS/interop.jar:$HARNESS/lib/*" "bsserver.interop.$program" "$@"
}

tell() {
	printf '%s\n' "$2" >&"${INPUT[$1]}"
}

# Ends one program and waits until it is gone: a device by its own command, whatever else by SIGTERM.
stop() {
	local name=$1 pid=${PROCESS[$1]:-} input

	[ -n "$pid" ] || return 0
	if [ "${2:-}" = gently ]; then
		tell "$name" stop
	else
		kill "$pid" 2>/dev/null
	fi
	wait "$pid" 2>/dev/null
	input=${INPUT[$name]}
	exec {input}>&-
	unset "PROCESS[$name]" "INPUT[$name]"
}

stop_all() {
	local name

	for name in "${!PROCESS[@]}"; do
		stop "$name"
	done
}

# wait_line FILE PID SKIP REGEX SECONDS: LINE and NUMBER of the first line that matches behind the first SKIP lines of
# a growing file. Gives up after SECONDS, or when the writer of the file is gone.
wait_line() {
	local file=$1 pid=$2 skip=$3 regex=$4 until=$((SECONDS + $5)) stream reader rc=1

	NUMBER=$skip
	exec {stream}< <(exec tail -n "+$((skip + 1))" -f -s 0.2 --pid="$pid" "$file" 2>/dev/null)
	reader=$!
	while [ "$SECONDS" -le "$until" ] && IFS= read -r -t $((until - SECONDS + 1)) LINE <&"$stream"; do
		NUMBER=$((NUMBER + 1))
		if [[ $LINE =~ $regex ]]; then
			rc=0
			break
		fi
	done
	exec {stream}<&-
	kill "$reader" 2>/dev/null
	return "$rc"
}

# expect NAME REGEX [SECONDS]: the program says such a line, after the one that was last expected of it.
expect() {
	local name=$1 regex=$2 seconds=${3:-30}

	if wait_line "${LOG[$name]}" "${PROCESS[$name]}" "${SEEN[$name]}" "$regex" "$seconds"; then
		SEEN[$name]=$NUMBER
		return 0
	fi
	tail -n 8 "${LOG[$name]}" | sed "s/^/# $name: /"
	fail "$name did not say '$regex' within $seconds s"
}

# never NAME REGEX: it has not said so until now.
never() {
	if grep -Eq -- "$2" "${LOG[$1]}"; then
		fail "$1 said '$(grep -Em 1 -- "$2" "${LOG[$1]}")'"
	fi
}

# The key that belongs to a name in this run: 16 bytes in hex, repeatable from SEED. Prints the file that holds it.
key_file() {
	local file=$WORK/profiles/keys/$1.hex

	if [ ! -e "$file" ]; then
		mkdir -p "${file%/*}"
		(umask 077 && printf '%s %s' "$SEED" "$1" | sha256sum | cut -c 1-32 >"$file")
	fi
	echo "$file"
}

# start_management [ARGUMENT...]: the LwM2M Server that devices register at, on DM_COAP, DM_COAPS and DM_HTTP.
start_management() {
	DM_COAP=$(free_port) DM_COAPS=$(free_port) DM_HTTP=$(free_port)
	start_java management Management --coap "$DM_COAP" --coaps "$DM_COAPS" --http "$DM_HTTP" "$@"
	expect management '^ready$' 60
}

# dm_store ENDPOINT IDENTITY KEYNAME: the LwM2M Server learns the key that the device will come with.
dm_store() {
	dm_learn "$1" "\"mode\":\"psk\",\"details\":{\"identity\":\"$2\",\"key\":\"$(cat "$(key_file "$3")")\"}"
}

# dm_learn ENDPOINT TLS: the members of its credentials.
dm_learn() {
	printf '{"endpoint":"%s","tls":{%s}}' "$@" |
		curl -fsS -o /dev/null -X PUT --data-binary @- "http://127.0.0.1:$DM_HTTP/api/security/clients/" ||
		fail "the LwM2M Server took no credentials for $1"
}

# dm_has ENDPOINT IDENTITY: it is registered there, over DTLS as "psk IDENTITY", "x509 CN" or "rpk PUBLIC-KEY".
dm_has() {
	local clients

	clients=$(curl -fsS "http://127.0.0.1:$DM_HTTP/api/clients") || fail 'the LwM2M Server does not answer'
	[[ $clients == *"\"endpoint\":\"$1\",\"identity\":\"$2\""* ]] || fail "not registered as $1 by $2: $clients"
}

# dm_key ENDPOINT: the key that it knows, in hex.
dm_key() {
	curl -fsS "http://127.0.0.1:$DM_HTTP/api/security/clients" | grep -o "\"endpoint\":\"$1\",\"tls\":{[^}]*}" |
		sed -n 's/.*"key":"\([0-9a-f]*\)".*/\1/p'
}

# dm_takes IDENTITY KEY: in a handshake; who has the wrong key is not answered, and gives up after 3 s.
dm_takes() {
	timeout 3 openssl s_client -dtls1_2 -cipher PSK-AES128-CCM8 -psk_identity "$1" -psk "$2" \
		-connect "127.0.0.1:$DM_COAPS" </dev/null 2>&1 | grep -q '^New, TLSv1.2, Cipher is PSK-AES128-CCM8'
}

dm_lacks() {
	local clients

	clients=$(curl -fsS "http://127.0.0.1:$DM_HTTP/api/clients") || fail 'the LwM2M Server does not answer'
	[[ $clients != *"\"endpoint\":\"$1\""* ]] || fail "$1 is registered: $clients"
}

# Every device of a run has an address of its own in 127/8: new_address sets ADDRESS.
ADDRESS_COUNT=0
new_address() {
	ADDRESS_COUNT=$((ADDRESS_COUNT + 1))
	ADDRESS=127.$((77 + CASE_NUMBER / 250)).$((1 + CASE_NUMBER % 250)).$ADDRESS_COUNT
}

# device NAME SERVER-URI ENDPOINT ARGUMENT...: a Leshan device from a new ADDRESS.
device() {
	local name=$1 server=$2 endpoint=$3

	shift 3
	new_address
	start_java "$name" Device --server "$server" --endpoint "$endpoint" --address "$ADDRESS" "$@"
}
