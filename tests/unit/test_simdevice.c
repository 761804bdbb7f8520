/* The simulated device against a scripted bootstrap server: the plain way, Finish, time, blocks. */
#include "lib/lwm2m/corelink.h"
#include "tests/unit/simscript.h"

/* --- The plain way -------------------------------------------------------------------------------
 */

START_TEST(the_request_is_as_the_standard_has_it)
{
	struct world w;
	struct gbuf path = { 0 };
	begin(&w);
	w.cfg.pct = 112;
	start(&w);
	accept_with(&w, CM_CHANGED, -1);
	ck_assert_int_eq(w.request.type, CM_CON);
	ck_assert_uint_eq(w.request.code, CM_POST);
	coapmsg_path(&w.request, &path);
	ck_assert_str_eq(gbuf_cstr(&path), "/bs");
	ck_assert_uint_eq(w.request.n_opt, 3);
	ck_assert_mem_eq(w.request.opt[1].value, "ep=dev-1", 8);
	ck_assert_mem_eq(w.request.opt[2].value, "pct=112", 7);
	ck_assert_uint_eq(w.request.payload_len, 0);
	gbuf_clear(&path);
	end(&w);
}
END_TEST

START_TEST(a_whole_bootstrap)
{
	struct world w;
	char text[512];
	begin(&w);
	start(&w);
	accept_request(&w);
	ck_assert_uint_eq(discover(&w, text, sizeof text), CM_CONTENT);
	ck_assert_str_eq(text, "</>;lwm2m=1.1,</0/1>,</1>,</2>,</3/0>");
	ck_assert_uint_eq(simple(&w, CM_DELETE, "/"), CM_DELETED);
	ck_assert_uint_eq(put(&w, "/0/0", SECURITY), CM_CHANGED);
	ck_assert_uint_eq(put(&w, "/1/0", SERVER), CM_CHANGED);
	ck_assert_uint_eq(discover(&w, text, sizeof text), CM_CONTENT);
	ck_assert_str_eq(text, "</>;lwm2m=1.1,</0/0>;ssid=101;uri=\"coap://dm.example\",</0/1>,"
	                       "</1/0>;ssid=101,</2>,</3/0>");
	ck_assert_uint_eq(get(&w, "/1/0", 11542), CM_CONTENT);
	ck_assert_uint_eq(coapmsg_uint(&w.msg, CM_OPT_CONTENT_FORMAT, 0), 11542);
	ck_assert_uint_eq(simple(&w, CM_POST, "/bs"), CM_CHANGED);
	ck_assert_int_eq(w.last, DEVICE_EV_PROVISIONED);
	ck_assert_int_eq(device_outcome(w.d), DEVICE_WAS_PROVISIONED);
	ck_assert_int_eq(held(&w, "/0/0/10"), 101);
	ck_assert_int_eq(held(&w, "/1/0/1"), 86400);
	ck_assert(holds(&w, "/0/1/0"));
	ck_assert_uint_eq(w.complaints, 0);
	ck_assert_uint_eq(simple(&w, CM_POST, "/bs"), CM_CHANGED); /* once more: harmless */
	ck_assert_uint_eq(simple(&w, CM_DELETE, "/"), CM_NOT_ALLOWED);
	ck_assert_uint_eq(w.complaints, 1);
	ck_assert(holds(&w, "/1/0"));
	end(&w);
}
END_TEST

static const uint16_t formats[] = { 11542, 112, 110 };

START_TEST(writes_and_reads_in_every_format)
{
	struct world w;
	struct lwm2m_tree t = { 0 };
	struct err e = { ERR_OK, "" };
	begin(&w);
	start(&w);
	accept_request(&w);
	ck_assert_uint_eq(put_as(&w, "/1/0", SERVER, formats[_i]), CM_CHANGED);
	ck_assert_uint_eq(get(&w, "/1", formats[_i]), CM_CONTENT);
	ok(lwm2m_format(formats[_i])
	        ->decode(w.cfg.model, at("/1"), w.msg.payload, w.msg.payload_len, &t, &e),
	    &e);
	ck_assert_uint_eq(t.n, 6);
	lwm2m_tree_clear(&t);
	ck_assert_uint_eq(get(&w, "/2", formats[_i]), CM_CONTENT); /* there, and empty */
	ck_assert_uint_eq(get(&w, "/1/3", formats[_i]), CM_NOT_FOUND);
	ck_assert_uint_eq(get(&w, "/0", formats[_i]), CM_NOT_ALLOWED);
	ck_assert_uint_eq(get(&w, "/3/0", formats[_i]), CM_NOT_ALLOWED);
	ck_assert_uint_eq(get(&w, "/1", 50), CM_NOT_ACCEPTABLE);
	end(&w);
}
END_TEST

