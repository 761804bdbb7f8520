/* A command comes in, its answer goes out: repetition, blocks, lies, and the ways to answer. */
#include "tests/sim/device_internal.h"

static const uint8_t junk[] = { 0xff, 0x00, 0xc3, 0x28, 0x9f, 0x7b, 0x22, 0xfe, 0x01 };

/* --- Repetition ------------------------------------------------------------------------------ */

static struct device_memory *
recall(struct device *d, uint16_t mid, uint64_t now_ms)
{
	for (size_t i = 0; i < DEVICE_REMEMBERED; i++)
		if (d->memory[i].mid == mid && d->memory[i].until_ms > now_ms)
			return &d->memory[i];
	return NULL;
}

static struct device_memory *
remember(struct device *d, uint16_t mid, uint64_t now_ms)
{
	struct device_memory *m = &d->memory[d->memory_at++ % DEVICE_REMEMBERED];
	gbuf_reset(&m->answer);
	m->mid = mid;
	m->until_ms = now_ms + DEVICE_REMEMBERED_MS;
	return m;
}

static bool
is_repeated(struct device *d, uint16_t mid, uint64_t now_ms)
{
	struct device_memory *m = recall(d, mid, now_ms);
	if (m == NULL)
		return false;
	d->stats.duplicates++;
	if (m->answer.len > 0 && !device_has(d, DEVICE_Q_IGNORE_RETRANSMISSIONS))
		device_send(d, &m->answer);
	return true;
}

/* --- Sending --------------------------------------------------------------------------------- */

static bool
lies(const struct device_command *c, enum device_lie_kind kind)
{
	return c->lie != NULL && c->lie->kind == kind;
}

static void
write_answer(const struct device_command *c, enum coapmsg_type type, uint16_t mid, struct gbuf *out)
{
	struct coapmsg a;
	uint8_t token[8];
	memcpy(token, c->msg->token, sizeof token);
	if (lies(c, DEVICE_LIE_WRONG_TOKEN))
		token[0] ^= 0x55;
	coapmsg_init(&a, type, c->code, mid, token, c->msg->token_len);
	if (c->format >= 0)
		coapmsg_add_uint(&a, CM_OPT_CONTENT_FORMAT, (uint32_t)c->format);
	if (c->has_block1)
		coapmsg_add_block(&a, CM_OPT_BLOCK1, c->block1);
	if (c->has_block2)
		coapmsg_add_block(&a, CM_OPT_BLOCK2, c->block2);
	if (c->payload.len > 0) {
		a.payload = c->payload.data;
		a.payload_len = c->payload.len;
	}
	coapmsg_write(&a, out);
}

static void
answer_separately(struct device *d, struct device_command *c, uint64_t now_ms, bool ack, bool slow)
{
	struct gbuf bytes = { 0 };
	uint16_t mid = d->next_mid++;
	struct device_memory *m = remember(d, c->msg->mid, now_ms);
	if (ack) {
		struct coapmsg empty;
		coapmsg_init(&empty, CM_ACK, CM_EMPTY, c->msg->mid, NULL, 0);
		coapmsg_write(&empty, &m->answer);
		device_send(d, &m->answer);
	}
	write_answer(c, CM_CON, mid, &bytes);
	device_delay(d, &bytes, true, mid, slow ? now_ms + d->cfg->slow_ms : now_ms);
	gbuf_clear(&bytes);
}

static void
answer_at_once(struct device *d, struct device_command *c, uint64_t now_ms, bool slow)
{
	bool con = c->msg->type == CM_CON;
	uint16_t mid = con ? c->msg->mid : d->next_mid++;
	struct gbuf late = { 0 };
	struct device_memory *m = slow ? NULL : remember(d, c->msg->mid, now_ms);
	struct gbuf *bytes = slow ? &late : &m->answer;
	write_answer(c, con ? CM_ACK : CM_NON, mid, bytes);
	if (slow)
		device_delay(d, bytes, false, mid, now_ms + d->cfg->slow_ms);
	else
		device_send(d, bytes);
	if (!slow && lies(c, DEVICE_LIE_TWICE))
		device_send(d, bytes);
	gbuf_clear(&late);
}

static void
send_answer(struct device *d, struct device_command *c, uint64_t now_ms)
{
	bool finish = c->step == DEVICE_FINISH && device_has(d, DEVICE_Q_FINISH_SEPARATE);
	bool slow = device_has(d, DEVICE_Q_SLOW_SEPARATE);
	bool bare = device_has(d, DEVICE_Q_SEPARATE_WITHOUT_ACK);
	if (c->msg->type == CM_CON && (finish || slow || bare || device_has(d, DEVICE_Q_SEPARATE)))
		answer_separately(d, c, now_ms, !bare, slow);
	else
		answer_at_once(
		    d, c, now_ms, device_has(d, DEVICE_Q_SLOW) || lies(c, DEVICE_LIE_LATE));
}

