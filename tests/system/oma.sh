#!/bin/bash
# OMA's interoperability cases for bootstrap that need no LwM2M Server, under their names, over DTLS with PSK. The device
# begins as the cases say: a bootstrap account at /0/1, no Server Object instance, a small /3/0.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

# before ENDPOINT [MEMBERS]: the device's first state, in $STATE; MEMBERS are JSON, each with a comma in front.
before() {
	STATE=$WORK/$1.state
	cat >"$STATE" <<-EOT
	{ "/0/1/0": "$COAPS", "/0/1/1": true, "/0/1/2": 0, "/0/1/3": "$1", "/0/1/4": "",
	  "/0/1/5": { "hex": "$(cat "$(key_file "$1")")" },
	  "/3/0/0": "Simulated", "/3/0/16": "U"${2:-} }
	EOT
}

# An account of an earlier bootstrap, at places that are not those of the new one.
EARLIER=',
	"/0/5/0": "coap://192.0.2.99", "/0/5/1": false, "/0/5/2": 3, "/0/5/10": 9,
	"/1/5/0": 9, "/1/5/1": 60, "/1/5/6": false, "/1/5/7": "U"'

# knock ENDPOINT ARGUMENT...: with $STATE. TREE is what the device holds afterwards, SAW which commands it answered and how.
knock() {
	device "$1" --account 1 --state "$STATE" --json --tree --show-secrets --trace "${@:2}" || fail "$1: not as expected"
	TREE=$(grep '^{"endpoint"' <<<"$OUT" | jq -S .tree)
	SAW=$(sed -n 's/^ *[0-9.]* [^ ]* command //p' <<<"$OUT")
	[ "$(grep '^{"summary"' <<<"$OUT" | jq .summary.complaints)" = 0 ] || fail "the device complains: $OUT"
}

# saw LINE...: exactly these commands, in this order.
saw() {
	local want

	want=$(printf '%s\n' "$@")
	[ "$SAW" = "$want" ] || fail "the device saw: $(diff <(echo "$want") <(echo "$SAW"))"
}

# holds FILE: the device, exactly these values.
holds() {
	diff <(jq -S . "$1") <(echo "$TREE") >"$WORK/differences" || fail "the device holds something else: $(cat "$WORK/differences")"
}

# full ENDPOINT: PSK-SA and SRV-MIN of the cases beside what the device began with. Prints a file.
full() {
	local file=$WORK/$1.full

	before "$1"
	jq --arg identity "$(printf '%s' "$1-dm" | xxd -p -c 256)" --arg key "$(cat "$(key_file "$1-dm")")" \
		'.["/0/1/3"] = { hex: $bs } | .["/0/1/4"] = { hex: "" } | . + {
		"/0/0/0": "coaps://192.0.2.7:5684", "/0/0/1": false, "/0/0/2": 0, "/0/0/3": { hex: $identity },
		"/0/0/4": { hex: "" }, "/0/0/5": { hex: $key }, "/0/0/10": 1,
		"/1/0/0": 1, "/1/0/1": 86400, "/1/0/6": false, "/1/0/7": "U" }' \
		--arg bs "$(printf '%s' "$1" | xxd -p -c 256)" "$STATE" >"$file"
	echo "$file"
}

# bare ENDPOINT: nothing but what the device began with, as it shows it. Prints a file.
bare() {
	jq 'with_entries(select(.key | test("^/(0/0|1)/") | not))' "$(full "$1")" >"$WORK/$1.bare"
	echo "$WORK/$1.bare"
}

# recorded LINE...: the requests in the transcript of $SESSION with their answers, exactly these.
recorded() {
	local have want

	have=$(jq -r '.transcript[] | select(.method) | "\(.step) \(.method) \(.path) \(.code)"' <<<"$SESSION")
	want=$(printf '%s\n' "$@")
	[ "$have" = "$want" ] || fail "the transcript: $(diff <(echo "$want") <(echo "$have"))"
}

# answered STEP PATH: what the device answered to the last such request.
answered() {
	jq -r --arg step "$1" --arg path "$2" '[.transcript[] | select(.step == $step and .path == $path and .text)][-1].text' <<<"$SESSION"
}

