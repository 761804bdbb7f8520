#!/bin/bash
# Raw public keys and certificates that devices are given are handed off before they are used: the LwM2M Server is another
# daemon, which lets a device in by the very key or certificate that it was told of, over real DTLS. TAP.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/certs.sh"

# lwm2m_server NAME: a daemon in $S, at SERVER_AT, and the program $S/tell, by which it is told; $S/asked is what that heard.
# A file $S/refuse makes it say no; with $S/deaf it does what it is asked for and is not heard.
lwm2m_server() {
	cert_daemon "$1-server"
	start
	S=$D S_PID=$D_PID SERVER_AT=$COAPS
	: >"$S/asked"
	cat >"$S/tell" <<-END
	#!/bin/bash
	$(declare -p S PROV)
	asked=\$(cat)
	echo "\$asked" >>"\$S/asked"
	field() { jq -r ".\$1" <<<"\$asked"; }
	[ ! -e "\$S/refuse" ] || { echo '{ "error": "not today" }'; exit 1; }
	case \$(field call) in
	tell)
		field identity_hex | tr a-f A-F | basenc -d --base16 >"\$S/told.der"
		if [ "\$(field mode)" = rpk ]; then
			openssl pkey -pubin -inform DER -in "\$S/told.der" -pubout -out "\$S/told.pem"
		else
			openssl x509 -inform DER -in "\$S/told.der" -out "\$S/told.pem"
		fi || exit 1
		jq -n --arg ep "\$(field endpoint)" --arg mode "\$(field mode)" --rawfile key "\$S/told.pem" '{ profile_format: 1, endpoint: \$ep,
			credentials: { bootstrap: { mode: \$mode, identity: \$key } },
			servers: { any: { short_server_id: 1, uri: "coap://192.0.2.1", security: { mode: "nosec" } } } }' >"\$S/told.json"
		"\$PROV" --socket "\$S/api.sock" apply -f "\$S/told.json" >&2 || exit 75
		;;
	forget) "\$PROV" --socket "\$S/api.sock" device rm "\$(field endpoint)" >&2 || exit 75 ;;
	esac
	[ ! -e "\$S/deaf" ] || exit 75
	END
	chmod +x "$S/tell"
}

