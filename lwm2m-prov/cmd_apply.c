/* apply: devices and profiles from files into the store, a row of result for each. */
#include <inttypes.h>
#include <stdlib.h>

#include <jansson.h>

#include "lib/base/clock.h"
#include "lwm2m-prov/apply.h"
#include "lwm2m-prov/batch.h"
#include "lwm2m-prov/findings.h"
#include "lwm2m-prov/interrupt.h"
#include "lwm2m-prov/output.h"
#include "lwm2m-prov/progress.h"
#include "lwm2m-prov/remote.h"
#include "lwm2m-prov/result.h"

/* What can become of a row, as the daemon and the result file say it. */
enum outcome {
	CREATED,
	UPDATED,
	UNCHANGED,
	SKIPPED,
	INVALID,
	CONFLICT,
	EXISTS,
	FAILED,
	PENDING,
	OUTCOMES
};

static const struct {
	const char *name;
	bool fine;
	enum prov_exit alone; /* how a batch of this one row ends */
} outcomes[OUTCOMES] = {
	[CREATED] = { "created", true, EXIT_DONE },
	[UPDATED] = { "updated", true, EXIT_DONE },
	[UNCHANGED] = { "unchanged", true, EXIT_DONE },
	[SKIPPED] = { "skipped", true, EXIT_DONE },
	[INVALID] = { "invalid", false, EXIT_INVALID },
	[CONFLICT] = { "conflict", false, EXIT_CONFLICT },
	[EXISTS] = { "exists", false, EXIT_CONFLICT },
	[FAILED] = { "error", false, EXIT_FAILED },
	[PENDING] = { "pending", false, EXIT_UNREACHABLE },
};

struct applying {
	struct cli *cli;
	struct docs docs;
	size_t *order, n;
	bool *skip;     /* per place: nothing is sent */
	bool *answered; /* per place: there is a row */
	size_t counts[OUTCOMES];
	struct result_file *result;
	struct progress progress;
	uint64_t affected; /* trial: existing devices that would change */
	bool dry, must_be_new;
	enum prov_exit alone; /* of the newest row */
	uint64_t started_ms;
};

#define SHOW_EACH 20 /* rows up to which those that went well are printed too */

static const struct out_field row_fields[] = {
	{ "result", "result", OUT_PLAIN, NULL },
	{ "kind", "kind", OUT_PLAIN, NULL },
	{ "name", "name", OUT_PLAIN, NULL },
};
static const struct out_view row_view = { row_fields, N_ELEMS(row_fields) };

static enum outcome
outcome_of(const json_t *row)
{
	const char *name = json_string_value(json_object_get(row, "result"));

	for (size_t i = 0; name != NULL && i < OUTCOMES; i++)
		if (strcmp(outcomes[i].name, name) == 0)
			return (enum outcome)i;
	return FAILED;
}

static const char *
kind_name(const struct doc_item *item)
{
	if (item->doc == NULL || profile_doc_kind(item->doc) == PROFILE_NO_KIND)
		return "document";
	return profile_doc_kind(item->doc) == PROFILE_SHARED ? "profile" : "device";
}

/* The text of a row that failed, on the error stream. */
static void
complain(struct applying *a, const struct doc_item *item, const json_t *row)
{
	const char *name = item->doc != NULL ? profile_doc_name(item->doc) : NULL;
	const char *detail =
	    json_string_value(json_object_get(json_object_get(row, "error"), "detail"));
	const json_t *finding;
	size_t i;

	json_array_foreach(json_object_get(row, "findings"), i, finding)
	{
		struct gbuf line = { .max = 65536 };

		findings_line(&line, finding);
		out_note(a->cli->out, "%s", gbuf_cstr(&line));
		gbuf_clear(&line);
	}
	if (outcomes[outcome_of(row)].fine || (i > 0 && detail == NULL))
		return;
	out_note(a->cli->out, "%s: %s %s: %s%s%s", item->source, kind_name(item),
	    name != NULL ? name : "without a name", outcomes[outcome_of(row)].name,
	    detail != NULL ? ": " : "", detail != NULL ? detail : "");
}

