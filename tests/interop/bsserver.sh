# This side of the interop cases, as shell functions: bsserver and lwm2m-prov from BUILDDIR. Sourced by run.sh after
# harness.sh.
# shellcheck shell=bash

# What `why` must say of each refusal.
WHY_WRONG_KEY='wrong key'
WHY_UNKNOWN_IDENTITY='unknown identity'
WHY_OTHER_NAME='identity_mismatch'
WHY_NO_SECURITY='identity_mismatch|no_credential_rule'
WHY_UNKNOWN_ENDPOINT='unknown_endpoint'

bsserver_exists() {
	[ -x "$BUILDDIR/bsserver/bsserver" ] && [ -x "$BUILDDIR/lwm2m-prov/lwm2m-prov" ] &&
		"$BUILDDIR/bsserver/bsserver" init --dir "$WORK/bs" >"$WORK/init.log" 2>&1 && return 0
	sed 's/^/# /' "$WORK/init.log" 2>/dev/null
	return 1
}

prov() {
	"$BUILDDIR/lwm2m-prov/lwm2m-prov" --socket "$WORK/bs/api.sock" "$@"
}

# bsserver with a coap and a coaps listener: ports BS_COAP and BS_COAPS.
start_bsserver() {
	BS_COAP=$(free_port) BS_COAPS=$(free_port)
	start bsserver "$BUILDDIR/bsserver/bsserver" run -c "$WORK/bs/bsserver.conf"
	expect bsserver 'ready' 30
}

# enroll ENDPOINT coap|coaps: its profile is applied, the LwM2M Server knows the credentials that will be written.
enroll() {
	local endpoint=$1 file credential='"mode": "nosec"'

	file=$WORK/profiles/${endpoint//:/-}.json
	key_file "$endpoint-bs" >/dev/null
	key_file "$endpoint-dm" >/dev/null
	if [ "$2" = coaps ]; then
		credential="\"mode\": \"psk\", \"identity\": \"$endpoint\", \"key\": { \"file\": \"keys/$endpoint-bs.hex\" }"
	fi
	cat >"$file" <<-EOF
	{
	  "profile_format": 1,
	  "endpoint": "$endpoint",
	  "credentials": { "bootstrap": { $credential } },
	  "servers": {
	    "dm": {
	      "short_server_id": 101,
	      "uri": "coaps://127.0.0.1:$DM_COAPS",
	      "security": { "mode": "psk", "identity": "$endpoint-dm", "key": { "file": "keys/$endpoint-dm.hex" } },
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
	dm_store "$endpoint" "$endpoint-dm" "$endpoint-dm"
}

# knock NAME coap|coaps ENDPOINT ARGUMENT...: a device at this server, with the endpoint's own PSK over coaps unless the
# arguments name another.
knock() {
	local name=$1 transport=$2 endpoint=$3

	shift 3
	if [ "$transport" = coap ]; then
		device "$name" "coap://127.0.0.1:$BS_COAP" "$endpoint" "$@"
	elif [[ " $* " == *' --psk '* ]]; then
		device "$name" "coaps://127.0.0.1:$BS_COAPS" "$endpoint" "$@"
	else
		device "$name" "coaps://127.0.0.1:$BS_COAPS" "$endpoint" --psk "$endpoint" "$(key_file "$endpoint-bs")" "$@"
	fi
}

# provisioned ENDPOINT: the verdict of its last session.
provisioned() {
	local session=$WORK/session.json

	prov --timeout 10 wait "$1" --for provisioned >"$WORK/wait.log" 2>&1 || {
		sed 's/^/# /' "$WORK/wait.log"
		fail "wait $1 --for provisioned"
	}
	prov session show "$1" --last --json >"$session" || fail "session show $1 --last"
	grep -Eq '"verdict": *"provisioned"' "$session" || fail "verdict of $1: $(grep -Eo '"(verdict|reason|detail)": *"[^"]*"' "$session" | tr '\n' ' ')"
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
