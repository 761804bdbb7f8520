#!/bin/bash
# The command line with the daemon, and with daemons that misbehave. TAP.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/cli_frame.sh"

BSSERVER=${BSSERVER:-$BUILDDIR/bsserver/bsserver}
DEVICE=${DEVICE:-$BUILDDIR/tests/sim/lwm2m-device}
PATIENCE=60 # seconds for what takes milliseconds: machines are loaded
ROWS=${ROWS:-2000} # of the large batch

# Times, and numbers that differ from run to run.
SCRUB='s/ in [0-9.]+ s/ in T s/; s| \([0-9]+/s\)||; s/revision [0-9]+/revision N/; s/[0-9a-f]{16}$/FINGERPRINT/'

# within COMMAND...: until it succeeds.
within() {
	local until=$((SECONDS + PATIENCE))

	until "$@"; do
		[ "$SECONDS" -le "$until" ] || return 1
		sleep 0.02
	done
}

launch() {
	: >"$WORK/log"
	"$BSSERVER" run -c "$WORK/d/bsserver.conf" >>"$WORK/log" 2>&1 &
	daemon=$!
	within grep -q ' ready,' "$WORK/log" || {
		sed 's/^/# /' "$WORK/log"
		echo 'Bail out! bsserver does not start'
		exit 1
	}
	uri=$(sed -n 's/.* listening on //p' "$WORK/log")
}

"$BSSERVER" init --dir d >/dev/null || {
	echo 'Bail out! bsserver init'
	exit 1
}
sed -i 's|coaps://\[::\]:5684|coaps://127.0.0.1:0|' d/bsserver.conf
export LWM2M_PROV_SOCKET=$WORK/d/api.sock
launch

# --- documents -----------------------------------------------------------------------------------

mkdir fleet keys
cat >fleet/base.json <<'END'
{
  "profile_format": 1,
  "profile": "meter",
  "servers": {
    "dm": { "short_server_id": 101, "uri": "coaps://dm.example.com",
            "security": { "mode": "psk", "identity": "${endpoint}", "key": { "generate": 16 } } }
  },
  "bootstrap": { "policy": "replace" }
}
END
cat >fleet/device.json <<'END'
{ "profile_format": 1, "endpoint": "dev-1", "extends": "meter",
  "credentials": { "bootstrap": { "mode": "psk", "identity": "dev-1", "key": { "file": "../keys/dev-1.psk" } } } }
END
new_key() {
	od -An -N16 -v -tx1 /dev/urandom | tr -d ' \n' >"$1"
}
new_key keys/dev-1.psk

expect 3 'apply: a key file above the folder is refused' apply -f fleet/device.json <<'END'
1 document: 1 invalid, in T s
! lwm2m-prov: fleet/device.json:2:88: error: ".." leads out of its folder (/credentials/bootstrap/key/file) [file]
END
sed -i 's|\.\./keys|keys|' fleet/device.json
cp -r keys fleet/
expect 0 'apply --dry-run: a folder, profiles before those that extend them' apply -f fleet --dry-run <<'END'
created  profile  meter
created  device  dev-1
2 documents: 2 created, in T s; nothing was changed
END
expect 8 'apply --dry-run: nothing was changed' device show dev-1 <<'END'
! lwm2m-prov: no device dev-1
END
expect 9 'diff --exit-code: there are differences' diff -f fleet --exit-code <<'END'
profile meter: created
device dev-1: created
2 documents, 2 different
END
expect 0 'apply: the same for good; what -I has is sent when it is needed' apply -f fleet/device.json -I fleet <<'END'
created  profile  meter
created  device  dev-1
2 documents: 2 created, in T s
END
expect 0 'apply: again, it is unchanged' apply -f fleet <<'END'
unchanged  profile  meter
unchanged  device  dev-1
2 documents: 2 unchanged, in T s
END
expect 0 'diff --exit-code: no differences' diff -f fleet --exit-code <<'END'
2 documents, 0 different
END
sed 's/dm.example.com/dm2.example.com/' fleet/base.json >changed.json
expect 0 'diff: the place, what there is and what is wanted' diff -f changed.json <<'END'
profile meter: updated
  /servers/dm/uri: "coaps://dm.example.com" -> "coaps://dm2.example.com"
