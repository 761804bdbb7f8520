#!/bin/bash
# Devices that register with the daemon itself with a raw public key or a certificate, over real DTLS.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/certs.sh"

# reg_daemon NAME: takes every credential, to knock and to register with; devices register at REG.
reg_daemon() {
	cert_daemon "$1"
	REG=coaps://127.0.0.1:$(free_port)
	replace_block '  listeners = (' "  listeners = ( { uri = \"$REG\"; security = \"psk x509 rpk\"; }"
	set_option uri "\"$REG\"" registry
	start
	openssl pkey -in "$WORK/server.key" -pubout -out "$WORK/server.pub" 2>/dev/null
}

# account MODE SHOWN KEY SERVER: at the registry, with these files or, of the key, a word.
account() {
	local key="\"$3\""

	[ ! -e "$WORK/$3" ] || key="{ \"file\": \"$3\" }"
	echo "\"registry\": true, \"bootstrap\": { \"policy\": \"replace\" }, \"servers\": { \"registry\": { \"security\": {
		\"mode\": \"$1\", \"certificate_usage\": \"domain_issued_certificate\", \"identity\": { \"file\": \"$2\" },
		\"key\": $key, \"server_public_key\": { \"file\": \"$4\" } } } }" |
		if [ "$1" = rpk ]; then sed 's/"certificate_usage": "[a-z_]*",//'; else cat; fi
}

rpk_device() {
	raw_key_pair "$1"
	psk_device "$1" "$(account rpk "$1.pub" "$1.key" server.pub)"
}

x509_device() {
	issue factory "$1" "CN=$1" client
	psk_device "$1" "$(account x509 "$1.pem" "$1.key" server.pem)"
}

# registered ENDPOINT: secured, sooner or later.
registered() {
	within "$PATIENCE" registered_is "$1" || fail "$1 is not registered: $(api "/v1/devices/$1/registration"): $(tail -n 5 "$D_LOG")"
}

registered_is() {
	[ "$(api "/v1/devices/$1/registration" | jq -c '[.state, .secure, .awake]')" = '["registered",true,true]' ]
}

# Bootstraps, registers with the account that it was given, is called back, and does so once more.
called_back() {
	local pid ep=meter-$1

	reg_daemon "called-back-$1"
	"${1}_device" "$ep"
	(device "$ep" --register 65000 --repeat 2 --json --trace --timeout 90s) >"$WORK/out" 2>&1 &
	pid=$!
	PIDS+=("$pid")
	registered "$ep"
	expect_rc 0 prov --json trigger "$ep" --wait
	[ "$(jq -c '[.state, .outcomes.bootstrapped, .rows[0].code]' <<<"$OUT")" = '["done",1,"2.04"]' ] || fail "the job: $OUT"
	wait "$pid" || fail "the device: $(cat "$WORK/out")"
	registered "$ep"
	expect_rc 0 prov wait "$ep" --for registered --timeout "$PATIENCE"
	stop
	start
	[ "$(api "/v1/devices/$ep/registration" | jq -r .state)" = registered ] || fail 'forgotten after a restart'
	stop
	[ "$D_RC" -eq 0 ] || fail "ended with $D_RC"
}

# The certificate that it knocks with stays in the device, and is what it registers with: by the rules.
what_it_knocks_with() {
	reg_daemon knocks-with
	issue factory keeper CN=keeper client
	document keeper "$(account x509 keeper.pem keep server.pem)" >/dev/null
	jq '.credentials.bootstrap = { "mode": "x509" } | del(.servers.registry.security.identity)' "$WORK/keeper.json" >"$WORK/new" &&
		mv "$WORK/new" "$WORK/keeper.json"
	apply "$WORK/keeper.json"
	with_cert keeper
	as_account keeper 2 '' ''
	registers keeper "${CERT[@]}"
	registered keeper
	# the same, with another name
	knocks_with meter-2 '{ "mode": "x509" }'
	does_not_register meter-2 "${CERT[@]}"
	refused_with_403
	stop
}

# as_account ENDPOINT MODE SHOWN KEY: a state with such an account; files in DER, or ''.
as_account() {
	STATE=$WORK/$1.state
	cat >"$STATE" <<-EOT
	{ "/0/0/0": "$COAPS", "/0/0/1": true, "/0/0/2": 0, "/0/1/0": "$REG", "/0/1/1": false, "/0/1/2": $2,
	  "/0/1/3": { "hex": "$(hex_of "$3")" }, "/0/1/5": { "hex": "$(hex_of "$4")" }, "/0/1/10": 65000,
	  "/1/0/0": 65000, "/1/0/1": 60, "/1/0/7": "U", "/3/0/16": "U" }
	EOT
}

