/* What LwM2M Servers are asked for, by each driver, and what their answers are taken for. */
#include "bsserver/handoff/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define URL "https://dm.example"
#define KEY_HEX "73656372657420746861742073746179"

static const uint8_t key[] = "secret that stay";

static struct handoff_task
task_of(const struct handoff_server *s, const char *endpoint, enum handoff_call call)
{
	return (struct handoff_task){ .server = s, .call = call, .endpoint = endpoint, .account = "dm", .short_server_id = 7,
		.cred = { .mode = HANDOFF_PSK, .short_server_id = 7, .identity = (const uint8_t *)"me", .identity_len = 2,
		    .key = key, .key_len = 16 } };
}

static const struct {
	const struct handoff_driver *driver;
	enum handoff_call call;
	const char *endpoint, *line, *body;
	const char *url, *sent; /* or why not */
} requests[] = {
	{ &handoff_leshan, HANDOFF_CALL_TELL, "d", NULL, NULL, URL "/api/security/clients/",
	    "{\"endpoint\":\"d\",\"tls\":{\"mode\":\"psk\",\"details\":{\"identity\":\"me\",\"key\":\"" KEY_HEX "\"}}}" },
	{ &handoff_leshan, HANDOFF_CALL_FORGET, "a b?c", NULL, NULL, URL "/api/security/clients/a%20b%3Fc", "" },
	{ &handoff_leshan, HANDOFF_CALL_FORGET, "..", NULL, NULL, NULL,
	    "no request is made: \".\" or \"..\" in its path would lead elsewhere" },
	{ &handoff_leshan, HANDOFF_CALL_FORGET, ".", NULL, NULL, NULL,
	    "no request is made: \".\" or \"..\" in its path would lead elsewhere" },
	{ &handoff_leshan, HANDOFF_CALL_FORGET, "a/b", NULL, NULL, NULL, "Leshan takes no endpoint with a slash in it" },
	{ &handoff_http, HANDOFF_CALL_FORGET, "../x", "DELETE /c/%e/", NULL, URL "/c/..%2Fx/", "" },
	{ &handoff_http, HANDOFF_CALL_FORGET, "..", "DELETE /c/%e/keys", NULL, NULL,
	    "no request is made: \".\" or \"..\" in its path would lead elsewhere" },
	{ &handoff_http, HANDOFF_CALL_FORGET, "...", "DELETE /c/%e", NULL, URL "/c/...", "" },
	{ &handoff_http, HANDOFF_CALL_TELL, "a\"b\\", "PUT /c?e=%e&s=%s", "{\"e\":\"%e\",\"p\":\"100%%\",\"k\":\"%k\"}",
	    URL "/c?e=a%22b%5C&s=7", "{\"e\":\"a\\\"b\\\\\",\"p\":\"100%\",\"k\":\"" KEY_HEX "\"}" },
	{ &handoff_http, HANDOFF_CALL_FORGET, "", "DELETE /c/%e", NULL, NULL,
	    "the template cannot be filled: the identity is no text, or what its path needs is empty" },
};

START_TEST(what_is_asked_for_leads_where_it_should)
{
	char url[] = URL;
	struct handoff_server s = { .driver = requests[_i].driver, .url = url, .tell = (char *)(uintptr_t)requests[_i].line,
		.forget = (char *)(uintptr_t)requests[_i].line, .tell_body = (char *)(uintptr_t)requests[_i].body };
	struct handoff_task t = task_of(&s, requests[_i].endpoint, requests[_i].call);
	struct handoff_request q = { 0 };
	struct err why = { 0 };

	bool ask = s.driver->next(&t, NULL, &q, &why) == HANDOFF_ASK && handoff_request_check(&q, &s, &why) == ERR_OK;
	ck_assert_msg(ask == (requests[_i].url != NULL), "%s %s", gbuf_cstr(&q.url), why.msg);
	if (ask)
		ck_assert_str_eq(gbuf_cstr(&q.url), requests[_i].url);
	ck_assert_str_eq(ask ? gbuf_cstr(&q.body) : why.msg, requests[_i].sent);
	handoff_request_clear(&q);
}
END_TEST

