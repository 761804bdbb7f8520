/* Lies: what a device does wrong on purpose, told from text and chosen by step, path and number. */
#include "lib/base/str.h"
#include "tests/sim/device_internal.h"

#define COMMANDS                                                                                   \
	(1U << DEVICE_DISCOVER | 1U << DEVICE_READ | 1U << DEVICE_WRITE | 1U << DEVICE_DELETE |    \
	    1U << DEVICE_FINISH | 1U << DEVICE_OTHER | 1U << DEVICE_ANY)
#define REQUEST (1U << DEVICE_REQUEST)
#define ANSWERS (1U << DEVICE_DISCOVER | 1U << DEVICE_READ)
#define STORES (1U << DEVICE_WRITE)

/* clang-format off */
static const struct device_lie_name lies[DEVICE_LIE__KINDS] = {
	[DEVICE_LIE_CODE] = { "CODE", "answers this code (4.00) and does nothing", COMMANDS },
	[DEVICE_LIE_DONE_CODE] = { "done-CODE", "does it, and answers this code", COMMANDS },
	[DEVICE_LIE_NO_ANSWER] = { "no-answer", "says nothing, nor to repetitions", COMMANDS },
	[DEVICE_LIE_ACK_ONLY] = { "ack-only", "an empty ACK, and never the answer", COMMANDS },
	[DEVICE_LIE_RST] = { "rst", "a Reset", COMMANDS },
	[DEVICE_LIE_TWICE] = { "twice", "the same datagram two times", COMMANDS | REQUEST },
	[DEVICE_LIE_LATE] = { "late", "the answer slow_ms late", COMMANDS },
	[DEVICE_LIE_WRONG_TOKEN] = { "wrong-token", "an answer with another token", COMMANDS },
	[DEVICE_LIE_WRONG_CODE] = { "wrong-code", "a 2.xx that does not belong here", COMMANDS },
	[DEVICE_LIE_MALFORMED] = { "malformed", "a datagram that is no CoAP", COMMANDS | REQUEST },
	[DEVICE_LIE_SILENT] = { "silent", "from here on it answers nothing", COMMANDS | REQUEST },
	[DEVICE_LIE_CLOSE] = { "close", "closes its connection and is gone", COMMANDS | REQUEST },
	[DEVICE_LIE_RESTART] = { "restart", "forgets and asks anew from the same port", COMMANDS | REQUEST },
	[DEVICE_LIE_RESTART_NEW_PORT] = { "restart-new-port", "the same from another port", COMMANDS | REQUEST },
	[DEVICE_LIE_GARBAGE] = { "garbage", "2.05 with bytes that are nothing", ANSWERS },
	[DEVICE_LIE_EMPTY] = { "empty", "2.05 without payload", ANSWERS },
	[DEVICE_LIE_WRONG_FORMAT] = { "wrong-format", "says another Content-Format than it is", ANSWERS },
	[DEVICE_LIE_NO_FORMAT] = { "no-format", "2.05 without Content-Format", ANSWERS },
	[DEVICE_LIE_ENDLESS] = { "endless", "blocks without end", ANSWERS },
	[DEVICE_LIE_STORE_NOTHING] = { "store-nothing", "says it did, and did not", STORES | 1U << DEVICE_DELETE | 1U << DEVICE_FINISH },
	[DEVICE_LIE_STORE_OTHER] = { "store-other", "stores other values", STORES },
	[DEVICE_LIE_STORE_PART] = { "store-part", "leaves out the last resource", STORES },
	[DEVICE_LIE_STORE_OTHER_SSID] = { "store-other-ssid", "stores it under another Short Server ID", STORES },
	[DEVICE_LIE_LIST_EXTRA] = { "list-extra", "lists an instance that is not there", ANSWERS },
	[DEVICE_LIE_LIST_OMIT] = { "list-omit", "leaves a server account out", ANSWERS },
	[DEVICE_LIE_LIST_OTHER_SSID] = { "list-other-ssid", "lists other Short Server IDs", ANSWERS },
	[DEVICE_LIE_LIST_TWO_ACCOUNTS] = { "list-two-accounts", "lists a second bootstrap account", ANSWERS },
	[DEVICE_LIE_READ_OTHER] = { "read-other", "reads back other values", ANSWERS },
	[DEVICE_LIE_READ_OMIT] = { "read-omit", "leaves out what was written last in an instance", ANSWERS },
	[DEVICE_LIE_READ_EXTRA] = { "read-extra", "adds an instance", ANSWERS },
	[DEVICE_LIE_NON] = { "non", "a request that wants no ACK", REQUEST },
	[DEVICE_LIE_NO_EP] = { "no-ep", "leaves out ep", REQUEST },
};
/* clang-format on */