/* A row by whoever knew it: counted, shown and kept. */
static enum err_code
note_row(struct applying *a, size_t place, json_t *row, struct err *e)
{
	const struct doc_item *item = &a->docs.v[a->order[place]];
	enum outcome what = outcome_of(row);

	a->answered[place] = true;
	a->counts[what]++;
	a->progress.done++;
	a->alone = outcomes[what].alone;
	(void)json_object_set_new(row, "source", json_string(item->source));
	(void)json_object_del(row, "row");
	if (what != PENDING || out_is_json(a->cli->out)) {
		progress_end(&a->progress);
		if (out_is_json(a->cli->out) || (outcomes[what].fine && a->n <= SHOW_EACH))
			out_row(a->cli->out, &row_view, row);
		complain(a, item, row);
	}
	return a->dry ? ERR_OK : result_put(a->result, item, row, e);
}

static enum err_code
on_row(void *arg, size_t place, const struct json_t *row, struct err *e)
{
	json_t *own = json_copy((json_t *)(uintptr_t)row);
	enum err_code rc = own == NULL ? err_no_memory(e) : note_row(arg, place, own, e);
	const char *code =
	    json_string_value(json_object_get(json_object_get(row, "error"), "code"));
	struct applying *a = arg;

	/* a row alone ends as its error would */
	for (enum err_code c = ERR_USAGE;
	     outcome_of(row) == FAILED && code != NULL && c < ERR__COUNT; c++)
		if (strcmp(err_name(c), code) == 0)
			a->alone = exit_of(c);
	json_decref(own);
	return rc;
}

static enum err_code
on_chunk(void *arg, bool *stop, struct err *e)
{
	struct applying *a = arg;

	progress_tick(&a->progress, clock_mono_ms());
	*stop = interrupted();
	return a->dry ? ERR_OK : result_sync(a->result, e);
}

static void
on_tick(void *arg)
{
	struct applying *a = arg;

	progress_tick(&a->progress, clock_mono_ms());
}

/* Of a trial: how many existing devices it would change, those that extend a changed profile
 * included. */
static enum err_code
on_trial_row(void *arg, size_t place, const struct json_t *row, struct err *e)
{
	struct applying *a = arg;
	bool shared = profile_doc_kind(a->docs.v[a->order[place]].doc) == PROFILE_SHARED;

	(void)e;
	a->progress.done++;
	if (outcome_of(row) == UPDATED)
		a->affected +=
		    shared ? (uint64_t)json_integer_value(json_object_get(row, "devices")) : 1;
	return ERR_OK;
}

static enum err_code
on_trial_chunk(void *arg, bool *stop, struct err *e)
{
	struct applying *a = arg;

	(void)e;
	progress_tick(&a->progress, clock_mono_ms());
	*stop = interrupted();
	return ERR_OK;
}

static struct batch
batch_of(struct applying *a, const char *path, bool dry)
{
	return (struct batch){ .cli = a->cli,
		.docs = &a->docs,
		.order = a->order,
		.skip = a->skip,
		.n = a->n,
		.path = path,
		.dry = dry,
		.on_row = on_row,
		.on_chunk = on_chunk,
		.arg = a };
}

/* Asks how many existing devices are touched where that may be too many. */
static enum err_code
check_affected(struct applying *a, struct err *e)
{
	uint64_t allowed = cli_number(a->cli, OPT_MAX_AFFECTED, CLI_TOUCH_FREELY);
	struct batch b = batch_of(a, "/v1/apply?dry_run=1", true);
	uint64_t devices = 0, profiles = 0;
	size_t already = a->progress.done;
	enum err_code rc;

	for (size_t i = 0; i < a->n; i++) {
		if (a->skip[i])
			continue;
		if (profile_doc_kind(a->docs.v[a->order[i]].doc) == PROFILE_SHARED)
			profiles++;
		else
			devices++;
	}
	if ((cli_has(a->cli, OPT_YES) && !cli_has(a->cli, OPT_MAX_AFFECTED)) ||
	    (profiles == 0 && devices <= allowed))
		return ERR_OK;
	b.on_row = on_trial_row;
	b.on_chunk = on_trial_chunk;
	a->progress.what = "documents compared";
	rc = batch_run(&b, e);
	progress_end(&a->progress);
	progress_start(&a->progress, stderr, "documents", a->n, clock_mono_ms());
	a->progress.done = already;
	return rc != ERR_OK ? rc : cli_may_touch(a->cli, "apply would change", a->affected, e);
}

