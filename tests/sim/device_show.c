/* What a device shows: Bootstrap-Discover and Bootstrap-Read. */
#include "lib/lwm2m/format.h"
#include "tests/sim/device_internal.h"

#define LINK_FORMAT 40

/* Objects that are listed without instances too, when the device has them. */
static const uint16_t standing[] = { 1, 2, 3 };

bool
device_account(const struct lwm2m_tree *t, uint16_t *iid)
{
	for (size_t i = 0; i < t->n && t->nodes[i].path.id[0] == LWM2M_SECURITY; i++) {
		const struct lwm2m_node *n = &t->nodes[i];
		if (n->path.depth == LWM2M_RESOURCE && n->path.id[2] == 1 &&
		    n->value.type == LWM2M_BOOLEAN && n->value.b) {
			*iid = n->path.id[1];
			return true;
		}
	}
	return false;
}

static bool
is_account(const struct lwm2m_tree *t, uint16_t iid)
{
	const struct lwm2m_value *v = lwm2m_tree_get(t, lwm2m_path3(LWM2M_SECURITY, iid, 1));
	return v != NULL && v->type == LWM2M_BOOLEAN && v->b;
}

static int64_t
number_at(const struct lwm2m_tree *t, uint16_t o, uint16_t i, uint16_t r)
{
	const struct lwm2m_value *v = lwm2m_tree_get(t, lwm2m_path3(o, i, r));
	int64_t n = 0;
	return v != NULL && lwm2m_value_number(v, &n) ? n : 0;
}

/* The Short Server ID whose account uses this OSCORE instance; 0: none, or the bootstrap account.
 */
static int64_t
oscore_ssid(const struct lwm2m_tree *t, uint16_t iid)
{
	for (size_t i = 0; i < t->n && t->nodes[i].path.id[0] == LWM2M_SECURITY; i++) {
		const struct lwm2m_node *n = &t->nodes[i];
		if (n->path.id[2] == 17 && n->value.type == LWM2M_OBJLNK &&
		    n->value.link.instance == iid && !is_account(t, n->path.id[1]))
			return number_at(t, LWM2M_SECURITY, n->path.id[1], 10);
	}
	return 0;
}

static void
put_uri(struct gbuf *out, const struct lwm2m_value *v)
{
	if (v == NULL || !lwm2m_type_has_bytes(v->type))
		return;
	gbuf_str(out, ";uri=\"");
	for (size_t i = 0; i < v->bytes.len; i++) {
		if (v->bytes.data[i] == '"' || v->bytes.data[i] == '\\')
			gbuf_u8(out, '\\');
		gbuf_u8(out, v->bytes.data[i]);
	}
	gbuf_u8(out, '"');
}

static void
put_attributes(
    const struct device *d, const struct lwm2m_tree *t, struct lwm2m_path p, struct gbuf *out)
{
	int64_t ssid = 0;
	if (p.depth != LWM2M_INSTANCE)
		return;
	if (p.id[0] == LWM2M_SECURITY && !is_account(t, p.id[1]))
		ssid = number_at(t, LWM2M_SECURITY, p.id[1], 10);
	else if (p.id[0] == LWM2M_SERVER)
		ssid = number_at(t, LWM2M_SERVER, p.id[1], 0);
	else if (p.id[0] == LWM2M_OSCORE)
		ssid = oscore_ssid(t, p.id[1]);
	if (ssid != 0)
		gbuf_printf(out, ";ssid=%lld", (long long)ssid);
	if (ssid != 0 && p.id[0] == LWM2M_SECURITY && d->cfg->version != DEVICE_1_0 &&
	    !device_has(d, DEVICE_Q_DISCOVER_NO_URI))
		put_uri(out, lwm2m_tree_get(t, lwm2m_path3(LWM2M_SECURITY, p.id[1], 0)));
}

static void
put_link(const struct device *d, const struct lwm2m_tree *t, struct lwm2m_path p, struct gbuf *out)
{
	if (out->len > 0)
		gbuf_str(out, device_has(d, DEVICE_Q_DISCOVER_BLANKS) ? ", " : ",");
	bool slash = p.depth > LWM2M_ROOT && device_has(d, DEVICE_Q_DISCOVER_SLASHES);
	gbuf_printf(out, "<%s%s>", lwm2m_path_str(p).s, slash ? "/" : "");
	put_attributes(d, t, p, out);
}

static void
put_version(const struct device *d, struct gbuf *out)
{
	const char *v = d->cfg->version == DEVICE_1_2   ? "1.2"
	                : d->cfg->version == DEVICE_1_1 ? "1.1"
	                                                : "1.0";
	if (device_has(d, DEVICE_Q_DISCOVER_NO_VERSION))
		return;
	if (device_has(d, DEVICE_Q_DISCOVER_SAYS_1_0))
		gbuf_str(out, "</>;lwm2m=1.0");
	else if (d->cfg->version == DEVICE_1_0 || device_has(d, DEVICE_Q_DISCOVER_BARE_VERSION))
		gbuf_printf(out, "lwm2m=\"%s\"", v);
	else if (device_has(d, DEVICE_Q_DISCOVER_QUOTED_VERSION))
		gbuf_printf(out, "</>;lwm2m=\"%s\"", v);
	else
		gbuf_printf(out, "</>;lwm2m=%s", v);
}

#define SHOWN_MAX 1000

