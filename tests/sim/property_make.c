/* Random devices, some of them in disorder, and random profiles. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/property.h"

#define SERVERS 5

uint64_t
rnd(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

bool
chance(uint64_t *state, unsigned percent)
{
	return rnd(state) % 100 < percent;
}

uint16_t
below(uint64_t *state, unsigned n)
{
	return (uint16_t)(rnd(state) % n);
}

static void
put(struct lwm2m_tree *t, struct lwm2m_path p, struct lwm2m_value *v)
{
	if (lwm2m_tree_put(t, p, v, NULL) != ERR_OK)
		abort();
}

void
put_number(struct lwm2m_tree *t, struct lwm2m_path p, int64_t n)
{
	struct lwm2m_value v = lwm2m_int(n);

	put(t, p, &v);
}

static void
put_bool(struct lwm2m_tree *t, struct lwm2m_path p, bool b)
{
	struct lwm2m_value v = lwm2m_bool(b);

	put(t, p, &v);
}

static void
put_link(struct lwm2m_tree *t, struct lwm2m_path p, uint16_t oid, uint16_t iid)
{
	struct lwm2m_value v = lwm2m_link(oid, iid);

	put(t, p, &v);
}

void
put_text(struct lwm2m_tree *t, struct lwm2m_path p, enum lwm2m_type type, const char *s)
{
	struct lwm2m_value v;

	if (lwm2m_value_bytes(&v, type, s, strlen(s), NULL) != ERR_OK)
		abort();
	put(t, p, &v);
}

int64_t
number_at(const struct lwm2m_tree *t, struct lwm2m_path p)
{
	const struct lwm2m_value *v = lwm2m_tree_get(t, p);
	int64_t n;

	return v != NULL && lwm2m_value_number(v, &n) ? n : -1;
}

void
uri_of(unsigned server, unsigned transport, char out[64])
{
	(void)snprintf(out, 64, "coap%s://s%u.example", transport == 0 ? "" : "+tcp", server);
}

static void
put_security(uint64_t *s, struct lwm2m_tree *t, uint16_t iid, const char *uri, uint16_t ssid)
{
	char key[24];

	put_text(t, lwm2m_path3(0, iid, 0), LWM2M_STRING, uri);
	put_bool(t, lwm2m_path3(0, iid, 1), ssid == 0);
	put_number(t, lwm2m_path3(0, iid, 2), 0);
	put_text(t, lwm2m_path3(0, iid, 3), LWM2M_OPAQUE, "device");
	put_text(t, lwm2m_path3(0, iid, 4), LWM2M_OPAQUE, "");
	(void)snprintf(key, sizeof key, "key %016llx", (unsigned long long)rnd(s));
	put_text(t, lwm2m_path3(0, iid, 5), LWM2M_OPAQUE, key);
	if (ssid != 0)
		put_number(t, lwm2m_path3(0, iid, 10), ssid);
	if (chance(s, 20))
		put_text(t, lwm2m_path3(0, iid, 14), LWM2M_STRING, "sni.example");
}

static void
put_server(uint64_t *s, struct lwm2m_tree *t, uint16_t iid, uint16_t ssid)
{
	put_number(t, lwm2m_path3(1, iid, 0), ssid);
	put_number(t, lwm2m_path3(1, iid, 1), 60 * (1 + below(s, 4)));
	put_bool(t, lwm2m_path3(1, iid, 6), chance(s, 50));
	put_text(t, lwm2m_path3(1, iid, 7), LWM2M_STRING, chance(s, 50) ? "U" : "UT");
	if (chance(s, 40))
		put_number(t, lwm2m_path3(1, iid, 3), 10 + below(s, 3));
	if (chance(s, 40))
		put_number(t, lwm2m_path3(1, iid, 13), below(s, 3));
	if (chance(s, 40))
		put_bool(t, lwm2m_path3(1, iid, 16), chance(s, 50));
}

/* ---- devices ---- */

static uint16_t
unused(uint64_t *s, const struct lwm2m_tree *t, uint16_t oid)
{
	uint16_t iid = below(s, chance(s, 50) ? 3 : 40);

	while (lwm2m_tree_has(t, lwm2m_path2(oid, iid)))
		iid++;
	return iid;
}

