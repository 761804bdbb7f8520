#include "lib/base/crypt.h"

#include "tests/unit/unit.h"

static const char aad[] = "credential/7";
static const char plain[] = "sixteen byte key";

static struct secret
make_key(uint8_t fill)
{
	struct secret key;

	ck_assert_int_eq(secret_alloc(&key, CRYPT_KEY_LEN, NULL), ERR_OK);
	memset(key.data, fill, key.len);
	return key;
}

START_TEST(a_secret_owns_its_bytes_and_gives_them_up_wiped)
{
	struct secret a = SECRET_NONE, b = SECRET_NONE;

	ck_assert_int_eq(secret_set(&a, plain, strlen(plain), NULL), ERR_OK);
	ck_assert_int_eq(secret_copy(&b, &a, NULL), ERR_OK);
	ck_assert_ptr_ne(a.data, b.data);
	ck_assert_uint_eq(a.data[a.len], 0);
	ck_assert(secret_equal(&a, &b));
	b.data[3] ^= 1;
	ck_assert(!secret_equal(&a, &b));
	ck_assert(!secret_equal_bytes(&a, plain, strlen(plain) - 1));
	secret_clear(&b);
	secret_clear(&b);
	ck_assert_ptr_null(b.data);
	secret_move(&b, &a);
	ck_assert_ptr_null(a.data);
	ck_assert(secret_equal_bytes(&b, plain, strlen(plain)));
	secret_clear(&b);
	ck_assert(secret_equal(&a, &b)); /* nothing equals nothing */

	uint8_t bytes[8] = "secret!";
	wipe(bytes, sizeof bytes);
	ck_assert_mem_eq(bytes, "\0\0\0\0\0\0\0\0", 8);
}
END_TEST

START_TEST(random_keys_differ)
{
	struct secret a, b;

	ck_assert_int_eq(secret_random(&a, 16, NULL), ERR_OK);
	ck_assert_int_eq(secret_random(&b, 16, NULL), ERR_OK);
	ck_assert(!secret_equal(&a, &b));
	secret_clear(&a);
	secret_clear(&b);
	ck_assert_int_eq(secret_random(&a, 0, NULL), ERR_OK);
	ck_assert_ptr_null(a.data);
}
END_TEST

static struct crypt_box *
make_box(uint8_t octet)
{
	struct secret key = make_key(octet);
	struct crypt_box *box = NULL;

	ck_assert_int_eq(crypt_box_new(&key, &box, NULL), ERR_OK);
	secret_clear(&key);
	return box;
}

START_TEST(what_was_sealed_opens_and_never_looks_the_same_twice)
{
	struct crypt_box *box = make_box(7);
	struct secret back = SECRET_NONE;
	struct gbuf one = { 0 }, two = { 0 };

	ck_assert_int_eq(crypt_seal(box, aad, strlen(aad), plain, strlen(plain), &one, NULL), ERR_OK);
	ck_assert_int_eq(crypt_seal(box, aad, strlen(aad), plain, strlen(plain), &two, NULL), ERR_OK);
	ck_assert_uint_eq(one.len, strlen(plain) + CRYPT_SEAL_EXTRA);
	ck_assert_mem_ne(one.data, two.data, one.len);
	ck_assert_ptr_null(memmem(one.data, one.len, plain, strlen(plain)));
	ck_assert_int_eq(crypt_open(box, aad, strlen(aad), one.data, one.len, &back, NULL), ERR_OK);
	ck_assert(secret_equal_bytes(&back, plain, strlen(plain)));
	secret_clear(&back);
	gbuf_reset(&one);
	ck_assert_int_eq(crypt_seal(box, NULL, 0, NULL, 0, &one, NULL), ERR_OK);
	ck_assert_int_eq(crypt_open(box, NULL, 0, one.data, one.len, &back, NULL), ERR_OK);
	ck_assert_uint_eq(back.len, 0);
	gbuf_clear(&one);
	gbuf_clear(&two);
	crypt_box_free(box);
}
END_TEST

