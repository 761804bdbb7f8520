/* trigger: devices are called back, as a job of the daemon's; job list|show|pause|resume|cancel. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lwm2m-prov/interrupt.h"
#include "lwm2m-prov/output.h"
#include "lwm2m-prov/progress.h"
#include "lwm2m-prov/remote.h"
#include "lwm2m-prov/select.h"

#define WAIT_SECONDS 604800
#define LOOK_MS 500
#define ROWS_SHOWN 100

/* clang-format off */
static const struct out_field row_fields[] = {
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "outcome", "outcome", OUT_PLAIN, NULL },
	{ "code", "code", OUT_PLAIN, NULL },
	{ "session", "session", OUT_PLAIN, NULL },
	{ "failed", "failed", OUT_PLAIN, NULL },
	{ "registered", "registered", OUT_PLAIN, NULL },
	{ "at", "at", OUT_TIME, NULL },
	{ "via", "asked by", OUT_PLAIN, NULL },
	{ "said", "said", OUT_PLAIN, NULL },
};
static const struct out_view row_view = { row_fields, N_ELEMS(row_fields) };

static const struct out_field list_fields[] = {
	{ "id", "job", OUT_PLAIN, NULL },
	{ "state", "state", OUT_PLAIN, NULL },
	{ "devices", "devices", OUT_PLAIN, NULL },
	{ "outcomes", "outcomes", OUT_COUNTS, NULL },
	{ "created", "created", OUT_TIME, NULL },
	{ "why", "why", OUT_PLAIN, NULL },
};
static const struct out_view list_view = { list_fields, N_ELEMS(list_fields) };

static const struct out_field job_fields[] = {
	{ "id", "job", OUT_PLAIN, NULL },
	{ "state", "state", OUT_PLAIN, NULL },
	{ "why", "why", OUT_PLAIN, NULL },
	{ "devices", "devices", OUT_PLAIN, NULL },
	{ "outcomes", "outcomes", OUT_COUNTS, NULL },
	{ "failed", "failed", OUT_PLAIN, NULL },
	{ "selector", "chosen by", OUT_PLAIN, NULL },
	{ "rate", "devices a second", OUT_PLAIN, NULL },
	{ "from", "from", OUT_PLAIN, NULL },
	{ "to", "to", OUT_PLAIN, NULL },
	{ "canary", "first", OUT_PLAIN, NULL },
	{ "expires", "expires", OUT_TIME, NULL },
	{ "created", "created", OUT_TIME, NULL },
	{ "actor", "by", OUT_PLAIN, NULL },
	{ "reason", "reason", OUT_PLAIN, NULL },
	{ "rows", "", OUT_ROWS, &row_view },
};
static const struct out_view job_view = { job_fields, N_ELEMS(job_fields) };
/* clang-format on */

/* ---- who is meant ---- */

static enum err_code
name_devices(struct cli *cli, json_t *body, struct err *e)
{
	json_t *names = json_object_get(body, "endpoints");
	struct selected chosen;
	enum err_code rc = select_devices(cli, &chosen, e);

	for (size_t i = 0; rc == ERR_OK && i < chosen.n; i++)
		(void)json_array_append_new(names, json_string(chosen.v[i]));
	if (rc == ERR_OK && chosen.text.len > 0)
		(void)json_object_set_new(body, "selector", json_string(gbuf_cstr(&chosen.text)));
	selected_clear(&chosen);
	return rc;
}

/* ---- how ---- */

/* "10/s", "30/m", "600/h", or a bare number a second. */
static bool
read_rate(const char *s, double *out)
{
	size_t n = strcspn(s, "/");
	uint64_t v;

	if (!str_to_u64(s, n, 1, 1000000, &v))
		return false;
	*out = (double)v;
	if (s[n] == 0 || strcmp(s + n, "/s") == 0)
		return true;
	*out /= strcmp(s + n, "/m") == 0 ? 60 : 3600;
	return strcmp(s + n, "/m") == 0 || strcmp(s + n, "/h") == 0;
}

static enum err_code
put_canary(json_t *body, const char *s, struct err *e)
{
	size_t n = strlen(s);
	bool share = n > 0 && s[n - 1] == '%';
	uint64_t v;

	if (!str_to_u64(s, n - share, 1, share ? 100 : UINT32_MAX, &v))
		return err_set(e, ERR_USAGE, "trigger: --canary is a number of devices, or a share of them: 1%%");
	(void)json_object_set_new(body, share ? "canary_percent" : "canary", json_integer((json_int_t)v));
	return ERR_OK;
}

