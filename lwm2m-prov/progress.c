#include "lwm2m-prov/progress.h"

#include <unistd.h>

#define QUIET_MS 2000
#define TERMINAL_MS 200
#define LINE_MS 5000

void
progress_start(struct progress *p, FILE *to, const char *what, size_t total, uint64_t now_ms)
{
	*p = (struct progress){ .to = to,
		.what = what,
		.total = total,
		.terminal = isatty(fileno(to)) == 1,
		.started_ms = now_ms,
		.next_ms = now_ms + QUIET_MS };
}

void
progress_tick(struct progress *p, uint64_t now_ms)
{
	double seconds = (double)(now_ms - p->started_ms) / 1000;
	double rate = seconds > 0 ? (double)p->done / seconds : 0;

	if (now_ms < p->next_ms)
		return;
	p->next_ms = now_ms + (p->terminal ? TERMINAL_MS : LINE_MS);
	p->shown = true;
	if (p->total > 0)
		(void)fprintf(p->to, "%s%zu of %zu %s, %zu%%, %.0f/s%s",
		    p->terminal ? "\r\033[K" : "lwm2m-prov: ", p->done, p->total, p->what,
		    p->done * 100 / p->total, rate, p->terminal ? "" : "\n");
	else
		(void)fprintf(p->to, "%s%zu %s, %.0f s%s",
		    p->terminal ? "\r\033[K" : "lwm2m-prov: ", p->done, p->what, seconds,
		    p->terminal ? "" : "\n");
	(void)fflush(p->to);
}

void
progress_end(struct progress *p)
{
	if (p->shown && p->terminal)
		(void)fputs("\r\033[K", p->to);
	p->shown = false;
}
