#!/bin/bash
# What a device holds already, over DTLS with PSK: found, shown, kept and added to; a device that returns; going back to
# what was before; and handing a device over.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

# account IID ENDPOINT SSID: JSON members of a device's state: a /0 instance with that Short Server ID.
account() {
	cat <<-EOT
	, "/0/$1/0": "coaps://192.0.2.$3", "/0/$1/1": false, "/0/$1/2": 0, "/0/$1/3": { "hex": "$(printf '%s' "$2-$3" | xxd -p -c 256)" },
	  "/0/$1/4": "", "/0/$1/5": { "hex": "$(cat "$(key_file "$2-$3")")" }, "/0/$1/10": $3
	EOT
}

# server SSID: a member of "servers" for it, as account() has it.
server() {
	cat <<-EOT
	"s$2": { "short_server_id": $2, "uri": "coaps://192.0.2.$2", "lifetime": 86400, "notification_storing": false,
	  "binding": "U",
	  "security": { "mode": "psk", "identity": "$1-$2", "key": { "file": "keys/$1-$2.psk" } } }
	EOT
}

# profile ENDPOINT SSID...: applied, with these servers; BOOTSTRAP has members of "bootstrap", MORE others.
profile() {
	local endpoint=$1 ssid list=

	for ssid in "${@:2}"; do
		key_file "$endpoint-$ssid" >/dev/null
		list+="${list:+, }$(server "$endpoint" "$ssid")"
	done
	psk_device "$endpoint" "\"servers\": { $list }${MORE:+, $MORE}, \"bootstrap\": { ${BOOTSTRAP:-\"policy\": \"incremental\"} }"
}

# factory ENDPOINT: the device holds nothing but its bootstrap account and /3/0; in $STATE.
factory() {
	STATE=$WORK/$1.state
	cat >"$STATE" <<-EOT
	{ "/0/0/0": "$COAPS", "/0/0/1": true, "/0/0/2": 0, "/0/0/3": { "hex": "$(printf '%s' "$1" | xxd -p -c 256)" }, "/0/0/4": "",
	  "/0/0/5": { "hex": "$(cat "$(key_file "$1")")" }, "/3/0/0": "Simulated", "/3/0/16": "U"${2:-} }
	EOT
}

# knock ENDPOINT ARGUMENT...: with $STATE, and $STATE is then what it holds. SAW: which commands it answered and how.
knock() {
	device "$1" --state "$STATE" --json --tree --show-secrets --trace "${@:2}" || fail "$1: not as expected"
	grep '^{"endpoint"' <<<"$OUT" | jq -S .tree >"$STATE.after"
	SAW=$(sed -n 's/^ *[0-9.]* [^ ]* command //p' <<<"$OUT")
	[ "$(grep '^{"summary"' <<<"$OUT" | jq .summary.complaints)" = 0 ] || fail "the device complains: $OUT"
	cp "$STATE" "$STATE.before"
	cp "$STATE.after" "$STATE"
}

# saw LINE...: exactly these commands, in this order.
saw() {
	local want

	want=$(printf '%s\n' "$@")
	[ "$SAW" = "$want" ] || fail "the device saw: $(diff <(echo "$want") <(echo "$SAW"))"
}

# wrote_nothing: by the device's own account.
wrote_nothing() {
	! grep -E '^(write|delete)' <<<"$SAW" || fail 'the device was written to'
}

# holds_still PATH...: what the device has under these is what it had.
holds_still() {
	local path

	for path in "$@"; do
		diff <(under "$path" "$STATE.before") <(under "$path" "$STATE.after") >"$WORK/differences" ||
			fail "$path has changed: $(cat "$WORK/differences")"
	done
}

under() {
	local plain='with_entries(select(.key | startswith($p + "/"))) | map_values(if type == "string" then { hex: . } else . end)'

	# octets that are text in the file come back in hex
	jq -S --arg p "$1" "$plain" "$2" | jq -S 'map_values(if type == "object" then .hex else . end)'
}

# gone PATH...: the device has nothing there.
gone() {
	local path

	for path in "$@"; do
		[ "$(under "$path" "$STATE")" = '{}' ] || fail "$path is still there: $(under "$path" "$STATE")"
	done
}

# has PATH VALUE: as JSON.
has() {
	[ "$(jq -c --arg p "$1" '.[$p]' "$STATE")" = "$2" ] || fail "$1 is $(jq -c --arg p "$1" '.[$p]' "$STATE"), not $2"
}

