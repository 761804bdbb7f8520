#!/bin/bash
# Foreign clients against this server: a Leshan device bootstraps from bsserver and registers at a Leshan LwM2M Server
# with the credentials that bsserver wrote; devices that are not who they say are refused and disturb nobody.
# Prints TAP. Needs BUILDDIR (where bsserver and lwm2m-prov were built). Exit: 0, 1 some case failed, 77 Maven Central
# does not answer. SEED repeats the keys of a run, KEEP=1 keeps its files, CASES='NAME...' runs some cases only.
set -u

SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
BUILDDIR=${BUILDDIR:-$SRCDIR/build}
SEED=${SEED:-$(od -An -N8 -tu8 /dev/urandom | tr -d ' ')}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/interop.XXXXXX")
HARNESS=$BUILDDIR/tests/interop/leshan
CASE_NUMBER=0 PASSED=0 FAILED=0
. "$SRCDIR/tests/interop/harness.sh"
. "$SRCDIR/tests/interop/bsserver.sh"
. "$SRCDIR/tests/interop/certificates.sh"

finish() {
	stop_all
	if [ -n "${KEEP:-}" ]; then
		say "files are in $WORK"
	else
		rm -rf "$WORK"
	fi
}
trap finish EXIT
trap 'exit 130' INT TERM

# run_case NAME FUNCTION ARGUMENT...: in a subshell, which stops what it started; one line of TAP.
run_case() {
	local name=$1

	shift
	[ -z "${CASES:-}" ] || [[ " $CASES " == *" $name "* ]] || return 0
	CASE_NUMBER=$((CASE_NUMBER + 1))
	if (
		PROCESS=()
		trap stop_all EXIT
		"$@"
	); then
		PASSED=$((PASSED + 1))
		echo "ok $CASE_NUMBER - $name"
	else
		FAILED=$((FAILED + 1))
		echo "not ok $CASE_NUMBER - $name"
	fi
}

