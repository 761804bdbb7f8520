/*
 * pki/rev_query.h: exchanges with responders: one for all who ask about a certificate, so many at
 * once, retried, ended by a deadline; inside revocation.c only.
 */
#ifndef PKI_REV_QUERY_H
#define PKI_REV_QUERY_H

#include "pki/rev_cache.h"
#include "pki/rev_policy.h"

struct pki_rev_check {
	struct pki_rev_check *prev, *next;               /* all of them, or the finished ones */
	struct pki_rev_check *prev_waiter, *next_waiter; /* of query */
	struct rev_query *query;
	struct pki_certs path;
	struct pki_rev_policy *policy;
	size_t at; /* the certificate in question */
	uint64_t started_ms;
	bool finished; /* its callback is due */
	bool late;     /* its deadline has passed: nobody is asked any more */
	pki_rev_fn *done;
	void *arg;
	struct pki_rev_result result;
};

struct rev_checks {
	struct pki_rev_check *first, *last;
	size_t n;
};

/* One that is asked; counted by the queries whose turn it has. */
struct rev_host {
	struct rev_host *prev, *next;
	char name[PKI_HOST_MAX];
	unsigned users, flying;
};

enum rev_query_state { REV_QUEUED, REV_FLYING, REV_RESTING };

struct rev_query {
	struct table_node node;
	struct rev_query *prev, *next;
	uint8_t key[REV_KEY_LEN];
	struct pki_cert *cert, *issuer;
	struct pki_rev_policy *policy;
	struct rev_sources src;
	size_t at;               /* the responder in turn */
	bool retried, may_retry; /* may_retry: one of them may answer if it is asked again */
	struct rev_host *host;   /* of the one in turn */
	enum rev_query_state state;
	uint8_t nonce[PKI_OCSP_NONCE];
	uint64_t id;
	uint64_t deadline_ms, rest_until_ms;
	char detail[200]; /* what went wrong last */
	struct pki_rev_check *waiters;
};

struct pki_rev {
	struct pki_rev_ops ops;
	struct pki_rev_conf conf;
	struct rev_time now; /* of this entry */
	struct rev_cache cache;
	struct rev_query *queries, *last_query; /* in the order of their deadlines */
	struct table by_key;                    /* the same */
	struct rev_host *hosts;
	size_t n_queries, n_resting;
	unsigned n_flying;
	struct rev_checks open, finished; /* open: in the order of their deadlines */
	uint64_t next_id, noise;
	struct pki_rev_stats stats;
};

void rev_checks_add(struct rev_checks *l, struct pki_rev_check *k);
void rev_checks_remove(struct rev_checks *l, struct pki_rev_check *k);

/* k waits for what is found out about cert; false: there are too many queries, or no memory. */
bool rev_query_join(struct pki_rev *rev, struct pki_rev_check *k, const uint8_t key[REV_KEY_LEN],
    const struct pki_cert *cert, const struct pki_cert *issuer, struct rev_sources *src);
/* k waits no longer. */
void rev_query_leave(struct pki_rev *rev, struct pki_rev_check *k);
/* Begins what may begin. */
void rev_query_pump(struct pki_rev *rev);
/* Ends what is late, wakes what rests. */
void rev_query_tick(struct pki_rev *rev);
/* When that is due next; UINT64_MAX: never. */
uint64_t rev_query_due(const struct pki_rev *rev);
void rev_query_free_all(struct pki_rev *rev);

/* Of revocation.c: k is told. a is UNUSABLE with its detail when nobody said anything that counts.
 */
void rev_told(
    struct pki_rev *rev, struct pki_rev_check *k, const struct pki_answer *a, const char *source);

#endif
