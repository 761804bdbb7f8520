# This side of the interop cases, as shell functions: bsserver and lwm2m-prov from BUILDDIR. Sourced by run.sh after
# harness.sh.
# shellcheck shell=bash

# What `why` must say of each refusal: names of reasons, and words of the transport and of the rules.
WHY_WRONG_KEY='wrong key'
WHY_UNKNOWN_IDENTITY='unknown identity'
WHY_OTHER_NAME='calls itself|identity_mismatch'
WHY_NO_SECURITY='identity_mismatch|no_credential_rule|must_be_nosec|credential'
WHY_FOREIGN_CA='certificate.*unknown_ca.*issuer is not known'
WHY_UNKNOWN_RPK='unknown_identity.*no device that may knock is registered with the raw public key'
WHY_REFUSED_BY_DEVICE='handshake.*the device broke off with the alert'
WHY_UNKNOWN_ENDPOINT='unknown_endpoint|not registered'

BSSERVER=$BUILDDIR/bsserver/bsserver
PROV=$BUILDDIR/lwm2m-prov/lwm2m-prov

# Whether this build has the daemon and its command line.
bsserver_exists() {
	[ -x "$BSSERVER" ] && [ -x "$PROV" ] && "$BSSERVER" --help 2>/dev/null | grep -qw init
}

prov() {
	"$PROV" --socket "$WORK/bs/api.sock" "$@"
}

# configure FILE: what `bsserver init` wrote, with two listeners on 127.0.0.1 (coap must be asked for in words), one where
# devices register, our certificate, the devices' CA, and rules for all that a device may come with, nothing included.
configure() {
	sed -i \
		-e "s|^  { uri = \"coaps://.*|  { uri = \"coaps://127.0.0.1:$BS_COAPS\"; security = \"psk x509 rpk\"; },\\n  { uri = \"coap://127.0.0.1:$BS_COAP\"; security = \"none\"; }|" \
		-e "s|^    # { uri = \"coaps://\[::\]:5686\".*|    { uri = \"coaps://127.0.0.1:$REG_COAPS\"; security = \"psk\"; }|" \
		-e "/^registry:/,/^};/s|^  uri = .*|  uri = \"coaps://127.0.0.1:$REG_COAPS\";|" \
		-e "s|^trust = (|&\\n  { name = \"factory\"; file = \"$KEYS/factory/ca.pem\"; revocation = \"off\"; },\\n  { name = \"operator\"; file = \"$KEYS/operator/ca.pem\"; for = \"servers\"; revocation = \"off\"; }|" \
		-e "s|^lwm2m_servers = (|&\\n  { name = \"leshan\"; driver = \"leshan\"; url = \"http://127.0.0.1:$DM_HTTP\"; }|" \
		-e "s|^  certificate_file = .*|  certificate_file = \"$KEYS/bsserver.crt\";|" \
		-e "s|^  key = .*|  key = \"$KEYS/bsserver.key\";|" \
		-e 's|^    { credential = "psk"; rule = "mapped"; }|&,\n    { credential = "x509"; rule = "mapped"; },\n    { credential = "x509"; rule = "cn"; trust = "factory"; },\n    { credential = "rpk"; rule = "mapped"; },\n    { credential = "nosec"; rule = "named"; }|' "$1"
	grep -q 'security = "none"; }$' "$1" && grep -q 'credential = "nosec"; rule = "named"' "$1" &&
		grep -q "{ name = \"factory\"; file = \"$KEYS" "$1" && grep -q "^  key = \"$KEYS" "$1" ||
		fail "$1 is not as expected: no place for listeners, trust, rules and credentials"
}

# bsserver with a coap and a coaps listener: ports BS_COAP and BS_COAPS. Devices register at REG_COAPS.
start_bsserver() {
	BS_COAP=$(free_port) BS_COAPS=$(free_port) REG_COAPS=$(free_port)
	"$BSSERVER" init --dir "$WORK/bs" >"$WORK/init.log" 2>&1 || {
		sed 's/^/# /' "$WORK/init.log"
		fail 'bsserver init'
	}
	configure "$WORK/bs/bsserver.conf"
	start bsserver "$BSSERVER" run -c "$WORK/bs/bsserver.conf"
	expect bsserver 'ready' 30
}

# enroll ENDPOINT coap|coaps: its profile is applied, the LwM2M Server knows the key that will be written.
enroll() {
	local endpoint=$1 credential='"mode": "nosec"'

	key_file "$endpoint-bs" >/dev/null
	key_file "$endpoint-dm" >/dev/null
	if [ "$2" = coaps ]; then
		credential="\"mode\": \"psk\", \"identity\": \"$endpoint\", \"key\": { \"file\": \"keys/$endpoint-bs.hex\" }"
	fi
	apply_profile "$endpoint" "$credential" \
		"\"mode\": \"psk\", \"identity\": \"$endpoint-dm\", \"key\": { \"file\": \"keys/$endpoint-dm.hex\" }"
	dm_store "$endpoint" "$endpoint-dm" "$endpoint-dm"
}

