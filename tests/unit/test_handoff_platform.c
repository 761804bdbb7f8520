/* Platforms that take several requests for one task: what each is asked for, and what their answers come to. */
#include "bsserver/handoff/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define URL "https://dm.example"
#define KEY_HEX "73656372657420746861742073746179"
#define TURNS 5

static const uint8_t key[] = "secret that stays here for as long as it must, and no longer than that and that.";

/* ---- ThingsBoard ---- */

#define TB_ID "784f394c-42b6-435a-983c-b7beff2784f9"
#define TB_PROFILE "0a1b2c3d-42b6-435a-983c-b7beff2784f9"
#define TB_KEY "X-Authorization: ApiKey t0ken"
#define TB_FIND "GET " URL "/api/tenant/devices?deviceName=a%20b [" TB_KEY "]"
#define TB_READ "GET " URL "/api/device/" TB_ID "/credentials [" TB_KEY "]"
#define TB_WRITE "POST " URL "/api/device/credentials [" TB_KEY "] "
#define TB_CREATE "POST " URL "/api/device-with-credentials [" TB_KEY "] "
#define TB_WHO "GET " URL "/api/auth/user [" TB_KEY "]"
#define TB_DEVICE "200 {\"id\":{\"entityType\":\"DEVICE\",\"id\":\"" TB_ID "\"},\"name\":\"a b\"}"
#define TB_OWNER "\"deviceId\":{\"entityType\":\"DEVICE\",\"id\":\"" TB_ID "\"}"
#define TB_SET(TYPE, VALUE) \
	"{\"id\":{\"id\":\"c\"}," TB_OWNER ",\"credentialsType\":\"" TYPE "\",\"credentialsId\":\"a b\",\"credentialsValue\":" VALUE \
	",\"version\":3}"
#define TB_LWM2M(CLIENT) TB_SET("LWM2M_CREDENTIALS", "\"{\\\"client\\\":{" CLIENT "},\\\"bootstrap\\\":{\\\"kept\\\":1}}\"")
#define TB_HAS "200 " TB_LWM2M("\\\"old\\\":1")
#define TB_CLIENT(MODE) "\\\"endpoint\\\":\\\"a b\\\",\\\"securityConfigClientMode\\\":\\\"" MODE "\\\""
#define TB_PSK TB_CLIENT("PSK") ",\\\"identity\\\":\\\"me\\\",\\\"key\\\":\\\"" KEY_HEX "\\\""
#define TB_TELLS TB_WRITE TB_LWM2M(TB_PSK)
#define TB_MISSING "404 {\"status\":404,\"message\":\"Requested item wasn't found!\",\"errorCode\":32}"
/* what stands in place of * is random */
#define TB_NOBODY "\\\"securityMode\\\":\\\"PSK\\\",\\\"clientPublicKeyOrId\\\":\\\"*\\\",\\\"clientSecretKey\\\":\\\"*\\\""
#define TB_NEW_SET(CLIENT) \
	"\"credentialsType\":\"LWM2M_CREDENTIALS\",\"credentialsId\":\"a b\",\"credentialsValue\":\"{\\\"client\\\":{" CLIENT "}," \
	"\\\"bootstrap\\\":{\\\"bootstrapServer\\\":{" TB_NOBODY "},\\\"lwm2mServer\\\":{" TB_NOBODY "}}}\""
#define TB_CREATES TB_CREATE "{\"device\":{\"name\":\"a b\",\"deviceProfileId\":{\"entityType\":\"DEVICE_PROFILE\",\"id\":\"" \
	TB_PROFILE "\"}},\"credentials\":{" TB_NEW_SET(TB_PSK) "}}"
#define TB_NOT_ITS "HTTP 200, and the answer is not one of ThingsBoard's"
#define TB_LOGIN "POST " URL "/api/auth/login [] {\"username\":\"op\",\"password\":\"pa&s\"}"
#define TB_GRANTED "[X-Authorization: Bearer gr4nt]"

/* ---- Coiote ---- */

#define CO_KEY "[Authorization: Bearer t0ken]"
#define CO_DEVICES URL "/api/coiotedm/v3/devices"
#define CO_FIND_AS(AUTH) \
	"GET " CO_DEVICES "/find/details?searchCriteria=properties.endpointName%20eq%20%27a%20b%27&fieldSelection=id,connectorType," \
	"properties&limit=10 " AUTH
