#include "lib/lwm2m/object.h"

#include <math.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct lwm2m_res_def *
resource(uint16_t oid, uint16_t rid)
{
	const struct lwm2m_res_def *r = lwm2m_model_resource(lwm2m_model_builtin(), oid, rid);

	ck_assert_msg(r != NULL, "/%u/x/%u is not known", oid, rid);
	return r;
}

START_TEST(every_version_is_there_in_order)
{
	static const struct {
		uint16_t oid;
		uint8_t major, minor;
		size_t n_res;
	} rows[] = {
		{ 0, 1, 0, 13 },
		{ 0, 1, 1, 18 },
		{ 0, 1, 2, 31 },
		{ 1, 1, 0, 9 },
		{ 1, 1, 1, 24 },
		{ 1, 1, 2, 28 },
		{ 2, 1, 0, 4 },
		{ 2, 1, 1, 4 },
		{ 3, 1, 0, 23 },
		{ 3, 1, 1, 23 },
		{ 3, 1, 2, 23 },
		{ 10, 1, 0, 12 },
		{ 10, 1, 1, 14 },
		{ 11, 1, 0, 26 },
		{ 11, 1, 1, 34 },
		{ 13, 1, 0, 13 },
		{ 13, 1, 1, 13 },
		{ 21, 1, 0, 6 },
		{ 21, 1, 1, 7 },
		{ 21, 2, 0, 7 },
		{ 23, 1, 0, 3 },
	};
	const struct lwm2m_model *m = lwm2m_model_builtin();

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct lwm2m_version v = { rows[i].major, rows[i].minor };
		const struct lwm2m_obj_def *o = lwm2m_model_at(m, i);

		ck_assert_ptr_nonnull(o);
		ck_assert_uint_eq(o->id, rows[i].oid);
		ck_assert_uint_eq(o->version.major, v.major);
		ck_assert_uint_eq(o->version.minor, v.minor);
		ck_assert_uint_eq(o->n_res, rows[i].n_res);
		ck_assert_ptr_eq(lwm2m_model_object_version(m, rows[i].oid, v), o);
	}
	ck_assert_ptr_null(lwm2m_model_at(m, N_ELEMS(rows)));
	ck_assert_ptr_null(lwm2m_model_at(m, SIZE_MAX));
}
END_TEST

START_TEST(the_newest_version_answers)
{
	const struct lwm2m_model *m = lwm2m_model_builtin();
	const struct lwm2m_obj_def *o = lwm2m_model_object(m, LWM2M_OSCORE);

	ck_assert_ptr_nonnull(o);
	ck_assert_uint_eq(o->version.major, 2);
	ck_assert_int_eq(resource(21, 0)->type, LWM2M_OPAQUE);
	ck_assert_int_eq(resource(1, 13)->ops, LWM2M_R);
	ck_assert_ptr_eq(lwm2m_model_object_by_key(m, "lwm2m_oscore"), o);
	ck_assert_ptr_null(lwm2m_model_object_by_key(m, "oscore"));
	ck_assert_ptr_null(lwm2m_model_object(m, 4));
	ck_assert_ptr_null(lwm2m_model_object(m, 65535));
	ck_assert_ptr_null(lwm2m_model_object_version(m, 1, (struct lwm2m_version){ 1, 3 }));
	ck_assert_ptr_null(lwm2m_model_object_version(m, 0, (struct lwm2m_version){ 0, 9 }));
	ck_assert_ptr_null(lwm2m_model_object_version(m, 24, (struct lwm2m_version){ 1, 0 }));
	ck_assert_ptr_null(lwm2m_model_resource(m, 4, 0));
	ck_assert_ptr_null(lwm2m_model_resource(m, 1, 28));
	ck_assert_ptr_null(lwm2m_model_resource(m, 1, 65535));
}
END_TEST