/* --- Blocks ---------------------------------------------------------------------------------- */

#define SMALL_BUFFER 256
#define SMALL_BUFFER_SZX 4
#define TINY_BUFFER 1024

/* The whole body of a command, or false: then code is what to say. */
static bool
collect_body(struct device *d, struct device_command *c)
{
	const struct coapmsg *m = c->msg;
	size_t max = device_has(d, DEVICE_Q_TINY_BUFFER) ? TINY_BUFFER : DEVICE_BODY_MAX;
	c->body = m->payload;
	c->body_len = m->payload_len;
	if (m->payload_len > SMALL_BUFFER && device_has(d, DEVICE_Q_SMALL_BUFFER)) {
		c->has_block1 = true;
		c->block1 = (struct coapmsg_block){ .num = 0, .szx = SMALL_BUFFER_SZX };
		c->code = CM_TOO_LARGE;
		return false;
	}
	c->has_block1 = coapmsg_block(m, CM_OPT_BLOCK1, &c->block1);
	if (!c->has_block1) {
		c->code = CM_TOO_LARGE;
		return m->payload_len <= max;
	}
	if (device_has(d, DEVICE_Q_NO_BLOCK1)) {
		c->has_block1 = false;
		c->code = CM_BAD_OPTION;
		return false;
	}
	switch (coapmsg_body_add(&d->body, m, c->block1, max)) {
	case CM_BODY_MORE:
		c->code = CM_CONTINUE;
		return false;
	case CM_BODY_GAP:
		c->code = CM_INCOMPLETE;
		return false;
	case CM_BODY_TOO_LARGE:
		c->code = CM_TOO_LARGE;
		return false;
	case CM_BODY_WHOLE:
		break;
	}
	c->body = d->body.bytes.data;
	c->body_len = d->body.bytes.len;
	return true;
}

static uint8_t
page_szx(const struct device *d, const struct device_command *c)
{
	uint8_t szx = device_has(d, DEVICE_Q_SMALL_BLOCKS) ? 2 : DEVICE_BLOCK_SZX;
	return c->has_block2 ? MIN(szx, c->block2.szx) : szx;
}

/* Cuts the payload down to the block that was asked for; the rest is kept for later. */
static void
cut_page(struct device *d, struct device_command *c)
{
	uint8_t szx = page_szx(d, c);
	size_t size = CM_BLOCK_SIZE(szx), num = c->has_block2 ? c->block2.num : 0;
	if (c->payload.len <= size && num == 0 && !c->has_block2)
		return;
	gbuf_clear(&d->page);
	gbuf_clear(&d->page_path);
	d->page = c->payload;
	c->payload = (struct gbuf){ 0 };
	gbuf_put(&d->page_path, c->path->data, c->path->len);
	d->page_format = (uint16_t)c->format;
	size_t from = MIN(num * size, d->page.len), n = MIN(size, d->page.len - from);
	gbuf_put(&c->payload, d->page.data + from, n);
	c->has_block2 = true;
	c->block2 = (struct coapmsg_block){
		.num = (uint32_t)num, .szx = szx, .more = from + n < d->page.len
	};
}

/* A later block of what was asked before. */
static bool
is_next_page(const struct device *d, const struct device_command *c)
{
	return c->msg->code == CM_GET && c->has_block2 && c->block2.num > 0 &&
	       d->page_path.len == c->path->len && c->path->len > 0 &&
	       memcmp(d->page_path.data, c->path->data, c->path->len) == 0;
}

static void
endless_page(struct device *d, struct device_command *c)
{
	uint8_t szx = page_szx(d, c);
	uint32_t num = c->has_block2 ? c->block2.num : 0;
	d->page_endless = true;
	gbuf_reset(&d->page_path);
	gbuf_put(&d->page_path, c->path->data, c->path->len);
	gbuf_reset(&c->payload);
	c->code = CM_CONTENT;
	c->format = c->step == DEVICE_DISCOVER ? 40 : d->cfg->read_format;
	for (size_t i = 0; i < CM_BLOCK_SIZE(szx); i++)
		gbuf_u8(&c->payload, c->step == DEVICE_DISCOVER ? ' ' : 0);
	c->has_block2 = true;
	c->block2 = (struct coapmsg_block){ .num = num, .szx = szx, .more = true };
}

