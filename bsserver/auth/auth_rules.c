#include "bsserver/auth/auth_internal.h"
#include "bsserver/auth/derive.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

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
	const struct identity *i = auth_find_identity(a, q->identity, q->identity_len);

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
	const struct pin *p = q->pin != NULL ? auth_find_pin(a, q->pin) : NULL;

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
	const struct known *k = auth_find_device(a, x->endpoint);

	if (k != NULL && k->state == STORE_ACTIVE) {
		const struct pin *p = q->pin != NULL ? auth_find_pin_of(a, x->endpoint) : NULL;

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

/* What its profile names of that kind, when one claims to be it, or has that one. */
static const struct known *
named_for_registry(const struct auth *a, const struct auth_question *q)
{
	const struct known *k = q->endpoint != NULL ? auth_find_device(a, q->endpoint) :
	    q->pin != NULL			    ? auth_find_registrant(a, q->pin) : NULL;

	return k != NULL && k->pin != NULL && k->registers == q->credential ? k : NULL;
}

static void
refuse(struct auth_answer *x, const char *why)
{
	gbuf_str(&x->rule, why);
	x->granted = false;
	x->reason = BS_REASON_IDENTITY_MISMATCH;
	free(x->endpoint);
	x->endpoint = NULL;
}

void
auth_decide_registry(const struct auth *a, const struct auth_question *q, struct auth_answer *out)
{
	const struct known *k = named_for_registry(a, q);
	enum auth_credential how;

	if (k == NULL) {
		auth_decide(a, q, out);
	} else {
		*out = (struct auth_answer){ .rule.max = 4096 };
		put_words(&out->rule, "endpoint ", k->endpoint, " registers with ");
		put_words(&out->rule, k->pin, "", "");
		if (k->state != STORE_ACTIVE)
			refuse(out, "; the device is not active");
		else if (q->pin == NULL || strcmp(q->pin, k->pin) != 0)
			refuse(out, "; this is another");
		else
			grant(out, k->endpoint);
	}
	if (out->granted && (!auth_registers_with(a, out->endpoint, &how) || how != q->credential))
		refuse(out, "; its account at the registry is of another kind");
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
