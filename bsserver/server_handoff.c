#include "bsserver/server_handoff.h"

#include <stdlib.h>
#include <string.h>

#include "bsserver/api/api.h"
#include "lib/base/str.h"
#include "pki/pem.h"

#define TOKEN_FILE_MAX 16384
#define RETRY_MS 250
#define RETRY_MAX_MS 300000
#define ORPHAN_MS 600000 /* longer than any session: what is open then has none */

/* The first line of the file. */
static enum err_code
read_token(const char *file, const char *what, struct secret *out, struct err *e)
{
	struct secret bytes = SECRET_NONE;
	enum err_code rc = pem_read_file(file, TOKEN_FILE_MAX, &bytes, e);

	if (rc == ERR_OK) {
		size_t n = strcspn((const char *)bytes.data, "\r\n");
		if (n == 0 || !str_is_printable((const char *)bytes.data, n))
			rc = err_set(e, ERR_INVALID, "%s: its first line is no %s", file, what);
		else
			rc = secret_set(out, bytes.data, n, e);
	}
	secret_clear(&bytes);
	return rc;
}

static enum err_code
copy(char **to, const char *from, struct err *e)
{
	if (from == NULL)
		return ERR_OK;
	*to = str_dup_n(from, strlen(from));
	return *to == NULL ? err_no_memory(e) : ERR_OK;
}

static enum err_code
copy_texts(const struct conf_server *c, struct handoff_server *s, struct err *e)
{
	const struct {
		char **to;
		const char *from;
	} rows[] = { { &s->name, c->name }, { &s->url, c->url }, { &s->ca_file, c->ca_file },
		{ &s->login, c->login }, { &s->device_profile, c->device_profile }, { &s->domain, c->domain },
		{ &s->tell, c->tell }, { &s->tell_body, c->tell_body },
		{ &s->drop, c->drop }, { &s->drop_body, c->drop_body }, { &s->forget, c->forget },
		{ &s->forget_body, c->forget_body }, { &s->test, c->test },
		{ &s->trigger, c->trigger }, { &s->trigger_body, c->trigger_body } };
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < N_ELEMS(rows); i++)
		rc = copy(rows[i].to, rows[i].from, e);
	return rc;
}

static enum err_code
copy_program(const struct conf_server *c, struct handoff_server *s, struct err *e)
{
	enum err_code rc = ERR_OK;

	s->program = calloc(CONF_PROGRAM_MAX + 1, sizeof *s->program);
	if (s->program == NULL)
		return err_no_memory(e);
	for (size_t i = 0; rc == ERR_OK && i < CONF_PROGRAM_MAX && c->program[i] != NULL; i++)
		rc = copy(&s->program[i], c->program[i], e);
	return rc;
}

static enum err_code
unknown_driver(const char *name, struct err *e)
{
	struct gbuf all = { .max = 256 };

	for (size_t i = 0; handoff_driver_at(i) != NULL; i++)
		gbuf_printf(&all, "%s%s", i > 0 ? ", " : "", handoff_driver_at(i));
	(void)err_set(e, ERR_INVALID, "there is no driver \"%s\"; there are: %s", name, gbuf_cstr(&all));
	gbuf_clear(&all);
	return ERR_INVALID;
}

static enum err_code
make_server(const struct conf_server *c, struct handoff_server *s, struct err *e)
{
	s->driver = handoff_driver_by_name(c->driver);
	if (s->driver == NULL)
		return unknown_driver(c->driver, e);
	s->timeout_ms = (uint32_t)c->timeout_s * 1000;
	s->several = c->several && !s->driver->one_secret;
	s->bearer = c->token_type != NULL && strcmp(c->token_type, "bearer") == 0;
	s->rules = (struct handoff_rules){ .one_secret = !s->several, .grace_ms = (uint32_t)c->grace_s * 1000,
		.retry_ms = RETRY_MS, .retry_max_ms = RETRY_MAX_MS, .orphan_ms = ORPHAN_MS };
	if (c->several && s->driver->one_secret)
		return err_set(e, ERR_INVALID, "several: driver %s holds one credential of a device", c->driver);
	enum err_code rc = copy_texts(c, s, e);
	if (rc == ERR_OK)
		rc = copy_program(c, s, e);
	if (rc == ERR_OK && s->driver->check != NULL)
		rc = s->driver->check(s, e);
	if (rc == ERR_OK && c->token_file != NULL)
		rc = read_token(c->token_file, "token", &s->token, e);
	return rc == ERR_OK && c->password_file != NULL ? read_token(c->password_file, "password", &s->password, e) : rc;
}

enum err_code
server_handoff_servers(const struct conf *c, struct handoff_server out[CONF_SERVERS_MAX], struct err *e)
{
	memset(out, 0, CONF_SERVERS_MAX * sizeof *out);
	for (size_t i = 0; i < c->n_servers; i++)
		if (make_server(&c->servers[i], &out[i], e) != ERR_OK)
			return err_wrap(e, "lwm2m_servers: %s", c->servers[i].name);
	return ERR_OK;
}

void
server_handoff_clear(struct handoff_server v[CONF_SERVERS_MAX])
{
	for (size_t i = 0; i < CONF_SERVERS_MAX; i++)
		handoff_server_clear(&v[i]);
}

enum err_code
server_handoff_check(const struct conf *c, struct err *e)
{
	struct handoff_server servers[CONF_SERVERS_MAX];
	enum err_code rc = server_handoff_servers(c, servers, e);

	server_handoff_clear(servers);
	return rc;
}

bool
server_handoff_counter(const struct handoff *h, size_t i, struct api_counter *out)
{
	struct handoff_stats s = { 0 };

	if (h != NULL)
		handoff_stats(h, &s);
	const struct api_counter rows[] = {
		{ "handoff_told", "credentials that LwM2M Servers took", false, s.told },
		{ "handoff_given_back", "credentials that they were told back, dropped or forgot", false, s.given_back },
		{ "handoff_refused", "refusals of LwM2M Servers", false, s.refused },
		{ "handoff_unanswered", "attempts that LwM2M Servers did not answer", false, s.unanswered },
		{ "handoff_doubts", "sessions after which nobody knows which credential the device has", false, s.doubts },
		{ "handoff_triggers", "devices that LwM2M Servers were asked to call back", false, s.triggers },
		{ "handoff_under_way", "hand-offs that are being worked on", true, s.under_way },
	};

	_Static_assert(N_ELEMS(rows) == SERVER_HANDOFF_COUNTERS, "counted in its header");
	if (i >= N_ELEMS(rows))
		return false;
	*out = rows[i];
	return true;
}