/* Sorted by id, no id or key twice, keys by the rule, text never NULL. */
START_TEST(the_tables_hold_together)
{
	const struct lwm2m_obj_def *o;

	for (size_t i = 0; (o = lwm2m_model_at(lwm2m_model_builtin(), i)) != NULL; i++) {
		char key[128];

		lwm2m_name_to_key(o->name, key, sizeof key);
		ck_assert_str_eq(o->key, key);
		for (size_t k = 0; k < o->n_res; k++) {
			const struct lwm2m_res_def *r = &o->res[k];

			lwm2m_name_to_key(r->name, key, sizeof key);
			ck_assert_str_eq(r->key, key);
			ck_assert_ptr_eq(lwm2m_obj_resource(o, r->id), r);
			ck_assert_ptr_eq(lwm2m_obj_resource_by_key(o, key), r);
			ck_assert(k == 0 || r[-1].id < r->id);
			ck_assert_msg((r->type == LWM2M_NONE) == (r->ops == LWM2M_E), "/%u/x/%u",
			    o->id, r->id);
			ck_assert_ptr_nonnull(r->range);
			ck_assert_ptr_nonnull(r->unit);
			ck_assert(r->has_min == r->has_max && r->min <= r->max);
		}
	}
}
END_TEST

START_TEST(keys_follow_the_names)
{
	static const struct {
		const char *name, *key;
	} rows[] = {
		{ "LWM2M Server URI", "lwm2m_server_uri" },
		{ "Validity (MCC, MNC)", "validity_mcc_mnc" },
		{ "TLS-DTLS Alert Code", "tls_dtls_alert_code" },
		{ "TLS 1.3 Features To Use by Client", "tls_1_3_features_to_use_by_client" },
		{ "SMS Binding Secret Key(s)", "sms_binding_secret_key_s" },
		{ "  (Odd) -- name! ", "odd_name" },
		{ "Zw\xc3\xb6lf \xe2\x80\x9cquoted\xe2\x80\x9d", "zw_lf_quoted" },
		{ "_a__B_", "a_b" },
		{ "--", "" },
		{ "", "" },
	};
	char key[64];

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		lwm2m_name_to_key(rows[i].name, key, sizeof key);
		ck_assert_str_eq(key, rows[i].key);
	}
}
END_TEST

START_TEST(a_key_is_cut_at_its_room)
{
	static const char *const cut[] = { "", "", "a", "ab", "ab", "ab_c", "ab_cd", "ab_cd" };
	char key[9];

	for (size_t cap = 1; cap < N_ELEMS(cut); cap++) {
		memset(key, 'x', sizeof key);
		lwm2m_name_to_key("Ab, Cd", key, cap);
		ck_assert_str_eq(key, cut[cap]);
		ck_assert_int_eq(key[cap], 'x');
	}
	memset(key, 'x', sizeof key);
	lwm2m_name_to_key("Ab", key, 0);
	ck_assert_int_eq(key[0], 'x');
}
END_TEST

