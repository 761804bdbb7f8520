#!/bin/sh
# lwm2m-device over real sockets against the bare bootstrap server of the bench: each way to the
# server, a lossy network, a wrong key, lies, and what the command line refuses.
bin=${BUILDDIR:-.}
device=$bin/tests/sim/lwm2m-device
dir=$(mktemp -d) || exit 1
n=0
bad=0

end() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	rm -rf "$dir"
}
trap end EXIT

# case NAME STATUS TEXT ARGUMENT...: the exit status, and a text in the output.
case_() {
	name=$1 want=$2 text=$3
	shift 3
	"$device" "$@" >"$dir/out" 2>&1
	status=$?
	n=$((n + 1))
	if [ "$status" -eq "$want" ] && grep -qF -- "$text" "$dir/out"; then
		echo "ok $n - $name"
		return
	fi
	bad=$((bad + 1))
	echo "not ok $n - $name"
	echo "# exit status $status, not $want, or no \"$text\" in:"
	sed 's/^/# /' "$dir/out"
}

# A port that nobody has: tried until the server is ready.
begin() {
	for try in 1 2 3 4 5 6 7 8 9; do
		port=$((20000 + ($$ * 7 + try * 1009) % 30000))
		"$bin/tests/bench/bare_coap" --coap $port --coaps $((port + 1)) --key "$dir/key" \
			>"$dir/server" 2>&1 &
		server=$!
		while kill -0 "$server" 2>/dev/null; do
			! grep -q ready "$dir/server" || return 0
		done
	done
	return 1
}

echo 000102030405060708090a0b0c0d0e0f >"$dir/key"
echo ff0102030405060708090a0b0c0d0e0f >"$dir/other"
echo '{"/0/3/0":"coap://x","/0/3/1":true,"/0/3/2":3,"/1/0/0":"no"}' >"$dir/state"
if ! begin; then
	echo "1..0 # SKIP no server to talk to"
	sed 's/^/# /' "$dir/server"
	exit 0
fi
coap=coap://127.0.0.1:$port
coaps=coaps://127.0.0.1:$((port + 1))

case_ "coap" 0 '"/1/0/0": 101' --server $coap --endpoint dev-1 --tree
case_ "coaps" 0 'over TLS_PSK_WITH_AES_128_CCM_8' --server $coaps --psk-key-file "$dir/key" --endpoint dev-1 --trace
case_ "a fleet" 0 '500 provisioned, 0 refused, 0 failed of 500; 0 not' --server $coap --count 500
case_ "a fleet over DTLS" 0 '100 provisioned' --server $coaps --psk-key-file "$dir/key" --count 100
case_ "each one twice" 0 '40 provisioned' --server $coap --count 20 --repeat 2
case_ "a lossy network" 0 '"provisioned":20' --server $coap --count 20 --loss 2% --dup 20% --reorder 20% \
	--linger 10ms --ack-timeout 50ms --json --timeout 90s
case_ "a wrong key" 0 'no connection' --server $coaps --psk-key-file "$dir/other" --endpoint dev-1 --expect failed --timeout 60s
case_ "nobody there" 0 'no answer to the Bootstrap-Request' --server coap://127.0.0.1:9 --ack-timeout 10ms --expect failed
case_ "a lie" 1 'closed its connection' --server $coap --lie 'write#1=close'
case_ "a restart" 0 'attempt 2' --server $coap --lie 'write#1=restart-new-port'
case_ "lies and quirks are listed" 0 'finish-separate' --list
case_ "keys are derived" 0 'dev-00002 id-dev-00002 ' --print-keys --count 2 --psk-master-file "$dir/key" --psk-identity id-%e
case_ "no server" 2 '--server is missing' --count 1
case_ "a bad URI" 2 'neither coap:// nor coaps://' --server http://x
case_ "a bad lie" 2 '--lie: lie write=9.99: 9.99 is none' --server $coap --lie write=9.99
case_ "a bad quirk" 2 'the nearest is finish-separate' --server $coap --quirk finish-seperate
case_ "a bad state" 2 'state: /1/0/0: not a value of type integer' --server $coap --state "$dir/state"
case_ "no keys" 2 'coaps needs one of' --server $coaps

echo "1..$n"
echo "# $n checks, $bad failed"
[ "$bad" -eq 0 ]