summary() {
	echo "1..$CASE_NUMBER"
	echo "$PASSED passed, $FAILED failed"
	[ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
}

# --- the peers among themselves: a device that these cases fail is not worth asking -------------------------------

peer_bootstraps() {
	local coap coaps

	coap=$(free_port) coaps=$(free_port)
	start_java peer BsServer --coap "$coap" --coaps "$coaps" --key "$(key_file peers)" \
		--account "coaps://127.0.0.1:$DM_COAPS" --verbose
	expect peer '^ready$' 60
	dm_store peer-device peer-device peers
	device good "coaps://127.0.0.1:$coaps" peer-device --psk peer-device "$(key_file peers)"
	expect good '^bootstrap succeeded '
	expect good "^registered coaps://127.0.0.1:$DM_COAPS"
	dm_has peer-device 'psk peer-device'
	stop good gently
	device stranger "coaps://127.0.0.1:$coaps" peer-device --psk peer-device "$(key_file other)" --timeout 4000
	expect stranger '^bootstrap (failed|timed out)'
	never stranger '^registered'
	dm_lacks peer-device
}

# --- devices that bootstrap -----------------------------------------------------------------------------------------

# bootstraps NAME TRANSPORT PCT: nothing known but the bootstrap account; at the end registered with what was written.
bootstraps() {
	local endpoint=urn:dev:ops:interop-$1 transport=$2 pct=$3

	enroll "$endpoint" "$transport"
	knock real "$transport" "$endpoint" --pct "$pct"
	provisioned_and_registered real "$endpoint" "psk $endpoint-dm"
	wrote_in_format "$endpoint" "$pct"
}

# provisioned_and_registered DEVICE ENDPOINT IDENTITY: the device, the LwM2M Server and bsserver agree.
provisioned_and_registered() {
	local name=$1 endpoint=$2 identity=$3

	expect "$name" '^bootstrap succeeded '
	expect "$name" "^registered coaps://127.0.0.1:$DM_COAPS"
	dm_has "$endpoint" "$identity"
	provisioned "$endpoint"
	tell "$name" dump
	expect "$name" '^dumped$'
	holds "$name" '/0/[0-9]+/1 true'
	holds "$name" "/0/[0-9]+/0 coaps://127\.0\.0\.1:$DM_COAPS"
	holds "$name" '/1/[0-9]+/0 101'
	holds "$name" '/1/[0-9]+/1 300'
	stop "$name" gently
}

# int-2: certificates both to knock and to register. USAGE says what the device knows the servers by, their own
# certificate (3) or their CA (2); named or pinned, what we know the device by.
bootstraps_x509() {
	local endpoint=urn:dev:ops:interop-$1 usage=$2

	enroll_x509 "$endpoint" "$usage" "$3"
	knock_x509 real "$endpoint" "$usage"
	provisioned_and_registered real "$endpoint" "x509 $endpoint"
}

# The same with raw public keys, which profile and LwM2M Server name.
bootstraps_rpk() {
	local endpoint=urn:dev:ops:interop-$1

	enroll_rpk "$endpoint"
	knock_rpk real "$endpoint"
	provisioned_and_registered real "$endpoint" "rpk $(public_hex "$endpoint-dm")"
}

# --- what a device holds already --------------------------------------------------------------------------------------

# keeping_profile ENDPOINT [SERVER [MEMBERS]]: policy incremental; the LwM2M Server, one more, and members beside.
keeping_profile() {
	key_file "$1-bs" >/dev/null
	key_file "$1-dm" >/dev/null
	key_file "$1-fota" >/dev/null
	cat >"$WORK/profiles/keeping.json" <<-EOF
	{
	  "profile_format": 1,
	  "endpoint": "$1",
	  "credentials": { "bootstrap": { "mode": "psk", "identity": "$1", "key": { "file": "keys/$1-bs.hex" } } },
	  "servers": {
	    "dm": { "short_server_id": 101, "uri": "coaps://127.0.0.1:$DM_COAPS", "lifetime": 300, "binding": "U",
	            "security": { "mode": "psk", "identity": "$1-dm", "key": { "file": "keys/$1-dm.hex" } } }${2:-}
	  }${3:-},
	  "bootstrap": { "policy": "incremental", "early_return": 0 }
	}
	EOF
	prov apply -f "$WORK/profiles/keeping.json" >"$WORK/apply.log" 2>&1 || {
		sed 's/^/# /' "$WORK/apply.log"
		fail 'apply -f keeping.json'
	}
}

# dumped NAME: what the device says that it holds, into HOLDS; without what its own account to bootstrap with is.
dumped() {
	tell "$1" dump
	expect "$1" '^dumped$'
	HOLDS=$(sed -n 's/^holds //p' "${LOG[$1]}" | tail -n "+$((1 + ${DUMPED:-0}))" | grep -v '^/0/0/')
	DUMPED=$(grep -c '^holds ' "${LOG[$1]}")
}

# server_reads ENDPOINT PATH VALUE: as the LwM2M Server reads it.
server_reads() {
	local said

	said=$(curl -fsS "http://127.0.0.1:$DM_HTTP/api/clients/$1$2") || fail "the LwM2M Server cannot read $2"
	[[ $said == *"$3"* ]] || fail "the LwM2M Server reads $2 as $said, not $3"
}

# written ENDPOINT: paths that its last session wrote or deleted, in order.
written() {
	prov --json session show "$1" --last | tr -s ' \n' ' ' | grep -Eo '"method": "(PUT|DELETE)", "path": "[^"]*"' | sed 's/.*"path": "//; s/"$//' | tr '\n' ' '
}

# account_held IID IDENTITY-OCTETS SSID URI, server_held IID SSID LIFETIME, rule_held IID OBJECT INSTANCE RIGHTS OWNER: as
# a device prints them. 15 and 17 are this client's own, which it has in every account.
account_held() {
	printf '/0/%s/%s\n' "$1" "0 $4" "$1" '1 false' "$1" '2 0' "$1" "3 $2 bytes" "$1" '4 0 bytes' "$1" '5 16 bytes' \
		"$1" "10 $3" "$1" '15 3' "$1" '17 /65535/65535'
}

server_held() {
	printf '/1/%s/%s\n' "$1" "0 $2" "$1" "1 $3" "$1" '6 true' "$1" '7 U'
}

rule_held() {
	printf '/2/%s/%s\n' "$1" "0 $2" "$1" "1 $3" "$1" "2 $4" "$1" "3 $5"
}

holds_exactly() {
	[ "$HOLDS" = "$1" ] || fail "the device holds something else: $(diff <(echo "$1") <(echo "$HOLDS"))"
}

# Bootstrapped twice, the second time with one server more: what the device holds is the union, as it says itself and as
# the LwM2M Server reads it, and nothing that was right is written again.
keeps_what_is_right() {
	local endpoint=urn:dev:ops:interop-keeping dm fota

	dm=$(account_held 1 30 101 "coaps://127.0.0.1:$DM_COAPS") fota=$(account_held 2 32 102 coaps://127.0.0.1:9)
	keeping_profile "$endpoint"
	dm_store "$endpoint" "$endpoint-dm" "$endpoint-dm"
	knock real coaps "$endpoint"
	bootstrapped_once "$endpoint"
	[ "$(written "$endpoint")" = '/0/1 /1/0 ' ] || fail "written first: $(written "$endpoint")"
	holds_exactly "$dm
$(server_held 0 101 300)"
	keeping_profile "$endpoint" ", \"fota\": { \"short_server_id\": 102, \"uri\": \"coaps://127.0.0.1:9\", \"lifetime\": 600,
		\"binding\": \"U\", \"security\": { \"mode\": \"psk\", \"identity\": \"$endpoint-fota\", \"key\": { \"file\": \"keys/$endpoint-fota.hex\" } } }" \
		', "access_control": { "/3/0": { "owner": "dm", "acl": { "dm": ["read", "write", "execute"], "fota": ["read"] } } }'
	trigger "$endpoint"
	bootstrapped_once "$endpoint"
	[ "$(written "$endpoint")" = '/0/2 /1/1 /2/0 /2/1 /2/2 ' ] || fail "written then: $(written "$endpoint")"
	# the profile's rule, and those that a device of several servers needs: each owns its account
	holds_exactly "$dm
$fota
$(server_held 0 101 300)
$(server_held 1 102 600)
$(rule_held 0 3 0 '{101=7, 102=1}' 101)
$(rule_held 1 1 0 '{}' 101)
$(rule_held 2 1 1 '{}' 102)"
	server_reads "$endpoint" /1/0/0 101
	server_reads "$endpoint" /1/0/1 300
	server_reads "$endpoint" /1/1/0 102
	server_reads "$endpoint" /1/1/1 600
	server_reads "$endpoint" /2/0/0 3
	server_reads "$endpoint" /2/0/3 101
	server_reads "$endpoint" /2/2/3 102
	# and once more with nothing new
	trigger "$endpoint"
	bootstrapped_once "$endpoint"
	[ -z "$(written "$endpoint")" ] || fail "written at last: $(written "$endpoint")"
	stop real gently
}

# The device bootstraps, registers with the LwM2M Server and prints what it holds.
bootstrapped_once() {
	expect real '^bootstrap succeeded '
	expect real "^registered coaps://127.0.0.1:$DM_COAPS"
	provisioned "$1"
	dumped real
}

trigger() {
	curl -fsS -o /dev/null -X POST "http://127.0.0.1:$DM_HTTP/api/clients/$1/1/0/9" || fail 'no Bootstrap-Request Trigger'
	expect real '^bootstrap started '
}

holds() {
	grep -Eq "^holds $2\$" "${LOG[$1]}" || {
		grep '^holds' "${LOG[$1]}" | sed 's/^/# /'
		fail "$1 does not hold $2"
	}
}

# int-7: the device has an account of a server that is dead.
falls_back() {
	local endpoint=urn:dev:ops:interop-int-7 dead

	dead=$(free_port)
	enroll "$endpoint" coaps
	knock real coaps "$endpoint" --timeout 3000 \
		--account "coaps://127.0.0.1:$dead" 101 "$endpoint-dm" "$(key_file "$endpoint-dm")"
	expect real "^registration (failed|timed out) coaps://127.0.0.1:$dead"
	expect real '^bootstrap started '
	provisioned_and_registered real "$endpoint" "psk $endpoint-dm"
	if grep -q "^holds /0/[0-9]*/0 coaps://127.0.0.1:$dead" "${LOG[real]}"; then
		fail 'the account of the dead server is still there'
	fi
}

# int-5: the device has no LwM2M Server but our registry; the key of its account there is made by us. It is called back,
# bootstraps and registers again, and a second time.
calls_back() {
	local endpoint=urn:dev:ops:interop-int-5 i

	key_file "$endpoint-bs" >/dev/null
	cat >"$WORK/profiles/int-5.json" <<-EOF
	{
	  "profile_format": 1,
	  "endpoint": "$endpoint",
	  "credentials": { "bootstrap": { "mode": "psk", "identity": "$endpoint", "key": { "file": "keys/$endpoint-bs.hex" } } },
	  "registry": true,
	  "bootstrap": { "policy": "replace" }
	}
	EOF
	prov apply -f "$WORK/profiles/int-5.json" >"$WORK/apply.log" 2>&1 || fail "apply: $(cat "$WORK/apply.log")"
	count_failures
	knock real coaps "$endpoint"
	expect real '^bootstrap succeeded '
	expect real "^registered coaps://127.0.0.1:$REG_COAPS"
	prov --timeout 20 wait "$endpoint" --for registered >/dev/null || fail 'it is not registered'
	for i in 1 2; do
		called_back "$endpoint" registry
		expect real '^bootstrap succeeded '
		expect real "^registered coaps://127.0.0.1:$REG_COAPS"
		prov --timeout 20 wait "$endpoint" --for registered >/dev/null || fail "it is not registered after call $i"
	done
	nothing_failed real "$endpoint"
	stop real gently
}

# --- devices that are not who they say ------------------------------------------------------------------------------

# refused REASON TRANSPORT ENDPOINT OUTCOME ARGUMENT...: while a session of the real owner of the name waits in the
# middle of its Writes, an impostor knocks and is refused for REASON; the real one then ends as if nothing had been.
refused() {
	local reason=$1 transport=$2 claimed=$3 outcome=$4 owner=$OWNER from before

	shift 4
	knock impostor "$transport" "$claimed" --wait "$@" --timeout 4000
	from=$ADDRESS
	knock real coaps "$owner" --hold
	expect impostor '^waiting$' 60
	expect real '^holding$' 60
	tell impostor start
	explained "$from" "$reason"
	before=$SECONDS
	tell real go
	provisioned_and_registered real "$owner" "psk $owner-dm"
	say "refused ($EXPLANATION), $((SECONDS - before)) s before the real one was through"
	expect impostor "^bootstrap $outcome"
	never impostor '^(bootstrap succeeded|registered)'
	[ "$(grep -c '^bootstrap started' "${LOG[real]}")" -eq 1 ] || fail 'the real device had to begin again'
}

refuses_wrong_key() {
	OWNER=urn:dev:ops:interop-robbed-of-key
	enroll "$OWNER" coaps
	refused "$WHY_WRONG_KEY" coaps "$OWNER" '(failed|timed out)' --psk "$OWNER" "$(key_file guessed)"
}

refuses_unknown_identity() {
	OWNER=urn:dev:ops:interop-undisturbed
	enroll "$OWNER" coaps
	refused "$WHY_UNKNOWN_IDENTITY" coaps "$OWNER" '(failed|timed out)' --psk nobody-knows-me "$(key_file nobody)"
}

refuses_other_name() {
	local thief=urn:dev:ops:interop-thief

	OWNER=urn:dev:ops:interop-robbed-of-name
	enroll "$OWNER" coaps
	enroll "$thief" coaps
	refused "$WHY_OTHER_NAME" coaps "$OWNER" 'failed BAD_REQUEST' --psk "$thief" "$(key_file "$thief-bs")"
	explained_for "$OWNER" "$WHY_OTHER_NAME"
}

refuses_without_security() {
	OWNER=urn:dev:ops:interop-has-a-key
	enroll "$OWNER" coaps
	refused "$WHY_NO_SECURITY" coap "$OWNER" 'failed BAD_REQUEST'
}

refuses_unknown_endpoint() {
	OWNER=urn:dev:ops:interop-bystander
	enroll "$OWNER" coaps
	refused "$WHY_UNKNOWN_ENDPOINT" coap urn:dev:ops:interop-never-heard-of 'failed BAD_REQUEST'
}

# impostor_shows x509|rpk CA NAME SUBJECT: the arguments of a device with a certificate of that CA, into SHOWN.
impostor_shows() {
	local kind=$1 ca=$2 name=$3

	certify "$ca" client "$name" --subject "CN=$4"
	if [ "$kind" = x509 ]; then
		SHOWN=(--x509 "$KEYS/$name.crt" "$KEYS/$name.key" "$KEYS/bsserver.crt" 3)
	else
		SHOWN=(--rpk "$KEYS/$name.pub" "$KEYS/$name.key" "$KEYS/bsserver.pub")
	fi
}

refuses_foreign_ca() {
	OWNER=urn:dev:ops:interop-named-by-foreign-ca
	enroll "$OWNER" coaps
	impostor_shows x509 foreign foreign-device "$OWNER"
	refused "$WHY_FOREIGN_CA" coaps "$OWNER" '(failed|timed out)' "${SHOWN[@]}"
}

refuses_other_common_name() {
	OWNER=urn:dev:ops:interop-not-in-certificate
	enroll "$OWNER" coaps
	impostor_shows x509 factory other-name urn:dev:ops:interop-somebody-else
	refused "$WHY_OTHER_NAME" coaps "$OWNER" 'failed BAD_REQUEST' "${SHOWN[@]}"
	explained_for "$OWNER" "$WHY_OTHER_NAME"
}

# The whole of it: a key is made here, the Leshan server has it before the device registers with it; the device is called
# back through the Leshan server's own interface, gets another key and registers with that, and once more. Nothing fails in
# between, and no earlier key is good for anything.
hands_off() {
	local endpoint=urn:dev:ops:interop-handed keys=() i

	enroll_handed "$endpoint"
	count_failures
	knock real coaps "$endpoint"
	for i in 1 2 3; do
		[ "$i" = 1 ] || called_back "$endpoint" leshan
		expect real '^bootstrap succeeded '
		expect real "^registered coaps://127.0.0.1:$DM_COAPS"
		dm_has "$endpoint" "psk $endpoint-dm"
		handed "$endpoint" settled
		keys+=("$(dm_key "$endpoint")")
	done
	provisioned "$endpoint"
	nothing_failed real "$endpoint-dm"
	[ "$(dm_saw "$endpoint")" = 'credentials registered credentials registered credentials registered ' ] ||
		fail "the Leshan server saw: $(dm_saw "$endpoint")"
	[ "$(printf '%s\n' "${keys[@]}" | sort -u | grep -Ec '^[0-9a-f]{32}$')" = 3 ] || fail 'not another key each time'
	dm_takes "$endpoint-dm" "${keys[2]}" || fail 'the Leshan server does not take the newest key'
	! dm_takes "$endpoint-dm" "${keys[1]}" || fail 'the Leshan server still takes the key before'
	stop real gently
}

# called_back ENDPOINT WAY: by `trigger`, all the way to the end of its session.
called_back() {
	prov --timeout 60 trigger "$1" --wait --json >"$WORK/job.json" || fail "trigger: $(cat "$WORK/job.json")"
	tr -d ' \n' <"$WORK/job.json" | grep -Eq "\"outcome\":\"bootstrapped\".*\"via\":\"$2\"" ||
		fail "trigger: $(cat "$WORK/job.json")"
	expect real '^bootstrap started '
}

# count_failures: how many handshakes with bsserver have failed until now; nothing_failed DEVICE IDENTITY: none has since,
# none of the device's registrations, and the LwM2M Server has not been shown an identity that it did not know.
count_failures() {
	FAILURES=$(handshakes_failed)
}

handshakes_failed() {
	curl -fsS --unix-socket "$WORK/bs/api.sock" http://localhost/metrics |
		awk '/^bsserver_(transport|registry)_handshakes_failed_total /{ n += $2; k++ } END { if (k == 2) print n }'
}

nothing_failed() {
	[ -n "$FAILURES" ] && [ "$(handshakes_failed)" = "$FAILURES" ] || fail "handshakes failed: $FAILURES, now $(handshakes_failed)"
	never "$1" '^(registration|bootstrap) (failed|timed out)|^unexpected error'
	! grep -q "^stranger $2\$" "${LOG[management]}" || fail "the LwM2M Server did not know $2"
}

# dm_saw ENDPOINT: what the LwM2M Server said of it, in order: it learned a key, it was registered with.
dm_saw() {
	sed -n "s/^\(credentials\|registered\) $1\\( .*\)\{0,1\}\$/\1/p" "${LOG[management]}" | tr '\n' ' '
}

stand_still() {
	kill -STOP "$MANAGEMENT_PID"
	trap 'kill -CONT "$MANAGEMENT_PID"; stop_all' EXIT
}

go_on() {
	kill -CONT "$MANAGEMENT_PID"
}

# The Leshan server stands still before it is told: the bootstrap fails and says why, the device has nothing. When it goes
# on again it is told what is true, and the next bootstrap comes through.
hands_off_to_nobody() {
	local endpoint=urn:dev:ops:interop-unheard

	enroll_handed "$endpoint"
	stand_still
	knock real coaps "$endpoint"
	expect real '^bootstrap started '
	explained_for "$endpoint" 'leshan: Operation timed out'
	never real '^(bootstrap succeeded|registered)'
	stop real
	go_on
	handed "$endpoint" held
	knock again coaps "$endpoint"
	provisioned_and_registered again "$endpoint" "psk $endpoint-dm"
	handed "$endpoint" settled
}

# It stands still once it was told, while the device is written to: the device has the key, and registers when it can.
stops_when_told() {
	local endpoint=urn:dev:ops:interop-told key

	enroll_handed "$endpoint"
	knock real coaps "$endpoint" --hold
	expect real '^holding$' 60
	handed "$endpoint" told
	key=$(dm_key "$endpoint")
	stand_still
	tell real go
	expect real '^bootstrap succeeded '
	expect real '^registration started '
	handed "$endpoint" settled
	go_on
	expect real "^registered coaps://127.0.0.1:$DM_COAPS" 60
	provisioned "$endpoint"
	dm_has "$endpoint" "psk $endpoint-dm"
	[ -n "$key" ] && [ "$(dm_key "$endpoint")" = "$key" ] || fail 'the Leshan server has another key'
	stop real gently
}

# It stands still when a device is to be called back: the job says that it gives no answer, and asks again.
stops_at_the_trigger() {
	local endpoint=urn:dev:ops:interop-unasked job

	enroll_handed "$endpoint"
	knock real coaps "$endpoint"
	expect real "^registered coaps://127.0.0.1:$DM_COAPS"
	handed "$endpoint" settled
	stand_still
	prov trigger "$endpoint" --json >"$WORK/job.json" || fail "trigger: $(cat "$WORK/job.json")"
	job=$(grep -Eo '"id": *[0-9]+' "$WORK/job.json" | grep -Eo '[0-9]+')
	job_says "$job" '"outcome":"pending".*"via":"leshan","said":"Operationtimedout'
	never real '^deregistered'
	go_on
	expect real '^bootstrap succeeded ' 60
	expect real "^registered coaps://127.0.0.1:$DM_COAPS"
	job_says "$job" '"outcome":"bootstrapped"'
	handed "$endpoint" settled
	dm_has "$endpoint" "psk $endpoint-dm"
	never real '^registration (failed|timed out)'
	stop real gently
}

# job_says JOB REGEX: of its device, blanks left out.
job_says() {
	local until=$((SECONDS + 60))

	until prov job show "$1" --json | tr -d ' \n' | grep -Eq "$2"; do
		[ "$SECONDS" -le "$until" ] || fail "job $1 does not say $2: $(prov job show "$1" --json)"
		sleep 0.2
	done
}

# The device knows another server's certificate and will have none of ours: it is that which `why` says.
explains_device_that_refuses() {
	local endpoint=urn:dev:ops:interop-wrong-pin

	enroll_x509 "$endpoint" 3 named
	new_address
	start_java real Device --server "coaps://127.0.0.1:$BS_COAPS" --endpoint "$endpoint" --address "$ADDRESS" \
		--x509 "$KEYS/$endpoint-bs.crt" "$KEYS/$endpoint-bs.key" "$KEYS/management.crt" 3 --timeout 4000
	explained "$ADDRESS" "$WHY_REFUSED_BY_DEVICE"
	say "explained ($EXPLANATION)"
	expect real '^bootstrap (failed|timed out)'
	never real '^(bootstrap succeeded|registered)'
}

refuses_unknown_raw_key() {
	OWNER=urn:dev:ops:interop-has-no-raw-key
	enroll "$OWNER" coaps
	impostor_shows rpk factory stray stray
	refused "$WHY_UNKNOWN_RPK" coaps "$OWNER" '(failed|timed out)' "${SHOWN[@]}"
}

# --------------------------------------------------------------------------------------------------------------------

say "SEED=$SEED"
install_java || { say 'Java and Maven cannot be installed'; exit 1; }
build_harness
rc=$?
[ "$rc" -eq 0 ] || exit "$rc"
bsserver_exists || {
	say "no bsserver and lwm2m-prov in $BUILDDIR: nothing to try the peers on"
	start_management
	run_case peers-among-themselves peer_bootstraps
	summary && exit 77
	exit 1
}
make_certificates
start_management --x509 "$KEYS/management.crt" "$KEYS/management.key" "$KEYS/operator/ca.pem"
MANAGEMENT_PID=${PROCESS[management]}
run_case peers-among-themselves peer_bootstraps
start_bsserver
for transport in coap coaps; do
	for pct in tlv senml-cbor none; do
		run_case "bootstrap-$transport-$pct" bootstraps "$transport-$pct" "$transport" "$pct"
	done
done
run_case int-1 bootstraps int-1 coaps none
run_case int-2 bootstraps_x509 int-2 3 named
run_case int-2-ca bootstraps_x509 int-2-ca 2 pinned
run_case int-2-rpk bootstraps_rpk int-2-rpk
run_case int-5 calls_back
run_case int-7 falls_back
run_case hands-off hands_off
run_case hands-off-to-nobody hands_off_to_nobody
run_case server-stops-when-told stops_when_told
run_case server-stops-at-the-trigger stops_at_the_trigger
run_case keeps-what-is-right keeps_what_is_right
run_case refused-wrong-key refuses_wrong_key
run_case refused-unknown-identity refuses_unknown_identity
run_case refused-other-name refuses_other_name
run_case refused-foreign-ca refuses_foreign_ca
run_case refused-other-common-name refuses_other_common_name
run_case refused-unknown-raw-key refuses_unknown_raw_key
run_case device-refuses-our-certificate explains_device_that_refuses
run_case refused-no-security refuses_without_security
run_case refused-unknown-endpoint refuses_unknown_endpoint

summary