START_TEST(every_flipped_bit_of_a_sealed_value_is_seen)
{
	struct crypt_box *box = make_box(7);
	struct secret back = SECRET_NONE;
	struct gbuf sealed = { 0 };
	struct err e;

	ck_assert_int_eq(crypt_seal(box, aad, strlen(aad), plain, strlen(plain), &sealed, NULL), ERR_OK);
	for (size_t bit = 0; bit < sealed.len * 8; bit++) {
		sealed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		ck_assert_int_eq(crypt_open(box, aad, strlen(aad), sealed.data, sealed.len, &back, &e), ERR_CRYPTO);
		ck_assert_str_eq(e.msg, "sealed value: wrong key, moved, or damaged");
		ck_assert_ptr_null(back.data);
		sealed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	for (size_t n = 0; n < sealed.len; n++)
		ck_assert_int_eq(crypt_open(box, aad, strlen(aad), sealed.data, n, &back, &e), ERR_CRYPTO);
	gbuf_clear(&sealed);
	crypt_box_free(box);
}
END_TEST

START_TEST(another_key_or_another_row_does_not_open)
{
	struct crypt_box *box = make_box(7), *other = make_box(8), *none = NULL;
	struct secret shorter = SECRET_NONE, back = SECRET_NONE;
	struct gbuf sealed = { 0 };
	struct err e;

	ck_assert_int_eq(crypt_seal(box, aad, strlen(aad), plain, strlen(plain), &sealed, NULL), ERR_OK);
	ck_assert_int_eq(crypt_open(other, aad, strlen(aad), sealed.data, sealed.len, &back, &e), ERR_CRYPTO);
	ck_assert_int_eq(crypt_open(box, "credential/8", 12, sealed.data, sealed.len, &back, &e), ERR_CRYPTO);
	ck_assert_int_eq(secret_set(&shorter, "0123456789abcdef", 16, NULL), ERR_OK);
	ck_assert_int_eq(crypt_box_new(&shorter, &none, &e), ERR_CRYPTO);
	ck_assert_str_eq(e.msg, "sealing key: 16 bytes, not 32");
	gbuf_clear(&sealed);
	crypt_box_free(box);
	crypt_box_free(other);
	crypt_box_free(none);
	secret_clear(&shorter);
}
END_TEST

START_TEST(fingerprints_depend_on_key_and_data)
{
	struct secret key = make_key(7), other = make_key(8);
	char a[CRYPT_FP_LEN + 1], b[CRYPT_FP_LEN + 1], c[CRYPT_FP_LEN + 1], id[CRYPT_ID_LEN + 1];

	ck_assert_int_eq(crypt_fingerprint(&key, plain, strlen(plain), a, NULL), ERR_OK);
	ck_assert_int_eq(crypt_fingerprint(&key, plain, strlen(plain), b, NULL), ERR_OK);
	ck_assert_str_eq(a, b);
	ck_assert_uint_eq(strlen(a), CRYPT_FP_LEN);
	ck_assert_int_eq(crypt_fingerprint(&other, plain, strlen(plain), b, NULL), ERR_OK);
	ck_assert_str_ne(a, b);
	ck_assert_int_eq(crypt_fingerprint(&key, "", 0, c, NULL), ERR_OK);
	ck_assert_int_eq(crypt_key_id(&key, id, NULL), ERR_OK);
	ck_assert_str_ne(id, c); /* each use has a key of its own */
	ck_assert_int_eq(crypt_key_id(&other, b, NULL), ERR_OK);
	ck_assert_str_ne(id, b);
	secret_clear(&key);
	secret_clear(&other);
	ck_assert_int_eq(crypt_fingerprint(&key, "", 0, c, NULL), ERR_CRYPTO); /* no key, no name */
}
END_TEST

START_TEST(sha256_of_abc)
{
	char hex[65];

	ck_assert_int_eq(crypt_sha256_hex("abc", 3, hex, NULL), ERR_OK); /* FIPS 180-4, example 1 */
	ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_secret_owns_its_bytes_and_gives_them_up_wiped, 0),
	UNIT_CASE(random_keys_differ, 0),
	UNIT_CASE(what_was_sealed_opens_and_never_looks_the_same_twice, 0),
	UNIT_CASE(every_flipped_bit_of_a_sealed_value_is_seen, 0),
	UNIT_CASE(another_key_or_another_row_does_not_open, 0),
	UNIT_CASE(fingerprints_depend_on_key_and_data, 0),
	UNIT_CASE(sha256_of_abc, 0),
};

UNIT_SUITE_MAIN("crypt", cases)