struct shown {
	struct lwm2m_path v[SHOWN_MAX];
	size_t n;
};

static void
show(struct shown *s, struct lwm2m_path p)
{
	if (s->n < SHOWN_MAX)
		s->v[s->n++] = p;
}

/* The links of one Object. */
static void
show_object(const struct device *d, const struct lwm2m_tree *t, uint16_t oid, struct shown *out)
{
	struct lwm2m_span all = lwm2m_tree_under(t, lwm2m_path1(oid)), sub;
	struct lwm2m_path p;
	size_t at = 0;
	if (all.n == 0 || device_has(d, DEVICE_Q_DISCOVER_OBJECT_LINKS))
		show(out, lwm2m_path1(oid));
	while (lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &p, &sub))
		show(out, p);
}

static void
show_all(const struct device *d, const struct lwm2m_tree *t, struct shown *out)
{
	struct lwm2m_span all = { .nodes = t->nodes, .n = t->n }, sub;
	struct lwm2m_path p;
	size_t at = 0, k = 0;
	while (lwm2m_span_next(&all, LWM2M_OBJECT, &at, &p, &sub)) {
		for (; k < N_ELEMS(standing) && standing[k] <= p.id[0]; k++)
			if (standing[k] < p.id[0] && !device_lacks_object(d->cfg, standing[k]))
				show_object(d, t, standing[k], out);
		show_object(d, t, p.id[0], out);
	}
	for (; k < N_ELEMS(standing); k++)
		if (!device_lacks_object(d->cfg, standing[k]))
			show_object(d, t, standing[k], out);
}

static uint8_t
discover_refusal(const struct device *d, const struct device_command *c)
{
	static const struct {
		enum device_quirk quirk;
		uint8_t code;
	} always[] = {
		{ DEVICE_Q_DISCOVER_4_00, CM_BAD_REQUEST },
		{ DEVICE_Q_DISCOVER_4_04, CM_NOT_FOUND },
		{ DEVICE_Q_DISCOVER_4_05, CM_NOT_ALLOWED },
	};
	for (size_t i = 0; i < N_ELEMS(always); i++)
		if (device_has(d, always[i].quirk))
			return always[i].code;
	if (!c->path_ok || c->at.depth > LWM2M_OBJECT)
		return CM_BAD_REQUEST;
	if (c->at.depth == LWM2M_ROOT && device_has(d, DEVICE_Q_DISCOVER_ROOT_4_00))
		return CM_BAD_REQUEST;
	if (c->at.depth == LWM2M_OBJECT && device_lacks_object(d->cfg, c->at.id[0]))
		return CM_NOT_FOUND;
	return 0;
}

void
device_discover(struct device *d, struct device_command *c, const struct lwm2m_tree *t)
{
	c->code = discover_refusal(d, c);
	if (c->code != 0)
		return;
	struct shown shown = { .n = 0 };
	if (c->at.depth == LWM2M_ROOT)
		show_all(d, t, &shown);
	else
		show_object(d, t, c->at.id[0], &shown);
	put_version(d, &c->payload);
	bool reversed = device_has(d, DEVICE_Q_DISCOVER_REVERSED);
	for (size_t i = 0; i < shown.n; i++)
		put_link(d, t, shown.v[reversed ? shown.n - 1 - i : i], &c->payload);
	c->code = CM_CONTENT;
	c->format = LINK_FORMAT;
}

static uint8_t
read_refusal(const struct device *d, const struct device_command *c, const struct lwm2m_tree *t)
{
	if (device_has(d, DEVICE_Q_READ_4_00))
		return CM_BAD_REQUEST;
	if (d->cfg->version == DEVICE_1_0 || device_has(d, DEVICE_Q_READ_4_05))
		return CM_NOT_ALLOWED;
	if (!c->path_ok)
		return CM_BAD_REQUEST;
	bool server = c->at.id[0] == LWM2M_SERVER && !device_has(d, DEVICE_Q_READ_ONLY_2);
	if (!(server || c->at.id[0] == LWM2M_ACCESS_CONTROL) || c->at.depth == LWM2M_ROOT ||
	    c->at.depth > LWM2M_INSTANCE)
		return CM_NOT_ALLOWED;
	if (device_lacks_object(d->cfg, c->at.id[0]))
		return CM_NOT_FOUND;
	if (c->at.depth == LWM2M_INSTANCE && !lwm2m_tree_has(t, c->at))
		return CM_NOT_FOUND;
	return 0;
}

void
device_read(struct device *d, struct device_command *c, const struct lwm2m_tree *t)
{
	uint32_t accept = coapmsg_uint(c->msg, CM_OPT_ACCEPT, d->cfg->read_format);
	const struct lwm2m_format *f = accept > UINT16_MAX ? NULL : lwm2m_format((uint16_t)accept);
	c->code = read_refusal(d, c, t);
	if (c->code != 0)
		return;
	if (f == NULL || f->single || (device_format_bit(f->number) & d->cfg->formats) == 0) {
		c->code = device_has(d, DEVICE_Q_ACCEPT_4_15) ? CM_BAD_FORMAT : CM_NOT_ACCEPTABLE;
		return;
	}
	if (f->encode(c->at, lwm2m_tree_under(t, c->at), &c->payload, NULL) != ERR_OK) {
		c->code = CM_INTERNAL;
		return;
	}
	c->code = CM_CONTENT;
	c->format = f->number;
}
