#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/str.h"
#include "lib/lwm2m/object_model.h"

#define NUMBERS_MAX 16

struct cursor {
	const char *at, *end;
};

static void
blanks(struct cursor *c)
{
	while (c->at < c->end && *c->at == ' ')
		c->at++;
}

static bool
number(struct cursor *c, int64_t *out)
{
	blanks(c);
	const char *start = c->at;
	if (c->at < c->end && *c->at == '-')
		c->at++;
	while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
		c->at++;
	return str_to_i64(start, (size_t)(c->at - start), INT64_MIN, INT64_MAX, out);
}

enum between { BETWEEN_DOTS, BETWEEN_DASH, BETWEEN_COMMA, BETWEEN_NONE };

/* What the registry writes between two numbers; the longest first. */
static enum between
separator(struct cursor *c)
{
	static const struct {
		const char *text;
		enum between is;
	} words[] = {
		{ "...", BETWEEN_DOTS },
		{ "..", BETWEEN_DOTS },
		{ "-", BETWEEN_DASH },
		{ "\xe2\x80\x93", BETWEEN_DASH }, /* U+2013, from a word processor */
		{ ",", BETWEEN_COMMA },
	};

	blanks(c);
	for (size_t i = 0; i < N_ELEMS(words); i++) {
		size_t len = strlen(words[i].text);

		if ((size_t)(c->end - c->at) >= len && memcmp(c->at, words[i].text, len) == 0) {
			c->at += len;
			return words[i].is;
		}
	}
	return BETWEEN_NONE;
}

/* The end of the text without the word for octets, where lengths are meant. */
static void
strip_octets(struct cursor *c)
{
	static const char *const words[] = { "bytes", "byte", "octets", "octet" };

	for (size_t i = 0; i < N_ELEMS(words); i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(c->end - c->at) > len &&
		    strncasecmp(c->end - len, words[i], len) == 0) {
			c->end -= len;
			break;
		}
	}
	while (c->end > c->at && c->end[-1] == ' ')
		c->end--;
}

static bool
join(const int64_t *n, size_t count, char out[LWM2M_RANGE_LEN + 1])
{
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		int w = snprintf(
		    out + len, LWM2M_RANGE_LEN + 1 - len, "%s%" PRId64, i > 0 ? "," : "", n[i]);

		if (w < 0 || (size_t)w > LWM2M_RANGE_LEN - len)
			return false;
		len += (size_t)w;
	}
	return true;
}

static bool
from_list(const int64_t *n, size_t count, struct lwm2m_range *out)
{
	if (!join(n, count, out->text))
		return false;
	out->min = out->max = n[0];
	for (size_t i = 1; i < count; i++) {
		out->min = MIN(out->min, n[i]);
		out->max = MAX(out->max, n[i]);
	}
	return true;
}

static bool
from_ends(const int64_t n[2], struct lwm2m_range *out)
{
	if (n[0] > n[1])
		return false;
	out->min = n[0];
	out->max = n[1];
	(void)snprintf(out->text, sizeof out->text, "%" PRId64 "..%" PRId64, n[0], n[1]);
	return true;
}

static bool
read_numbers(struct cursor c, bool lengths, struct lwm2m_range *out)
{
	int64_t n[NUMBERS_MAX];
	size_t count = 0;
	enum between sep = BETWEEN_NONE;

	if (lengths)
		strip_octets(&c);
	while (count < NUMBERS_MAX && number(&c, &n[count])) {
		count++;
		if (c.at == c.end)
			break;
		enum between s = separator(&c);
		if (s == BETWEEN_NONE || (count > 1 && s != sep))
			return false;
		sep = s;
	}
	/* "0..", "0..5..9" and "7" for a number say nothing that could be held against a value */
	if (c.at != c.end || count == 0)
		return false;
	if (count == 1)
		return sep == BETWEEN_NONE && lengths && from_list(n, 1, out);
	if (sep == BETWEEN_COMMA || (sep == BETWEEN_DASH && count > 2))
		return from_list(n, count, out);
	return count == 2 && from_ends(n, out);
}

void
lwm2m_range_read(const char *s, size_t n, enum lwm2m_type type, struct lwm2m_range *out)
{
	struct lwm2m_range r = { .bounded = false };

	*out = (struct lwm2m_range){ .bounded = false };
	if (read_numbers((struct cursor){ s, s + n }, lwm2m_type_has_bytes(type), &r)) {
		*out = r;
		out->bounded = true;
		return;
	}
	memcpy(out->text, s, MIN(n, (size_t)LWM2M_RANGE_LEN));
}
