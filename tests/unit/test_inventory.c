/* What a device was seen to hold: in every form that devices list it, and as it is kept. */
#include "bsserver/bootstrap/inventory.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "tests/unit/unit.h"

static const struct lwm2m_model *model;

static enum err_code
discover(struct bs_inventory *inv, const char *text, struct err *e)
{
	return bs_inventory_discover(inv, (const uint8_t *)text, strlen(text), e);
}

static const struct {
	const char *text;
	int account;
	size_t accounts, servers;
} lists[] = {
	{ "lwm2m=\"1.0\",</0/0>;ssid=1,</0/1>,</1/0>;ssid=1,</3/0>", 1, 1, 1 },
	{ "lwm2m=1.0,</0/0>,</0/1>;ssid=1,</1/0>;ssid=1", 0, 1, 1 },
	{ "</>;lwm2m=1.1,</0/0>;ssid=101;uri=\"coaps://a.example\",</0/1>,</1/0>;ssid=101,</3/0>,</5>,</4>", 1, 1, 1 },
	{ "</>;lwm2m=\"1.1\",</0>,</0/7>,</0/2>;ssid=1,</0/3>;ssid=1,</1>;ver=1.1,</1/9/>;ssid=1", 7, 2, 1 },
	{ "</0/1>;ssid=5, </1/1>;ssid=5", BS_UNKNOWN_INSTANCE, 1, 1 },
	{ "</1>,</3/0>", BS_UNKNOWN_INSTANCE, 0, 0 },
};

START_TEST(each_form_of_a_list_is_understood)
{
	struct bs_inventory inv = { .account = BS_UNKNOWN_INSTANCE };
	struct err e;

	ck_assert_msg(discover(&inv, lists[_i].text, &e) == ERR_OK, "%s", e.msg);
	ck_assert(inv.discovered);
	ck_assert_int_eq(inv.account, lists[_i].account);
	ck_assert_uint_eq(bs_inventory_count(&inv, LWM2M_SECURITY), lists[_i].accounts);
	ck_assert_uint_eq(bs_inventory_count(&inv, LWM2M_SERVER), lists[_i].servers);
	bs_inventory_clear(&inv);
}
END_TEST

START_TEST(two_bootstrap_accounts_are_refused)
{
	struct bs_inventory inv = { .account = BS_UNKNOWN_INSTANCE };
	struct err e;

	ck_assert_int_eq(discover(&inv, "</0/0>,</0/3>,</0/1>;ssid=1", &e), ERR_INVALID);
	ck_assert_str_eq(e.msg, "/0/3: a second Security instance without ssid, after /0/0");
	bs_inventory_clear(&inv);
}
END_TEST

static void
put(struct lwm2m_tree *t, struct lwm2m_path p, struct lwm2m_value v)
{
	ck_assert_int_eq(lwm2m_tree_put(t, p, &v, NULL), ERR_OK);
}

/* What a device with two accounts shows of /1 and /2. */
static void
fill(struct lwm2m_tree *t)
{
	struct lwm2m_value binding;

	ck_assert_int_eq(lwm2m_value_str(&binding, "UT\"\\", NULL), ERR_OK);
	put(t, lwm2m_path3(1, 0, 0), lwm2m_int(101));
	put(t, lwm2m_path3(1, 0, 1), lwm2m_int(86400));
	put(t, lwm2m_path3(1, 0, 6), lwm2m_bool(true));
	put(t, lwm2m_path3(1, 0, 7), binding);
	put(t, lwm2m_path3(1, 0, 10), lwm2m_link(11, 0));
	put(t, lwm2m_path3(1, 0, 11), lwm2m_uint(42));
	put(t, lwm2m_path3(1, 0, 12), lwm2m_time(1700000000));
	put(t, lwm2m_path3(2, 4, 0), lwm2m_int(3));
	put(t, lwm2m_path3(2, 4, 1), lwm2m_int(0));
	put(t, lwm2m_path4(2, 4, 2, 0), lwm2m_int(0));
	put(t, lwm2m_path4(2, 4, 2, 101), lwm2m_int(31));
	put(t, lwm2m_path3(2, 4, 3), lwm2m_int(65535));
}

static const int formats[] = { LWM2M_CF_TLV, LWM2M_CF_SENML_JSON, LWM2M_CF_SENML_CBOR, LWM2M_CF_LWM2M_CBOR };

