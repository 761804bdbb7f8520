# Throw-away CAs, certificates and raw public keys of the interop cases, made with lwm2m-prov. Sourced by run.sh after
# bsserver.sh. Everything is PEM in KEYS: CA/ca.pem, NAME.crt, NAME.key, NAME.pub.
# shellcheck shell=bash

KEYS=$WORK/profiles/keys

pki() {
	"$PROV" pki "$@" >>"$WORK/pki.log" 2>&1 || {
		tail -n 3 "$WORK/pki.log" | sed 's/^/# /'
		fail "pki $1"
	}
}

# certify CA client|server NAME OPTION...: NAME.crt with NAME.key of its own, and NAME.pub.
certify() {
	local ca=$1 purpose=$2 name=$3

	shift 3
	pki issue "$KEYS/$ca" --purpose "$purpose" --out "$KEYS/$name.crt" --key-out "$KEYS/$name.key" "$@"
	openssl pkey -in "$KEYS/$name.key" -pubout -out "$KEYS/$name.pub" 2>>"$WORK/pki.log" || fail "public key of $name"
}

# Devices leave the factory with certificates of one CA and are given those of another, which has the servers too; the
# third is nobody's.
make_certificates() {
	local ca

	mkdir -p "$KEYS"
	for ca in factory operator foreign; do
		pki ca init "$KEYS/$ca" --subject "CN=$ca"
	done
	certify operator server bsserver --subject CN=bsserver --name ip:127.0.0.1
	certify operator server management --subject CN=management --name ip:127.0.0.1
}

# What a device of usage 3 or 2 knows a server by: its certificate, or the CA that issued it. Prints the file's name.
pinned() {
	case $2 in
	3) echo "$1.crt" ;;
	2) echo operator/ca.pem ;;
	esac
}

# security_x509 ENDPOINT USAGE, security_rpk ENDPOINT: the account at the LwM2M Server, for a profile.
security_x509() {
	printf '"mode": "x509", "certificate_usage": %s, %s' "$2" "$(security_files "$1-dm.crt" "$1-dm.key" "$(pinned management "$2")")"
}

security_rpk() {
	printf '"mode": "rpk", %s' "$(security_files "$1-dm.pub" "$1-dm.key" management.pub)"
}

security_files() {
	printf '"identity": { "file": "keys/%s" }, "key": { "file": "keys/%s" }, "server_public_key": { "file": "keys/%s" }' "$@"
}

# enroll_x509 ENDPOINT USAGE named|pinned: certificates to knock and to register with, and its profile. The one to knock
# with has the endpoint's name; or another, and is the very one that the profile asks for.
enroll_x509() {
	local subject=$1 knock='"mode": "x509"'

	if [ "$3" = pinned ]; then
		subject=serial-4711
		knock="$knock, \"identity\": { \"file\": \"keys/$1-bs.crt\" }"
	fi
	certify factory client "$1-bs" --subject "CN=$subject"
	certify operator client "$1-dm" --subject "CN=$1"
	apply_profile "$1" "$knock" "$(security_x509 "$1" "$2")"
	dm_learn "$1" '"mode":"x509"'
}

enroll_rpk() {
	certify factory client "$1-bs" --subject "CN=$1"
	certify operator client "$1-dm" --subject "CN=$1"
	apply_profile "$1" "\"mode\": \"rpk\", \"identity\": { \"file\": \"keys/$1-bs.pub\" }" "$(security_rpk "$1")"
	dm_learn "$1" "\"mode\":\"rpk\",\"details\":{\"key\":\"$(public_hex "$1-dm")\"}"
}

# The SubjectPublicKeyInfo of a key, DER in hex.
public_hex() {
	openssl pkey -pubin -in "$KEYS/$1.pub" -outform DER | od -An -v -tx1 | tr -d ' \n'
}

# knock_x509 NAME ENDPOINT USAGE ARGUMENT...: with the certificate ENDPOINT-bs.
knock_x509() {
	local name=$1 endpoint=$2 usage=$3

	shift 3
	device "$name" "coaps://127.0.0.1:$BS_COAPS" "$endpoint" \
		--x509 "$KEYS/$endpoint-bs.crt" "$KEYS/$endpoint-bs.key" "$KEYS/$(pinned bsserver "$usage")" "$usage" "$@"
}

knock_rpk() {
	local name=$1 endpoint=$2

	shift 2
	device "$name" "coaps://127.0.0.1:$BS_COAPS" "$endpoint" \
		--rpk "$KEYS/$endpoint-bs.pub" "$KEYS/$endpoint-bs.key" "$KEYS/bsserver.pub" "$@"
}