#define CO_FIND CO_FIND_AS(CO_KEY)
#define CO_DEVICE(ID, KIND, NAME) "{\"id\":\"" ID "\",\"connectorType\":\"" KIND "\",\"properties\":{\"endpointName\":\"" NAME "\"}}"
#define CO_NONE "200 {\"devices\":[],\"nextPageBookmark\":null}"
#define CO_ONE "200 {\"devices\":[" CO_DEVICE("a b-bs", "bootstrap", "a b") "," CO_DEVICE("x/1", "management", "a b") "]}"
#define CO_PSK "\"securityMode\":\"psk\",\"dtlsIdentity\":\"me\",\"dtlsPsk\":{\"HexadecimalPsk\":\"" KEY_HEX "\"}"
#define CO_WRITE "PUT " CO_DEVICES "/x%2F1 " CO_KEY " "
#define CO_CREATES(SECURITY) \
	"POST " CO_DEVICES " " CO_KEY " {\"connectorType\":\"management\",\"properties\":{\"endpointName\":\"a b\"}," \
	"\"domain\":\"/co/eu/\"," SECURITY "}"
#define CO_NOT_ITS "HTTP 200, and the answer is not one of Coiote's"

enum how { BY_TOKEN, BY_LOGIN, WITHOUT_NEW, BY_BEARER };