static enum err_code
put_options(struct cli *cli, json_t *body, struct err *e)
{
	double rate;

	if (cli_has(cli, OPT_RATE)) {
		if (!read_rate(cli_text(cli, OPT_RATE), &rate))
			return err_set(e, ERR_USAGE, "trigger: --rate is a number of devices: 10/s, 30/m, 600/h");
		(void)json_object_set_new(body, "rate", json_real(rate));
	}
	if (cli_has(cli, OPT_WINDOW))
		(void)json_object_set_new(body, "window", json_string(cli_text(cli, OPT_WINDOW)));
	if (cli_has(cli, OPT_EXPIRES))
		(void)json_object_set_new(body, "expires_s", json_integer((json_int_t)cli_number(cli, OPT_EXPIRES, 0)));
	if (cli_has(cli, OPT_DRY_RUN))
		(void)json_object_set_new(body, "dry_run", json_true());
	return cli_has(cli, OPT_CANARY) ? put_canary(body, cli_text(cli, OPT_CANARY), e) : ERR_OK;
}

/* ---- until it is over ---- */

static json_int_t
count(const json_t *job, const char *outcome)
{
	return json_integer_value(json_object_get(json_object_get(job, "outcomes"), outcome));
}

static bool
is_running(const json_t *job)
{
	const char *state = json_string_value(json_object_get(job, "state"));

	return state != NULL && strcmp(state, "running") == 0;
}

static enum err_code
get_job(struct cli *cli, json_int_t id, json_t **job, struct err *e)
{
	char path[64];

	json_decref(*job);
	*job = NULL;
	(void)snprintf(path, sizeof path, "/v1/jobs/%lld?limit=1", (long long)id);
	return remote_get(cli, path, job, e);
}

static enum err_code
show_rows(struct cli *cli, json_int_t id, const char *outcome, uint64_t limit, json_t *into, struct err *e)
{
	struct gbuf path = { .max = 256 };
	json_t *rows = NULL;

	gbuf_printf(&path, "/v1/jobs/%lld", (long long)id);
	if (outcome != NULL)
		client_path_query(&path, "outcome", outcome);
	enum err_code rc = remote_list(cli, gbuf_cstr(&path), "rows", limit, &rows, e);
	if (rc == ERR_OK) {
		(void)json_object_set(into, "rows", json_object_get(rows, "rows"));
		(void)json_object_set(into, "more", json_object_get(rows, "more"));
		(void)json_object_del(into, "after");
	}
	json_decref(rows);
	gbuf_clear(&path);
	return rc;
}

/* Well is: asked, and its session ended well. */
static enum prov_exit
judge(const json_t *job, struct err *e)
{
	json_int_t all = json_integer_value(json_object_get(job, "devices")), good = count(job, "bootstrapped");

	if (good == all)
		return EXIT_DONE;
	(void)err_set(e, ERR_INTERNAL, "trigger: %lld of %lld devices bootstrapped; lwm2m-prov job show %lld says more",
	    (long long)good, (long long)all, (long long)json_integer_value(json_object_get(job, "id")));
	return good == 0 ? EXIT_FAILED : EXIT_PARTIAL;
}

static enum prov_exit
wait_for(struct cli *cli, json_t **job, struct err *e)
{
	uint64_t until = clock_mono_ms() + cli_timeout(cli, WAIT_SECONDS) * 1000;
	json_int_t id = json_integer_value(json_object_get(*job, "id"));
	struct progress p;
	enum err_code rc = ERR_OK;

	interrupt_watch();
	progress_start(&p, stderr, "devices", (size_t)json_integer_value(json_object_get(*job, "devices")), clock_mono_ms());
	while (rc == ERR_OK && is_running(*job) && !interrupted() && clock_mono_ms() < until) {
		(void)poll(NULL, 0, LOOK_MS);
		rc = get_job(cli, id, job, e);
		p.done = p.total - (size_t)(count(*job, "pending") + count(*job, "asleep") + count(*job, "asked"));
		progress_tick(&p, clock_mono_ms());
	}
	progress_end(&p);
	if (rc == ERR_OK)
		rc = show_rows(cli, id, NULL, 0, *job, e);
	if (rc != ERR_OK)
		return exit_of(rc);
	out_object(cli->out, &job_view, *job);
	if (!is_running(*job))
		return judge(*job, e);
	if (interrupted())
		return EXIT_INTERRUPTED;
	(void)err_set(e, ERR_TIMEOUT, "trigger: job %lld still runs", (long long)id);
	return EXIT_TIMEOUT;
}

