/* What must always hold, from the protocol: the oracle knows what was asked and answered, not the machine's insides. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/enc.h"
#include "lib/lwm2m/corelink.h"
#include "lib/lwm2m/format.h"
#include "tests/sim/explore.h"
#include "tests/sim/tree.h"

const char *const rule_texts[RULES] = {
	[HOLDS] = "all holds",
	[R_EARLY] = "a request to the device before its own was answered 2.04",
	[R_EARLY_WRITE] = "a Write before the device was given the time",
	[R_FINISH] = "Finish before everything that is required was acknowledged",
	[R_GOES_ON] = "it goes on after an answer that leaves only the end",
	[R_PROVISIONED] = "provisioned, but not verified, or Finish was not answered 2.04",
	[R_WRITTEN] = "written, but verification was wanted, or Finish was not answered 2.04",
	[R_END] = "a refusal, a deadline or the like did not end it",
	[R_LATE] = "a late answer was not ignored",
	[R_RECORD] = "not exactly one record, or something after it",
	[R_REPLY] = "the device's request was not answered exactly once",
	[R_ENDLESS] = "it can go on for ever",
	[R_SECRET] = "a secret is left",
	[R_NEEDLESS] = "something that is right already was written or deleted",
	[R_TOUCH] = "the bootstrap account or something retained was touched",
	[R_VERDICT] = "verdict and reason do not go together",
	[R_ACCEPTS] = "the table of accepted events says otherwise",
	[R_SETTLE] = "a Write before the LwM2M Servers were told, or Finish before it was noted that it comes",
	[R_MERGED] = "two paths into what looks like one state go on differently",
};

static bool
tells(const char *text)
{
	static void (*const forms[])(struct gbuf *, const void *, size_t) = { enc_hex, enc_base64, enc_base64url };
	static char shapes[N_ELEMS(forms)][64];

	if (shapes[0][0] == 0)
		for (size_t i = 0; i < N_ELEMS(forms); i++) {
			struct gbuf g = { 0 };

			forms[i](&g, KEY, sizeof KEY - 1);
			memcpy(shapes[i], gbuf_cstr(&g), MIN(g.len, sizeof shapes[i] - 1));
			while (shapes[i][strlen(shapes[i]) - 1] == '=')
				shapes[i][strlen(shapes[i]) - 1] = 0;
			gbuf_clear(&g);
		}
	if (text == NULL)
		return false;
	for (size_t i = 0; i < N_ELEMS(forms); i++)
		if (strstr(text, shapes[i]) != NULL)
			return true;
	return strstr(text, KEY) != NULL;
}

static bool
record_tells(const struct bs_record *r)
{
	for (size_t i = 0; i < r->n_entries; i++)
		if (tells(r->entries[i].text))
			return true;
	return tells(r->detail) || tells(r->unconfirmed) || tells(r->path) || tells(r->endpoint) || tells(r->rule) ||
	    tells(r->fingerprints) || tells(r->profile);
}

/* When it is over: the machine's own memory, what it freed, and the record. */
static bool
secret_left(const struct run *r)
{
	const struct bs_session *s = &r->s;

	if (r->plan->server_only)
		return false; /* there was none */
	return freed_secrets() > 0 || memmem(s, sizeof *s, KEY, sizeof KEY - 1) != NULL || record_tells(&s->rec) ||
	    s->grant.desired.tree.n > 0 || s->plan.tree.n > 0 || s->before.seen.n > 0 || s->after.seen.n > 0 ||
	    s->clock.n > 0 || s->out.data != NULL || s->note.data != NULL;
}

/* ---- what the device holds ---- */

static const struct profile_desired *
wanted(const struct plan *p)
{
	static struct profile_desired made[32];
	struct profile_desired *d = &made[p - plans];

	if (d->request_timeout_ms == 0)
		plan_desired(p, d);
	return d;
}

static struct listed *
list_add(struct ghost *g, struct lwm2m_path p, uint16_t ssid)
{
	for (size_t i = 0; i < g->n_list; i++)
		if (lwm2m_path_eq(&g->list[i].path, &p)) {
			g->list[i].ssid = ssid != 0 ? ssid : g->list[i].ssid;
			return &g->list[i];
		}
	if (g->n_list == LIST_MAX)
		abort();
	g->list[g->n_list] = (struct listed){ .path = p, .ssid = ssid };
	return &g->list[g->n_list++];
}