# --- found, shown, added to -------------------------------------------------------------------------------------------

# Two accounts, with rules for /1/0, /1/1 and /3/0 that are theirs.
two_accounts() {
	factory "$1" "$(account 1 "$1" 11) $(account 2 "$1" 12),
	  \"/1/0/0\": 11, \"/1/0/1\": 60, \"/1/0/6\": true, \"/1/0/7\": \"U\",
	  \"/1/1/0\": 12, \"/1/1/1\": 90, \"/1/1/6\": true, \"/1/1/7\": \"U\",
	  \"/2/0/0\": 1, \"/2/0/1\": 0, \"/2/0/2/11\": 15, \"/2/0/3\": 11,
	  \"/2/1/0\": 1, \"/2/1/1\": 1, \"/2/1/2/12\": 15, \"/2/1/3\": 12,
	  \"/2/2/0\": 3, \"/2/2/1\": 0, \"/2/2/2/11\": 15, \"/2/2/2/12\": 1, \"/2/2/3\": 11"
}

third_server() {
	local ep=dev-third

	new_daemon third
	start
	two_accounts $ep
	profile $ep 13
	knock $ep
	saw 'discover / 2.05' 'read /1 2.05' 'read /2 2.05' 'write /0/3 2.04' 'write /1/2 2.04' 'write /2/3 2.04' \
		'discover / 2.05' 'read /1 2.05' 'read /2 2.05' 'finish /bs 2.04'
	holds_still /0/0 /0/1 /0/2 /1/0 /1/1 /2/0 /2/1 /2/2 /3
	has /0/3/10 13
	has /1/2/0 13
	has /2/3/0 1
	has /2/3/1 2
	has /2/3/3 13
	ended_as $ep provisioned
	is_shown $ep
	# one rule more, for what the profile says, beside the others' rules
	MORE='"access_control": { "/5/0": { "owner": "s13", "acl": { "s13": ["read", "write"], "11": ["read"] } } }' profile $ep 13
	is_planned $ep
	knock $ep
	holds_still /0/0 /0/1 /0/2 /1/0 /1/1 /2/0 /2/1 /2/2 /2/3 /3
	ended_as $ep provisioned
	stop
}

is_shown() {
	local row rows=("/1/0 - 11 read write execute delete - 11 /2/0" "/3/0 - 11 read write execute delete - 11 /2/2"
		"/3/0 - 12 read - 11 /2/2" "/1/2 - - - s13 13 /2/3")

	expect_rc 0 prov acl "$1"
	OUT=$(tr -s ' ' <<<"$OUT")
	for row in "${rows[@]}"; do
		says "$row"
	done
	expect_rc 0 prov --json acl "$1"
	[ "$(jq -c '[.acl[] | select(.target == "/3/0") | [.server, .rights[]]]' <<<"$OUT")" = \
		'[[11,"read","write","execute","delete"],[12,"read"]]' ] || fail "acl --json: $OUT"
	expect_rc 0 prov device show "$1" --inventory
	OUT=$(tr -s ' ' <<<"$OUT")
	says '/0/1 /1/0 11 - no coaps://192.0.2.11'
	says '/0/3 /1/2 13 s13 no coaps://192.0.2.13'
	says 'foreign_account /0/1 /1/0 keep server 11 is not in the profile'
	expect_rc 0 prov explain foreign_account
	says 'foreign_accounts'
	! grep -q "$(cat "$(key_file "$1-13")")" <<<"$OUT" || fail 'a key is shown'
	expect_rc 8 prov acl nobody
	expect_rc 8 prov device show nobody --inventory
}

is_planned() {
	expect_rc 0 prov plan "$1"
	OUT=$(tr -s ' ' <<<"$OUT")
	says 'for: what the device was left with'
	says '/0/1 - (there, ssid 11, coaps://192.0.2.11) - keep'
	says '/1/2/1 lifetime 86400 86400 keep'
	says '/0/3/5 secret_key (cannot be read) 16 octets, '
	says '1 PUT /2/4'
	expect_rc 0 prov plan "$1" --fresh
	says 'a fresh device'
	# the same from files alone: the document and what was printed
	prov --json device show "$1" --inventory >"$WORK/inventory.json" || fail 'device show --inventory --json'
	expect_rc 0 prov plan -f "$WORK/$1.json" --inventory "$WORK/inventory.json"
	says 'the inventory that was given'
	says '/2/4/3'
}

