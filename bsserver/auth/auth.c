#include "bsserver/auth/auth.h"
#include "bsserver/auth/derive.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/base/table.h"

/* One PSK identity that may knock. */
struct identity {
	struct table_node node;
	char *endpoint;
	struct secret key;
	size_t len;
	char id[]; /* len octets and a NUL */
};

/* A certificate or raw public key that may knock. */
struct pin {
	struct table_node by_name, by_endpoint;
	char *endpoint;
	char name[];
};

/* A device that is not active, or that exists at all (for patterns and names). */
struct known {
	struct table_node node;
	enum store_state state;
	struct secret registry; /* its key there; empty: none */
	char endpoint[];
};

struct auth {
	const struct auth_rule *rules;
	size_t n_rules;
	struct table identities, devices;
	struct table pins, pins_of; /* by name, by endpoint */
};

static const struct {
	enum auth_credential credential;
	enum auth_how how;
	const char *credential_word, *how_word;
} words[] = {
	{ AUTH_PSK, AUTH_MAPPED, "psk", "mapped" },
	{ AUTH_PSK, AUTH_SAME, "psk", "same" },
	{ AUTH_PSK, AUTH_PATTERN, "psk", "pattern" },
	{ AUTH_NOSEC, AUTH_NAMED, "nosec", "named" },
	{ AUTH_RPK, AUTH_PINNED, "rpk", "mapped" },
	{ AUTH_X509, AUTH_PINNED, "x509", "mapped" },
};

bool
auth_rule_from_words(const char *credential, const char *how, struct auth_rule *out)
{
	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (strcmp(words[i].credential_word, credential) == 0 && strcmp(words[i].how_word, how) == 0) {
			*out = (struct auth_rule){ .credential = words[i].credential, .how = words[i].how };
			return true;
		}
	enum pki_id_kind kind = pki_id_kind_of(how);
	if (strcmp(credential, "x509") != 0 || kind == PKI_ID__COUNT)
		return false;
	*out = (struct auth_rule){ .credential = AUTH_X509, .how = AUTH_DERIVED, .kind = kind };
	return true;
}

/* What each knock pays for does without printf. */
static void
put_words(struct gbuf *out, const char *a, const char *b, const char *c)
{
	gbuf_str(out, a);
	gbuf_str(out, b);
	gbuf_str(out, c);
}

void
auth_rule_print(const struct auth_rule *r, struct gbuf *out)
{
	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (words[i].credential == r->credential && words[i].how == r->how)
			put_words(out, words[i].credential_word, " ", words[i].how_word);
	if (r->how == AUTH_DERIVED)
		gbuf_printf(out, "x509 %s (trust %s%s%s)", pki_id_kind_name(r->kind), r->trust,
		    r->endpoint != NULL ? ", endpoint " : "", r->endpoint != NULL ? r->endpoint : "");
	if (r->how == AUTH_PATTERN)
		gbuf_printf(out, " (identity %s, endpoint %s)", r->identity, r->endpoint);
}

enum err_code
auth_new(const struct auth_rule *rules, size_t n, uint64_t seed, struct auth **out, struct err *e)
{
	struct auth *a = calloc(1, sizeof *a);

	if (a == NULL)
		return err_no_memory(e);
	a->rules = rules;
	a->n_rules = n;
	table_init(&a->identities, seed);
	table_init(&a->devices, seed);
	table_init(&a->pins, seed);
	table_init(&a->pins_of, seed);
	*out = a;
	return ERR_OK;
}

static void
identity_free(struct identity *i)
{
	if (i == NULL)
		return;
	secret_clear(&i->key);
	free(i->endpoint);
	free(i);
}

static void
known_free(struct known *k)
{
	secret_clear(&k->registry);
	free(k);
}

static void
free_pins(struct auth *a)
{
	struct table_node *n;

	for (size_t at = 0; (n = table_each(&a->pins, &at, NULL)) != NULL; at = 0) {
		struct pin *p = CONTAINER_OF(n, struct pin, by_name);

		table_remove(&a->pins, n);
		free(p->endpoint);
		free(p);
	}
	table_clear(&a->pins);
	table_clear(&a->pins_of);
}

void
auth_free(struct auth *a)
{
	if (a == NULL)
		return;
	free_pins(a);
	for (size_t b = 0; b < a->identities.n_buckets; b++)
		for (struct table_node *n = a->identities.buckets[b], *next; n != NULL; n = next) {
			next = n->next;
			identity_free(CONTAINER_OF(n, struct identity, node));
		}
	for (size_t b = 0; b < a->devices.n_buckets; b++)
		for (struct table_node *n = a->devices.buckets[b], *next; n != NULL; n = next) {
			next = n->next;
			known_free(CONTAINER_OF(n, struct known, node));
		}
	table_clear(&a->identities);
	table_clear(&a->devices);
	free(a);
}