static void
list_remove(struct ghost *g, struct lwm2m_path under)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_list; i++)
		if (!lwm2m_path_under(&g->list[i].path, &under))
			g->list[n++] = g->list[i];
	g->n_list = n;
}

static void
hold(struct ghost *g, const struct lwm2m_tree *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct lwm2m_value v;

		if (lwm2m_value_copy(&v, &from->nodes[i].value, NULL) != ERR_OK ||
		    lwm2m_tree_put(&g->held, from->nodes[i].path, &v, NULL) != ERR_OK)
			abort();
	}
}

static uint16_t
ssid_of(const struct lwm2m_tree *t, struct lwm2m_path inst)
{
	uint16_t rid = inst.id[0] == LWM2M_SECURITY ? 10 : 0;
	const struct lwm2m_value *v = inst.id[0] > LWM2M_SERVER ? NULL : lwm2m_tree_get(t, lwm2m_path_child(inst, rid));
	int64_t n = 0;

	return v != NULL && lwm2m_value_number(v, &n) ? (uint16_t)n : 0;
}

static bool
is_account(const struct ghost *g, struct lwm2m_path p)
{
	return p.depth >= LWM2M_INSTANCE && p.id[0] == LWM2M_SECURITY && p.id[1] == g->account;
}

/* Every access control entry, account and value of ours is new to what was verified before. */
static void
changed(struct ghost *g)
{
	g->right_list = g->right_read[1] = g->right_read[2] = g->confirmed = g->looking = false;
}

static void
took_write(struct ghost *g)
{
	struct lwm2m_path inst = lwm2m_path_up(g->sent.path, LWM2M_INSTANCE);

	(void)lwm2m_tree_remove(&g->held, g->sent.path);
	hold(g, &g->offered);
	if (!is_account(g, inst))
		list_add(g, inst, ssid_of(&g->held, inst))->written = true;
	changed(g);
}

static void
took_delete(struct ghost *g)
{
	if (g->sent.path.depth == LWM2M_OBJECT && g->sent.path.id[0] < N_ELEMS(g->emptied))
		g->emptied[g->sent.path.id[0]] = true;
	(void)lwm2m_tree_remove(&g->held, g->sent.path);
	list_remove(g, g->sent.path);
	changed(g);
}

/* ---- answers ---- */

static bool
not_served(uint8_t code)
{
	static const uint8_t codes[] = { 0x80, 0x81, 0x84, 0x85, 0x86, 0x8f, 0xa1 };

	return memchr(codes, code, sizeof codes) != NULL;
}

/* With policy replace these hold ours and nothing else. */
static bool
is_exact(const struct run *r, uint16_t oid)
{
	return r->plan->policy == PROFILE_REPLACE && oid <= LWM2M_ACCESS_CONTROL &&
	    lwm2m_tree_has(&wanted(r->plan)->tree, lwm2m_path1(oid));
}

static bool
is_foreign(const struct run *r, struct lwm2m_path inst)
{
	const struct profile_desired *d = wanted(r->plan);

	if (inst.depth != LWM2M_INSTANCE || !is_exact(r, inst.id[0]) || is_account(&r->g, inst))
		return false;
	if (d->n_retain > 0 && lwm2m_path_under(&inst, &d->retain[0]))
		return false;
	return !lwm2m_tree_has(&r->g.held, inst);
}

/* It is held, and is about what the profile is about: the same server, the same target. */
static bool
is_ours(const struct run *r, struct lwm2m_path inst)
{
	const struct lwm2m_tree *want = &wanted(r->plan)->tree;
	uint16_t rid = inst.id[0] == LWM2M_SECURITY ? 10 : 0;
	const struct lwm2m_value *is = lwm2m_tree_get(&r->g.held, lwm2m_path_child(inst, rid));

	for (size_t i = 0; is != NULL && i < want->n; i++)
		if (want->nodes[i].path.id[0] == inst.id[0] && want->nodes[i].path.id[2] == rid &&
		    lwm2m_value_eq(is, &want->nodes[i].value))
			return true;
	return false;
}