static const struct {
	const struct handoff_driver *driver;
	enum how how;
	enum handoff_call call;
	const char *endpoint;
	struct handoff_credential cred;
	struct {
		const char *asked, *answer; /* "METHOD URL [AUTHORIZATION] BODY", "STATUS BODY"; NULL: no more */
	} v[TURNS];
	enum handoff_word word;
	const char *why;
} talks[] = {
#define PSK { .mode = HANDOFF_PSK, .identity = (const uint8_t *)"me", .identity_len = 2, .key = key, .key_len = 16 }
#define PSK_OF(N) { .mode = HANDOFF_PSK, .identity = (const uint8_t *)"me", .identity_len = 2, .key = key, .key_len = N }
#define PSK_NAMED(ID, N) { .mode = HANDOFF_PSK, .identity = (const uint8_t *)(ID), .identity_len = N, .key = key, .key_len = 16 }
#define RPK { .mode = HANDOFF_RPK, .identity = (const uint8_t *)"SPKI", .identity_len = 4 }
#define X509 { .mode = HANDOFF_X509, .identity = (const uint8_t *)"CERT", .identity_len = 4 }
#define NOTHING { .mode = HANDOFF_PSK }
#define TB &handoff_thingsboard, BY_TOKEN
#define CO &handoff_coiote, BY_TOKEN
#define TELL HANDOFF_CALL_TELL, "a b"
#define FORGET HANDOFF_CALL_FORGET, "a b", NOTHING
#define TEST HANDOFF_CALL_TEST, "", NOTHING
	{ TB, TELL, PSK, { { TB_FIND, TB_DEVICE }, { TB_READ, TB_HAS }, { TB_TELLS, TB_HAS } }, HANDOFF_DONE, "" },
	{ TB, HANDOFF_CALL_TELL_BACK, "a b", PSK, { { TB_FIND, TB_DEVICE }, { TB_READ, TB_HAS }, { TB_TELLS, TB_HAS } },
	    HANDOFF_DONE, "" },
	{ TB, TELL, RPK, { { TB_FIND, TB_DEVICE }, { TB_READ, TB_HAS },
	    { TB_WRITE TB_LWM2M(TB_CLIENT("RPK") ",\\\"key\\\":\\\"U1BLSQ==\\\""), TB_HAS } }, HANDOFF_DONE, "" },
	{ TB, TELL, X509, { { TB_FIND, TB_DEVICE }, { TB_READ, TB_HAS },
	    { TB_WRITE TB_LWM2M(TB_CLIENT("X509") ",\\\"cert\\\":\\\"Q0VSVA==\\\""), TB_HAS } }, HANDOFF_DONE, "" },
	{ TB, TELL, { .mode = HANDOFF_X509 }, { { TB_FIND, TB_DEVICE }, { TB_READ, TB_HAS },
	    { TB_WRITE TB_LWM2M(TB_CLIENT("X509")), TB_HAS } }, HANDOFF_DONE, "" },
	/* its bootstrap part is kept when there is one, and made so that nobody fits when there is none */
	{ TB, TELL, PSK, { { TB_FIND, TB_DEVICE }, { TB_READ, "200 " TB_SET("ACCESS_TOKEN", "null") },
	    { TB_WRITE "{\"id\":{\"id\":\"c\"}," TB_OWNER "," TB_NEW_SET(TB_PSK) ",\"version\":3}", TB_HAS } }, HANDOFF_DONE, "" },
	{ TB, TELL, PSK, { { TB_FIND, TB_MISSING }, { TB_CREATES, TB_DEVICE } }, HANDOFF_DONE, "" },
	{ &handoff_thingsboard, WITHOUT_NEW, TELL, PSK, { { TB_FIND, TB_MISSING } }, HANDOFF_NO,
	    "ThingsBoard has no device of that name, and the configuration no device_profile for new ones" },
	{ TB, FORGET, { { TB_FIND, TB_MISSING } }, HANDOFF_DONE, "" },
	{ TB, FORGET, { { TB_FIND, TB_DEVICE }, { TB_READ, TB_HAS },
	    { TB_WRITE TB_LWM2M(TB_CLIENT("PSK") ",\\\"identity\\\":\\\"*\\\",\\\"key\\\":\\\"*\\\""), TB_HAS } }, HANDOFF_DONE, "" },
	{ TB, TEST, { { TB_WHO, "200 {\"authority\":\"TENANT_ADMIN\"}" }, { "GET " URL "/api/deviceProfile/" TB_PROFILE " [" TB_KEY
	    "]", "200 {\"transportType\":\"LWM2M\"}" } }, HANDOFF_DONE, "" },
	{ TB, TEST, { { TB_WHO, "200 {\"authority\":\"TENANT_ADMIN\"}" }, { "GET " URL "/api/deviceProfile/" TB_PROFILE " [" TB_KEY
	    "]", "200 {\"transportType\":\"DEFAULT\"}" } }, HANDOFF_NO, "device_profile " TB_PROFILE " is not one of transport LWM2M" },
	{ TB, TEST, { { TB_WHO, "200 {\"authority\":\"TENANT_ADMIN\"}" }, { "GET " URL "/api/deviceProfile/" TB_PROFILE " [" TB_KEY
	    "]", "404 " } }, HANDOFF_NO, "ThingsBoard has no device profile " TB_PROFILE },
	{ &handoff_thingsboard, WITHOUT_NEW, TEST, { { TB_WHO, "200 {\"authority\":\"TENANT_ADMIN\"}" } }, HANDOFF_DONE, "" },
	{ TB, TEST, { { TB_WHO, "200 {\"authority\":\"CUSTOMER_USER\"}" } }, HANDOFF_NO,
	    "the user there may not change credentials: only a TENANT_ADMIN may" },
	{ TB, TEST, { { TB_WHO, "200 <html>" } }, HANDOFF_LATER, TB_NOT_ITS },
	{ TB, TEST, { { TB_WHO, "401 {\"status\":401,\"message\":\"Authentication failed\"}" } }, HANDOFF_NO,
	    "HTTP 401: Authentication failed" },
	{ &handoff_thingsboard, BY_BEARER, TEST, { { "GET " URL "/api/auth/user [X-Authorization: Bearer t0ken]", "503 " } },
	    HANDOFF_LATER, "HTTP 503" },
	{ &handoff_thingsboard, BY_LOGIN, TELL, PSK, { { TB_LOGIN, "200 {\"token\":\"gr4nt\",\"refreshToken\":\"x\"}" },
	    { "GET " URL "/api/tenant/devices?deviceName=a%20b " TB_GRANTED, "401 {\"message\":\"no: Gr4nt\"}" } }, HANDOFF_NO,
	    "HTTP 401: (what it says repeats a secret and is not shown)" },
	{ &handoff_thingsboard, BY_LOGIN, TEST, { { TB_LOGIN, "401 {\"message\":\"Invalid username or password\"}" } }, HANDOFF_NO,
	    "HTTP 401: Invalid username or password" },
	{ &handoff_thingsboard, BY_LOGIN, TEST, { { TB_LOGIN, "401 {\"message\":\"not with PA&S\"}" } }, HANDOFF_NO,
	    "HTTP 401: (what it says repeats a secret and is not shown)" },
	{ &handoff_thingsboard, BY_LOGIN, TEST, { { TB_LOGIN, "200 {\"token\":\"a\\r\\nX: y\"}" } }, HANDOFF_LATER,
	    "HTTP 200, and the answer to the login has no token" },
	{ &handoff_thingsboard, BY_LOGIN, TEST, { { TB_LOGIN, "200 {}" } }, HANDOFF_LATER,
	    "HTTP 200, and the answer to the login has no token" },
	{ TB, TELL, PSK, { { TB_FIND, "200 {\"id\":{\"id\":\"" TB_ID "\"},\"name\":\"another\"}" } }, HANDOFF_LATER, TB_NOT_ITS },
	{ TB, TELL, PSK, { { TB_FIND, "200 {\"id\":{\"id\":\"../admin\"},\"name\":\"a b\"}" } }, HANDOFF_LATER, TB_NOT_ITS },
	{ TB, TELL, PSK, { { TB_FIND, "200 {\"id\":" } }, HANDOFF_LATER, TB_NOT_ITS },
	{ TB, TELL, PSK, { { TB_FIND, "200 " } }, HANDOFF_LATER, TB_NOT_ITS },
	{ TB, TELL, PSK, { { TB_FIND, TB_DEVICE }, { TB_READ, "404 {\"message\":\"gone\"}" } }, HANDOFF_NO, "HTTP 404: gone" },
	{ TB, TELL, PSK, { { TB_FIND, TB_DEVICE }, { TB_READ, "200 []" } }, HANDOFF_LATER, TB_NOT_ITS },
	{ TB, TELL, PSK, { { TB_FIND, TB_DEVICE }, { TB_READ, TB_HAS },
	    { TB_TELLS, "400 {\"message\":\"Specified credentials are already registered!\"}" } }, HANDOFF_NO,
	    "HTTP 400: Specified credentials are already registered!" },
	{ TB, TELL, PSK, { { TB_FIND, TB_DEVICE }, { TB_READ, TB_HAS }, { TB_TELLS, "400 {\"message\":\"bad " KEY_HEX "\"}" } },
	    HANDOFF_NO, "HTTP 400: (what it says repeats a secret and is not shown)" },
	{ TB, TELL, PSK, { { TB_FIND, TB_DEVICE }, { TB_READ, TB_HAS }, { TB_TELLS, "500 {\"sent\":\"another secret\"}" } },
	    HANDOFF_LATER, "HTTP 500" },
	{ TB, TELL, PSK, { { TB_FIND, TB_DEVICE }, { TB_READ, TB_HAS }, { TB_TELLS, "200 ok" } }, HANDOFF_LATER, TB_NOT_ITS },
	{ TB, TELL, PSK, { { TB_FIND, TB_MISSING }, { TB_CREATES, "400 {\"message\":\"Device with such name already exists!\"}" } },
	    HANDOFF_NO, "HTTP 400: Device with such name already exists!" },
	{ TB, TELL, PSK, { { TB_FIND, "302 " } }, HANDOFF_NO,
	    "HTTP 302: it points elsewhere, and redirections are not followed" },
	{ TB, TELL, PSK_OF(8), { { NULL, NULL } }, HANDOFF_NO,
	    "ThingsBoard takes pre-shared keys of 16, 32, 48 or 64 octets, and this one has 8" },
	{ TB, TELL, PSK_OF(80), { { NULL, NULL } }, HANDOFF_NO,
	    "ThingsBoard takes pre-shared keys of 16, 32, 48 or 64 octets, and this one has 80" },
	{ TB, TELL, PSK_NAMED("NO_SEC", 6), { { NULL, NULL } }, HANDOFF_NO,
	    "ThingsBoard takes no PSK identity that is empty, no text, or the word NO_SEC" },
	{ TB, TELL, PSK_NAMED("\xff", 1), { { NULL, NULL } }, HANDOFF_NO,
	    "ThingsBoard takes no PSK identity that is empty, no text, or the word NO_SEC" },

	{ CO, TELL, PSK, { { CO_FIND, CO_ONE }, { CO_WRITE "{" CO_PSK "}", "200 {\"result\":\"ok\"}" } }, HANDOFF_DONE, "" },
	{ CO, TELL, PSK, { { CO_FIND, CO_ONE }, { CO_WRITE "{" CO_PSK "}", "204 " } }, HANDOFF_DONE, "" },
	{ CO, TELL, PSK, { { CO_FIND, CO_NONE }, { CO_CREATES(CO_PSK), "201 {\"id\":\"d1\",\"result\":\"ok\"}" } }, HANDOFF_DONE, "" },
	{ CO, TELL, X509, { { CO_FIND, CO_NONE }, { CO_CREATES("\"securityMode\":\"cert\""), "201 \"d1\"" } }, HANDOFF_DONE, "" },
	{ CO, TELL, X509, { { CO_FIND, CO_ONE }, { CO_WRITE "{\"securityMode\":\"cert\"}", "200 " } }, HANDOFF_DONE, "" },
	/* what it finds is of this endpoint, and no bootstrap account */
	{ &handoff_coiote, WITHOUT_NEW, TELL, PSK, { { CO_FIND, "200 {\"devices\":[" CO_DEVICE("1", "management", "c") ","
	    CO_DEVICE("2", "bootstrap", "a b") "," CO_DEVICE("", "management", "a b") ",7,{\"id\":\"3\"}]}" } }, HANDOFF_NO,
	    "Coiote has no device of that endpoint name, and the configuration no domain for new ones" },
	{ CO, FORGET, { { CO_FIND, CO_NONE } }, HANDOFF_DONE, "" },
	{ CO, FORGET, { { CO_FIND, CO_ONE }, { CO_WRITE "{\"securityMode\":\"notset\"}", "200 " } }, HANDOFF_DONE, "" },
	{ CO, TEST, { { "GET " CO_DEVICES "/find/details?fieldSelection=id&limit=1 " CO_KEY, CO_NONE } }, HANDOFF_DONE, "" },
	{ CO, TEST, { { "GET " CO_DEVICES "/find/details?fieldSelection=id&limit=1 " CO_KEY, "200 <html>" } }, HANDOFF_LATER,
	    CO_NOT_ITS },
	{ CO, TEST, { { "GET " CO_DEVICES "/find/details?fieldSelection=id&limit=1 " CO_KEY, "401 {\"error\":\"expired\"}" } },
	    HANDOFF_NO, "HTTP 401: expired" },
	{ &handoff_coiote, BY_LOGIN, TELL, PSK, { { "POST " URL "/api/auth/oauth_password [] grant_type=password&username=op&"
	    "password=pa%26s", "201 {\"access_token\":\"gr4nt\",\"expires_in\":300}" },
	    { CO_FIND_AS("[Authorization: Bearer gr4nt]"), "429 " } }, HANDOFF_LATER, "HTTP 429" },
	{ CO, TELL, PSK, { { CO_FIND, "404 nothing" } }, HANDOFF_NO, "HTTP 404" },
	{ CO, TELL, PSK, { { CO_FIND, "200 {\"devices\":{}}" } }, HANDOFF_LATER, CO_NOT_ITS },
	{ CO, TELL, PSK, { { CO_FIND, CO_ONE }, { CO_WRITE "{" CO_PSK "}", "200 <html>" } }, HANDOFF_LATER, CO_NOT_ITS },
	{ CO, TELL, PSK, { { CO_FIND, CO_ONE }, { CO_WRITE "{" CO_PSK "}", "400 {\"error\":\"key c2VjcmV0IHRoYXQgc3RheQ==\"}" } },
	    HANDOFF_NO, "HTTP 400: (what it says repeats a secret and is not shown)" },
	{ CO, TELL, PSK, { { CO_FIND, CO_NONE }, { CO_CREATES(CO_PSK), "409 {\"error\":\"dtlsIdentity is used\"}" } }, HANDOFF_NO,
	    "HTTP 409: dtlsIdentity is used" },
	{ CO, TELL, PSK, { { CO_FIND, CO_NONE }, { CO_CREATES(CO_PSK), "500 {\"error\":7}" } }, HANDOFF_LATER, "HTTP 500" },
	{ CO, HANDOFF_CALL_TELL, "a' or id ne '", PSK, { { NULL, NULL } }, HANDOFF_NO,
	    "Coiote cannot be asked for an endpoint with ' or \\ in it" },
	{ CO, HANDOFF_CALL_FORGET, "a'", NOTHING, { { NULL, NULL } }, HANDOFF_NO,
	    "Coiote cannot be asked for an endpoint with ' or \\ in it" },
	{ CO, TELL, PSK_NAMED("\xff", 1), { { NULL, NULL } }, HANDOFF_NO, "Coiote takes no PSK identity that is empty or no text" },
};