static const char *const steps[DEVICE__STEPS] = {
	[DEVICE_REQUEST] = "request",
	[DEVICE_PACK] = "pack",
	[DEVICE_DISCOVER] = "discover",
	[DEVICE_READ] = "read",
	[DEVICE_WRITE] = "write",
	[DEVICE_DELETE] = "delete",
	[DEVICE_FINISH] = "finish",
	[DEVICE_OTHER] = "other",
	[DEVICE_ANY] = "any",
};

const struct device_lie_name *
device_lie_at(enum device_lie_kind kind)
{
	return &lies[kind];
}

const char *
device_step_name(enum device_step step)
{
	return steps[step];
}

static bool
parse_kind(const char *what, struct device_lie *out)
{
	out->code = coapmsg_code_parse(what);
	out->kind = DEVICE_LIE_CODE;
	if (out->code != 0)
		return true;
	if (strncmp(what, "done-", 5) == 0) {
		out->code = coapmsg_code_parse(what + 5);
		out->kind = DEVICE_LIE_DONE_CODE;
		return out->code != 0;
	}
	for (size_t i = DEVICE_LIE_NO_ANSWER; i < N_ELEMS(lies); i++) {
		if (strcmp(lies[i].name, what) == 0) {
			out->kind = (enum device_lie_kind)i;
			return true;
		}
	}
	return false;
}

static bool
parse_step(const char *s, size_t n, struct device_lie *out)
{
	for (size_t i = 0; i < N_ELEMS(steps); i++) {
		if (strlen(steps[i]) == n && memcmp(steps[i], s, n) == 0) {
			out->step = (enum device_step)i;
			return true;
		}
	}
	return false;
}

enum err_code
device_lie_parse(const char *text, struct device_lie *out, struct err *e)
{
	*out = (struct device_lie){ .nth = 0 };
	const char *equals = strchr(text, '=');
	if (equals == NULL)
		return err_set(e, ERR_USAGE, "lie %s: no '=' in it", text);
	size_t n = strcspn(text, ":#=");
	if (!parse_step(text, n, out))
		return err_set(e, ERR_NOT_FOUND, "lie %s: no such step", text);
	const char *at = text + n;
	if (*at == ':') {
		size_t len = strcspn(++at, "#=");
		if (len == 0 || len >= sizeof out->path)
			return err_set(e, ERR_USAGE, "lie %s: no path behind ':'", text);
		memcpy(out->path, at, len);
		at += len;
	}
	uint64_t nth = 0;
	if (*at == '#' && !str_to_u64(at + 1, (size_t)(equals - at - 1), 1, 1000000, &nth))
		return err_set(e, ERR_USAGE, "lie %s: no number behind '#'", text);
	out->nth = (unsigned)nth;
	if (!parse_kind(equals + 1, out))
		return err_set(e, ERR_NOT_FOUND, "lie %s: %s is none", text, equals + 1);
	if ((lies[out->kind].steps >> out->step & 1) == 0)
		return err_set(e, ERR_USAGE, "lie %s: not at this step", text);
	if (out->nth == 0 &&
	    (out->kind == DEVICE_LIE_RESTART || out->kind == DEVICE_LIE_RESTART_NEW_PORT))
		out->nth = 1;
	return ERR_OK;
}

static bool
is_about(const struct device_lie *l, enum device_step step, const char *path)
{
	bool any = l->step == DEVICE_ANY && step != DEVICE_REQUEST && step != DEVICE_PACK;
	return (any || l->step == step) &&
	       (l->path[0] == '\0' || (path != NULL && strcmp(l->path, path) == 0));
}

const struct device_lie *
device_lie_due(struct device *d, enum device_step step, const char *path)
{
	const struct device_lie *due = NULL;
	for (size_t i = 0; i < d->cfg->n_lies; i++) {
		const struct device_lie *l = &d->cfg->lies[i];
		if (!is_about(l, step, path))
			continue;
		d->lie_hits[i]++;
		if (due == NULL && (l->nth == 0 || l->nth == d->lie_hits[i]))
			due = l;
	}
	d->stats.lies += due != NULL;
	return due;
}

