#include "profiles/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#define PLAIN .oid = -1, .rid = -1
#define RES(o, r) .oid = o, .rid = r

/* In the order in which a canonical document has them. */
static const struct pkey table[] = {
	{ SEC_TOP, "profile_format", NULL, PLAIN, SEC_NONE, "1", "the version of this file format" },
	{ SEC_TOP, "endpoint", NULL, PLAIN, SEC_NONE, "string", "the endpoint client name of the device that this document is for" },
	{ SEC_TOP, "profile", NULL, PLAIN, SEC_NONE, "string", "the name of a shared document, which others extend" },
	{ SEC_TOP, "extends", NULL, PLAIN, SEC_NONE, "string or list of strings", "the shared documents that this one rests on; the later ones win, this one over all" },
	{ SEC_TOP, "match", NULL, PLAIN, SEC_MATCHES, "list", "for whom a shared document is when a device names none; the longest pattern wins" },
	{ SEC_TOP, "vars", NULL, PLAIN, SEC_VARS, "map of scalars", "values for ${name} in the other values" },
	{ SEC_TOP, "labels", NULL, PLAIN, SEC_LABELS, "map of strings", "what a device can be found by" },
	{ SEC_TOP, "shared_key", NULL, PLAIN, SEC_NONE, "boolean", "true: one key for several devices or accounts is meant so" },
	{ SEC_TOP, "credentials", NULL, PLAIN, SEC_CREDENTIALS, "object", "what the device knocks with; never written to it" },
	{ SEC_TOP, "servers", NULL, PLAIN, SEC_SERVERS, "map by local name", "the LwM2M Servers: each becomes a /1 instance and its /0 instances" },
	{ SEC_TOP, "registry", NULL, PLAIN, SEC_NONE, "boolean", "true: one more server, \"registry\", which is the bootstrap server itself: so that it can call the device back" },
	{ SEC_TOP, "apn_connection_profiles", NULL, PLAIN, SEC_APNS, "map by local name", "APN profiles: each becomes a /11 instance" },
	{ SEC_TOP, "access_control", NULL, PLAIN, SEC_ACLS, "map by path", "who may do what: each becomes a /2 instance" },
	{ SEC_TOP, "objects", NULL, PLAIN, SEC_OBJECTS, "map by path", "any other instance, written as it stands" },
	{ SEC_TOP, "bootstrap", NULL, PLAIN, SEC_BOOTSTRAP, "object", "how it is written" },
	{ SEC_TOP, "bootstrap_account", NULL, PLAIN, SEC_ACCOUNT, "object", "what is changed in the device's own bootstrap account" },

	{ SEC_MATCH, "endpoint", NULL, PLAIN, SEC_NONE, "pattern", "endpoint names: * any run of characters, ? any one" },
	{ SEC_MATCH, "issuer", NULL, PLAIN, SEC_NONE, "pattern", "who issued the device's certificate; not served yet" },

	{ SEC_CREDENTIALS, "bootstrap", NULL, PLAIN, SEC_KNOCK, "object", "the bootstrap account's credentials" },
	{ SEC_KNOCK, "mode", "security_mode", RES(0, 2), SEC_NONE, NULL, "how the device proves who it is" },
	{ SEC_KNOCK, "identity", "public_key_or_identity", RES(0, 3), SEC_KEY, NULL, "psk: its identity; rpk: its public key; x509: its certificate, when no other will do" },
	{ SEC_KNOCK, "key", "secret_key", RES(0, 5), SEC_KEY, "key", "its pre-shared key" },

	{ SEC_SERVER, "short_server_id", NULL, RES(1, 0), SEC_NONE, NULL, "the number that links an account's halves; 1 to 65534, one for each server" },
	{ SEC_SERVER, "uri", "lwm2m_server_uri", RES(0, 0), SEC_NONE, NULL, "where the server is: coaps://host:port" },
	{ SEC_SERVER, "endpoints", NULL, PLAIN, SEC_ENDPOINTS, "list", "instead of uri: one {uri, security} for each transport" },
	{ SEC_SERVER, "security", NULL, PLAIN, SEC_SECURITY, "object", "the /0 instance: mode, keys, and any other resource of Object 0" },
	{ SEC_SERVER, "min_period", "default_minimum_period", RES(1, 2), SEC_NONE, NULL, "the least time between notifications" },
	{ SEC_SERVER, "max_period", "default_maximum_period", RES(1, 3), SEC_NONE, NULL, "the longest time between notifications" },
	{ SEC_SERVER, "notification_storing", "notification_storing_when_disabled_or_offline", RES(1, 6), SEC_NONE, NULL, "keep notifications while the server cannot be reached" },
	{ SEC_SERVER, "handoff", NULL, PLAIN, SEC_HANDOFF, "object", "how the server learns of the device's credential before the device registers" },
	{ SEC_HANDOFF, "to", NULL, PLAIN, SEC_NONE, "string", "its name among lwm2m_servers in the daemon's configuration" },
	{ SEC_HANDOFF, "within_delay", NULL, PLAIN, SEC_NONE, "boolean", "true: told after Finish, within initial_registration_delay_timer; false: before" },
	{ SEC_HANDOFF, "deadline", NULL, PLAIN, SEC_NONE, "duration", "how long the server may take, attempts and all; 60s" },
	{ SEC_ENDPOINT, "uri", "lwm2m_server_uri", RES(0, 0), SEC_NONE, NULL, "where the server is on this transport" },
	{ SEC_ENDPOINT, "security", NULL, PLAIN, SEC_SECURITY, "object", "its /0 instance; what is not said here is taken from the server's own" },
	{ SEC_SECURITY, "mode", "security_mode", RES(0, 2), SEC_NONE, NULL, "how both sides prove who they are" },
	{ SEC_SECURITY, "identity", "public_key_or_identity", RES(0, 3), SEC_KEY, NULL, "psk: the identity; rpk: the public key (that of the private key when absent); x509: the certificate" },
	{ SEC_SECURITY, "server_public_key", NULL, RES(0, 4), SEC_KEY, NULL, "rpk: the server's public key; x509: its certificate or trust anchor; a digest is made when matching_type asks for one" },
	{ SEC_SECURITY, "key", "secret_key", RES(0, 5), SEC_KEY, NULL, "psk: the key; rpk, x509: the private key; keep: it stays in the device, empty: no octets" },
	{ SEC_SECURITY, "ciphersuites", "dtls_tls_ciphersuite", RES(0, 16), SEC_NONE, NULL, "the cipher suites that the client may use" },

	{ SEC_APN, "apn", NULL, RES(11, 1), SEC_NONE, NULL, "the access point name" },

	{ SEC_ACL, "owner", NULL, RES(2, 3), SEC_NONE, "server, number or bootstrap", "who may change this rule" },
	{ SEC_ACL, "acl", NULL, RES(2, 2), SEC_RIGHTS, "map", "server or default: list of read, write, execute, delete, create" },

	{ SEC_ACL, "on_conflict", NULL, PLAIN, SEC_NONE, "one of refuse, keep, merge, replace", "when the device has such a rule already and the two do not go together; refuse" },

	{ SEC_BOOTSTRAP, "policy", NULL, PLAIN, SEC_NONE, "one of incremental, replace, merge", "incremental: touch what differs; replace: these objects hold exactly this; merge: add and update" },
	{ SEC_BOOTSTRAP, "format", NULL, PLAIN, SEC_NONE, "auto or a content format", "how values are encoded; auto follows the device" },
	{ SEC_BOOTSTRAP, "verify", NULL, PLAIN, SEC_NONE, "boolean", "read back and compare; false: the verdict is written, never provisioned" },
	{ SEC_BOOTSTRAP, "retain", NULL, PLAIN, SEC_NONE, "list of paths", "never deleted or written" },
	{ SEC_BOOTSTRAP, "foreign_accounts", NULL, PLAIN, SEC_NONE, "one of keep, remove, remove_invalid", "what becomes of accounts that are not in this document" },
	{ SEC_BOOTSTRAP, "required_confirmed", NULL, PLAIN, SEC_NONE, "list of paths", "a value that cannot be read back counts as a failure here" },
	{ SEC_BOOTSTRAP, "early_return", NULL, PLAIN, SEC_NONE, "duration", "a device that is back sooner is written anew where it cannot be read; 0 never; 10m" },
	{ SEC_BOOTSTRAP, "request_timeout", NULL, PLAIN, SEC_NONE, "duration", "how long one request may take, retransmissions included; 93s" },
	{ SEC_BOOTSTRAP, "session_timeout", NULL, PLAIN, SEC_NONE, "duration", "how long a whole session may take; 247s" },
	{ SEC_BOOTSTRAP, "set_time", NULL, PLAIN, SEC_NONE, "boolean", "true: the time goes to /3/0/13 before anything else is written, for devices without a clock" },
	{ SEC_BOOTSTRAP, "next_bootstrap", NULL, PLAIN, SEC_NONE, "duration", "when the device is expected to bootstrap again; certificates that end before are pointed out" },

	{ SEC_ACCOUNT, "client_hold_off_time", NULL, RES(0, 11), SEC_NONE, NULL, "how long the device waits before it knocks" },
	{ SEC_ACCOUNT, "bootstrap_server_account_timeout", NULL, RES(0, 12), SEC_NONE, NULL, "after how long it forgets the bootstrap account; 0 never" },

	{ SEC_KEY, "file", NULL, PLAIN, SEC_NONE, "string", "a file, read by the command line: PEM, DER, hex, base64 or raw octets" },
	{ SEC_KEY, "encoding", NULL, PLAIN, SEC_NONE, "one of raw, hex, base64, pem, der", "with file: how to read it when that is not plain" },
	{ SEC_KEY, "hex", NULL, PLAIN, SEC_NONE, "string", "the octets in hex" },
	{ SEC_KEY, "base64", NULL, PLAIN, SEC_NONE, "string", "the octets in base64" },
	{ SEC_KEY, "generate", NULL, PLAIN, SEC_NONE, "16..64", "so many random octets, made once for each device" },
	{ SEC_KEY, "rotate", NULL, PLAIN, SEC_NONE, "never, on_bootstrap or duration", "with generate: made anew at each bootstrap, or at the first one after that time; the server is told (handoff)" },
	{ SEC_KEY, "credential", NULL, PLAIN, SEC_NONE, "string", "a key that the daemon keeps, by its slot" },
	{ SEC_KEY, "fingerprint", NULL, PLAIN, SEC_NONE, "string", "with credential: which one" },
};