/* Whether is is like, in which each * stands for 32 or more hex digits. */
static bool
fits(const char *is, const char *like)
{
	for (; *like != 0; like++) {
		size_t n = *like == '*' ? strspn(is, "0123456789abcdef") : 1;

		if (*like == '*' ? n < 32 : *is != *like)
			return false;
		is += n;
	}
	return *is == 0;
}

static void
was_asked(struct handoff_request *q, const struct handoff_server *s, const char *like)
{
	struct gbuf line = { 0 };
	struct err e = { 0 };

	ck_assert_msg(handoff_request_check(q, s, &e) == ERR_OK, "%s", e.msg);
	ck_assert_int_eq(q->type != NULL, q->body.len > 0);
	gbuf_printf(&line, "%s %s [%s]%s%s", q->method, gbuf_cstr(&q->url), gbuf_cstr(&q->authorization),
	    q->body.len > 0 ? " " : "", gbuf_cstr(&q->body));
	ck_assert_msg(fits(gbuf_cstr(&line), like), "asked:\n%s\nand not\n%s", gbuf_cstr(&line), like);
	gbuf_clear(&line);
	handoff_request_clear(q);
}

static void
server_of(struct handoff_server *s, enum how how)
{
	s->bearer = how == BY_BEARER;
	s->login = how == BY_LOGIN ? (char *)(uintptr_t)"op" : NULL;
	s->device_profile = how == WITHOUT_NEW ? NULL : (char *)(uintptr_t)TB_PROFILE;
	s->domain = how == WITHOUT_NEW ? NULL : (char *)(uintptr_t)"/co/eu/";
	if (how == BY_LOGIN)
		ck_assert_int_eq(secret_set(&s->password, "pa&s", 4, NULL), ERR_OK);
	else
		ck_assert_int_eq(secret_set(&s->token, "t0ken", 5, NULL), ERR_OK);
}