START_TEST(resources_are_found_by_key)
{
	static const struct {
		uint16_t oid, rid;
		const char *key;
	} rows[] = {
		{ 0, 0, "lwm2m_server_uri" },
		{ 0, 10, "short_server_id" },
		{ 0, 16, "dtls_tls_ciphersuite" },
		{ 1, 11, "tls_dtls_alert_code" },
		{ 1, 14, "initial_registration_delay_timer" },
		{ 3, 22, "extdevinfo" },
		{ 10, 7, "edrx_parameters_for_iu_mode" },
		{ 11, 8, "validity_mcc_mnc" },
		{ 13, 4, "acceptable_rssi_1xev_do" },
		{ 21, 3, "oscore_aead_algorithm" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		const struct lwm2m_obj_def *o =
		    lwm2m_model_object(lwm2m_model_builtin(), rows[i].oid);
		const struct lwm2m_res_def *r = lwm2m_obj_resource_by_key(o, rows[i].key);

		ck_assert_msg(r != NULL, "%s", rows[i].key);
		ck_assert_uint_eq(r->id, rows[i].rid);
	}
	ck_assert_ptr_null(
	    lwm2m_obj_resource_by_key(lwm2m_model_object(lwm2m_model_builtin(), 0), "uri"));
}
END_TEST

START_TEST(only_keys_are_secret)
{
	static const struct {
		uint16_t oid, rid;
	} secrets[] = { { 0, 5 }, { 0, 7 }, { 0, 8 }, { 11, 6 }, { 21, 0 }, { 23, 2 } };
	const struct lwm2m_obj_def *o;

	for (size_t i = 0; (o = lwm2m_model_at(lwm2m_model_builtin(), i)) != NULL; i++) {
		for (size_t k = 0; k < o->n_res; k++) {
			bool want = false;

			for (size_t s = 0; s < N_ELEMS(secrets); s++)
				want = want ||
				    (secrets[s].oid == o->id && secrets[s].rid == o->res[k].id);
			ck_assert_msg(o->res[k].secret == want, "/%u/x/%u", o->id, o->res[k].id);
		}
	}
}
END_TEST

static void
check(uint16_t oid, uint16_t rid, struct lwm2m_value v, enum err_code code, const char *msg)
{
	struct err e = { .code = ERR_OK };
	enum err_code rc = lwm2m_value_check(resource(oid, rid), &v, &e);

	lwm2m_value_clear(&v);
	ck_assert_msg(rc == code, "/%u/x/%u: %s (%s)", oid, rid, err_name(rc), e.msg);
	ck_assert_str_eq(e.msg, msg);
}

static struct lwm2m_value
bytes(enum lwm2m_type type, size_t n, char fill)
{
	struct lwm2m_value v;
	char text[512];

	ck_assert_uint_le(n, sizeof text);
	memset(text, fill, sizeof text);
	ck_assert_int_eq(lwm2m_value_bytes(&v, type, text, n, NULL), ERR_OK);
	return v;
}

START_TEST(numbers_are_held_to_their_range)
{
	check(0, 10, lwm2m_int(1), ERR_OK, "");
	check(0, 10, lwm2m_int(65534), ERR_OK, "");
	check(0, 10, lwm2m_uint(65534), ERR_OK, "");
	check(0, 10, lwm2m_int(0), ERR_RANGE, "must be 1..65534, is 0");
	check(0, 10, lwm2m_int(65535), ERR_RANGE, "must be 1..65534, is 65535");
	check(0, 10, lwm2m_int(-1), ERR_RANGE, "must be 1..65534, is -1");
	check(
	    0, 10, lwm2m_uint(UINT64_MAX), ERR_RANGE, "must be 1..65534, is 18446744073709551615");
	check(13, 1, lwm2m_int(-110), ERR_OK, "");
	check(13, 1, lwm2m_int(-111), ERR_RANGE, "must be -110..-48, is -111");
	check(1, 1, lwm2m_int(INT64_MAX), ERR_OK, "");
	check(1, 1, lwm2m_int(-1), ERR_OK, "");
	check(
	    1, 1, lwm2m_uint(UINT64_MAX), ERR_RANGE, "must be below 2^63, is 18446744073709551615");
	check(1, 17, lwm2m_uint(UINT64_MAX), ERR_OK, "");
	check(1, 17, lwm2m_int(5), ERR_OK, "");
	check(1, 17, lwm2m_int(-5), ERR_RANGE, "must not be negative, is -5");
	check(1, 12, lwm2m_time(-5), ERR_OK, "");
	check(3, 13, lwm2m_int(1700000000), ERR_OK, "");
}
END_TEST

START_TEST(bytes_are_held_to_their_length)
{
	check(0, 0, bytes(LWM2M_STRING, 0, 'a'), ERR_OK, "");
	check(0, 0, bytes(LWM2M_STRING, 255, 'a'), ERR_OK, "");
	check(0, 0, bytes(LWM2M_STRING, 256, 'a'), ERR_RANGE, "must be 0..255 bytes long, is 256");
	check(0, 0, bytes(LWM2M_CORELNK, 9, 'a'), ERR_OK, "");
	check(0, 0, bytes(LWM2M_STRING, 3, '\xff'), ERR_INVALID, "must be UTF-8 without NUL");
	check(0, 0, bytes(LWM2M_STRING, 3, '\0'), ERR_INVALID, "must be UTF-8 without NUL");
	check(0, 3, bytes(LWM2M_OPAQUE, 500, '\xff'), ERR_OK, "");
	check(0, 3, bytes(LWM2M_OPAQUE, 0, 'a'), ERR_OK, "");
	check(0, 7, bytes(LWM2M_OPAQUE, 6, 'a'), ERR_OK, "");
	check(0, 7, bytes(LWM2M_OPAQUE, 5, 'a'), ERR_RANGE, "must be 6 bytes long, is 5");
	check(0, 8, bytes(LWM2M_OPAQUE, 16, 'a'), ERR_OK, "");
	check(0, 8, bytes(LWM2M_OPAQUE, 32, 'a'), ERR_OK, "");
	check(0, 8, bytes(LWM2M_OPAQUE, 48, 'a'), ERR_OK, "");
	check(0, 8, bytes(LWM2M_OPAQUE, 24, 'a'), ERR_RANGE, "must be 16,32,48 bytes long, is 24");
	check(0, 8, bytes(LWM2M_OPAQUE, 0, 'a'), ERR_RANGE, "must be 16,32,48 bytes long, is 0");
}
END_TEST

START_TEST(types_must_be_of_one_kind)
{
	check(0, 1, lwm2m_bool(true), ERR_OK, "");
	check(0, 1, lwm2m_int(1), ERR_INVALID, "must be of type boolean, is integer");
	check(0, 10, lwm2m_bool(true), ERR_INVALID, "must be of type integer, is boolean");
	check(0, 10, lwm2m_float(1), ERR_INVALID, "must be of type integer, is float");
	check(
	    0, 10, bytes(LWM2M_STRING, 1, '1'), ERR_INVALID, "must be of type integer, is string");
	check(0, 5, bytes(LWM2M_STRING, 4, 'k'), ERR_INVALID, "must be of type opaque, is string");
	check(0, 0, bytes(LWM2M_OPAQUE, 4, 'k'), ERR_INVALID, "must be of type string, is opaque");
	check(0, 17, lwm2m_link(21, 0), ERR_OK, "");
	check(0, 17, lwm2m_int(21), ERR_INVALID, "must be of type objlnk, is integer");
	check(1, 1, (struct lwm2m_value){ .type = LWM2M_NONE }, ERR_INVALID,
	    "must be of type integer, is none");
	check(1, 4, lwm2m_int(1), ERR_INVALID, "is executed, it holds no value");
	check(1, 4, (struct lwm2m_value){ .type = LWM2M_NONE }, ERR_INVALID,
	    "is executed, it holds no value");
}
END_TEST

START_TEST(floats_are_held_to_their_range)
{
	static const struct lwm2m_res_def part = { .type = LWM2M_FLOAT,
		.has_min = true,
		.has_max = true,
		.min = 0,
		.max = 1,
		.range = "0..1" };
	static const struct lwm2m_res_def any = { .type = LWM2M_FLOAT, .range = "" };
	static const struct {
		double f;
		const char *msg;
	} rows[] = {
		{ 0, "" },
		{ 0.5, "" },
		{ 1, "" },
		{ 1.5, "must be 0..1, is 1.5" },
		{ -0.25, "must be 0..1, is -0.25" },
		{ (double)INFINITY, "must be 0..1, is inf" },
		{ (double)NAN, "must be 0..1, is not a number" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct err e = { .code = ERR_OK };
		struct lwm2m_value v = lwm2m_float(rows[i].f);

		ck_assert_int_eq(
		    lwm2m_value_check(&part, &v, &e), *rows[i].msg == '\0' ? ERR_OK : ERR_RANGE);
		ck_assert_str_eq(e.msg, rows[i].msg);
		ck_assert_int_eq(lwm2m_value_check(&any, &v, &e), ERR_OK);
	}
}
END_TEST

START_TEST(a_new_model_begins_with_the_core)
{
	struct lwm2m_model *m = lwm2m_model_new();

	ck_assert_ptr_nonnull(m);
	for (size_t i = 0; i < 22; i++)
		ck_assert_ptr_eq(lwm2m_model_at(m, i), lwm2m_model_at(lwm2m_model_builtin(), i));
	lwm2m_model_free(m);
	lwm2m_model_free(NULL);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(every_version_is_there_in_order, 0),
	UNIT_CASE(the_newest_version_answers, 0),
	UNIT_CASE(the_tables_hold_together, 0),
	UNIT_CASE(keys_follow_the_names, 0),
	UNIT_CASE(a_key_is_cut_at_its_room, 0),
	UNIT_CASE(resources_are_found_by_key, 0),
	UNIT_CASE(only_keys_are_secret, 0),
	UNIT_CASE(numbers_are_held_to_their_range, 0),
	UNIT_CASE(bytes_are_held_to_their_length, 0),
	UNIT_CASE(types_must_be_of_one_kind, 0),
	UNIT_CASE(floats_are_held_to_their_range, 0),
	UNIT_CASE(a_new_model_begins_with_the_core, 0),
};

UNIT_SUITE_MAIN("object", cases)
