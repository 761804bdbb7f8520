#!/bin/bash
# Credentials handed off to ThingsBoard and to Coiote: several requests for each, and at each of them the platform may fail.
# TAP.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/handoff_lib.sh"

TIMEOUT=20s DEADLINE=1m # several requests each, on machines that are loaded
PROFILE=0a1b2c3d-42b6-435a-983c-b7beff2784f9
declare -A NEW=([thingsboard]="device_profile = \"$PROFILE\";" [coiote]='domain = "/co/eu/";')

# platform KIND NAME [SETTINGS]: a fake one that wants a token, and a daemon that has it and hands off to it.
platform() {
	KIND=$1
	lwm2m_server "$1-$2"
	echo k3y-of-the-api >"$S/token"
	handing_daemon "$1-$2" "${3:-token_file = \"eu.token\"; ${NEW[$1]}}"
	echo k3y-of-the-api >"$D/eu.token"
	start
}

# locked ENDPOINT: nobody has the key that the platform knows, if it knows one.
locked() {
	local key

	key=$(server_key "$1")
	case $KIND in
	thingsboard) [ -n "$key" ] && [ "$key" != "$DEVICE_KEY" ] && [ "${#key}" = 64 ] ;;
	coiote) [ -z "$key" ] && [ "$(jq -r --arg e "$1" '.[$e].securityMode' "$S/clients.json")" = notset ] ;;
	esac
}

requests() {
	wc -l <"$S/requests"
}

keys() {
	local first n

	platform "$1" keys
	expect_rc 0 prov handoff test eu
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-1 || fail 'not provisioned'
	agree dev-1
	first=$DEVICE_KEY
	knock dev-1 || fail 'not provisioned again'
	[ "$DEVICE_KEY" != "$first" ] || fail 'the key is the same as before'
	agree dev-1
	# what does not change is not told
	handed urn:dev:2
	knock urn:dev:2 || fail 'not provisioned'
	agree urn:dev:2
	n=$(requests)
	knock urn:dev:2 || fail 'not provisioned again'
	[ "$(requests)" = "$n" ] || fail 'told again of what it knows'
	# the device fails when its platform knows the new one
	knock dev-1 || fail 'not provisioned'
	first=$DEVICE_KEY
	knock dev-1 --lie finish=5.00 --expect failed || fail 'not failed'
	within "$PATIENCE" knows dev-1 "$first" || fail 'the old key was not given back'
	# a new device that comes to nothing, and one that is removed
	handed dev-3
	knock dev-3 --lie write#2=4.05 --expect failed || fail 'not failed'
	DEVICE_KEY=none
	within "$PATIENCE" locked dev-3 || fail "dev-3 could come: $(cat "$S/clients.json")"
	knock dev-3 || fail 'not provisioned'
	agree dev-3
	expect_rc 0 prov device rm dev-3
	within "$PATIENCE" locked dev-3 || fail "dev-3 can still come: $(cat "$S/clients.json")"
	! grep -F -e "$DEVICE_KEY" -e k3y-of-the-api "$D_LOG" || fail 'a secret is in the log'
}

# faults KIND ONLY MODE...: the platform fails at those requests, in these ways; the device keeps what it has, and so does
# the platform in the end.
faults() {
	local mode old

	platform "$1" faults
	echo "$2" >"$S/only"
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-1 || fail 'not provisioned'
	old=$DEVICE_KEY
	for mode in "${@:3}"; do
		# what is tried again is tried until then
		[[ $mode != 500 && $mode != garbage && $mode != deaf ]] || DEADLINE=2s handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
		echo "$mode" >"$S/mode"
		knock dev-1 --expect failed || fail "$mode: not failed"
		ended_as dev-1 failed handoff handoff
		echo up >"$S/mode"
		within "$PATIENCE" knows dev-1 "$old" || fail "$mode: the platform has another"
		case $mode in
		400) [[ $(jq -r .detail <<<"$SESSION") == 'eu: HTTP 400: it said 400' ]] || fail "not told why: $SESSION" ;;
		echo) [[ $(jq -r .detail <<<"$SESSION") == 'eu: HTTP 400: (what it says repeats a secret and is not shown)' ]] ||
			fail "not told why, or too much: $SESSION" ;;
		esac
	done
	handed dev-1 '{ "generate": 16, "rotate": "on_bootstrap" }'
	knock dev-1 || fail 'not provisioned at last'
	agree dev-1
	[ "$DEVICE_KEY" != "$old" ] || fail 'the key is still the old one'
}

# What the platform has of a device beside its key stays; a device of its own making is taken over.
kept() {
	KIND=thingsboard
	mkdir -p "$WORK/kept"
	jq -n '{"dev-1": {id: "784f394c-42b6-435a-983c-b7beff2784f9", set: {id: {id: "c"}, version: 4, credentialsType: "LWM2M_CREDENTIALS",
		deviceId: {entityType: "DEVICE", id: "784f394c-42b6-435a-983c-b7beff2784f9"}, credentialsId: "other", credentialsValue:
		({client: {endpoint: "dev-1", securityConfigClientMode: "NO_SEC"}, bootstrap: {bootstrapServer: {securityMode: "PSK",
		mine: 1}, lwm2mServer: {securityMode: "NO_SEC"}}} | tojson)}}}' >"$WORK/kept/clients.json"
	lwm2m_server kept
	echo k3y >"$S/token"
	handing_daemon kept 'token_file = "eu.token"; token_type = "bearer";'
	echo k3y >"$D/eu.token"
	start
	expect_rc 1 prov handoff test eu # a key of its API is no token
	says 'HTTP 401: Authentication failed'
	sed -i 's/token_type = "bearer"/token_type = "api_key"/' "$D/bsserver.conf"
	stop
	start
	expect_rc 0 prov handoff test eu
	handed dev-1
	knock dev-1 || fail 'not provisioned'
	agree dev-1
	jq -e '."dev-1".set | .version == 5 and .credentialsId == "dev-1-dm" and (.credentialsValue | fromjson | .bootstrap |
		. == {bootstrapServer: {securityMode: "PSK", mine: 1}, lwm2mServer: {securityMode: "NO_SEC"}})' "$S/clients.json" >/dev/null ||
		fail "not kept: $(cat "$S/clients.json")"
	# there is no device_profile: another device is none of its
	handed dev-2
	knock dev-2 --expect failed || fail 'not failed'
	[[ $(prov why dev-2) == *'ThingsBoard has no device of that name'* ]] || fail "not told why: $(prov why dev-2)"
}

