#include <stdio.h>
#include <string.h>

#include "bsserver/registry/regs.h"
#include "bsserver/transport/internal.h"
#include "tests/unit/unit.h"

/* ---- the query ---- */

static enum err_code
parse(const char *text, enum reg_op op, struct reg_request *out, struct err *e)
{
	struct reg_query v[40] = { 0 };
	size_t n = 0;

	for (const char *at = text; *at != 0 && n < N_ELEMS(v);) {
		size_t len = strcspn(at, "&");

		v[n++] = (struct reg_query){ at, len };
		at += len + (at[len] == '&');
	}
	return reg_request_parse(v, n, op, out, e);
}

static const struct {
	const char *text;
	uint8_t version;
	uint32_t lifetime;
	const char *ep, *binding, *sms;
	bool queue;
} good[] = {
	{ "ep=d&lt=60&lwm2m=1.0", 10, 60, "d", "", "", false },
	{ "lwm2m=1.0&b=UQ&lt=60&ep=d", 10, 60, "d", "U", "", true },
	{ "ep=d&lt=86400&lwm2m=1.0&b=UQS&sms=491701234567", 10, 86400, "d", "US", "491701234567", true },
	{ "ep=urn:imei:490154203237518&lt=300&lwm2m=1.1&b=UT", 11, 300, "urn:imei:490154203237518", "UT", "", false },
	{ "ep=d&lt=300&lwm2m=1.1&b=U&Q", 11, 300, "d", "U", "", true },
	{ "ep=d&lt=300&lwm2m=1.1&Q=", 11, 300, "d", "", "", true },
	{ "ep=a%20b&lt=1&lwm2m=1.2&pid=1&unknown&b=MHN", 12, 1, "a b", "MHN", "", false },
	{ "ep=50%&lt=0&lwm2m=1.2", 12, 0, "50%", "", "", false },
	{ "lt=4294967295&lwm2m=1.1", 11, UINT32_MAX, "", "", "", false },
};

START_TEST(what_a_device_says_is_read)
{
	struct reg_request q;
	struct err e = { 0 };

	ck_assert_msg(parse(good[_i].text, REG_REGISTER, &q, &e) == ERR_OK, "%s: %s", good[_i].text, e.msg);
	ck_assert_uint_eq(q.version, good[_i].version);
	ck_assert_uint_eq(q.lifetime, good[_i].lifetime);
	ck_assert_str_eq(q.ep, good[_i].ep);
	ck_assert_str_eq(q.binding, good[_i].binding);
	ck_assert_str_eq(q.sms, good[_i].sms);
	ck_assert_int_eq(q.queue, good[_i].queue);
}
END_TEST

static const struct {
	const char *text;
	enum err_code rc;
	const char *why; /* part of it */
} bad[] = {
	{ "ep=d&lt=60&lwm2m=2.0", ERR_UNSUPPORTED, "2.0" },
	{ "ep=d&lt=60&lwm2m=1.3", ERR_UNSUPPORTED, "1.3" },
	{ "ep=d&lt=60&lwm2m=0.9", ERR_UNSUPPORTED, "0.9" },
	{ "ep=d&lt=60&lwm2m=1", ERR_PARSE, "not a version" },
	{ "ep=d&lt=60&lwm2m=1.x", ERR_PARSE, "not a version" },
	{ "ep=d&lt=60", ERR_PARSE, "lwm2m is missing" },
	{ "ep=d&lwm2m=1.1", ERR_PARSE, "lt is missing" },
	{ "ep=d&lt=0&lwm2m=1.1", ERR_PARSE, "without end" },
	{ "ep=d&lt=-5&lwm2m=1.1", ERR_PARSE, "seconds" },
	{ "ep=d&lt=4294967296&lwm2m=1.1", ERR_PARSE, "seconds" },
	{ "ep=d&lt=&lwm2m=1.1", ERR_PARSE, "seconds" },
	{ "ep=d&lt=1&lt=1&lwm2m=1.1", ERR_PARSE, "lt is there twice" },
	{ "ep=d&ep=d&lt=1&lwm2m=1.1", ERR_PARSE, "ep is there twice" },
	{ "ep=&lt=1&lwm2m=1.1", ERR_PARSE, "1 to 252" },
	{ "ep=a%0ab&lt=1&lwm2m=1.1", ERR_PARSE, "printable" },
	{ "ep=d&lt=1&lwm2m=1.1&lwm2m=1.0", ERR_PARSE, "lwm2m is there twice" },
	{ "ep=d&lt=1&lwm2m=1.1&b=UU", ERR_PARSE, "letters" },
	{ "ep=d&lt=1&lwm2m=1.1&b=X", ERR_PARSE, "letters" },
	{ "ep=d&lt=1&lwm2m=1.1&b=Q", ERR_PARSE, "no transport" },
	{ "ep=d&lt=1&lwm2m=1.1&b=U&b=U", ERR_PARSE, "b is there twice" },
	{ "ep=d&lt=1&lwm2m=1.1&Q=1", ERR_PARSE, "has a value" },
	{ "ep=d&lt=1&lwm2m=1.1&sms=", ERR_PARSE, "sms" },
	{ "a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a", ERR_PARSE, "more than" },
};

