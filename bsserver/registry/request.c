#include "bsserver/registry/request.h"

#include <string.h>

#include "lib/base/str.h"
#include "lib/base/util.h"

#define QUERIES_MAX 32
#define MINOR_MAX 2
#define ID_MAX 65534

struct reader {
	enum reg_op op;
	struct reg_request *out;
	bool has_binding, has_queue;
	struct err *e;
};

static enum err_code
take_ep(struct reader *r, const char *v, size_t n)
{
	char *ep = r->out->ep;
	size_t len = n;

	if (r->op == REG_UPDATE)
		return ERR_OK;
	if (ep[0] != 0)
		return err_set(r->e, ERR_PARSE, "query: ep is there twice");
	if (n == 0 || n > REG_ENDPOINT_MAX)
		return err_set(r->e, ERR_PARSE, "query: ep must have 1 to %d octets, has %zu", REG_ENDPOINT_MAX, n);
	memcpy(ep, v, n);
	if (!str_percent_decode(ep, &len)) { /* a '%' that stands for itself */
		memcpy(ep, v, n);
		len = n;
	}
	ep[len] = 0;
	if (str_is_printable(ep, len))
		return ERR_OK;
	ep[0] = 0;
	return err_set(r->e, ERR_PARSE, "query: ep is not printable UTF-8");
}

static enum err_code
take_lt(struct reader *r, const char *v, size_t n)
{
	uint64_t seconds;

	if (r->out->has_lifetime)
		return err_set(r->e, ERR_PARSE, "query: lt is there twice");
	if (!str_to_u64(v, n, 0, UINT32_MAX, &seconds))
		return err_set(r->e, ERR_PARSE, "query: lt is not a number of seconds");
	r->out->lifetime = (uint32_t)seconds;
	r->out->has_lifetime = true;
	return ERR_OK;
}

static enum err_code
take_version(struct reader *r, const char *v, size_t n)
{
	const char *dot = memchr(v, '.', n);
	uint64_t major, minor;

	if (r->op == REG_UPDATE)
		return ERR_OK;
	if (r->out->version != 0)
		return err_set(r->e, ERR_PARSE, "query: lwm2m is there twice");
	if (dot == NULL || !str_to_u64(v, (size_t)(dot - v), 0, 255, &major) ||
	    !str_to_u64(dot + 1, n - (size_t)(dot + 1 - v), 0, 255, &minor))
		return err_set(r->e, ERR_PARSE, "query: lwm2m is not a version");
	if (major != 1 || minor > MINOR_MAX)
		return err_set(r->e, ERR_UNSUPPORTED, "query: lwm2m=%u.%u, and 1.0 to 1.%d are spoken here",
		    (unsigned)major, (unsigned)minor, MINOR_MAX);
	r->out->version = (uint8_t)(10 + minor);
	return ERR_OK;
}

static enum err_code
take_binding(struct reader *r, const char *v, size_t n)
{
	char *to = r->out->binding;
	size_t len = 0;

	if (r->has_binding)
		return err_set(r->e, ERR_PARSE, "query: b is there twice");
	for (size_t i = 0; i < n; i++) {
		if (memchr(v, v[i], i) != NULL || v[i] == 0 || strchr("UTSNMHQ", v[i]) == NULL)
			return err_set(r->e, ERR_PARSE, "query: b is not a set of the letters U, T, S, N and Q");
		if (v[i] == 'Q')
			r->out->queue = true;
		else
			to[len++] = v[i];
	}
	if (len == 0)
		return err_set(r->e, ERR_PARSE, "query: b names no transport");
	r->has_binding = true;
	return ERR_OK;
}

static enum err_code
take_queue(struct reader *r, const char *v, size_t n)
{
	(void)v;
	if (r->has_queue || n > 0)
		return err_set(r->e, ERR_PARSE, "query: Q is there twice, or has a value");
	r->has_queue = r->out->queue = true;
	return ERR_OK;
}

static enum err_code
take_sms(struct reader *r, const char *v, size_t n)
{
	if (r->out->sms[0] != 0)
		return err_set(r->e, ERR_PARSE, "query: sms is there twice");
	if (n == 0 || n > REG_SMS_MAX || !str_is_printable(v, n))
		return err_set(r->e, ERR_PARSE, "query: sms must be 1 to %d printable octets", REG_SMS_MAX);
	memcpy(r->out->sms, v, n);
	return ERR_OK;
}

static const struct {
	const char *key;
	enum err_code (*take)(struct reader *r, const char *v, size_t n);
} keys[] = {
	{ "ep", take_ep },
	{ "lt", take_lt },
	{ "lwm2m", take_version },
	{ "b", take_binding },
	{ "Q", take_queue },
	{ "sms", take_sms },
};

static enum err_code
take(struct reader *r, const struct reg_query *q)
{
	const char *eq = q->len > 0 ? memchr(q->data, '=', q->len) : NULL;
	size_t n = eq != NULL ? (size_t)(eq - q->data) : q->len;

	for (size_t i = 0; i < N_ELEMS(keys); i++)
		if (strlen(keys[i].key) == n && memcmp(keys[i].key, q->data, n) == 0)
			return eq != NULL ? keys[i].take(r, eq + 1, q->len - n - 1) : keys[i].take(r, "", 0);
	return ERR_OK;
}

