/*
 * tests/unit/pki_kit.h: throw-away keys and certificates, made when a test runs by a library that
 * shares no code with pki/.
 */
#ifndef TESTS_UNIT_PKI_KIT_H
#define TESTS_UNIT_PKI_KIT_H

#include "lib/base/buf.h"

#define PKI_KIT_NOW 1800000000 /* 2027-01-15: certificates are valid from a day before */

/*
 * By name, as PEM; NULL: no such thing. Keys (P-256, PKCS #8): "ca-key", "server-key",
 * "client-key"; "client-sec1": the same in SEC 1 behind its curve; "ed-key": Ed25519. Certificates
 * (a year): "ca"; by it "server" (dm.example.com, serverAuth), "staple" (the same, must-staple), "client" (clientAuth), "soon" (a
 * client's, of ten days), "late" (a client's, expired). "client-public": SubjectPublicKeyInfo.
 */
const char *pki_kit_pem(const char *name);

/* The text with each $NAME$ replaced by that PEM as the inside of a JSON string; appended. */
void pki_kit_fill(const char *text, struct gbuf *out);

#endif
