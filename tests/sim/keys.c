#include "tests/sim/keys.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/table.h"

enum keys_kind { KEYS_SINGLE, KEYS_FILE, KEYS_DERIVED };

struct key_entry {
	struct table_node node;
	char *identity;
	struct secret key;
};

struct keys {
	enum keys_kind kind;
	struct secret one; /* the key, or the master key */
	struct table table;
};

/* --- Reading ---------------------------------------------------------------------------------- */

static enum err_code
add_entry(struct keys *k, const char *identity, const char *hex, struct err *e)
{
	struct key_entry *entry = calloc(1, sizeof *entry);
	enum err_code rc = ERR_OK;
	if (entry == NULL)
		return err_no_memory(e);
	entry->identity = strdup(identity);
	if (entry->identity == NULL)
		rc = err_no_memory(e);
	if (rc == ERR_OK)
		rc = dec_hex(hex, strlen(hex), &entry->key, e);
	if (rc == ERR_OK)
		rc = table_add(
		    &k->table, &entry->node, table_hash(&k->table, identity, strlen(identity)));
	if (rc != ERR_OK) {
		secret_clear(&entry->key);
		free(entry->identity);
		free(entry);
	}
	return rc;
}

/* One line without its end; false for one that says nothing. */
static enum err_code
take_line(struct keys *k, char *line, struct err *e)
{
	char *rest = NULL;
	if (k->kind != KEYS_FILE)
		return dec_hex(line, strlen(line), &k->one, e);
	char *identity = strtok_r(line, " \t", &rest);
	char *hex = strtok_r(NULL, " \t", &rest);
	if (identity == NULL || identity[0] == '#')
		return ERR_OK;
	if (hex == NULL)
		return err_set(e, ERR_PARSE, "no key behind the identity");
	return add_entry(k, identity, hex, e);
}

static enum err_code
read_lines(struct keys *k, FILE *f, const char *file, struct err *e)
{
	char *line = NULL;
	size_t cap = 0;
	enum err_code rc = ERR_OK;
	unsigned number = 0;
	while (rc == ERR_OK && getline(&line, &cap, f) >= 0) {
		line[strcspn(line, "\r\n")] = '\0';
		rc = take_line(k, line, e);
		number++;
		if (rc != ERR_OK)
			(void)err_wrap(e, "%s:%u", file, number);
		if (k->kind != KEYS_FILE)
			break;
	}
	if (line != NULL)
		wipe(line, cap);
	free(line);
	if (rc == ERR_OK && number == 0)
		rc = err_set(e, ERR_PARSE, "%s: empty", file);
	return rc;
}

static struct keys *
keys_read(enum keys_kind kind, const char *file, struct err *e)
{
	struct keys *k = calloc(1, sizeof *k);
	FILE *f = fopen(file, "re");
	enum err_code rc = ERR_OK;
	if (k == NULL)
		rc = err_no_memory(e);
	else if (f == NULL)
		rc = err_errno(e, errno, "%s", file);
	if (k != NULL) {
		k->kind = kind;
		table_init(&k->table, 1);
	}
	if (rc == ERR_OK)
		rc = read_lines(k, f, file, e);
	if (f != NULL)
		(void)fclose(f);
	if (rc == ERR_OK)
		return k;
	keys_free(k);
	return NULL;
}

struct keys *
keys_single(const char *file, struct err *e)
{
	return keys_read(KEYS_SINGLE, file, e);
}

struct keys *
keys_from_file(const char *file, struct err *e)
{
	return keys_read(KEYS_FILE, file, e);
}

struct keys *
keys_derived(const char *file, struct err *e)
{
	return keys_read(KEYS_DERIVED, file, e);
}

void
keys_free(struct keys *k)
{
	if (k == NULL)
		return;
	size_t at = 0;
	struct table_node *n = table_each(&k->table, &at, NULL);
	while (n != NULL) {
		struct key_entry *entry = CONTAINER_OF(n, struct key_entry, node);
		n = table_each(&k->table, &at, n);
		secret_clear(&entry->key);
		free(entry->identity);
		free(entry);
	}
	table_clear(&k->table);
	secret_clear(&k->one);
	free(k);
}

/* --- Finding ---------------------------------------------------------------------------------- */

static enum err_code
derive(const struct keys *k, const char *identity, struct secret *out, struct err *e)
{
	uint8_t mac[32];
	int rc = gnutls_hmac_fast(
	    GNUTLS_MAC_SHA256, k->one.data, k->one.len, identity, strlen(identity), mac);
	if (rc != GNUTLS_E_SUCCESS)
		return err_set(e, ERR_CRYPTO, "key of %s: %s", identity, gnutls_strerror(rc));
	enum err_code code = secret_set(out, mac, KEYS_DERIVED_LEN, e);
	wipe(mac, sizeof mac);
	return code;
}

static enum err_code
look_up(const struct keys *k, const char *identity, struct secret *out, struct err *e)
{
	struct table_node *n =
	    table_first(&k->table, table_hash(&k->table, identity, strlen(identity)));
	for (; n != NULL; n = table_next(n)) {
		const struct key_entry *entry = CONTAINER_OF(n, struct key_entry, node);
		if (strcmp(entry->identity, identity) == 0)
			return secret_copy(out, &entry->key, e);
	}
	return err_set(e, ERR_NOT_FOUND, "no key for the identity %s", identity);
}

enum err_code
keys_get(const struct keys *k, const char *identity, struct secret *out, struct err *e)
{
	switch (k->kind) {
	case KEYS_SINGLE:
		return secret_copy(out, &k->one, e);
	case KEYS_FILE:
		return look_up(k, identity, out, e);
	case KEYS_DERIVED:
		return derive(k, identity, out, e);
	}
	return err_set(e, ERR_INTERNAL, "keys of no kind");
}