static void
make_account(uint64_t *s, struct model *d, uint16_t ssid)
{
	uint16_t sec = unused(s, &d->tree, 0), srv = unused(s, &d->tree, 1);
	char uri[64];

	uri_of(ssid, chance(s, 15), uri);
	if (!chance(s, 8))
		put_security(s, &d->tree, sec, uri, ssid);
	if (chance(s, 8))
		return;
	put_server(s, &d->tree, srv, ssid);
	if (chance(s, 10))
		put_number(&d->tree, lwm2m_path3(1, srv, 11), 42);
	if (d->now != 0)
		put_number(&d->tree, lwm2m_path3(1, srv, 12), 1000);
	if (lwm2m_tree_has(&d->tree, lwm2m_path2(11, 0)) && chance(s, 40))
		put_link(&d->tree, lwm2m_path3(1, srv, 10), 11, 0);
	if (lwm2m_tree_has(&d->tree, lwm2m_path2(0, sec)) && chance(s, 25)) {
		uint16_t context = unused(s, &d->tree, 21);

		put_link(&d->tree, lwm2m_path3(0, sec, 17), 21, context);
		put_text(&d->tree, lwm2m_path3(21, context, 0), LWM2M_OPAQUE, "their secret");
		put_text(&d->tree, lwm2m_path3(21, context, 1), LWM2M_OPAQUE, "them");
	}
	if (chance(s, 30)) {
		uint16_t apn = unused(s, &d->tree, 11);

		put_text(&d->tree, lwm2m_path3(11, apn, 0), LWM2M_STRING, "their apn");
		put_link(&d->tree, lwm2m_path3(1, srv, 10), 11, apn);
	}
	if (chance(s, 15)) {
		put_server(s, &d->tree, unused(s, &d->tree, 1), ssid);
		uri_of(ssid, 1, uri);
		put_security(s, &d->tree, unused(s, &d->tree, 0), uri, ssid);
	}
}

static uint16_t
any_owner(uint64_t *s)
{
	return chance(s, 20) ? LWM2M_MAX_ID : (uint16_t)(1 + below(s, SERVERS));
}

static void
put_rule(uint64_t *s, struct lwm2m_tree *t, uint16_t iid, struct lwm2m_path target, uint16_t owner)
{
	bool object = target.depth == LWM2M_OBJECT;

	put_number(t, lwm2m_path3(2, iid, 0), target.id[0]);
	put_number(t, lwm2m_path3(2, iid, 1), object ? LWM2M_MAX_ID : target.id[1]);
	put_number(t, lwm2m_path3(2, iid, 3), object ? LWM2M_MAX_ID : owner);
	for (uint16_t who = 0; who <= SERVERS; who++)
		if (chance(s, 25))
			put_number(t, lwm2m_path4(2, iid, 2, who), object ? 16 : below(s, 16));
}

static void
make_rules(uint64_t *s, struct model *d)
{
	struct lwm2m_path targets[24] = { lwm2m_path2(3, 0), lwm2m_path2(5, 0), lwm2m_path1(5), lwm2m_path2(7, 3),
		lwm2m_path2(11, 0), lwm2m_path2(1, 30) };
	struct lwm2m_span all = lwm2m_tree_under(&d->tree, lwm2m_path1(1)), sub;
	size_t n = 6;

	for (size_t at = 0; n < N_ELEMS(targets) && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &targets[n], &sub);)
		n++;
	for (size_t i = 0; i < n; i++)
		for (int k = 0; k < 1 + chance(s, 3); k++)
			if (chance(s, 45))
				put_rule(s, &d->tree, unused(s, &d->tree, 2), targets[i], any_owner(s));
}