START_TEST(an_lwm2m_1_0_device)
{
	struct world w;
	struct err e = { ERR_OK, "" };
	char text[512];
	begin(&w);
	ok(device_config_like(&w.cfg, "modem-1.0", &e), &e);
	start(&w);
	accept_request(&w);
	ck_assert_uint_eq(w.request.n_opt, 2); /* no pct */
	ck_assert_uint_eq(put_as(&w, "/1/0", SERVER, 112), CM_BAD_REQUEST);
	ck_assert_uint_eq(put(&w, "/1/0", SERVER), CM_CHANGED);
	ck_assert_uint_eq(put(&w, "/0/0", SECURITY), CM_CHANGED);
	ck_assert_uint_eq(discover(&w, text, sizeof text), CM_CONTENT);
	ck_assert_str_eq(text, "lwm2m=\"1.0\",</0/0>;ssid=101,</0/1>,</1/0>;ssid=101,</2>,</3/0>");
	ck_assert_uint_eq(get(&w, "/1/0", 11542), CM_NOT_ALLOWED);
	end(&w);
}
END_TEST

START_TEST(replaces_or_merges)
{
	struct world w;
	begin(&w);
	w.cfg.merges = _i == 1;
	start(&w);
	accept_request(&w);
	ck_assert_uint_eq(put(&w, "/1/0", SERVER), CM_CHANGED);
	ck_assert_uint_eq(put(&w, "/1/0", "{\"/1/0/0\":7}"), CM_CHANGED);
	ck_assert_int_eq(held(&w, "/1/0/0"), 7);
	ck_assert_int_eq(held(&w, "/1/0/1"), _i == 1 ? 86400 : -1);
	ck_assert_uint_eq(put(&w, "/1/0/1", "{\"/1/0/1\":60}"), CM_CHANGED);
	ck_assert_int_eq(held(&w, "/1/0/0"), 7);
	ck_assert_int_eq(held(&w, "/1/0/1"), 60);
	ck_assert_uint_eq(
	    put(&w, "/2", "{\"/2/5/0\":3,\"/2/5/1\":0,\"/2/5/2/101\":15,\"/2/5/3\":101}"),
	    CM_CHANGED);
	ck_assert_uint_eq(put(&w, "/2/5/2", "{\"/2/5/2/102\":1}"), CM_CHANGED);
	ck_assert_int_eq(held(&w, "/2/5/2/102"), 1);
	ck_assert(!holds(&w, "/2/5/2/101"));
	end(&w);
}
END_TEST

/* clang-format off */
static const struct {
	const char *path;
	uint8_t code;
	bool server, other, acl;
} deletes[] = {
	{ "/", CM_DELETED, false, false, false },
	{ "/0", CM_DELETED, true, false, true },
	{ "/1", CM_DELETED, false, true, true },
	{ "/1/0", CM_DELETED, false, true, true },
	{ "/0/5", CM_DELETED, true, false, true },
	{ "/0/1", CM_DELETED, true, true, true },
	{ "/3/0", CM_DELETED, true, true, true },
	{ "/9", CM_DELETED, true, true, true },
	{ "/1/0/5", CM_BAD_REQUEST, true, true, true },
};
/* clang-format on */

START_TEST(deletes_keep_the_account)
{
	struct world w;
	struct err e = { ERR_OK, "" };
	begin(&w);
	ok(device_add_account(&w.initial, 5, 0, 101, "coap://old.example", &e), &e);
	ok(device_add_acl(&w.initial, 0, at("/3/0"), 101, 101, 3, &e), &e);
	start(&w);
	accept_request(&w);
	ck_assert_uint_eq(simple(&w, CM_DELETE, deletes[_i].path), deletes[_i].code);
	ck_assert(holds(&w, "/0/1/1"));
	ck_assert(holds(&w, "/3/0"));
	ck_assert_int_eq(holds(&w, "/1/0"), deletes[_i].server);
	ck_assert_int_eq(holds(&w, "/0/5"), deletes[_i].other);
	ck_assert_int_eq(holds(&w, "/2/0"), deletes[_i].acl);
	end(&w);
}
END_TEST

