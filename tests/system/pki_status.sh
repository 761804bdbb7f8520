#!/bin/bash
# pki ocsp and pki verify --crl against what openssl makes: a foreign CA, responder and lists. TAP.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"

. "$(dirname "$0")/cli_frame.sh"

command -v openssl >/dev/null || { echo "1..0 # SKIP openssl is not installed"; exit 0; }

# quiet COMMAND...: what it says only matters when it fails.
quiet() { "$@" >quiet.log 2>&1 || { cat quiet.log >&2; echo "Bail out! $1 failed"; exit 1; }; }

# certificate NAME SUBJECT CA EXTENSIONS: a key and a certificate for it, signed by CA.
certificate() {
	quiet openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
	quiet openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
	printf 'subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n%b\n' "$4" >"$1.ext"
	quiet openssl x509 -req -in "$1.csr" -CA "$3.pem" -CAkey "$3.key" -set_serial "0x$5" -days 30 \
		-extfile "$1.ext" -out "$1.pem"
}

quiet openssl ecparam -name prime256v1 -genkey -noout -out ca.key
quiet openssl req -x509 -new -key ca.key -subj /CN=test-ca -days 60 -out ca.pem \
	-addext 'keyUsage = critical, keyCertSign, cRLSign'
device='keyUsage = digitalSignature\nextendedKeyUsage = clientAuth'
certificate good good-device ca "$device" 7001
certificate bad bad-device ca "$device" 7002
certificate lost lost-device ca "$device" 7003
certificate ocsp responder ca 'extendedKeyUsage = OCSPSigning\nnoCheck = ignored' 7004
certificate tls not-a-responder ca 'extendedKeyUsage = serverAuth' 7005

later=$(date -u -d '+30 days' +%y%m%d%H%M%SZ)
earlier=$(date -u -d '-1 hour' +%y%m%d%H%M%SZ)
printf 'V\t%s\t\t7001\tunknown\t/CN=good-device\n' "$later" >index
printf 'R\t%s\t%s,keyCompromise\t7002\tunknown\t/CN=bad-device\n' "$later" "$earlier" >>index
: >index.attr

# answer NAME CERT SIGNER [OPTION]...: a response of openssl's responder, into NAME.der.
answer() {
	local name=$1 cert=$2 signer=$3
	shift 3
	quiet openssl ocsp -index index -CA ca.pem -rsigner "$signer.pem" -rkey "$signer.key" \
		-issuer ca.pem -cert "$cert.pem" -no_nonce -ndays 1 -respout "$name.der" "$@"
}
answer good good ocsp
answer good-by-ca good ca
answer revoked bad ocsp
answer unknown lost ocsp
answer wrong-signer good tls
head -c 100 good.der >cut.der
: >empty.der

# judge EXIT NAME WORDS...: pki ocsp ends so, and its JSON has these members.
judge() {
	local want=$1 what=$2 status=$3
	shift 3
	"$PROV" --json pki ocsp "$@" >out 2>err
	local rc=$?
	why=
	[ $rc -eq "$want" ] || why="ended with $rc: $(cat out err)"
	[ "$(jq -r .status out)" = "$status" ] || why="$why
$(cat out)"
	report "$what"
}
while read -r file cert status rc verdict; do
	judge "$rc" "ocsp: $file is $status" "$status" --response "$file.der" --cert "$cert.pem" --issuer ca.pem
	judge "$verdict" "ocsp --verdict-exit: $file is $status" "$status" --verdict-exit --response "$file.der" \
		--cert "$cert.pem" --issuer ca.pem
done <<'END'
good good good 0 0
good-by-ca good good 0 0
revoked bad revoked 7 1
unknown lost unknown 1 2
wrong-signer good unusable 1 2
cut good unusable 1 2
empty good unusable 1 2
nowhere good unusable 1 2
good bad unusable 1 2
END
judge 1 'ocsp: too old by then' unusable --response good.der --cert good.pem --issuer ca.pem \
	--at "$(date -u -d '+3 days' +%Y-%m-%dT%H:%M:%SZ)"
judge 1 'ocsp: not yet by then' unusable --response good.der --cert good.pem --issuer ca.pem \
	--at "$(date -u -d '-1 day' +%Y-%m-%dT%H:%M:%SZ)"
judge 1 'ocsp: a certificate of another issuer' unusable --response good.der --cert good.pem --issuer tls.pem
judge 1 'ocsp: nobody to ask' unusable --cert good.pem --issuer ca.pem
judge 5 'ocsp: nobody there' unusable --cert good.pem --issuer ca.pem --url http://127.0.0.1:1/
"$PROV" --json pki ocsp --response revoked.der --cert bad.pem --issuer ca.pem >out
why=$(jq -r '[.revocation_reason, .revoked_at] | join(" ")' out)
case $why in "keyCompromise 20"*Z) why= ;; esac
report 'ocsp: when and why it was revoked'

while IFS='|' read -r want line; do
	read -ra words <<<"$line"
	"$PROV" pki ocsp "${words[@]}" >out 2>err
	rc=$?
	why=
	[ $rc -eq "$want" ] || why="ended with $rc: $(cat out err)"
	report "usage $want: pki ocsp $line"
done <<'END'
2|--cert good.pem
64|--cert good.pem --verdict-exit
64|--verdict-exit --cert good.pem --issuer ca.pem --max-age soon
64|--verdict-exit --cert good.pem --issuer ca.pem --at noon
64|--verdict-exit --cert good.pem --issuer ca.pem --url https://127.0.0.1/
64|--verdict-exit --cert good.pem --issuer ca.pem --url http://a@127.0.0.1/
2|--cert good.pem --issuer ca.pem --url http://127.0.0.1/ --response good.der
END

# --- lists ---------------------------------------------------------------------------------------

cat >crl.cnf <<'END'
[ca]
default_ca = it
[it]
database = index
crlnumber = number
default_md = sha256
default_crl_days = 1
END
echo 01 >number
quiet openssl ca -config crl.cnf -gencrl -keyfile ca.key -cert ca.pem -out ca.crl
quiet openssl req -x509 -new -key tls.key -subj /CN=test-ca -days 60 -out namesake.pem
echo 01 >number
quiet openssl ca -config crl.cnf -gencrl -keyfile tls.key -cert namesake.pem -out namesake.crl
while read -r want cert list reason; do
	"$PROV" --json pki verify --ca ca.pem --chain "$cert.pem" --purpose client --crl "$list" >out 2>err
	rc=$?
	why=
	[ $rc -eq "$want" ] && [ "$(jq -r .reason out)" = "$reason" ] || why="ended with $rc: $(cat out err)"
	report "verify --crl: $cert by $list: $reason"
done <<'END'
0 good ca.crl ok
1 bad ca.crl revoked
0 lost ca.crl ok
1 good namesake.crl no_status
1 bad namesake.crl no_status
1 good ca.pem parse
1 good nowhere.crl parse
END

# --- cases of others, where they are at hand -----------------------------------------------------

if [ -n "${OCSP_CASES:-}" ] && [ -n "${OCSP_RUNNER:-}" ]; then
	why=$(python3 "$OCSP_RUNNER" "$OCSP_CASES" "$PROV" pki ocsp --allow-sha1 --max-age none --verdict-exit |
		grep -v "^{.*'agree'): [0-9]*}$")
	report "ocsp: agrees with $OCSP_CASES"
fi
finish