static void
next_page(struct device *d, struct device_command *c)
{
	if (d->page_endless) {
		endless_page(d, c);
		return;
	}
	size_t size = CM_BLOCK_SIZE(c->block2.szx), from = c->block2.num * size;
	if (from >= d->page.len) {
		c->has_block2 = false;
		c->code = CM_BAD_REQUEST;
		return;
	}
	size_t n = MIN(size, d->page.len - from);
	gbuf_put(&c->payload, d->page.data + from, n);
	c->block2.more = from + n < d->page.len;
	c->code = CM_CONTENT;
	c->format = d->page_format;
}

/* --- Lies ------------------------------------------------------------------------------------ */

/* Lies about the datagram: what is said instead of an answer, also to repetitions. */
static bool
lie_instead_of_answer(struct device *d, struct device_command *c, uint64_t now_ms)
{
	struct gbuf bad = { 0 };
	switch ((int)c->lie->kind) {
	case DEVICE_LIE_NO_ANSWER:
		break;
	case DEVICE_LIE_ACK_ONLY:
		device_send_empty(d, CM_ACK, c->msg->mid);
		break;
	case DEVICE_LIE_RST:
		device_send_empty(d, CM_RST, c->msg->mid);
		break;
	case DEVICE_LIE_MALFORMED:
		gbuf_put(&bad, junk, sizeof junk);
		device_send(d, &bad);
		gbuf_clear(&bad);
		break;
	default:
		return false;
	}
	(void)remember(d, c->msg->mid, now_ms);
	return true;
}

/* Lies that end the session, or all answers in it. */
static bool
lie_instead_of_session(struct device *d, struct device_command *c, uint64_t now_ms)
{
	enum device_lie_kind kind = c->lie->kind;
	if (kind == DEVICE_LIE_SILENT)
		d->state = DEVICE_DEAF;
	else if (kind == DEVICE_LIE_CLOSE)
		device_give_up(d, now_ms, "closed its connection, as it was told");
	else if (kind == DEVICE_LIE_RESTART || kind == DEVICE_LIE_RESTART_NEW_PORT)
		device_restart(d, now_ms, kind == DEVICE_LIE_RESTART_NEW_PORT);
	else
		return false;
	return true;
}

static void
lie_in_answer(struct device *d, struct device_command *c)
{
	enum device_lie_kind kind = c->lie->kind;
	if (kind == DEVICE_LIE_DONE_CODE || kind == DEVICE_LIE_CODE) {
		c->code = c->lie->code;
		c->format = -1;
		c->has_block2 = false;
		gbuf_reset(&c->payload);
	} else if (kind == DEVICE_LIE_WRONG_CODE) {
		c->code = c->code == CM_CHANGED ? CM_CONTENT : CM_CHANGED;
	} else if (kind == DEVICE_LIE_GARBAGE || kind == DEVICE_LIE_EMPTY) {
		gbuf_reset(&c->payload);
		if (kind == DEVICE_LIE_GARBAGE)
			gbuf_put(&c->payload, junk, sizeof junk);
	} else if (kind == DEVICE_LIE_WRONG_FORMAT) {
		c->format = c->format == 40 ? 0 : 40;
	} else if (kind == DEVICE_LIE_NO_FORMAT) {
		c->format = -1;
	} else if (kind == DEVICE_LIE_ENDLESS) {
		endless_page(d, c);
	}
}

/* --- All together ----------------------------------------------------------------------------- */

static enum device_step
step_of(const struct coapmsg *m, const struct gbuf *path)
{
	bool is_bs = strcmp(gbuf_cstr(path), "/bs") == 0;
	switch (m->code) {
	case CM_GET:
		return coapmsg_uint(m, CM_OPT_ACCEPT, 0) == 40 || path->len == 1 ? DEVICE_DISCOVER
		                                                                 : DEVICE_READ;
	case CM_PUT:
		return DEVICE_WRITE;
	case CM_DELETE:
		return DEVICE_DELETE;
	case CM_POST:
		return is_bs ? DEVICE_FINISH : DEVICE_OTHER;
	default:
		return DEVICE_OTHER;
	}
}

/* What the rules of the interface say against this command; 0: nothing. */
static uint8_t
rule_against(struct device *d, const struct device_command *c, uint64_t now_ms)
{
	const struct coapmsg *m = c->msg;
	const char *path = gbuf_cstr(c->path);
	if (coapmsg_unknown_critical(m) != 0) {
		device_complain(d, now_ms, path, "a critical option that nobody knows");
		return CM_BAD_OPTION;
	}
	if (coapmsg_find(m, CM_OPT_URI_QUERY) != NULL) {
		device_complain(d, now_ms, path, "a query in a command");
		return CM_BAD_OPTION;
	}
	if (c->step != DEVICE_FINISH && c->step != DEVICE_OTHER && !c->path_ok) {
		device_complain(d, now_ms, path, "a path that is none of LwM2M");
		return CM_BAD_OPTION;
	}
	if (m->type != CM_CON)
		device_complain(d, now_ms, path, "a command that is not confirmable");
	if (d->outcome == DEVICE_WAS_PROVISIONED && c->step != DEVICE_FINISH) {
		device_complain(d, now_ms, path, "a command after the Finish");
		return CM_NOT_ALLOWED;
	}
	return 0;
}