static bool
list_is_right(const struct run *r, const struct lwm2m_links *l)
{
	const struct ghost *g = &r->g;
	bool account = g->account == BS_UNKNOWN_INSTANCE;

	for (size_t i = 0; i < l->n; i++) {
		uint16_t ssid = ssid_of(&g->held, l->v[i].path);

		bool bare = l->v[i].path.id[0] == LWM2M_SECURITY && l->v[i].ssid == 0; /* the bootstrap account */

		if ((!bare && is_foreign(r, l->v[i].path)) || (l->v[i].ssid != 0 && ssid != 0 && l->v[i].ssid != ssid))
			return false;
		account |= l->v[i].path.depth == LWM2M_INSTANCE && is_account(g, l->v[i].path);
	}
	for (size_t i = 0; i < g->n_list; i++)
		if (is_ours(r, g->list[i].path) && lwm2m_links_find(l, g->list[i].path) == NULL)
			return false;
	return account;
}

static bool
is_listed(const struct ghost *g, struct lwm2m_path inst)
{
	for (size_t i = 0; i < g->n_list; i++)
		if (lwm2m_path_eq(&g->list[i].path, &inst))
			return true;
	return false;
}

static void
take_list(struct run *r, const struct lwm2m_links *l)
{
	struct ghost *g = &r->g;

	g->discovered = true;
	g->account = BS_UNKNOWN_INSTANCE;
	g->n_list = 0;
	for (size_t i = 0; i < l->n; i++) {
		struct lwm2m_path p = l->v[i].path;

		if (p.depth != LWM2M_INSTANCE)
			continue;
		if (p.id[0] == LWM2M_SECURITY && l->v[i].ssid == 0)
			g->account = p.id[1];
		else
			(void)list_add(g, p, l->v[i].ssid);
	}
	for (size_t i = g->held.n; i > 0; i--) { /* what it does not list it says not to hold */
		struct lwm2m_path inst = lwm2m_path_up(g->held.nodes[i - 1].path, LWM2M_INSTANCE);

		if (!is_account(g, inst) && !is_listed(g, inst)) {
			(void)lwm2m_tree_remove(&g->held, inst);
			i = g->held.n + 1;
		}
	}
}

static unsigned
accounts_in(const struct lwm2m_links *l)
{
	unsigned n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->v[i].path.depth == LWM2M_INSTANCE && l->v[i].path.id[0] == LWM2M_SECURITY && l->v[i].ssid == 0;
	return n;
}

static void
on_list(struct run *r, const struct bs_event *ev)
{
	struct ghost *g = &r->g;
	struct lwm2m_links l = { 0 };
	bool good = ev->code == 0x45 && (ev->format < 0 || ev->format == LWM2M_CF_LINK) &&
	    lwm2m_links_parse((const char *)ev->payload, ev->payload_len, &l, NULL) == ERR_OK && accounts_in(&l) < 2;

	g->must_end = !good && (!g->looking || ev->code == 0x45 || !not_served(ev->code));
	if (g->looking) {
		g->discovered = false;
		g->account = BS_UNKNOWN_INSTANCE;
	}
	if (good && g->looking) {
		take_list(r, &l);
		return_listed(r, wanted(r->plan));
	} else if (good)
		g->right_list = list_is_right(r, &l);
	g->listed = true;
	lwm2m_links_clear(&l);
}

static bool
reading_is_right(const struct run *r, uint16_t oid)
{
	const struct lwm2m_tree *t = &r->body;
	struct lwm2m_span held = lwm2m_tree_under(&r->g.held, lwm2m_path1(oid));
	bool ours = false, shown = false;

	for (size_t i = 0; i < t->n; i++) {
		const struct lwm2m_value *is = lwm2m_tree_get(&r->g.held, t->nodes[i].path);
		struct lwm2m_path inst = lwm2m_path_up(t->nodes[i].path, LWM2M_INSTANCE);

		if (is_foreign(r, inst) || (is_ours(r, inst) && is != NULL && !lwm2m_value_eq(is, &t->nodes[i].value)))
			return false;
	}
	for (size_t i = 0; i < held.n; i++) {
		struct lwm2m_path inst = lwm2m_path_up(held.nodes[i].path, LWM2M_INSTANCE);

		ours |= is_ours(r, inst);
		shown |= is_ours(r, inst) && lwm2m_tree_has(t, inst);
	}
	return shown || !ours; /* a device that changes its mind about what it holds may have it twice */
}