1 document, 1 different
END
ends 10 'apply --expect-revision: another one is a conflict' apply -f changed.json --expect-revision 999
holds 'apply --expect-revision: says which it is' err 'changed.json:1: profile meter: conflict: .*revision'
printf '%s\n' '{"profile_format":1,"endpoint":"half"' '{"profile_format":1,"endpoint":"whole","extends":"meter"}' \
	'{"profile_format":1,"endpoint":"lost","extends":"nowhere"}' >some.ndjson
expect 4 'apply: bad rows harm no other' apply -f some.ndjson <<'END'
created  device  whole
3 documents: 1 created, 2 invalid, in T s
! lwm2m-prov: some.ndjson:1:32: error: '}' expected near end of file [syntax]
! lwm2m-prov: some.ndjson:3:49: error: no profile "nowhere" (/extends) [unknown-parent]
END
expect 3 'apply: of one document the exit code is its own' apply -f - <<'END'
1 document: 1 invalid, in T s
! lwm2m-prov: -:1:1: error: an empty document [syntax]
END
sed -n 1p some.ndjson >bad.ndjson && sed -n 3p some.ndjson >>bad.ndjson
ends 1 'apply: all rows failed' apply -f bad.ndjson
ends 0 'apply --json: a row for each and the sum' --json apply -f fleet
holds 'apply --json: these are they' out '^\{"source":"fleet/base.json:1","kind":"profile","name":"meter","result":"unchanged"' \
	'"kind":"device","name":"dev-1","result":"unchanged"' '^\{"summary":\{"documents":2,"counts":\{"created":0,.*"unchanged":2'

# --- devices -------------------------------------------------------------------------------------