# --- a device that returns ------------------------------------------------------------------------------------------

UNCHANGED=('discover / 2.05' 'read /1 2.05' 'finish /bs 2.04')
NEVER_EARLY='"policy": "incremental", "early_return": 0'

returns_well() {
	local ep=dev-well

	new_daemon well
	start
	factory $ep
	BOOTSTRAP=$NEVER_EARLY profile $ep 21
	knock $ep
	saw 'discover / 2.05' 'write /0/1 2.04' 'write /1/0 2.04' 'discover / 2.05' 'read /1 2.05' 'finish /bs 2.04'
	# the same again, and after an upgrade of its firmware and a restart of the server
	knock $ep
	saw "${UNCHANGED[@]}"
	stop
	start
	jq '."/3/0/3" = "2.0"' "$STATE" >"$STATE.new" && mv "$STATE.new" "$STATE"
	knock $ep --server "$COAPS" --psk-key-file "$(key_file $ep)"
	saw "${UNCHANGED[@]}"
	ended_as $ep provisioned
	# a label is no reason to write; a value is, and only that
	BOOTSTRAP=$NEVER_EARLY MORE='"labels": { "batch": "7" }' profile $ep 21
	knock $ep
	saw "${UNCHANGED[@]}"
	sed -i 's/"lifetime": 86400/"lifetime": 600/' "$WORK/$ep.json"
	apply "$WORK/$ep.json"
	knock $ep
	has /1/0/1 600
	[ "$(grep -cE '^(write|delete)' <<<"$SAW")" = 1 ] || fail "more than the lifetime was written: $SAW"
	holds_still /0/0 /0/1
	# another key of the same length, which nobody can read
	key_file "$ep-new" >/dev/null
	cp "$(key_file "$ep-new")" "$(key_file "$ep-21")"
	apply "$WORK/$ep.json"
	knock $ep
	has /0/1/5 "{\"hex\":\"$(cat "$(key_file "$ep-new")")\"}"
	knock $ep
	saw "${UNCHANGED[@]}"
	stop
}

# What can be read looks right, and yet: the server rejected the key (1/x/11), the device came back at once, or a session
# broke off in between.
returns_for_a_reason() {
	local ep=dev-reason

	new_daemon reason
	start
	factory $ep
	BOOTSTRAP=$NEVER_EARLY profile $ep 21
	knock $ep
	knock $ep
	wrote_nothing
	cp "$STATE" "$WORK/right"
	jq '."/1/0/11" = 42' "$WORK/right" >"$STATE"
	knock $ep
	grep -qx 'write /0/1 2.04' <<<"$SAW" || fail "the account was not written again: $SAW"
	ended_as $ep provisioned
	expect_rc 0 prov session show $ep --last
	says 'tls_alert'
	# it came back early
	cp "$WORK/right" "$STATE"
	BOOTSTRAP='"policy": "incremental", "early_return": "1h"' profile $ep 21
	knock $ep
	grep -qx 'write /0/1 2.04' <<<"$SAW" || fail "the account was not written again: $SAW"
	expect_rc 0 prov session show $ep --last
	says 'early_return'
	# a session broke off
	BOOTSTRAP=$NEVER_EARLY profile $ep 21
	cp "$WORK/right" "$STATE"
	knock $ep
	wrote_nothing
	device $ep --state "$STATE" --lie finish=5.00 --expect failed >/dev/null
	ended_as $ep failed error_response finish /bs
	knock $ep
	grep -qx 'write /0/1 2.04' <<<"$SAW" || fail "the account was not written again: $SAW"
	expect_rc 0 prov session show $ep --last
	says 'after_failure'
	stop
}

# --- going back -----------------------------------------------------------------------------------------------------

session_of() {
	prov --json device history "$1" | jq ".history[$2].session"
}

