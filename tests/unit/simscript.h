/*
 * tests/unit/simscript.h: a scripted bootstrap server for one simulated device: what it sent is
 * looked at message by message, commands are put together by hand.
 */
#ifndef TESTS_UNIT_SIMSCRIPT_H
#define TESTS_UNIT_SIMSCRIPT_H

#include <stdio.h>
#include <string.h>

#include "lib/lwm2m/format.h"
#include "tests/sim/coapmsg.h"
#include "tests/sim/device.h"
#include "tests/unit/unit.h"

#define SENT_MAX 32
struct world {
	struct device_config cfg;
	struct lwm2m_tree initial;
	struct device *d;
	struct gbuf sent[SENT_MAX]; /* datagrams of the device, not yet looked at */
	size_t n_sent, looked;
	unsigned opened, opened_new, closed, complaints, lied;
	enum device_event_type last;
	char text[256];
	uint64_t now, until;
	uint16_t mid;
	uint8_t token;
	struct coapmsg msg; /* the one looked at last */
	struct coapmsg request;
};

static inline void
on_send(void *arg, const uint8_t *p, size_t n)
{
	struct world *w = arg;
	ck_assert_uint_lt(w->n_sent, SENT_MAX);
	gbuf_put(&w->sent[w->n_sent++], p, n);
}

static inline void
on_open(void *arg, bool new_port)
{
	struct world *w = arg;
	w->opened++;
	w->opened_new += new_port;
	if (w->d != NULL)
		device_opened(w->d, w->now);
}

static inline void
on_close(void *arg)
{
	((struct world *)arg)->closed++;
}

static inline void
on_event(void *arg, const struct device_event *ev)
{
	struct world *w = arg;
	w->complaints += ev->type == DEVICE_EV_COMPLAINT;
	w->lied += ev->type == DEVICE_EV_LIED;
	if (ev->type != DEVICE_EV_COMMAND)
		w->last = ev->type;
	if (ev->text != NULL)
		(void)snprintf(w->text, sizeof w->text, "%s", ev->text);
	w->until = ev->until_ms;
}

static const struct device_ops ops = {
	.send = on_send, .open = on_open, .close = on_close, .event = on_event
};

static inline void
ok(enum err_code rc, const struct err *e)
{
	ck_assert_msg(rc == ERR_OK, "%s", e->msg);
}

static inline struct lwm2m_path
at(const char *text)
{
	struct lwm2m_path p;
	struct err e = { ERR_OK, "" };
	ok(lwm2m_path_parse(text, strlen(text), &p, &e), &e);
	return p;
}

static inline void
begin(struct world *w)
{
	struct err e = { ERR_OK, "" };
	struct device_factory f = {
		.account = 1, .uri = "coap://bs.example", .mode = 3, .hold_off = -1
	};
	*w = (struct world){ .mid = 100, .now = 1000 };
	device_config_init(&w->cfg);
	ok(device_factory_tree(&w->initial, &f, &e), &e);
	w->cfg.initial = &w->initial;
}

static inline void
start(struct world *w)
{
	struct err e = { ERR_OK, "" };
	w->d = device_new(&w->cfg, "dev-1", 7, &ops, w, &e);
	ck_assert_msg(w->d != NULL, "%s", e.msg);
	device_start(w->d, w->now);
}

static inline void
end(struct world *w)
{
	device_free(w->d);
	lwm2m_tree_clear(&w->initial);
	for (size_t i = 0; i < SENT_MAX; i++)
		gbuf_clear(&w->sent[i]);
}

/* The next datagram of the device, taken apart in w->msg; false when there is none. */
static inline bool
look(struct world *w)
{
	struct err e = { ERR_OK, "" };
	if (w->looked == w->n_sent)
		return false;
	const struct gbuf *b = &w->sent[w->looked++];
	ok(coapmsg_parse(&w->msg, b->data, b->len, &e), &e);
	return true;
}

static inline void
drop_sent(struct world *w)
{
	for (size_t i = 0; i < w->n_sent; i++)
		gbuf_clear(&w->sent[i]);
	w->n_sent = w->looked = 0;
}

static inline void
feed(struct world *w, const struct coapmsg *m)
{
	struct gbuf b = { 0 };
	coapmsg_write(m, &b);
	device_input(w->d, w->now, b.data, b.len);
	gbuf_clear(&b);
}