static struct identity *
find_identity(const struct auth *a, const char *id, size_t len)
{
	struct table_node *n = table_first(&a->identities, table_hash(&a->identities, id, len));

	for (; n != NULL; n = table_next(n)) {
		struct identity *i = CONTAINER_OF(n, struct identity, node);

		if (i->len == len && memcmp(i->id, id, len) == 0)
			return i;
	}
	return NULL;
}

static struct pin *
find_pin(const struct auth *a, const char *name)
{
	struct table_node *n = table_first(&a->pins, table_hash(&a->pins, name, strlen(name)));

	for (; n != NULL; n = table_next(n)) {
		struct pin *p = CONTAINER_OF(n, struct pin, by_name);

		if (strcmp(p->name, name) == 0)
			return p;
	}
	return NULL;
}

static struct pin *
find_pin_of(const struct auth *a, const char *ep)
{
	struct table_node *n = table_first(&a->pins_of, table_hash(&a->pins_of, ep, strlen(ep)));

	for (; n != NULL; n = table_next(n)) {
		struct pin *p = CONTAINER_OF(n, struct pin, by_endpoint);

		if (strcmp(p->endpoint, ep) == 0)
			return p;
	}
	return NULL;
}

static struct known *
find_device(const struct auth *a, const char *ep)
{
	struct table_node *n = table_first(&a->devices, table_hash(&a->devices, ep, strlen(ep)));

	for (; n != NULL; n = table_next(n)) {
		struct known *k = CONTAINER_OF(n, struct known, node);

		if (strcmp(k->endpoint, ep) == 0)
			return k;
	}
	return NULL;
}

/* ---- the feed ---- */

static void
drop_identity(struct auth *a, const char *id, size_t len)
{
	struct identity *i = find_identity(a, id, len);

	if (i == NULL)
		return;
	table_remove(&a->identities, &i->node);
	identity_free(i);
}

static void
drop_pin(struct auth *a, const char *name)
{
	struct pin *p = find_pin(a, name);

	if (p == NULL)
		return;
	table_remove(&a->pins, &p->by_name);
	table_remove(&a->pins_of, &p->by_endpoint);
	free(p->endpoint);
	free(p);
}

static enum err_code
put_pin(struct auth *a, const struct store_feed *f, struct err *e)
{
	size_t len = strlen(f->identity);
	struct pin *p;

	drop_identity(a, f->identity, len);
	drop_pin(a, f->identity);
	p = calloc(1, sizeof *p + len + 1);
	if (p == NULL)
		return err_no_memory(e);
	memcpy(p->name, f->identity, len);
	p->endpoint = str_dup_n(f->name, strlen(f->name));
	if (p->endpoint == NULL ||
	    table_add(&a->pins, &p->by_name, table_hash(&a->pins, p->name, len)) != ERR_OK)
		goto out;
	if (table_add(&a->pins_of, &p->by_endpoint, table_hash(&a->pins_of, p->endpoint, strlen(p->endpoint))) ==
	    ERR_OK)
		return ERR_OK;
	table_remove(&a->pins, &p->by_name);
out:
	free(p->endpoint);
	free(p);
	return err_no_memory(e);
}

static enum err_code
put_identity(struct auth *a, const struct store_feed *f, struct err *e)
{
	size_t len = strlen(f->identity);
	struct identity *i;

	drop_pin(a, f->identity);
	drop_identity(a, f->identity, len);
	i = calloc(1, sizeof *i + len + 1);
	if (i == NULL)
		return err_no_memory(e);
	memcpy(i->id, f->identity, len);
	i->len = len;
	i->endpoint = str_dup_n(f->name, strlen(f->name));
	if (i->endpoint == NULL || secret_copy(&i->key, f->key, e) != ERR_OK ||
	    table_add(&a->identities, &i->node, table_hash(&a->identities, i->id, len)) != ERR_OK) {
		identity_free(i);
		return err_no_memory(e);
	}
	return ERR_OK;
}