new_key two.psk
expect 0 'device add: a key from a file' device add dev-2 --profile meter --key-file two.psk --label 'site=a $1' <<'END'
created  device  dev-2
1 document: 1 created, in T s
END
expect 10 'device add: it is there already' device add dev-2 --profile meter --key-file two.psk <<'END'
1 document: 1 exists, in T s
! lwm2m-prov: command line:1: device dev-2: exists: dev-2: is there already, revision N
END
new_key three.psk
INPUT=three.psk expect 0 'device add: a key from standard input' device add dev-3 --profile meter --key-stdin <<'END'
created  device  dev-3
1 document: 1 created, in T s
END
head -c 16 /dev/urandom >four.psk
INPUT=four.psk expect 0 'device add: raw octets from standard input' device add dev-4 --profile meter --identity four --key-stdin <<'END'
created  device  dev-4
1 document: 1 created, in T s
END
expect 0 'device add: a key made by the daemon' device add dev-5 --profile meter --generate-key <<'END'
created  device  dev-5
1 document: 1 created, in T s
END
expect 3 'device add: a key file that is not there' device add dev-6 --profile meter --key-file nowhere.psk <<'END'
1 document: 1 invalid, in T s
! lwm2m-prov: command line:1:132: error: ./nowhere.psk: No such file or directory (/credentials/bootstrap/key/file) [file]
END
printf 'not a key at all' >text.psk
INPUT=text.psk ends 3 'device add: what is no key is refused' device add dev-6 --profile meter --key-stdin
holds 'device add: without showing it' err 'credentials/bootstrap/key'
why=$(grep 'not a key' err)
report 'device add: the text does not come back'
expect 0 'device card: without the key' device card dev-2 --uri coaps://bs.example.com <<'END'
endpoint:         dev-2
bootstrap server: coaps://bs.example.com
security mode:    psk
identity:         dev-2
key fingerprint:  FINGERPRINT
END
expect 0 'device list: by pattern' device list --match 'dev-[2' <<'END'
ENDPOINT  STATE  REVISION  PROVISIONED  LAST VERDICT  REASON  LAST SESSION  EXTENDS
END
ends 0 'device list: all that extend a profile' device list --profile meter --json
why=
[ "$(grep -c '"endpoint"' out)" -eq 6 ] || why=$(cat out)
report 'device list: there are six'
ends 0 'device list --where: a label' device list --where 'site=a $1' --where state=active --json
why=
[ "$(sed -n 's/.*"endpoint": "\(.*\)".*/\1/p' out | tr '\n' ' ')" = 'dev-2 ' ] || why=$(cat out)
report 'device list --where: the one that has it'
expect 0 'device list --where: nobody has it' device list --where site=b <<'END'
ENDPOINT  STATE  REVISION  PROVISIONED  LAST VERDICT  REASON  LAST SESSION  EXTENDS
END
expect 2 'device list --where: no condition' device list --where site <<'END'
! lwm2m-prov: option --where: must be KEY=VALUE, is "site"
END
ends 3 'device list --where: no such state' device list --where state=bloked
holds 'device list --where: says which there are' err 'state must be active, blocked or retired'
ends 0 'device list --revision-older-than' device list --revision-older-than 1 --match 'dev-?' --json
why=
[ "$(grep -c '"endpoint"' out)" -eq 5 ] || why=$(cat out)
report 'device list --revision-older-than: all that were never provisioned'
ends 2 'device list --match: an empty pattern' device list --match ''
ends 0 'device list --limit' device list --limit 2 --json
holds 'device list --limit: says that there are more' out '"more": true'
expect 4 'device block: those that are there' device block dev-4 nobody <<'END'
updated  dev-4  blocked
! lwm2m-prov: device nobody: is not there
END
expect 2 'device block: nobody is meant' device block <<'END'
! lwm2m-prov: device block: name devices, or choose them by --match, --profile, --where, --revision-older-than or --anchor
END
ends 2 'device block: named and chosen' device block dev-4 --match '*'
ends 2 'device block: an empty selector' device block --match ''
expect 8 'device block: nobody fits' device block --where site=nowhere <<'END'
! lwm2m-prov: device block: no device fits --where site=nowhere
END
expect 0 'wait: on who is chosen, counted first' wait --where state=blocked --for blocked <<'END'
dev-4  blocked  -  -
! lwm2m-prov: wait: 1 device fits --where state=blocked
END
expect 0 'device unblock: who is chosen' device unblock --where state=blocked --match 'dev-*' <<'END'
updated  dev-4  active
! lwm2m-prov: device unblock: 1 device fits --match dev-* --where state=blocked
END
ends 0 'device block: once more' device block dev-4
expect 0 'wait --for blocked: it is so already' wait dev-4 --for blocked <<'END'
dev-4  blocked  -  -
END
expect 0 'device unblock' device unblock dev-4 <<'END'
updated  dev-4  active
END
ends 10 'profile rm: not while devices extend it' profile rm meter
expect 0 'device rm' device rm dev-5 whole <<'END'
removed  dev-5  -
removed  whole  -
END
expect 8 'device rm: once' device rm dev-5 <<'END'
! lwm2m-prov: device dev-5: is not there
END
expect 8 'an error is JSON too' --json device show 'no such/device' <<'END'
{
  "error": {
    "exit": 8,
    "name": "not_found",
    "code": "not_found",
    "detail": "no device no such/device",
    "retryable": false
  }
}
! lwm2m-prov: no device no such/device
END
ends 0 'profile show' profile show meter
holds 'profile show: how many devices' out '^devices: +4$' '"profile": "meter"'
ends 0 'profile resolve' profile resolve dev-1
holds 'profile resolve: the profile is merged in' out '"uri": "coaps://dm.example.com"' '"identity": "dev-1"'
ends 0 'profile history' profile history meter
ends 0 'explain: a reason' explain identity_mismatch
holds 'explain: what it means' out '^reason: +identity_mismatch$' '^meaning: '

# --- plan ----------------------------------------------------------------------------------------

ends 0 'plan: of a device' plan dev-1
holds 'plan: operations, with keys by length and fingerprint' out 'PUT +/0/1  tlv, [0-9]+ octets' \
	'/0/1/5 +secret_key = 16 octets, fingerprint [0-9a-f]{16}$' '/1/0/1 +lifetime = 86400 \(default\)'