static const struct {
	const char *place;
	int oid;
} sections[] = {
	[SEC_NONE] = { "", -1 },
	[SEC_TOP] = { "", -1 },
	[SEC_MATCHES] = { "match", -1 },
	[SEC_MATCH] = { "match.N", -1 },
	[SEC_VARS] = { "vars", -1 },
	[SEC_LABELS] = { "labels", -1 },
	[SEC_CREDENTIALS] = { "credentials", -1 },
	[SEC_KNOCK] = { "credentials.bootstrap", -1 },
	[SEC_SERVERS] = { "servers", -1 },
	[SEC_SERVER] = { "servers.NAME", LWM2M_SERVER },
	[SEC_ENDPOINTS] = { "servers.NAME.endpoints", -1 },
	[SEC_ENDPOINT] = { "servers.NAME.endpoints.N", -1 },
	[SEC_SECURITY] = { "servers.NAME.security", LWM2M_SECURITY },
	[SEC_APNS] = { "apn_connection_profiles", -1 },
	[SEC_APN] = { "apn_connection_profiles.NAME", LWM2M_APN },
	[SEC_ACLS] = { "access_control", -1 },
	[SEC_ACL] = { "access_control.PATH", -1 },
	[SEC_RIGHTS] = { "access_control.PATH.acl", -1 },
	[SEC_OBJECTS] = { "objects", -1 },
	[SEC_OBJECT] = { "objects.PATH", -1 },
	[SEC_BOOTSTRAP] = { "bootstrap", -1 },
	[SEC_ACCOUNT] = { "bootstrap_account", -1 },
	[SEC_HANDOFF] = { "servers.NAME.handoff", -1 },
	[SEC_KEY] = { "KEY", -1 },
};

