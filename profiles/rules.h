/*
 * profiles/rules.h: the rules of a profile file as one table, and how a finding is made; for
 * profiles/ alone. A new rule is a row here; help, the explain command and the tests read the
 * table.
 */
#ifndef PROFILES_RULES_H
#define PROFILES_RULES_H

#include "profiles/doc.h"

/* clang-format off */
#define PROFILE_RULES(X) \
	X(KIND, "kind", ERROR, "A document is a device (\"endpoint\") or a shared profile (\"profile\"): it needs exactly one of the two, a printable name of 1 to 255 octets.") \
	X(FORMAT, "format", ERROR, "\"profile_format\": 1 says how the document is to be read. Every document needs it.") \
	X(UNKNOWN_KEY, "unknown-key", ERROR, "No such key is known here. Correct it, or begin it with x_ when it is your own: x_ keys are carried along. lwm2m-prov explain lists the keys.") \
	X(TWO_SPELLINGS, "two-spellings", ERROR, "One resource is given by its short and by its registered name. Keep one of them.") \
	X(TYPE, "type", ERROR, "The value has another JSON type than this key takes.") \
	X(RANGE, "range", ERROR, "The value lies outside what the object's definition or the protocol allows.") \
	X(WORD, "word", ERROR, "The value is one of a list of words (or the number behind it), and this is none of them.") \
	X(DURATION, "duration", ERROR, "A duration is a number in the resource's unit, or text such as \"30s\", \"5m\", \"1h\", \"1d\", \"2w\" that converts to that unit without a rest.") \
	X(MISSING, "missing", ERROR, "This key has no default: nothing sensible can be written without it.") \
	X(UNKNOWN_PARENT, "unknown-parent", ERROR, "\"extends\" names a profile that is neither among the given files (-I DIR) nor in the store.") \
	X(CIRCLE, "circle", ERROR, "Documents extend each other in a circle. Take one \"extends\" away.") \
	X(TOO_MANY_PARENTS, "too-many-parents", ERROR, "The document rests on more documents than are allowed, or they extend each other too deeply.") \
	X(VARIABLE, "variable", ERROR, "${name} must be defined in \"vars\" of the document or of what it extends; ${name:-text} gives a default, ${endpoint} is the device's name, $$ is a dollar sign. Variables do not nest.") \
	X(OBJECT, "object", ERROR, "No definition of this object is known. Load it with --object-dir, or correct the path.") \
	X(PATH, "path", ERROR, "A path is /OBJECT, /OBJECT/INSTANCE or deeper, in decimal numbers; under /1 and /11 the instance may be the local name of a server or an APN profile.") \
	X(NOT_WRITABLE, "not-writable", ERROR, "This resource is executed, or belongs to the bootstrap account or to the client itself: it cannot be written here.") \
	X(OVERLAP, "overlap", ERROR, "\"objects\" gives an instance that \"servers\", \"access_control\" or \"apn_connection_profiles\" makes. Say it in one place.") \
	X(LIMIT, "limit", ERROR, "More of these than are allowed in one document.") \
	X(DUPLICATE_ID, "duplicate-short-server-id", ERROR, "Two servers have one Short Server ID: a client takes them for one account, or refuses both. Give each its own; one server on several transports is one entry with \"endpoints\".") \
	X(DUPLICATE_ACCOUNT, "duplicate-account", ERROR, "Two Security instances have one Short Server ID and one transport: a client cannot tell which to use.") \
	X(RESERVED_ID, "reserved-short-server-id", ERROR, "Short Server IDs are 1 to 65534: 0 and 65535 are reserved.") \
	X(UNPAIRED, "unpaired-account", ERROR, "Under \"replace\" an account needs both halves: a /1 instance and a /0 instance with the same Short Server ID. With one alone the client answers Finish with 4.06.") \
	X(URI, "uri", ERROR, "A server's URI is coap://, coaps://, coap+tcp:// or coaps+tcp://, a host (IPv6 in brackets), and perhaps a port; an SMS account has tel:, a LoRaWAN account lorawan://.") \
	X(SCHEME_MODE, "scheme-mode", ERROR, "coap and coap+tcp go with mode nosec, coaps and coaps+tcp with any other. A client refuses every other pair.") \
	X(BINDING, "binding", ERROR, "The letters of the binding are the transports of the server, and Preferred Transport is one of them: U for UDP, T for TCP, S for SMS, N for non-IP. Letters and URI without a common transport make a dead account.") \
	X(UNSPECIFIED, "unspecified-address", ERROR, "0.0.0.0 and [::] are no addresses that a device can connect to.") \
	X(PORT, "port", ERROR, "A port is 1 to 65535; without one the scheme's own is used (5683, 5684).") \
	X(LOCALHOST, "localhost", WARNING, "The address is the device itself. Right on a test bench, wrong in the field.") \
	X(KEY_FORM, "key-form", ERROR, "A key is {\"file\": ...}, {\"hex\": ...}, {\"base64\": ...}, {\"generate\": 16}, or text in hex, base64 or PEM that can be read in one way only.") \
	X(KEY_MATERIAL, "key-material", ERROR, "The key material is not what this mode needs there.") \
	X(KEY_MISSING, "key-missing", ERROR, "A reference names a key that is not kept: bring it with the document, or take the reference away.") \
	X(FILE, "file", ERROR, "A file is named relative to the document that names it and must lie below the root folder: no absolute path, no \"..\", no link that leads out of it.") \
	X(WEAK_KEY, "weak-key", WARNING, "A pre-shared key under 16 octets can be guessed. Let one be made: {\"generate\": 16}.") \
	X(LONG_KEY, "long-key", WARNING, "Clients need not take pre-shared keys over 64 octets or identities over 128.") \
	X(SAME_KEY, "same-key", ERROR, "The key that a device bootstraps with is written into an account of it, or two servers get one key: each server could then act as the other. Use another, or say \"shared_key\": true.") \
	X(SHARED_KEY, "shared-key", ERROR, "Several devices have one key: who takes it from one of them is all of them. Make one for each ({\"generate\": 16}), or say \"shared_key\": true.") \
	X(SHARED_IDENTITY, "shared-identity", ERROR, "Two devices knock with one identity: the server could not tell them apart.") \
	X(DUPLICATE_ENDPOINT, "duplicate-endpoint", ERROR, "Two documents are for one endpoint. Keep one.") \
	X(DUPLICATE_PROFILE, "duplicate-profile", ERROR, "Two documents are one profile by name. Keep one.") \
	X(LINK, "dangling-link", ERROR, "An object link leads to an instance that this document does not write.") \
	X(UNLINKED_APN, "unlinked-apn", WARNING, "No server's apn_link leads to this APN profile, so no registration uses it.") \
	X(ACL_SERVER, "acl-unknown-server", ERROR, "Access control names a server that the document does not have.") \
	X(ACL_CREATE, "acl-create", ERROR, "Create is a right on an object (\"/5\"), every other right is one on an instance (\"/5/0\"). Object-level rules belong to the bootstrap interface and have no owner.") \
	X(ACL_TARGET, "acl-target", ERROR, "Objects 0, 2 and 21 have no access control of their own: no server ever reads them.") \
	X(NO_ACL, "no-access-control", WARNING, "With several servers a device refuses every access that no rule grants. Add \"access_control\" for what they shall manage.") \
	X(MUTE_SEND, "mute-send", WARNING, "mute_send false lets the device send values on its own, but only such as the server may read: give it \"read\" in \"access_control\" too.") \
	X(MANDATORY, "missing-mandatory", WARNING, "The object's definition calls this resource mandatory. What is given under \"objects\" is written as it stands; a client may refuse the instance, or Finish with 4.06.") \
	X(READ_ONLY, "read-only", WARNING, "The client keeps this resource itself and may ignore or refuse a write.") \
	X(NOT_SERVED, "not-served", ERROR, "This is part of the format and not served yet.") \
	X(ON_CONFLICT, "on-conflict", WARNING, "Under \"replace\" no access control rule of the device is left to be in conflict with: on_conflict says otherwise.") \
	X(EMPTY_CREDENTIALS, "empty-credentials", WARNING, "Resources 3 and 5 are mandatory with this mode; some clients answer Finish with 4.06 when they are empty.") \
	X(KEPT_KEY, "kept-key", WARNING, "The private key stays in the device, and the account is written resource by resource: the device must already have an account with this Short Server ID, or its bootstrap fails, and a client that does not take such writes cannot be served.") \
	X(KEY_PAIR, "key-pair", ERROR, "The private key and the certificate or public key beside it do not belong together: the device could not prove who it is.") \
	X(CERT_USAGE, "certificate-usage", ERROR, "Certificate Usage 0 (ca_constraint) and 2 (trust_anchor_assertion) pin a CA's certificate, 1 (service_certificate_constraint) and 3 (domain_issued_certificate, when nothing is said) the server's own.") \
	X(CA_AS_SERVER, "ca-as-server-certificate", WARNING, "The usage pins the server's own certificate, and a CA's is given: the device accepts only a server that shows that very certificate. For the servers of a CA say \"certificate_usage\": \"trust_anchor_assertion\".") \
	X(DIGEST_CA, "digest-of-a-ca", WARNING, "A device that holds only the digest of a CA finds that CA among what the server sends: a server that sends its own certificate alone is refused.") \
	X(MUST_STAPLE, "must-staple", WARNING, "The server's certificate has the TLS feature status_request (RFC 7633), which promises a stapled OCSP answer in every handshake. A device that holds to it refuses a server that gives none; over DTLS 1.2 few device stacks ask for one and few servers give it. Have the certificate issued without it, or try it with the device first.") \
	X(NO_SERVER_KEY, "no-server-key", ERROR, "An account with a certificate or raw public key and nothing in Server Public Key accepts any server. Give the server's certificate, its CA, its public key, or a digest.") \
	X(EXPIRED, "expired", ERROR, "The certificate has expired. Bring a newer one.") \
	X(EXPIRES, "expires", WARNING, "The certificate is not valid for as long as the device will have it. \"next_bootstrap\" in \"bootstrap\" says when it is expected again; 30 days are taken when it is not said.") \
	X(CERT_PURPOSE, "certificate-purpose", WARNING, "The certificate was not issued for this: clients show one with digitalSignature and, where it has extended key usages, clientAuth; servers serverAuth. The other side may refuse it.") \
	X(SERVER_NAME, "server-name", ERROR, "The server's certificate is not for the host in its URI (or the SNI): with Certificate Usage 1 the device refuses it.") \
	X(OTHER_NAME, "other-name", WARNING, "The server's certificate is not for the host in its URI (or the SNI). With Certificate Usage 3 a device that keeps to the letter does not ask; others do.") \
	X(SUITE, "ciphersuite", ERROR, "The cipher suite does not go with the mode: psk takes those with PSK in their name, rpk and x509 the others.") \
	X(SNI, "sni", ERROR, "SNI is a host name; an address is not one (RFC 6066 section 3).") \
	X(REFUSED, "refused-by-clients", WARNING, "The value is legal, and known clients refuse it with 4.06 at Finish.") \
	X(ORDER, "registration-order", WARNING, "With ordered registrations, bootstrap_on_registration_failure should be true only together with registration_failure_block: otherwise one dead server sends the device back to bootstrap while the others work.") \
	X(NO_ORDER, "block-without-order", WARNING, "registration_failure_block stops the servers that come after this one in the order of their registrations. Without registration_priority_order this one has no place in it, and the word has no effect.") \
	X(NO_FALL_BACK, "no-fall-back", WARNING, "The device forgets its bootstrap account (bootstrap_server_account_timeout) before it has given up all servers that may send it back to bootstrap: then there is nobody to turn to. Make it longer than the sum of waits and retries that plan shows, or 0.") \
	X(HOLD_OFF, "hold-off", WARNING, "Clients built on Anjay wait 20 s at most before they knock, whatever client_hold_off_time says, and longer only after failures. To keep a fleet apart use a spread initial_registration_delay_timer.") \
	X(SPREAD, "spread", ERROR, "{\"spread\": \"0..10m\"} stands for a duration of its own for each device, always the same one: two durations with .. between, the shorter first.") \
	X(AT_ONCE, "acts-at-once", WARNING, "The device obeys at once: its radio goes off in the middle of the bootstrap.") \
	X(HANDOFF, "handoff", ERROR, "\"handoff\" lets an LwM2M Server learn of a device's credential before the device registers with it. It needs an account with a credential, one LwM2M Server for each, and time: within_delay needs an initial_registration_delay_timer of at least the deadline.") \
	X(ROTATE, "rotate", ERROR, "A key is made anew only where it was made here ({\"generate\": 16}), and where its server learns of the new one (\"handoff\").") \
	X(RETAINED, "retained", WARNING, "What \"retain\" covers is neither deleted nor written: these values do not reach the device.") \
	X(FOREIGN, "foreign-accounts", WARNING, "Under \"replace\" nothing of other accounts is left, and \"merge\" deletes nothing: foreign_accounts says otherwise.")
/* clang-format on */

enum prule {
#define PROFILE_RULE_ID(id, name, severity, help) RULE_##id,
	PROFILE_RULES(PROFILE_RULE_ID)
#undef PROFILE_RULE_ID
	    RULE__COUNT
};

/*
 * Adds a finding about a node (NULL: about the whole of root). Nothing happens when f is NULL.
 * finding_key() is about the name of a member, finding_member() about one that is not there.
 */
void finding_add(struct profile_findings *f, enum prule rule, const struct pnode *at,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
void finding_key(struct profile_findings *f, enum prule rule, const struct pnode *at,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
void finding_member(struct profile_findings *f, enum prule rule, const struct pnode *object,
    const char *member, const char *fmt, ...) PRINTF_LIKE(5, 6);

#endif
