#include "tests/unit/plan_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "tests/unit/unit.h"

#define DAY_S 86400
#define NOW_S 1700000000

static struct lwm2m_path
path_at(const char *s, size_t n)
{
	char text[64];
	struct lwm2m_path p;
	struct err e = { 0 };

	ck_assert_uint_lt(n + 1, sizeof text);
	(void)snprintf(text, sizeof text, "%s%.*s", s[0] == '/' ? "" : "/", (int)n, s);
	ck_assert_msg(lwm2m_path_parse(text, strlen(text), &p, &e) == ERR_OK, "%s: %s", text, e.msg);
	return p;
}

static struct lwm2m_value
value_at(enum lwm2m_type type, const char *s, size_t n)
{
	struct lwm2m_value v = lwm2m_int(strtoll(s, NULL, 10));
	const char *colon = memchr(s, ':', n);

	switch (type) {
	case LWM2M_STRING:
	case LWM2M_CORELNK:
	case LWM2M_OPAQUE:
		ck_assert_int_eq(lwm2m_value_bytes(&v, type, s, n, NULL), ERR_OK);
		return v;
	case LWM2M_BOOLEAN:
		return lwm2m_bool(s[0] == 't');
	case LWM2M_OBJLNK:
		return lwm2m_link((uint16_t)strtoul(s, NULL, 10), (uint16_t)strtoul(colon + 1, NULL, 10));
	case LWM2M_UNSIGNED:
		return lwm2m_uint(strtoull(s, NULL, 10));
	case LWM2M_TIME:
		return lwm2m_time(v.i);
	case LWM2M_INTEGER:
	case LWM2M_FLOAT:
	case LWM2M_NONE:
	case LWM2M__TYPES:
		break;
	}
	return v;
}

void
kit_tree(struct lwm2m_tree *t, const char *text)
{
	for (const char *s = text; s != NULL && *s != 0;) {
		size_t n = strcspn(s, " "), name = strcspn(s, "=");
		struct lwm2m_path p = path_at(s, name);
		const struct lwm2m_res_def *def = lwm2m_model_resource(lwm2m_model_builtin(), p.id[0], p.id[2]);
		struct lwm2m_value v =
		    value_at(def == NULL ? LWM2M_INTEGER : def->type, s + name + 1, n - name - 1);

		ck_assert_int_eq(lwm2m_tree_add(t, p, &v, NULL), ERR_OK);
		s += n + (s[n] == ' ');
	}
}

static char *
copy(const char *s)
{
	return s == NULL ? NULL : str_dup_n(s, strlen(s));
}

static void
set_desired(struct profile_desired *d, const struct scene *sc)
{
	struct lwm2m_span rules, sub;
	struct lwm2m_path inst;

	*d = (struct profile_desired){ .policy = sc->policy,
		.foreign = sc->foreign,
		.format = PROFILE_FORMAT_AUTO,
		.verify = true,
		.early_return_ms = 600000 };
	kit_tree(&d->tree, sc->wants);
	rules = lwm2m_tree_under(&d->tree, lwm2m_path1(2));
	d->acl = calloc(16, sizeof *d->acl);
	for (size_t at = 0; sc->mode != PROFILE_ACL_REFUSE && lwm2m_span_next(&rules, LWM2M_INSTANCE, &at, &inst, &sub);)
		d->acl[d->n_acl++] = (struct profile_acl_rule){ inst.id[1], sc->mode };
	if (sc->retain == NULL)
		return;
	d->retain = calloc(1, sizeof *d->retain);
	d->retain[0] = path_at(sc->retain, strlen(sc->retain));
	d->n_retain = 1;
}

static void
set_inventory(struct bs_inventory *inv, const char *links, const char *server, const char *acl)
{
	struct err e = { 0 };

	inv->account = BS_UNKNOWN_INSTANCE;
	if (links != NULL)
		ck_assert_msg(bs_inventory_discover(inv, (const uint8_t *)links, strlen(links), &e) == ERR_OK, "%s", e.msg);
	kit_tree(&inv->seen, server);
	kit_tree(&inv->seen, acl);
	inv->read[1] = server != NULL;
	inv->read[2] = acl != NULL;
}

static void
set_history(struct bs_history *h, const struct scene *sc)
{
	struct bs_inventory held = { .account = BS_UNKNOWN_INSTANCE };
	struct lwm2m_span all, sub;
	struct lwm2m_path inst;

	h->now_ms = NOW_S * 1000LL;
	if (sc->wrote == NULL)
		return;
	h->good_session = h->last_session = 7;
	h->last_verdict = BS_VERDICT_PROVISIONED;
	h->good_ended_ms = h->last_ended_ms = h->now_ms - (sc->gone_s == 0 ? DAY_S : sc->gone_s) * 1000LL;
	h->good_started_ms = h->good_ended_ms - 1000;
	h->placed = copy(sc->placed);
	h->expiries = copy(sc->expiries);
	h->wrote = calloc(1, sizeof *h->wrote);
	kit_tree(&h->wrote->tree, sc->wrote);
	all = lwm2m_tree_under(&h->wrote->tree, lwm2m_path1(1));
	h->wanted = calloc(16, sizeof *h->wanted);
	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);) {
		int64_t ssid = 0;

		(void)lwm2m_value_number(lwm2m_tree_get(&h->wrote->tree, lwm2m_path_child(inst, 0)), &ssid);
		h->wanted[h->n_wanted++] = (uint16_t)ssid;
	}
	set_inventory(&held, sc->held, sc->held_server, NULL);
	ck_assert_int_eq(bs_inventory_save(&held, lwm2m_model_builtin(), &h->held, NULL), ERR_OK);
	bs_inventory_clear(&held);
	if (sc->failed_since) {
		h->last_session = 8;
		h->last_verdict = BS_VERDICT_FAILED;
		h->last_reason = BS_REASON_NO_ANSWER;
	}
}

void
kit_set(struct stage *st, const struct scene *sc)
{
	*st = (struct stage){ 0 };
	set_desired(&st->d, sc);
	set_inventory(&st->inv, sc->links, sc->server, sc->acl);
	set_history(&st->h, sc);
	kit_tree(&st->handover, sc->handover);
	st->in = (struct bs_planning){ .desired = &st->d,
		.inv = &st->inv,
		.model = lwm2m_model_builtin(),
		.history = &st->h,
		.handover = &st->handover };
}

void
kit_clear(struct stage *st)
{
	profile_desired_clear(&st->d);
	bs_inventory_clear(&st->inv);
	bs_history_clear(&st->h);
	lwm2m_tree_clear(&st->handover);
}

const char *
kit_ops(const struct bs_plan *p)
{
	static char text[1024];
	size_t len = 0;

	text[0] = 0;
	for (size_t i = 0; i < p->n_ops && len < sizeof text; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s %s", i > 0 ? ", " : "",
		    bs_method_name(p->ops[i].method), lwm2m_path_str(p->ops[i].path).s);
	return text;
}
