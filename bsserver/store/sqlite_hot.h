/*
 * bsserver/store/sqlite_hot.h: devices that were looked at lately, in memory, kept true by each write
 * when it is answered. A device that comes back soon is answered without the file. Bounded in octets;
 * who was not looked at longest goes first. The loop's thread alone.
 */
#ifndef BSSERVER_STORE_SQLITE_HOT_H
#define BSSERVER_STORE_SQLITE_HOT_H

#include "bsserver/store/store.h"

struct sq_hot;
struct sq_outcome;

/* What is known of the sessions of one device. */
struct sq_noted {
	int64_t device; /* 0: nobody's, or not known */
	uint64_t last;
	int64_t verdict, failures, kept;
	bool undo, given; /* as SQ_SESSION_OF says; given may be true for nothing */
};

#define SQ_HOT_OCTETS ((size_t)24 << 20)
#define SQ_HOT_MS 600000 /* so old it is read anew: sessions drop out of the last 24 h */

/* NULL when memory is short: each call below takes NULL, and then nothing is kept. */
struct sq_hot *sq_hot_new(size_t octets, unsigned max_sessions);
void sq_hot_free(struct sq_hot *h); /* wipes */

/* *view, without doc, findings, wishes: borrowed until the next answer of the store. false: not known. */
bool sq_hot_view(struct sq_hot *h, const char *endpoint, struct store_device *view);
/* That device is being read; sq_hot_read() must follow. */
void sq_hot_ask(struct sq_hot *h, const char *endpoint);
/* It was: *d is taken over and left empty where it may be kept, and sq_hot_view() shows it. NULL: nothing came. */
void sq_hot_read(struct sq_hot *h, const char *endpoint, struct store_device *d);
/* Changed otherwise than by a session. */
void sq_hot_forget(struct sq_hot *h, const char *endpoint);
/* A session of that device was written. o's texts are moved out; NULL: it left nothing. now: what is known of it since. */
void sq_hot_session(struct sq_hot *h, const struct bs_record *r, struct sq_outcome *o, const struct sq_noted *now);
/*
 * The session that left first what this one, which ended well, leaves again in every word but the
 * findings; 0: none did, or it is not known. It holds for as long as sq_hot_noted() does.
 */
uint64_t sq_hot_again(struct sq_hot *h, const struct bs_record *r, const struct store_outcome *o);
/* *out stays as it is when nothing is known. */
void sq_hot_noted(struct sq_hot *h, const char *endpoint, struct sq_noted *out);

#endif
