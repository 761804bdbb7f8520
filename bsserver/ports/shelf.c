#include "bsserver/ports/shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/base/table.h"

struct item {
	struct table_node node;
	char *name;
	struct profile_doc *doc;
	uint64_t revision;
	struct store_credential *credentials;
	size_t n_credentials;
};

/* A certificate that is revoked. */
struct gone {
	struct table_node node;
	char sha256[65];
	char *why;
};

struct shelf {
	struct table items, revoked;
};

struct shelf *
shelf_new(uint64_t seed)
{
	struct shelf *s = calloc(1, sizeof *s);

	if (s != NULL) {
		table_init(&s->items, seed);
		table_init(&s->revoked, seed);
	}
	return s;
}

static void
item_free(struct item *it)
{
	if (it == NULL)
		return;
	for (size_t i = 0; i < it->n_credentials; i++)
		store_credential_clear(&it->credentials[i]);
	free(it->credentials);
	profile_doc_free(it->doc);
	free(it->name);
	free(it);
}

void
shelf_free(struct shelf *s)
{
	struct table_node *n;

	if (s == NULL)
		return;
	for (size_t at = 0; (n = table_each(&s->items, &at, NULL)) != NULL; at = 0) {
		table_remove(&s->items, n);
		item_free(CONTAINER_OF(n, struct item, node));
	}
	table_clear(&s->items);
	for (size_t at = 0; (n = table_each(&s->revoked, &at, NULL)) != NULL; at = 0) {
		struct gone *g = CONTAINER_OF(n, struct gone, node);

		table_remove(&s->revoked, n);
		free(g->why);
		free(g);
	}
	table_clear(&s->revoked);
	free(s);
}

static struct item *
find(const struct shelf *s, const char *name)
{
	struct table_node *n = table_first(&s->items, table_hash(&s->items, name, strlen(name)));

	for (; n != NULL; n = table_next(n)) {
		struct item *it = CONTAINER_OF(n, struct item, node);

		if (strcmp(it->name, name) == 0)
			return it;
	}
	return NULL;
}

static void
drop(struct shelf *s, const char *name)
{
	struct item *it = find(s, name);

	if (it == NULL)
		return;
	table_remove(&s->items, &it->node);
	item_free(it);
}

static enum err_code
copy_credential(struct store_credential *to, const struct store_credential *from, struct err *e)
{
	*to = (struct store_credential){ .revision = from->revision, .generated = from->generated };
	memcpy(to->fingerprint, from->fingerprint, sizeof to->fingerprint);
	to->slot = str_dup_n(from->slot, strlen(from->slot));
	if (to->slot == NULL)
		return err_no_memory(e);
	return secret_copy(&to->key, &from->key, e);
}

static enum err_code
copy_credentials(struct item *it, const struct store_feed *f, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (f->n_credentials == 0)
		return ERR_OK;
	it->credentials = calloc(f->n_credentials, sizeof *it->credentials);
	if (it->credentials == NULL)
		return err_no_memory(e);
	for (size_t i = 0; rc == ERR_OK && i < f->n_credentials; i++) {
		it->n_credentials++;
		rc = copy_credential(&it->credentials[i], &f->credentials[i], e);
	}
	return rc;
}

static enum err_code
put(struct shelf *s, const struct store_feed *f, struct err *e)
{
	struct item *it = calloc(1, sizeof *it);
	enum err_code rc;

	drop(s, f->name);
	if (it == NULL)
		return err_no_memory(e);
	it->revision = f->revision;
	it->name = str_dup_n(f->name, strlen(f->name));
	rc = it->name == NULL ? err_no_memory(e) : profile_parse(f->name, 1, f->doc, strlen(f->doc), &it->doc, e);
	if (rc == ERR_OK)
		rc = copy_credentials(it, f, e);
	if (rc == ERR_OK)
		rc = table_add(&s->items, &it->node, table_hash(&s->items, it->name, strlen(it->name)));
	if (rc != ERR_OK)
		item_free(it);
	return rc;
}

static enum err_code
put_revoked(struct shelf *s, const struct store_feed *f, struct err *e)
{
	const char *why = f->doc == NULL || f->doc[0] == 0 ? "revoked" : f->doc;
	struct gone *g = calloc(1, sizeof *g);
	enum err_code rc = g == NULL ? err_no_memory(e) : ERR_OK;

	if (rc == ERR_OK) {
		(void)snprintf(g->sha256, sizeof g->sha256, "%s", f->name);
		g->why = str_dup_n(why, strlen(why));
		rc = g->why == NULL ? err_no_memory(e) :
				      table_add(&s->revoked, &g->node, table_hash(&s->revoked, g->sha256, 64));
	}
	if (rc != ERR_OK && g != NULL) {
		free(g->why);
		free(g);
	}
	return rc;
}

bool
shelf_revokes(const struct shelf *s, const uint8_t (*sha256)[PKI_SHA256_LEN], size_t n, bool good_now,
    struct gbuf *text)
{
	struct gbuf hex = { .max = 2 * PKI_SHA256_LEN + 1 };
	const char *why = NULL;
	size_t i = 0;