enum prov_exit
cmd_trigger(struct cli *cli, struct err *e)
{
	json_t *body = json_pack("{s:[]}", "endpoints"), *answer = NULL;
	const struct remote_call call = { "POST", "/v1/jobs", body, true };
	enum err_code rc = body == NULL ? err_no_memory(e) : name_devices(cli, body, e);
	enum prov_exit end;

	if (rc == ERR_OK)
		rc = put_options(cli, body, e);
	if (rc == ERR_OK && !cli_has(cli, OPT_DRY_RUN))
		rc = cli_may_touch(cli, "trigger would call back", json_array_size(json_object_get(body, "endpoints")), e);
	if (rc == ERR_OK)
		rc = remote_call(cli, &call, &answer, e);
	end = exit_of(rc);
	if (rc == ERR_OK && cli_has(cli, OPT_DRY_RUN))
		out_table(cli->out, &row_view, answer, "rows");
	else if (rc == ERR_OK && cli_has(cli, OPT_WAIT))
		end = wait_for(cli, &answer, e);
	else if (rc == ERR_OK)
		out_object(cli->out, &job_view, answer);
	json_decref(answer);
	json_decref(body);
	return end;
}

/* ---- jobs ---- */

enum prov_exit
cmd_job_list(struct cli *cli, struct err *e)
{
	json_t *doc = NULL;
	enum err_code rc = remote_get(cli, "/v1/jobs", &doc, e);

	if (rc == ERR_OK)
		out_table(cli->out, &list_view, doc, "jobs");
	json_decref(doc);
	return exit_of(rc);
}

static enum err_code
job_number(struct cli *cli, json_int_t *id, struct err *e)
{
	uint64_t v;

	if (!str_to_u64(cli->args[0], strlen(cli->args[0]), 1, INT64_MAX, &v))
		return err_set(e, ERR_USAGE, "a job is a number; lwm2m-prov job list shows them");
	*id = (json_int_t)v;
	return ERR_OK;
}

enum prov_exit
cmd_job_show(struct cli *cli, struct err *e)
{
	json_t *doc = NULL;
	json_int_t id = 0;
	enum err_code rc = job_number(cli, &id, e);

	if (rc == ERR_OK)
		rc = get_job(cli, id, &doc, e);
	if (rc == ERR_OK)
		rc = show_rows(cli, id, cli_text(cli, OPT_OUTCOME), cli_number(cli, OPT_LIMIT, ROWS_SHOWN), doc, e);
	if (rc == ERR_OK)
		out_object(cli->out, &job_view, doc);
	json_decref(doc);
	return exit_of(rc);
}

static enum prov_exit
set_state(struct cli *cli, const char *state, struct err *e)
{
	json_t *body = json_pack("{s:s}", "state", state), *doc = NULL;
	struct gbuf path = { 0 };
	json_int_t id = 0;
	enum err_code rc = job_number(cli, &id, e);

	if (rc == ERR_OK) {
		remote_path(&path, "/v1/jobs/", cli->args[0], "/state");
		rc = remote_call(cli, &(struct remote_call){ "POST", gbuf_cstr(&path), body, true }, &doc, e);
	}
	if (rc == ERR_OK)
		out_object(cli->out, &job_view, doc);
	json_decref(doc);
	json_decref(body);
	gbuf_clear(&path);
	return exit_of(rc);
}

enum prov_exit
cmd_job_pause(struct cli *cli, struct err *e)
{
	return set_state(cli, "paused", e);
}

enum prov_exit
cmd_job_resume(struct cli *cli, struct err *e)
{
	return set_state(cli, "running", e);
}

enum prov_exit
cmd_job_cancel(struct cli *cli, struct err *e)
{
	return set_state(cli, "cancelled", e);
}