# shows TEXT LINK...: each is in that Discover.
shows() {
	local link

	for link in "${@:2}"; do
		[[ ",$1," == *",$link"[,\;]* ]] || fail "Discover has no $link: $1"
	done
}

INT_0_SAW=('discover / 2.05' 'write /0/0 2.04' 'write /1/0 2.04' 'discover / 2.05' 'read /1 2.05' 'finish /bs 2.04')
INT_0=('request POST /bs 2.04' 'discover GET / 2.05' 'write PUT /0/0 2.04' 'write PUT /1/0 2.04' 'verify GET / 2.05'
	'verify GET /1 2.05' 'finish POST /bs 2.04')

# int_0 ENDPOINT HEAD ARGUMENT...: the case, with a device that begins its Discover with HEAD.
int_0() {
	psk_device "$1"
	before "$1"
	knock "$1" "${@:3}"
	saw "${INT_0_SAW[@]}"
	holds "$(full "$1")"
	ended_as "$1" provisioned
	recorded "${INT_0[@]}"
	links=$(answered verify /)
	[[ $links == "$2",* ]] || fail "Discover does not begin with $2: $links"
	shows "$links" '</0/0>;ssid=1' '</0/1>' '</1/0>;ssid=1' '</3/0>'
	[ "$(answered verify /1)" = '/1/0/0=1 /1/0/1=86400 /1/0/6=false /1/0/7="U"' ] || fail "Read /1: $(answered verify /1)"
}

client_initiated() {
	new_daemon int-0
	start
	int_0 int-0-root '</>;lwm2m=1.1'
	int_0 int-0-bare 'lwm2m="1.1"' --quirk discover-bare-version
	int_0 int-0-quoted '</>;lwm2m="1.1"' --quirk discover-quoted-version
	stop
}

# First the session is stopped between the Deletes and the Writes, by a device that refuses these and keeps what it is left
# with; that is what there is to look at. Then it comes again, and what follows is int-0.
deletes() {
	local account

	new_daemon int-4
	start
	psk_device int-4
	before int-4 "$EARLIER"
	knock int-4 --quirk no-roll-back --lie write=4.00 --expect failed
	saw 'discover / 2.05' 'delete /0 2.02' 'delete /1 2.02' 'write /0/0 4.00'
	holds "$(bare int-4)"
	ended_as int-4 failed error_response write /0/0
	recorded 'request POST /bs 2.04' 'discover GET / 2.05' 'delete DELETE /0 2.02' 'delete DELETE /1 2.02' 'write PUT /0/0 4.00'
	shows "$(answered discover /)" '</0/1>' '</0/5>;ssid=9' '</1/5>;ssid=9' '</3/0>'

	STATE=$(bare int-4)
	knock int-4
	saw "${INT_0_SAW[@]}"
	holds "$(full int-4)"
	ended_as int-4 provisioned
	recorded "${INT_0[@]}"
	shows "$(answered discover /)" '</0/1>' '</3/0>'
	[[ $(answered discover /) != *'</0/5>'* && $(answered discover /) != *'</1/5>'* ]] || fail "still there: $(answered discover /)"
	[ "$(answered verify /1)" = '/1/0/0=1 /1/0/1=86400 /1/0/6=false /1/0/7="U"' ] || fail "Read /1: $(answered verify /1)"

	# and all of it in one session
	before int-4 "$EARLIER"
	knock int-4
	saw 'discover / 2.05' 'delete /0 2.02' 'delete /1 2.02' "${INT_0_SAW[@]:1}"
	holds "$(full int-4)"
	account=$(jq -S 'with_entries(select(.key | startswith("/0/1/")))' <<<"$TREE")
	[ "$account" = "$(jq -S 'with_entries(select(.key | startswith("/0/1/")))' "$(bare int-4)")" ] ||
		fail "the bootstrap account was touched: $account"
	stop
}