/* Resources of Object 0 that a security section does not take: they have their own places. */
static const int elsewhere[] = { 0, 1, 10, 11, 12 };

#define WORDS(name, ...) static const struct pword name[] = { __VA_ARGS__, { NULL, 0 } }
WORDS(modes, { "psk", 0 }, { "rpk", 1 }, { "x509", 2 }, { "nosec", 3 }, { "est", 4 });
WORDS(sms_modes, { "dtls", 1 }, { "secure_packet_structure", 2 }, { "nosec", 3 });
WORDS(matching, { "exact", 0 }, { "sha256", 1 }, { "sha384", 2 }, { "sha512", 3 });
WORDS(usages, { "ca_constraint", 0 }, { "service_certificate_constraint", 1 }, { "trust_anchor_assertion", 2 },
    { "domain_issued_certificate", 3 });
WORDS(suites, { "psk_aes_128_ccm_8", 0xc0a8 }, { "psk_aes_128_cbc_sha256", 0x00ae },
    { "ecdhe_ecdsa_aes_128_ccm_8", 0xc0ae }, { "ecdhe_ecdsa_aes_128_cbc_sha256", 0xc023 });
WORDS(notification_modes, { "non_confirmable", 0 }, { "confirmable", 1 });
WORDS(apn_auth, { "pap", 0 }, { "chap", 1 }, { "pap_or_chap", 2 }, { "none", 3 });
WORDS(pdn_types, { "non_ip", 0 }, { "ipv4", 1 }, { "ipv6", 2 }, { "ipv4v6", 3 });
WORDS(time_units, { "unrestricted", 0 }, { "minute", 1 }, { "hour", 2 }, { "day", 3 }, { "week", 4 });
WORDS(bearers, { "auto", 0 }, { "gsm", 2 }, { "umts", 3 }, { "lte", 4 }, { "wlan", 7 }, { "ethernet", 8 },
    { "lte_ciot_up", 12 }, { "lte_ciot_cp", 13 }, { "nb_iot_cp", 14 }, { "nb_iot_up", 15 }, { "5g_nr", 16 });
