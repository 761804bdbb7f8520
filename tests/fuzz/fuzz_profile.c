/*
 * A document from outside, all the way: its canonical text is stable, what check calls right
 * compiles, and packing what was compiled gives it back.
 */
#include <string.h>

#include "lib/base/str.h"
#include "profiles/profile.h"
#include "tests/fuzz/fuzz.h"

static const char parent[] =
    "{\"profile_format\":1,\"profile\":\"p\",\"vars\":{\"a\":\"b\",\"n\":5},\"servers\":{\"dm\":{"
    "\"short_server_id\":1,"
    "\"uri\":\"coaps://"
    "${a}.example\",\"security\":{\"mode\":\"psk\",\"identity\":\"${endpoint}\",\"key\":{"
    "\"generate\":"
    "16}},\"lifetime\":\"${n}\"}},\"apn_connection_profiles\":{\"iot\":{\"apn\":\"x\"}}}";

static const struct profile_doc *
find(void *arg, const char *name, struct err *e)
{
	if (strcmp(name, "p") == 0 || strcmp(name, "self") == 0)
		return ((const struct profile_doc **)arg)[name[0] == 's'];
	(void)err_set(e, ERR_NOT_FOUND, "none");
	return NULL;
}

static enum err_code
get_key(void *arg, const char *slot, const char *from, struct secret *out, struct err *e)
{
	(void)arg;
	(void)from;
	return secret_set(out, slot, strlen(slot), e);
}

static enum err_code
seen_key(void *arg, struct profile_key *k, struct err *e)
{
	(void)arg;
	(void)e;
	FUZZ_MUST(k->slot != NULL, "a key without a slot");
	if (k->kind == PROFILE_KEY_BYTES)
		memcpy(k->new_fingerprint, "f00d", 5);
	return ERR_OK;
}

static void
write_again(const struct profile_doc *d, bool compact)
{
	struct gbuf once = { 0 }, twice = { 0 };
	struct profile_doc *again;
	struct err e = { 0 };

	profile_doc_write(d, compact, &once);
	FUZZ_MUST(
	    profile_parse("x", 1, gbuf_cstr(&once), once.len, &again, &e) == ERR_OK, "%s", e.msg);
	profile_doc_write(again, compact, &twice);
	FUZZ_MUST(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0,
	    "another canonical text");
	profile_doc_free(again);
	gbuf_clear(&once);
	gbuf_clear(&twice);
}

static void
compile(const struct profile_doc *resolved)
{
	const struct profile_keys keys = { .get = get_key };
	struct profile_findings f = { 0 };
	struct profile_desired d = { 0 }, back = { 0 };
	struct gbuf packed = { 0 };
	struct err e = { 0 };

	FUZZ_MUST(
	    profile_check(resolved, lwm2m_model_builtin(), &keys, &f, &e) == ERR_OK, "%s", e.msg);
	for (size_t i = 0; i < f.n; i++)
		FUZZ_MUST(f.v[i].line > 0 && f.v[i].column > 0, "a finding without a place: %s",
		    f.v[i].reason);
	for (size_t i = 0; i < f.n; i++)
		FUZZ_MUST(str_is_printable(f.v[i].reason, strlen(f.v[i].reason)) &&
		              str_is_printable(f.v[i].path, strlen(f.v[i].path)),
		    "a finding that does not print");
	enum err_code rc = profile_compile(resolved, lwm2m_model_builtin(), &keys, &d, NULL, &e);
	if (rc == ERR_OK) {
		FUZZ_MUST(f.errors == 0, "compiled with errors: %s", f.v[0].reason);
		FUZZ_MUST(profile_desired_pack(&d, &packed, &e) == ERR_OK, "%s", e.msg);
		FUZZ_MUST(profile_desired_unpack(packed.data, packed.len, &back, &e) == ERR_OK,
		    "%s", e.msg);
		FUZZ_MUST(lwm2m_tree_eq(&d.tree, &back.tree), "another tree");
	}
	gbuf_clear(&packed);
	profile_desired_clear(&d);
	profile_desired_clear(&back);
	profile_findings_clear(&f);
}

static void
use(struct profile_doc *d)
{
	const struct profile_doc *docs[2] = { NULL, d };
	struct profile_findings f = { 0 };
	struct profile_doc *p, *resolved = NULL;
	struct err e = { 0 };

	FUZZ_MUST(profile_parse("p", 1, parent, sizeof parent - 1, &p, &e) == ERR_OK, "%s", e.msg);
	docs[0] = p;
	FUZZ_MUST(profile_resolve(d, find, (void *)docs, &f, &resolved, &e) == ERR_OK, "%s", e.msg);
	FUZZ_MUST((resolved == NULL) <= (f.errors > 0), "no document and no finding");
	if (resolved != NULL) {
		compile(resolved);
		write_again(resolved, true);
	}
	(void)profile_extract(d, seen_key, NULL, &e);
	write_again(d, false);
	profile_findings_clear(&f);
	profile_doc_free(resolved);
	profile_doc_free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile_doc *d = NULL;
	struct err e = { 0 };

	if (profile_parse("x", 1, (const char *)data, size, &d, &e) != ERR_OK) {
		FUZZ_MUST(strncmp(e.msg, "x:", 2) == 0 && str_is_printable(e.msg, strlen(e.msg)),
		    "%s", e.msg);
		return 0;
	}
	write_again(d, false);
	write_again(d, true);
	use(d);
	profile_doc_free(d);
	return 0;
}