	for (; why == NULL && i < n; i++) {
		gbuf_reset(&hex);
		enc_hex(&hex, sha256[i], PKI_SHA256_LEN);
		why = hex.failed ? "memory short" : shelf_revoked(s, gbuf_cstr(&hex));
		if (why != NULL && good_now && strncmp(why, SHELF_FOUND, strlen(SHELF_FOUND)) == 0)
			why = NULL;
	}
	if (why != NULL)
		gbuf_printf(text, "%s: it is known to be revoked: %s",
		    i == 1 ? "certificate status" : "status of a CA's certificate", why);
	gbuf_clear(&hex);
	return why != NULL;
}

const char *
shelf_revoked(const struct shelf *s, const char *sha256)
{
	struct table_node *n = table_first(&s->revoked, table_hash(&s->revoked, sha256, strlen(sha256)));

	for (; n != NULL; n = table_next(n)) {
		struct gone *g = CONTAINER_OF(n, struct gone, node);

		if (strcmp(g->sha256, sha256) == 0)
			return g->why;
	}
	return NULL;
}

enum err_code
shelf_feed(struct shelf *s, const struct store_feed *f, struct err *e)
{
	if (f->kind == STORE_FEED_PROFILE)
		return put(s, f, e);
	if (f->kind == STORE_FEED_NO_PROFILE)
		drop(s, f->name);
	if (f->kind == STORE_FEED_REVOKED)
		return put_revoked(s, f, e);
	return ERR_OK;
}

void
shelf_missing(const char *name, struct err *e)
{
	if (strcmp(name, PROFILE_REGISTRY) == 0)
		(void)err_set(e, ERR_REFUSED, "this daemon has no registry: registry.uri in its configuration is empty");
	else
		(void)err_set(e, ERR_NOT_FOUND, "no profile %s", name);
}

/* Its revision follows from what it says, so that what was compiled with another is compiled anew. */
enum err_code
shelf_set_registry(struct shelf *s, const char *uri, struct err *e)
{
	struct store_feed f = { .kind = STORE_FEED_PROFILE, .name = PROFILE_REGISTRY };
	struct profile_doc *d = NULL;
	struct gbuf text = { .max = 8192 };
	char hex[65];
	enum err_code rc = profile_registry_doc(uri, &d, e);

	if (rc == ERR_OK) {
		profile_doc_write(d, true, &text);
		rc = gbuf_check(&text, e);
	}
	if (rc == ERR_OK)
		rc = crypt_sha256_hex(text.data, text.len, hex, e);
	if (rc == ERR_OK) {
		hex[8] = 0;
		f.doc = gbuf_cstr(&text);
		f.revision = strtoul(hex, NULL, 16) | 1U;
		rc = shelf_feed(s, &f, e);
	}
	profile_doc_free(d);
	gbuf_clear(&text);
	return rc;
}

const struct profile_doc *
shelf_doc(const struct shelf *s, const char *name)
{
	const struct item *it = find(s, name);

	return it == NULL ? NULL : it->doc;
}

uint64_t
shelf_revision(const struct shelf *s, const char *name)
{
	const struct item *it = find(s, name);

	return it == NULL ? 0 : it->revision;
}

const struct store_credential *
shelf_credential(const struct shelf *s, const char *name, const char *slot)
{
	const struct item *it = find(s, name);

	for (size_t i = 0; it != NULL && i < it->n_credentials; i++)
		if (strcmp(it->credentials[i].slot, slot) == 0)
			return &it->credentials[i];
	return NULL;
}

/* Every pattern of every profile as a row; *n of them, the caller frees. */
static struct profile_pattern *
patterns(const struct shelf *s, size_t *n)
{
	struct profile_pattern *rows = NULL;
	struct table_node *node = NULL;
	size_t cap = 0;

	*n = 0;
	for (size_t at = 0; (node = table_each(&s->items, &at, node)) != NULL;) {
		const struct item *it = CONTAINER_OF(node, struct item, node);
		const char *pattern;

		for (size_t i = 0; (pattern = profile_doc_match(it->doc, i)) != NULL; i++) {
			struct profile_pattern *arr = grow(rows, *n, &cap, sizeof *arr);

			if (arr == NULL)
				return rows;
			rows = arr;
			rows[(*n)++] = (struct profile_pattern){ .profile = it->name, .pattern = pattern };
		}
	}
	return rows;
}

enum err_code
shelf_match(const struct shelf *s, const char *endpoint, const char **profile, const char **pattern, struct err *e)
{
	const struct profile_pattern *hit = NULL;
	size_t n;
	struct profile_pattern *rows = patterns(s, &n);
	enum err_code rc = profile_match(rows, n, endpoint, &hit, e);

	*profile = *pattern = NULL;
	if (rc == ERR_OK && hit != NULL) {
		*profile = hit->profile;
		*pattern = hit->pattern;
	}
	free(rows);
	return rc;
}

size_t
shelf_count(const struct shelf *s)
{
	return s->items.n;
}