const struct pword pwords_rights[] = { { "read", 1 }, { "write", 2 }, { "execute", 4 }, { "delete", 8 }, { "create", 16 }, { NULL, 0 } };
const struct pword pwords_policy[] = { { "incremental", PROFILE_INCREMENTAL }, { "replace", PROFILE_REPLACE }, { "merge", PROFILE_MERGE }, { NULL, 0 } };
const struct pword pwords_foreign[] = { { "keep", PROFILE_FOREIGN_KEEP }, { "remove", PROFILE_FOREIGN_REMOVE },
	{ "remove_invalid", PROFILE_FOREIGN_REMOVE_INVALID }, { NULL, 0 } };
const struct pword pwords_acl_mode[] = { { "refuse", PROFILE_ACL_REFUSE }, { "keep", PROFILE_ACL_KEEP }, { "merge", PROFILE_ACL_MERGE },
	{ "replace", PROFILE_ACL_REPLACE }, { NULL, 0 } };

static const struct {
	int oid, rid;
	const struct pword *words;
} enumerations[] = {
	{ 0, 2, modes }, { 0, 6, sms_modes }, { 0, 13, matching }, { 0, 15, usages }, { 0, 16, suites },
	{ 1, 26, notification_modes }, { 11, 4, apn_auth }, { 11, 24, pdn_types }, { 11, 27, time_units },
	{ 11, 29, time_units }, { 13, 0, bearers },
};
/* clang-format on */

const struct pkey *
pkey_at(size_t i)
{
	return i < N_ELEMS(table) ? &table[i] : NULL;
}