START_TEST(what_is_wrong_is_refused_by_name)
{
	struct reg_request q;
	struct err e = { 0 };

	ck_assert_msg(parse(bad[_i].text, REG_REGISTER, &q, &e) == bad[_i].rc, "%s", bad[_i].text);
	ck_assert_msg(strstr(e.msg, bad[_i].why) != NULL, "%s: %s", bad[_i].text, e.msg);
}
END_TEST

START_TEST(an_update_needs_nothing_and_passes_over_what_cannot_change)
{
	struct reg_request q;
	struct err e = { 0 };

	ck_assert_int_eq(parse("", REG_UPDATE, &q, &e), ERR_OK);
	ck_assert(!q.has_lifetime && q.version == 0 && q.binding[0] == 0);
	ck_assert_int_eq(parse("ep=other&lwm2m=9.9&lt=7&b=T", REG_UPDATE, &q, &e), ERR_OK);
	ck_assert(q.ep[0] == 0 && q.version == 0 && q.lifetime == 7);
	ck_assert_str_eq(q.binding, "T");
	ck_assert_int_eq(parse("lt=x", REG_UPDATE, &q, &e), ERR_PARSE);
}
END_TEST

/* ---- the list of Objects ---- */

static const struct {
	const char *text;
	const char *root, *servers; /* instances of Object 1 */
	uint16_t n;
} lists[] = {
	{ "", "", "", 0 },
	{ "</1/0>", "", "0", 1 },
	{ "</>;rt=\"oma.lwm2m\";ct=112,</1/0>,</3/0>,</5>;ver=1.1", "", "0", 3 },
	{ "</>;rt=\"oma.lwm2m\";ct=\"60 110 112 11542 11543\", </1/2>, </1/7>,</3/0>", "", "2 7", 3 },
	{ "</1/0>,</0/0>,</21/0>,</23/1>,</3/0>", "", "0", 2 },
	{ "</lwm2m>;rt=\"oma.lwm2m\",</lwm2m/1/4>,</lwm2m/3/0>,</1/9>", "/lwm2m", "4", 2 },
	{ "</a/1/4>,</a/>;rt=oma.lwm2m;ct=112", "/a", "4", 1 },
	{ "</1/0>;x=\"a,b\\\",</1/9>\",</1/1/>", "", "0 1", 2 },
	{ "</1>,</1/65535>,</1/0/3>", "", "0", 2 },
	{ "</1/0>,</1/1>,</1/2>,</1/3>,</1/4>,</1/5>,</1/6>,</1/7>,</1/8>", "", "0 1 2 3 4 5 6 7", 9 },
};

START_TEST(the_instances_of_the_server_object_are_found)
{
	struct reg_objects o;
	struct err e = { 0 };
	char servers[64] = "";

	ck_assert_msg(reg_objects_parse(lists[_i].text, strlen(lists[_i].text), &o, &e) == ERR_OK, "%s: %s",
	    lists[_i].text, e.msg);
	for (size_t i = 0; i < o.n_servers; i++)
		(void)snprintf(servers + strlen(servers), sizeof servers - strlen(servers), "%s%u", i > 0 ? " " : "",
		    (unsigned)o.servers[i]);
	ck_assert_str_eq(servers, lists[_i].servers);
	ck_assert_str_eq(o.root, lists[_i].root);
	ck_assert_uint_eq(o.n, lists[_i].n);
}
END_TEST

static const char *const no_lists[] = { "1/0", "</1/0", "</1/0>x", "</1/0>;a=\"", ",", "</1/0>,",
	"</1/0>,,</3/0>", "<root>;rt=\"oma.lwm2m\"" };

