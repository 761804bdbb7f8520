/* What LwM2M Servers are asked for, by each driver, and what their answers are taken for. */
#include "bsserver/handoff/driver.h"

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
};

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
	UNIT_CASE(a_template_that_cannot_be_used_is_refused_at_the_start, N_ELEMS(templates)),
};

UNIT_SUITE_MAIN("handoff_driver", cases)