static enum err_code
put_device(struct auth *a, const char *ep, enum store_state state, struct err *e)
{
	struct known *k = find_device(a, ep);
	size_t len = strlen(ep);

	if (k != NULL) {
		k->state = state;
		return ERR_OK;
	}
	k = calloc(1, sizeof *k + len + 1);
	if (k == NULL)
		return err_no_memory(e);
	memcpy(k->endpoint, ep, len);
	k->state = state;
	if (table_add(&a->devices, &k->node, table_hash(&a->devices, ep, len)) != ERR_OK) {
		free(k);
		return err_no_memory(e);
	}
	return ERR_OK;
}

static void
drop_device(struct auth *a, const char *ep)
{
	struct known *k = find_device(a, ep);

	if (k == NULL)
		return;
	table_remove(&a->devices, &k->node);
	known_free(k);
}

/* The device was told of before. */
static enum err_code
set_registry_key(struct auth *a, const struct store_feed *f, struct err *e)
{
	struct known *k = find_device(a, f->name);

	if (k == NULL)
		return ERR_OK;
	secret_clear(&k->registry);
	return f->key == NULL ? ERR_OK : secret_copy(&k->registry, f->key, e);
}

enum err_code
auth_feed(struct auth *a, const struct store_feed *f, struct err *e)
{
	switch (f->kind) {
	case STORE_FEED_IDENTITY:
		return f->key == NULL || f->key->len == 0 ? put_pin(a, f, e) : put_identity(a, f, e);
	case STORE_FEED_NO_IDENTITY:
		drop_pin(a, f->identity);
		drop_identity(a, f->identity, strlen(f->identity));
		return ERR_OK;
	case STORE_FEED_DEVICE: /* says nothing of its state */
		return find_device(a, f->name) != NULL ? ERR_OK : put_device(a, f->name, f->state, e);
	case STORE_FEED_STATE:
		return put_device(a, f->name, f->state, e);
	case STORE_FEED_REGISTRY_KEY:
		return set_registry_key(a, f, e);
	case STORE_FEED_NO_DEVICE:
		drop_device(a, f->name);
		return ERR_OK;
	case STORE_FEED_PROFILE:
	case STORE_FEED_NO_PROFILE:
	case STORE_FEED_ANCHOR:
	case STORE_FEED_REVOKED:
		return ERR_OK;
	}
	return ERR_OK;
}

static const struct known *
active(const struct auth *a, const char *endpoint)
{
	const struct known *k = endpoint == NULL ? NULL : find_device(a, endpoint);

	return k != NULL && k->state == STORE_ACTIVE ? k : NULL;
}

bool
auth_psk(const struct auth *a, const char *identity, size_t len, struct secret *key)
{
	const struct identity *i = find_identity(a, identity, len);

	return i != NULL && active(a, i->endpoint) != NULL && secret_copy(key, &i->key, NULL) == ERR_OK;
}

bool
auth_registry_psk(const struct auth *a, const char *identity, size_t len, struct secret *key)
{
	const struct known *k = strlen(identity) == len ? active(a, identity) : NULL;

	return k != NULL && k->registry.len > 0 && secret_copy(key, &k->registry, NULL) == ERR_OK;
}

bool
auth_may_register(const struct auth *a, const char *endpoint, bool secure)
{
	const struct known *k = active(a, endpoint);

	return k != NULL && secure == (k->registry.len > 0);
}

enum err_code
auth_pin(enum auth_credential c, struct pki_blob der, struct gbuf *out, struct err *e)
{
	char hex[65];
	enum err_code rc = crypt_sha256_hex(der.p, der.n, hex, e);

	if (rc == ERR_OK)
		put_words(out, c == AUTH_RPK ? "rpk spki-sha256:" : "x509 cert-sha256:", hex, "");
	return rc;
}

bool
auth_rpk(const struct auth *a, struct pki_blob spki)
{
	struct gbuf name = { .max = 128 };
	const struct pin *p = NULL;

	if (auth_pin(AUTH_RPK, spki, &name, NULL) == ERR_OK && !name.failed)
		p = find_pin(a, gbuf_cstr(&name));
	gbuf_clear(&name);
	return p != NULL && active(a, p->endpoint) != NULL;
}

const char *
auth_endpoint_of(const struct auth *a, const char *identity, size_t len)
{
	const struct identity *i = find_identity(a, identity, len);

	return i == NULL ? NULL : i->endpoint;
}

/* ---- the rules ---- */

static void
quote_identity(struct gbuf *out, const struct auth_question *q)
{
	gbuf_str(out, "identity \"");
	str_quote(out, q->identity, q->identity_len);
	gbuf_str(out, "\"");
}

static bool
same_name(const struct auth_question *q, const char *name)
{
	return strlen(name) == q->identity_len && memcmp(name, q->identity, q->identity_len) == 0;
}