START_TEST(each_request_is_made_of_the_answer_before_it)
{
	struct handoff_server s = { .driver = talks[_i].driver, .url = (char[]){ URL } };
	struct handoff_task t = { .server = &s, .call = talks[_i].call, .endpoint = talks[_i].endpoint, .account = "dm",
		.short_server_id = 7, .cred = talks[_i].cred };
	struct handoff_request q = { 0 };
	struct err why = { 0 };

	server_of(&s, talks[_i].how);
	enum handoff_word word = s.driver->next(&t, NULL, &q, &why);
	for (size_t i = 0; i < TURNS && talks[_i].v[i].asked != NULL; i++) {
		const char *answer = talks[_i].v[i].answer;
		const struct handoff_reply r = { .status = strtol(answer, NULL, 10), .type = "", .body = (const uint8_t *)answer + 4,
			.body_len = strlen(answer) - 4 };

		ck_assert_msg(word == HANDOFF_ASK, "turn %zu: %s", i, why.msg);
		was_asked(&q, &s, talks[_i].v[i].asked);
		word = s.driver->next(&t, &r, &q, &why);
	}
	ck_assert_int_eq(word, talks[_i].word);
	ck_assert_str_eq(why.msg, talks[_i].why);
	handoff_request_clear(&q);
	secret_clear(&t.grant);
	secret_clear(&s.token);
	secret_clear(&s.password);
}
END_TEST