# reads_back NAME BOOTSTRAP: beside int-0's accounts an Access Control instance with all rights for everybody, and both
# are read back.
reads_back() {
	new_daemon "$1"
	start
	psk_device int-8 "$(server_of int-8), \"objects\": { \"/2/0\": { \"object_id\": 3, \"object_instance_id\": 0,
		\"acl\": { \"0\": 31 }, \"access_control_owner\": 65535 } }, \"bootstrap\": { $2 }"
	before int-8
	knock int-8
	saw 'discover / 2.05' 'write /0/0 2.04' 'write /1/0 2.04' 'write /2/0 2.04' 'discover / 2.05' 'read /1 2.05' \
		'read /2 2.05' 'finish /bs 2.04'
	ended_as int-8 provisioned
	[ "$(answered verify /1)" = '/1/0/0=1 /1/0/1=86400 /1/0/6=false /1/0/7="U"' ] || fail "Read /1: $(answered verify /1)"
	[ "$(answered verify /2)" = '/2/0/0=3 /2/0/1=0 /2/0/2/0=31 /2/0/3=65535' ] || fail "Read /2: $(answered verify /2)"
}

reads() {
	reads_back int-8 '"policy": "replace"'
	stop
}

# The policy that keeps: what is there is looked at first.
reads_and_keeps() {
	reads_back int-8-incremental '"policy": "incremental", "early_return": 0'
	# it comes back as it was left: both are read, and nothing is written
	jq . <<<"$TREE" >"$STATE"
	knock int-8
	saw 'discover / 2.05' 'read /1 2.05' 'read /2 2.05' 'finish /bs 2.04'
	ended_as int-8 provisioned
	stop
}

# int-4 with the policy that keeps, and a profile that lets no other account stay: what is stale goes last, by itself.
deletes_what_is_stale() {
	new_daemon int-4-incremental
	start
	psk_device int-4 "$(server_of int-4), \"bootstrap\": { \"policy\": \"incremental\", \"foreign_accounts\": \"remove\" }"
	before int-4 "$EARLIER"
	knock int-4
	saw 'discover / 2.05' 'read /1 2.05' 'write /0/0 2.04' 'write /1/0 2.04' 'delete /1/5 2.02' 'delete /0/5 2.02' \
		'discover / 2.05' 'read /1 2.05' 'finish /bs 2.04'
	holds "$(full int-4)"
	ended_as int-4 provisioned
	shows "$(answered discover /)" '</0/1>' '</0/5>;ssid=9' '</1/5>;ssid=9' '</3/0>'
	[[ $(answered verify /) != *'</0/5>'* && $(answered verify /) != *'</1/5>'* ]] || fail "still there: $(answered verify /)"
	[ "$(answered verify /1)" = '/1/0/0=1 /1/0/1=86400 /1/0/6=false /1/0/7="U"' ] || fail "Read /1: $(answered verify /1)"
	stop
}

inconsistent() {
	local file

	new_daemon int-9
	start
	file=$(document int-9 '"objects": { "/1/0": { "disable_timeout": 86400 } }, "bootstrap": { "policy": "replace" }')
	expect_rc 0 "$PROV" check -f "$file"
	says ': warning: /1/0 has no short_server_id, lifetime, notification_storing_when_disabled_or_offline, binding'
	says '1 document: 0 errors, 1 warning'
	apply "$file"
	before int-9
	knock int-9 --expect failed
	saw 'discover / 2.05' 'write /1/0 2.04' 'discover / 2.05' 'read /1 2.05' 'finish /bs 4.06' \
		'discover / 2.05' 'delete /1 2.02' 'write /1/0 2.04' 'discover / 2.05' 'read /1 2.05' 'finish /bs 4.06'
	ended_as int-9 failed inconsistent finish /bs
	[ "$(jq -r .code <<<"$SESSION")" = 4.06 ] || fail "the code is $(jq .code <<<"$SESSION")"
	[ "$(jq -r '[.transcript[] | select(.step == "write").text] | unique[]' <<<"$SESSION")" = '/5=86400' ] ||
		fail "something else was written: $(jq -c .transcript <<<"$SESSION")"
	expect_rc 0 prov why int-9
	says 'inconsistent'
	says '4.06'
	stop
}

run_case int-0 client_initiated
run_case int-4 deletes
run_case int-8 reads
run_case int-4-incremental deletes_what_is_stale
run_case int-8-incremental reads_and_keeps
run_case int-9 inconsistent
finish