static void
report(struct device *d, const struct device_command *c, uint64_t now_ms)
{
	d->stats.commands++;
	d->stats.writes += c->step == DEVICE_WRITE;
	d->stats.deletes += c->step == DEVICE_DELETE;
	device_emit(d, (struct device_event){ .type = DEVICE_EV_COMMAND,
	                   .now_ms = now_ms,
	                   .step = c->step,
	                   .code = c->code,
	                   .path = gbuf_cstr(c->path) });
	if (c->step != DEVICE_FINISH || d->outcome == DEVICE_WAS_PROVISIONED)
		return;
	if (d->finished) {
		d->finished = false;
		device_provisioned(d, now_ms);
	} else if (c->code == CM_NOT_ACCEPTABLE && !c->finish_over) {
		device_emit(d, (struct device_event){ .type = DEVICE_EV_FINISH_REJECTED,
		                   .now_ms = now_ms,
		                   .step = c->step,
		                   .code = c->code,
		                   .text = gbuf_cstr(&c->payload) });
	} else if (c->finish_over) {
		struct gbuf why = { .max = 600 };
		gbuf_printf(&why, "4.06 to Finish: %s", gbuf_cstr(&c->payload));
		device_attempt_failed(d, now_ms, 0, gbuf_cstr(&why));
		gbuf_clear(&why);
	}
}

/* A whole command: looks for a lie, does it, answers. */
static void
serve(struct device *d, struct device_command *c, uint64_t now_ms)
{
	c->lie = device_lie_due(d, c->step, gbuf_cstr(c->path));
	if (c->lie != NULL) {
		device_emit(d, (struct device_event){ .type = DEVICE_EV_LIED,
		                   .now_ms = now_ms,
		                   .step = c->step,
		                   .code = c->lie->code,
		                   .path = gbuf_cstr(c->path),
		                   .text = device_lie_at(c->lie->kind)->name });
		if (lie_instead_of_answer(d, c, now_ms) || lie_instead_of_session(d, c, now_ms))
			return;
	}
	c->code = rule_against(d, c, now_ms);
	if (c->code == 0 && !lies(c, DEVICE_LIE_CODE))
		device_execute(d, c, now_ms);
	if (c->lie != NULL)
		lie_in_answer(d, c);
	if (c->code == CM_CONTENT && !lies(c, DEVICE_LIE_ENDLESS)) {
		d->page_endless = false;
		cut_page(d, c);
	} else if (c->code != CM_CONTENT) {
		c->has_block2 = false;
	}
	send_answer(d, c, now_ms);
	report(d, c, now_ms);
}

static bool
may_command(struct device *d, const struct coapmsg *m, uint64_t now_ms)
{
	bool over = d->state == DEVICE_IDLE && d->outcome == DEVICE_WAS_PROVISIONED;
	if (d->state == DEVICE_REQUESTING) {
		if (device_has(d, DEVICE_Q_STRICT_ORDER))
			return false;
		device_accepted(d, now_ms);
	}
	if (d->state == DEVICE_IN_SESSION || over)
		return true;
	if (d->state != DEVICE_DEAF && m->type == CM_CON)
		device_send_empty(d, CM_RST, m->mid);
	return false;
}

void
device_command(struct device *d, const struct coapmsg *m, uint64_t now_ms)
{
	if (d->state == DEVICE_DEAF || is_repeated(d, m->mid, now_ms) || !may_command(d, m, now_ms))
		return;
	struct gbuf path = { .max = 512 };
	coapmsg_path(m, &path);
	struct device_command c = { .msg = m, .path = &path, .format = -1 };
	c.step = step_of(m, &path);
	c.path_ok = lwm2m_path_parse(gbuf_cstr(&path), path.len, &c.at, NULL) == ERR_OK;
	c.has_block2 = coapmsg_block(m, CM_OPT_BLOCK2, &c.block2);
	if (d->state == DEVICE_IN_SESSION && !device_has(d, DEVICE_Q_FIXED_SESSION_TIMER))
		d->timer = now_ms + d->cfg->session_ms;
	if (is_next_page(d, &c)) {
		next_page(d, &c);
		send_answer(d, &c, now_ms);
	} else if (!collect_body(d, &c)) {
		c.has_block2 = false;
		send_answer(d, &c, now_ms);
	} else {
		serve(d, &c, now_ms);
		coapmsg_body_clear(&d->body);
	}
	gbuf_clear(&c.payload);
	gbuf_clear(&path);
}
