#include "pki/der.h"

#include <string.h>

#include "tests/unit/unit.h"

#define BYTES(...)                                                                                 \
	{                                                                                          \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })         \
	}

/* What the first element is; tag -1: a fault. */
static const struct {
	const char *what;
	struct pki_blob in;
	int tag;
	size_t n; /* of the whole element */
} elements[] = {
	{ "null", BYTES(0x05, 0x00), DER_NULL, 2 },
	{ "short length", BYTES(0x04, 0x01, 0x55, 0x00), DER_OCTET_STRING, 3 },
	{ "nothing", { NULL, 0 }, -1, 0 },
	{ "tag alone", BYTES(0x04), -1, 0 },
	{ "content cut short", BYTES(0x04, 0x02, 0x55), -1, 0 },
	{ "indefinite length", BYTES(0x30, 0x80, 0x00, 0x00), -1, 0 },
	{ "long form of a short length", BYTES(0x04, 0x81, 0x01, 0x55), -1, 0 },
	{ "length with a leading zero", BYTES(0x04, 0x82, 0x00, 0x81), -1, 0 },
	{ "length of five octets", BYTES(0x04, 0x85, 0x01, 0x00, 0x00, 0x00, 0x00), -1, 0 },
	{ "length beyond everything", BYTES(0x04, 0x84, 0xff, 0xff, 0xff, 0xff), -1, 0 },
	{ "tag of several octets", BYTES(0x1f, 0x81, 0x00, 0x00), -1, 0 },
};

START_TEST(takes_only_der)
{
	struct der d = der_make(elements[_i].in);
	int tag = -1;
	struct pki_blob b = der_take_whole(&d, &tag);

	ck_assert_msg(der_ok(&d) == (elements[_i].tag >= 0), "%s", elements[_i].what);
	ck_assert_msg(b.n == elements[_i].n, "%s: %zu", elements[_i].what, b.n);
	if (elements[_i].tag >= 0)
		ck_assert_int_eq(tag, elements[_i].tag);
	d = der_make(elements[_i].in);
	(void)der_take(&d, elements[_i].tag >= 0 ? elements[_i].tag : 0x04);
	ck_assert_int_eq(der_ok(&d), elements[_i].tag >= 0);
}
END_TEST

static const struct {
	const char *text; /* with a tag before it */
	int64_t seconds;  /* -1: a fault */
} times[] = {
	{ "\x17\x0d"
	  "700101000000Z",
	    0 },
	{ "\x17\x0d"
	  "260131235959Z",
	    1769903999 },
	{ "\x17\x0d"
	  "490101000000Z",
	    2493072000 },
	{ "\x17\x0d"
	  "500101000000Z",
	    -631152000 },
	{ "\x18\x0f"
	  "20500101000000Z",
	    2524608000 },
	{ "\x18\x0f"
	  "99991231235959Z",
	    253402300799 },
	{ "\x18\x0f"
	  "20240229000000Z",
	    1709164800 },
	{ "\x18\x0f"
	  "20230229000000Z",
	    -1 },
	{ "\x18\x0f"
	  "21000229000000Z",
	    -1 },
	{ "\x18\x11"
	  "20240101000000.5Z",
	    -1 },
	{ "\x18\x13"
	  "20240101000000+0000",
	    -1 },
	{ "\x17\x0b"
	  "2401010000Z",
	    -1 },
	{ "\x17\x0d"
	  "240101240000Z",
	    -1 },
	{ "\x17\x0d"
	  "240101006000Z",
	    -1 },
	{ "\x17\x0d"
	  "240101000060Z",
	    -1 },
	{ "\x17\x0d"
	  "241301000000Z",
	    -1 },
	{ "\x17\x0d"
	  "240100000000Z",
	    -1 },
	{ "\x17\x0d"
	  "2401 1000000Z",
	    -1 },
	{ "\x17\x0d"
	  "240101000000z",
	    -1 },
};

