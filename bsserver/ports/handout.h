/*
 * bsserver/ports/handout.h: the certificates and keys that a device is to be given: which they are,
 * and whether they are good.
 */
#ifndef BSSERVER_PORTS_HANDOUT_H
#define BSSERVER_PORTS_HANDOUT_H

#include "bsserver/auth/trust.h"
#include "bsserver/ports/shelf.h"
#include "profiles/desired.h"

enum handout_kind {
	HANDOUT_ANCHOR, /* 0/x/4 of usage 0 and 2: a CA that the device is to trust */
	HANDOUT_SERVER, /* 0/x/4 of usage 1 and 3: a server's own */
	HANDOUT_DEVICE, /* 0/x/3: the device's own */
	HANDOUT__COUNT
};
const char *handout_kind_name(enum handout_kind k); /* "anchor", "server", "device" */

#define HANDOUT_DIGEST_LEN 128 /* hex digits, at most */

/* One that is given. */
struct handout_item {
	enum handout_kind kind;
	struct lwm2m_path path;              /* as in profile_desired: /0/1/4 */
	int64_t short_server_id;             /* -1: of the bootstrap account */
	char digest[HANDOUT_DIGEST_LEN + 1]; /* SHA-256 of the certificate in hex; of one of which
	                                      * only another digest is given, that */
	struct pki_cert *cert;               /* NULL: only its digest is known */
};

struct handout_items {
	struct handout_item *v;
	size_t n, cap;
};
void handout_items_clear(struct handout_items *l); /* safe twice, and on {0} */

/* Of every account of mode x509 in a tree, and in a bootstrap account (handover; NULL: none),
 * appended. ERR_NO_MEMORY. */
enum err_code handout_list(const struct profile_desired *d, const struct lwm2m_tree *handover,
    struct handout_items *out, struct err *e);
/*
 * [{"kind":"anchor","path":"/0/1/4","short_server_id":101,"digest":"..","subject":"..","not_after":
 * 1796000000}], appended; the bound is the caller's. No secrets.
 */
void handout_items_json(const struct handout_items *l, struct gbuf *out);

/* A path whose status is still to be asked about. */
struct handout_path {
	struct lwm2m_path path; /* of what is handed out */
	char *trust; /* the trust that its anchor belongs to; NULL: it is handed out itself */
	struct pki_certs certs; /* leaf first, anchor last */
};

struct handout_result {
	struct gbuf verdicts; /* a line for each thing found */
	struct handout_path *paths;
	size_t n_paths, cap_paths;
};
void handout_result_clear(struct handout_result *r); /* safe twice, and on {0} */

/*
 * Every account of mode rpk or x509: what 0/x/4 pins must be fit for its Certificate Usage and
 * Matching Type, in time, no retired anchor, and for the host where the usage has the device ask;
 * the device's own certificate must be in time. Where the issuer of a certificate is an anchor of a
 * trust, or a CA that the same configuration hands out, its chain must be good, and is in
 * out->paths; where nobody knows the issuer of a server's certificate or CA, or what a bare digest is
 * of, it is refused unless trust_allows_unknown(). A CA, or with usage 1 and 3 a server, that issued
 * itself must have signed itself. None may be known to be revoked (shelf; NULL: not asked). t: NULL: none; now is in
 * seconds since 1970 UTC. ERR_REFUSED names the account and the reason; ERR_NO_MEMORY.
 */
enum err_code handout_judge(const struct profile_desired *d, const struct trust *t,
    const struct shelf *shelf, int64_t now, struct handout_result *out, struct err *e);

#endif