/* Of two times a device is forgotten, the keys that nobody is to know differ. */
START_TEST(a_key_that_nobody_knows_is_another_each_time)
{
	static const char *const answers[] = { &TB_DEVICE[4], &TB_HAS[4] };
	struct gbuf bodies[2] = { { 0 }, { 0 } };

	for (size_t k = 0; k < 2; k++) {
		struct handoff_server s = { .driver = &handoff_thingsboard, .url = (char[]){ URL } };
		struct handoff_task t = { .server = &s, .call = HANDOFF_CALL_FORGET, .endpoint = "a b" };
		struct handoff_request q = { 0 };

		ck_assert_int_eq(s.driver->next(&t, NULL, &q, NULL), HANDOFF_ASK);
		for (size_t i = 0; i < N_ELEMS(answers); i++) {
			const struct handoff_reply r = { .status = 200, .body = (const uint8_t *)answers[i],
				.body_len = strlen(answers[i]) };

			handoff_request_clear(&q);
			ck_assert_int_eq(s.driver->next(&t, &r, &q, NULL), HANDOFF_ASK);
		}
		gbuf_str(&bodies[k], gbuf_cstr(&q.body));
		handoff_request_clear(&q);
	}
	ck_assert_str_ne(gbuf_cstr(&bodies[0]), gbuf_cstr(&bodies[1]));
	gbuf_clear(&bodies[0]);
	gbuf_clear(&bodies[1]);
}
END_TEST