goes_back() {
	local ep=dev-back first second

	new_daemon back
	start
	factory $ep
	BOOTSTRAP=$NEVER_EARLY profile $ep 31
	expect_rc 8 prov device rollback $ep
	says 'no earlier configuration'
	knock $ep
	cp "$STATE" "$WORK/first"
	BOOTSTRAP=$NEVER_EARLY profile $ep 31 32
	knock $ep
	has /1/1/0 32
	first=$(session_of $ep 1) second=$(session_of $ep 0)
	expect_rc 0 prov device history $ep
	says "$first"
	expect_rc 0 prov device diff $ep
	says '/1/1/0'
	expect_rc 9 prov device diff $ep --exit-code --from "$first" --to "$second"
	expect_rc 0 prov device diff $ep --exit-code --from "$second" --to "$second"
	expect_rc 8 prov device diff $ep --from 1

	expect_rc 0 prov device rollback $ep --to "$first" --reason 'fota is broken'
	says "restores what session $first left"
	expect_rc 0 prov plan $ep
	says "restores session: $first"
	# a session that fails does not use it up, and a kill does not lose it
	device $ep --state "$STATE" --lie finish=5.00 --expect failed >/dev/null
	ended_as $ep failed error_response finish /bs
	expect_rc 0 prov --json device show $ep
	[ "$(jq -c '.wishes[0] | [.wish, .pending]' <<<"$OUT")" = '["rollback",true]' ] || fail "wishes: $(jq -c .wishes <<<"$OUT")"
	stop KILL
	start
	knock $ep --server "$COAPS"
	gone /0/2 /1/1
	diff <(under /0/1 "$WORK/first") <(under /0/1 "$STATE") || fail 'the first account is not what it was'
	diff <(under /1/0 "$WORK/first") <(under /1/0 "$STATE") || fail 'the first server is not what it was'
	ended_as $ep provisioned
	expect_rc 0 prov --json device show $ep
	[ "$(jq -c '[.wishes[0].pending, .provisioned]' <<<"$OUT")" = '[false,false]' ] || fail "device show: $(jq -c . <<<"$OUT")"
	[ "$(prov --json device history $ep | jq '.history[0].restored')" = true ] || fail 'the history does not say that it was restored'
	# it holds: what returns is left as it is, until something newer is applied
	knock $ep
	wrote_nothing
	gone /0/2 /1/1
	BOOTSTRAP=$NEVER_EARLY profile $ep 31 32 33
	knock $ep
	has /1/1/0 32
	has /1/2/0 33
	# taken back
	expect_rc 0 prov device rollback $ep
	expect_rc 0 prov device rollback $ep --cancel
	knock $ep
	wrote_nothing
	expect_rc 2 prov device rollback $ep --cancel --to 5
	stop
}

# The keys of now go with the configuration of then, unless those of then are wanted.
goes_back_with_keys() {
	local ep=dev-keys old new first

	new_daemon keys
	start
	factory $ep
	BOOTSTRAP=$NEVER_EARLY profile $ep 31 32
	old=$(cat "$(key_file "$ep-31")")
	knock $ep
	new=$(cat "$(key_file "$ep-rotated")")
	cp "$(key_file "$ep-rotated")" "$(key_file "$ep-31")"
	BOOTSTRAP=$NEVER_EARLY profile $ep 31
	knock $ep
	gone /0/2 /1/1
	has /0/1/5 "{\"hex\":\"$new\"}"
	# 32 is gone from the profile: nobody has a key for it now
	expect_rc 10 prov device rollback $ep
	says 'Short Server ID 32: there are no credentials for it now'
	# nor are the keys that were taken away brought back
	expect_rc 7 prov device rollback $ep --with-credentials
	says "servers/s32/security/key of $ep: removed on "
	says '; apply it again to have it back'
	BOOTSTRAP=$NEVER_EARLY profile $ep 31 32
	knock $ep
	expect_rc 0 prov device history $ep
	first=$(prov --json device history $ep | jq '.history | last | .session')
	expect_rc 0 prov device rollback $ep --to "$first" --with-credentials
	knock $ep
	has /0/1/5 "{\"hex\":\"$old\"}"
	has /1/1/0 32
	# a key that is replaced while the device is awaited is not given to it either
	expect_rc 0 prov device rollback $ep --to "$first" --with-credentials
	cp "$(key_file "$ep-third")" "$(key_file "$ep-32")"
	BOOTSTRAP=$NEVER_EARLY profile $ep 31 32
	device $ep --state "$STATE" --expect refused >/dev/null
	ended_as $ep refused bad_profile lookup /bs
	expect_rc 0 prov session show $ep --last
	says "servers/s32/security/key of $ep: replaced on"
	expect_rc 0 prov device rollback $ep --cancel
	# with 32 in the profile again the configuration comes with the new key
	BOOTSTRAP=$NEVER_EARLY profile $ep 31 32
	sed -i 's/"lifetime": 86400/"lifetime": 77/' "$WORK/$ep.json"
	apply "$WORK/$ep.json"
	knock $ep
	has /1/0/1 77
	expect_rc 0 prov device rollback $ep
	knock $ep
	has /1/0/1 86400
	has /0/1/5 "{\"hex\":\"$new\"}"
	stop
}

