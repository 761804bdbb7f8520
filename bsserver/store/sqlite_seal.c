#include "bsserver/store/sqlite_internal.h"

#include <string.h>

static void
bind_to(struct gbuf *aad, const char *table, enum sq_kind kind, const char *owner, const char *slot)
{
	/* a NUL behind each: no two rows give the same octets */
	gbuf_put(aad, table, strlen(table) + 1);
	gbuf_u8(aad, (uint8_t)kind);
	gbuf_put(aad, owner, strlen(owner) + 1);
	gbuf_put(aad, slot, strlen(slot) + 1);
}

enum err_code
sq_seal(struct sq_db *db, const char *table, enum sq_kind kind, const char *owner,
    const char *slot, const struct secret *plain, struct gbuf *out, struct err *e)
{
	struct gbuf aad = { 0 };

	bind_to(&aad, table, kind, owner, slot);
	enum err_code rc = gbuf_check(&aad, e);
	if (rc == ERR_OK)
		rc = crypt_seal(db->box, aad.data, aad.len, plain->data, plain->len, out, e);
	gbuf_clear(&aad);
	return rc;
}

enum err_code
sq_unseal(struct sq_db *db, const char *table, enum sq_kind kind, const char *owner,
    const char *slot, const void *sealed, size_t n, struct secret *out, struct err *e)
{
	struct gbuf aad = { 0 };

	bind_to(&aad, table, kind, owner, slot);
	enum err_code rc = gbuf_check(&aad, e);
	if (rc == ERR_OK)
		rc = crypt_open(db->box, aad.data, aad.len, sealed, n, out, e);
	gbuf_clear(&aad);
	return rc == ERR_OK ? ERR_OK : err_wrap(e, "store: %s of %s, %s", table, owner, slot);
}