static const struct {
	const struct handoff_driver *driver;
	long status;
	const char *said;
	enum handoff_word word;
	const char *why;
} answers[] = {
	{ &handoff_leshan, 204, "", HANDOFF_DONE, "" },
	{ &handoff_leshan, 400, "bad\nkey", HANDOFF_NO, "HTTP 400: bad\\nkey" },
	{ &handoff_leshan, 503, "", HANDOFF_LATER, "HTTP 503" },
	{ &handoff_http, 302, "https://evil.example", HANDOFF_NO,
	    "HTTP 302: it points elsewhere, and redirections are not followed" },
	{ &handoff_http, 400, "{\"key\":\"" KEY_HEX "\"}", HANDOFF_NO,
	    "HTTP 400: (what it says repeats a secret and is not shown)" },
	{ &handoff_http, 400, "no: c2VjcmV0IHRoYXQgc3RheQ==", HANDOFF_NO,
	    "HTTP 400: (what it says repeats a secret and is not shown)" },
	{ &handoff_http, 401, "Bearer t0ken is not known", HANDOFF_NO,
	    "HTTP 401: (what it says repeats a secret and is not shown)" },
	{ &handoff_exec, 0, "", HANDOFF_DONE, "" },
	{ &handoff_exec, 75, "{\"error\":\"busy\"}", HANDOFF_LATER, "the program ended with 75: busy" },
	{ &handoff_exec, 1, "{\"error\":\"not secret that stay\"}", HANDOFF_NO,
	    "the program ended with 1: (what it says repeats a secret and is not shown)" },
	{ &handoff_exec, 1, "{\"error\":", HANDOFF_NO, "the program ended with 1" },
};

START_TEST(an_answer_is_told_without_the_secrets_that_it_repeats)
{
	struct handoff_server s = { .driver = answers[_i].driver };
	struct handoff_task t = task_of(&s, "d", HANDOFF_CALL_TELL);
	struct handoff_reply r = { .status = answers[_i].status, .type = "", .body = (const uint8_t *)answers[_i].said,
		.body_len = strlen(answers[_i].said) };
	struct err why = { 0 };

	ck_assert_int_eq(secret_set(&s.token, "t0ken", 5, NULL), ERR_OK);
	ck_assert_int_eq(s.driver->next(&t, &r, NULL, &why), answers[_i].word);
	ck_assert_str_eq(why.msg, answers[_i].why);
	secret_clear(&s.token);
}
END_TEST

/* ---- the Bootstrap-Request Trigger ---- */

#define READ(N) "200 {\"status\":\"CONTENT(205)\",\"success\":true,\"content\":{\"kind\":\"obj\",\"id\":1,\"instances\":[" \
	"{\"kind\":\"instance\",\"id\":0,\"resources\":[{\"id\":1,\"value\":\"7\"},{\"id\":0,\"value\":\"8\"}]}," \
	"{\"kind\":\"instance\",\"id\":" N ",\"resources\":[{\"id\":0,\"value\":\"7\"}]}]}}"
#define SAID(STATUS) "200 {\"status\":\"" STATUS "\",\"success\":false}"
#define DELAYED "200 {\"ep\":\"d\",\"requestId\":\"x\",\"response\":null,\"delayed\":true}"
#define ASKS_READ "GET " URL "/api/clients/a%20b/1?timeout=10"
#define ASKS(N) "POST " URL "/api/clients/a%20b/1/" N "/9?timeout=10"

