# Devices and daemons with certificates and raw public keys, for system tests. Sourced, behind lib.sh.
# shellcheck shell=bash

# ca NAME: a CA in a folder. issue CA NAME SUBJECT PURPOSE ARGUMENT...: NAME.pem and NAME.key of it, in $WORK.
ca() {
	[ -d "$WORK/$1" ] || expect_rc 0 "$PROV" pki ca init "$WORK/$1" --subject "CN=$1"
}
issue() {
	expect_rc 0 "$PROV" pki issue "$WORK/$1" --subject "$3" --purpose "$4" --out "$WORK/$2.pem" \
		--key-out "$WORK/$2.key" "${@:5}"
}

# set_key VALUE: the key of the section credentials, a file or a URL.
set_key() {
	sed "/^credentials/,/^}/s|^  key = .*|  key = \"$1\";|" "$D/bsserver.conf" >"$WORK/conf.new" &&
		cat "$WORK/conf.new" >"$D/bsserver.conf"
}

# cert_daemon NAME: $D takes PSK, X.509 of the CA "factory" by common name, pinned certificates and raw public keys.
cert_daemon() {
	new_daemon "$1"
	ca factory
	ca stranger
	[ -e "$WORK/server.pem" ] || issue factory server CN=bs.example.com server --name dns:bs.example.com
	replace_block 'listeners = (' 'listeners = ( { uri = "coaps://127.0.0.1:0"; security = "psk x509 rpk"; }'
	replace_block 'trust = (' "trust = ( { name = \"factory\"; file = \"$WORK/factory/ca.pem\"; revocation = \"off\"; }"
	replace_block '  rules = (' '  rules = ( { credential = "psk"; rule = "mapped"; }, { credential = "x509"; rule = "mapped"; },
	  { credential = "x509"; rule = "cn"; trust = "factory"; }, { credential = "rpk"; rule = "mapped"; }'
	set_option certificate_file "\"$WORK/server.pem\""
	set_key "$WORK/server.key"
}

# knocks_with ENDPOINT CREDENTIALS: the document of a device with these, applied.
knocks_with() {
	local file

	file=$(document "$1")
	jq --argjson credentials "$2" '.credentials.bootstrap = $credentials' "$file" >"$file.new" && mv "$file.new" "$file"
	apply "$file"
}

# raw_key_pair NAME: NAME.key and NAME.pub in $WORK.
raw_key_pair() {
	openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null | openssl pkcs8 -topk8 -nocrypt -out "$WORK/$1.key"
	openssl pkey -in "$WORK/$1.key" -pubout -out "$WORK/$1.pub"
}

# with_cert NAME, with_rpk NAME: the simulator's arguments.
with_cert() {
	CERT=(--server "$COAPS" --cert-file "$WORK/$1.pem" --private-key-file "$WORK/$1.key")
}
with_rpk() {
	CERT=(--server "$COAPS" --rpk-file "$WORK/$1.pub" --private-key-file "$WORK/$1.key")
}

# why_peer TEXT: of the address that was refused last, as the log has it, `why` says so.
why_peer() {
	local peer

	peer=$(sed -n 's/.*bootstrap refused at request.* peer=\([0-9.]*\):.*/\1/p' "$D_LOG" | tail -n 1)
	[ -n "$peer" ] && OUT=$(prov why --peer "$peer" 2>&1)
	[[ $OUT == *$1* ]]
}

# shown_by_server: the serial of the certificate that the daemon shows to a new session, by openssl.
shown_by_server() {
	timeout "$PATIENCE" openssl s_client -dtls1_2 -connect "127.0.0.1:${COAPS##*:}" -cert "$WORK/meter-1.pem" \
		-key "$WORK/meter-1.key" </dev/null 2>/dev/null | openssl x509 -noout -serial 2>/dev/null
}