# enroll_handed ENDPOINT: the key of its account is made by bsserver, anew at each bootstrap, and handed to the LwM2M Server.
enroll_handed() {
	key_file "$1-bs" >/dev/null
	apply_profile "$1" "\"mode\": \"psk\", \"identity\": \"$1\", \"key\": { \"file\": \"keys/$1-bs.hex\" }" \
		"\"mode\": \"psk\", \"identity\": \"$1-dm\", \"key\": { \"generate\": 16, \"rotate\": \"on_bootstrap\" } },
	      \"handoff\": { \"to\": \"leshan\", \"deadline\": \"4s\""
}

# handed ENDPOINT STATE: so it stands with its hand-off.
handed() {
	local until=$((SECONDS + 30))

	until prov handoff list "$1" --json | tr -d ' \n' | grep -q "\"state\":\"$2\""; do
		[ "$SECONDS" -le "$until" ] || fail "the hand-off of $1 is not $2: $(prov handoff list "$1")"
		sleep 0.1
	done
}

# apply_profile ENDPOINT BOOTSTRAP SECURITY: members of its credentials, and of its account at the LwM2M Server.
apply_profile() {
	local endpoint=$1 file=$WORK/profiles/${1//:/-}.json

	cat >"$file" <<-EOF
	{
	  "profile_format": 1,
	  "endpoint": "$endpoint",
	  "credentials": { "bootstrap": { $2 } },
	  "servers": {
	    "dm": {
	      "short_server_id": 101,
	      "uri": "coaps://127.0.0.1:$DM_COAPS",
	      "security": { $3 },
	      "lifetime": 300,
	      "binding": "U"
	    }
	  },
	  "bootstrap": { "policy": "replace" }
	}
	EOF
	prov apply -f "$file" >"$WORK/apply.log" 2>&1 || {
		sed 's/^/# /' "$WORK/apply.log"
		fail "apply -f ${file##*/}"
	}
}

# knock NAME coap|coaps ENDPOINT ARGUMENT...: a device at this server, with the endpoint's own PSK over coaps unless the
# arguments name other credentials.
knock() {
	local name=$1 transport=$2 endpoint=$3

	shift 3
	if [ "$transport" = coap ]; then
		device "$name" "coap://127.0.0.1:$BS_COAP" "$endpoint" "$@"
	elif [[ " $* " =~ ' --'(psk|x509|rpk)' ' ]]; then
		device "$name" "coaps://127.0.0.1:$BS_COAPS" "$endpoint" "$@"
	else
		device "$name" "coaps://127.0.0.1:$BS_COAPS" "$endpoint" --psk "$endpoint" "$(key_file "$endpoint-bs")" "$@"
	fi
}

# provisioned ENDPOINT: its newest session that was let in went well (whoever was refused under its
# name may have knocked later).
provisioned() {
	local session=$WORK/session.json id

	prov --timeout 10 wait "$1" --for provisioned >"$WORK/wait.log" 2>&1 || {
		sed 's/^/# /' "$WORK/wait.log"
		fail "wait $1 --for provisioned"
	}
	id=$(prov session list "$1" --verdict provisioned --limit 1 --json | grep -Eo '"id": *[0-9]+' | grep -Eo '[0-9]+' | head -n 1)
	[ -n "$id" ] || fail "no session of $1 ended provisioned"
	prov session show "$id" --json >"$session.lines" || fail "session show $id"
	tr -s ' \n' ' ' <"$session.lines" >"$session"
	grep -Eq '"verdict": *"provisioned"' "$session" || fail "verdict of $1: $(grep -Eo '"(verdict|reason|detail)": *"[^"]*"' "$session" | tr '\n' ' ')"
}

# wrote_in_format ENDPOINT PCT: every Write of its last session, the one that provisioned() fetched.
wrote_in_format() {
	local format others

	case $2 in
	senml-cbor) format=112 ;;
	*) format=11542 ;;
	esac
	others=$(grep -Eo '"method": *"PUT"[^}]*' "$WORK/session.json" | grep -Evc "\"format\": *$format\b")
	grep -Eq "\"method\": *\"PUT\"[^}]*\"format\": *$format\b" "$WORK/session.json" && [ "$others" -eq 0 ] ||
		fail "$1 asked for $2 and was not written to in format $format alone"
}

# explained ADDRESS REGEX: `why --peer` names the reason, at the latest after 10 s. EXPLANATION is the line.
explained() {
	explain_until --peer "$1" "$2"
}

explained_for() {
	explain_until "$1" '' "$2"
}

explain_until() {
	local until=$((SECONDS + 10)) regex=$3 said

	while [ "$SECONDS" -le "$until" ]; do
		said=$(prov why ${1:+"$1"} ${2:+"$2"} 2>&1)
		if EXPLANATION=$(grep -Eim 1 -- "$regex" <<<"$said"); then
			return 0
		fi
		sleep 0.1
	done
	sed 's/^/# why: /' <<<"$said"
	fail "why $1 $2 does not say '$regex'"
}
