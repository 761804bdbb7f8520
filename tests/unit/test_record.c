#include "bsserver/bootstrap/record.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

START_TEST(every_name_is_a_word_and_comes_back)
{
	for (int v = 0; v < BS_VERDICT__COUNT; v++) {
		enum bs_verdict back = BS_VERDICT__COUNT;
		ck_assert(bs_verdict_from_name(bs_verdict_name((enum bs_verdict)v), &back));
		ck_assert_int_eq(back, v);
	}
	for (int r = 0; r < BS_REASON__COUNT; r++) {
		enum bs_reason back = BS_REASON__COUNT;
		const char *name = bs_reason_name((enum bs_reason)r);
		ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
		ck_assert(bs_reason_from_name(name, &back));
		ck_assert_int_eq(back, r);
		ck_assert_uint_gt(strlen(bs_reason_help((enum bs_reason)r)), 15);
	}
	for (int s = 0; s < BS_STEP__COUNT; s++)
		ck_assert_str_ne(bs_step_name((enum bs_step)s), "unknown");
	ck_assert_str_eq(bs_reason_name(BS_REASON_IDENTITY_MISMATCH), "identity_mismatch");
	ck_assert_str_eq(bs_method_name(BS_DELETE), "DELETE");
}
END_TEST

START_TEST(every_finding_has_a_name_and_a_help)
{
	for (int k = 0; k < BS_FIND__COUNT; k++) {
		enum bs_finding_kind back = BS_FIND__COUNT;
		ck_assert(bs_finding_from_name(bs_finding_name((enum bs_finding_kind)k), &back));
		ck_assert_int_eq(back, k);
		ck_assert_uint_gt(strlen(bs_finding_help((enum bs_finding_kind)k)), 40);
	}
	for (int r = 0; r < BS_REMEDY__COUNT; r++) {
		enum bs_remedy back = BS_REMEDY__COUNT;
		ck_assert(bs_remedy_from_name(bs_remedy_name((enum bs_remedy)r), &back));
		ck_assert_int_eq(back, r);
	}
	ck_assert_str_eq(bs_finding_name(BS_FIND__COUNT), "unknown");
	ck_assert_str_eq(bs_remedy_name(BS_REMEDY__COUNT), "unknown");
}
END_TEST

START_TEST(findings_are_json_and_bounded)
{
	struct bs_findings f = { 0 };
	struct gbuf out = { 0 };

	bs_findings_add(&f, BS_FIND_TLS_ALERT, BS_REMEDY_REWRITE, "/1/0 /0/1", "alert \"42\"");
	bs_findings_add(&f, BS_FIND_EARLY_RETURN, BS_REMEDY_NONE, "", "soon");
	bs_findings_json(&f, &out);
	ck_assert_str_eq(gbuf_cstr(&out),
	    "[{\"finding\":\"tls_alert\",\"paths\":[\"/1/0\",\"/0/1\"],\"does\":\"rewrite\",\"detail\":\"alert \\\"42\\\"\"},"
	    "{\"finding\":\"early_return\",\"paths\":[],\"does\":\"none\",\"detail\":\"soon\"}]");
	for (int i = 0; i < BS_FINDINGS_MAX; i++)
		bs_findings_add(&f, BS_FIND_DRIFT, BS_REMEDY_NONE, "/1/0/1", "");
	ck_assert_uint_eq(f.n, BS_FINDINGS_MAX);
	ck_assert_uint_eq(f.dropped, 2);
	bs_findings_clear(&f);
	gbuf_clear(&out);
}
END_TEST

START_TEST(what_is_no_name_is_unknown)
{
	enum bs_verdict v = BS_VERDICT_FAILED;
	enum bs_reason r = BS_REASON_STORE;

	ck_assert_str_eq(bs_verdict_name(BS_VERDICT__COUNT), "unknown");
	ck_assert_str_eq(bs_step_name((enum bs_step)-1), "unknown");
	ck_assert_str_eq(bs_reason_name(BS_REASON__COUNT), "unknown");
	ck_assert_str_eq(bs_reason_help((enum bs_reason)1000), "unknown");
	ck_assert_str_eq(bs_method_name((enum bs_method)4), "unknown");
	ck_assert(!bs_verdict_from_name("Failed", &v));
	ck_assert(!bs_verdict_from_name("", &v));
	ck_assert(!bs_reason_from_name("stor", &r));
	ck_assert_int_eq(v, BS_VERDICT_FAILED);
	ck_assert_int_eq(r, BS_REASON_STORE);
}
END_TEST