ends 0 'plan: of a file, with its profile from a folder' plan -f fleet/device.json -I fleet
holds 'plan: a key that is there stays' out '/0/1/5 +secret_key = 16 octets, fingerprint'
expect 2 'plan: a shared profile is no device' plan -f fleet/base.json <<'END'
! lwm2m-prov: plan: a plan is made for one device, here are 0; profiles go in with -I
END
expect 8 'plan: of nobody' plan nobody <<'END'
! lwm2m-prov: no device nobody
END

# --- sessions ------------------------------------------------------------------------------------

# listening N: so many listen to events; a wait that listens has asked before.
listening() {
	"$PROV" --json status | grep -q "\"event_listeners\": $1\$"
}

"$PROV" watch --json >watched 2>&1 &
watcher=$!
"$PROV" wait dev-1 dev-2 --for provisioned --timeout "$PATIENCE" >waited 2>&1 &
waiter=$!
within listening 2
"$DEVICE" --server "$uri" --endpoint dev-1 --psk-key-file keys/dev-1.psk --expect provisioned >device 2>&1 || sed 's/^/# /' device
"$DEVICE" --server "$uri" --endpoint dev-2 --psk-key-file two.psk --expect provisioned >device 2>&1 || sed 's/^/# /' device
wait "$waiter"
rc=$?
why=
[ $rc -eq 0 ] && [ "$(sort waited)" = 'dev-1  provisioned  -  -
dev-2  provisioned  -  -' ] || why=$(cat waited)
report 'wait: until two devices are provisioned'
within grep -q '"endpoint":"dev-2".*"verdict":"provisioned"' watched
holds 'watch: both sessions' watched '"endpoint":"dev-1".*"verdict":"provisioned".*"event":"session"' \
	'"endpoint":"dev-2".*"verdict":"provisioned".*"event":"session"'
kill -INT "$watcher"
wait "$watcher"
rc=$?
why=
[ $rc -eq 130 ] || why="ended with $rc"
report 'watch: ends with an interrupt'
expect 0 'wait: what was reached before cannot be missed' wait dev-2 --for written <<'END'
dev-2  written  -  -
END
"$PROV" wait dev-3 --for provisioned --fail-fast --timeout "$PATIENCE" >waited 2>&1 &
waiter=$!
within listening 1
"$DEVICE" --server "$uri" --endpoint dev-3 --psk-key-file three.psk --lie write=4.00 --expect any >device 2>&1
wait "$waiter"
rc=$?
why=
[ $rc -eq 1 ] && grep -q '^dev-3  failed  error_response ' waited || why=$(cat waited device)
report 'wait --fail-fast: ends with the first failure and its reason'
expect 1 'wait --fail-fast: what failed before cannot be missed' wait dev-3 --for provisioned --fail-fast --timeout "$PATIENCE" <<'END'
dev-3  failed  error_response  the device answered 4.00
! lwm2m-prov: wait: a session failed; lwm2m-prov why ENDPOINT says more
END
"$PROV" --json device show dev-3 | jq '.document | .labels = { changed: "yes" }' >dev-3.json
ends 0 'apply: a device is changed' apply -f dev-3.json
expect 6 'wait --fail-fast: what failed before the last change does not count' wait dev-3 --for provisioned --fail-fast --timeout 1 <<'END'
! lwm2m-prov: wait: not provisioned yet: 1 of 1
END
ends 0 'session show --last' session show dev-1 --last
holds 'session show --last: verdict and transcript' out '^verdict: +provisioned$' ' write +PUT +/0/1 +2.04' ' finish +POST +/bs +2.04'
id=$("$PROV" --json session list dev-3 | sed -n 's/.*"id": \([0-9]*\).*/\1/p' | head -n 1)
ends 0 'session show: by its number' session show "$id"
holds 'session show: what failed and what to do' out '^verdict: +failed$' '^reason: +error_response$' '^what to do: .'
ends 0 'session list --group-by' session list --group-by reason
holds 'session list --group-by: counted' out '^2 +provisioned +none' '^1 +failed +error_response'
expect 8 'session cancel: nothing runs' session cancel dev-1 <<'END'
! lwm2m-prov: no session of dev-1 is under way
END
new_key wrong.psk
"$DEVICE" --server "$uri" --endpoint dev-1 --psk-key-file wrong.psk --expect any --timeout 10s >device 2>&1
within eval '"$PROV" why dev-1 | grep -q wrong_key'
ends 0 'why: a device with a wrong key' why dev-1
holds 'why: the reason, the rule and what to do' out '^reason: +wrong_key$' 'identity "dev-1" belongs to endpoint dev-1' '^what to do:$'
peer=$("$PROV" --json session list dev-1 | sed -n 's/.*"peer": "\([0-9.]*\):.*/\1/p' | head -n 1)
ends 0 'why --peer: what came from an address' why --peer "$peer"
holds 'why --peer: a handshake that never named an endpoint' out 'wrong_key'

# --- many ----------------------------------------------------------------------------------------

# fleet_of N LIFETIME: N devices, each with a key of its own.
fleet_of() {
	awk -v n="$1" -v lifetime="$2" 'BEGIN {
		srand()
		for (i = 0; i < n; i++) {
			key = ""
			for (k = 0; k < 8; k++)
				key = key sprintf("%04x", int(rand() * 65536))
			printf "{\"profile_format\":1,\"endpoint\":\"many-%05d\",\"extends\":\"meter\",", i
			printf "\"credentials\":{\"bootstrap\":{\"mode\":\"psk\",\"identity\":\"many-%05d\",\"key\":{\"hex\":\"%s%04x\"}}},", i, substr(key, 1, 28), i
			printf "\"labels\":{\"lifetime\":\"%s\"}}\n", lifetime
		}
	}'
}
fleet_of 10000 1 | sed 's/many-/wide-/g' >wide.ndjson
began=$(date +%s%N)
ends 0 'apply: 10,000 devices' apply -f wide.ndjson
took=$((($(date +%s%N) - began) / 1000000))
echo "# $(tail -n 1 out), $took ms in all"
holds 'apply: each of 10,000 is new' out '^10000 documents: 10000 created, in '
if grep -q '^#define SANITIZERS 1$' "$BUILDDIR/config.h"; then
	echo '# built with sanitizers: 10,000 devices may take as long as they do'
