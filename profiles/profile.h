/*
 * profiles/profile.h: profile files: what a device, or a whole fleet, should hold.
 *
 * The way of a document:  profile_parse() -> profile_resolve() with its parents -> profile_check()
 * for everything that is wrong with it, or profile_compile() for what the device should hold.
 * Keys leave a document by profile_inline() (the command line: files become bytes) and
 * profile_extract() (the daemon: bytes become references to what it keeps sealed).
 *
 * A parsed document is read-only for all but extract and inline; any number of devices may be
 * resolved against one parsed parent. Nothing here reads a clock, a network or the environment.
 */
#ifndef PROFILES_PROFILE_H
#define PROFILES_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/secret.h"
#include "lib/lwm2m/object.h"
#include "profiles/desired.h"
#include "profiles/finding.h"

#define PROFILE_TEXT_MAX ((size_t)1 << 20) /* octets of one document */
#define PROFILE_DEPTH_MAX 16               /* how deep its JSON may nest */
#define PROFILE_MEMBERS_MAX 1024           /* of one object or list in it */
#define PROFILE_NODES_MAX 32768            /* values in all */
#define PROFILE_EXTENDS_MAX 16             /* documents that one document may rest on, all told */
#define PROFILE_KEY_MAX 4096               /* octets of one key or certificate */
#define PROFILE_NAME_MAX 255               /* octets of an endpoint name or the name of a profile */

struct profile_doc;

/*
 * Once, at the start of a program that reads documents: JSON memory is then wiped when it is freed,
 * since keys pass through it. free() of what jansson gives out stays right.
 */
void profile_json_init(void);

/* ---- reading ---- */

/*
 * One document. file is its name in messages, line the number of its first line (1; in NDJSON the
 * line it stands on). ERR_PARSE or ERR_LIMIT: "file:line:column: reason", never with text that may
 * be a key. A member that is there twice is an error.
 */
enum err_code profile_parse(const char *file, unsigned line, const char *text, size_t n,
    struct profile_doc **out, struct err *e);
void profile_doc_free(struct profile_doc *d); /* wipes; NULL is fine */

/*
 * Documents one a line: *at and *line start at 0; each call gives the next line that is not blank
 * (its text inside text, *line its number from 1). false at the end.
 */
bool profile_ndjson_next(
    const char *text, size_t n, size_t *at, unsigned *line, const char **doc, size_t *doc_len);

enum profile_kind {
	PROFILE_NO_KIND, /* neither "endpoint" nor "profile", or both, or not a name: check says so
	                  */
	PROFILE_DEVICE,  /* "endpoint": a device's own */
	PROFILE_SHARED   /* "profile": others extend it */
};
enum profile_kind profile_doc_kind(const struct profile_doc *d);
const char *profile_doc_name(
    const struct profile_doc *d); /* the endpoint or the profile's name; NULL without kind */
const char *profile_doc_file(const struct profile_doc *d);
/* The names it extends, in order; NULL past the end. */
const char *profile_doc_extends(const struct profile_doc *d, size_t i);
/* A label's value as text, or NULL. Walking: the i-th label's name, NULL past the end. */
const char *profile_doc_label(const struct profile_doc *d, const char *name);
const char *profile_doc_label_at(const struct profile_doc *d, size_t i);

/*
 * The canonical text: members in the schema's order (the user's own x_ members last), two spaces,
 * an end of line. The same for equal documents, and for its own output. compact: on one line, for
 * NDJSON and the store. Appended; it holds what keys the document holds.
 */
void profile_doc_write(const struct profile_doc *d, bool compact, struct gbuf *out);

/* ---- inheriting ---- */

/*
 * Finds a parent by its name: a document that the finder keeps alive until the resolve is over.
 * NULL with e filled: ERR_NOT_FOUND, or why it cannot be had.
 */
typedef const struct profile_doc *profile_find_fn(void *arg, const char *name, struct err *e);

/*
 * The document with everything it extends merged under it (RFC 7396, parents in order, itself last)
 * and its variables filled in. *out is a document of its own (file and place of each value are
 * those of the document it came from), and NULL when there is no use in going on; what is wrong is
 * added to f: an unknown parent, a circle (named), a variable nobody defines. In a shared document
 * variables may stay open. Errors: ERR_NO_MEMORY only; what is wrong with the document is in f.
 */