START_TEST(reads_times)
{
	struct der d =
	    der_make((struct pki_blob){ (const uint8_t *)times[_i].text, strlen(times[_i].text) });
	int64_t t = der_time(&d);
	bool right = times[_i].seconds != -1;

	ck_assert_msg(der_ok(&d) == right, "%s", times[_i].text);
	if (right)
		ck_assert_msg(t == times[_i].seconds, "%s: %lld", times[_i].text, (long long)t);
}
END_TEST

static const struct {
	struct pki_blob in;
	long value; /* -1: a fault */
} numbers[] = {
	{ BYTES(0x02, 0x01, 0x00), 0 },
	{ BYTES(0x02, 0x01, 0x7f), 127 },
	{ BYTES(0x02, 0x02, 0x00, 0x80), 128 },
	{ BYTES(0x02, 0x02, 0x03, 0xe8), 1000 },
	{ BYTES(0x02, 0x02, 0x03, 0xe9), -1 },
	{ BYTES(0x02, 0x02, 0x00, 0x7f), -1 },
	{ BYTES(0x02, 0x02, 0xff, 0x80), -1 },
	{ BYTES(0x02, 0x01, 0xff), -1 },
	{ BYTES(0x02, 0x00), -1 },
	{ BYTES(0x02, 0x06, 0x01, 0, 0, 0, 0, 0), -1 },
	{ BYTES(0x03, 0x01, 0x00), -1 },
};

START_TEST(reads_numbers)
{
	struct der d = der_make(numbers[_i].in);
	uint32_t v = der_uint(&d, DER_INTEGER, 1000);

	ck_assert_int_eq(der_ok(&d), numbers[_i].value >= 0);
	if (numbers[_i].value >= 0)
		ck_assert_int_eq(v, numbers[_i].value);
}
END_TEST

static const struct {
	struct pki_blob in;
	const char *text;
} oids[] = {
	{ BYTES(0x55, 0x1d, 0x11), "2.5.29.17" },
	{ BYTES(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d), "1.2.840.113549" },
	{ BYTES(0x88, 0x37, 0x03), "2.999.3" },
	{ { NULL, 0 }, "(bad oid)" },
	{ BYTES(0x55, 0x9d), "(bad oid)" },
	{ BYTES(0x55, 0x80, 0x01), "(bad oid)" },
};

START_TEST(writes_oids)
{
	struct gbuf text = { .max = 256 };

	der_oid_text(&text, oids[_i].in);
	ck_assert_str_eq(gbuf_cstr(&text), oids[_i].text);
	gbuf_clear(&text);
}
END_TEST

START_TEST(refuses_odd_booleans_and_bits)
{
	const struct pki_blob bools[] = { BYTES(0x01, 0x01, 0x01), BYTES(0x01, 0x00),
		BYTES(0x01, 0x02, 0xff, 0xff) };
	const struct pki_blob bits[] = { BYTES(0x03, 0x00), BYTES(0x03, 0x02, 0x08, 0x00),
		BYTES(0x03, 0x02, 0x01, 0x01), BYTES(0x03, 0x01, 0x01) };

	for (size_t i = 0; i < N_ELEMS(bools); i++) {
		struct der d = der_make(bools[i]);
		ck_assert(!der_boolean(&d) && !der_ok(&d));
	}
	for (size_t i = 0; i < N_ELEMS(bits); i++) {
		struct der d = der_make(bits[i]);
		unsigned unused;
		ck_assert_uint_eq(der_bits(&d, DER_BIT_STRING, &unused).n, 0);
		ck_assert(!der_ok(&d));
	}
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(takes_only_der, N_ELEMS(elements)),
	UNIT_CASE(reads_times, N_ELEMS(times)),
	UNIT_CASE(reads_numbers, N_ELEMS(numbers)),
	UNIT_CASE(writes_oids, N_ELEMS(oids)),
	UNIT_CASE(refuses_odd_booleans_and_bits, 0),
};

UNIT_SUITE_MAIN("der", cases)
