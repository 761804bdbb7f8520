/* JSON values as values of resources: types, ranges, units, words, links. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/crypt.h"
#include "lib/base/str.h"
#include "profiles/lower.h"

static bool
wrong_type(struct lower *l, const struct pnode *n, const char *want)
{
	finding_add(l->f, RULE_TYPE, n, "must be %s, is %s", want, pnode_type_name(n));
	return false;
}

/* Seconds in a unit; 0: it is no unit of time. */
static int64_t
unit_seconds(const char *unit)
{
	static const struct {
		const char *unit;
		int64_t seconds;
	} units[] = { { "s", 1 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 } };

	for (size_t i = 0; i < N_ELEMS(units); i++)
		if (strcmp(units[i].unit, unit) == 0)
			return units[i].seconds;
	return 0;
}

/* Of a resource; the registry keeps some only in the description. */
static const char *
unit_of(int oid, const struct lwm2m_res_def *r)
{
	return oid == LWM2M_CELLULAR && r->id == 1 ? "min" : r->unit;
}

static bool
read_duration(
    struct lower *l, const struct pnode *n, int64_t per_unit, const char *unit, int64_t *out)
{
	uint64_t s;

	if (n->n == 0 || (!n->typed && strchr("0123456789", n->s[n->n - 1]) != NULL) ||
	    !str_to_seconds(n->s, n->n, &s) || s > INT64_MAX) {
		finding_add(l->f, RULE_DURATION, n,
		    "\"%.40s\" is no duration: a whole number with s, m, h, d or w behind", n->s);
		return false;
	}
	if (s % (uint64_t)per_unit != 0) {
		finding_add(l->f, RULE_DURATION, n,
		    "%.40s is no whole number of the resource's unit, %s", n->s, unit);
		return false;
	}
	*out = (int64_t)s / per_unit;
	return true;
}

static bool
no_word(struct lower *l, const struct pnode *n, const struct pword *words)
{
	const char *names[32];
	struct gbuf all = { .max = 300 };
	size_t count = 0;

	for (; words[count].word != NULL && count < N_ELEMS(names); count++)
		names[count] = words[count].word;
	const char *near = str_nearest(n->s, names, count);
	pwords_print(words, &all);
	if (near != NULL)
		finding_add(l->f, RULE_WORD, n, "\"%.40s\" is none of %s; did you mean \"%s\"?",
		    n->s, gbuf_cstr(&all), near);
	else
		finding_add(l->f, RULE_WORD, n, "\"%.40s\" is none of %s", n->s, gbuf_cstr(&all));
	gbuf_clear(&all);
	return false;
}

bool
value_word(struct lower *l, const struct pnode *n, const struct pword *words, int64_t *out)
{
	if (n->open)
		return false;
	if (n->type != PN_STRING)
		return wrong_type(l, n, "a word");
	return pword_find(words, n->s, out) || no_word(l, n, words);
}

bool
value_bool(struct lower *l, const struct pnode *n, bool *out)
{
	if (n->open)
		return false;
	if (n->type == PN_BOOL) {
		*out = n->b;
		return true;
	}
	if (n->typed && n->type == PN_STRING &&
	    (strcmp(n->s, "true") == 0 || strcmp(n->s, "false") == 0)) {
		*out = n->s[0] == 't';
		return true;
	}
	return wrong_type(l, n, "true or false");
}

bool
value_seconds(struct lower *l, const struct pnode *n, int64_t min, int64_t max, int64_t *out)
{
	if (n->open)
		return false;
	if (n->type == PN_INT)
		*out = n->i;
	else if (n->type != PN_STRING)
		return wrong_type(l, n, "a duration");
	else if (!read_duration(l, n, 1, "s", out))
		return false;
	if (*out >= min && *out <= max)
		return true;
	finding_add(l->f, RULE_RANGE, n, "must be %" PRId64 "..%" PRId64 " seconds, is %" PRId64,
	    min, max, *out);
	return false;
}