# certified KIND MODE: dev-1 has an account of that mode.
certified() {
	command -v openssl >/dev/null || skip 'openssl is not installed'
	platform "$1" "$2"
	local of=pem name

	printf '[req]\ndistinguished_name = dn\n[dn]\n' >"$WORK/openssl.conf"
	mkdir -p "$WORK/keys"
	for name in dev-1 dm; do
		openssl req -x509 -config "$WORK/openssl.conf" -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
			-subj "/CN=$name" -keyout "$WORK/keys/$name.key" -out "$WORK/keys/$name.pem" 2>"$WORK/openssl.log" &&
			openssl pkey -in "$WORK/keys/$name.key" -pubout -out "$WORK/keys/$name.pub" 2>>"$WORK/openssl.log" ||
			fail "openssl: $(cat "$WORK/openssl.log")"
	done
	[ "$2" = x509 ] || of=pub
	psk_device dev-1 "\"servers\": { \"dm\": { \"short_server_id\": 1, \"uri\": \"coaps://dm.example.com\", \"lifetime\": 86400, \"binding\": \"U\",
	  \"security\": { \"mode\": \"$2\", \"identity\": { \"file\": \"keys/dev-1.$of\" },
	    \"key\": { \"file\": \"keys/dev-1.key\" }, \"server_public_key\": { \"file\": \"keys/dm.$of\" } }, \"handoff\": { \"to\": \"eu\", \"deadline\": \"$DEADLINE\" },
	  \"initial_registration_delay_timer\": 30 } }, \"bootstrap\": { \"policy\": \"replace\" }"
}

holds_rpk() {
	certified "$1" rpk
	device dev-1 || fail 'not provisioned'
	jq -e --arg k "$(grep -v -e --- "$WORK/keys/dev-1.pub" | tr -d '\n')" '."dev-1".set.credentialsValue | fromjson |
		.client == {endpoint: "dev-1", securityConfigClientMode: "RPK", key: $k}' "$S/clients.json" >/dev/null ||
		fail "it has $(cat "$S/clients.json")"
}

refuses_rpk() {
	certified "$1" rpk
	device dev-1 --expect failed || fail 'not failed'
	ended_as dev-1 failed keep keep
	[[ $(jq -r .detail <<<"$SESSION") == 'eu has no place for a credential of mode rpk (driver coiote)' ]] ||
		fail "not told why: $SESSION"
	[ ! -e "$S/requests" ] || fail "asked: $(cat "$S/requests")"
}

holds_x509() {
	certified "$1" x509
	device dev-1 || fail 'not provisioned'
	case $1 in
	thingsboard) jq -e --arg c "$(grep -v -e --- "$WORK/keys/dev-1.pem" | tr -d '\n')" '."dev-1".set.credentialsValue | fromjson |
		.client == {endpoint: "dev-1", securityConfigClientMode: "X509", cert: $c}' "$S/clients.json" >/dev/null ;;
	coiote) jq -e '."dev-1" == {id: "id/dev-1", securityMode: "cert"}' "$S/clients.json" >/dev/null ;;
	esac || fail "it has $(cat "$S/clients.json")"
}

by_login() {
	KIND=$1
	lwm2m_server "$1-login"
	echo 'pass & word' >"$S/password"
	handing_daemon "$1-login" "login = \"op\"; password_file = \"eu.password\"; ${NEW[$1]}"
	echo wrong >"$D/eu.password"
	start
	expect_rc 1 prov handoff test eu
	says 'HTTP 401: '
	stop
	echo 'pass & word' >"$D/eu.password"
	start
	expect_rc 0 prov handoff test eu
	handed dev-1
	knock dev-1 || fail 'not provisioned'
	agree dev-1
	! grep -F -e 'pass & word' -e granted-to-op "$D_LOG" || fail 'a secret is in the log'
}

run_case thingsboard-learns-keys keys thingsboard
run_case thingsboard-after-a-login by_login thingsboard
run_case thingsboard-holds-certificates holds_x509 thingsboard
run_case coiote-learns-keys keys coiote
run_case coiote-after-a-login by_login coiote
run_case coiote-holds-certificates holds_x509 coiote
run_case thingsboard-fails-when-it-is-told faults thingsboard '^POST /api/device' 400 echo garbage deaf
run_case coiote-fails-when-it-is-told faults coiote '^PUT ' 302 echo 500
run_case thingsboard-keeps-what-else-it-has kept
run_case thingsboard-holds-raw-public-keys holds_rpk thingsboard
run_case coiote-has-no-place-for-raw-public-keys refuses_rpk coiote
finish