enum err_code
reg_request_parse(const struct reg_query *q, size_t n, enum reg_op op, struct reg_request *out, struct err *e)
{
	struct reader r = { .op = op, .out = out, .e = e };
	enum err_code rc = ERR_OK;

	*out = (struct reg_request){ 0 };
	if (n > QUERIES_MAX)
		return err_set(e, ERR_PARSE, "query: more than %d options", QUERIES_MAX);
	for (size_t i = 0; rc == ERR_OK && i < n; i++)
		rc = take(&r, &q[i]);
	if (rc != ERR_OK || op == REG_UPDATE)
		return rc;
	if (out->version == 0)
		return err_set(e, ERR_PARSE, "query: lwm2m is missing");
	if (!out->has_lifetime)
		return err_set(e, ERR_PARSE, "query: lt is missing");
	if (out->lifetime == 0 && out->version < 12)
		return err_set(e, ERR_PARSE, "query: lt=0 means a registration without end, which came with 1.2");
	return ERR_OK;
}

/* ---- the list of Objects ---- */

struct link {
	const char *target; /* between < and > */
	size_t len;
	const char *attrs; /* from the first ';' */
	size_t attrs_len;
};

/* One link from s; *used: with the comma behind it. false: it is none. */
static bool
next_link(const char *s, size_t n, struct link *out, size_t *used)
{
	size_t i = 0;
	bool quoted = false;

	while (i < n && s[i] == ' ')
		i++;
	const char *end = i < n && s[i] == '<' ? memchr(s + i, '>', n - i) : NULL;
	if (end == NULL)
		return false;
	out->target = s + i + 1;
	out->len = (size_t)(end - out->target);
	out->attrs = end + 1;
	for (i = (size_t)(out->attrs - s); i < n && (quoted || s[i] != ','); i++) {
		if (quoted && s[i] == '\\' && i + 1 < n)
			i++;
		else if (s[i] == '"')
			quoted = !quoted;
	}
	out->attrs_len = i - (size_t)(out->attrs - s);
	*used = i < n ? i + 1 : n;
	return !quoted && (out->attrs_len == 0 || out->attrs[0] == ';');
}

/* Its rt is oma.lwm2m: it is where the Objects are. */
static bool
is_root(const struct link *k)
{
	static const char *const forms[] = { ";rt=\"oma.lwm2m\"", ";rt=oma.lwm2m" };

	for (size_t f = 0; f < N_ELEMS(forms); f++) {
		size_t n = strlen(forms[f]);

		for (size_t i = 0; i + n <= k->attrs_len; i++)
			if (memcmp(k->attrs + i, forms[f], n) == 0)
				return true;
	}
	return false;
}

static enum err_code
take_root(const struct link *k, struct reg_objects *out, struct err *e)
{
	size_t n = k->len;

	while (n > 0 && k->target[n - 1] == '/')
		n--;
	if (n > REG_ROOT_MAX || (n > 0 && k->target[0] != '/') || !str_is_printable(k->target, n))
		return err_set(e, ERR_PARSE, "list of Objects: its root is no path of at most %d octets", REG_ROOT_MAX);
	memcpy(out->root, k->target, n);
	out->root[n] = 0;
	return ERR_OK;
}

/* "/1/0" behind the root: Object and instance; -1 where there is none. false: no path of LwM2M. */
static bool
read_path(const struct link *k, const struct reg_objects *o, int32_t id[2])
{
	size_t root = strlen(o->root), at = root;
	uint64_t v;

	id[0] = id[1] = -1;
	if (k->len <= root || memcmp(k->target, o->root, root) != 0)
		return false;
	for (int i = 0; i < 2 && at < k->len; i++) {
		const char *seg = k->target + at + 1;
		size_t left = k->len - at - 1;
		const char *slash = left > 0 ? memchr(seg, '/', left) : NULL;
		size_t n = slash != NULL ? (size_t)(slash - seg) : left;

		if (k->target[at] != '/' || (n == 0 && i > 0))
			break;
		if (!str_to_u64(seg, n, 0, ID_MAX, &v))
			return false;
		id[i] = (int32_t)v;
		at += 1 + n;
	}
	return id[0] >= 0;
}

static void
take_object(const struct link *k, struct reg_objects *out)
{
	int32_t id[2];

	if (!read_path(k, out, id) || id[0] == 0 || id[0] == 21 || id[0] == 23)
		return;
	if (out->n < UINT16_MAX)
		out->n++;
	if (id[0] == 1 && id[1] >= 0 && out->n_servers < REG_SERVERS_MAX)
		out->servers[out->n_servers++] = (uint16_t)id[1];
}

enum err_code
reg_objects_parse(const char *s, size_t n, struct reg_objects *out, struct err *e)
{
	enum err_code rc = ERR_OK;

	*out = (struct reg_objects){ 0 };
	if (n > REG_LINKS_MAX)
		return err_set(e, ERR_LIMIT, "list of Objects: %zu octets, at most %d", n, REG_LINKS_MAX);
	if (!str_is_printable(s, n))
		return err_set(e, ERR_PARSE, "list of Objects: not printable UTF-8");
	for (int pass = 0; rc == ERR_OK && pass < 2; pass++) { /* the root may come last */
		struct link k;
		size_t used;

		for (size_t at = 0; rc == ERR_OK && at < n; at += used) {
			if (!next_link(s + at, n - at, &k, &used))
				return err_set(e, ERR_PARSE, "list of Objects: no link format at octet %zu", at);
			if (pass == 0 && is_root(&k))
				rc = take_root(&k, out, e);
			else if (pass == 1)
				take_object(&k, out);
		}
	}
	return rc;
}