/* One end of a spread, in units of the resource. */
static bool
read_end(const char *s, size_t n, int64_t per_unit, int64_t *out)
{
	uint64_t v;

	if (n == 0)
		return false;
	if (s[n - 1] >= '0' && s[n - 1] <= '9')
		return str_to_i64(s, n, 0, UINT32_MAX, out);
	if (!str_to_seconds(s, n, &v) || v % (uint64_t)per_unit != 0 || v / (uint64_t)per_unit > UINT32_MAX)
		return false;
	*out = (int64_t)(v / (uint64_t)per_unit);
	return true;
}

/*
 * The device's own share of a range: of its name and the resource alone, so that it is the same in
 * every run and on every machine, and one device's says nothing about the next one's.
 */
static bool
share_of(struct lower *l, int oid, uint16_t rid, int64_t width, int64_t *out)
{
	const char *endpoint = profile_doc_name(l->doc);
	struct gbuf text = { 0 };
	char hex[65];
	uint64_t share = 0;

	gbuf_printf(&text, "spread of /%d/%u for %s", oid, (unsigned)rid, endpoint);
	if (text.failed)
		l->rc = err_no_memory(l->e);
	else
		l->rc = crypt_sha256_hex(text.data, text.len, hex, l->e);
	gbuf_clear(&text);
	for (size_t i = 0; l->rc == ERR_OK && i < 12; i++) /* 48 bits: even for the widest range */
		share = share << 4 | (uint64_t)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
	*out = (int64_t)(share % (uint64_t)width);
	return l->rc == ERR_OK;
}

/* {"spread": "0..10m"} */
static bool
read_spread(
    struct lower *l, const struct pnode *n, int oid, const struct lwm2m_res_def *r, int64_t *out)
{
	const struct pnode *range = pnode_get(n, "spread");
	int64_t per_unit = unit_seconds(unit_of(oid, r)), from, to;
	const char *dots;

	if (range == NULL || n->n != 1) {
		finding_add(l->f, RULE_SPREAD, n, "must be {\"spread\": \"FROM..TO\"} and nothing else");
		return false;
	}
	if (range->open)
		return false;
	dots = range->type != PN_STRING ? NULL : strstr(range->s, "..");
	if (dots == NULL || !read_end(range->s, (size_t)(dots - range->s), per_unit, &from) ||
	    !read_end(dots + 2, strlen(dots + 2), per_unit, &to) || from > to) {
		finding_add(l->f, RULE_SPREAD, range, "must be two durations with .. between, such as \"0..10m\"");
		return false;
	}
	if (lower_partial(l) || profile_doc_name(l->doc) == NULL)
		return false; /* whose it is, is not known yet */
	if (!share_of(l, oid, r->id, to - from + 1, out))
		return false;
	*out += from;
	return true;
}

static bool
read_integer(
    struct lower *l, const struct pnode *n, int oid, const struct lwm2m_res_def *r, int64_t *out)
{
	const struct pword *words = pwords(oid, r->id);
	int64_t per_unit = unit_seconds(unit_of(oid, r));

	if (n->type == PN_INT) {
		*out = n->i;
	} else if (n->type == PN_OBJECT && per_unit > 0 && words == NULL) {
		return read_spread(l, n, oid, r, out);
	} else if (n->type != PN_STRING) {
		return wrong_type(l, n,
		    per_unit > 0    ? "a number, a duration or {\"spread\": \"FROM..TO\"}"
		    : words != NULL ? "a word or its number"
		                    : "a whole number");
	} else if (words != NULL &&
	           !(n->typed && str_to_i64(n->s, n->n, INT64_MIN, INT64_MAX, out))) {
		if (!value_word(l, n, words, out))
			return false;
	} else if (words == NULL && per_unit > 0) {
		if (!read_duration(l, n, per_unit, unit_of(oid, r), out))
			return false;
	} else if (!n->typed || !str_to_i64(n->s, n->n, INT64_MIN, INT64_MAX, out)) {
		return words != NULL || wrong_type(l, n, "a whole number");
	}
	if (*out >= 0 || (per_unit == 0 && r->type != LWM2M_UNSIGNED))
		return true;
	finding_add(l->f, RULE_RANGE, n, "must not be negative, is %" PRId64, *out);
	return false;
}