/* --- Finish
 * ---------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *security, *server, *why;
} finishes[] = {
	{ SECURITY, SERVER, "" },
	{ NULL, NULL, "/0: no server account" },
	{ NULL, "{\"/1/0/5\":86400}", "/1/0: Short Server ID (0) is missing or out of range" },
	{ SECURITY, NULL, "/0/0: no /1 instance with its Short Server ID" },
	{ NULL, SERVER, "/0: no server account" },
	{ SECURITY, "{\"/1/0/0\":102,\"/1/0/1\":1,\"/1/0/6\":true,\"/1/0/7\":\"U\"}",
	    "/0/0: no /1 instance with its Short Server ID" },
	{ SECURITY, "{\"/1/0/0\":101,\"/1/0/1\":1,\"/1/0/6\":true,\"/1/0/7\":\"X\"}",
	    "/1/0: Binding (7) is none" },
	{ SECURITY, "{\"/1/0/0\":101,\"/1/0/1\":1,\"/1/0/6\":true,\"/1/0/7\":\"U\",\"/1/0/3\":0}",
	    "/1/0: Default Maximum Period (3) is not positive" },
	{ "{\"/0/0/0\":\"coaps://x\",\"/0/0/1\":false,\"/0/0/2\":3,\"/0/0/10\":101}", SERVER,
	    "/0/0: scheme of the LWM2M Server URI (0) against Security Mode (2)" },
	{ "{\"/0/0/0\":\"coaps://x\",\"/0/0/1\":false,\"/0/0/2\":0,\"/0/0/3\":\"id\",\"/0/0/10\":101}",
	    SERVER, "/0/0: Public Key or Identity (3) or Secret Key (5) is empty" },
	{ "{\"/0/0/0\":\"coap://x\",\"/0/0/1\":false,\"/0/0/2\":3}", SERVER,
	    "/0/0: Short Server ID (10) is missing or out of range" },
	{ "{\"/0/0/0\":\"coap://x\",\"/0/0/1\":true,\"/0/0/2\":3}", SERVER,
	    "/0: more than one bootstrap account" },
};
/* clang-format on */

START_TEST(finish_is_looked_at)
{
	struct world w;
	bool good = finishes[_i].why[0] == '\0';
	begin(&w);
	start(&w);
	accept_request(&w);
	if (finishes[_i].security != NULL)
		ck_assert_uint_eq(put(&w, "/0/0", finishes[_i].security), CM_CHANGED);
	if (finishes[_i].server != NULL)
		ck_assert_uint_eq(put(&w, "/1/0", finishes[_i].server), CM_CHANGED);
	uint8_t code = simple(&w, CM_POST, "/bs");
	ck_assert_uint_eq(code, good ? CM_CHANGED : CM_NOT_ACCEPTABLE);
	ck_assert_uint_eq(w.msg.payload_len, strlen(finishes[_i].why));
	if (!good) {
		ck_assert_mem_eq(w.msg.payload, finishes[_i].why, w.msg.payload_len);
		ck_assert_int_eq(w.last, DEVICE_EV_FINISH_REJECTED);
		ck_assert_str_eq(w.text, finishes[_i].why);
	}
	end(&w);
}
END_TEST

START_TEST(a_rejected_finish_can_be_mended)
{
	struct world w;
	begin(&w);
	start(&w);
	accept_request(&w);
	ck_assert_uint_eq(put(&w, "/0/0", SECURITY), CM_CHANGED);
	ck_assert_uint_eq(simple(&w, CM_POST, "/bs"), CM_NOT_ACCEPTABLE);
	ck_assert_uint_eq(put(&w, "/1/0", SERVER), CM_CHANGED);
	ck_assert_uint_eq(simple(&w, CM_POST, "/bs"), CM_CHANGED);
	ck_assert_int_eq(device_outcome(w.d), DEVICE_WAS_PROVISIONED);
	end(&w);
}
END_TEST