/* What a server is asked for, each answered by "STATUS BODY"; and what that comes to. */
static const struct {
	const struct handoff_driver *driver;
	int instance;
	struct {
		const char *asked, *answer; /* asked NULL: no more */
	} v[3];
	enum handoff_word word;
	struct handoff_heard heard;
	const char *why;
} triggers[] = {
	{ &handoff_leshan, 3, { { ASKS("3"), SAID("CHANGED(204)") } }, HANDOFF_DONE, { HANDOFF_SAID_CODE, 0x44 }, "" },
	{ &handoff_leshan, -1, { { ASKS_READ, READ("4") }, { ASKS("4"), SAID("CHANGED(204)") } }, HANDOFF_DONE,
	    { HANDOFF_SAID_CODE, 0x44 }, "" },
	/* what we knew is of yesterday: it is looked for once */
	{ &handoff_leshan, 3, { { ASKS("3"), SAID("NOT_FOUND(404)") }, { ASKS_READ, READ("4") }, { ASKS("4"), SAID("CHANGED(204)") } },
	    HANDOFF_DONE, { HANDOFF_SAID_CODE, 0x44 }, "" },
	{ &handoff_leshan, 3, { { ASKS("3"), SAID("NOT_FOUND(404)") }, { ASKS_READ, READ("4") }, { ASKS("4"), SAID("NOT_FOUND(404)") } },
	    HANDOFF_DONE, { HANDOFF_SAID_CODE, 0x84 }, "" },
	{ &handoff_leshan, 3, { { ASKS("3"), SAID("INTERNAL_SERVER_ERROR(500)") } }, HANDOFF_DONE, { HANDOFF_SAID_CODE, 0xa0 }, "" },
	{ &handoff_leshan, -1, { { ASKS_READ, SAID("UNAUTHORIZED(401)") } }, HANDOFF_DONE, { HANDOFF_SAID_CODE, 0x81 }, "" },
	{ &handoff_leshan, -1, { { ASKS_READ, READ("99999") } }, HANDOFF_NO, { 0 },
	    "it sees no instance of Object 1 with Short Server ID 7" },
	{ &handoff_leshan, -1, { { ASKS_READ, SAID("CONTENT(205)") } }, HANDOFF_NO, { 0 },
	    "it sees no instance of Object 1 with Short Server ID 7" },
	{ &handoff_leshan, 0, { { ASKS("0"), DELAYED } }, HANDOFF_DONE, { HANDOFF_SAID_QUEUED, 0 }, "" },
	{ &handoff_leshan, 0, { { ASKS("0"), "202 " } }, HANDOFF_DONE, { HANDOFF_SAID_QUEUED, 0 }, "" },
	{ &handoff_leshan, -1, { { ASKS_READ, DELAYED } }, HANDOFF_DONE, { HANDOFF_SAID_ASLEEP, 0 }, "" },
	{ &handoff_leshan, 0, { { ASKS("0"), "400 No registered client with id 'a b'" } }, HANDOFF_DONE,
	    { HANDOFF_SAID_ABSENT, 0 }, "" },
	{ &handoff_leshan, -1, { { ASKS_READ, "404 " } }, HANDOFF_DONE, { HANDOFF_SAID_ABSENT, 0 }, "" },
	{ &handoff_leshan, 0, { { ASKS("0"), "400 path" } }, HANDOFF_NO, { 0 }, "HTTP 400: path" },
	{ &handoff_leshan, 0, { { ASKS("0"), "401 " } }, HANDOFF_NO, { 0 }, "HTTP 401" },
	{ &handoff_leshan, 0, { { ASKS("0"), "504 Request timeout" } }, HANDOFF_DONE, { HANDOFF_SAID_SILENT, 0 }, "" },
	{ &handoff_leshan, 0, { { ASKS("0"), "503 " } }, HANDOFF_LATER, { 0 }, "HTTP 503" },
	{ &handoff_leshan, 0, { { ASKS("0"), "200 fine" } }, HANDOFF_NO, { 0 }, "its answer does not say what the device answered" },
	{ &handoff_leshan, 0, { { ASKS("0"), SAID("CHANGED(299)") } }, HANDOFF_NO, { 0 },
	    "its answer does not say what the device answered" },
	{ &handoff_http, 5, { { "POST " URL "/a%20b/dm/7/5", "200 " } }, HANDOFF_DONE, { HANDOFF_SAID_YES, 0 }, "" },
	{ &handoff_http, 5, { { "POST " URL "/a%20b/dm/7/5", "202 " } }, HANDOFF_DONE, { HANDOFF_SAID_QUEUED, 0 }, "" },
	{ &handoff_http, 5, { { "POST " URL "/a%20b/dm/7/5", "404 " } }, HANDOFF_DONE, { HANDOFF_SAID_ABSENT, 0 }, "" },
	{ &handoff_http, 5, { { "POST " URL "/a%20b/dm/7/5", "504 " } }, HANDOFF_DONE, { HANDOFF_SAID_SILENT, 0 }, "" },
	{ &handoff_http, 5, { { "POST " URL "/a%20b/dm/7/5", "500 " } }, HANDOFF_LATER, { 0 }, "HTTP 500" },
	{ &handoff_http, 5, { { "POST " URL "/a%20b/dm/7/5", "403 no" } }, HANDOFF_NO, { 0 }, "HTTP 403: no" },
	{ &handoff_http, -1, { { NULL, NULL } }, HANDOFF_NO, { 0 },
	    "the template cannot be filled: which instance of Object 1 its account is, is not known" },
};