enum err_code profile_resolve(const struct profile_doc *d, profile_find_fn *find, void *arg,
    struct profile_findings *f, struct profile_doc **out, struct err *e);

/*
 * "registry": true in a resolved document means that it rests on one more shared document, of this
 * name, below all others: the account at the registry of the daemon. The finder knows it where there
 * is a registry; where it says ERR_NOT_FOUND (a check without a daemon) one with a URI that leads
 * nowhere is taken.
 */
#define PROFILE_REGISTRY "@registry"
/* Makes it. ERR_INVALID: uri is no URI. With coap:// the account has no security. */
enum err_code profile_registry_doc(const char *uri, struct profile_doc **out, struct err *e);

/* ---- keys ---- */

/*
 * A slot names the place of a key: its JSON pointer without the first slash, in the short spelling:
 * "credentials/bootstrap/key", "servers/dm/security/key", "apn_connection_profiles/iot/secret".
 */
#define PROFILE_SLOT_BOOTSTRAP "credentials/bootstrap/key"

/*
 * A key by its slot, copied into *out (empty before). from is the name of the shared document that
 * the reference stands in, NULL when it stands in the device's own. A device's own key comes first:
 * the profile's is used when the device has none. ERR_NOT_FOUND: there is none (yet).
 */
typedef enum err_code profile_key_fn(
    void *arg, const char *slot, const char *from, struct secret *out, struct err *e);
struct profile_keys {
	profile_key_fn *get; /* NULL: only those in the document itself are known */
	void *arg;
	int64_t now; /* seconds since 1970 UTC: dates of certificates are judged; 0: they are not */
};

/*
 * For the command line: every {"file": ...} of the document becomes bytes in it ({"base64": ...}),
 * so that it can be sent. Files are found from the folder that the document's file is in, and must
 * lie below root ("" or NULL: that folder itself): no absolute path, no "..", no way out by a link.
 *
 * In a device's document ${...} in a file name is filled in, from the document and, when resolved
 * is not NULL, from its parents; and the files with ${...} that it inherits are read as well and
 * noted in the device's own document, since they are its own. In a shared document such a file
 * becomes {"credential": SLOT}: each device brings that key itself. So a fleet works both ways:
 * each line of an NDJSON file with its own key, or device files next to the profile that names the
 * pattern. A file that cannot be had, or is not what it should be, is a finding; the error is
 * ERR_NO_MEMORY.
 */
enum err_code profile_inline(struct profile_doc *d, const struct profile_doc *resolved,
    const char *root, struct profile_findings *f, struct err *e);

enum profile_key_kind {
	PROFILE_KEY_BYTES,    /* was in the document; now a reference stands there */
	PROFILE_KEY_KEPT,     /* {"credential": slot}: whoever keeps them must have it (a shared
	                         document: a device may) */
	PROFILE_KEY_GENERATE, /* {"generate": n}: n random octets, made once for each device */
};
struct profile_key {
	enum profile_key_kind kind;
	const char *slot;
	struct secret *bytes;     /* BYTES: may be taken over (secret_move) */
	size_t generate;          /* GENERATE: 16..64 */
	const char *fingerprint;  /* KEPT: as it stands there; NULL */
	char new_fingerprint[65]; /* BYTES: filled by the callee when the reference should carry one
	                           */
};
typedef enum err_code profile_key_seen_fn(void *arg, struct profile_key *k, struct err *e);

/*
 * For the daemon: every key in the document is handed to seen, and its bytes are replaced by
 * {"credential": SLOT, "fingerprint": ...}. What is no secret (a certificate, a public key) stays.
 * {"file": ...} is refused: ERR_REFUSED. An error from seen stops it. On a resolved device it lists
 * what that device needs (BYTES do not occur in what was extracted before).
 */
enum err_code profile_extract(
    struct profile_doc *d, profile_key_seen_fn *seen, void *arg, struct err *e);

/* ---- checking ---- */

/*
 * Everything that is wrong with a resolved document, all of it, added to f. A shared document is
 * checked as far as it goes: what a device may still bring is not missing.
 */
