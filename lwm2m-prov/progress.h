/*
 * lwm2m-prov/progress.h: how far it is, on the error stream, when it takes longer than two seconds:
 * one line that changes on a terminal, a line now and then elsewhere.
 */
#ifndef LWM2M_PROV_PROGRESS_H
#define LWM2M_PROV_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
	FILE *to;         /* borrowed */
	const char *what; /* "documents"; borrowed */
	size_t total;     /* 0: not known */
	size_t done;
	bool terminal, shown;
	uint64_t started_ms, next_ms;
};

void progress_start(struct progress *p, FILE *to, const char *what, size_t total, uint64_t now_ms);
/* Prints when it is time to. */
void progress_tick(struct progress *p, uint64_t now_ms);
void progress_end(struct progress *p); /* takes the changing line away */

#endif