START_TEST(a_rejected_finish_ends_the_session_of_some)
{
	struct world w;
	begin(&w);
	quirk(&w, "finish-ends-session");
	start(&w);
	accept_request(&w);
	ck_assert_uint_eq(put(&w, "/0/0", SECURITY), CM_CHANGED);
	ck_assert_uint_eq(simple(&w, CM_POST, "/bs"), CM_NOT_ACCEPTABLE);
	ck_assert_int_eq(device_outcome(w.d), DEVICE_HAS_FAILED);
	ck_assert_str_eq(
	    device_reason(w.d), "4.06 to Finish: /0/0: no /1 instance with its Short Server ID");
	ck_assert(!holds(&w, "/0/0")); /* rolled back */
	ck_assert(holds(&w, "/0/1"));
	ck_assert_uint_eq(w.closed, 1);
	end(&w);
}
END_TEST

/* --- Time
 * ------------------------------------------------------------------------------------------ */

static void
run_until_final(struct world *w)
{
	for (int i = 0; i < 1000 && device_outcome(w->d) == DEVICE_PENDING; i++) {
		ck_assert(device_next(w->d) != UINT64_MAX);
		w->now = MAX(w->now, device_next(w->d));
		device_tick(w->d, w->now);
	}
}

START_TEST(an_unanswered_request_is_sent_five_times)
{
	struct world w;
	begin(&w);
	start(&w);
	run_until_final(&w);
	ck_assert_uint_eq(w.n_sent, 5);
	ck_assert_uint_eq(device_stats(w.d)->retransmissions, 4);
	ck_assert_uint_ge(w.now, 1000 + 62000);
	ck_assert_uint_le(w.now, 1000 + 93000);
	ck_assert_str_eq(device_reason(w.d), "no answer to the Bootstrap-Request");
	for (size_t i = 1; i < w.n_sent; i++) {
		ck_assert_uint_eq(w.sent[i].len, w.sent[0].len);
		ck_assert_mem_eq(w.sent[i].data, w.sent[0].data, w.sent[0].len);
	}
	end(&w);
}
END_TEST

START_TEST(a_session_without_finish_ends)
{
	struct world w;
	begin(&w);
	start(&w);
	accept_request(&w);
	w.now += 200000;
	ck_assert_uint_eq(put(&w, "/1/0", SERVER), CM_CHANGED); /* starts the time anew */
	ck_assert_uint_eq(device_next(w.d), w.now + 247000);
	run_until_final(&w);
	ck_assert_str_eq(device_reason(w.d), "no Finish within 247000 ms");
	ck_assert(!holds(&w, "/1/0"));
	end(&w);
}
END_TEST

START_TEST(a_busy_server_is_asked_again_after_max_age)
{
	struct world w;
	begin(&w);
	w.cfg.max_attempts = 2;
	start(&w);
	accept_with(&w, CM_UNAVAILABLE, 20);
	ck_assert_int_eq(w.last, DEVICE_EV_RETRY);
	ck_assert_uint_gt(w.until, w.now + 20000);
	ck_assert_uint_le(w.until, w.now + 25001);
	ck_assert_uint_eq(device_next(w.d), w.until);
	w.now = w.until;
	drop_sent(&w);
	device_tick(w.d, w.now);
	accept_with(&w, CM_CHANGED, -1);
	ck_assert_int_eq(w.last, DEVICE_EV_ACCEPTED);
	end(&w);
}
END_TEST

START_TEST(a_refusal_is_final)
{
	struct world w;
	begin(&w);
	start(&w);
	accept_with(&w, CM_BAD_REQUEST, -1);
	ck_assert_int_eq(device_outcome(w.d), DEVICE_WAS_REFUSED);
	ck_assert_uint_eq(device_code(w.d), CM_BAD_REQUEST);
	ck_assert_str_eq(device_reason(w.d), "4.00 to the Bootstrap-Request");
	end(&w);
}
END_TEST

START_TEST(anjay_asks_again_without_pct)
{
	struct world w;
	struct err e = { ERR_OK, "" };
	begin(&w);
	ok(device_config_like(&w.cfg, "anjay", &e), &e);
	start(&w);
	accept_with(&w, CM_BAD_FORMAT, -1);
	ck_assert_uint_eq(w.request.n_opt, 3);
	accept_with(&w, CM_CHANGED, -1);
	ck_assert_uint_eq(w.request.n_opt, 2);
	ck_assert_int_eq(w.last, DEVICE_EV_ACCEPTED);
	end(&w);
}
END_TEST