else
	why=
	[ "$took" -lt 30000 ] || why="$took ms"
	report 'apply: 10,000 devices in less than 30 s'
fi

fleet_of "$ROWS" 1 >many.ndjson
ends 0 "apply: $ROWS devices" apply -f many.ndjson --result many.result
holds "apply: a row of result for each" out "^$ROWS documents: $ROWS created, in "
why=
[ "$(wc -l <many.result)" -eq "$ROWS" ] || why="$(wc -l <many.result) rows"
report 'apply: as many rows in the file'
expect 0 'apply: again with the same result file nothing is sent' apply -f many.ndjson --result many.result <<END
$ROWS documents: $ROWS skipped, in T s
END
sed 's/"lifetime":"1"/"lifetime":"2"/' many.ndjson >other.ndjson
expect 7 'apply: more than 100 devices are not changed without a word' apply -f other.ndjson <<END
! lwm2m-prov: apply would change $ROWS existing devices, more than 100: say --yes or --max-affected $ROWS
END
expect 7 'apply: nor are those that extend a profile' apply -f changed.json <<END
! lwm2m-prov: apply would change $((ROWS + 10004)) existing devices, more than 100: say --yes or --max-affected $((ROWS + 10004))
END
expect 7 'profile rm --force: nor are they left without it' profile rm meter --force <<END
! lwm2m-prov: profile rm would leave without it $((ROWS + 10004)) existing devices, more than 100: say --yes or --max-affected $((ROWS + 10004))
END
head -n 150 other.ndjson >150.ndjson
expect 7 'apply --max-affected: too few' apply -f 150.ndjson --max-affected 149 <<'END'
! lwm2m-prov: apply would change 150 existing devices, more than --max-affected 149: say --yes or --max-affected 150
END
ends 0 'apply --max-affected: enough' apply -f 150.ndjson --max-affected 150
holds 'apply --max-affected: they are changed' out '^150 documents: 150 updated'
ends 0 'apply --yes' apply -f other.ndjson --yes
holds 'apply --yes: the rest is changed' out "^$ROWS documents: $((ROWS - 150)) updated, 150 unchanged"

