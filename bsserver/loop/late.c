#include "bsserver/loop/late.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/util.h"

static const unsigned bounds_ms[] = { 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 100, 200, 500, 1000 };

struct loop_late {
	struct loop_timer *timer;
	unsigned every_ms;
	uint64_t due_us, sum_us;
	uint64_t n[N_ELEMS(bounds_ms) + 1]; /* the last: beyond all bounds */
};

void
loop_late_note(struct loop_late *l, uint64_t us)
{
	size_t i = 0;

	while (i < N_ELEMS(bounds_ms) && us > (uint64_t)bounds_ms[i] * 1000)
		i++;
	l->n[i]++;
	l->sum_us += us;
}

static void
look(void *arg)
{
	struct loop_late *l = arg;
	uint64_t now = clock_mono_us();

	loop_late_note(l, now > l->due_us ? now - l->due_us : 0);
	l->due_us = now + (uint64_t)l->every_ms * 1000;
	loop_timer_start(l->timer, l->every_ms, 0);
}

enum err_code
loop_late_new(struct loop *loop, unsigned every_ms, struct loop_late **out, struct err *e)
{
	struct loop_late *l = calloc(1, sizeof *l);

	if (l == NULL)
		return err_no_memory(e);
	l->every_ms = every_ms;
	l->due_us = clock_mono_us() + (uint64_t)every_ms * 1000;
	enum err_code rc = loop_timer_new(loop, look, l, &l->timer, e);
	if (rc != ERR_OK) {
		free(l);
		return rc;
	}
	loop_timer_start(l->timer, every_ms, 0);
	*out = l;
	return ERR_OK;
}

void
loop_late_free(struct loop_late *l)
{
	if (l == NULL)
		return;
	loop_timer_free(l->timer);
	free(l);
}

void
loop_late_write(const struct loop_late *l, const char *name, struct gbuf *out)
{
	uint64_t n = 0;

	if (l == NULL)
		return;
	gbuf_printf(out, "# HELP %s How late the event loop runs a timer.\n# TYPE %s histogram\n", name, name);
	for (size_t i = 0; i < N_ELEMS(bounds_ms); i++) {
		n += l->n[i];
		gbuf_printf(out, "%s_bucket{le=\"%u.%03u\"} %" PRIu64 "\n", name, bounds_ms[i] / 1000,
		    bounds_ms[i] % 1000, n);
	}
	n += l->n[N_ELEMS(bounds_ms)];
	gbuf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, n);
	gbuf_printf(out, "%s_sum %" PRIu64 ".%06" PRIu64 "\n%s_count %" PRIu64 "\n", name, l->sum_us / 1000000,
	    l->sum_us % 1000000, name, n);
}
