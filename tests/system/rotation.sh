#!/bin/bash
# A CA is rolled over as an operator does it: the new anchor beside the old, devices moved by bootstrap, the old one
# retired when nobody needs it any more; no device is lost, and who comes with an old certificate is told why.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

METERS='meter-1 meter-2 meter-3 meter-4'

# issue CA DEVICE: a key and a certificate of that CA, to knock and to register with.
issue() {
	expect_rc 0 "$PROV" pki issue "$WORK/$1" --subject "CN=$2" --purpose client --days 200 --out "$WORK/$2.$1.pem" \
		--key-out "$WORK/$2.$1.key"
}

# profile CA DEVICE: the server is known by that CA, and the device by a certificate of it. Applied.
profile() {
	cat >"$WORK/$2.json" <<-EOT
	{ "profile_format": 1, "endpoint": "$2", "credentials": { "bootstrap": { "mode": "x509" } },
	  "servers": { "dm": { "short_server_id": 1, "uri": "coaps://dm.example.com:5684", "lifetime": 86400, "binding": "U",
	    "security": { "mode": "x509", "certificate_usage": 2, "identity": { "file": "$2.$1.pem" }, "key": { "file": "$2.$1.key" },
	      "server_public_key": { "file": "$1/ca.pem" } } } },
	  "bootstrap": { "policy": "replace" } }
	EOT
	apply "$WORK/$2.json"
}

# knock CA DEVICE ARGUMENT...: with the certificate of that CA.
knock() {
	device "$2" --server "$COAPS" --cert-file "$WORK/$2.$1.pem" --private-key-file "$WORK/$2.$1.key" "${@:3}"
}

sha256_of() {
	openssl x509 -in "$WORK/$1/ca.pem" -outform DER | sha256sum | cut -c 1-64
}

# anchor CA STATE UNDER GIVEN: anchor list says so of it.
anchor() {
	local got

	got=$(prov --json anchor list | jq -r --arg a "$(sha256_of "$1")" '.anchors[] | select(.sha256 == $a) | "\(.state) \(.under) \(.given)"')
	[ "$got" = "$2 $3 $4" ] || fail "$1 is $got, not $2 $3 $4"
}

fleet() {
	local ep

	for ca in old new; do
		expect_rc 0 "$PROV" pki ca init "$WORK/$ca" --subject "CN=$ca"
	done
	expect_rc 0 "$PROV" pki issue "$WORK/old" --subject CN=bs --purpose server --name dns:bs.example.com \
		--out "$WORK/bs.pem" --key-out "$WORK/bs.key"
	new_daemon fleet
	replace_block 'listeners = (' 'listeners = ( { uri = "coaps://127.0.0.1:0"; security = "psk x509"; }'
	replace_block 'trust = (' "trust = ( { name = \"fleet\"; file = \"$WORK/old/ca.pem\"; revocation = \"off\"; }"
	replace_block '  rules = (' '  rules = ( { credential = "x509"; rule = "cn"; trust = "fleet"; }'
	set_option certificate_file "\"$WORK/bs.pem\""
	sed "s|^  key = .*|  key = \"$WORK/bs.key\";|" "$D/bsserver.conf" >"$WORK/conf.new" && cat "$WORK/conf.new" >"$D/bsserver.conf"
	start
	for ep in $METERS; do
		issue old "$ep"
		profile old "$ep"
		knock old "$ep" || fail "$ep was not provisioned"
		ended_as "$ep" provisioned
	done
}

# unknown_ca DEVICE TEXT: it comes with its old certificate, is not let in, and `why` has that.
unknown_ca() {
	knock old "$1" --timeout "${PATIENCE}s" --expect any
	within "$PATIENCE" why_peer "$2" || fail "why says: $OUT"
}

why_peer() {
	local peer

	peer=$(sed -n 's/.*bootstrap refused at request.* peer=\([0-9.]*\):.*/\1/p' "$D_LOG" | tail -n 1)
	[ -n "$peer" ] && OUT=$(prov why --peer "$peer" 2>&1)
	[[ $OUT == *$1* ]]
}