# acknowledged FILE: documents whose newest row is acknowledged.
acknowledged() {
	sed -n 's/.*"name":"\([^"]*\)","result":"\([^"]*\)".*/\1 \2/p' "$1" |
		awk '{ last[$1] = $2 } END { for (i in last) n += last[i] ~ /created|updated|unchanged/; print n + 0 }'
}

"$PROV" apply -f many.ndjson --yes --result cut.result >out 2>err &
batch=$!
within grep -qs . cut.result
kill -INT "$batch"
wait "$batch"
rc=$?
why=
[ $rc -eq 130 ] || why="ended with $rc: $(cat out err)"
report 'apply: an interrupt ends it after the request in flight'
why=
kept=$(acknowledged cut.result)
{ [ "$kept" -gt 0 ] && [ "$kept" -lt "$ROWS" ]; } || why="$kept rows"
report "apply: the result file is valid"
printf '{"result":"upd' >>cut.result
ends 0 'apply: run again it goes on, a row cut off is no harm' apply -f many.ndjson --yes --result cut.result
holds 'apply: what was acknowledged is not sent again' out " $kept skipped"
why=
[ "$(acknowledged cut.result)" -eq "$ROWS" ] || why="$(acknowledged cut.result) rows"
report 'apply: all are acknowledged then'

"$PROV" apply -f other.ndjson --yes --result lost.result >out 2>err &
batch=$!
within grep -qs . lost.result
kill -KILL "$daemon"
wait "$batch"
rc=$?
wait "$daemon" 2>/dev/null
why=
[ $rc -eq 5 ] || why="ended with $rc: $(cat out err)"
grep -q '"result":"pending"' lost.result || why="$why
no pending rows"
report 'apply: the daemon is killed: what was not acknowledged is pending'
rm -f d/api.sock
launch
ends 0 'apply: run again after that' apply -f other.ndjson --yes --result lost.result
why=
[ "$(acknowledged lost.result)" -eq "$ROWS" ] || why="$(acknowledged lost.result) rows"
report 'apply: nothing is missing'
"$PROV" apply -f many.ndjson --yes --result killed.result >out 2>err &
batch=$!
within grep -qs . killed.result
kill -KILL "$batch"
wait "$batch" 2>/dev/null
ends 0 'apply: the command itself is killed and run again' apply -f many.ndjson --yes --result killed.result
why=
[ "$(acknowledged killed.result)" -eq "$ROWS" ] || why="$(acknowledged killed.result) rows"
report 'apply: nothing is missing then either'

# --- secrets -------------------------------------------------------------------------------------

"$PROV" device show dev-2 >shown 2>&1
"$PROV" --json device show dev-2 >>shown 2>&1
"$PROV" plan dev-2 >>shown 2>&1
"$PROV" profile resolve dev-2 >>shown 2>&1
"$PROV" session show dev-2 --last >>shown 2>&1
cat many.result lost.result watched >>shown
key=$(cat two.psk)
many=$(sed -n '1s/.*"hex":"\([0-9a-f]*\)".*/\1/p' many.ndjson)
# base64_of HEX
base64_of() {
	# shellcheck disable=SC2059
	printf "$(sed 's/../\\x&/g' <<<"$1")" | base64
}
[ "$(base64_of 00ff41)" = AP9B ] || echo 'not ok - base64_of'
why=$(grep -ciE "$key|$many" shown | grep -v '^0$'; grep -cF -e "$(base64_of "$key")" -e "$(base64_of "$many")" shown | grep -v '^0$')
[ -s shown ] && [ "${#key}" -eq 32 ] && [ "${#many}" -eq 32 ] || why="$why nothing was looked at"
report 'no key is printed'
why=$(echo "$key" >>shown; grep -ciE "$key" shown | grep -v '^1$')
report 'a planted key would be found'