/* Another value of the same type. */
static void
other_value(struct lwm2m_value *v)
{
	switch (v->type) {
	case LWM2M_INTEGER:
	case LWM2M_TIME:
		v->i = v->i == INT64_MAX ? 0 : v->i + 1;
		break;
	case LWM2M_UNSIGNED:
		v->u++;
		break;
	case LWM2M_FLOAT:
		v->f += 1.5;
		break;
	case LWM2M_BOOLEAN:
		v->b = !v->b;
		break;
	case LWM2M_OBJLNK:
		v->link.instance ^= 1;
		break;
	case LWM2M_STRING:
	case LWM2M_CORELNK:
	case LWM2M_OPAQUE:
		if (v->bytes.len > 0)
			v->bytes.data[v->bytes.len - 1] ^= 1;
		break;
	case LWM2M_NONE:
	case LWM2M__TYPES:
		break;
	}
}

static bool
is_ssid(const struct lwm2m_path *p)
{
	return p->depth == LWM2M_RESOURCE && ((p->id[0] == LWM2M_SECURITY && p->id[2] == 10) ||
	                                         (p->id[0] == LWM2M_SERVER && p->id[2] == 0));
}

/* All but what says which account it is: that would be another lie. */
static void
other_values(struct lwm2m_tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct lwm2m_path *p = &t->nodes[i].path;
		bool is_account = p->id[0] == LWM2M_SECURITY && p->id[2] == 1;
		if (!is_ssid(p) && !is_account)
			other_value(&t->nodes[i].value);
	}
}

static void
other_ssids(struct lwm2m_tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		int64_t n = 0;
		if (is_ssid(&t->nodes[i].path) && lwm2m_value_number(&t->nodes[i].value, &n))
			t->nodes[i].value = lwm2m_int(n == 4242 ? 4243 : 4242);
	}
}

void
device_lie_about_write(struct lwm2m_tree *t, enum device_lie_kind kind)
{
	if (kind == DEVICE_LIE_STORE_OTHER)
		other_values(t);
	else if (kind == DEVICE_LIE_STORE_OTHER_SSID)
		other_ssids(t);
	else if (kind == DEVICE_LIE_STORE_PART && t->n > 0)
		(void)lwm2m_tree_remove(t, t->nodes[t->n - 1].path);
}

/* The last server account, or failing that the last instance of anything. */
static void
omit_account(struct lwm2m_tree *t)
{
	for (size_t i = t->n; i > 0; i--) {
		struct lwm2m_path p = lwm2m_path_up(t->nodes[i - 1].path, LWM2M_INSTANCE);
		if (p.id[0] != LWM2M_SERVER)
			continue;
		(void)lwm2m_tree_remove(t, p);
		return;
	}
	if (t->n > 0)
		(void)lwm2m_tree_remove(t, lwm2m_path_up(t->nodes[t->n - 1].path, LWM2M_INSTANCE));
}

/* The last resource of every instance that has more than one. */
static void
omit_resources(struct lwm2m_tree *t)
{
	struct lwm2m_path done = { .depth = LWM2M_ROOT };
	for (size_t i = t->n; i > 1; i--) {
		struct lwm2m_path p = t->nodes[i - 1].path;
		struct lwm2m_path parent = lwm2m_path_up(p, LWM2M_INSTANCE);
		if (lwm2m_path_eq(&parent, &done))
			continue;
		done = parent;
		if (lwm2m_path_under(&t->nodes[i - 2].path, &parent) && !is_ssid(&p))
			(void)lwm2m_tree_remove(t, p);
	}
}

void
device_lie_about_tree(struct lwm2m_tree *t, enum device_lie_kind kind)
{
	struct lwm2m_value ssid = lwm2m_int(4242), yes = lwm2m_bool(true);
	if (kind == DEVICE_LIE_LIST_EXTRA || kind == DEVICE_LIE_READ_EXTRA)
		(void)lwm2m_tree_put(t, lwm2m_path3(LWM2M_SERVER, 77, 0), &ssid, NULL);
	else if (kind == DEVICE_LIE_LIST_OMIT)
		omit_account(t);
	else if (kind == DEVICE_LIE_LIST_OTHER_SSID)
		other_ssids(t);
	else if (kind == DEVICE_LIE_LIST_TWO_ACCOUNTS)
		(void)lwm2m_tree_put(t, lwm2m_path3(LWM2M_SECURITY, 99, 1), &yes, NULL);
	else if (kind == DEVICE_LIE_READ_OTHER)
		other_values(t);
	else if (kind == DEVICE_LIE_READ_OMIT)
		omit_resources(t);
}