static inline void
accept_with(struct world *w, uint8_t code, int max_age)
{
	struct coapmsg m;
	ck_assert(look(w));
	w->request = w->msg;
	coapmsg_init(&m, CM_ACK, code, w->msg.mid, w->msg.token, w->msg.token_len);
	if (max_age >= 0)
		coapmsg_add_uint(&m, CM_OPT_MAX_AGE, (uint32_t)max_age);
	feed(w, &m);
}

static inline void
accept_request(struct world *w)
{
	accept_with(w, CM_CHANGED, -1);
	ck_assert_int_eq(w->last, DEVICE_EV_ACCEPTED);
	drop_sent(w);
}

static inline void
command(struct coapmsg *m, struct world *w, uint8_t code, const char *path)
{
	uint8_t token[2] = { 0xaa, ++w->token };
	coapmsg_init(m, CM_CON, code, ++w->mid, token, sizeof token);
	coapmsg_add_path(m, path);
}

/* Feeds it and gives the code of the piggybacked answer (0: none), w->msg being the answer. */
static inline uint8_t
ask(struct world *w, const struct coapmsg *m)
{
	drop_sent(w);
	feed(w, m);
	if (!look(w))
		return 0;
	ck_assert_int_eq(w->msg.type, CM_ACK);
	ck_assert_uint_eq(w->msg.mid, m->mid);
	return w->msg.code;
}

static inline uint8_t
simple(struct world *w, uint8_t code, const char *path)
{
	struct coapmsg m;
	command(&m, w, code, path);
	return ask(w, &m);
}

static inline uint8_t
get(struct world *w, const char *path, uint32_t accept)
{
	struct coapmsg m;
	command(&m, w, CM_GET, path);
	coapmsg_add_uint(&m, CM_OPT_ACCEPT, accept);
	return ask(w, &m);
}

static inline uint8_t
discover(struct world *w, char *text, size_t cap)
{
	uint8_t code = get(w, "/", 40);
	text[0] = '\0';
	if (w->msg.payload_len > 0)
		(void)snprintf(
		    text, cap, "%.*s", (int)w->msg.payload_len, (const char *)w->msg.payload);
	return code;
}

static inline void
encode(const char *path, const char *json, uint16_t format, struct gbuf *out)
{
	struct err e = { ERR_OK, "" };
	struct lwm2m_tree t = { 0 };
	ok(device_tree_load(lwm2m_model_builtin(), json, strlen(json), &t, &e), &e);
	ok(lwm2m_format(format)->encode(at(path), lwm2m_tree_under(&t, at(path)), out, &e), &e);
	lwm2m_tree_clear(&t);
}

static inline uint8_t
put_as(struct world *w, const char *path, const char *json, uint16_t format)
{
	struct gbuf b = { 0 };
	struct coapmsg m;
	encode(path, json, format, &b);
	command(&m, w, CM_PUT, path);
	coapmsg_add_uint(&m, CM_OPT_CONTENT_FORMAT, format);
	m.payload = b.data;
	m.payload_len = b.len;
	uint8_t code = ask(w, &m);
	gbuf_clear(&b);
	return code;
}

#define SECURITY                                                                                   \
	"{\"/0/0/0\":\"coap://dm.example\",\"/0/0/1\":false,\"/0/0/2\":3,\"/0/0/3\":\"\","         \
	"\"/0/0/4\":\"\",\"/0/0/5\":\"\",\"/0/0/10\":101}"
#define SERVER                                                                                     \
	"{\"/1/0/0\":101,\"/1/0/1\":86400,\"/1/0/5\":86400,\"/1/0/6\":true,\"/1/0/7\":\"U\","      \
	"\"/1/0/13\":1}"

static inline uint8_t
put(struct world *w, const char *path, const char *json)
{
	return put_as(w, path, json, LWM2M_CF_TLV);
}

static inline int64_t
held(const struct world *w, const char *path)
{
	const struct lwm2m_value *v = lwm2m_tree_get(device_tree(w->d), at(path));
	int64_t n = -1;
	return v != NULL && lwm2m_value_number(v, &n) ? n : -1;
}

static inline bool
holds(const struct world *w, const char *path)
{
	return lwm2m_tree_has(device_tree(w->d), at(path));
}

static inline void
lie(struct world *w, const char *text)
{
	struct err e = { ERR_OK, "" };
	ok(device_lie_parse(text, &w->cfg.lies[w->cfg.n_lies++], &e), &e);
}

static inline void
quirk(struct world *w, const char *name)
{
	struct err e = { ERR_OK, "" };
	ok(device_quirk_parse(name, &w->cfg.quirks, &e), &e);
}

#endif