START_TEST(a_1_2_device_tries_the_pack_first)
{
	struct world w;
	struct coapmsg m;
	struct gbuf b = { 0 };
	begin(&w);
	w.cfg.version = DEVICE_1_2;
	start(&w);
	if (_i == 0) {
		accept_with(&w, CM_NOT_FOUND, -1);
		ck_assert_uint_eq(w.request.code, CM_GET);
		accept_with(&w, CM_CHANGED, -1);
		ck_assert_uint_eq(w.request.code, CM_POST);
		ck_assert_int_eq(w.last, DEVICE_EV_ACCEPTED);
	} else {
		encode("/",
		    "{\"/0/0/0\":\"coap://dm\",\"/0/0/1\":false,\"/0/0/2\":3,\"/0/0/10\":1,"
		    "\"/1/0/0\":1,\"/1/0/1\":5,\"/1/0/6\":true,\"/1/0/7\":\"U\"}",
		    112, &b);
		ck_assert(look(&w));
		coapmsg_init(&m, CM_ACK, CM_CONTENT, w.msg.mid, w.msg.token, w.msg.token_len);
		coapmsg_add_uint(&m, CM_OPT_CONTENT_FORMAT, 112);
		m.payload = b.data;
		m.payload_len = b.len;
		feed(&w, &m);
		ck_assert_int_eq(w.last, DEVICE_EV_PROVISIONED);
		ck_assert_int_eq(held(&w, "/1/0/1"), 5);
		ck_assert(holds(&w, "/0/1"));
	}
	gbuf_clear(&b);
	end(&w);
}
END_TEST

/* --- Repetition, blocks, ways to answer
 * --------------------------------------------------------------- */

START_TEST(a_repeated_command_is_not_done_twice)
{
	struct world w;
	struct coapmsg m;
	struct gbuf first = { 0 };
	begin(&w);
	if (_i == 1)
		quirk(&w, "ignore-retransmissions");
	start(&w);
	accept_request(&w);
	command(&m, &w, CM_DELETE, "/1");
	ck_assert_uint_eq(ask(&w, &m), CM_DELETED);
	gbuf_put(&first, w.sent[0].data, w.sent[0].len);
	ck_assert_uint_eq(ask(&w, &m), _i == 1 ? 0 : CM_DELETED);
	if (_i == 0)
		ck_assert_mem_eq(w.sent[0].data, first.data, first.len);
	ck_assert_uint_eq(device_stats(w.d)->commands, 1);
	ck_assert_uint_eq(device_stats(w.d)->duplicates, 1);
	gbuf_clear(&first);
	end(&w);
}
END_TEST

static uint8_t
put_blocks(struct world *w, const char *path, const struct gbuf *b, uint8_t szx)
{
	size_t size = CM_BLOCK_SIZE(szx);
	uint8_t code = 0;
	for (size_t from = 0; from < b->len; from += size) {
		struct coapmsg m;
		bool more = from + size < b->len;
		command(&m, w, CM_PUT, path);
		coapmsg_add_uint(&m, CM_OPT_CONTENT_FORMAT, 11542);
		coapmsg_add_block(&m, CM_OPT_BLOCK1,
		    (struct coapmsg_block){
		        .num = (uint32_t)(from / size), .more = more, .szx = szx });
		m.payload = b->data + from;
		m.payload_len = MIN(size, b->len - from);
		code = ask(w, &m);
		if (more && code != CM_CONTINUE)
			return code;
	}
	return code;
}