/* Rows that are not sent: what could not be read, and what an earlier run had acknowledged. */
static enum err_code
sort_out(struct applying *a, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < a->n; i++) {
		struct doc_item *item = &a->docs.v[a->order[i]];
		char buf[DOCS_PROBLEM_BUF];

		if (item->doc != NULL && item->files.errors == 0) {
			a->skip[i] = a->answered[i] = !a->dry && result_has(a->result, item);
			a->counts[SKIPPED] += a->skip[i];
			continue;
		}
		json_t *findings = json_array();
		json_t *row = json_pack("{s:s, s:s, s:s?, s:o}", "result", "invalid", "kind",
		    kind_name(item), "name", item->doc != NULL ? profile_doc_name(item->doc) : NULL,
		    "findings", findings);
		if (item->doc == NULL) {
			struct profile_finding f = docs_problem(item, buf);
			findings_add(findings, &f);
		}
		for (size_t k = 0; k < item->files.n; k++)
			findings_add(findings, &item->files.v[k]);
		a->skip[i] = true;
		rc = row == NULL ? err_no_memory(e) : note_row(a, i, row, e);
		json_decref(row);
	}
	a->progress.done = 0;
	a->progress.total = a->n;
	for (size_t i = 0; i < a->n; i++)
		a->progress.done += a->skip[i];
	return rc;
}

/* What nobody acknowledged. */
static enum err_code
note_pending(struct applying *a, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < a->n; i++) {
		const struct doc_item *item = &a->docs.v[a->order[i]];

		if (a->answered[i])
			continue;
		json_t *row =
		    json_pack("{s:s, s:s, s:s?}", "result", "pending", "kind", kind_name(item),
		        "name", item->doc != NULL ? profile_doc_name(item->doc) : NULL);
		rc = row == NULL ? err_no_memory(e) : note_row(a, i, row, e);
		json_decref(row);
	}
	return rc != ERR_OK || a->dry ? rc : result_sync(a->result, e);
}

static enum prov_exit
conclude(struct applying *a)
{
	uint64_t took = clock_mono_ms() - a->started_ms;
	struct gbuf text = { .max = 1024 };
	json_t *counts = json_object(), *doc;
	size_t bad = 0, sent = 0;

	gbuf_printf(&text, "%zu document%s:", a->n, a->n == 1 ? "" : "s");
	for (size_t i = 0; i < OUTCOMES; i++) {
		bad += outcomes[i].fine ? 0 : a->counts[i];
		sent += i != SKIPPED && i != PENDING ? a->counts[i] : 0;
		(void)json_object_set_new(
		    counts, outcomes[i].name, json_integer((json_int_t)a->counts[i]));
		if (a->counts[i] > 0)
			gbuf_printf(&text, " %zu %s,", a->counts[i], outcomes[i].name);
	}
	gbuf_printf(&text, " in %" PRIu64 ".%02" PRIu64 " s", took / 1000, took % 1000 / 10);
	if (took > 0 && sent > 1)
		gbuf_printf(&text, " (%.0f/s)", (double)sent * 1000 / (double)took);
	out_say(a->cli->out, "%s%s", gbuf_cstr(&text), a->dry ? "; nothing was changed" : "");
	doc = json_pack("{s:{s:I, s:O, s:f, s:b}}", "summary", "documents", (json_int_t)a->n,
	    "counts", counts, "seconds", (double)took / 1000, "dry_run", a->dry);
	if (out_is_json(a->cli->out))
		out_row(a->cli->out, &row_view, doc);
	json_decref(doc);
	json_decref(counts);
	gbuf_clear(&text);
	if (bad == 0)
		return EXIT_DONE;
	return a->n == 1 ? a->alone : bad == a->n ? EXIT_FAILED : EXIT_PARTIAL;
}