static bool
shows(const struct lwm2m_tree *t, uint16_t oid, uint16_t rid)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->nodes[i].path.id[0] == oid && t->nodes[i].path.id[2] == rid)
			return true;
	return false;
}

static void
on_reading(struct run *r, const struct bs_event *ev)
{
	struct ghost *g = &r->g;
	struct lwm2m_tree t = { 0 };
	uint16_t oid = g->sent.path.id[0];
	const struct lwm2m_format *f = ev->format < 0 ? NULL : lwm2m_format((uint16_t)ev->format);
	bool good = ev->code == 0x45 && f != NULL && !f->single &&
	    f->decode(lwm2m_model_builtin(), g->sent.path, ev->payload, ev->payload_len, &t, NULL) == ERR_OK;

	lwm2m_tree_clear(&r->body);
	r->body = t;
	g->must_end = !good && !not_served(ev->code);
	if (oid >= N_ELEMS(g->read))
		abort();
	g->read[oid] = true;
	if (g->looking && good)
		hold(g, &r->body);
	if (g->looking) {
		if (good)
			return_read(r);
		g->right_read[oid] = r->plan->returns && !g->inconsistent; /* nothing may be left to write */
		return;
	}
	g->right_read[oid] = good ? reading_is_right(r, oid) : not_served(ev->code);
	if (good && oid == LWM2M_SERVER)
		g->confirmed = shows(&r->body, 1, 1);
}

static void
on_delete(struct ghost *g, uint8_t code)
{
	bool listed = g->discovered;

	if (code == 0x42 || (!listed && (code == 0x80 || code == 0x84)))
		took_delete(g);
	else /* a Delete of a whole Object that is not served is made good instance by instance */
		g->must_end = !(listed && g->sent.path.depth == LWM2M_OBJECT && (code == 0x80 || code == 0x85));
}

static void
on_answer(struct run *r, const struct bs_event *ev)
{
	struct ghost *g = &r->g;

	if (g->sent.finish) {
		g->finished = ev->code == 0x44;
		g->must_end = ev->code != 0x44 && (ev->code != 0x86 || g->inconsistent);
		g->inconsistent |= ev->code == 0x86;
		g->looking = ev->code == 0x86;
		g->listed = g->read[1] = g->read[2] = g->emptied[0] = g->emptied[1] = g->emptied[2] = false;
	} else if (g->sent.method == BS_GET && g->sent.path.depth == LWM2M_ROOT)
		on_list(r, ev);
	else if (g->sent.method == BS_GET)
		on_reading(r, ev);
	else if (g->sent.method == BS_DELETE)
		on_delete(g, ev->code);
	else if (ev->code == 0x44 || ev->code == 0x41)
		took_write(g);
	else
		g->must_end = ev->code != 0x8f;
}

void
oracle_event(struct run *r, const struct bs_event *ev)
{
	struct ghost *g = &r->g;

	g->must_end = ev->type == BS_EV_REFUSED || ev->type == BS_EV_DEADLINE || ev->type == BS_EV_PEER_GONE ||
	    ev->type == BS_EV_SUPERSEDED || ev->type == BS_EV_CANCEL || ev->type == BS_EV_NO_ANSWER ||
	    ev->type == BS_EV_RESET || ev->type == BS_EV_SEND_FAILED || ev->type == BS_EV_KEEP_FAILED ||
	    ev->type == BS_EV_INSPECT_FAILED || ev->type == BS_EV_HANDOFF_FAILED || ev->type == BS_EV_SETTLE_FAILED ||
	    ev->reason != BS_REASON_NONE;
	g->handed_off |= ev->type == BS_EV_HANDED_OFF;
	g->settled |= ev->type == BS_EV_SETTLED;
	if (ev->type == BS_EV_RESPONSE)
		on_answer(r, ev);
}

/* ---- actions ---- */

static bool
all_is_there(const struct run *r)
{
	const struct profile_desired *d = wanted(r->plan);
	struct lwm2m_span all = { .nodes = d->tree.nodes, .n = d->tree.n }, sub;
	struct lwm2m_path prefix;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &prefix, &sub);)
		if (!tree_holds(&r->g.held, &sub))
			return false;
	for (size_t i = 0; i < d->account.n; i++) {
		struct lwm2m_path p = d->account.nodes[i].path;
		const struct lwm2m_value *v;

		p.id[1] = (uint16_t)r->g.account;
		v = lwm2m_tree_get(&r->g.held, p);
		if (v == NULL || !lwm2m_value_eq(v, &d->account.nodes[i].value))
			return false;
	}
	return true;
}