static const struct {
	const struct handoff_driver *driver;
	const char *device_profile, *domain, *why; /* NULL: it is fine */
} settings[] = {
	{ &handoff_thingsboard, TB_PROFILE, NULL, NULL },
	{ &handoff_thingsboard, NULL, NULL, NULL },
	{ &handoff_thingsboard, "meters", NULL, "device_profile: must be the UUID of a device profile of ThingsBoard" },
	{ &handoff_thingsboard, TB_PROFILE "0", NULL, "device_profile: must be the UUID of a device profile of ThingsBoard" },
	{ &handoff_thingsboard, "784f394c-42b6-435a-983c-b7beff2784f/", NULL,
	    "device_profile: must be the UUID of a device profile of ThingsBoard" },
	{ &handoff_coiote, NULL, NULL, NULL },
	{ &handoff_coiote, NULL, "/", NULL },
	{ &handoff_coiote, NULL, "/co/", NULL },
	{ &handoff_coiote, NULL, "/co", "domain: must begin and end with a slash, as \"/company/meters/\"" },
	{ &handoff_coiote, NULL, "co/", "domain: must begin and end with a slash, as \"/company/meters/\"" },
};

START_TEST(settings_that_make_no_sense_are_refused_at_the_start)
{
	struct handoff_server s = { .driver = settings[_i].driver, .device_profile = (char *)(uintptr_t)settings[_i].device_profile,
		.domain = (char *)(uintptr_t)settings[_i].domain };
	struct err e = { 0 };

	ck_assert_int_eq(s.driver->check(&s, &e), settings[_i].why == NULL ? ERR_OK : ERR_INVALID);
	ck_assert_str_eq(e.msg, settings[_i].why == NULL ? "" : settings[_i].why);
}
END_TEST

/* Each driver says of each mode whether there is a place for it: none is told what it cannot keep. */
START_TEST(each_driver_says_which_credentials_it_has_a_place_for)
{
	static const struct {
		const char *name;
		unsigned modes;
	} rows[] = { { "leshan", HANDOFF_HOLDS_ALL }, { "thingsboard", HANDOFF_HOLDS_ALL },
		{ "coiote", HANDOFF_HOLDS(HANDOFF_PSK) | HANDOFF_HOLDS(HANDOFF_X509) }, { "http", HANDOFF_HOLDS_ALL },
		{ "exec", HANDOFF_HOLDS_ALL } };

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		ck_assert_str_eq(handoff_driver_at(i), rows[i].name);
		ck_assert_uint_eq(handoff_driver_by_name(rows[i].name)->modes, rows[i].modes);
	}
	ck_assert_ptr_null(handoff_driver_at(N_ELEMS(rows)));
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(each_request_is_made_of_the_answer_before_it, N_ELEMS(talks)),
	UNIT_CASE(a_key_that_nobody_knows_is_another_each_time, 0),
	UNIT_CASE(settings_that_make_no_sense_are_refused_at_the_start, N_ELEMS(settings)),
	UNIT_CASE(each_driver_says_which_credentials_it_has_a_place_for, 0),
};

UNIT_SUITE_MAIN("handoff_platform", cases)