void
make_device(uint64_t *s, struct model *d)
{
	*d = (struct model){
		.merges = chance(s, 50),
		.discovers = !chance(s, 8),
		.reads = { false, !chance(s, 10), !chance(s, 10) },
		.shows_uri = chance(s, 70),
		.has_acl = chance(s, 70),
		.now = chance(s, 50) ? 100000 : 0,
		.hidden = chance(s, 50) ? (uint32_t)(rnd(s) & ~3U) : 0, /* the mandatory 0 and 1 are shown */
		.account = below(s, 3),
	};
	put_security(s, &d->tree, d->account, "coap://bs.example", 0);
	put_text(&d->tree, lwm2m_path3(3, 0, 0), LWM2M_STRING, "Simulated");
	put_text(&d->tree, lwm2m_path3(3, 0, 16), LWM2M_STRING, "U");
	if (chance(s, 50))
		put_number(&d->tree, lwm2m_path3(5, 0, 3), 0);
	if (chance(s, 30))
		put_text(&d->tree, lwm2m_path3(11, 0, 0), LWM2M_STRING, "theirs");
	for (uint16_t ssid = 1; ssid <= SERVERS; ssid++)
		if (chance(s, 35))
			make_account(s, d, ssid);
	if (d->has_acl && chance(s, 70))
		make_rules(s, d);
}

/* ---- profiles ---- */

static void
add_server(uint64_t *s, struct profile_desired *p, uint16_t k, uint16_t server, uint16_t ssid)
{
	char uri[64];
	uint16_t sec = 0;

	while (lwm2m_tree_has(&p->tree, lwm2m_path2(0, sec)))
		sec++;
	uri_of(server, 0, uri);
	put_security(s, &p->tree, sec, uri, ssid);
	if (chance(s, 15)) {
		put_link(&p->tree, lwm2m_path3(0, sec, 17), 21, k);
		put_text(&p->tree, lwm2m_path3(21, k, 0), LWM2M_OPAQUE, "master secret");
		put_text(&p->tree, lwm2m_path3(21, k, 1), LWM2M_OPAQUE, uri + 8);
	}
	if (chance(s, 10)) {
		uri_of(server, 1, uri);
		put_security(s, &p->tree, (uint16_t)(sec + 1), uri, ssid);
	}
	put_server(s, &p->tree, k, ssid);
	if (lwm2m_tree_has(&p->tree, lwm2m_path2(11, 0)) && chance(s, 60))
		put_link(&p->tree, lwm2m_path3(1, k, 10), 11, 0);
}

static uint16_t
profile_owner(uint64_t *s, const struct profile_desired *p)
{
	int64_t ssid = number_at(&p->tree, lwm2m_path3(1, below(s, 3), 0));

	return ssid > 0 && !chance(s, 20) ? (uint16_t)ssid : any_owner(s);
}

static void
add_rules(uint64_t *s, struct profile_desired *p)
{
	const struct lwm2m_path targets[] = { lwm2m_path2(1, 0), lwm2m_path2(1, 1), lwm2m_path2(3, 0), lwm2m_path2(5, 0),
		lwm2m_path1(5) };
	uint16_t iid = 0;

	p->acl = calloc(N_ELEMS(targets), sizeof *p->acl);
	for (size_t i = 0; i < N_ELEMS(targets); i++) {
		if (!chance(s, 40) || (targets[i].id[0] == 1 && !lwm2m_tree_has(&p->tree, targets[i])))
			continue;
		put_rule(s, &p->tree, iid, targets[i], profile_owner(s, p));
		if (chance(s, 70))
			p->acl[p->n_acl++] = (struct profile_acl_rule){ iid, (enum profile_acl_mode)(1 + below(s, 3)) };
		iid++;
	}
}

static void
retain_something(uint64_t *s, struct profile_desired *p)
{
	const struct lwm2m_path some[] = { lwm2m_path1(11), lwm2m_path1(2), lwm2m_path2(1, 4), lwm2m_path2(0, 3),
		lwm2m_path3(3, 0, 14), lwm2m_path3(1, 5, 1) };

	p->retain = calloc(1, sizeof *p->retain);
	p->retain[0] = some[below(s, N_ELEMS(some))];
	if (lwm2m_tree_has(&p->tree, p->retain[0]))
		p->retain[0] = lwm2m_path1(50); /* a profile that contradicts itself: check says so */
	p->n_retain = 1;
}

