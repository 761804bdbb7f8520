/* What a client looks at before it says 2.04 to Finish: a table of rules over the whole tree. */
#include "tests/sim/device_internal.h"

struct check {
	const struct device_config *cfg;
	const struct lwm2m_tree *t;
	struct gbuf *why;
};

static bool
fault(const struct check *c, struct lwm2m_path p, const char *what)
{
	gbuf_printf(c->why, "%s: %s", lwm2m_path_str(p).s, what);
	return false;
}

static const struct lwm2m_value *
get(const struct check *c, struct lwm2m_path instance, uint16_t r)
{
	return lwm2m_tree_get(c->t, lwm2m_path_child(instance, r));
}

static bool
has(const struct check *c, struct lwm2m_path instance, uint16_t r)
{
	return lwm2m_tree_has(c->t, lwm2m_path_child(instance, r));
}

/* absent when there is none. */
static int64_t
number(const struct check *c, struct lwm2m_path instance, uint16_t r, int64_t absent)
{
	const struct lwm2m_value *v = get(c, instance, r);
	int64_t n = 0;
	return v != NULL && lwm2m_value_number(v, &n) ? n : absent;
}

static const struct secret *
bytes(const struct check *c, struct lwm2m_path instance, uint16_t r)
{
	static const struct secret none = { NULL, 0 };
	const struct lwm2m_value *v = get(c, instance, r);
	return v != NULL && lwm2m_type_has_bytes(v->type) ? &v->bytes : &none;
}

static bool
is_account(const struct check *c, struct lwm2m_path security)
{
	return number(c, security, 1, 0) == 1;
}

static bool
quirk(const struct check *c, enum device_quirk q)
{
	return device_quirk_has(&c->cfg->quirks, q);
}

static bool
begins(const struct secret *s, const char *with)
{
	return s->len >= strlen(with) && memcmp(s->data, with, strlen(with)) == 0;
}

/* --- /0 ------------------------------------------------------------------------------------- */

enum { MODE_PSK = 0, MODE_RPK = 1, MODE_X509 = 2, MODE_NOSEC = 3, MODE_EST = 4 };

static bool
check_keys(const struct check *c, struct lwm2m_path p, int64_t mode)
{
	bool pair = bytes(c, p, 3)->len > 0 && bytes(c, p, 5)->len > 0;
	if (mode == MODE_RPK && quirk(c, DEVICE_Q_NO_RPK))
		return fault(c, p, "raw public keys are not built in");
	if (mode <= MODE_X509 && !pair)
		return fault(c, p, "Public Key or Identity (3) or Secret Key (5) is empty");
	if ((mode == MODE_RPK || mode == MODE_X509) && bytes(c, p, 4)->len == 0 &&
	    number(c, p, 15, 3) > 1)
		return fault(c, p, "Server Public Key (4) is empty");
	if (number(c, p, 13, 0) == 2 || number(c, p, 13, 0) > 3)
		return fault(c, p, "Matching Type (13) is none that is known here");
	if (number(c, p, 15, 3) > 3)
		return fault(c, p, "Certificate Usage (15) is over 3");
	return true;
}

static bool
check_uri(const struct check *c, struct lwm2m_path p, int64_t mode)
{
	const struct secret *uri = bytes(c, p, 0);
	bool plain = begins(uri, "coap://") || begins(uri, "coap+tcp://");
	bool secure = begins(uri, "coaps://") || begins(uri, "coaps+tcp://");
	if (!plain && !secure)
		return fault(c, p, "LWM2M Server URI (0) is none of coap or coaps");
	if (plain != (mode == MODE_NOSEC))
		return fault(c, p, "scheme of the LWM2M Server URI (0) against Security Mode (2)");
	return true;
}

static bool
check_security(const struct check *c, struct lwm2m_path p)
{
	if (!has(c, p, 0) || !has(c, p, 1) || !has(c, p, 2))
		return fault(
		    c, p, "one of LWM2M Server URI, Bootstrap-Server, Security Mode is missing");
	int64_t mode = number(c, p, 2, -1), ssid = number(c, p, 10, 0);
	if (mode < 0 || mode > MODE_EST)
		return fault(c, p, "Security Mode (2) is none");
	if (!is_account(c, p) && (ssid < 1 || ssid > 65534))
		return fault(c, p, "Short Server ID (10) is missing or out of range");
	const struct lwm2m_value *oscore = get(c, p, 17);
	if (oscore != NULL && oscore->type == LWM2M_OBJLNK &&
	    !lwm2m_tree_has(c->t, lwm2m_path2(oscore->link.object, oscore->link.instance)))
		return fault(c, p, "OSCORE Security Mode (17) links to nothing");
	return check_uri(c, p, mode) && check_keys(c, p, mode);
}

/* One transport per Short Server ID: coap and coaps are one, both +tcp are another. */
static bool
same_transport(const struct check *c, struct lwm2m_path a, struct lwm2m_path b)
{
	const struct secret *u[2] = { bytes(c, a, 0), bytes(c, b, 0) };
	bool tcp[2];
	for (int i = 0; i < 2; i++)
		tcp[i] = begins(u[i], "coap+tcp://") || begins(u[i], "coaps+tcp://");
	return tcp[0] == tcp[1];
}

/* --- /1 ------------------------------------------------------------------------------------- */

