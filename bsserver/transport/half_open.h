/*
 * bsserver/transport/half_open.h: handshakes under way, and which of them makes room when there are
 * too many. Pure.
 */
#ifndef BSSERVER_TRANSPORT_HALF_OPEN_H
#define BSSERVER_TRANSPORT_HALF_OPEN_H

#include <stdbool.h>
#include <stdint.h>

#define HALF_OPEN_STUCK_MS 3000 /* a peer that sent nothing new for so long makes room for another */
#define HALF_OPEN_SHARE 4	/* one address has at most one in so many places, once half are taken */

/* A handshake; a member of whatever it stands for. */
struct half_open {
	struct half_open *longer, *shorter; /* neighbours in the order of moved_ms */
	uint64_t moved_ms; /* when it last went a step on */
	uint8_t host[16];
	bool counted;
};

struct half_opens {
	struct half_open *longest, *shortest; /* without a step: the one, and the one that moved last */
	unsigned n, max;
};

/*
 * Whether one more may begin from this address. *instead, when it is set, has to be taken out first: it
 * has been stuck for longest.
 */
bool half_open_may_begin(const struct half_opens *l, const uint8_t host[16], uint64_t now_ms,
    struct half_open **instead);
void half_open_begin(struct half_opens *l, struct half_open *h, const uint8_t host[16], uint64_t now_ms);
void half_open_moved(struct half_opens *l, struct half_open *h, uint64_t now_ms);
void half_open_end(struct half_opens *l, struct half_open *h); /* nothing when it was not counted */

#endif