START_TEST(a_write_in_blocks)
{
	static const char *const quirks[] = { NULL, "tiny-buffer", "no-block1", "small-buffer" };
	static const uint8_t codes[] = { CM_CHANGED, CM_TOO_LARGE, CM_BAD_OPTION, CM_TOO_LARGE };
	struct world w;
	struct gbuf b = { 0 }, json = { 0 };
	struct coapmsg_block hint;
	begin(&w);
	if (quirks[_i] != NULL)
		quirk(&w, quirks[_i]);
	start(&w);
	accept_request(&w);
	gbuf_str(&json, "{\"/0/0/0\":\"coap://dm\",\"/0/0/5\":{\"hex\":\"");
	for (int i = 0; i < 3000; i++)
		gbuf_printf(&json, "%02x", i & 255);
	gbuf_str(&json, "\"},\"/0/0/10\":101}");
	encode("/0/0", gbuf_cstr(&json), 11542, &b);
	ck_assert_uint_eq(put_blocks(&w, "/0/0", &b, 6), codes[_i]);
	if (_i == 0) {
		ck_assert_int_eq(held(&w, "/0/0/10"), 101);
		ck_assert_uint_eq(lwm2m_tree_get(device_tree(w.d), at("/0/0/5"))->bytes.len, 3000);
	} else if (_i == 3) {
		ck_assert(coapmsg_block(&w.msg, CM_OPT_BLOCK1, &hint));
		ck_assert_uint_eq(hint.szx, 4);
		ck_assert_uint_eq(put_blocks(&w, "/0/0", &b, hint.szx), CM_CHANGED);
	}
	gbuf_clear(&b);
	gbuf_clear(&json);
	end(&w);
}
END_TEST

START_TEST(an_answer_in_blocks)
{
	struct world w;
	struct gbuf whole = { 0 };
	struct lwm2m_links links = { 0 };
	struct err e = { ERR_OK, "" };
	struct coapmsg_block b = { .num = 0, .more = true, .szx = 6 };
	begin(&w);
	quirk(&w, "small-blocks");
	for (uint16_t i = 10; i < 30; i++)
		ok(device_add_account(&w.initial, i, i, i, "coap://somewhere.example", &e), &e);
	start(&w);
	accept_request(&w);
	while (b.more) {
		struct coapmsg m;
		command(&m, &w, CM_GET, "/");
		coapmsg_add_uint(&m, CM_OPT_ACCEPT, 40);
		if (whole.len > 0)
			coapmsg_add_block(&m, CM_OPT_BLOCK2,
			    (struct coapmsg_block){ .num = (uint32_t)(whole.len / 64), .szx = 2 });
		ck_assert_uint_eq(ask(&w, &m), CM_CONTENT);
		ck_assert(coapmsg_block(&w.msg, CM_OPT_BLOCK2, &b));
		ck_assert_uint_eq(b.szx, 2);
		ck_assert_uint_eq(b.num * 64, whole.len);
		gbuf_put(&whole, w.msg.payload, w.msg.payload_len);
	}
	ok(lwm2m_links_parse(gbuf_cstr(&whole), whole.len, &links, &e), &e);
	ck_assert_uint_eq(links.n, 43);
	ck_assert_uint_eq(device_stats(w.d)->commands, 1);
	lwm2m_links_clear(&links);
	gbuf_clear(&whole);
	end(&w);
}
END_TEST

START_TEST(answers_come_separately)
{
	static const char *const names[] = { "separate", "slow-separate", "separate-without-ack" };
	struct world w;
	struct coapmsg m, ack;
	begin(&w);
	quirk(&w, names[_i]);
	start(&w);
	accept_request(&w);
	command(&m, &w, CM_DELETE, "/1");
	drop_sent(&w);
	feed(&w, &m);
	if (_i != 2) {
		ck_assert(look(&w));
		ck_assert_int_eq(w.msg.type, CM_ACK);
		ck_assert_uint_eq(w.msg.code, CM_EMPTY);
	}
	ck_assert(!device_is_quiet(w.d));
	w.now = device_next(w.d);
	ck_assert_uint_eq(w.now, _i == 1 ? 4000U : 1000U);
	device_tick(w.d, w.now);
	ck_assert(look(&w));
	ck_assert_int_eq(w.msg.type, CM_CON);
	ck_assert_uint_eq(w.msg.code, CM_DELETED);
	ck_assert_mem_eq(w.msg.token, m.token, 2);
	w.now = device_next(w.d); /* not acknowledged: again */
	device_tick(w.d, w.now);
	ck_assert(look(&w));
	ck_assert_uint_eq(w.msg.code, CM_DELETED);
	coapmsg_init(&ack, CM_ACK, CM_EMPTY, w.msg.mid, NULL, 0);
	feed(&w, &ack);
	ck_assert(device_is_quiet(w.d));
	end(&w);
}
END_TEST

