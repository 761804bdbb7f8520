# Devices whose credentials are handed off to LwM2M Servers: fake ones, and the daemon that tells them. Sourced after lib.sh.
# shellcheck shell=bash

KIND=leshan # of the server, and the driver for it
TIMEOUT=20s DEADLINE=25s # of a request, of a hand-off: for what is answered at once, on machines that are loaded
declare -A KEY_AT=([leshan]=.tls.details.key [thingsboard]='(.set.credentialsValue | fromjson | .client.key)'
	[coiote]=.dtlsPsk.HexadecimalPsk)

# lwm2m_server NAME: a fake one in $S, answering at $S_PORT.
lwm2m_server() {
	S=$WORK/$1
	mkdir -p "$S"
	echo up >"$S/mode"
	echo "$KIND" >"$S/kind"
	start_lwm2m_server
}

start_lwm2m_server() {
	"$PYTHON" "$SRCDIR/tests/system/lwm2m_server.py" "$S" 2>"$S/log" &
	S_PID=$!
	PIDS+=("$S_PID")
	within "$PATIENCE" test -s "$S/port" || fail 'the fake LwM2M Server does not start'
	S_PORT=$(cat "$S/port")
}

# handing_daemon NAME [SETTINGS]: that hands off to it, as "eu".
handing_daemon() {
	new_daemon "$1"
	replace_block 'lwm2m_servers = (' "lwm2m_servers = (
  { name = \"eu\"; driver = \"$KIND\"; url = \"http://127.0.0.1:$S_PORT\"; timeout = \"$TIMEOUT\"; ${2:-} }"
}

# handed ENDPOINT [KEY-AND-MORE [HANDOFF-AND-MORE]]: applied, with one account whose server is told.
handed() {
	psk_device "$1" "$(handed_members "$@")"
}

handed_members() {
	echo "\"servers\": { \"dm\": { \"short_server_id\": 1, \"uri\": \"coaps://192.0.2.7\", \"lifetime\": 86400,
	  \"notification_storing\": false, \"binding\": \"U\",
	  \"security\": { \"mode\": \"psk\", \"identity\": \"$1-dm\", \"key\": ${2:-{ \"generate\": 16 \}} },
	  \"handoff\": { \"to\": \"eu\", \"deadline\": \"$DEADLINE\"${3:-} },
	  \"initial_registration_delay_timer\": 30 } }, \"bootstrap\": { \"policy\": \"replace\" }"
}

# knock ENDPOINT ARGUMENT...: DEVICE_KEY is the key that it has then for its server; "" when it has none.
knock() {
	local rc

	device "$1" --json --tree --show-secrets "${@:2}"
	rc=$?
	DEVICE_KEY=$(grep '^{"endpoint"' <<<"$OUT" | held_key)
	return "$rc"
}

# held_key: that for its server, in what a device prints.
held_key() {
	jq -r '[.tree | to_entries[] | select(.key | test("^/0/[1-9][0-9]*/5$")) | .value | if type == "object" then .hex else . end] | first // ""'
}

# server_key ENDPOINT: what the LwM2M Server knows; "" when nothing.
server_key() {
	jq -r --arg e "$1" ".[\$e] | if . == null then \"\" else ${KEY_AT[$KIND]} // \"\" end" "$S/clients.json"
}

knows() {
	[ "$(server_key "$1")" = "$2" ]
}

# agree ENDPOINT: device and LwM2M Server have the same key, and there is one.
agree() {
	[ -n "$DEVICE_KEY" ] || fail "$1 has no key"
	within "$PATIENCE" knows "$1" "$DEVICE_KEY" || fail "$1 has another key than its server: $(cat "$S/clients.json")"
}