# --- permissions ---------------------------------------------------------------------------------

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 755 . && cp "$PROV" prov
	PROV="setpriv --reuid 65534 --regid 65534 --clear-groups $WORK/prov"
	as_nobody() {
		local rc=$1 name=$2 regex=$3

		shift 3
		why=
		$PROV "$@" >out 2>err </dev/null
		[ $? -eq "$rc" ] && grep -Eq "$regex" err || why=$(cat out err)
		report "$name"
	}
	chmod 755 d
	as_nobody 7 'a socket that others may not connect to' 'you may not connect to it \(Permission denied\)' status
	chmod 666 d/api.sock
	as_nobody 7 'a user without permission is refused' '^lwm2m-prov: ' status
	PROV=$WORK/prov
else
	passed_over 'users without permission' 'needs root and setpriv'
fi
kill "$daemon"
wait "$daemon"

# --- daemons that misbehave ----------------------------------------------------------------------

python=$([ -x /usr/bin/python3 ] && echo /usr/bin/python3 || command -v python3)
if [ -n "$python" ]; then
	cat >fake.py <<'END'
import socket, sys
def http(status, body=b"", length=None, kind=b"application/json"):
    return b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (
        status, kind, len(body) if length is None else length, body)
ndjson = b"application/x-ndjson"
answers = {
    "silent": None,
    "closes": b"",
    "garbage": b"\x00\x01\x02 no HTTP\r\n\r\n",
    "not-json": http(b"200 OK", b"{\"a\":"),
    "empty": http(b"200 OK"),
    "short": http(b"200 OK", b"{}", 500),
    "problem": http(b"409 Conflict", b"{\"code\":\"conflict\",\"detail\":\"line\\nbreak \\u001b[2J\"}"),
    "bare": http(b"503 Service Unavailable"),
    "few-rows": http(b"200 OK", kind=ndjson),
    "array-row": http(b"200 OK", b"[1]\n", kind=ndjson),
}
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.bind(sys.argv[1])
s.listen(8)
held = []
while True:
    c, _ = s.accept()
    data = answers[sys.argv[2]]
    if data is None:
        held.append(c)
        continue
    c.recv(65536)
    c.sendall(data)
    c.close()
END
	# misbehaves HOW RC NAME REGEX ARGUMENT...
	misbehaves() {
		local how=$1 rc=$2 name=$3 regex=$4 fake

		shift 4
		rm -f fake.sock
		"$python" fake.py fake.sock "$how" &
		fake=$!
		within test -S fake.sock
		ends "$rc" "a daemon that $name" --socket fake.sock "$@"
		holds "a daemon that $name: said so" err "$regex"
		kill "$fake"
		wait "$fake" 2>/dev/null
	}
	misbehaves silent 6 'is silent' 'fake.sock: no answer within 1 s$' --timeout 1 status
	misbehaves silent 6 'is silent when documents come' 'no answer within 1 s$' --timeout 1 apply -f fleet/device.json
	misbehaves closes 5 'hangs up' 'fake.sock: ' status
	misbehaves garbage 5 'speaks no HTTP' 'fake.sock: ' status
	misbehaves not-json 1 'speaks no JSON' "the daemon's answer is not JSON: .* at octet 5$" status
	misbehaves empty 1 'says nothing' "the daemon's answer is empty$" status
	misbehaves short 5 'stops in the middle' 'fake.sock: ' status
	misbehaves problem 10 'sends control characters' '^lwm2m-prov: line\\nbreak \\x1b\[2J$' device show x
	misbehaves bare 1 'is busy' '^lwm2m-prov: the daemon answered 503$' status
	misbehaves few-rows 1 'leaves out rows' 'the daemon answered 0 rows to 1 documents$' apply -f fleet/device.json
	misbehaves array-row 1 'sends rows that are none' "row 1 of the daemon's answer is not a JSON object$" apply -f fleet/device.json
else
	passed_over 'daemons that misbehave' 'python3 is not installed'
fi
finish
