#include "bsserver/ports/handover.h"

#include "bsserver/bootstrap/record_json.h"

#define IS_BOOTSTRAP 1
#define SHORT_SERVER_ID 10

/* A document of this device that says nothing but what the profile says. */
static enum err_code
make_document(const struct handover *h, struct gbuf *out, struct err *e)
{
	gbuf_str(out, "{\"profile_format\":1,\"endpoint\":");
	bs_json_string(out, h->endpoint);
	gbuf_str(out, ",\"extends\":");
	bs_json_string(out, h->profile);
	gbuf_str(out, "}");
	return gbuf_check(out, e);
}

/* The one /0 instance. */
static enum err_code
find_account(const struct handover *h, const struct lwm2m_tree *t, struct lwm2m_span *out, struct err *e)
{
	struct lwm2m_span all = lwm2m_tree_under(t, lwm2m_path1(LWM2M_SECURITY)), sub;
	struct lwm2m_path inst;
	unsigned n = 0;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub); n++)
		*out = sub;
	if (n == 1)
		return ERR_OK;
	return err_set(e, ERR_INVALID,
	    "profile %s: has %u accounts; the bootstrap account is made from the one of the one server there is",
	    h->profile, n);
}

static enum err_code
add(struct lwm2m_tree *to, struct lwm2m_path p, const struct lwm2m_value *v, struct err *e)
{
	struct lwm2m_value copy;

	p.id[1] = 0;
	if (p.depth == LWM2M_RESOURCE && p.id[2] == SHORT_SERVER_ID)
		return ERR_OK; /* a bootstrap server has none */
	if (p.depth == LWM2M_RESOURCE && p.id[2] == IS_BOOTSTRAP)
		copy = lwm2m_bool(true);
	else if (lwm2m_value_copy(&copy, v, e) != ERR_OK)
		return ERR_NO_MEMORY;
	return lwm2m_tree_put(to, p, &copy, e);
}

static enum err_code
take_account(const struct handover *h, const struct profile_desired *d, struct lwm2m_tree *out, struct err *e)
{
	struct lwm2m_span account = { 0 };
	enum err_code rc = find_account(h, &d->tree, &account, e);

	for (size_t i = 0; rc == ERR_OK && i < account.n; i++)
		rc = add(out, account.nodes[i].path, &account.nodes[i].value, e);
	for (size_t i = 0; rc == ERR_OK && i < d->account.n; i++)
		rc = add(out, d->account.nodes[i].path, &d->account.nodes[i].value, e);
	if (rc != ERR_OK)
		lwm2m_tree_clear(out);
	return rc;
}

enum err_code
handover_make(const struct shelf *s, const struct lwm2m_model *m, const struct handover *h, struct lwm2m_tree *out,
    struct err *e)
{
	struct gbuf doc = { .max = 8192 };
	struct compiled c = { 0 };
	enum err_code rc;

	if (shelf_doc(s, h->profile) == NULL)
		return err_set(e, ERR_NOT_FOUND, "no profile %s", h->profile);
	rc = make_document(h, &doc, e);
	if (rc == ERR_OK) {
		const struct compile_input in = { .endpoint = h->endpoint, .doc = gbuf_cstr(&doc),
			.credentials = h->credentials, .n_credentials = h->n_credentials };
		rc = compile_device(s, m, &in, &c, e);
		if (rc != ERR_OK)
			err_wrap(e, "profile %s", h->profile);
	}
	if (rc == ERR_OK)
		rc = take_account(h, &c.desired, out, e);
	compiled_clear(&c);
	gbuf_clear(&doc);
	return rc;
}
