#include "lib/base/enc.h"

#include "tests/unit/unit.h"

/* RFC 4648 section 10, and what tells the two alphabets apart. */
static const struct {
	const char *plain;
	size_t len;
	const char *hex, *base64, *base64url;
} vectors[] = {
	{ "", 0, "", "", "" },
	{ "f", 1, "66", "Zg==", "Zg" },
	{ "fo", 2, "666f", "Zm8=", "Zm8" },
	{ "foo", 3, "666f6f", "Zm9v", "Zm9v" },
	{ "foob", 4, "666f6f62", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", 5, "666f6f6261", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", 6, "666f6f626172", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff\xfe", 3, "fbfffe", "+//+", "-__-" },
	{ "\0\0", 2, "0000", "AAA=", "AAA" },
};

struct codec {
	void (*enc)(struct gbuf *, const void *, size_t);
	enum err_code (*dec)(const char *, size_t, struct secret *, struct err *);
};

static const struct codec codecs[] = {
	{ enc_hex, dec_hex },
	{ enc_base64, dec_base64 },
	{ enc_base64url, dec_base64url },
};

START_TEST(vectors_encode_and_decode)
{
	for (size_t i = 0; i < N_ELEMS(vectors); i++) {
		const char *texts[] = { vectors[i].hex, vectors[i].base64, vectors[i].base64url };

		for (size_t c = 0; c < N_ELEMS(codecs); c++) {
			struct gbuf out = { 0 };
			struct secret back = SECRET_NONE;
			codecs[c].enc(&out, vectors[i].plain, vectors[i].len);
			ck_assert_str_eq(gbuf_cstr(&out), texts[c]);
			ck_assert_int_eq(codecs[c].dec(texts[c], strlen(texts[c]), &back, NULL), ERR_OK);
			ck_assert(secret_equal_bytes(&back, vectors[i].plain, vectors[i].len));
			secret_clear(&back);
			gbuf_clear(&out);
		}
	}
}
END_TEST

START_TEST(any_bytes_come_back)
{
	uint64_t state = unit_seed();

	for (int round = 0; round < 300; round++) {
		uint8_t bytes[64];
		size_t n = unit_random(&state) % (sizeof bytes + 1);
		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)unit_random(&state);
		for (size_t c = 0; c < N_ELEMS(codecs); c++) {
			struct gbuf out = { 0 };
			struct secret back = SECRET_NONE;
			codecs[c].enc(&out, bytes, n);
			ck_assert_int_eq(codecs[c].dec(gbuf_cstr(&out), out.len, &back, NULL), ERR_OK);
			ck_assert(secret_equal_bytes(&back, bytes, n));
			secret_clear(&back);
			gbuf_clear(&out);
		}
	}
}
END_TEST

START_TEST(hex_takes_both_cases)
{
	struct secret out = SECRET_NONE;

	ck_assert_int_eq(dec_hex("DeadBEEF", 8, &out, NULL), ERR_OK);
	ck_assert(secret_equal_bytes(&out, "\xde\xad\xbe\xef", 4));
	secret_clear(&out);
}
END_TEST

START_TEST(what_is_wrong_is_refused_with_its_place)
{
	static const struct {
		enum { HEX, B64, URL } codec;
		const char *text, *msg;
	} rows[] = {
		{ HEX, "abc", "hex: 3 digits, an odd number" },
		{ HEX, "abxd", "hex: character 3 is no hex digit" },
		{ HEX, "0x12", "hex: character 2 is no hex digit" },
		{ HEX, "ab cd ", "hex: character 3 is no hex digit" },
		{ B64, "Zg=", "base64: 3 characters, not a multiple of four" },
		{ B64, "Zg", "base64: 2 characters, not a multiple of four" },
		{ B64, "Zg==\n", "base64: 5 characters, not a multiple of four" },
		{ B64, "Zm\n9", "base64: character 3 is not of its alphabet" },
		{ B64, "Z===", "base64: character 2 is not of its alphabet" },
		{ B64, "====", "base64: character 1 is not of its alphabet" },
		{ B64, "Zg==Zg==", "base64: character 3 is not of its alphabet" },
		{ B64, "-__-", "base64: character 1 is not of its alphabet" },
		{ B64, "Zh==", "base64: character 2 has bits left over" },
		{ B64, "Zm9=", "base64: character 3 has bits left over" },
		{ URL, "+//+", "base64url: character 1 is not of its alphabet" },
		{ URL, "Zg==", "base64url: character 3 is not of its alphabet" },
		{ URL, "Z", "base64url: 1 characters cannot be whole bytes" },
		{ URL, "Zh", "base64url: character 2 has bits left over" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct secret out = SECRET_NONE;
		struct err e;
		ck_assert_int_eq(codecs[rows[i].codec].dec(rows[i].text, strlen(rows[i].text), &out, &e), ERR_PARSE);
		ck_assert_str_eq(e.msg, rows[i].msg);
		ck_assert_ptr_null(out.data);
	}
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(vectors_encode_and_decode, 0),
	UNIT_CASE(any_bytes_come_back, 0),
	UNIT_CASE(hex_takes_both_cases, 0),
	UNIT_CASE(what_is_wrong_is_refused_with_its_place, 0),
};

UNIT_SUITE_MAIN("enc", cases)
