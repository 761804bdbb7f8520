#!/bin/bash
# Nothing is leaked: keys of every kind go through the daemon, the command line and devices, then they are looked for in
# everything that was written, said or shown, in every form; after the search proved that it finds planted ones.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

leak() {
	"$PYTHON" "$SRCDIR/tests/system/leak.py" "$@"
}

# known NAME HEX: it is looked for.
known() {
	[[ $2 =~ ^[0-9a-f]{32,}$ ]] || fail "$1: no key: $2"
	echo "$1 $2" >>"$WORK/all-keys"
}

# key_of NAME: a new key file, looked for from now on. Prints the hex.
key_of() {
	cat "$(key_file "$1")"
}

base64_of() {
	xxd -r -p <<<"$1" | base64
}

# The octets of an EC private key.
private_part() {
	openssl pkey -in "$1" -noout -text | sed -n '/^priv:/,/^pub:/{/^ /p}' | tr -d ' :\n' | sed 's/^00\(.\{64\}\)$/\1/'
}

# --- what goes through -----------------------------------------------------------------------------------------

# The documents, in $WORK (not searched: they are the operator's own). Each key is written in another way.
write_documents() {
	: >"$WORK/all-keys"
	mkdir -p "$WORK/keys" "$SEEN"
	document leak-file >/dev/null
	known bootstrap-key-in-a-file "$(key_of leak-file)"
	known account-key-in-a-file "$(key_of leak-file-dm)"
	known inline-hex "$(key_of inline-hex)"
	known inline-base64 "$(key_of inline-base64)"
	document leak-inline >/dev/null
	jq -c --arg hex "$(key_of inline-hex)" --arg base64 "$(base64_of "$(key_of inline-base64)")" \
		'.credentials.bootstrap.key = { hex: $hex } | .servers.dm.security.key = { base64: $base64 }' \
		"$WORK/leak-inline.json" >"$WORK/inline" && mv "$WORK/inline" "$WORK/leak-inline.json"
	for name in account device; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" -days 30 \
			-addext basicConstraints=critical,CA:FALSE -keyout "$WORK/keys/$name.key" -out "$WORK/keys/$name.pem" 2>/dev/null || fail openssl
	done
	known private-key "$(private_part "$WORK/keys/device.key")"
	document leak-x509 '"servers": { "dm": { "short_server_id": 1, "uri": "coaps://192.0.2.7", "lifetime": 60, "binding": "U",
		"security": { "mode": "x509", "identity": { "file": "keys/device.pem" }, "key": { "file": "keys/device.key" },
		"server_public_key": { "file": "keys/account.pem" } } } }, "bootstrap": { "policy": "replace" }' >/dev/null
	known bootstrap-key-of-x509 "$(key_of leak-x509)"
	cat >"$WORK/leak-shared.json" <<-EOT
	{ "profile_format": 1, "profile": "leak-shared", "servers": { "dm": { "short_server_id": 1, "uri": "coaps://192.0.2.7",
	  "security": { "mode": "psk", "identity": "\${endpoint}", "key": { "generate": 16 } }, "lifetime": 60, "binding": "U" } },
	  "bootstrap": { "policy": "replace" } }
	EOT
	write_bad_documents
}

# Documents that are refused, with a key at or beside the fault.
write_bad_documents() {
	local hex

	known in-a-bad-document "$(key_of bad)"
	hex=$(key_of bad)
	mkdir -p "$WORK/bad"
	jq -c '.credentials.bootstrap.key = { hexx: "'"$hex"'" }' "$WORK/leak-file.json" >"$WORK/bad/unknown-member.json"
	jq -c '.credentials.bootstrap.key = { hex: "'"$hex"'0" }' "$WORK/leak-file.json" >"$WORK/bad/odd-hex.json"
	jq -c '.credentials.bootstrap.key = { hex: "'"$hex"'zz" }' "$WORK/leak-file.json" >"$WORK/bad/no-hex.json"
	jq -c '.credentials.bootstrap.key = { base64: "'"$(base64_of "$hex")"'!" }' "$WORK/leak-file.json" >"$WORK/bad/no-base64.json"
	jq -c '.credentials.bootstrap.key = "'"$hex"'"' "$WORK/leak-file.json" >"$WORK/bad/no-object.json"
	jq -c '.credentials.bootstrap.key = { file: "'"$hex"'" }' "$WORK/leak-file.json" >"$WORK/bad/a-name.json"
	sed 's/}$//' "$WORK/bad/odd-hex.json" >"$WORK/bad/cut-off.json"
	sed "s/\"hex\":/\"hex\" $hex /" "$WORK/bad/odd-hex.json" >"$WORK/bad/syntax.json"
}