static enum err_code
prepare(struct applying *a, struct err *e)
{
	struct cli *cli = a->cli;
	enum err_code rc = docs_inline(&a->docs, cli, e);

	if (rc != ERR_OK)
		return rc;
	a->order = calloc(a->docs.n + 1, sizeof *a->order);
	a->skip = calloc(a->docs.n + 1, sizeof *a->skip);
	a->answered = calloc(a->docs.n + 1, sizeof *a->answered);
	if (a->order == NULL || a->skip == NULL || a->answered == NULL)
		return err_no_memory(e);
	a->n = docs_order(&a->docs, a->order);
	if (cli_has(cli, OPT_EXPECT_REVISION) && a->n != 1)
		return err_set(e, ERR_USAGE,
		    "apply: --expect-revision is for one document, here are %zu", a->n);
	if (cli_has(cli, OPT_RESULT) && !a->dry)
		return result_open(cli_text(cli, OPT_RESULT), &a->result, e);
	return ERR_OK;
}

static void
put_path(const struct applying *a, struct gbuf *path)
{
	char text[24];

	gbuf_str(path, "/v1/apply");
	if (a->dry)
		client_path_query(path, "dry_run", "1");
	if (a->must_be_new)
		client_path_query(path, "must_be_new", "1");
	(void)snprintf(text, sizeof text, "%" PRIu64, cli_number(a->cli, OPT_EXPECT_REVISION, 0));
	if (cli_has(a->cli, OPT_EXPECT_REVISION))
		client_path_query(path, "expect_revision", text);
	if (cli_has(a->cli, OPT_REASON))
		client_path_query(path, "reason", cli_text(a->cli, OPT_REASON));
}

static enum err_code
send_all(struct applying *a, struct err *e)
{
	struct gbuf path = { .max = 65536 };
	struct client *c;
	struct batch b;
	enum err_code rc = cli_client(a->cli, &c, e);

	if (rc != ERR_OK)
		return rc;
	client_on_tick(c, on_tick, a);
	put_path(a, &path);
	b = batch_of(a, gbuf_cstr(&path), a->dry);
	rc = batch_run(&b, e);
	progress_end(&a->progress);
	client_on_tick(c, NULL, NULL);
	gbuf_clear(&path);
	return rc;
}

/* Nothing was sent yet: whatever goes wrong ends it without a row. */
static enum err_code
begin(struct applying *a, struct err *e)
{
	enum err_code rc = prepare(a, e);

	if (rc == ERR_OK)
		rc = sort_out(a, e);
	if (rc == ERR_OK && !a->dry)
		rc = check_affected(a, e);
	return rc;
}

enum prov_exit
apply_run(struct cli *cli, struct docs *docs, bool must_be_new, struct err *e)
{
	struct applying a = { .cli = cli,
		.docs = *docs,
		.dry = cli_has(cli, OPT_DRY_RUN),
		.must_be_new = must_be_new,
		.started_ms = clock_mono_ms() };
	struct err lost = { 0 };
	enum prov_exit end;
	enum err_code rc;

	*docs = (struct docs){ 0 };
	interrupt_watch();
	progress_start(&a.progress, stderr, "documents", 0, a.started_ms);
	rc = begin(&a, e);
	end = exit_of(rc);
	if (rc != ERR_OK && end != EXIT_UNREACHABLE)
		goto out;
	if (rc == ERR_OK && !interrupted())
		rc = send_all(&a, e);
	if (note_pending(&a, &lost) != ERR_OK && rc == ERR_OK)
		rc = err_set(e, lost.code, "%s", lost.msg);
	end = conclude(&a);
	if (rc != ERR_OK)
		end = exit_of(rc);
	else if (interrupted() && a.counts[PENDING] > 0)
		end = EXIT_INTERRUPTED;
out:
	result_close(a.result);
	docs_clear(&a.docs);
	free(a.order);
	free(a.skip);
	free(a.answered);
	return end;
}

enum prov_exit
cmd_apply(struct cli *cli, struct err *e)
{
	struct docs docs = { 0 };
	enum err_code rc = docs_load(&docs, cli, e);

	if (rc == ERR_OK)
		return apply_run(cli, &docs, false, e);
	docs_clear(&docs);
	return exit_of(rc);
}