static void
read_one(struct bs_inventory *inv, const struct lwm2m_tree *t, uint16_t oid, int format)
{
	struct gbuf payload = { 0 };
	struct lwm2m_path base = lwm2m_path1(oid);
	struct err e = { 0 };

	ck_assert_msg(lwm2m_format((uint16_t)format)->encode(base, lwm2m_tree_under(t, base), &payload, &e) == ERR_OK,
	    "%s", e.msg);
	ck_assert_msg(bs_inventory_read(inv, model, oid, format, payload.data, payload.len, &e) == ERR_OK, "%s", e.msg);
	gbuf_clear(&payload);
}

START_TEST(what_was_seen_is_saved_and_loaded_whatever_the_format)
{
	struct lwm2m_tree t = { 0 };
	struct bs_inventory inv = { .account = BS_UNKNOWN_INSTANCE }, back = { .account = BS_UNKNOWN_INSTANCE };
	struct bs_held h = { 0 };
	struct err e = { 0 };

	fill(&t);
	ck_assert_int_eq(discover(&inv, lists[2].text, &e), ERR_OK);
	read_one(&inv, &t, LWM2M_SERVER, formats[_i]);
	read_one(&inv, &t, LWM2M_ACCESS_CONTROL, formats[_i]);
	ck_assert_msg(bs_inventory_save(&inv, model, &h, &e) == ERR_OK, "%s", e.msg);
	ck_assert_uint_eq(h.read, 6);
	ck_assert_msg(bs_inventory_load(&back, model, &h, &e) == ERR_OK, "%s", e.msg);
	ck_assert(lwm2m_tree_eq(&back.seen, &t));
	ck_assert(back.discovered && back.read[1] && back.read[2]);
	ck_assert_int_eq(back.account, 1);
	ck_assert_uint_eq(back.links.n, inv.links.n);
	ck_assert_str_eq(lwm2m_links_find(&back.links, lwm2m_path2(0, 0))->uri, "coaps://a.example");
	bs_inventory_clear(&inv);
	bs_inventory_clear(&back);
	bs_held_clear(&h);
	lwm2m_tree_clear(&t);
}
END_TEST

START_TEST(what_was_not_seen_stays_not_known)
{
	struct bs_inventory inv = { .account = BS_UNKNOWN_INSTANCE }, back = { 0 };
	struct bs_held h = { 0 };

	ck_assert_int_eq(bs_inventory_save(&inv, model, &h, NULL), ERR_OK);
	ck_assert_ptr_null(h.links);
	ck_assert_ptr_null(h.values);
	ck_assert(!bs_held_known(&h));
	ck_assert_int_eq(bs_inventory_load(&back, model, &h, NULL), ERR_OK);
	ck_assert(!back.discovered && !back.read[1] && !back.read[2]);
	ck_assert_int_eq(back.account, BS_UNKNOWN_INSTANCE);
}
END_TEST

START_TEST(read_and_empty_is_not_the_same_as_not_read)
{
	struct bs_inventory inv = { .account = BS_UNKNOWN_INSTANCE, .read = { false, false, true } }, back = { 0 };
	struct bs_held h = { 0 };

	ck_assert_int_eq(bs_inventory_save(&inv, model, &h, NULL), ERR_OK);
	ck_assert_str_eq(h.values, "[]");
	ck_assert_int_eq(bs_inventory_load(&back, model, &h, NULL), ERR_OK);
	ck_assert(back.read[2] && !back.read[1] && back.seen.n == 0);
	bs_held_clear(&h);
}
END_TEST

/* A device that shows what it should not must not make the store keep it. */
START_TEST(secrets_are_not_saved)
{
	struct bs_inventory inv = { .account = BS_UNKNOWN_INSTANCE, .read = { false, true, false } };
	struct lwm2m_value key;
	struct bs_held h = { 0 };

	ck_assert_int_eq(lwm2m_value_bytes(&key, LWM2M_OPAQUE, "0123456789abcdef", 16, NULL), ERR_OK);
	put(&inv.seen, lwm2m_path3(0, 1, 5), key);
	put(&inv.seen, lwm2m_path3(1, 0, 0), lwm2m_int(1));
	ck_assert_int_eq(bs_inventory_save(&inv, model, &h, NULL), ERR_OK);
	ck_assert_str_eq(h.values, "[{\"bn\":\"/\",\"n\":\"1/0/0\",\"v\":1}]");
	bs_held_clear(&h);
	bs_inventory_clear(&inv);
}
END_TEST