START_TEST(what_is_no_link_format_is_refused)
{
	struct reg_objects o;
	struct err e = { 0 };
	bool comma_at_end = strcmp(no_lists[_i], "</1/0>,") == 0; /* some devices do */

	ck_assert_int_eq(reg_objects_parse(no_lists[_i], strlen(no_lists[_i]), &o, &e),
	    comma_at_end ? ERR_OK : ERR_PARSE);
}
END_TEST

/* ---- the table ---- */

static struct reg_request request(uint32_t lifetime, bool queue)
{
	return (struct reg_request){ .version = 11, .has_lifetime = true, .lifetime = lifetime, .queue = queue,
		.binding = "U" };
}

static struct reg *
put(struct regs *t, const char *ep, uint32_t lifetime, uint64_t mono_ms)
{
	struct reg_request q = request(lifetime, false);
	const struct regs_news n = { .endpoint = ep, .request = &q, .links = "</1/0>", .links_len = 6,
		.addr = "127.0.0.1:1", .random = mono_ms * 7919 + lifetime, .mono_ms = mono_ms, .wall_ms = 1 };
	struct reg *r = NULL;
	struct err e;

	return regs_register(t, &n, &r, &e) == ERR_OK ? r : NULL;
}

static struct regs *
new_table(size_t max)
{
	struct regs *t = NULL;

	ck_assert_int_eq(regs_new(max, unit_seed(), &t, NULL), ERR_OK);
	return t;
}

START_TEST(a_second_register_replaces_the_first)
{
	struct regs *t = new_table(10);
	char first[REG_LOCATION_LEN + 1], second[REG_LOCATION_LEN + 1];
	struct reg *r = put(t, "d", 60, 1000);

	regs_location(r, first);
	r->seat = 7;
	ck_assert_ptr_eq(put(t, "d", 90, 2000), r);
	regs_location(r, second);
	ck_assert_str_ne(first, second);
	ck_assert_ptr_null(regs_at(t, first));
	ck_assert_ptr_eq(regs_at(t, second), r);
	ck_assert_uint_eq(regs_count(t), 1);
	ck_assert_uint_eq(r->seat, 7);
	ck_assert_uint_eq(r->lifetime, 90);
	ck_assert_ptr_null(regs_at(t, "x"));
	ck_assert_ptr_null(regs_at(t, "00000000000G"));
	regs_free(t);
}
END_TEST

START_TEST(it_ends_after_its_lifetime_and_a_grace_and_not_before)
{
	static const uint32_t lifetimes[] = { 1, 60, 86400, 4000000 };
	struct regs *t = new_table(10);
	uint64_t start = 5000000, end = start + ((uint64_t)lifetimes[_i] + REG_GRACE_S) * 1000;
	struct reg *r = put(t, "d", lifetimes[_i], start);

	for (uint64_t at = start; at < end; at += 1 + (end - start) / 3000)
		ck_assert_ptr_null(regs_due(t, at));
	ck_assert_ptr_null(regs_due(t, end - 1));
	ck_assert_ptr_eq(regs_due(t, end + 1001), r);
	regs_end(t, r, REG_EXPIRED);
	ck_assert_ptr_null(regs_due(t, end + 1001));
	ck_assert_uint_eq(regs_registered(t), 0);
	ck_assert_uint_eq(regs_count(t), 1);
	regs_free(t);
}
END_TEST

START_TEST(an_update_begins_its_lifetime_anew_and_changes_what_it_names)
{
	struct regs *t = new_table(10);
	struct reg *r = put(t, "d", 10, 1000);
	struct reg_request q = { .has_lifetime = true, .lifetime = 100 };
	struct regs_news n = { .endpoint = "d", .request = &q, .addr = "[::1]:2", .mono_ms = 60000, .wall_ms = 9 };
	struct err e;

	ck_assert_int_eq(regs_update(t, r, &n, &e), ERR_OK);
	ck_assert_ptr_null(regs_due(t, 150000));
	ck_assert_uint_eq(r->lifetime, 100);
	ck_assert_str_eq(r->binding, "U");
	ck_assert_str_eq(r->addr, "[::1]:2");
	ck_assert_uint_eq(r->links->objects.n_servers, 1);
	n.links = "</1/5>,</1/6>";
	n.links_len = strlen(n.links);
	q = (struct reg_request){ .queue = true };
	ck_assert_int_eq(regs_update(t, r, &n, &e), ERR_OK);
	ck_assert(r->queue);
	ck_assert_uint_eq(r->links->objects.n_servers, 2);
	q = (struct reg_request){ .has_lifetime = true };
	ck_assert_int_eq(regs_update(t, r, &n, &e), ERR_PARSE);
	n.links = "no list";
	n.links_len = 7;
	q = (struct reg_request){ .queue = true };
	ck_assert_int_eq(regs_update(t, r, &n, &e), ERR_PARSE);
	ck_assert_uint_eq(r->links->objects.n_servers, 2);
	regs_free(t);
}
END_TEST