/* What one rule says: grants by setting endpoint, refuses by reason and a line of text. */
static void
grant(struct auth_answer *x, const char *endpoint)
{
	x->endpoint = str_dup_n(endpoint, strlen(endpoint));
	x->granted = x->endpoint != NULL;
	x->reason = x->granted ? BS_REASON_NONE : BS_REASON_NO_MEMORY;
}

static void
try_mapped(const struct auth *a, const struct auth_question *q, struct auth_answer *x)
{
	const struct identity *i = find_identity(a, q->identity, q->identity_len);

	quote_identity(&x->rule, q);
	if (i == NULL) {
		gbuf_str(&x->rule, " is kept for no endpoint");
		x->reason = BS_REASON_IDENTITY_MISMATCH;
		return;
	}
	put_words(&x->rule, " belongs to endpoint ", i->endpoint, "");
	if (q->endpoint == NULL || strcmp(q->endpoint, i->endpoint) == 0) {
		grant(x, i->endpoint);
		return;
	}
	gbuf_printf(&x->rule, ", and the device calls itself %s", q->endpoint);
	x->reason = BS_REASON_IDENTITY_MISMATCH;
}

static void
try_same(const struct auth_question *q, struct auth_answer *x)
{
	char *name;

	quote_identity(&x->rule, q);
	if (q->endpoint != NULL && !same_name(q, q->endpoint)) {
		gbuf_printf(&x->rule, " is not the endpoint name %s", q->endpoint);
		x->reason = BS_REASON_IDENTITY_MISMATCH;
		return;
	}
	name = str_dup_n(q->identity, q->identity_len);
	gbuf_str(&x->rule, " is the endpoint name");
	if (name != NULL && strlen(name) == q->identity_len)
		grant(x, name);
	else
		x->reason = BS_REASON_IDENTITY_MISMATCH;
	free(name);
}

static void
try_pattern(const struct auth_rule *r, const struct auth_question *q, struct auth_answer *x)
{
	char *id = str_dup_n(q->identity, q->identity_len);

	quote_identity(&x->rule, q);
	x->reason = BS_REASON_IDENTITY_MISMATCH;
	if (id == NULL || strlen(id) != q->identity_len || !str_glob(r->identity, id))
		gbuf_printf(&x->rule, " does not fit %s", r->identity);
	else if (q->endpoint == NULL) {
		gbuf_str(&x->rule, " fits, but the device gives no endpoint name");
		x->reason = BS_REASON_NO_ENDPOINT;
	} else if (!str_glob(r->endpoint, q->endpoint))
		gbuf_printf(&x->rule, " fits, but endpoint %s does not fit %s", q->endpoint, r->endpoint);
	else {
		gbuf_printf(&x->rule, " fits %s and endpoint %s fits %s", r->identity, q->endpoint, r->endpoint);
		grant(x, q->endpoint);
	}
	free(id);
}

static void
try_named(const struct auth_question *q, struct auth_answer *x)
{
	if (q->endpoint == NULL) {
		gbuf_str(&x->rule, "no credentials, and no endpoint name");
		x->reason = BS_REASON_NO_ENDPOINT;
		return;
	}
	put_words(&x->rule, "endpoint ", q->endpoint, " knocks without credentials");
	grant(x, q->endpoint);
}

static void
grant_if_claimed(const struct auth_question *q, const char *endpoint, struct auth_answer *x)
{
	if (q->endpoint == NULL || strcmp(q->endpoint, endpoint) == 0) {
		grant(x, endpoint);
		return;
	}
	gbuf_printf(&x->rule, ", and the device calls itself %s", q->endpoint);
	x->reason = BS_REASON_IDENTITY_MISMATCH;
}

static void
try_pinned(const struct auth *a, const struct auth_question *q, struct auth_answer *x)
{
	const struct pin *p = q->pin != NULL ? find_pin(a, q->pin) : NULL;

	put_words(&x->rule, q->credential == AUTH_RPK ? "the raw public key " : "the certificate ",
	    q->pin != NULL ? q->pin : "(none)", "");
	if (p == NULL) {
		gbuf_str(&x->rule, " is kept for no endpoint");
		x->reason = BS_REASON_IDENTITY_MISMATCH;
		return;
	}
	put_words(&x->rule, " belongs to endpoint ", p->endpoint, "");
	grant_if_claimed(q, p->endpoint, x);
}