static const struct {
	const char *links, *server;
	bool alike;
} likes[] = {
	{ "</1/0>;ssid=101", "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":101},{\"n\":\"1\",\"v\":60},{\"n\":\"11\",\"v\":42},{\"n\":\"12\",\"v\":1800000000}]", true },
	{ "</1/0>;ssid=101", "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":101},{\"n\":\"1\",\"v\":60}]", true },
	{ "</1/0>;ssid=101", "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":101},{\"n\":\"1\",\"v\":61},{\"n\":\"11\",\"v\":0},{\"n\":\"12\",\"v\":1700000000}]", false },
	{ "</1/0>;ssid=101", "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":101},{\"n\":\"1\",\"v\":60},{\"n\":\"7\",\"vs\":\"U\"}]", false },
	{ "</1/1>;ssid=101", "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":101},{\"n\":\"1\",\"v\":60},{\"n\":\"11\",\"v\":0},{\"n\":\"12\",\"v\":1700000000}]", false },
	{ "</1/0>;ssid=101", NULL, false },
};

static uint64_t
likeness(const char *links, const char *server)
{
	struct bs_inventory inv = { .account = BS_UNKNOWN_INSTANCE };
	struct bs_held h = { 0 };

	ck_assert_int_eq(discover(&inv, links, NULL), ERR_OK);
	if (server != NULL)
		ck_assert_int_eq(bs_inventory_read(&inv, model, 1, LWM2M_CF_SENML_JSON, (const uint8_t *)server,
		    strlen(server), NULL), ERR_OK);
	ck_assert_int_eq(bs_inventory_save(&inv, model, &h, NULL), ERR_OK);
	uint64_t n = h.likeness;
	bs_held_clear(&h);
	bs_inventory_clear(&inv);
	return n;
}

START_TEST(what_a_device_sets_itself_makes_no_difference)
{
	uint64_t before = likeness("</1/0>;ssid=101",
	    "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":101},{\"n\":\"1\",\"v\":60},{\"n\":\"11\",\"v\":0},{\"n\":\"12\",\"v\":1700000000}]");

	ck_assert((before == likeness(likes[_i].links, likes[_i].server)) == likes[_i].alike);
}
END_TEST

static const struct {
	const char *links, *values;
	unsigned read;
	const char *says;
} bad[] = {
	{ "<<<", NULL, 0, "links: " },
	{ "</0/0>,</0/1>", NULL, 0, "links: /0/1: a second" },
	{ "</0/0>", "[", 2, "values: " },
	{ NULL, "[{\"n\":\"/1/0/0\",\"v\":1}]", 0, "values: /1/0/0: of an Object that was not read" },
	{ NULL, "[{\"n\":\"/3/0/0\",\"vs\":\"x\"}]", 2, "values: /3/0/0: of an Object" },
	{ NULL, "[]", 1, "an Object is marked as read" },
};

static char *
copy(const char *s)
{
	return s == NULL ? NULL : str_dup_n(s, strlen(s));
}

START_TEST(what_is_not_ours_is_refused)
{
	struct bs_inventory inv = { .account = 5 };
	struct bs_held h = { .links = copy(bad[_i].links), .values = copy(bad[_i].values), .read = bad[_i].read };
	struct err e = { 0 };

	ck_assert_int_ne(bs_inventory_load(&inv, model, &h, &e), ERR_OK);
	ck_assert_msg(strncmp(e.msg, bad[_i].says, strlen(bad[_i].says)) == 0, "%s", e.msg);
	ck_assert_int_eq(inv.account, 5);
	bs_held_clear(&h);
}
END_TEST

int
main(void)
{
	const struct unit_case cases[] = {
		UNIT_CASE(each_form_of_a_list_is_understood, N_ELEMS(lists)),
		UNIT_CASE(two_bootstrap_accounts_are_refused, 0),
		UNIT_CASE(what_was_seen_is_saved_and_loaded_whatever_the_format, N_ELEMS(formats)),
		UNIT_CASE(what_was_not_seen_stays_not_known, 0),
		UNIT_CASE(read_and_empty_is_not_the_same_as_not_read, 0),
		UNIT_CASE(secrets_are_not_saved, 0),
		UNIT_CASE(what_a_device_sets_itself_makes_no_difference, N_ELEMS(likes)),
		UNIT_CASE(what_is_not_ours_is_refused, N_ELEMS(bad)),
	};

	model = lwm2m_model_builtin();
	return unit_run(unit_suite("inventory", cases, N_ELEMS(cases)));
}