START_TEST(in_queue_mode_it_listens_for_a_while)
{
	struct regs *t = new_table(10);
	struct reg_request q = request(600, true);
	const struct regs_news n = { .endpoint = "d", .request = &q, .addr = "", .mono_ms = 1000 };
	struct reg *r = NULL;
	struct err e;

	ck_assert_int_eq(regs_register(t, &n, &r, &e), ERR_OK);
	ck_assert(reg_awake(r, 1000 + REG_AWAKE_MS - 1));
	ck_assert(!reg_awake(r, 1000 + REG_AWAKE_MS));
	ck_assert(reg_awake(put(t, "always", 600, 1000), 300000));
	regs_set_awake(t, 500);
	ck_assert_int_eq(regs_update(t, r, &n, &e), ERR_OK);
	ck_assert(reg_awake(r, 1499) && !reg_awake(r, 1500));
	regs_end(t, r, REG_DEREGISTERED);
	ck_assert(!reg_awake(r, 1000));
	regs_free(t);
}
END_TEST

START_TEST(a_full_table_forgets_who_left_first_and_never_who_is_there)
{
	struct regs *t = new_table(3);
	struct reg *b;

	ck_assert_ptr_nonnull(put(t, "a", 60, 1));
	b = put(t, "b", 60, 2);
	ck_assert_ptr_nonnull(put(t, "c", 60, 3));
	ck_assert_ptr_null(put(t, "d", 60, 4));
	regs_end(t, b, REG_EXPIRED);
	regs_end(t, regs_find(t, "a"), REG_DEREGISTERED);
	ck_assert_ptr_nonnull(put(t, "d", 60, 5));
	ck_assert_ptr_null(regs_find(t, "b"));
	ck_assert_ptr_nonnull(regs_find(t, "a"));
	ck_assert_uint_eq(regs_registered(t), 2);
	regs_free(t);
	regs_free(NULL);
}
END_TEST

START_TEST(what_was_kept_counts_on_where_it_was)
{
	struct regs *t = new_table(10);
	const struct regs_kept k = { .endpoint = "d", .links = "</1/3>", .location = 0xabc, .seen_ms = 1000000,
		.lifetime = 100, .version = 11, .binding = "UT", .queue = true, .server = 3 };
	struct regs_kept gone = k, clash = k;
	struct err e;

	/* 50 of 100 seconds, and the grace, are left */
	ck_assert_int_eq(regs_restore(t, &k, 5000, 1050000, &e), ERR_OK);
	struct reg *r = regs_at(t, "000000000abc");
	ck_assert_ptr_nonnull(r);
	ck_assert_str_eq(r->binding, "UT");
	ck_assert(!reg_awake(r, 5000));
	ck_assert_ptr_null(regs_due(t, 5000 + 50000 + REG_GRACE_S * 1000 - 1));
	ck_assert_ptr_eq(regs_due(t, 5000 + 50000 + REG_GRACE_S * 1000 + 1001), r);
	clash.endpoint = "other";
	ck_assert_int_eq(regs_restore(t, &clash, 5000, 1050000, &e), ERR_OK);
	ck_assert_ptr_null(regs_find(t, "other"));
	gone.endpoint = "gone";
	gone.location = 0xdef;
	gone.state = REG_DEREGISTERED;
	ck_assert_int_eq(regs_restore(t, &gone, 5000, 1050000, &e), ERR_OK);
	ck_assert_int_eq(regs_find(t, "gone")->state, REG_DEREGISTERED);
	ck_assert_uint_eq(regs_registered(t), 1);
	regs_free(t);
}
END_TEST

/* Octets that malloc() takes for n: with its own, in steps of 16. */
static size_t
block(size_t n)
{
	return (n + 8 + 15) / 16 * 16;
}

static size_t
octets_of(const struct reg *r)
{
	size_t buckets = (size_t)2 * 2 * sizeof(struct table_node *); /* of two tables, up to half of them empty */
	size_t session = block(sizeof(struct link)) + 2 * sizeof(struct slot); /* kept by the transport, idle */
	size_t links = block(sizeof *r->links + r->links->len + 1) / r->links->refs;

	return block(sizeof *r + strlen(r->endpoint) + 1) + links + buckets + session;
}

