/* Jobs as text, for the store: a head of six lines, and a line and a name for each row, and what its LwM2M Server said. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/registry/job.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

#define NUMBERS_MAX 12

/* ---- writing ---- */

/* A line that can be read back whatever people wrote: what is not printable becomes '?', a control character ' '. */
static void
put_line(struct gbuf *out, const char *text)
{
	const char *line = text == NULL ? "" : text;
	bool good = str_is_printable(line, strlen(line));

	gbuf_str(out, "\n");
	for (const char *c = line; *c != 0; c++) {
		uint8_t v = (uint8_t)*c;

		gbuf_u8(out, good || (v >= 0x20 && v < 0x7f) ? v : v < 0x80 ? ' ' : '?');
	}
}

void
job_write_head(const struct job *j, struct gbuf *out)
{
	const struct job_spec *s = &j->spec;

	gbuf_printf(out, "1 %" PRIu32 " %" PRId64 " %d %" PRIu64 " %d %d %" PRId64 " %" PRIu32 " %" PRIu32 " %d", j->n_rows,
	    j->created_ms, (int)j->state, (uint64_t)(s->rate * 1000), s->from_minute, s->to_minute, s->expires_ms,
	    s->canary, j->forgiven, j->canary_good);
	put_line(out, s->actor);
	put_line(out, s->reason);
	put_line(out, s->selector);
	put_line(out, j->why);
}

void
job_write_row(const struct job_row *r, struct gbuf *out)
{
	gbuf_printf(out, "%u %u %u %d %d %" PRIu64 " %" PRId64, r->outcome, r->code, r->tries, r->bad, r->registered,
	    r->session, r->at_ms);
	put_line(out, r->endpoint);
	if (r->via == NULL)
		return;
	put_line(out, r->via);
	put_line(out, r->said);
	put_line(out, r->told ? "told" : "");
}

/* ---- reading ---- */

struct cursor {
	const char *at;
};

/* The next line; NULL: there is none. */
static const char *
next_line(struct cursor *c, size_t *n)
{
	const char *line = c->at;

	if (line == NULL)
		return NULL;
	*n = strcspn(line, "\n");
	c->at = line[*n] == '\n' ? line + *n + 1 : NULL;
	return line;
}

static bool
read_numbers(struct cursor *c, int64_t *v, size_t wanted)
{
	size_t n = 0, i = 0;
	const char *line = next_line(c, &n);

	for (size_t at = 0; line != NULL && at <= n && i < wanted; i++) {
		size_t len = 0;

		while (at + len < n && line[at + len] != ' ')
			len++;
		if (!str_to_i64(line + at, len, INT64_MIN, INT64_MAX, &v[i]))
			return false;
		at += len + 1;
		if (i + 1 == wanted)
			return at > n;
	}
	return false;
}

static bool
read_text(struct cursor *c, char **out)
{
	size_t n = 0;
	const char *line = next_line(c, &n);

	if (line == NULL || !str_is_printable(line, n))
		return false;
	*out = n == 0 ? NULL : str_dup_n(line, n);
	return n == 0 || *out != NULL;
}

static bool
fits(int64_t v, int64_t min, int64_t max)
{
	return v >= min && v <= max;
}

static bool
head_fits(const int64_t v[11])
{
	return v[0] == 1 && fits(v[1], 1, JOB_ROWS_MAX) && fits(v[3], 0, JOB__STATES - 1) &&
	    fits(v[4], 1, JOB_RATE_MAX * INT64_C(1000)) && fits(v[5], -1, 1439) && fits(v[6], -1, 1440) &&
	    fits(v[8], 0, JOB_ROWS_MAX) && fits(v[9], 0, JOB_ROWS_MAX);
}

enum err_code
job_read_head(uint64_t id, const char *text, uint64_t seed, struct job **out, struct err *e)
{
	struct cursor c = { text };
	struct job_spec s = { .rate = 1 };
	char *why = NULL;
	int64_t v[11];
	struct job *j = NULL;

	if (!read_numbers(&c, v, N_ELEMS(v)) || !head_fits(v) || !read_text(&c, &s.actor) || !read_text(&c, &s.reason) ||
	    !read_text(&c, &s.selector) || !read_text(&c, &why) || c.at != NULL)
		goto out;
	j = job_make(id, (size_t)v[1], seed);
	if (j == NULL)
		goto out;
	s.rate = (double)v[4] / 1000;
	s.from_minute = (int)v[5];
	s.to_minute = (int)v[6];
	s.expires_ms = v[7];
	s.canary = (uint32_t)v[8];
	j->n_rows = (uint32_t)v[1];
	j->created_ms = v[2];
	j->state = (enum job_state)v[3];
	j->forgiven = (uint32_t)v[9];
	j->canary_good = v[10] != 0;
	j->spec = s;
	if (why != NULL)
		memcpy(j->why, why, MIN(strlen(why), sizeof j->why - 1));
	s = (struct job_spec){ .rate = 1 };
out:
	free(s.actor);
	free(s.reason);
	free(s.selector);
	free(why);
	*out = j;
	return j != NULL ? ERR_OK : err_set(e, ERR_PARSE, "job %" PRIu64 ": what was kept of it cannot be read", id);
}

/* The lines that only some rows have. */
static bool
read_server(struct cursor *c, struct job_row *r)
{
	char *told = NULL;

	if (c->at == NULL)
		return true;
	bool ok = read_text(c, &r->via) && r->via != NULL && read_text(c, &r->said) && read_text(c, &told) && c->at == NULL &&
	    (told == NULL || strcmp(told, "told") == 0);
	r->told = told != NULL && r->outcome == JOB_ASLEEP;
	free(told);
	return ok;
}

enum err_code
job_read_row(struct job *j, uint32_t row, const char *text, struct err *e)
{
	struct cursor c = { text };
	struct job_row got = { 0 };
	int64_t v[7];

	if (row < j->n_rows && j->rows[row].endpoint == NULL && read_numbers(&c, v, N_ELEMS(v)) &&
	    fits(v[0], 0, JOB__OUTCOMES - 1) && fits(v[1], 0, 255) && fits(v[2], 0, JOB_TRIES) && v[5] >= 0) {
		got = (struct job_row){ .outcome = (uint8_t)v[0], .code = (uint8_t)v[1], .tries = (uint8_t)v[2],
			.bad = v[3] != 0, .registered = v[4] != 0, .session = (uint64_t)v[5], .at_ms = v[6] };
		if (read_text(&c, &got.endpoint) && got.endpoint != NULL && read_server(&c, &got) &&
		    job_find(j, got.endpoint) == JOB_NONE) {
			j->rows[row] = got;
			return job_index(j, row, e);
		}
	}
	free(got.endpoint);
	free(got.via);
	free(got.said);
	return err_set(e, ERR_PARSE, "job %" PRIu64 ": what was kept of device %" PRIu32 " cannot be read", j->id, row);
}