const struct pkey *
pkey_find(enum psection in, const char *name)
{
	for (size_t i = 0; i < N_ELEMS(table); i++)
		if (table[i].in == in && strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

int
psection_object(enum psection s)
{
	return sections[s].oid;
}

const char *
psection_place(enum psection s)
{
	return sections[s].place;
}

/* Whether a resource's value may be a key or another run of octets. */
static bool
takes_key(enum psection in, const struct pnode *member)
{
	return (in == SEC_SECURITY || in == SEC_OBJECT || in == SEC_APN) &&
	       member->type == PN_OBJECT &&
	       (pnode_get(member, "file") != NULL || pnode_get(member, "hex") != NULL ||
	           pnode_get(member, "base64") != NULL || pnode_get(member, "generate") != NULL ||
	           pnode_get(member, "credential") != NULL);
}

enum psection
psection_below(enum psection s, const struct pnode *member)
{
	static const enum psection maps[] = {
		[SEC_KEY] = SEC_NONE,
		[SEC_MATCHES] = SEC_MATCH,
		[SEC_SERVERS] = SEC_SERVER,
		[SEC_ENDPOINTS] = SEC_ENDPOINT,
		[SEC_APNS] = SEC_APN,
		[SEC_ACLS] = SEC_ACL,
		[SEC_OBJECTS] = SEC_OBJECT,
	};

	if (maps[s] != SEC_NONE)
		return maps[s];
	for (size_t i = 0; member->key != NULL && i < N_ELEMS(table); i++)
		if (table[i].in == s && (strcmp(table[i].name, member->key) == 0 ||
		                            (table[i].registered != NULL &&
		                                strcmp(table[i].registered, member->key) == 0)))
			return table[i].leads_to;
	return takes_key(s, member) ? SEC_KEY : SEC_NONE;
}

enum psection
psection_of(const struct pnode *n)
{
	return n->parent == NULL ? SEC_TOP : psection_below(psection_of(n->parent), n);
}

static bool
row_applies(const struct pkey *row, enum psection in, int oid)
{
	return row->registered != NULL && (row->in == in || (in == SEC_OBJECT && row->oid == oid));
}

const char *
pkey_other(enum psection in, const char *name)
{
	for (size_t i = 0; i < N_ELEMS(table); i++) {
		if (!row_applies(&table[i], in, table[i].oid))
			continue;
		if (strcmp(table[i].name, name) == 0)
			return table[i].registered;
		if (strcmp(table[i].registered, name) == 0)
			return table[i].name;
	}
	return NULL;
}

static bool
has_own_place(enum psection in, int rid)
{
	for (size_t i = 0; in == SEC_SECURITY && i < N_ELEMS(elsewhere); i++)
		if (elsewhere[i] == rid)
			return true;
	return false;
}

/* "5700" -> 5700; -1: it is no number of a resource. */
static int
by_number(const char *name)
{
	uint64_t v;
	char text[8];

	if (strlen(name) > 5 || name[0] < '0' || name[0] > '9')
		return -1;
	v = strtoul(name, NULL, 10);
	(void)snprintf(text, sizeof text, "%u", (unsigned)v);
	return v <= LWM2M_ID_MAX && strcmp(text, name) == 0 ? (int)v : -1;
}

const struct lwm2m_res_def *
pkey_resource(
    const struct lwm2m_model *m, enum psection in, int oid, const char *name, int *oid_out)
{
	int o = in == SEC_OBJECT ? oid : psection_object(in);
	const struct lwm2m_res_def *r;

	for (size_t i = 0; i < N_ELEMS(table); i++) {
		const struct pkey *row = &table[i];
		bool here = row->in == in ||
		            (in == SEC_OBJECT && row->oid == oid && row->registered != NULL);

		if (!here || row->rid < 0)
			continue;
		if (strcmp(row->name, name) == 0 ||
		    (row->registered != NULL && strcmp(row->registered, name) == 0)) {
			*oid_out = row->oid;
			return lwm2m_model_resource(m, (uint16_t)row->oid, (uint16_t)row->rid);
		}
	}
	const struct lwm2m_obj_def *def = o >= 0 ? lwm2m_model_object(m, (uint16_t)o) : NULL;
	if (def == NULL)
		return NULL;
	*oid_out = o;
	r = lwm2m_obj_resource_by_key(def, name);
	if (r == NULL && in == SEC_OBJECT && by_number(name) >= 0)
		r = lwm2m_obj_resource(def, (uint16_t)by_number(name));
	return r != NULL && !has_own_place(in, r->id) ? r : NULL;
}

bool
pkey_is_own(const char *name)
{
	return strncmp(name, "x_", 2) == 0;
}

unsigned
pkey_order(enum psection in, const char *name)
{
	int oid;

	for (unsigned i = 0; i < N_ELEMS(table); i++)
		if (table[i].in == in &&
		    (strcmp(table[i].name, name) == 0 ||
		        (table[i].registered != NULL && strcmp(table[i].registered, name) == 0)))
			return i;
	const struct lwm2m_res_def *r = pkey_resource(lwm2m_model_builtin(), in, -1, name, &oid);
	if (r != NULL)
		return 1000U + r->id;
	return pkey_is_own(name) ? 200000 : 100000;
}

size_t
pkey_names(const struct lwm2m_model *m, enum psection in, int oid, const char **out, size_t max)
{
	int o = in == SEC_OBJECT ? oid : psection_object(in);
	const struct lwm2m_obj_def *def = o >= 0 ? lwm2m_model_object(m, (uint16_t)o) : NULL;
	size_t n = 0;

	for (size_t i = 0; i < N_ELEMS(table) && n < max; i++)
		if (table[i].in == in || row_applies(&table[i], in, oid))
			out[n++] = table[i].name;
	for (size_t i = 0; def != NULL && i < def->n_res && n < max; i++)
		if (def->res[i].type != LWM2M_NONE && !has_own_place(in, def->res[i].id))
			out[n++] = def->res[i].key;
	return n;
}

const struct pword *
pwords(int oid, int rid)
{
	for (size_t i = 0; i < N_ELEMS(enumerations); i++)
		if (enumerations[i].oid == oid && enumerations[i].rid == rid)
			return enumerations[i].words;
	return NULL;
}

bool
pword_find(const struct pword *words, const char *word, int64_t *out)
{
	for (; words->word != NULL; words++) {
		if (strcmp(words->word, word) == 0) {
			*out = words->value;
			return true;
		}
	}
	return false;
}

void
pwords_print(const struct pword *words, struct gbuf *out)
{
	for (size_t i = 0; words[i].word != NULL; i++)
		gbuf_printf(out, "%s%s", i > 0 ? ", " : "", words[i].word);
}
