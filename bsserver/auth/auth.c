#include "bsserver/auth/auth_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

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
	table_init(&a->registered, seed);
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
	free(k->pin);
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
	table_clear(&a->registered);
	free(a);
}

struct identity *
auth_find_identity(const struct auth *a, const char *id, size_t len)
{
	struct table_node *n = table_first(&a->identities, table_hash(&a->identities, id, len));

	for (; n != NULL; n = table_next(n)) {
		struct identity *i = CONTAINER_OF(n, struct identity, node);

		if (i->len == len && memcmp(i->id, id, len) == 0)
			return i;
	}
	return NULL;
}

struct pin *
auth_find_pin(const struct auth *a, const char *name)
{
	struct table_node *n = table_first(&a->pins, table_hash(&a->pins, name, strlen(name)));

	for (; n != NULL; n = table_next(n)) {
		struct pin *p = CONTAINER_OF(n, struct pin, by_name);

		if (strcmp(p->name, name) == 0)
			return p;
	}
	return NULL;
}

struct pin *
auth_find_pin_of(const struct auth *a, const char *ep)
{
	struct table_node *n = table_first(&a->pins_of, table_hash(&a->pins_of, ep, strlen(ep)));

	for (; n != NULL; n = table_next(n)) {
		struct pin *p = CONTAINER_OF(n, struct pin, by_endpoint);

		if (strcmp(p->endpoint, ep) == 0)
			return p;
	}
	return NULL;
}

struct known *
auth_find_device(const struct auth *a, const char *ep)
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
	struct identity *i = auth_find_identity(a, id, len);

	if (i == NULL)
		return;
	table_remove(&a->identities, &i->node);
	identity_free(i);
}

static void
drop_pin(struct auth *a, const char *name)
{
	struct pin *p = auth_find_pin(a, name);

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
	struct known *k = auth_find_device(a, ep);
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
forget_registry(struct auth *a, struct known *k)
{
	if (k->pin != NULL)
		table_remove(&a->registered, &k->by_pin);
	free(k->pin);
	k->pin = NULL;
	k->registers = AUTH_NOSEC;
	secret_clear(&k->registry);
}

static void
drop_device(struct auth *a, const char *ep)
{
	struct known *k = auth_find_device(a, ep);

	if (k == NULL)
		return;
	forget_registry(a, k);
	table_remove(&a->devices, &k->node);
	known_free(k);
}

/* "rpk", "x509", or with what auth_pin() gives; anything else is the identity of a pre-shared key. */
static enum auth_credential
kind_of_name(const char *name)
{
	size_t n = name == NULL ? 0 : strcspn(name, " ");

	if (n == 3 && memcmp(name, "rpk", n) == 0)
		return AUTH_RPK;
	return n == 4 && memcmp(name, "x509", n) == 0 ? AUTH_X509 : AUTH_PSK;
}

static enum err_code
set_pin(struct auth *a, struct known *k, const char *name, struct err *e)
{
	if (strchr(name, ' ') == NULL)
		return ERR_OK;
	k->pin = str_dup_n(name, strlen(name));
	if (k->pin != NULL &&
	    table_add(&a->registered, &k->by_pin, table_hash(&a->registered, name, strlen(name))) == ERR_OK)
		return ERR_OK;
	free(k->pin);
	k->pin = NULL;
	k->registers = AUTH_NOSEC;
	return err_no_memory(e);
}

/* The device was told of before. */
static enum err_code
set_registry_key(struct auth *a, const struct store_feed *f, struct err *e)
{
	struct known *k = auth_find_device(a, f->name);

	if (k == NULL)
		return ERR_OK;
	forget_registry(a, k);
	if (f->key == NULL)
		return ERR_OK;
	k->registers = kind_of_name(f->identity);
	return k->registers == AUTH_PSK ? secret_copy(&k->registry, f->key, e) : set_pin(a, k, f->identity, e);
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
		return auth_find_device(a, f->name) != NULL ? ERR_OK : put_device(a, f->name, f->state, e);
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
	const struct known *k = endpoint == NULL ? NULL : auth_find_device(a, endpoint);

	return k != NULL && k->state == STORE_ACTIVE ? k : NULL;
}

bool
auth_psk(const struct auth *a, const char *identity, size_t len, struct secret *key)
{
	const struct identity *i = auth_find_identity(a, identity, len);

	return i != NULL && active(a, i->endpoint) != NULL && secret_copy(key, &i->key, NULL) == ERR_OK;
}

bool
auth_registry_psk(const struct auth *a, const char *identity, size_t len, struct secret *key)
{
	const struct known *k = strlen(identity) == len ? active(a, identity) : NULL;

	return k != NULL && k->registry.len > 0 && secret_copy(key, &k->registry, NULL) == ERR_OK;
}

bool
auth_registers_with(const struct auth *a, const char *endpoint, enum auth_credential *out)
{
	const struct known *k = active(a, endpoint);

	*out = k != NULL ? k->registers : AUTH_NOSEC;
	return k != NULL;
}

enum err_code
auth_pin(enum auth_credential c, struct pki_blob der, struct gbuf *out, struct err *e)
{
	char hex[65];
	enum err_code rc = crypt_sha256_hex(der.p, der.n, hex, e);

	if (rc == ERR_OK)
		gbuf_str(out, c == AUTH_RPK ? "rpk spki-sha256:" : "x509 cert-sha256:");
	if (rc == ERR_OK)
		gbuf_str(out, hex);
	return rc;
}

bool
auth_rpk(const struct auth *a, struct pki_blob spki)
{
	struct gbuf name = { .max = 128 };
	const struct pin *p = NULL;

	if (auth_pin(AUTH_RPK, spki, &name, NULL) == ERR_OK && !name.failed)
		p = auth_find_pin(a, gbuf_cstr(&name));
	gbuf_clear(&name);
	return p != NULL && active(a, p->endpoint) != NULL;
}

const struct known *
auth_find_registrant(const struct auth *a, const char *pin)
{
	struct table_node *n = table_first(&a->registered, table_hash(&a->registered, pin, strlen(pin)));

	for (; n != NULL; n = table_next(n)) {
		const struct known *k = CONTAINER_OF(n, struct known, by_pin);

		if (strcmp(k->pin, pin) == 0 && k->state == STORE_ACTIVE)
			return k;
	}
	return NULL;
}

bool
auth_registry_rpk(const struct auth *a, struct pki_blob spki)
{
	struct gbuf name = { .max = 128 };
	bool known = auth_pin(AUTH_RPK, spki, &name, NULL) == ERR_OK && !name.failed &&
	    auth_find_registrant(a, gbuf_cstr(&name)) != NULL;

	gbuf_clear(&name);
	return known || auth_rpk(a, spki);
}

const char *
auth_endpoint_of(const struct auth *a, const char *identity, size_t len)
{
	const struct identity *i = auth_find_identity(a, identity, len);

	return i == NULL ? NULL : i->endpoint;
}

size_t
auth_identities(const struct auth *a)
{
	return a->identities.n + a->pins.n;
}
