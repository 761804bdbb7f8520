#include "lwm2m-prov/interrupt.h"

#include <signal.h>
#include <stddef.h>

/* the one thing that a signal handler may write */
static volatile sig_atomic_t noted;

static void
note(int signum)
{
	(void)signum;
	noted = 1;
}

void
interrupt_watch(void)
{
	struct sigaction once = { .sa_handler = note, .sa_flags = (int)SA_RESETHAND };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGINT, &once, NULL);
	(void)sigaction(SIGTERM, &once, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

bool
interrupted(void)
{
	return noted != 0;
}