START_TEST(a_trigger_asks_for_the_instance_of_the_account_and_tells_what_came_of_it)
{
	struct handoff_server s = { .driver = triggers[_i].driver, .url = (char[]){ URL }, .timeout_ms = 10000,
		.trigger = (char[]){ "POST /%e/%a/%s/%n" }, .trigger_body = (char[]){ "{\"i\":%n}" } };
	struct handoff_task t = task_of(&s, "a b", HANDOFF_CALL_TRIGGER);
	struct handoff_request q = { 0 };
	struct err why = { 0 };
	char line[256];

	t.cred = (struct handoff_credential){ 0 };
	t.instance = triggers[_i].instance;
	ck_assert(handoff_can_trigger(&s));
	enum handoff_word word = s.driver->next(&t, NULL, &q, &why);
	for (size_t i = 0; i < N_ELEMS(triggers[_i].v) && triggers[_i].v[i].asked != NULL; i++) {
		const char *answer = triggers[_i].v[i].answer;
		const struct handoff_reply r = { .status = strtol(answer, NULL, 10), .type = "", .body = (const uint8_t *)answer + 4,
			.body_len = strlen(answer) - 4 };

		ck_assert_int_eq(word, HANDOFF_ASK);
		(void)snprintf(line, sizeof line, "%s %s", q.method, gbuf_cstr(&q.url));
		ck_assert_str_eq(line, triggers[_i].v[i].asked);
		handoff_request_clear(&q);
		word = s.driver->next(&t, &r, &q, &why);
	}
	ck_assert_int_eq(word, triggers[_i].word);
	ck_assert_int_eq(t.heard.said, triggers[_i].heard.said);
	ck_assert_uint_eq(t.heard.code, triggers[_i].heard.code);
	ck_assert_str_eq(why.msg, triggers[_i].why);
	handoff_request_clear(&q);
}
END_TEST

/* Which of them can, given the template or not. */
START_TEST(a_server_without_a_way_calls_nobody_back)
{
	static const struct {
		const struct handoff_driver *driver;
		bool with, without;
	} rows[] = { { &handoff_leshan, true, true }, { &handoff_http, true, false }, { &handoff_exec, false, false } };

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct handoff_server s = { .driver = rows[i].driver };

		ck_assert_int_eq(handoff_can_trigger(&s), rows[i].without);
		s.trigger = (char[]){ "POST /%e" };
		ck_assert_int_eq(handoff_can_trigger(&s), rows[i].with);
	}
}
END_TEST