# --- handed over ----------------------------------------------------------------------------------------------------

is_handed_over() {
	local ep=dev-over

	new_daemon over
	start
	factory $ep
	BOOTSTRAP=$NEVER_EARLY profile $ep 41
	cat >"$WORK/next.json" <<-EOT
	{ "profile_format": 1, "profile": "next",
	  "servers": { "bs": { "short_server_id": 1, "uri": "coap://192.0.2.99", "security": { "mode": "nosec" } } },
	  "bootstrap_account": { "client_hold_off_time": 5 } }
	EOT
	apply "$WORK/next.json"
	expect_rc 8 prov device handover $ep --profile nobody
	expect_rc 2 prov device handover $ep
	knock $ep
	holds_still /0/0
	expect_rc 0 prov device handover $ep --profile next
	knock $ep
	grep -qx 'write /0/0 2.04' <<<"$SAW" || fail "the bootstrap account was not written: $SAW"
	[ "$(grep -c '^write' <<<"$SAW")" = 1 ] || fail "more than the bootstrap account was written: $SAW"
	has /0/0/0 '"coap://192.0.2.99"'
	has /0/0/1 true
	has /0/0/2 3
	has /0/0/11 5
	has /0/0/10 null
	holds_still /0/1 /1/0
	ended_as $ep provisioned
	expect_rc 0 prov --json device show $ep
	[ "$(jq -c .wishes <<<"$OUT")" = '[]' ] || fail "the wish is still there: $(jq -c .wishes <<<"$OUT")"
	# not where Discover does not show which account it is, and then it is still wanted
	ep=dev-blind
	factory $ep
	BOOTSTRAP=$NEVER_EARLY profile $ep 41
	expect_rc 0 prov device handover $ep --profile next
	device $ep --state "$STATE" --lie discover=4.04 --expect failed >/dev/null
	ended_as $ep failed conflict plan
	expect_rc 0 prov device show $ep
	says 'handover'
	stop
}

# A certificate that was revoked: not restored, and not handed out any more. The CA's list tells the daemon.
goes_back_without_revoked() {
	local ep=dev-revoked n

	new_daemon revoked
	set_option allow_unknown_issuer true bootstrap
	start
	mkdir -p "$WORK/keys"
	expect_rc 0 prov pki ca init "$WORK/ca" --subject CN=ca --days 30
	for n in first second; do
		expect_rc 0 prov pki issue "$WORK/ca" --purpose client --subject "CN=$n" --days 20 --out "$WORK/keys/$n.pem" \
			--key-out "$WORK/keys/$n.key"
	done
	expect_rc 0 prov pki issue "$WORK/ca" --purpose server --name dns:dm.example.com --subject CN=dm --days 20 \
		--out "$WORK/keys/dm.pem" --key-out "$WORK/keys/dm.key"
	certificate_profile $ep first
	factory $ep
	knock $ep
	ended_as $ep provisioned
	certificate_profile $ep second
	knock $ep
	expect_rc 0 prov device rollback $ep --with-credentials
	expect_rc 0 prov device rollback $ep --cancel
	# what the CA revokes, and says so here
	expect_rc 0 prov pki revoke "$WORK/ca" "$WORK/keys/first.pem" --reason keyCompromise --tell
	expect_rc 10 prov pki revoke "$WORK/ca" "$WORK/keys/first.pem"
	expect_rc 0 prov pki revoke "$WORK/ca" "$WORK/keys/first.pem" --tell # so that one that was not told can be told
	expect_rc 7 prov device rollback $ep --with-credentials
	says '/0/0/3: '
	says 'keyCompromise'
	stop KILL
	start
	expect_rc 7 prov device rollback $ep --with-credentials
	# nor is it handed out anew
	certificate_profile $ep first
	device $ep --state "$STATE" --expect failed >/dev/null
	ended_as $ep failed '*' plan
	expect_rc 0 prov session show $ep --last
	says 'keyCompromise'
	stop
	expect_rc 5 prov pki revoke "$WORK/ca" "$WORK/keys/second.pem" --tell
	says 'the daemon was not told; run it again'
}