static bool
binding_is_good(const struct check *c, const struct secret *s)
{
	static const char *const old[] = { "U", "UQ", "S", "SQ", "US", "UQS" };
	const char *letters = c->cfg->version == DEVICE_1_2 ? "UTSNMHQ" : "UTSNQ";
	if (c->cfg->version == DEVICE_1_0) {
		for (size_t i = 0; i < N_ELEMS(old); i++)
			if (secret_equal_bytes(s, old[i], strlen(old[i])))
				return true;
		return false;
	}
	for (size_t i = 0; i < s->len; i++)
		if (s->data[i] == 0 || strchr(letters, s->data[i]) == NULL ||
		    memchr(s->data, s->data[i], i) != NULL)
			return false;
	return s->len > 0;
}

static bool
check_server(const struct check *c, struct lwm2m_path p)
{
	static const struct {
		uint16_t res;
		int64_t min;
		const char *what;
	} least[] = {
		{ 2, 0, "Default Minimum Period (2) is negative" },
		{ 3, 1, "Default Maximum Period (3) is not positive" },
		{ 5, 0, "Disable Timeout (5) is negative" },
		{ 17, 1, "Communication Retry Count (17) is 0" },
		{ 20, 1, "Communication Sequence Retry Count (20) is 0" },
	};
	int64_t ssid = number(c, p, 0, 0);
	if (ssid < 1 || ssid > 65534)
		return fault(c, p, "Short Server ID (0) is missing or out of range");
	if (!has(c, p, 1) || !has(c, p, 6) || !has(c, p, 7))
		return fault(c, p, "one of Lifetime, Notification Storing, Binding is missing");
	if (!binding_is_good(c, bytes(c, p, 7)))
		return fault(c, p, "Binding (7) is none");
	for (size_t i = 0; i < N_ELEMS(least); i++)
		if (number(c, p, least[i].res, INT64_MAX) < least[i].min)
			return fault(c, p, least[i].what);
	if (has(c, p, 22) && (bytes(c, p, 22)->len != 1 || !binding_is_good(c, bytes(c, p, 22))))
		return fault(c, p, "Preferred Transport (22) is not one letter");
	return true;
}

/* --- All together --------------------------------------------------------------------------- */

#define INSTANCES_MAX 64
struct instances {
	struct lwm2m_path v[INSTANCES_MAX];
	size_t n;
};

static void
instances_of(const struct check *c, uint16_t oid, struct instances *out)
{
	struct lwm2m_span all = lwm2m_tree_under(c->t, lwm2m_path1(oid)), sub;
	size_t at = 0;
	out->n = 0;
	while (out->n < INSTANCES_MAX &&
	       lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &out->v[out->n], &sub))
		out->n++;
}

static bool
check_accounts(const struct check *c, const struct instances *security)
{
	size_t accounts = 0;
	for (size_t i = 0; i < security->n; i++) {
		struct lwm2m_path p = security->v[i];
		if (!check_security(c, p))
			return false;
		accounts += is_account(c, p);
		for (size_t k = 0; k < i && !is_account(c, p); k++)
			if (!is_account(c, security->v[k]) &&
			    number(c, p, 10, 0) == number(c, security->v[k], 10, 0) &&
			    same_transport(c, p, security->v[k]))
				return fault(c, p, "the same Short Server ID and transport twice");
	}
	if (accounts > 1)
		return fault(c, lwm2m_path1(LWM2M_SECURITY), "more than one bootstrap account");
	if (security->n == accounts)
		return fault(c, lwm2m_path1(LWM2M_SECURITY), "no server account");
	return true;
}

/* Every Short Server ID of one Object is one of the other's too. */
static bool
check_pairs(const struct check *c, const struct instances *security, const struct instances *server)
{
	for (size_t i = 0; i < security->n; i++) {
		bool found = is_account(c, security->v[i]);
		for (size_t k = 0; k < server->n && !found; k++)
			found = number(c, security->v[i], 10, 0) == number(c, server->v[k], 0, -1);
		if (!found)
			return fault(c, security->v[i], "no /1 instance with its Short Server ID");
	}
	for (size_t i = 0; i < server->n; i++) {
		bool found = false;
		for (size_t k = 0; k < security->n && !found; k++)
			found = !is_account(c, security->v[k]) &&
			        number(c, security->v[k], 10, -1) == number(c, server->v[i], 0, 0);
		if (!found)
			return fault(c, server->v[i], "no /0 instance with its Short Server ID");
		for (size_t k = 0; k < i; k++)
			if (number(c, server->v[i], 0, 0) == number(c, server->v[k], 0, 0))
				return fault(c, server->v[i], "the same Short Server ID twice");
	}
	return true;
}

bool
device_tree_is_consistent(
    const struct device_config *cfg, const struct lwm2m_tree *t, struct gbuf *why)
{
	struct check c = { .cfg = cfg, .t = t, .why = why };
	struct instances security, server;
	instances_of(&c, LWM2M_SECURITY, &security);
	instances_of(&c, LWM2M_SERVER, &server);
	for (size_t i = 0; i < server.n; i++)
		if (!check_server(&c, server.v[i]))
			return false;
	if (!check_accounts(&c, &security) || !check_pairs(&c, &security, &server))
		return false;
	if (device_quirk_has(&cfg->quirks, DEVICE_Q_NEEDS_BINDING_MODES) &&
	    !lwm2m_tree_has(t, lwm2m_path3(LWM2M_DEVICE, 0, 16)))
		return fault(
		    &c, lwm2m_path2(LWM2M_DEVICE, 0), "no Supported Binding and Modes (16)");
	return true;
}
