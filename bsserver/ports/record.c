/* What a session came to goes into the store, and one line of it into the log. */
#include <stdlib.h>

#include "bsserver/ports/internal.h"
#include "lib/base/log.h"

struct recording {
	struct ports *p;
	uint64_t session;
};

enum err_code
ports_new(const struct ports_conf *c, struct ports **out, struct err *e)
{
	struct ports *p = calloc(1, sizeof *p);

	if (p == NULL)
		return err_no_memory(e);
	p->c = *c;
	*out = p;
	return ERR_OK;
}

void
ports_free(struct ports *p)
{
	free(p);
}

static void
log_record(const struct bs_record *r)
{
	bool well = r->verdict == BS_VERDICT_PROVISIONED || r->verdict == BS_VERDICT_WRITTEN;
	struct log_about about = { .endpoint = r->endpoint, .peer = r->peer, .session = r->id };
	char code[5] = "";

	if (r->code != 0)
		bs_code_str(r->code, code);
	if (well)
		log_msg(LVL_INFO, LOG_BOOTSTRAP, &about, "bootstrap %s in %lld ms, %u exchanges",
		    bs_verdict_name(r->verdict), (long long)(r->ended_ms - r->started_ms), r->exchanges);
	else
		log_msg(LVL_NOTICE, LOG_BOOTSTRAP, &about, "bootstrap %s at %s %s %s (%s: %s)",
		    bs_verdict_name(r->verdict), bs_step_name(r->step), r->path, code, bs_reason_name(r->reason),
		    r->detail == NULL ? "" : r->detail);
}

static void
on_kept(void *arg, enum err_code rc, const struct err *e)
{
	struct recording *rec = arg;
	struct bs_event ev = { .type = BS_EV_RECORDED };

	if (rc != ERR_OK)
		log_msg(LVL_ERROR, LOG_PORTS, &(struct log_about){ .session = rec->session },
		    "the session's record could not be kept (%s)", e->msg);
	rec->p->c.deliver(rec->p->c.arg, rec->session, &ev);
	free(rec);
}

void
ports_record(void *arg, uint64_t session, const struct bs_record *r)
{
	struct ports *p = arg;
	struct recording *rec = calloc(1, sizeof *rec);

	log_record(r);
	if (p->c.recorded != NULL)
		p->c.recorded(p->c.arg, r);
	if (rec == NULL)
		return; /* the session goes when its record deadline strikes */
	rec->p = p;
	rec->session = session;
	p->c.ops->session_put(p->c.store, r, on_kept, rec);
}