# The requirement's own picture of its hold-off: servers 1 and 2 see the device together, 3 and 4 later, each in its turn.
# What plan says is what the device does, by what it holds.
sees_in_turn() {
	local ep=dev-turns want

	new_daemon turns
	start
	factory $ep
	psk_device $ep "\"servers\": {
		\"one\": { $(turn 1), \"registration_priority_order\": 1, \"bootstrap_on_registration_failure\": false },
		\"two\": { $(turn 2), \"registration_priority_order\": 2, \"bootstrap_on_registration_failure\": false },
		\"three\": { $(turn 3), \"registration_priority_order\": 3, \"initial_registration_delay_timer\": \"1m\",
			\"bootstrap_on_registration_failure\": true, \"registration_failure_block\": true },
		\"four\": { $(turn 4), \"registration_priority_order\": 4, \"initial_registration_delay_timer\": \"4m\",
			\"bootstrap_on_registration_failure\": false } },
		\"bootstrap_account\": { \"client_hold_off_time\": 10, \"bootstrap_server_account_timeout\": \"2h\" }"
	expect_rc 0 prov --json plan $ep
	want='[[1,0],[2,0],[3,60],[4,300]]'
	[ "$(jq -c '[.timeline.servers[] | [.short_server_id, .registers]]' <<<"$OUT")" = "$want" ] || fail "$(jq -c .timeline <<<"$OUT")"
	[ "$(jq -c '[.timeline.servers[] | .after_failures]' <<<"$OUT")" = '[0,900,1860,null]' ] || fail "$(jq -c .timeline <<<"$OUT")"
	[ "$(jq -c '[.timeline.comes_back_by, .timeline.hold_off, .timeline.forgets_bootstrap_account]' <<<"$OUT")" = '[2760,10,7200]' ] ||
		fail "$(jq -c .timeline <<<"$OUT")"
	[ "$(jq -c '[.operations[-2:][].path]' <<<"$OUT")" = '["/0/0/11","/0/0/12"]' ] || fail 'the bootstrap account is not changed Resource by Resource'
	expect_rc 0 prov plan $ep
	says 'afterwards:'
	says 'bootstraps again'
	says 'a server that fails sends it back by 46m'
	says 'it forgets its bootstrap account after 2h'
	knock $ep --registrations
	[ "$(grep '^{"endpoint"' <<<"$OUT" | jq -c '[.registrations[] | [.server, .after]]')" = "$want" ] || fail 'the device does otherwise'
	has /0/0/11 10
	has /0/0/12 7200
	has /0/0/1 true
	ended_as $ep provisioned
	# shorter than that, nobody would be left to turn to
	sed -i 's/"2h"/"45m"/' "$WORK/$ep.json"
	expect_rc 0 prov check -f "$WORK/$ep.json"
	says 'no-fall-back'
	says 'only after 2760 s'
	stop
}

# turn SSID: members of a server.
turn() {
	printf '"short_server_id": %s, "uri": "coap://192.0.2.%s", "security": { "mode": "nosec" }, "lifetime": 86400, "binding": "U"' "$1" "$1"
}