/* --- Anything at all
 * -------------------------------------------------------------------------------- */

START_TEST(any_bytes_are_safe_and_the_same_seed_gives_the_same)
{
	uint64_t seed = unit_seed();
	struct gbuf runs[2] = { { 0 }, { 0 } };
	for (int run = 0; run < 2; run++) {
		struct world w;
		uint64_t random = seed;
		begin(&w);
		start(&w);
		accept_request(&w);
		for (int i = 0; i < 3000; i++) {
			uint8_t bytes[64];
			size_t n = unit_random(&random) % sizeof bytes;
			for (size_t k = 0; k < n; k++)
				bytes[k] = (uint8_t)unit_random(&random);
			if (n > 0 && i % 4 != 0)
				bytes[0] = (uint8_t)(0x40 | (bytes[0] & 0x12));
			if (n > 1 && i % 4 != 0)
				bytes[1] = (uint8_t)(1 + bytes[1] % 4);
			drop_sent(&w);
			device_input(w.d, w.now, bytes, n);
			for (size_t k = 0; k < w.n_sent; k++)
				gbuf_put(&runs[run], w.sent[k].data, w.sent[k].len);
		}
		end(&w);
	}
	ck_assert_uint_gt(runs[0].len, 1000);
	ck_assert_uint_eq(runs[0].len, runs[1].len);
	ck_assert_mem_eq(runs[0].data, runs[1].data, runs[0].len);
	gbuf_clear(&runs[0]);
	gbuf_clear(&runs[1]);
}
END_TEST

START_TEST(a_tree_goes_to_json_and_back)
{
	struct world w;
	struct lwm2m_tree t = { 0 };
	struct gbuf text = { 0 };
	struct err e = { ERR_OK, "" };
	begin(&w);
	ok(device_add_account(&w.initial, 5, 2, 9, "coap://x", &e), &e);
	device_tree_print(w.cfg.model, &w.initial, true, &text);
	ok(device_tree_load(w.cfg.model, gbuf_cstr(&text), text.len, &t, &e), &e);
	ck_assert(lwm2m_tree_eq(&t, &w.initial));
	lwm2m_tree_clear(&t);
	gbuf_reset(&text);
	device_tree_print(w.cfg.model, &w.initial, false, &text);
	ck_assert_ptr_nonnull(strstr(gbuf_cstr(&text), "\"/0/1/5\": {\n  \"bytes\": 0"));
	ck_assert_int_eq(
	    device_tree_load(w.cfg.model, "{\"/1/0/1\":true}", 15, &t, &e), ERR_INVALID);
	ck_assert_str_eq(e.msg, "/1/0/1: not a value of type integer");
	gbuf_clear(&text);
	end(&w);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(the_request_is_as_the_standard_has_it, 0),
	UNIT_CASE(a_whole_bootstrap, 0),
	UNIT_CASE(writes_and_reads_in_every_format, N_ELEMS(formats)),
	UNIT_CASE(an_lwm2m_1_0_device, 0),
	UNIT_CASE(replaces_or_merges, 2),
	UNIT_CASE(deletes_keep_the_account, N_ELEMS(deletes)),
	UNIT_CASE(finish_is_looked_at, N_ELEMS(finishes)),
	UNIT_CASE(a_rejected_finish_can_be_mended, 0),
	UNIT_CASE(a_rejected_finish_ends_the_session_of_some, 0),
	UNIT_CASE(an_unanswered_request_is_sent_five_times, 0),
	UNIT_CASE(a_session_without_finish_ends, 0),
	UNIT_CASE(a_busy_server_is_asked_again_after_max_age, 0),
	UNIT_CASE(a_refusal_is_final, 0),
	UNIT_CASE(anjay_asks_again_without_pct, 0),
	UNIT_CASE(a_1_2_device_tries_the_pack_first, 2),
	UNIT_CASE(a_repeated_command_is_not_done_twice, 2),
	UNIT_CASE(a_write_in_blocks, 4),
	UNIT_CASE(an_answer_in_blocks, 0),
	UNIT_CASE(answers_come_separately, 3),
	UNIT_CASE(any_bytes_are_safe_and_the_same_seed_gives_the_same, 0),
	UNIT_CASE(a_tree_goes_to_json_and_back, 0),
};

UNIT_SUITE_MAIN("simdevice", cases)
