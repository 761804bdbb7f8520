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
run_case int-7 falls_back
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