/* What a device of these may cost that is registered and says nothing; other is what sets its list of Objects apart. */
static const struct {
	bool lists_differ;
	size_t most;
} fleets[] = { { false, 512 }, { true, 768 } };

START_TEST(an_idle_device_costs_less_than_512_octets)
{
	enum { N = 1000 };
	struct regs *t = new_table(N);
	struct reg_request q = request(86400, true);
	struct err e = { 0 };
	size_t at = 0, all = 0;

	for (unsigned i = 0; i < N; i++) {
		char name[32], links[160];
		struct regs_news n = { .endpoint = name, .request = &q, .links = links,
			.addr = "[2001:db8:1:2:3:4:5:6]:56830", .secure = true, .random = i + 1, .mono_ms = 1, .wall_ms = 1 };
		struct reg *r = NULL;

		(void)snprintf(name, sizeof name, "urn:imei:490154203%06u", i);
		n.links_len = (size_t)snprintf(links, sizeof links, "</>;rt=\"oma.lwm2m\";ct=\"60 110 112 11542 11543\","
		    "</1/0>,</3/0>,</4/0>,</5/0>,</6/0>,</7/0>,</3303/%u>", fleets[_i].lists_differ ? i : 0);
		ck_assert_int_eq(regs_register(t, &n, &r, &e), ERR_OK);
	}
	for (struct reg *r = NULL; (r = regs_each(t, &at, r)) != NULL;)
		all += octets_of(r);
	(void)printf("# %zu octets\n", all / N);
	ck_assert_uint_lt(all / N, fleets[_i].most);
	regs_free(t);
}
END_TEST

/* Against a plain list: whatever is done, what is due is what a list says. */
START_TEST(a_thousand_random_steps_agree_with_a_plain_list)
{
	enum { N = 40 };
	struct regs *t = new_table(N);
	uint64_t seed = unit_seed(), now = 1000000, due[N] = { 0 };
	char name[16];

	for (int step = 0; step < 4000; step++) {
		size_t i = (size_t)(unit_random(&seed) % N);
		uint32_t lt = (uint32_t)(1 + unit_random(&seed) % 9000);

		now += unit_random(&seed) % 20000;
		for (struct reg *r; (r = regs_due(t, now)) != NULL;) {
			size_t k = (size_t)(strchr(r->endpoint, '-')[1] - 'A');

			ck_assert_uint_ne(due[k], 0);
			ck_assert_uint_le(due[k], now);
			due[k] = 0;
			regs_end(t, r, REG_EXPIRED);
		}
		for (size_t k = 0; k < N; k++)
			ck_assert_msg(due[k] == 0 || due[k] + 1001 > now, "%zu was due", k);
		(void)snprintf(name, sizeof name, "d-%c", (char)('A' + i));
		ck_assert_ptr_nonnull(put(t, name, lt, now));
		due[i] = now + ((uint64_t)lt + REG_GRACE_S) * 1000;
	}
	regs_free(t);
}
END_TEST

static Suite *
suite(void)
{
	const struct unit_case cases[] = {
		UNIT_CASE(what_a_device_says_is_read, N_ELEMS(good)),
		UNIT_CASE(what_is_wrong_is_refused_by_name, N_ELEMS(bad)),
		UNIT_CASE(an_update_needs_nothing_and_passes_over_what_cannot_change, 0),
		UNIT_CASE(the_instances_of_the_server_object_are_found, N_ELEMS(lists)),
		UNIT_CASE(what_is_no_link_format_is_refused, N_ELEMS(no_lists)),
		UNIT_CASE(a_second_register_replaces_the_first, 0),
		UNIT_CASE(it_ends_after_its_lifetime_and_a_grace_and_not_before, 4),
		UNIT_CASE(an_update_begins_its_lifetime_anew_and_changes_what_it_names, 0),
		UNIT_CASE(in_queue_mode_it_listens_for_a_while, 0),
		UNIT_CASE(a_full_table_forgets_who_left_first_and_never_who_is_there, 0),
		UNIT_CASE(what_was_kept_counts_on_where_it_was, 0),
		UNIT_CASE(an_idle_device_costs_less_than_512_octets, N_ELEMS(fleets)),
		UNIT_CASE(a_thousand_random_steps_agree_with_a_plain_list, 0),
	};

	return unit_suite("registry", cases, N_ELEMS(cases));
}

UNIT_MAIN(suite)