# APN profiles, which no device shows: the carrier's own stays, ours are found again by their names, linked, and go when
# they are wanted no more.
reaches_by_apn() {
	local ep=dev-apn

	new_daemon apn
	start
	factory $ep ', "/11/0/0": "carrier", "/11/0/1": "internet"'
	psk_device $ep "\"servers\": { \"one\": { $(turn 1), \"apn_link\": \"iot\" }, \"two\": { $(turn 2), \"apn_link\": \"service\" } },
		\"apn_connection_profiles\": { \"iot\": { \"apn\": \"iot.example\" }, \"service\": { \"apn\": \"service.example\" } },
		\"bootstrap\": { $NEVER_EARLY }"
	knock $ep
	saw 'discover / 2.05' 'write /11/1 2.04' 'write /11/1000 2.04' 'write /0/1 2.04' 'write /0/2 2.04' 'write /1/0 2.04' 'write /1/1 2.04' \
		'write /2/0 2.04' 'write /2/1 2.04' 'discover / 2.05' 'read /1 2.05' 'read /2 2.05' 'finish /bs 2.04'
	holds_still /11/0
	has /11/1000/0 '"iot"'
	has /1/0/10 '"11:1000"'
	has /1/1/10 '"11:1"'
	has /11/1/1 '"service.example"'
	knock $ep
	wrote_nothing
	# one whose name comes first gives the others other numbers in the file, and changes nothing of them on the device
	psk_device $ep "\"servers\": { \"one\": { $(turn 1), \"apn_link\": \"iot\" }, \"two\": { $(turn 2), \"apn_link\": \"backup\" } },
		\"apn_connection_profiles\": { \"iot\": { \"apn\": \"iot.example\" }, \"backup\": { \"apn\": \"backup.example\" } },
		\"bootstrap\": { $NEVER_EARLY }"
	knock $ep
	saw 'discover / 2.05' 'read /1 2.05' 'read /2 2.05' 'write /11/1 2.04' 'discover / 2.05' 'read /1 2.05' 'finish /bs 2.04'
	holds_still /11/0 /11/1000 /1 /0
	has /11/1/0 '"backup"'
	# both over one: the other goes, after nothing leads to it any more
	psk_device $ep "\"servers\": { \"one\": { $(turn 1), \"apn_link\": \"iot\" }, \"two\": { $(turn 2), \"apn_link\": \"iot\" } },
		\"apn_connection_profiles\": { \"iot\": { \"apn\": \"iot.example\" } }, \"bootstrap\": { $NEVER_EARLY }"
	knock $ep
	saw 'discover / 2.05' 'read /1 2.05' 'read /2 2.05' 'write /1/1/10 2.04' 'delete /11/1 2.02' 'discover / 2.05' 'read /1 2.05' 'finish /bs 2.04'
	holds_still /11/0 /11/1000 /1/0 /0
	has /1/1/10 '"11:1000"'
	gone /11/1
	stop KILL
	start
	knock $ep
	wrote_nothing
	stop
}

# A device's share of a range is its own, and stays: applied again, nothing changes.
spreads() {
	local n first=

	new_daemon spreads
	start
	cat >"$WORK/spread.json" <<-EOT
	{ "profile_format": 1, "profile": "spread", "servers": { "dm": { $(turn 1), "initial_registration_delay_timer": { "spread": "1m..11m" } } } }
	EOT
	apply "$WORK/spread.json"
	for n in 1 2 3; do
		factory spread-$n
		psk_device spread-$n '"extends": "spread"'
		knock spread-$n
		first+="$(jq '."/1/0/14"' "$STATE") "
	done
	stop
	start
	for n in 1 2 3; do
		STATE=$WORK/spread-$n.state
		expect_rc 0 prov --json plan spread-$n
		[ "$(jq -c '[.rows[] | select(.path == "/1/0/14") | .wants]' <<<"$OUT")" = "[\"$(cut -d ' ' -f $n <<<"$first")\"]" ] ||
			fail "spread-$n: $first, and now $(jq -c '.rows' <<<"$OUT")"
	done
	[ "$(tr ' ' '\n' <<<"$first" | sort -u | grep -c .)" -gt 1 ] || fail "all have the same: $first"
	[ "$(tr ' ' '\n' <<<"$first" | awk 'NF && ($1 < 60 || $1 > 660)')" = '' ] || fail "out of the range: $first"
	stop
}

# certificate_profile ENDPOINT NAME: applied, with an account of the certificate of that name.
certificate_profile() {
	BOOTSTRAP=$NEVER_EARLY psk_device "$1" "\"servers\": { \"dm\": { \"short_server_id\": 7, \"uri\": \"coaps://dm.example.com\",
		\"lifetime\": 60, \"binding\": \"U\", \"security\": { \"mode\": \"x509\", \"identity\": { \"file\": \"keys/$2.pem\" },
		\"key\": { \"file\": \"keys/$2.key\" }, \"server_public_key\": { \"file\": \"keys/dm.pem\" } } } },
		\"bootstrap\": { $NEVER_EARLY }"
}

run_case third-server third_server
run_case returns-well returns_well
run_case returns-for-a-reason returns_for_a_reason
run_case goes-back goes_back
run_case goes-back-with-keys goes_back_with_keys
run_case goes-back-without-revoked goes_back_without_revoked
run_case sees-in-turn sees_in_turn
run_case spreads spreads
run_case reaches-by-apn reaches_by_apn
run_case handover is_handed_over
finish
