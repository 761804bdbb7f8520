#include "lib/lwm2m/path.h"

#include "lib/base/str.h"

static size_t
digits(const char *s, size_t n)
{
	size_t len = 0;

	while (len < n && s[len] >= '0' && s[len] <= '9')
		len++;
	return len;
}

enum err_code
lwm2m_path_parse(const char *s, size_t n, struct lwm2m_path *out, struct err *e)
{
	struct lwm2m_path p = { .depth = 0 };
	size_t pos = 0;

	if (n == 0 || s[0] != '/')
		return err_set(e, ERR_PARSE, "path: must begin with '/'");
	if (n == 1) {
		*out = p;
		return ERR_OK;
	}
	while (pos < n) {
		uint64_t id;

		if (s[pos] != '/')
			return err_set(
			    e, ERR_PARSE, "path: a sign that is no digit, at %zu", pos + 1);
		if (p.depth == LWM2M_RES_INSTANCE)
			return err_set(e, ERR_PARSE, "path: more than four ids");
		size_t len = digits(s + pos + 1, n - pos - 1);
		if (len == 0)
			return err_set(
			    e, ERR_PARSE, "path: an id is missing behind the '/' at %zu", pos + 1);
		if (len > 1 && s[pos + 1] == '0')
			return err_set(e, ERR_PARSE, "path: an id has a leading zero");
		if (!str_to_u64(s + pos + 1, len, 0, LWM2M_ID_MAX, &id))
			return err_set(e, ERR_RANGE, "path: an id is above %d", LWM2M_ID_MAX);
		p.id[p.depth++] = (uint16_t)id;
		pos += 1 + len;
	}
	*out = p;
	return ERR_OK;
}

/* Decimal digits of id at to; how many. Transcripts print many paths: snprintf would show there. */
static size_t
put_id(char *to, uint16_t id)
{
	char digit[5];
	size_t n = 0, len;

	if (id < 10) {
		*to = (char)('0' + id);
		return 1;
	}
	do {
		digit[n++] = (char)('0' + id % 10);
		id /= 10;
	} while (id > 0);
	len = n;
	while (n > 0)
		*to++ = digit[--n];
	return len;
}

struct lwm2m_path_str
lwm2m_path_str(struct lwm2m_path p)
{
	struct lwm2m_path_str out = { .s = "/" };
	size_t n = 0;

	for (uint8_t i = 0; i < p.depth; i++) {
		out.s[n++] = '/';
		n += put_id(out.s + n, p.id[i]);
	}
	return out;
}