static void
try_derived(const struct auth_rule *r, const struct auth_question *q, struct auth_answer *x)
{
	struct gbuf endpoint = { .max = 512 };

	x->reason = BS_REASON_IDENTITY_MISMATCH;
	if (derive_endpoint(r, q, &endpoint, &x->rule))
		grant_if_claimed(q, gbuf_cstr(&endpoint), x);
	gbuf_clear(&endpoint);
}

static void
try_rule(const struct auth *a, const struct auth_rule *r, const struct auth_question *q, struct auth_answer *x)
{
	gbuf_reset(&x->rule);
	gbuf_str(&x->rule, "rule ");
	auth_rule_print(r, &x->rule);
	gbuf_str(&x->rule, ": ");
	switch (r->how) {
	case AUTH_MAPPED:
		try_mapped(a, q, x);
		break;
	case AUTH_SAME:
		try_same(q, x);
		break;
	case AUTH_PATTERN:
		try_pattern(r, q, x);
		break;
	case AUTH_NAMED:
		try_named(q, x);
		break;
	case AUTH_PINNED:
		try_pinned(a, q, x);
		break;
	case AUTH_DERIVED:
		try_derived(r, q, x);
		break;
	}
}

/* A rule may let a name pass that nobody has registered, or that is blocked: not this far. */
static void
check_device(const struct auth *a, const struct auth_question *q, struct auth_answer *x)
{
	const struct known *k = find_device(a, x->endpoint);

	if (k != NULL && k->state == STORE_ACTIVE) {
		const struct pin *p = q->pin != NULL ? find_pin_of(a, x->endpoint) : NULL;

		if (p == NULL || strcmp(p->name, q->pin) == 0)
			return;
		put_words(&x->rule, "; its profile names another: ", p->name, "");
		x->granted = false;
		x->reason = BS_REASON_IDENTITY_MISMATCH;
		return;
	}
	x->granted = false;
	x->reason = k == NULL ? BS_REASON_UNKNOWN_ENDPOINT : BS_REASON_BLOCKED;
	gbuf_str(&x->rule, k == NULL ? "; that endpoint is not registered" :
		k->state == STORE_BLOCKED ? "; the device is blocked" : "; the device is retired");
}

void
auth_decide(const struct auth *a, const struct auth_question *q, struct auth_answer *out)
{
	static const char *const shown[AUTH__CREDENTIALS] = {
		[AUTH_NOSEC] = "no credentials",
		[AUTH_PSK] = "a pre-shared key",
		[AUTH_RPK] = "a raw public key",
		[AUTH_X509] = "a certificate",
	};
	bool tried = false;

	*out = (struct auth_answer){ .reason = BS_REASON_NO_CREDENTIAL_RULE, .rule.max = 4096 };
	for (size_t i = 0; i < a->n_rules && !out->granted; i++) {
		if (a->rules[i].credential != q->credential)
			continue;
		tried = true;
		try_rule(a, &a->rules[i], q, out);
	}
	if (!tried)
		put_words(&out->rule, "no rule lets a peer in that comes with ", shown[q->credential], "");
	if (out->granted)
		check_device(a, q, out);
	if (!out->granted) {
		free(out->endpoint);
		out->endpoint = NULL;
	}
}

void
auth_answer_clear(struct auth_answer *x)
{
	free(x->endpoint);
	gbuf_clear(&x->rule);
	*x = (struct auth_answer){ .granted = false };
}

void
auth_explain(const struct auth *a, const struct auth_question *q, struct gbuf *out)
{
	for (size_t i = 0; i < a->n_rules; i++) {
		struct auth_answer x = { .rule.max = 4096 };

		if (a->rules[i].credential != q->credential)
			continue;
		try_rule(a, &a->rules[i], q, &x);
		if (x.granted)
			check_device(a, q, &x);
		gbuf_printf(out, "%s: %s\n", gbuf_cstr(&x.rule), x.granted ? "granted" : bs_reason_name(x.reason));
		auth_answer_clear(&x);
	}
}

bool
auth_foretell(const struct auth *a, const char *endpoint, struct gbuf *out)
{
	bool some = false;

	for (size_t i = 0; i < a->n_rules; i++) {
		const struct auth_rule *r = &a->rules[i];

		if (r->credential != AUTH_X509 || r->how != AUTH_DERIVED || !derive_fits(r, endpoint))
			continue;
		put_words(out, some ? "; or " : "", "rule ", "");
		auth_rule_print(r, out);
		gbuf_str(out, ": ");
		derive_foretell(r, endpoint, out);
		some = true;
	}
	return some;
}

size_t
auth_identities(const struct auth *a)
{
	return a->identities.n + a->pins.n;
}