#define NOT_A_LINE "must be \"METHOD /path\" with PUT, POST, PATCH, DELETE or GET, and no blank or # in the path"
static const struct {
	const char *tell, *tell_body, *drop, *forget, *test;
	bool several;
	const char *why; /* NULL: it is fine */
} templates[] = {
	{ "PUT /c/%e", "{\"k\":\"%k\"}", NULL, "DELETE /c/%e", "GET /", false, NULL },
	{ "PUT /c/%e", NULL, "DELETE /c/%e/%h", "DELETE /c/%e", NULL, true, NULL },
	{ NULL, NULL, NULL, "DELETE /c/%e", NULL, false, "tell: is missing: driver http needs it" },
	{ "PUT /c/%e", NULL, NULL, NULL, NULL, false, "forget: is missing: driver http needs it" },
	{ "PUT /c/%e", NULL, NULL, "DELETE /c/%e", NULL, true, "drop: is missing: driver http needs it with several" },
	{ "PUT c", NULL, NULL, "DELETE /c/%e", NULL, false, "tell: " NOT_A_LINE },
	{ "HEAD /c", NULL, NULL, "DELETE /c/%e", NULL, false, "tell: " NOT_A_LINE },
	{ "PUT /c HTTP/1.1", NULL, NULL, "DELETE /c/%e", NULL, false, "tell: " NOT_A_LINE },
	{ "PUT /c\r\nX:y", NULL, NULL, "DELETE /c/%e", NULL, false, "tell: " NOT_A_LINE },
	{ "PUT /c/%k", NULL, NULL, "DELETE /c/%e", NULL, false, "tell: behind % comes one of %easmihb" },
	{ "PUT /c/%", NULL, NULL, "DELETE /c/%e", NULL, false, "tell: behind % comes one of %easmihb" },
	{ "PUT /c/%e", "%z", NULL, "DELETE /c/%e", NULL, false, "tell: behind % comes one of %easmihbkK" },
	{ "PUT /c/%e", NULL, NULL, "DELETE /c/%i", NULL, false, "forget: behind % comes one of %eas" },
	{ "PUT /c/%e", NULL, NULL, "DELETE /c/%e", "GET /c/%e", false, "test: behind % comes one of %" },
	{ "PUT /c/%e/%n", NULL, NULL, "DELETE /c/%e", NULL, false, "tell: behind % comes one of %easmihb" },
};

static const struct {
	const char *trigger, *trigger_body, *why;
} trigger_templates[] = {
	{ "POST /c/%e/1/%n/9", "{\"s\":%s,\"a\":\"%a\"}", NULL },
	{ "POST /c/%e/%k", NULL, "trigger: behind % comes one of %easn" },
	{ "POST /c/%e", "%i", "trigger: behind % comes one of %easn" },
	{ "/c/%e", NULL, "trigger: " NOT_A_LINE },
	{ NULL, "{}", "trigger_body: there is no trigger that it belongs to" },
};

START_TEST(a_template_of_a_trigger_that_cannot_be_used_is_refused_at_the_start)
{
	struct handoff_server s = { .driver = &handoff_http, .tell = (char[]){ "PUT /c" }, .forget = (char[]){ "DELETE /c" },
		.trigger = (char *)(uintptr_t)trigger_templates[_i].trigger,
		.trigger_body = (char *)(uintptr_t)trigger_templates[_i].trigger_body };
	struct err e = { 0 };
	enum err_code rc = handoff_http_check(&s, &e);

	ck_assert_int_eq(rc, trigger_templates[_i].why == NULL ? ERR_OK : ERR_INVALID);
	ck_assert_str_eq(e.msg, trigger_templates[_i].why == NULL ? "" : trigger_templates[_i].why);
}
END_TEST

START_TEST(a_template_that_cannot_be_used_is_refused_at_the_start)
{
	struct handoff_server s = { .driver = &handoff_http, .several = templates[_i].several,
		.tell = (char *)(uintptr_t)templates[_i].tell, .tell_body = (char *)(uintptr_t)templates[_i].tell_body,
		.drop = (char *)(uintptr_t)templates[_i].drop, .forget = (char *)(uintptr_t)templates[_i].forget,
		.test = (char *)(uintptr_t)templates[_i].test };
	struct err e = { 0 };
	enum err_code rc = handoff_http_check(&s, &e);

	ck_assert_int_eq(rc, templates[_i].why == NULL ? ERR_OK : ERR_INVALID);
	ck_assert_str_eq(e.msg, templates[_i].why == NULL ? "" : templates[_i].why);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(what_is_asked_for_leads_where_it_should, N_ELEMS(requests)),
	UNIT_CASE(an_answer_is_told_without_the_secrets_that_it_repeats, N_ELEMS(answers)),
	UNIT_CASE(a_trigger_asks_for_the_instance_of_the_account_and_tells_what_came_of_it, N_ELEMS(triggers)),
	UNIT_CASE(a_server_without_a_way_calls_nobody_back, 1),
	UNIT_CASE(a_template_of_a_trigger_that_cannot_be_used_is_refused_at_the_start, N_ELEMS(trigger_templates)),
	UNIT_CASE(a_template_that_cannot_be_used_is_refused_at_the_start, N_ELEMS(templates)),
};

UNIT_SUITE_MAIN("handoff_driver", cases)