static bool
nothing_foreign(const struct run *r)
{
	for (size_t i = 0; i < r->g.n_list; i++)
		if (is_foreign(r, r->g.list[i].path))
			return false;
	/* nobody said what there is: each Object was to be emptied, but one that holds something retained */
	for (uint16_t oid = 0; oid <= LWM2M_ACCESS_CONTROL; oid++)
		if (!r->g.discovered && is_exact(r, oid) && !r->g.emptied[oid] &&
		    (r->plan->retain == NULL || oid != LWM2M_SERVER))
			return false;
	return true;
}

static bool
is_verified(const struct run *r)
{
	const struct profile_desired *d = wanted(r->plan);
	const struct ghost *g = &r->g;

	if (g->discovered && !g->right_list)
		return false;
	for (uint16_t oid = LWM2M_SERVER; oid <= LWM2M_ACCESS_CONTROL; oid++)
		if (lwm2m_tree_has(&d->tree, lwm2m_path1(oid)) && !g->right_read[oid])
			return false;
	return !r->plan->confirm || g->confirmed;
}

/* It was listed, or read, and it is not ours: merging leaves it as it is. */
static bool
is_anothers(const struct run *r, struct lwm2m_path inst)
{
	const struct ghost *g = &r->g;

	if (inst.depth < LWM2M_INSTANCE || inst.id[0] > LWM2M_ACCESS_CONTROL || is_account(g, inst))
		return inst.depth < LWM2M_INSTANCE;
	for (size_t i = 0; i < g->n_list; i++) {
		if (!lwm2m_path_eq(&g->list[i].path, &inst))
			continue;
		if (g->list[i].written)
			return false;
		if (g->list[i].ssid != 0 && g->list[i].ssid != 101 && !(r->plan->more && g->list[i].ssid == 102))
			return true;
	}
	return lwm2m_tree_has(&g->held, inst) && !is_ours(r, inst);
}

static bool
touches(const struct run *r, const struct bs_send *s)
{
	const struct profile_desired *d = wanted(r->plan);
	struct lwm2m_path p = s->path;

	if (s->method == BS_GET || s->finish)
		return false;
	if (p.depth == LWM2M_ROOT)
		return true;
	if (d->n_retain > 0 && (lwm2m_path_under(&p, &d->retain[0]) || lwm2m_path_under(&d->retain[0], &p)))
		return true;
	if (r->plan->policy != PROFILE_REPLACE && is_anothers(r, lwm2m_path_up(p, MIN(p.depth, (uint8_t)LWM2M_INSTANCE))))
		return true;
	if (p.id[0] != LWM2M_SECURITY || p.depth < LWM2M_INSTANCE)
		return false;
	if (r->g.account == BS_UNKNOWN_INSTANCE) /* clients keep it in /0/0 or /0/1, and nobody said where this one does */
		return p.id[1] < 10 && !is_listed(&r->g, lwm2m_path_up(p, LWM2M_INSTANCE));
	return p.id[1] == r->g.account && !(s->method == BS_PUT && p.depth == LWM2M_RESOURCE && d->account.n > 0);
}

static void
note_offer(struct run *r)
{
	const struct bs_send *s = &r->act.send;
	const struct lwm2m_format *f = s->format < 0 ? NULL : lwm2m_format((uint16_t)s->format);

	lwm2m_tree_clear(&r->g.offered);
	if (s->method != BS_PUT)
		return;
	if (f == NULL || f->decode(lwm2m_model_builtin(), s->path, s->payload, s->payload_len, &r->g.offered, NULL) != ERR_OK)
		abort(); /* it wrote what nobody can read */
}