hex_of() {
	[ -z "$1" ] || od -An -v -tx1 "$1" | tr -d ' \n'
}

as_rpk() {
	openssl pkey -in "$WORK/$2.key" -pubout -outform DER -out "$WORK/shown.der" 2>/dev/null
	openssl pkcs8 -topk8 -nocrypt -in "$WORK/$2.key" -outform DER -out "$WORK/key.der" 2>/dev/null
	as_account "$1" 1 "$WORK/shown.der" "$WORK/key.der"
}

as_x509() {
	openssl x509 -in "$WORK/$2.pem" -outform DER -out "$WORK/shown.der"
	openssl pkcs8 -topk8 -nocrypt -in "$WORK/$2.key" -outform DER -out "$WORK/key.der" 2>/dev/null
	as_account "$1" 2 "$WORK/shown.der" "$WORK/key.der"
}

# registers ENDPOINT ARGUMENT..., does_not_register ENDPOINT ARGUMENT...: with the account of STATE, and nothing else.
registers() {
	device "$@" --register 65000 --registered --repeat 1 --state "$STATE" --timeout 3s --expect any --json --trace >/dev/null
}

does_not_register() {
	device "$@" --register 65000 --registered --state "$STATE" --timeout 30s --expect any --json --trace --retransmit 1 || fail 'the simulator'
	[ "$(grep '^{"summary"' <<<"$OUT" | jq -c '[.summary.after.registered, .summary.after.refused]')" = '[0,1]' ] ||
		fail "it was not refused: $OUT"
}

refused_with_403() {
	grep -q 'registration refused 4.03' <<<"$OUT" || fail "not by 4.03: $OUT"
}

strangers_with_keys() {
	reg_daemon strangers-with-keys
	rpk_device one
	rpk_device two
	raw_key_pair nobody
	as_rpk one nobody
	does_not_register one
	logged 'refused in the handshake.*no device .* is registered with the raw public key'
	as_rpk one two
	does_not_register one
	refused_with_403
	logged 'may not register: endpoint one registers with rpk .*; this is another'
	# what it knocks with is not what its account is
	printf 'one' >"$WORK/identity"
	xxd -r -p "$(key_file one)" >"$WORK/secret"
	as_account one 0 "$WORK/identity" "$WORK/secret"
	does_not_register one
	logged 'refused in the handshake, with identity "one"'
	as_rpk one one
	registers one
	registered one
	expect_rc 0 prov device block one
	does_not_register one
	# from now on by a pre-shared key: the raw key is no more of use
	expect_rc 0 prov device unblock one
	psk_device one '"registry": true'
	does_not_register one
	stop
}

strangers_with_certificates() {
	reg_daemon strangers-with-certificates
	x509_device three
	x509_device four
	issue stranger forged CN=three client
	issue factory renewed CN=three client
	as_x509 three forged
	does_not_register three
	logged 'refused in the handshake'
	as_x509 three four
	does_not_register three
	refused_with_403
	# the name is right, and its profile asks for another
	as_x509 three renewed
	does_not_register three
	refused_with_403
	as_x509 three three
	registers three
	registered three
	stop
}

# SIGHUP: who registers from now on is shown the renewed certificate.
renewed() {
	local before

	reg_daemon renewed
	issue factory meter-1 CN=meter-1 client
	before=$(COAPS=$REG shown_by_server)
	[ -n "$before" ] || fail 'no certificate is shown'
	issue factory server-2 CN=bs.example.com server --name dns:bs.example.com
	set_option certificate_file "\"$WORK/server-2.pem\""
	set_key "$WORK/server-2.key"
	kill -HUP "$D_PID"
	within "$PATIENCE" shows_another "$before" || fail "still $before"
	logged 'SIGHUP: .* are read again'
	stop
}

# A registry that could show nobody anything does not start.
nothing_to_show() {
	new_daemon nothing-to-show
	replace_block '  listeners = (' '  listeners = ( { uri = "coaps://127.0.0.1:0"; security = "rpk"; }'
	expect_rc 3 "$BSSERVER" --check-config -c "$D/bsserver.conf"
	refused_to_run 3
}

shows_another() {
	local now

	now=$(COAPS=$REG shown_by_server)
	[ -n "$now" ] && [ "$now" != "$1" ]
}

run_case raw-public-key-is-called-back called_back rpk
run_case certificate-is-called-back called_back x509
run_case registers-with-what-it-knocks-with what_it_knocks_with
run_case nothing-to-show nothing_to_show
run_case credentials-are-read-again renewed
run_case strangers-with-raw-public-keys strangers_with_keys
run_case strangers-with-certificates strangers_with_certificates
finish