void
make_profile(uint64_t *s, struct profile_desired *p)
{
	unsigned n = 1 + below(s, 3), first = below(s, SERVERS);
	unsigned which = below(s, 100);

	*p = (struct profile_desired){
		.policy = which < 70 ? PROFILE_INCREMENTAL : which < 85 ? PROFILE_MERGE : PROFILE_REPLACE,
		.foreign = (enum profile_foreign)below(s, 3),
		.format = PROFILE_FORMAT_AUTO,
		.verify = true,
		.early_return_ms = 600000,
	};
	if (chance(s, 30)) {
		put_text(&p->tree, lwm2m_path3(11, 0, 0), LWM2M_STRING, "ours");
		put_text(&p->tree, lwm2m_path3(11, 0, 1), LWM2M_STRING, "apn.example");
	}
	for (uint16_t k = 0; k < n; k++) {
		uint16_t server = (uint16_t)(1 + (first + k) % SERVERS);

		add_server(s, p, k, server, chance(s, 8) ? (uint16_t)(100 + server) : server);
	}
	if (chance(s, 20))
		put_text(&p->tree, lwm2m_path3(3, 0, 14), LWM2M_STRING, "+01:00");
	if (chance(s, 60))
		add_rules(s, p);
	if (chance(s, 20))
		put_number(&p->account, lwm2m_path3(0, 0, 11), below(s, 60));
	if (chance(s, 8))
		retain_something(s, p);
}

/* One more APN profile whose name comes before: the other one has another number then, and links follow it. */
static void
renumber_apns(struct profile_desired *p)
{
	for (size_t i = 0; i < p->tree.n; i++) {
		struct lwm2m_value *v = &p->tree.nodes[i].value;

		if (v->type == LWM2M_OBJLNK && v->link.object == 11)
			v->link.instance++;
	}
	put_text(&p->tree, lwm2m_path3(11, 1, 0), LWM2M_STRING, "ours");
	put_text(&p->tree, lwm2m_path3(11, 1, 1), LWM2M_STRING, "apn.example");
	put_text(&p->tree, lwm2m_path3(11, 0, 0), LWM2M_STRING, "comes before");
	put_text(&p->tree, lwm2m_path3(11, 0, 1), LWM2M_STRING, "another.example");
}

static void
change_apns(uint64_t *s, struct profile_desired *p)
{
	if (lwm2m_tree_has(&p->tree, lwm2m_path2(11, 0)) && chance(s, 40))
		renumber_apns(p);
	else if (lwm2m_tree_has(&p->tree, lwm2m_path2(11, 0)) && chance(s, 20))
		put_text(&p->tree, lwm2m_path3(11, 0, 0), LWM2M_STRING, "renamed");
	else if (chance(s, 20)) {
		(void)lwm2m_tree_remove(&p->tree, lwm2m_path1(11));
		for (uint16_t k = 0; k < 4; k++)
			(void)lwm2m_tree_remove(&p->tree, lwm2m_path3(1, k, 10));
	}
}

void
change_profile(uint64_t *s, struct profile_desired *p)
{
	uint16_t k = 0, server;

	while (lwm2m_tree_has(&p->tree, lwm2m_path2(1, k)))
		k++;
	server = (uint16_t)number_at(&p->tree, lwm2m_path3(1, (uint16_t)(k - 1), 0));
	if (chance(s, 40))
		put_number(&p->tree, lwm2m_path3(1, below(s, k), 1), 7777);
	change_apns(s, p);
	if (chance(s, 20))
		put_number(&p->tree, lwm2m_path3(1, below(s, k), 17), 3);
	if (k > 1 && chance(s, 15) && !lwm2m_tree_has(&p->tree, lwm2m_path1(2))) {
		uint16_t last = 0;
		while (number_at(&p->tree, lwm2m_path3(0, last, 10)) != server)
			last++;
		(void)lwm2m_tree_remove(&p->tree, lwm2m_path2(1, (uint16_t)(k - 1)));
		for (; lwm2m_tree_has(&p->tree, lwm2m_path2(0, last)); last++)
			(void)lwm2m_tree_remove(&p->tree, lwm2m_path2(0, last));
		(void)lwm2m_tree_remove(&p->tree, lwm2m_path2(21, (uint16_t)(k - 1)));
	} else if (server < SERVERS && chance(s, 30))
		add_server(s, p, k, (uint16_t)(server + 1), (uint16_t)(server + 1));
}