roll_over() {
	local ep

	fleet
	anchor old active 4 4
	for ep in $METERS; do issue new "$ep"; done
	knock new meter-1 --timeout "${PATIENCE}s" --expect any
	within "$PATIENCE" why_peer 'unknown_ca' || fail "the new CA is trusted already: $OUT"
	expect_rc 3 prov anchor add "$WORK/new/ca.pem" --trust nobody
	expect_rc 3 prov anchor add "$WORK/meter-1.new.pem" --trust fleet
	expect_rc 0 prov anchor add "$WORK/new/ca.pem" --trust fleet
	anchor new active 0 0
	expect_rc 7 prov anchor retire "$WORK/old/ca.pem"
	says '4 devices came under it or hold it: meter-1, meter-2, meter-3, ...'

	for ep in meter-1 meter-2 meter-3; do # each comes once with what it has, and then with what it was given
		profile new "$ep"
		knock old "$ep" || fail "$ep was not moved"
		knock new "$ep" || fail "$ep was lost"
		ended_as "$ep" provisioned
	done
	anchor old active 1 1
	anchor new active 3 3
	expect_rc 7 prov anchor retire "$(sha256_of old | cut -c 1-12)"
	says '1 device came under it or holds it: meter-4'
	expect_rc 7 prov --json anchor retire "$(sha256_of old)"
	[ "$(sed -n '/^{/,/^}/p' <<<"$OUT" | jq -s -r '[.[0].remaining[] | .endpoint + " " + .kind] | sort | join(",")')" = \
		'meter-4 anchor,meter-4 under' ] || fail "remaining: $OUT"
	profile new meter-4
	knock old meter-4 || fail 'meter-4 was not moved'
	expect_rc 7 prov anchor retire "$WORK/old/ca.pem" # it holds the new one, and came under the old
	knock new meter-4 || fail 'meter-4 was lost'
	ended_as meter-4 provisioned
	within "$PATIENCE" prov --reason rolled anchor retire "$WORK/old/ca.pem" >/dev/null 2>&1 || fail 'the old CA cannot be retired'
	anchor old retired 0 0
}

no_device_is_lost() {
	local ep

	for ep in $METERS; do
		knock new "$ep" || fail "$ep was lost"
		ended_as "$ep" provisioned
	done
	anchor new active 4 4
	[ "$(prov --json device list --anchor "$WORK/new/ca.pem" | jq -r '[.devices[].endpoint] | join(" ")')" = "$METERS" ] ||
		fail 'device list --anchor'
	expect_rc 8 prov trigger --anchor "$(sha256_of old)" --dry-run
	says 'no device fits'
	[ "$(prov --json device list --anchor "$(sha256_of old)" | jq '.devices | length')" = 0 ] || fail 'device list --anchor old'
}

the_old_are_told_why() {
	unknown_ca meter-2 'the trust anchor CN=old was retired on 20'
	kill -HUP "$D_PID" # its file still names the old one
	logged 'SIGHUP: log settings'
	unknown_ca meter-1 'the trust anchor CN=old was retired on 20'
}

came_under_old() {
	[ "$(prov --json anchor list | jq -r --arg a "$(sha256_of old)" '.anchors[] | select(.sha256 == $a) | .under')" = "$1" ]
}

