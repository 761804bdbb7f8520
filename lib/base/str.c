#include "lib/base/str.h"

#include <stdlib.h>

bool
str_to_u64(const char *s, size_t n, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(s[i] - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (v < min || v > max)
		return false;
	*out = v;
	return true;
}

bool
str_to_i64(const char *s, size_t n, int64_t min, int64_t max, int64_t *out)
{
	bool negative = n > 0 && s[0] == '-';
	uint64_t bound = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
	uint64_t magnitude;

	if (!str_to_u64(s + negative, n - negative, 0, bound, &magnitude))
		return false;
	/* -(m - 1) - 1: the only way to INT64_MIN without leaving the type */
	int64_t v = negative && magnitude > 0 ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
	if (v < min || v > max)
		return false;
	*out = v;
	return true;
}

/* Bytes of the character at p (1..4), 0 when there is none: RFC 3629 section 4. */
static size_t
utf8_len(const uint8_t *p, size_t left)
{
	static const struct {
		uint8_t first, last;	   /* of the first byte */
		uint8_t second_min, second_max; /* no overlong forms, no surrogates, nothing past U+10FFFF */
		uint8_t len;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	if (p[0] >= 0x01 && p[0] <= 0x7f)
		return 1;
	for (size_t i = 0; i < N_ELEMS(forms); i++) {
		if (p[0] < forms[i].first || p[0] > forms[i].last)
			continue;
		if (left < forms[i].len)
			return 0;
		if (p[1] < forms[i].second_min || p[1] > forms[i].second_max)
			return 0;
		for (size_t k = 2; k < forms[i].len; k++) {
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		}
		return forms[i].len;
	}
	return 0;
}

/* What changes the lines or the direction of the text around it: U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069. */
static bool
moves_text(const uint8_t *p)
{
	if (p[0] != 0xe2)
		return false;
	return p[1] == 0x80 ? p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae) :
			      p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9;
}

/* As utf8_len(), and 0 for a control character too (C0, DEL, C1), and for what moves other text. */
static size_t
printable_len(const uint8_t *p, size_t left)
{
	size_t len = utf8_len(p, left);

	if (len == 3 && moves_text(p))
		return 0;
	if (len == 1 && (p[0] < 0x20 || p[0] == 0x7f))
		return 0;
	if (len == 2 && p[0] == 0xc2 && p[1] < 0xa0)
		return 0;
	return len;
}

/* Eight bytes, all of them printable ASCII. */
static bool
eight_plain(const uint8_t *p)
{
	const uint64_t each = 0x0101010101010101U, high = each * 0x80;
	uint64_t v;

	memcpy(&v, p, sizeof v);
	uint64_t del = v ^ (each * 0x7f); /* 0 where there is a DEL */
	return ((v | ((v - each * 0x20) & ~v) | ((del - each) & ~del)) & high) == 0;
}

static bool
all_chars(const void *s, size_t n, size_t (*len_of)(const uint8_t *, size_t))
{
	const uint8_t *p = s;

	for (size_t i = 0; i < n;) {
		if (n - i >= 8 && eight_plain(p + i)) {
			i += 8;
			continue;
		}
		size_t len = len_of(p + i, n - i);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

bool
str_is_utf8(const void *s, size_t n)
{
	return all_chars(s, n, utf8_len);
}

bool
str_is_printable(const char *s, size_t n)
{
	return all_chars(s, n, printable_len);
}

bool
str_glob(const char *pattern, const char *s)
{
	const char *star = NULL, *resume = s;

	while (*s != 0) {
		if (*pattern == '*') {
			star = pattern++; /* tried with no character first */
			resume = s;
		} else if (*pattern == '?' || *pattern == *s) {
			pattern++;
			s++;
		} else if (star != NULL) {
			pattern = star + 1; /* the last star takes one more */
			s = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == 0;
}

bool
str_to_seconds(const char *s, size_t n, uint64_t *out)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	uint64_t factor = 1, v;

	for (size_t i = 0; n > 0 && i < N_ELEMS(units); i++) {
		if (s[n - 1] == units[i].unit) {
			factor = units[i].seconds;
			n--;
			break;
		}
	}
	if (!str_to_u64(s, n, 0, UINT64_MAX / factor, &v))
		return false;
	*out = v * factor;
	return true;
}

#define NEAREST_MAX 64

/* Edits between both texts of at most NEAREST_MAX bytes, a swap of neighbours counted once. */
static size_t
edits(const char *a, size_t n, const char *b, size_t m)
{
	uint8_t rows[3][NEAREST_MAX + 1]; /* row i of the table is rows[i % 3] */

	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (uint8_t)j;
	for (size_t i = 1; i <= n; i++) {
		uint8_t *now = rows[i % 3], *up = rows[(i - 1) % 3], *up2 = rows[(i + 1) % 3];

		now[0] = (uint8_t)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned best = up[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);

			best = MIN(best, up[j] + 1U);
			best = MIN(best, now[j - 1] + 1U);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = MIN(best, up2[j - 2] + 1U);
			now[j] = (uint8_t)best;
		}
	}
	return rows[n % 3][m];
}

const char *
str_nearest(const char *word, const char *const *candidates, size_t n)
{
	size_t len = strlen(word);
	size_t best = MAX(len / 3, (size_t)1) + 1; /* one edit more than allowed */
	const char *found = NULL;

	if (len == 0 || len > NEAREST_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t m = strlen(candidates[i]);
		if (m > NEAREST_MAX)
			continue;
		size_t d = edits(word, len, candidates[i], m);
		if (d < best) {
			best = d;
			found = candidates[i];
		}
	}
	return found;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
str_percent_decode(char *s, size_t *n)
{
	size_t to = 0;

	for (size_t i = 0; i < *n; i++) {
		char c = s[i];
		if (c == '%') {
			if (*n - i < 3 || hex_digit(s[i + 1]) < 0 || hex_digit(s[i + 2]) < 0)
				return false;
			c = (char)(hex_digit(s[i + 1]) << 4 | hex_digit(s[i + 2]));
			i += 2;
		}
		if (c == 0)
			return false;
		s[to++] = c;
	}
	*n = to;
	return true;
}

char *
str_dup_n(const char *s, size_t n)
{
	char *copy = n == SIZE_MAX ? NULL : malloc(n + 1);

	if (copy != NULL) {
		if (n > 0)
			memcpy(copy, s, n);
		copy[n] = 0;
	}
	return copy;
}

static void
quote_byte(struct gbuf *out, uint8_t c)
{
	static const struct {
		char c;
		const char *text;
	} short_forms[] = { { '\n', "\\n" }, { '\r', "\\r" }, { '\t', "\\t" } };

	for (size_t i = 0; i < N_ELEMS(short_forms); i++) {
		if (c == (uint8_t)short_forms[i].c) {
			gbuf_str(out, short_forms[i].text);
			return;
		}
	}
	gbuf_printf(out, "\\x%02x", c);
}

/* How many of the first bytes are printable ASCII and stand as they are. */
static size_t
plain_run(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\')
		i++;
	return i;
}

void
str_quote(struct gbuf *out, const char *s, size_t n)
{
	const uint8_t *p = (const uint8_t *)s;

	for (size_t i = 0; i < n;) {
		size_t len = plain_run(p + i, n - i);

		if (len > 0) {
			gbuf_put(out, p + i, len);
			i += len;
			continue;
		}
		len = printable_len(p + i, n - i);

		if (len == 0) {
			quote_byte(out, p[i++]);
			continue;
		}
		if (p[i] == '"' || p[i] == '\\')
			gbuf_u8(out, '\\');
		gbuf_put(out, p + i, len);
		i += len;
	}
}
