#!/bin/bash
# The daemon's own certificate and key: in files and in a PKCS #11 token, read again on SIGHUP without a word to sessions.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/certs.sh"

PIN=493817

# one_meter NAME: cert_daemon NAME, running, with the device meter-1.
one_meter() {
	cert_daemon "$1"
	[ -e "$WORK/meter-1.pem" ] || issue factory meter-1 CN=meter-1 client
	start
	knocks_with meter-1 '{ "mode": "x509" }'
	with_cert meter-1
}

serial_of() {
	openssl x509 -noout -serial -in "$WORK/$1.pem"
}

# A device that takes seconds for its bootstrap, in the background; under_way is true when it has begun.
slow_device() {
	timeout "$((PATIENCE * 3))" "$DEVICE" --endpoint meter-1 --seed "$SEED" "${CERT[@]}" --delay 200ms --linger 1s --expect provisioned \
		>"$WORK/slow" 2>&1 &
	SLOW=$!
	PIDS+=("$SLOW")
	within "$PATIENCE" under_way || fail 'the slow device does not begin'
}
under_way() {
	[ "$(api /metrics | sed -n 's/^bsserver_sessions_live //p')" = 1 ]
}

reload() {
	local n

	n=$(grep -c 'SIGHUP: ' "$D_LOG")
	kill -HUP "$D_PID"
	within "$PATIENCE" more_lines "$n" || fail "no word about SIGHUP"
}
more_lines() {
	[ "$(grep -c 'SIGHUP: ' "$D_LOG")" -gt "$1" ]
}

new_files_are_for_new_sessions() {
	one_meter reloaded
	cp "$WORK/server.pem" "$WORK/shown.pem" && cp "$WORK/server.key" "$WORK/shown.key"
	set_option certificate_file "\"$WORK/shown.pem\""
	set_key "$WORK/shown.key"
	reload
	[ "$(shown_by_server)" = "$(serial_of server)" ] || fail "it shows $(shown_by_server)"
	slow_device
	issue factory server-2 CN=bs.example.com server --name dns:bs.example.com
	cp "$WORK/server-2.pem" "$WORK/shown.pem" && cp "$WORK/server-2.key" "$WORK/shown.key"
	reload
	under_way || fail 'the session was over before the credentials were read again'
	[ "$(shown_by_server)" = "$(serial_of server-2)" ] || fail "it shows $(shown_by_server), not the new certificate"
	wait "$SLOW" || fail "the session under way did not survive: $(cat "$WORK/slow")"
	ended_as meter-1 provisioned
	device meter-1 "${CERT[@]}" || fail 'not provisioned with the new certificate'
	stop
}

# broken WHAT WORDS: what lies there now is refused, and the old credentials stay.
broken() {
	local said=$2

	reload
	tail -n 1 <(grep 'SIGHUP: ' "$D_LOG") >"$WORK/said"
	grep -q 'the old configuration stays' "$WORK/said" && grep -Eq -- "$said" "$WORK/said" || fail "$1: $(cat "$WORK/said")"
	[ "$(shown_by_server)" = "$(serial_of server)" ] || fail "$1: it shows $(shown_by_server)"
}