# In the daemon's index until it is revoked; and nothing is issued that it cannot be told of.
told_of_what_is_issued() {
	expect_rc 0 "$PROV" pki ca init "$WORK/other-ca" --subject CN=other-ca
	expect_rc 0 prov pki issue "$WORK/new" --subject CN=spare --purpose client --days 50 --out "$WORK/spare.pem" \
		--key-out "$WORK/spare.key" --tell
	[ "$(prov --json pki expiring --within 100d | jq -c '[.certificates[] | [.kind, .endpoint, .subject, .session, .path, .issuer]]')" = \
		'[["issued",null,"CN=spare",null,null,"CN=new"]]' ] || fail "expiring: $(prov --json pki expiring --within 100d)"
	prov pki expiring --within 100d | grep -q CN=spare || fail 'not in the table'
	[ "$(prov --json pki expiring --within 100d | jq -r '.certificates[0].serial')" = \
		"$(openssl x509 -in "$WORK/spare.pem" -noout -serial | sed 's/.*=//' | tr A-F a-f)" ] || fail 'another serial number'
	expect_rc 0 prov pki issue "$WORK/other-ca" --subject CN=spare --purpose client --days 60 --out "$WORK/spare-2.pem" \
		--key-out "$WORK/spare-2.key" --tell # another operator's CA, one index
	[ "$(prov --json pki expiring --within 100d | jq -r '[.certificates[].issuer] | join(" ")')" = 'CN=new CN=other-ca' ] ||
		fail "expiring: $(prov --json pki expiring --within 100d)"
	expect_rc 8 prov pki revoke "$WORK/other-ca" "$WORK/spare.pem" --tell # it is not that CA's to revoke
	expect_rc 0 prov pki revoke "$WORK/new" "$WORK/spare.pem" --tell
	[ "$(prov --json pki expiring --within 100d | jq -r '[.certificates[].issuer] | join(" ")')" = CN=other-ca ] ||
		fail 'expiring although it is revoked'
	expect_rc 0 prov pki revoke "$WORK/other-ca" "$WORK/spare-2.pem" --tell
	[ "$(prov --json pki expiring --within 100d | jq '.certificates | length')" = 0 ] || fail 'expiring although it is revoked'
	expect_rc 5 "$PROV" --socket "$WORK/nobody" pki issue "$WORK/new" --subject CN=other --purpose client --out "$WORK/other.pem" \
		--key-out "$WORK/other.key" --tell
	says 'nothing was written: the daemon was not told'
	[ ! -e "$WORK/other.pem" ] && [ ! -e "$WORK/other.key" ] || fail 'it was written'
}

all() {
	roll_over
	no_device_is_lost
	the_old_are_told_why
	api '/v1/audit?limit=50' >"$WORK/audit"
	[ "$(jq -r '[.audit[] | select(.action | startswith("anchor.")) | .action] | sort | join(" ")' "$WORK/audit")" = 'anchor.add anchor.retire' ] ||
		fail "audit: $(cat "$WORK/audit")"
	profile old meter-3 # nobody is given it any more
	knock new meter-3 --expect failed || fail 'the retired anchor was written'
	ended_as meter-3 failed handout plan
	[[ $(jq -r .detail <<<"$SESSION") == '/0/0/4: it is a trust anchor that was retired on '* ]] || fail "detail: $(jq .detail <<<"$SESSION")"
	[ "$(prov --json pki expiring --within 100d | jq '.certificates | length')" = 0 ] || fail 'expiring within 100 days'
	[ "$(prov --json pki expiring --within 300d | jq -r '[.certificates[] | .endpoint + " " + .kind] | sort | unique | join(",")')" = \
		'meter-1 device,meter-2 device,meter-3 device,meter-4 device' ] || fail "expiring: $(prov --json pki expiring --within 300d)"
	told_of_what_is_issued
	stop
	start # what was said stays
	anchor old retired 0 0
	anchor new active 4 4
	unknown_ca meter-4 'the trust anchor CN=old was retired on 20'
	knock new meter-4 || fail 'meter-4 was lost by a restart'
	expect_rc 0 prov anchor add "$WORK/old/ca.pem" --trust fleet # and can be taken back
	knock old meter-4 || fail 'the old CA is not trusted again'
	within "$PATIENCE" came_under_old 1 || fail "who came under which: $(prov anchor list)"
	expect_rc 0 prov anchor retire "$WORK/old/ca.pem" --force # it was broken into
}

run_case 'old and new, devices moved, the old retired' all
finish