# handing_daemon NAME: $D, that hands off to it, as "eu".
handing_daemon() {
	new_daemon "$1"
	replace_block 'lwm2m_servers = (' "lwm2m_servers = (
  { name = \"eu\"; driver = \"exec\"; program = [ \"$S/tell\" ]; timeout = \"20s\"; }"
	replace_block 'trust = (' "trust = ( { name = \"factory\"; file = \"$WORK/factory/ca.pem\"; for = \"servers\"; revocation = \"off\"; }"
	start
}

# given MODE NAME: dev-1 is to register with NAME's key pair or certificate.
given() {
	local identity=$WORK/$2.pem

	if [ "$1" = rpk ]; then
		[ -e "$WORK/$2.pub" ] || raw_key_pair "$2"
		identity=$WORK/$2.pub
	elif [ ! -e "$WORK/$2.pem" ]; then
		issue factory "$2" CN=dev-1 client
	fi
	psk_device dev-1 "\"servers\": { \"dm\": { \"short_server_id\": 1, \"uri\": \"$SERVER_AT\", \"lifetime\": 86400, \"binding\": \"U\",
	  \"security\": { \"mode\": \"$1\", \"identity\": $(jq -Rs . "$identity"), \"key\": $(jq -Rs . "$WORK/$2.key"),
	  \"server_public_key\": $(jq -Rs . "$SERVER_KEY") }, \"handoff\": { \"to\": \"eu\", \"deadline\": \"20s\" },
	  \"initial_registration_delay_timer\": 30 } }, \"bootstrap\": { \"policy\": \"replace\" }"
}

# knock ARGUMENT...: the device bootstraps; ACCOUNT is what it holds then to register with, DER in two files.
knock() {
	local rc rid

	device dev-1 --json --tree --show-secrets "$@"
	rc=$?
	for rid in 3 5; do
		grep '^{"endpoint"' <<<"$OUT" | jq -r --arg rid "/$rid" '.tree | . as $t | to_entries[] |
			select((.key | test("^/0/[0-9]+/10$")) and .value == 1) | $t[.key[:-3] + $rid] | .hex' | tr a-f A-F | basenc -d --base16 >"$WORK/held$rid.der"
	done
	return "$rc"
}

# enters MODE: with what the device holds it gets into the LwM2M Server, over DTLS.
enters() {
	openssl pkey -inform DER -in "$WORK/held5.der" -out "$WORK/held.key" 2>/dev/null || fail 'it holds no private key'
	if [ "$1" = rpk ]; then
		openssl pkey -pubin -inform DER -in "$WORK/held3.der" -pubout -out "$WORK/held.pub" || fail 'it holds no public key'
		with_rpk held
	else
		openssl x509 -inform DER -in "$WORK/held3.der" -out "$WORK/held.pem" || fail 'it holds no certificate'
		with_cert held
	fi
	CERT[1]=$SERVER_AT
	"$DEVICE" --endpoint dev-1 "${CERT[@]}" --timeout "${PATIENCE}s" --attempts 1 --expect provisioned >"$WORK/entered" 2>&1
}

# comes_in MODE NAME: the device holds what NAME is, and gets in with it.
comes_in() {
	[ "$(openssl pkey -inform DER -in "$WORK/held5.der" -pubout)" = "$(openssl pkey -in "$WORK/$2.key" -pubout)" ] || fail "it does not hold the key of $2"
	enters "$1" || fail "the LwM2M Server does not let it in with $2: $(tail -n 3 "$WORK/entered")"
}

# gets_in MODE NAME: somebody who holds NAME.
gets_in() {
	openssl pkey -in "$WORK/$2.key" -outform DER -out "$WORK/held5.der"
	if [ "$1" = rpk ]; then
		openssl pkey -pubin -in "$WORK/$2.pub" -outform DER -pubout -out "$WORK/held3.der"
	else
		openssl x509 -in "$WORK/$2.pem" -outform DER -out "$WORK/held3.der"
	fi
	enters "$1"
}

stays_out() {
	! gets_in "$@" || fail "it is let in with $2"
}

# told_before_written: in the transcript of dev-1's last session.
told_before_written() {
	last_session dev-1
	jq -e '[.transcript[] | .step] | (index("handoff") // 1000) < (index("write") // 0)' <<<"$SESSION" >/dev/null ||
		fail "told too late: $(jq -c '[.transcript[] | .step]' <<<"$SESSION")"
}

told_times() {
	[ "$(jq -s '[.[] | select(.call == "tell")] | length' "$S/asked")" = "$1" ]
}

# whole MODE: the first one, another one, one that the LwM2M Server refuses, one that the device does not take.
whole() {
	lwm2m_server "$1"
	SERVER_KEY=$WORK/server.pem
	if [ "$1" = rpk ]; then
		SERVER_KEY=$WORK/server.pub
		openssl x509 -in "$WORK/server.pem" -pubkey -noout >"$SERVER_KEY"
	fi
	handing_daemon "$1"
	given "$1" "$1-first"
	knock || fail "not provisioned: $OUT"
	told_before_written
	told_times 1 || fail "told: $(cat "$S/asked")"
	comes_in "$1" "$1-first"
	! grep -q key_hex "$S/asked" || fail 'the private key was told'
	given "$1" "$1-second"
	knock || fail 'not provisioned with the second'
	told_before_written
	comes_in "$1" "$1-second"
	stays_out "$1" "$1-first"
	# refused: device and server stay with the second
	touch "$S/refuse"
	given "$1" "$1-third"
	knock --expect failed || fail 'not failed'
	ended_as dev-1 failed handoff handoff
	[[ $(jq -r .detail <<<"$SESSION") == *'not today'* ]] || fail "not told why: $SESSION"
	stays_out "$1" "$1-third"
	rm "$S/refuse"
	# told, and the device says no: the second is given back
	knock --lie finish=5.00 --expect failed || fail 'not failed'
	within "$PATIENCE" told_times 5 || fail "not given back: $(cat "$S/asked")"
	within "$PATIENCE" gets_in "$1" "$1-second" || fail "the LwM2M Server does not have the second again: $(tail -n 3 "$WORK/entered")"
	stays_out "$1" "$1-third"
	knock || fail 'not provisioned with the third'
	comes_in "$1" "$1-third"
	stop
	[ "$D_RC" = 0 ] || fail "the daemon ends with $D_RC: $(tail -n 5 "$D_LOG")"
}

run_case raw-public-key whole rpk
run_case certificate whole x509
finish
