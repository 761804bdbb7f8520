#!/bin/bash
# The bench works: every section runs with tiny numbers, figures are written, a bound that is missed is named. No times are judged.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u

SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
BUILDDIR=${BUILDDIR:-$SRCDIR/build/gcc}
DIR=$(mktemp -d "${TMPDIR:-/tmp}/bench-smoke.XXXXXX")
trap 'rm -rf "$DIR"' EXIT
trap 'exit 130' INT TERM HUP
NUMBER=0

# report NAME COMMAND...: one line of TAP; what the bench said when it failed.
report() {
	local name=$1 not=

	shift
	NUMBER=$((NUMBER + 1))
	"$@" || not='not '
	echo "${not}ok $NUMBER - $name"
	[ -z "$not" ] || sed 's/^/# /' "$DIR/out"
}

# bench RC ARGUMENT...: tests/bench/run.sh ends with RC.
bench() {
	local rc=$1

	shift
	BUILDDIR=$BUILDDIR "$SRCDIR/tests/bench/run.sh" --smoke --json "$DIR/json" "$@" >"$DIR/out" 2>&1
	[ $? -eq "$rc" ]
}

# figures FILTER: what jq finds in the figures.
figures() {
	jq -e "$1" "$DIR/json" >>"$DIR/out" 2>&1
}

report 'a bound that cannot be held fails the bench' bench 1 --bound bare.coap.cpu=1000 rate fleet crowd
report 'and is the one that is named' figures '.missed == ["bare.coap.cpu"]'
report 'each side of a comparison has exchanges, CPU, latency and rate' figures '[.sections | (.rate, .fleet) |
	(.coap, .coaps) | .[] | .[] | (.exchanges > 5 and .cpu_us > 0 and .rate > 0 and .p50_ms > 0 and .max_ms >= .p99_ms)] |
	length == 8 and all'
report 'the bare server sends as many requests' figures '.sections.rate | (.coap, .coaps) |
	.bsserver[0].exchanges == .["bare libcoap"][0].exchanges'
report 'a crowd is provisioned, and its memory told' figures '.sections.crowd | .provisioned == 20 and .vm_hwm_kib > 1000'
report 'what a bootstrap sends is counted, with and without DTLS' bench 0 traffic
report 'a device that holds everything is told nothing, one that holds nothing the most' figures '.sections.traffic | (.coap, .coaps) |
	.unchanged.writes == 0 and .unchanged.deletes == 0 and .fresh.writes == 7 and .added.writes == 4 and .replaced.writes == 10 and
	([.[] | .datagrams_down >= .exchanges - 1 and .octets_down > .datagrams_down * 4 and .octets_up > .datagrams_up * 4] | all) and
	.unchanged.octets_up < .replaced.octets_up'
report 'DTLS costs more of both' figures '.sections.traffic |
	.coaps.fresh.datagrams_up > .coap.fresh.datagrams_up and .coaps.fresh.octets_down > .coap.fresh.octets_down'
report 'a bootstrap that says more than allowed is named' bench 1 --bound traffic.coap.unchanged.writes=-1 traffic
report 'certificates: all of them in turns with bare handshakes, the responder asked once for each' bench 0 mutual vet
report 'each side with CPU and rate' figures '[.sections.mutual | .[] | .[] | (.cpu_us > 0 and .rate > 0 and .bootstraps == 8)] |
	length == 2 and all'
report 'a dead responder: all wait, others do not, all are refused, and how late the loop was' figures '.sections.vet | .waiting > 0 and .refused == 20 and .late_ms.waiting > 0 and
	(.before | length) == 3'
report 'registered devices are called back, half of them asleep, and each is told of' bench 0 registry
report 'how busy others were meanwhile' figures '.others_cores | length == 1 and (.registry | type == "number" and . >= 0)'
report 'with what they cost when idle' figures '.sections.registry | .outcomes.bootstrapped == 20 and .told == 20 and .octets > 0 and
	([.rows[] | .[].cpu_us > 0] | length == 2 and all)'
report 'without one everything is held' bench 0 crowd
report 'a section that is none is refused' bench 2 nonsense
echo "1..$NUMBER"