# said NAME COMMAND...: what it says on both channels goes to a file that is searched.
said() {
	local name=${1//[ \/]/-}

	shift
	"$@" >"$SEEN/$name.$((++SAID))" 2>&1 </dev/null
}

# cli ARGUMENT...: lwm2m-prov, for people and as JSON.
cli() {
	local name="cli $1 ${2:-}"

	said "${name%% -*}" timeout "$PATIENCE" "$PROV" --socket "$D/api.sock" "$@"
	said "${name%% -*} json" timeout "$PATIENCE" "$PROV" --socket "$D/api.sock" --json "$@"
	RUN+=("$1 ${2:-}")
}

applies() {
	local file

	cli check -f "$WORK/leak-file.json" "$WORK/leak-inline.json" "$WORK/leak-x509.json" "$WORK/leak-shared.json" "$WORK/bad"
	cli diff -f "$WORK/leak-file.json" "$WORK/leak-inline.json" "$WORK/leak-x509.json"
	cli plan -f "$WORK/leak-inline.json"
	cli apply -f "$WORK/leak-file.json" "$WORK/leak-inline.json" "$WORK/leak-x509.json" "$WORK/leak-shared.json" --result "$SEEN/result"
	[ "$(prov --json device list | jq '.devices | length')" = 3 ] || fail "not all were taken: $(cat "$SEEN"/cli-apply.*)"
	for file in "$WORK"/bad/*.json; do
		cli apply -f "$file"
		said 'api apply bad' api -H 'Content-Type: application/json' --data-binary "@$file" /v1/plan
		{ printf '{"doc":'; tr -d '\n' <"$file"; printf '}\n'; } >"$WORK/row"
		said 'api apply bad' api -H 'Content-Type: application/x-ndjson' --data-binary "@$WORK/row" /v1/apply
	done
	jq -c '{ doc: . }' "$WORK/leak-inline.json" >"$WORK/row"
	said 'api apply' api -H 'Content-Type: application/x-ndjson' --data-binary "@$WORK/row" /v1/apply
	said 'api diff' api -H 'Content-Type: application/x-ndjson' --data-binary "@$WORK/row" /v1/diff
	said 'api plan' api -H 'Content-Type: application/json' --data-binary "@$WORK/leak-inline.json" /v1/plan
	cli fmt -f "$WORK/leak-file.json"
}

# Keys by file, by standard input as hex and as octets, by the daemon.
adds() {
	known of-device-add "$(key_of added)"
	known of-standard-input "$(key_of piped)"
	known of-standard-input-raw "$(key_of piped-raw)"
	cli device add leak-added --profile leak-shared --key-file "$(key_file added)"
	prov device add leak-piped --profile leak-shared --key-stdin <"$(key_file piped)" >"$SEEN/add-piped" 2>&1 || fail 'device add --key-stdin'
	xxd -r -p "$(key_file piped-raw)" | prov device add leak-raw --profile leak-shared --key-stdin >"$SEEN/add-raw" 2>&1 ||
		fail 'device add --key-stdin, octets'
	cli device add leak-made --profile leak-shared --generate-key
}

# The keys that only the device and the store have: generated ones, as the device got them.
devices() {
	local name tree

	for name in leak-file leak-x509; do
		device "$name" || fail "$name"
	done
	device leak-inline --psk-key-file "$(key_file inline-hex)" || fail leak-inline
	device leak-added --psk-key-file "$(key_file added)" --json --tree --show-secrets || fail leak-added
	tree=$(grep '^{"endpoint"' <<<"$OUT")
	known generated-by-the-daemon "$(jq -r '.tree["/0/1/5"].hex' <<<"$tree")"
	known of-a-stranger "$(key_of stranger)"
	device leak-file --psk-key-file "$(key_file stranger)" --expect failed --timeout 20s
	device leak-file --lie finish=4.06 --expect any
	device leak-file --lie write=4.00 --expect any
	device leak-inline --psk-key-file "$(key_file inline-hex)" --lie read=garbage --expect any
	device leak-x509 --psk-key-file "$(key_file leak-x509)" --lie discover=garbage --expect any
	within "$PATIENCE" has_wrong_key || fail 'nobody noticed the wrong key'
}

has_wrong_key() {
	prov session list leak-file | grep -q wrong_key
}

# Every command. Those that have no line here are run with what they might take.
commands() {
	local name ep id

	id=$(prov --json session list leak-file | jq '.sessions[0].id')
	cli explain secret_key
	cli explain wrong_key
	for ep in leak-file leak-inline leak-x509 leak-added leak-made; do
		cli plan "$ep"
		cli device show "$ep"
		cli device card "$ep" --uri coaps://192.0.2.1
		cli profile resolve "$ep"
		cli session show "$ep" --last
		cli session list "$ep"
		cli session cancel "$ep"
		cli why "$ep"
	done
	cli wait leak-file leak-made --for provisioned --timeout 1
	cli session show "$id"
	cli session list --group-by reason
	cli why --peer 127.0.0.1
	cli device list
	cli device block leak-piped
	cli device unblock leak-piped
	cli profile list
	cli profile show leak-shared
	cli profile history leak-shared
	cli profile rm leak-shared
	cli pki show "$WORK/keys/device.key"
	cli pki rpk "$WORK/keys/device.key"
	cli pki verify -f "$WORK/keys/device.key"
	cli pki verify --ca "$WORK/keys/account.pem" "$WORK/keys/device.key"
	cli status
	cli version
	cli completion
	cli completion -- device show ''
	while read -r name; do
		[[ " ${RUN[*]} " == *" ${name% *}${name#* } "* ]] || others "$name"
	done < <("$PROV" --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\( [a-z]*\)\{0,1\}\).*/\1/p')
	cli device rm leak-piped
}

# others COMMAND: whatever it is, with the words that commands take.
others() {
	local -a words

	read -ra words <<<"$1"
	said "other $1" timeout 3 "$PROV" --socket "$D/api.sock" "${words[@]}"
	said "other $1" timeout 3 "$PROV" --socket "$D/api.sock" --json "${words[@]}" leak-file
	said "other $1" timeout 3 "$PROV" --socket "$D/api.sock" --json "${words[@]}" "$WORK/keys/device.key"
	said "other $1" timeout 3 "$PROV" --socket "$D/api.sock" "${words[@]}" -f "$WORK/leak-file.json"
}

# Every GET that docs/openapi.yaml has, but for those that hand out secrets by their permission.
answers() {
	local path id n=0

	id=$(prov --json session list leak-file | jq '.sessions[0].id')
	while read -r path; do
		path=${path//\{name\}/leak-shared}
		path=${path//\{id\}/$id}
		for ep in leak-file leak-inline leak-x509 leak-added; do
			said 'api get' api --max-time 2 "${path//\{ep\}/$ep}"
			[[ $path == *'{ep}'* ]] || break
		done
		n=$((n + 1))
	done < <(awk '/^  \/[^ ]*:$/ { path = substr($1, 1, length($1) - 1) }
		/^    [a-z]*:$/ { method = $1 }
		/x-permission:/ && method == "get:" && $2 != "secrets" { print path }' "$SRCDIR/docs/openapi.yaml")
	said 'api why' api '/v1/why?endpoint=leak-file'
	said 'api why' api '/v1/why?peer=127.0.0.1'
	said 'api audit' api '/v1/audit?limit=1000'
	[ "$n" -ge 15 ] || fail "only $n routes"
	say "$n routes were asked"
}

# --- what is searched -------------------------------------------------------------------------------------------

# nothing_leaks FORMAT: of the log.
nothing_leaks() {
	local watcher events processes

	new_daemon "leak-$1"
	SEEN=$WORK/seen-$1 SAID=0 RUN=()
	set_option levels '"debug"'
	set_option format "\"$1\""
	write_documents
	"$PYTHON" "$SRCDIR/tests/system/leak.py" proc "$WORK/all-keys" "$WORK/stop-$1" >"$WORK/processes-$1" 2>&1 &
	processes=$!
	PIDS+=("$processes")
	launch
	within "$PATIENCE" test -S "$D/api.sock" && within "$PATIENCE" grep -q 'ready,' "$D_LOG" || fail 'bsserver does not start'
	COAPS=$(api /v1/status | jq -r '.listeners[0]')
	curl -sS --no-buffer --unix-socket "$D/api.sock" http://localhost/v1/events >"$SEEN/events" 2>&1 &
	events=$!
	"$PROV" --socket "$D/api.sock" watch --json >"$SEEN/watch" 2>&1 &
	watcher=$!
	PIDS+=("$events" "$watcher")
	applies
	adds
	devices
	commands
	answers
	known sealing-key "$(tr -d '\n' <"$D/store.key")"
	within "$PATIENCE" grep -q leak-piped "$SEEN/watch" || fail 'watch saw nothing'
	mkdir "$SEEN/running"
	cp "$D"/store.db* "$SEEN/running"
	: >"$WORK/stop-$1"
	wait "$processes" || fail "a process shows a key: $(cat "$WORK/processes-$1")"
	cat "$WORK/processes-$1"
	kill "$events" "$watcher"
	stop KILL
	[ -s "$D/store.db-wal" ] || fail 'there is no WAL'
	leak scan "$WORK/all-keys" "$SEEN" "$D" || fail 'a key was written down'
	start_again_and_stop
	leak scan "$WORK/all-keys" "$D" || fail 'a key was written down when the store was opened again'
}

start_again_and_stop() {
	launch
	within "$PATIENCE" grep -q 'ready,' "$D_LOG" || fail 'bsserver does not start again'
	stop
}

# The same search, in copies of the same places.
planted_ones_are_found() {
	[ -d "$WORK/seen-text" ] || fail 'there is nothing to plant in'
	leak prove "$WORK/all-keys" "store=$WORK/leak-text/store.db" "wal=$WORK/leak-text/store.db" "log=$WORK/leak-text/log.1" \
		"json-log=$WORK/leak-json/log.1" "api=$(ls "$WORK"/seen-text/api-get.* | head -n 1)" \
		"cli=$(ls "$WORK"/seen-text/cli-device-show.* | head -n 1)" "events=$WORK/seen-text/events" \
		"transcript=$(ls "$WORK"/seen-text/cli-session-show-json.* | head -n 1)" || fail 'the search misses some'
}

run_case nothing-leaks nothing_leaks text
run_case nothing-leaks-as-json nothing_leaks json
run_case planted-ones-are-found planted_ones_are_found
finish
