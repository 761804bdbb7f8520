/*
 * pki/revocation.h: is a certificate of a validated path revoked? By OCSP (RFC 6960) and by
 * revocation lists, with a cache. It knows neither loop nor HTTP: fetching and timers are ops.
 *
 * Nothing here blocks. All calls and callbacks are of one thread.
 */
#ifndef PKI_REVOCATION_H
#define PKI_REVOCATION_H

#include "pki/crl.h"
#include "pki/ocsp.h"
#include "pki/reason.h"
#include "pki/url.h"

enum pki_rev_mode {
	PKI_REV_HARD, /* no status: refused */
	PKI_REV_SOFT, /* no status: allowed, and said so; revoked and unknown are refused */
	PKI_REV_OFF   /* nobody is asked */
};

/* What holds under one trust anchor. Start from pki_rev_rules_default(). Borrowed for the call. */
struct pki_rev_rules {
	enum pki_rev_mode mode;
	bool allow_no_source;      /* certificates for which there is neither responder nor list */
	bool leaf_only;            /* the CAs between are not asked about */
	bool sha256;               /* CertIDs by SHA-256 */
	const char *responder_url; /* instead of those that certificates name; NULL */
	const char *const *allow_hosts; /* patterns; certificates may name only these; n 0: any */
	size_t n_allow_hosts;
	const char *const *crl_files; /* of this anchor's CAs */
	size_t n_crl_files;
	int64_t stale_grace_s; /* how long the last good answer may be used when there is no newer
	                        * one, after it has run out; 86,400; never past the certificate */
	struct pki_status_policy status;
};

void pki_rev_rules_default(struct pki_rev_rules *r);

/* The same, checked, copied, its lists read; counted. */
struct pki_rev_policy;
enum err_code pki_rev_policy_new(
    const struct pki_rev_rules *r, struct pki_rev_policy **out, struct err *e);
struct pki_rev_policy *pki_rev_policy_ref(struct pki_rev_policy *p);
void pki_rev_policy_unref(struct pki_rev_policy *p); /* NULL is fine */

struct pki_rev_conf {
	uint32_t connect_ms, request_ms; /* of one exchange: 2,000 and 5,000 */
	uint32_t deadline_ms;            /* of a whole check: 10,000 */
	uint32_t retry_ms;               /* before a responder is asked again, once: 250 */
	int64_t ttl_s;                   /* a good answer is asked for anew after 3,600 */
	int64_t revoked_ttl_s;           /* 86,400 */
	int64_t fail_ttl_s;              /* nobody is asked again before: 30, and up to half more */
	size_t max_response;             /* bytes: 65,536 */
	unsigned max_in_flight, max_per_host, max_queued; /* 64, 8, 1,024 */
	size_t max_cached, max_cached_bytes;              /* 10,000; 16 MiB of responses */
};

void pki_rev_conf_default(struct pki_rev_conf *c);

/* One exchange: POST of application/ocsp-request. Borrowed for the call. */
struct pki_rev_fetch {
	uint64_t id;
	const char *url;
	const void *body;
	size_t body_len;
	uint32_t connect_ms, timeout_ms;
	size_t max_response;
};

/* How it ended. Borrowed for the call. */
struct pki_rev_fetched {
	enum err_code error; /* ERR_OK: somebody answered */
	const char *detail;  /* otherwise: why nobody did */
	long status;         /* of HTTP */
	const char *type;    /* content type, without parameters */
	const uint8_t *body;
	size_t body_len;
};

struct pki_rev_ops {
	void *arg;
	/* Milliseconds of a clock that never goes back; seconds since 1970 UTC. */
	void (*now)(void *arg, uint64_t *mono_ms, int64_t *wall_s);
	/* Begins; answered by one pki_rev_fetched(), never from inside, unless it is aborted. */
	enum err_code (*fetch)(void *arg, const struct pki_rev_fetch *f, struct err *e);
	void (*abort)(void *arg, uint64_t id);
	/* Call pki_rev_tick() then (0: in the next turn), or earlier. The latest call counts. */
	void (*wake_at)(void *arg, uint64_t mono_ms);
};

struct pki_rev;
struct pki_rev_check; /* one question; valid until its callback or its cancellation */

struct pki_rev_result {
	enum pki_reason reason; /* PKI_OK, PKI_R_REVOKED, PKI_R_STATUS_UNKNOWN, PKI_R_NO_STATUS */
	bool allowed;           /* after mode and grace */
	bool cached;            /* nobody had to be asked */
	bool stale;             /* an answer that has run out, within grace */
	bool soft;              /* no status, and allowed for all that */
	bool no_source;         /* there is nobody to ask, and allowed for all that */
	size_t index;           /* the certificate of the path it is about; 0 the leaf */
	int64_t this_update, next_update, revoked_at; /* 0: not known */
	int64_t age_s;  /* since the answer was got; 0 without an answer */
	int64_t last_age_s; /* without an answer: of the last good one, which is too old; 0: there was none */
	int crl_reason; /* -1: not said */
	uint32_t elapsed_ms;
	char source[256]; /* who said so: a URL, cut at its end, or "crl"; "" nobody */
	char detail[256]; /* why there is no status; "" */
};

/* "revoked on 2026-01-01T00:00:00Z (keyCompromise), says http://ocsp.example/, 12 s ago". */
void pki_rev_result_text(struct gbuf *out, const struct pki_rev_result *r);

/* Exactly one for each check, from pki_rev_tick() or pki_rev_close(); never after a cancellation.
 * rc ERR_CLOSED: the engine closes, and nothing was found out (allowed is false). */
typedef void pki_rev_fn(void *arg, enum err_code rc, const struct pki_rev_result *r);

enum err_code pki_rev_open(const struct pki_rev_ops *ops, const struct pki_rev_conf *conf,
    struct pki_rev **out, struct err *e);
/* Open checks are called back first; fetches are aborted. NULL is fine. */
void pki_rev_close(struct pki_rev *rev);

/*
 * Asks about each certificate of path (leaf first, as pki_verify() gave it) but the anchor. path
 * and policy are kept until the callback. ERR_NO_MEMORY: there is no callback.
 */
enum err_code pki_rev_check(struct pki_rev *rev, const struct pki_certs *path,
    struct pki_rev_policy *policy, pki_rev_fn *done, void *arg, struct pki_rev_check **out,
    struct err *e);
/* What the exchange brings is kept all the same. */
void pki_rev_cancel(struct pki_rev *rev, struct pki_rev_check *check);
/* What is known already, at once: false when somebody would have to be asked. */
bool pki_rev_peek(struct pki_rev *rev, const struct pki_certs *path, struct pki_rev_policy *policy,
    struct pki_rev_result *out);

void pki_rev_fetched(struct pki_rev *rev, uint64_t id, const struct pki_rev_fetched *f);
void pki_rev_tick(struct pki_rev *rev);

struct pki_rev_stats {
	size_t cached, in_flight, queued, checks;
	uint64_t fetches, hits, stale, refused_full;
};
void pki_rev_stats(const struct pki_rev *rev, struct pki_rev_stats *out);

/*
 * The cache as bytes, and back. What is read is not believed: a response counts once its signature
 * was verified again, for the certificate that asks. ERR_PARSE: what stood before the fault is
 * taken.
 */
void pki_rev_dump(struct pki_rev *rev, struct gbuf *out);
enum err_code pki_rev_load(struct pki_rev *rev, const void *bytes, size_t n, struct err *e);
/* The cache has changed since the last dump. */
bool pki_rev_changed(const struct pki_rev *rev);

#endif