enum err_code profile_check(const struct profile_doc *resolved, const struct lwm2m_model *m,
    const struct profile_keys *keys, struct profile_findings *f, struct err *e);

/* What only shows between devices: a name twice, one key or identity for several. */
struct profile_fleet;
struct profile_fleet *profile_fleet_new(void); /* NULL when memory is short */
void profile_fleet_free(struct profile_fleet *fl);
enum err_code profile_fleet_add(struct profile_fleet *fl, const struct profile_doc *resolved,
    const struct lwm2m_model *m, const struct profile_keys *keys, struct profile_findings *f,
    struct err *e);

/* ---- compiling ---- */

/* Paths that hold a default, because they are mandatory and the document says nothing. Owned. */
struct profile_defaults {
	struct lwm2m_path *paths;
	size_t n, cap;
};
void profile_defaults_clear(struct profile_defaults *v);

/*
 * What the device should hold. resolved must be a device's. ERR_INVALID with the first error that
 * profile_check() would find, "file:line:column: /path: reason"; ERR_NOT_FOUND when a key is not
 * there, with its slot. *out is filled only on ERR_OK. defaults may be NULL.
 */
enum err_code profile_compile(const struct profile_doc *resolved, const struct lwm2m_model *m,
    const struct profile_keys *keys, struct profile_desired *out, struct profile_defaults *defaults,
    struct err *e);

/* What the device knocks with. identity is borrowed from the document; "" without PSK. */
enum profile_mode {
	PROFILE_PSK = 0,
	PROFILE_RPK = 1,
	PROFILE_X509 = 2,
	PROFILE_NOSEC = 3,
	PROFILE_EST = 4
};
struct profile_knock {
	bool given; /* false: the document has no credentials.bootstrap */
	enum profile_mode mode;
	const char *identity;
	size_t identity_len;
};
enum err_code profile_knock(
    const struct profile_doc *resolved, struct profile_knock *out, struct err *e);
/* How its account at the daemon's own registry, the server "registry", is secured; NOSEC: it has none, or so. */
enum profile_mode profile_registry_mode(const struct profile_doc *resolved);
/*
 * What that account's 0/x/3 is in a compiled document: SubjectPublicKeyInfo, certificate. NULL: it has none, or
 * holds none. Borrowed.
 */
const struct lwm2m_value *profile_registry_public(const struct profile_doc *resolved, const struct lwm2m_tree *t);
/*
 * The certificate (x509) or SubjectPublicKeyInfo (rpk) that it must knock with, DER. *out, empty
 * before, stays empty when the document names none. ERR_INVALID when it is not fit to be used.
 */
enum err_code profile_knock_public(
    const struct profile_doc *resolved, struct secret *out, struct err *e);

/* Which server an account of the tree is, by its local name: "dm" for Short Server ID 101; NULL. */
const char *profile_server_name(const struct profile_doc *resolved, uint16_t short_server_id);

/* ---- choosing ---- */

/* The endpoint patterns of a shared document's "match"; NULL past the end. */
const char *profile_doc_match(const struct profile_doc *d, size_t i);

struct profile_pattern {
	const char *profile, *pattern; /* borrowed */
};
/*
 * The row that an endpoint belongs to: of those that fit the one with the longest pattern; NULL
 * when none fits. ERR_CONFLICT when two profiles tie: names both.
 */
enum err_code profile_match(const struct profile_pattern *rows, size_t n, const char *endpoint,
    const struct profile_pattern **out, struct err *e);

/* ---- explaining ---- */

struct profile_help {
	const char *name;  /* "uri", or with its place "security.mode" */
	const char *alias; /* the registered name's key when name is the short one; NULL */
	const char *place; /* "servers.NAME.security" */
	const char *path;  /* "/0/x/0"; "" when it is none of the device's resources */
	const char *type;  /* "string", "duration", "one of nosec, psk, ..." */
	const char *unit;  /* "s"; "" */
	const char *text;  /* what it means */
};
/* The i-th key of the file format; false past the end. Strings are static or point into buf. */
#define PROFILE_HELP_BUF 512
bool profile_help_at(size_t i, struct profile_help *out, char buf[PROFILE_HELP_BUF]);

#endif