static enum rule
on_send(struct run *r)
{
	const struct profile_desired *d = wanted(r->plan);
	const struct bs_send *s = &r->act.send;
	struct ghost *g = &r->g;

	if (g->reply != 0x44)
		return R_EARLY;
	if (touches(r, s))
		return R_TOUCH;
	note_offer(r);
	if (return_is_needless(r, d, s))
		return R_NEEDLESS;
	if (r->plan->time && s->method == BS_PUT && s->path.id[0] != LWM2M_DEVICE &&
	    !lwm2m_tree_has(&g->held, lwm2m_path3(LWM2M_DEVICE, 0, 13)))
		return R_EARLY_WRITE;
	if (r->plan->hands_off && ((s->method != BS_GET && !r->g.handed_off) || (s->finish && !r->g.settled)))
		return R_SETTLE;
	if (s->finish && (!all_is_there(r) || !nothing_foreign(r)))
		return R_FINISH;
	if (s->finish && r->plan->verify && !is_verified(r))
		return R_PROVISIONED;
	if (s->method == BS_GET && s->path.depth == LWM2M_ROOT)
		g->looking &= !g->listed;
	else if (s->method == BS_GET)
		g->looking &= !(g->read[s->path.id[0]] && s->path.id[0] != g->sent.path.id[0]);
	else
		g->looking = false;
	g->sent = *s;
	g->sent.payload = NULL;
	g->finished = false;
	return HOLDS;
}

static enum rule
on_record(struct run *r)
{
	const struct bs_record *rec = &r->s.rec;
	bool well = rec->verdict == BS_VERDICT_PROVISIONED || rec->verdict == BS_VERDICT_WRITTEN;

	if (++r->g.records != 1)
		return R_RECORD;
	if (r->g.replies != 1)
		return R_REPLY;
	if (rec->verdict == BS_VERDICT_PROVISIONED && (!r->plan->verify || !r->g.finished || !is_verified(r)))
		return R_PROVISIONED;
	if (rec->verdict == BS_VERDICT_WRITTEN && (r->plan->verify || !r->g.finished))
		return R_WRITTEN;
	if (rec->verdict == BS_VERDICT_NONE || well != (rec->reason == BS_REASON_NONE) ||
	    (rec->verdict == BS_VERDICT_REFUSED) != (r->g.reply != 0x44 && rec->reason < BS_REASON_ERROR_RESPONSE))
		return R_VERDICT;
	return secret_left(r) ? R_SECRET : HOLDS;
}

/* What is left when only the end is left: the refusing reply, then the record. */
static bool
is_the_end(const struct run *r)
{
	return r->act.type == BS_ACT_RECORD ||
	    (r->act.type == BS_ACT_REPLY && r->act.reply.code >= 0x80 && r->g.replies == 0);
}

static enum rule
end_rule(const struct bs_event *ev)
{
	return ev->type == BS_EV_RESPONSE ? R_GOES_ON : R_END;
}

enum rule
oracle_action(struct run *r, const struct bs_event *ev, bool taken)
{
	struct ghost *g = &r->g;

	if (!taken)
		return r->act.type == BS_ACT_NONE ? HOLDS : g->records > 0 ? R_RECORD : R_LATE;
	if (g->records > 0)
		return r->act.type == BS_ACT_DONE ? (g->waits = BS_ACT_DONE, HOLDS) : R_RECORD;
	if (r->act.type == BS_ACT_NONE || r->act.type == BS_ACT_DONE)
		return R_ENDLESS;
	if (g->must_end && !is_the_end(r))
		return end_rule(ev);
	g->waits = r->act.type;
	switch (r->act.type) {
	case BS_ACT_REPLY:
		g->reply = r->act.reply.code;
		return ++g->replies == 1 ? HOLDS : R_REPLY;
	case BS_ACT_SEND:
		return on_send(r);
	case BS_ACT_INSPECT:
	case BS_ACT_KEEP:
	case BS_ACT_HANDOFF:
	case BS_ACT_SETTLE:
		g->looking = false;
		return HOLDS;
	case BS_ACT_RECORD:
		return on_record(r);
	case BS_ACT_NONE:
	case BS_ACT_LOOKUP:
	case BS_ACT_VET:
	case BS_ACT_DONE:
	case BS_ACT__COUNT:
		break;
	}
	return HOLDS;
}

void
oracle_begin(struct run *r)
{
	r->g = (struct ghost){ .account = BS_UNKNOWN_INSTANCE, .looking = true };
}

void
oracle_end(struct run *r)
{
	lwm2m_tree_clear(&r->g.offered);
	lwm2m_tree_clear(&r->g.held);
}
