/* What is handed out is judged before it is written: by itself, then whether it is revoked. */
#include <stdlib.h>

#include "bsserver/ports/handout.h"
#include "bsserver/ports/internal.h"
#include "lib/base/clock.h"

struct inspection {
	struct ports_conf c;
	uint64_t session;
	struct handout_result found;
	struct part {
		struct inspection *of;
		const struct handout_path *path;
	} * parts;
	size_t open;      /* answers that are still to come, and the turn that begins them */
	enum err_code rc; /* the first refusal */
	struct err e;
};

static void
close_one(struct inspection *i)
{
	struct bs_event ev = {
		.type = i->rc == ERR_OK ? BS_EV_INSPECTED : BS_EV_INSPECT_FAILED,
		.text = i->rc == ERR_OK ? gbuf_cstr(&i->found.verdicts) : i->e.msg,
	};

	if (--i->open > 0)
		return;
	i->c.deliver(i->c.arg, i->session, &ev);
	handout_result_clear(&i->found);
	free(i->parts);
	free(i);
}

static void
refuse(struct inspection *i, const struct handout_path *p, const char *why, const char *more)
{
	if (i->rc == ERR_OK)
		i->rc =
		    err_set(&i->e, ERR_REFUSED, "%s: %s%s", lwm2m_path_str(p->path).s, why, more);
}

static void
on_status(void *arg, enum bs_reason reason, const char *text)
{
	struct part *part = arg;
	struct inspection *i = part->of;
	struct gbuf *v = &i->found.verdicts;

	if (reason == BS_REASON_NONE)
		gbuf_printf(v, "%s%s: %s", v->len > 0 ? "\n" : "",
		    lwm2m_path_str(part->path->path).s, text);
	else
		refuse(i, part->path, text,
		    part->path->trust != NULL
		        ? ""
		        : "; its CA is in no trust of the configuration: one for = "
		          "\"servers\" says how to ask");
	close_one(i);
}

static void
ask(struct inspection *i, struct part *part)
{
	const struct handout_path *p = part->path;
	struct err e = { .msg = "nobody can be asked about its status" };

	if (i->c.vet != NULL &&
	    vet_path(i->c.vet, p->trust, &p->certs, on_status, part, &e) == ERR_OK)
		i->open++;
	else
		refuse(i, p, e.msg, "");
}

static void
begin(void *arg)
{
	struct inspection *i = arg;

	if (i->rc == ERR_OK)
		i->parts = calloc(i->found.n_paths + 1, sizeof *i->parts);
	if (i->rc == ERR_OK && i->parts == NULL)
		i->rc = err_no_memory(&i->e);
	for (size_t k = 0; i->rc == ERR_OK && k < i->found.n_paths; k++) {
		i->parts[k] = (struct part){ i, &i->found.paths[k] };
		ask(i, &i->parts[k]);
	}
	close_one(i);
}

static enum err_code
judge(struct inspection *i, const struct bs_grant *g)
{
	int64_t now = clock_wall_ms() / 1000;
	const struct profile_desired *d = &g->desired;
	const struct profile_desired account = { .tree = g->handover,
		.next_bootstrap_s = d->next_bootstrap_s };
	enum err_code rc = handout_judge(d, i->c.trust, i->c.shelf, now, &i->found, &i->e);

	if (rc == ERR_OK && g->handover.n > 0) {
		rc = handout_judge(&account, i->c.trust, i->c.shelf, now, &i->found, &i->e);
		if (rc != ERR_OK)
			(void)err_wrap(
			    &i->e, "the bootstrap account that it is to be handed over to");
	}
	return rc;
}

void
ports_inspect(void *arg, uint64_t session, const struct bs_grant *g)
{
	struct ports *p = arg;
	struct inspection *i = calloc(1, sizeof *i);

	if (i == NULL)
		return; /* the session's deadline answers */
	i->c = p->c;
	i->session = session;
	i->open = 1;
	i->rc = judge(i, g);
	loop_post(p->c.loop, begin, i);
}

void
ports_use(struct ports *p, struct vet *v, const struct trust *t)
{
	p->c.vet = v;
	p->c.trust = t;
}