START_TEST(codes_are_written_as_class_and_detail)
{
	static const struct {
		uint8_t code;
		const char *text;
	} rows[] = {
		{ 0x44, "2.04" }, { 0x45, "2.05" }, { 0x80, "4.00" }, { 0x86, "4.06" },
		{ 0xa3, "5.03" }, { 0x00, "0.00" }, { 0xff, "7.31" }, { 0x02, "0.02" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		char out[5];
		bs_code_str(rows[i].code, out);
		ck_assert_str_eq(out, rows[i].text);
	}
}
END_TEST

static struct bs_entry *
add(struct bs_record *r, const struct bs_entry *v, const char *text)
{
	return bs_record_add(r, v, text, text == NULL ? 0 : strlen(text));
}

START_TEST(the_transcript_is_this_json)
{
	struct bs_record r = { .used_format = -1 };
	struct gbuf out = { 0 };

	bs_record_transcript_json(&r, &out);
	ck_assert_str_eq(gbuf_cstr(&out), "[]");
	gbuf_reset(&out);
	add(&r, &(struct bs_entry){ .step = BS_STEP_REQUEST, .method = BS_POST, .uplink = true,
	    .path = "/bs", .format = -1, .code = 0x44 }, NULL);
	add(&r, &(struct bs_entry){ .at_ms = 4294967295, .step = BS_STEP_DISCOVER, .method = BS_GET,
	    .path = "/", .format = -1, .received = 20, .code = 0x45 }, "</0>;ver=\"1.1\"\\");
	add(&r, &(struct bs_entry){ .at_ms = 100, .step = BS_STEP_PLAN, .remark = true }, "a\tb\nc");
	add(&r, &(struct bs_entry){ .step = BS_STEP_PLAN, .remark = true }, NULL);
	add(&r, &(struct bs_entry){ .step = BS_STEP_WRITE, .method = BS_PUT, .path = "/0/1",
	    .format = 11542, .sent = 10 }, NULL);
	bs_record_transcript_json(&r, &out);
	ck_assert_str_eq(gbuf_cstr(&out),
	    "[{\"at_ms\":0,\"step\":\"request\",\"method\":\"POST\",\"path\":\"/bs\",\"code\":\"2.04\","
	    "\"uplink\":true,\"sent\":0,\"received\":0},"
	    "{\"at_ms\":4294967295,\"step\":\"discover\",\"method\":\"GET\",\"path\":\"/\",\"code\":\"2.05\","
	    "\"sent\":0,\"received\":20,\"text\":\"</0>;ver=\\\"1.1\\\"\\\\\"},"
	    "{\"at_ms\":100,\"step\":\"plan\",\"remark\":\"a\\u0009b\\nc\"},"
	    "{\"at_ms\":0,\"step\":\"plan\",\"remark\":\"\"},"
	    "{\"at_ms\":0,\"step\":\"write\",\"method\":\"PUT\",\"path\":\"/0/1\",\"code\":null,"
	    "\"format\":11542,\"sent\":10,\"received\":0}]");
	gbuf_clear(&out);
	bs_record_clear(&r);
	bs_record_clear(&r);
	ck_assert_int_eq(r.used_format, -1);
}
END_TEST

/* The remark of a record that holds only this text, after a JSON library has read it. */
static json_t *
read_back(const char *text, size_t len)
{
	struct bs_record r = { 0 };
	struct gbuf out = { 0 };

	ck_assert_ptr_nonnull(
	    bs_record_add(&r, &(struct bs_entry){ .step = BS_STEP_READ, .remark = true }, text, len));
	bs_record_transcript_json(&r, &out);
	json_error_t je;
	json_t *v = json_loadb((char *)out.data, out.len, JSON_REJECT_DUPLICATES, &je);
	ck_assert_msg(v != NULL, "%s in %s", je.text, gbuf_cstr(&out));
	gbuf_clear(&out);
	bs_record_clear(&r);
	return v;
}

static const char *
remark_of(const json_t *v)
{
	return json_string_value(json_object_get(json_array_get(v, 0), "remark"));
}

START_TEST(any_bytes_become_json)
{
	static const struct {
		const char *text;
		size_t len;
		const char *want;
	} rows[] = {
		{ "plain", 5, "plain" },
		{ "", 0, "" },
		{ "a\0b", 3, "a?b" },
		{ "\0", 1, "?" },
		{ "\xc3\xa9", 2, "\xc3\xa9" },
		{ "\xe2\x82\xac!", 4, "\xe2\x82\xac!" },
		{ "\xf0\x9f\x93\xa1", 4, "\xf0\x9f\x93\xa1" },
		{ "\xff\xfe", 2, "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xc3", 1, "\xef\xbf\xbd" },
		{ "\xc3(", 2, "\xef\xbf\xbd(" },
		{ "\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xc0\x80", 2, "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\x1f\x7f\"\\/", 5, "\x1f\x7f\"\\/" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		json_t *v = read_back(rows[i].text, rows[i].len);
		ck_assert_str_eq(remark_of(v), rows[i].want);
		json_decref(v);
	}
}
END_TEST

START_TEST(random_bytes_become_json)
{
	uint64_t state = unit_seed();

	for (int i = 0; i < 2000; i++) {
		char text[64];
		size_t len = unit_random(&state) % sizeof text;
		for (size_t k = 0; k < len; k++)
			text[k] = (char)unit_random(&state);
		json_t *v = read_back(text, len);
		ck_assert_ptr_nonnull(remark_of(v));
		json_decref(v);
	}
}
END_TEST

START_TEST(a_long_text_is_cut_between_characters)
{
	struct bs_record r = { 0 };
	char text[BS_ENTRY_TEXT_MAX + 10];

	for (size_t off = 0; off < 4; off++) {
		memset(text, 'x', sizeof text);
		for (size_t i = off; i + 3 <= sizeof text; i += 3)
			memcpy(text + i, "\xe2\x82\xac", 3);
		struct bs_entry *v = bs_record_add(&r, &(struct bs_entry){ .remark = true }, text, sizeof text);
		ck_assert_uint_eq(strlen(v->text), off + (BS_ENTRY_TEXT_MAX - off) / 3 * 3);
	}
	memset(text, '\x80', sizeof text); /* no character at all: cut all the same */
	struct bs_entry *v = bs_record_add(&r, &(struct bs_entry){ .remark = true }, text, sizeof text);
	ck_assert_uint_le(strlen(v->text), BS_ENTRY_TEXT_MAX);
	ck_assert_uint_ge(strlen(v->text), BS_ENTRY_TEXT_MAX - 3);
	bs_record_clear(&r);
}
END_TEST

START_TEST(a_transcript_is_bounded_and_counts_what_it_drops)
{
	struct bs_record r = { 0 };
	char *text = malloc(BS_ENTRY_TEXT_MAX);

	memset(text, 'x', BS_ENTRY_TEXT_MAX);
	for (int i = 0; i < BS_TRANSCRIPT_MAX + 3; i++) {
		struct bs_entry *v = bs_record_add(&r, &(struct bs_entry){ .at_ms = (uint32_t)i }, text, BS_ENTRY_TEXT_MAX);
		ck_assert(i < BS_TRANSCRIPT_MAX ? v != NULL && v->at_ms == (uint32_t)i : v == NULL);
	}
	ck_assert_uint_eq(r.n_entries, BS_TRANSCRIPT_MAX);
	ck_assert_uint_eq(r.entries_dropped, 3);
	ck_assert_uint_eq(r.text_total, BS_TRANSCRIPT_TEXT_MAX);
	ck_assert_ptr_nonnull(r.entries[0].text);
	ck_assert_ptr_null(r.entries[BS_TRANSCRIPT_MAX - 1].text);
	bs_record_clear(&r);
	free(text);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(every_name_is_a_word_and_comes_back, 0),
	UNIT_CASE(every_finding_has_a_name_and_a_help, 0),
	UNIT_CASE(findings_are_json_and_bounded, 0),
	UNIT_CASE(what_is_no_name_is_unknown, 0),
	UNIT_CASE(codes_are_written_as_class_and_detail, 0),
	UNIT_CASE(the_transcript_is_this_json, 0),
	UNIT_CASE(any_bytes_become_json, 0),
	UNIT_CASE(random_bytes_become_json, 0),
	UNIT_CASE(a_long_text_is_cut_between_characters, 0),
	UNIT_CASE(a_transcript_is_bounded_and_counts_what_it_drops, 0),
};

UNIT_SUITE_MAIN("record", cases)
