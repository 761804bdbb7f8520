#!/bin/bash
# ./dev demo: a daemon with throw-away keys, a profile, a device that bootstraps over DTLS-PSK, and what is to be seen of it.
# Every command that is shown is run as it stands. Needs BUILDDIR. DEMO_DIR=DIR keeps the files there.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u -o pipefail

SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
BUILDDIR=${BUILDDIR:-$SRCDIR/build/gcc}
EP=urn:dev:os:demo-0001
DAEMON=
PATH=$BUILDDIR/bsserver:$BUILDDIR/lwm2m-prov:$BUILDDIR/tests/sim:$PATH
unset NOTIFY_SOCKET
if [ -t 1 ]; then
	BOLD=$'\e[1m' DIM=$'\e[2m' PLAIN=$'\e[0m'
else
	BOLD='' DIM='' PLAIN=''
fi

end() {
	[ -z "$DAEMON" ] || { kill "$DAEMON" && wait "$DAEMON"; } 2>/dev/null
	DAEMON=
}
trap end EXIT
trap 'exit 130' INT TERM HUP

title() {
	printf '\n%s== %s%s\n' "$BOLD" "$*" "$PLAIN"
}

broken() {
	printf '\n./dev demo: %s\n' "$*" >&2
	[ ! -s "$DIR/log" ] || sed 's/^/  log: /' "$DIR/log" >&2
	exit 1
}

# try COMMAND...: shown, run, its output set off.
try() {
	printf '%s$ %s%s\n' "$BOLD" "$*" "$PLAIN"
	"$@" 2>&1 | sed "s/^/  /"
	[ "${PIPESTATUS[0]}" -eq 0 ] || broken "$1 failed"
}

# until_ready: the daemon says so, or is gone.
until_ready() {
	local until=$((SECONDS + 30))

	until grep -q ' ready,' log; do
		kill -0 "$DAEMON" 2>/dev/null && [ "$SECONDS" -le "$until" ] || return 1
		sleep 0.02
	done
}

start() {
	: >log
	bsserver run -c bsserver.conf >log 2>&1 &
	DAEMON=$!
	until_ready || broken 'bsserver did not start'
	URI=$(sed -n 's/.* listening on //p' log)
}

new_key() {
	(umask 077 && od -An -N16 -v -tx1 /dev/urandom | tr -d ' \n' >"$1")
}

DIR=${DEMO_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/bsserver-demo.XXXXXX")}
mkdir -p "$DIR" && cd "$DIR" || exit 1
export LWM2M_PROV_SOCKET=$DIR/api.sock

title "A daemon of its own, in $DIR"
try bsserver init --dir .
# a free port of this machine only, the same one when it is started again
sed 's|coaps://\[::\]:5684|coaps://127.0.0.1:0|' bsserver.conf >conf.new && cat conf.new >bsserver.conf
start
sed "s|coaps://127.0.0.1:0|$URI|" bsserver.conf >conf.new && cat conf.new >bsserver.conf && rm conf.new
printf '%s$ bsserver run -c bsserver.conf &%s\n' "$BOLD" "$PLAIN"
sed 's/^/  /' log

title 'What the fleet shares, and one device, with a key that is thrown away afterwards'
mkdir -p keys && new_key "keys/$EP.psk"
cat >meter.json <<'END'
{
  "profile_format": 1,
  "profile": "meter",
  "credentials": {
    "bootstrap": { "mode": "psk", "identity": "${endpoint}" }
  },
  "servers": {
    "dm": {
      "short_server_id": 101,
      "uri": "coaps://dm.example.com:5684",
      "security": { "mode": "psk", "identity": "${endpoint}", "key": { "generate": 16 } },
      "lifetime": "1d",
      "binding": "U"
    }
  }
}
END
cat >device.json <<END
{
  "profile_format": 1,
  "endpoint": "$EP",
  "extends": "meter",
  "credentials": { "bootstrap": { "key": { "file": "keys/$EP.psk" } } }
}
END
try cat meter.json device.json

title 'Is that right? Asked before anything is touched'
try lwm2m-prov check -f meter.json device.json
title 'Into the store; keys are sealed there'
try lwm2m-prov apply -f meter.json device.json
title 'What would be written to the device; keys are shown by length and fingerprint only'
try lwm2m-prov plan "$EP"

title 'The device knocks over DTLS with its pre-shared key'
try lwm2m-device --server "$URI" --endpoint "$EP" --psk-key-file "keys/$EP.psk" --expect provisioned --tree
title 'What happened, exchange by exchange'
try lwm2m-prov wait "$EP" --for provisioned --timeout 20
try lwm2m-prov session show "$EP" --last
title 'Somebody who does not have the key'
new_key wrong.psk
printf '%s$ lwm2m-device --server %s --endpoint %s --psk-key-file wrong.psk%s\n' "$BOLD" "$URI" "$EP" "$PLAIN"
lwm2m-device --server "$URI" --endpoint "$EP" --psk-key-file wrong.psk --timeout 2s --expect any 2>&1 | sed 's/^/  /'
tries=0
until lwm2m-prov why "$EP" | grep -q wrong_key; do
	[ $((tries += 1)) -le 100 ] || broken 'nobody noticed the wrong key'
	sleep 0.05
done
try lwm2m-prov why "$EP"
title 'Done; the daemon is stopped'
end
sed 's/^/  /' log

cat <<END

${BOLD}The commands to try next${PLAIN}
  cd $DIR
  export PATH=$BUILDDIR/bsserver:$BUILDDIR/lwm2m-prov:$BUILDDIR/tests/sim:\$PATH
  export LWM2M_PROV_SOCKET=$DIR/api.sock
  bsserver run -c bsserver.conf &
  lwm2m-prov status
  lwm2m-prov device list
  lwm2m-prov watch
  lwm2m-device --server $URI --endpoint $EP --psk-key-file keys/$EP.psk
  lwm2m-prov session list --group-by reason
  lwm2m-prov explain wrong_key
  lwm2m-prov --help
${DIM}Everything is in $DIR; remove it when you are done.${PLAIN}
END
