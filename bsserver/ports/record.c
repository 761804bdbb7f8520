/* What a session came to goes into the store, and one line of it into the log. */
#include <inttypes.h>
#include <stdlib.h>

#include "bsserver/ports/internal.h"
#include "lib/base/log.h"

#define STRAYS_PER_SECOND 50
#define STRAYS_BURST 1000
#define FINDINGS_TEXT_MAX ((size_t)256 << 10)

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
	table_init(&p->given, 0);
	p->purse = STRAYS_BURST;
	*out = p;
	return ERR_OK;
}

void
ports_free(struct ports *p)
{
	if (p != NULL)
		given_clear(&p->given);
	free(p);
}

uint64_t
ports_records_lost(const struct ports *p)
{
	return p->lost;
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
		log_msg(LVL_NOTICE, LOG_BOOTSTRAP, &about, "bootstrap %s at %s%s%s%s%s (%s: %s)",
		    bs_verdict_name(r->verdict), bs_step_name(r->step), r->path[0] != 0 ? " " : "", r->path,
		    code[0] != 0 ? " " : "", code, bs_reason_name(r->reason), r->detail == NULL ? "" : r->detail);
}

/*
 * Whoever is refused has proved nothing: a flood of such knocks may fill neither log nor store. They
 * spend from a purse that fills slowly; what it cannot pay for is counted, and the count is logged.
 */
static bool
may_be_kept(struct ports *p, const struct bs_record *r)
{
	uint64_t now = loop_now_ms(p->c.loop), gained;

	if (r->verdict != BS_VERDICT_REFUSED)
		return true;
	gained = (now - p->purse_ms) * STRAYS_PER_SECOND / 1000;
	if (gained > 0) {
		p->purse = MIN(p->purse + gained, (uint64_t)STRAYS_BURST);
		p->purse_ms = now;
	}
	if (p->purse == 0) {
		p->unpaid++;
		return false;
	}
	p->purse--;
	if (p->unpaid > 0)
		log_msg(LVL_WARNING, LOG_BOOTSTRAP, NULL, "%" PRIu64 " refusals were not recorded (too many at once)",
		    p->unpaid);
	p->unpaid = 0;
	return true;
}

static void
deliver_recorded(void *arg)
{
	struct recording *rec = arg;
	struct bs_event ev = { .type = BS_EV_RECORDED };

	rec->p->c.deliver(rec->p->c.arg, rec->session, &ev);
	free(rec);
}

static void
on_kept(void *arg, enum err_code rc, const struct err *e)
{
	struct recording *rec = arg;

	if (rc != ERR_OK) {
		rec->p->lost++;
		log_msg(LVL_ERROR, LOG_PORTS, &(struct log_about){ .session = rec->session },
		    "the session's record could not be kept (%s)", e->msg);
	}
	deliver_recorded(rec);
}

/* What the device holds at the end, if that was looked at; after a failure what it showed at the beginning. */
static const struct bs_held *
newest_held(const struct bs_record *r)
{
	bool good = r->verdict == BS_VERDICT_PROVISIONED || r->verdict == BS_VERDICT_WRITTEN;

	return good ? &r->held : &r->found;
}

static void
keep(struct ports *p, const struct bs_record *r, const struct given *g, struct recording *rec)
{
	const struct bs_held *held = newest_held(r);
	struct gbuf findings = { .max = FINDINGS_TEXT_MAX };
	struct bs_record rec_of = *r; /* shallow, with what the engine does not know */
	struct store_outcome o = {
		.links = held->links,
		.values = held->values,
		.read = held->read,
		.likeness = held->likeness,
		.placed = r->placed,
		.expiries = r->expiries,
		.restored = r->restored,
	};

	bs_findings_json(&r->findings, &findings);
	o.findings = findings.failed ? NULL : gbuf_cstr(&findings);
	if (g != NULL) {
		rec_of.anchor = g->anchor;
		rec_of.given = g->given;
		o.wrote = &g->wrote;
		o.same_wrote = g->same_wrote;
		o.wanted_revision = g->wanted_revision;
		if (r->restored)
			o.fulfilled[STORE_WISH_ROLLBACK] = g->fulfilled[STORE_WISH_ROLLBACK];
		if (r->handed_over)
			o.fulfilled[STORE_WISH_HANDOVER] = g->fulfilled[STORE_WISH_HANDOVER];
	}
	p->c.ops->session_put(p->c.store, &rec_of, &o, on_kept, rec);
	gbuf_clear(&findings);
}

void
ports_record(void *arg, uint64_t session, const struct bs_record *r)
{
	struct ports *p = arg;
	struct recording *rec = calloc(1, sizeof *rec);
	struct given *g = given_find(&p->given, session);

	if (p->c.handoff != NULL)
		handoff_end(p->c.handoff, session, handoff_how(r));
	if (rec == NULL) {
		given_remove(&p->given, g);
		return; /* the session goes when its record deadline strikes */
	}
	rec->p = p;
	rec->session = session;
	if (!may_be_kept(p, r)) {
		given_remove(&p->given, g);
		loop_post(p->c.loop, deliver_recorded, rec);
		return;
	}
	log_record(r);
	if (p->c.recorded != NULL)
		p->c.recorded(p->c.arg, r);
	keep(p, r, g, rec);
	given_remove(&p->given, g);
}