broken_files_change_nothing() {
	one_meter broken
	cp "$WORK/server.pem" "$WORK/broken.pem" && cp "$WORK/server.key" "$WORK/broken.key"
	set_option certificate_file "\"$WORK/broken.pem\""
	set_key "$WORK/broken.key"
	reload
	head -c 300 "$WORK/server.pem" >"$WORK/broken.pem"
	broken 'half a certificate' 'broken\.pem'
	rm "$WORK/broken.pem"
	broken 'no certificate' 'broken\.pem.*No such file'
	cp "$WORK/server.pem" "$WORK/broken.pem" && cp "$WORK/meter-1.key" "$WORK/broken.key"
	broken 'the key of another' 'broken\.pem with the key .*broken\.key'
	issue factory server-9 CN=bs.example.com server --name dns:bs.example.com
	cp "$WORK/server-9.pem" "$WORK/broken.pem" && cp "$WORK/server-9.key" "$WORK/broken.key"
	sed -i 's|levels = "info"|levels = "loud"|' "$D/bsserver.conf"
	broken 'good files with a bad log level' 'loud'
	sed -i 's|levels = "loud"|levels = "info"|' "$D/bsserver.conf"
	cp "$WORK/server.pem" "$WORK/broken.pem"
	cp "$WORK/server.key" "$WORK/broken.key" && chmod 644 "$WORK/broken.key"
	broken 'a key that everybody may read' 'broken\.key: everybody may read it'
	chmod 600 "$WORK/broken.key"
	replace_block 'trust = (' "trust = ( { name = \"factory\"; file = \"$WORK/none.pem\"; revocation = \"off\"; }"
	broken 'no CA file' 'none\.pem'
	device meter-1 "${CERT[@]}" || fail 'not provisioned under the old configuration'
	stop
}

make_token() {
	export SOFTHSM2_CONF=$WORK/softhsm.conf
	mkdir -p "$WORK/tokens"
	echo "directories.tokendir = $WORK/tokens" >"$SOFTHSM2_CONF"
	softhsm2-util --init-token --free --label bsserver --pin "$PIN" --so-pin 12345678 >"$WORK/hsm.log" 2>&1 &&
		softhsm2-util --import "$WORK/server.key" --token bsserver --label bs --id 01 --pin "$PIN" >>"$WORK/hsm.log" 2>&1 ||
		fail "no token: $(cat "$WORK/hsm.log")"
	(umask 077 && echo "$PIN" >"$WORK/pin" && echo 000000 >"$WORK/wrong-pin")
	TOKEN_KEY='pkcs11:token=bsserver;object=bs;type=private'
}

key_in_a_token() {
	command -v softhsm2-util >/dev/null || skip 'softhsm2 is not installed'
	cert_daemon token
	make_token
	set_key "$TOKEN_KEY"
	set_option pin_file "\"$WORK/pin\""
	issue factory meter-1 CN=meter-1 client --force
	start
	knocks_with meter-1 '{ "mode": "x509" }'
	raw_key_pair raw
	knocks_with raw "{ \"mode\": \"rpk\", \"identity\": $(jq -Rs . "$WORK/raw.pub") }"
	with_cert meter-1
	device meter-1 "${CERT[@]}" --repeat 3 || fail 'no bootstrap with a key in a token'
	slow_device
	reload
	wait "$SLOW" || fail "the session under way did not survive: $(cat "$WORK/slow")"
	with_rpk raw
	device raw "${CERT[@]}" || fail 'no bootstrap by raw public key with a key in a token'
	grep -q "$PIN" "$D_LOG" "$D/bsserver.conf" && fail 'the PIN is in the log or in the configuration'
	set_key "${TOKEN_KEY/=bs;/=another;}"
	broken 'no such key in the token' 'pkcs11:.*object=another'
	with_cert meter-1
	device meter-1 "${CERT[@]}" || fail 'the old key in the token is of no use any more'
	stop
	set_key "$TOKEN_KEY"
	set_option pin_file "\"$WORK/wrong-pin\"" # asked for when the token is opened: a running daemon has it open
	refused_to_run '[1-9]*'
	says 'pkcs11:'
	set_option pin_file "\"$WORK/pin\""
	start # the token was not locked by what was tried
	with_cert meter-1
	device meter-1 "${CERT[@]}" || fail 'not provisioned after a wrong PIN'
	stop
}

run_case 'new files are for new sessions, old sessions go on' new_files_are_for_new_sessions
run_case 'broken files keep the old credentials' broken_files_change_nothing
run_case 'the key in a PKCS #11 token' key_in_a_token
finish