static bool
two_digits(const char *s, int *out)
{
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return false;
	*out = (s[0] - '0') * 10 + s[1] - '0';
	return true;
}

/* Days from 1970-01-01 in the Gregorian calendar. */
static int64_t
days_of(int y, int m, int d)
{
	int64_t year = m <= 2 ? y - 1 : y;
	int64_t era = year / 400, yoe = year - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* "2026-01-31T23:59:59Z" */
static bool
read_rfc3339(const char *s, int64_t *out)
{
	static const int month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int c, y, mo, d, h, mi, sec;

	if (strlen(s) != 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' ||
	    s[16] != ':' || s[19] != 'Z' || !two_digits(s, &c) || !two_digits(s + 2, &y) ||
	    !two_digits(s + 5, &mo) || !two_digits(s + 8, &d) || !two_digits(s + 11, &h) ||
	    !two_digits(s + 14, &mi) || !two_digits(s + 17, &sec))
		return false;
	y += c * 100;
	bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
	if (mo < 1 || mo > 12 || d < 1 || d > month_days[mo - 1] || (mo == 2 && d == 29 && !leap) ||
	    h > 23 || mi > 59 || sec > 59)
		return false;
	*out = days_of(y, mo, d) * 86400 + (int64_t)h * 3600 + (int64_t)mi * 60 + sec;
	return true;
}

static bool
read_time(struct lower *l, const struct pnode *n, int64_t *out)
{
	if (n->type == PN_INT) {
		*out = n->i;
		return true;
	}
	if (n->type == PN_STRING && read_rfc3339(n->s, out))
		return true;
	return wrong_type(l, n, "seconds since 1970 or text such as \"2026-01-31T23:59:59Z\"");
}

static int
find_apn(const struct lower *l, const char *name)
{
	for (size_t i = 0; i < l->n_apns; i++)
		if (strcmp(l->apns[i]->key, name) == 0)
			return (int)i;
	return -1;
}

/* apn_link and alternate_apn_links lead to Object 11: a local name will do. */
static bool
is_apn_link(int oid, uint16_t rid)
{
	return oid == LWM2M_SERVER && (rid == 10 || rid == 24);
}

static bool
read_link(struct lower *l, const struct pnode *n, int oid, uint16_t rid, struct lwm2m_value *out)
{
	uint64_t o, i;
	const char *colon;

	if (n->type != PN_STRING)
		return wrong_type(l, n, "a link such as \"11:0\"");
	colon = strchr(n->s, ':');
	if (colon != NULL && str_to_u64(n->s, (size_t)(colon - n->s), 0, 65535, &o) &&
	    str_to_u64(colon + 1, strlen(colon + 1), 0, 65535, &i)) {
		*out = lwm2m_link((uint16_t)o, (uint16_t)i);
		if (is_apn_link(oid, rid) && o == LWM2M_APN && i < l->n_apns)
			l->apn_linked[i] = true;
		return true;
	}
	int k = is_apn_link(oid, rid) ? find_apn(l, n->s) : -1;
	if (k >= 0) {
		l->apn_linked[k] = true;
		*out = lwm2m_link(LWM2M_APN, (uint16_t)k);
		return true;
	}
	if (is_apn_link(oid, rid))
		finding_add(l->f, RULE_LINK, n, "there is no APN profile \"%.64s\"", n->s);
	else
		finding_add(
		    l->f, RULE_TYPE, n, "must be a link such as \"11:0\", is \"%.40s\"", n->s);
	return false;
}

static bool
read_string(
    struct lower *l, const struct pnode *n, const struct lwm2m_res_def *r, struct lwm2m_value *out)
{
	struct secret s;

	if (n->type == PN_OBJECT && r->secret) {
		if (material_read(l, n, true, &s) != MATERIAL_OK)
			return false;
		if (!str_is_utf8(s.data, s.len)) {
			secret_clear(&s);
			finding_add(l->f, RULE_KEY_MATERIAL, n, "must be text, is not UTF-8");
			return false;
		}
		*out = (struct lwm2m_value){ .type = r->type, .bytes = s };
		return true;
	}
	if (n->type != PN_STRING)
		return wrong_type(l, n, "a string");
	if (lwm2m_value_bytes(out, r->type, n->s, n->n, l->e) == ERR_OK)
		return true;
	l->rc = ERR_NO_MEMORY;
	return false;
}

/* An identity is text, unless it is a key in PEM. */
static bool
is_identity(const struct pnode *n, int oid, uint16_t rid)
{
	return oid == LWM2M_SECURITY && rid == 3 && n->type == PN_STRING &&
	       strncmp(n->s, "-----", 5) != 0;
}

static bool
read_opaque(struct lower *l, const struct pnode *n, bool text, struct lwm2m_value *out)
{
	struct secret s;

	if (material_read(l, n, text, &s) != MATERIAL_OK)
		return false;
	*out = (struct lwm2m_value){ .type = LWM2M_OPAQUE, .bytes = s };
	return true;
}

static bool
read_float(struct lower *l, const struct pnode *n, double *out)
{
	char *end = NULL;

	if (n->type == PN_INT || n->type == PN_REAL) {
		*out = n->type == PN_INT ? (double)n->i : n->f;
		return true;
	}
	if (n->type == PN_STRING && n->typed && n->n > 0) {
		*out = strtod(n->s, &end);
		if (*end == '\0')
			return true;
	}
	return wrong_type(l, n, "a number");
}

static bool
read_typed(struct lower *l, const struct pnode *n, int oid, const struct lwm2m_res_def *r,
    struct lwm2m_value *out)
{
	int64_t i = 0;
	bool ok = false;

	switch (r->type) {
	case LWM2M_STRING:
	case LWM2M_CORELNK:
		return read_string(l, n, r, out);
	case LWM2M_INTEGER:
		ok = read_integer(l, n, oid, r, &i);
		*out = lwm2m_int(i);
		break;
	case LWM2M_UNSIGNED:
		ok = read_integer(l, n, oid, r, &i);
		*out = lwm2m_uint((uint64_t)i);
		break;
	case LWM2M_TIME:
		ok = read_time(l, n, &i);
		*out = lwm2m_time(i);
		break;
	case LWM2M_FLOAT:
		*out = lwm2m_float(0);
		ok = read_float(l, n, &out->f);
		break;
	case LWM2M_BOOLEAN:
		*out = lwm2m_bool(false);
		ok = value_bool(l, n, &out->b);
		break;
	case LWM2M_OBJLNK:
		ok = read_link(l, n, oid, r->id, out);
		break;
	case LWM2M_OPAQUE:
		return read_opaque(l, n, is_identity(n, oid, r->id), out);
	case LWM2M_NONE:
	case LWM2M__TYPES:
		finding_key(l->f, RULE_NOT_WRITABLE, n, "%s is executed, not written", r->name);
		break;
	}
	return ok;
}

static bool
reserved_id(
    struct lower *l, const struct pnode *n, int oid, uint16_t rid, const struct lwm2m_value *v)
{
	if (!((oid == LWM2M_SERVER && rid == 0) || (oid == LWM2M_SECURITY && rid == 10)) ||
	    (v->i != 0 && v->i != 65535))
		return false;
	finding_add(l->f, RULE_RESERVED_ID, n,
	    "%" PRId64 " is reserved: a Short Server ID is 1..65534", v->i);
	return true;
}

bool
value_read(struct lower *l, const struct pnode *n, int oid, const struct lwm2m_res_def *r,
    struct lwm2m_value *out)
{
	struct err e = { 0 };

	*out = (struct lwm2m_value){ .type = LWM2M_NONE };
	if (n->open)
		return false;
	if (!read_typed(l, n, oid, r, out)) {
		*out = (struct lwm2m_value){ .type = LWM2M_NONE };
		return false;
	}
	if (reserved_id(l, n, oid, r->id, out))
		return false;
	if (lwm2m_value_check(r, out, &e) == ERR_OK)
		return true;
	finding_add(l->f, RULE_RANGE, n, "%s", e.msg);
	lwm2m_value_clear(out);
	return false;
}

static void
put_one(struct lower *l, const struct pnode *n, struct lwm2m_path p, const struct lwm2m_res_def *r)
{
	struct lwm2m_value v;

	if (value_read(l, n, p.id[0], r, &v))
		lower_put(l, p, &v, n);
}

/* A list gives instances 0, 1, ...; a map names them. */
static void
put_many(
    struct lower *l, const struct pnode *n, struct lwm2m_path res, const struct lwm2m_res_def *r)
{
	uint16_t at = 0;

	if (pnode_scalar(n)) {
		if (!n->open)
			(void)wrong_type(l, n, "a list, or an object by instance number");
		return;
	}
	for (const struct pnode *k = n->first; k != NULL && l->rc == ERR_OK; k = k->next) {
		uint64_t id = at++;

		if (n->type == PN_OBJECT &&
		    !str_to_u64(k->key, strlen(k->key), 0, LWM2M_ID_MAX, &id)) {
			finding_key(l->f, RULE_RANGE, k,
			    "\"%.40s\" is no number of a resource instance", k->key);
			continue;
		}
		put_one(l, k, lwm2m_path_child(res, (uint16_t)id), r);
	}
}

void
value_put(
    struct lower *l, const struct pnode *n, struct lwm2m_path inst, const struct lwm2m_res_def *r)
{
	struct lwm2m_path p = lwm2m_path_child(inst, r->id);

	if (r->multiple)
		put_many(l, n, p, r);
	else
		put_one(l, n, p, r);
}

static int
instance_by_name(const struct lower *l, uint16_t oid, const char *name)
{
	if (oid == LWM2M_APN)
		return find_apn(l, name);
	int s = oid == LWM2M_SERVER ? lower_server_by_name(l, name) : -1;
	return s >= 0 ? l->servers[s].iid : -1;
}

/* "/1/dm/13" -> "/1/0/13"; false when there is no name in it, or none that is known. */
static bool
without_name(const struct lower *l, const char *text, char *out, size_t cap)
{
	uint64_t oid;
	char name[PROFILE_NAME_MAX + 1];
	const char *second = text[0] == '/' ? strchr(text + 1, '/') : NULL;

	if (second == NULL ||
	    !str_to_u64(text + 1, (size_t)(second - text - 1), 0, LWM2M_ID_MAX, &oid))
		return false;
	size_t n = strcspn(second + 1, "/");
	if (n == 0 || n >= sizeof name)
		return false;
	memcpy(name, second + 1, n);
	name[n] = '\0';
	int iid = instance_by_name(l, (uint16_t)oid, name);
	return iid >= 0 &&
	       snprintf(out, cap, "/%u/%d%s", (unsigned)oid, iid, second + 1 + n) < (int)cap;
}

bool
value_path(struct lower *l, const struct pnode *at, const char *text, uint8_t min, uint8_t max,
    struct lwm2m_path *out)
{
	char plain[64];
	struct err e = { 0 };
	enum err_code rc = lwm2m_path_parse(text, strlen(text), out, &e);

	if (rc != ERR_OK && without_name(l, text, plain, sizeof plain))
		rc = lwm2m_path_parse(plain, strlen(plain), out, &e);
	if (rc != ERR_OK)
		finding_key(l->f, RULE_PATH, at, "\"%.64s\" is no path: %s", text, e.msg);
	else if (out->depth < min || out->depth > max)
		finding_key(l->f, RULE_PATH, at, "\"%.64s\" is no path of %s", text,
		    max == LWM2M_INSTANCE && min == LWM2M_INSTANCE ? "an instance: /OBJECT/INSTANCE"
		    : max == LWM2M_INSTANCE                        ? "an object or an instance"
		                            : "an object, an instance or a resource");
	else
		return true;
	return false;
}
