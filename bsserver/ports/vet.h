/*
 * bsserver/ports/vet.h: has the certificate that a device knocks with been revoked? Asked after the
 * handshake and before the answer to its request; the loop never waits. Answers are kept in a file
 * and verified again when they are loaded.
 */
#ifndef BSSERVER_PORTS_VET_H
#define BSSERVER_PORTS_VET_H

#include "bsserver/bootstrap/ports.h"
#include "bsserver/loop/loop.h"
#include "bsserver/ports/shelf.h"
#include "pki/revocation.h"

struct vet;

/* What holds for certificates under one trust of the configuration. */
struct vet_rule {
	const char *trust;
	struct pki_rev_rules rules;
};

struct vet_conf {
	struct loop *loop;
	struct pki_rev_conf limits;
	const char *cache_file; /* NULL: nothing is kept */
	void *arg;
	/* One BS_EV_VETTED or BS_EV_REFUSED for each question, never from inside. */
	void (*deliver)(void *arg, uint64_t session, struct bs_event *ev);
	/* A device's own certificate (by its SHA-256, in hex) was found revoked; why says by whom. NULL: nobody listens. */
	void (*revoked)(void *arg, const char *sha256, const char *why);
	const struct shelf *shelf; /* what is known to be revoked; NULL: nothing is */
};

/* Rules that can be used: checked, their revocation lists read. ERR_INVALID, ERR_PARSE name the
 * trust. */
struct vet_rules;
enum err_code vet_rules_new(
    const struct vet_rule *rules, size_t n, struct vet_rules **out, struct err *e);
void vet_rules_free(struct vet_rules *r); /* NULL is fine */

/* rules is taken over, on an error too; without any every certificate is refused. The strings of c
 * must stay. */
enum err_code vet_open(
    const struct vet_conf *c, struct vet_rules *rules, struct vet **out, struct err *e);
/* Others from now on, taken over; questions that are open are answered by those they were asked
 * under. */
void vet_reload(struct vet *v, struct vet_rules *rules);
/* Open questions are answered (refused), as are later ones; what is known is written to the file.
 */
void vet_stop(struct vet *v); /* NULL is fine */
/* Stopped before, or never asked. NULL is fine. */
void vet_free(struct vet *v);

/* The peer came with a certificate. */
void vet_ask(struct vet *v, uint64_t session, const struct bs_peer *peer);
/* Nobody waits for that answer any longer. Fine when nobody did. */
void vet_forget(struct vet *v, uint64_t session);

/*
 * What is to be handed out: a path that was found good, its anchor last. Asked under the rules of
 * that trust, or with NULL, or none of that name, as strictly as can be: hard, with a source. One
 * call of done, never from inside; text is borrowed for the call.
 */
typedef void vet_path_fn(void *arg, enum bs_reason reason, const char *text);
enum err_code vet_path(struct vet *v, const char *trust, const struct pki_certs *path, vet_path_fn *done,
    void *arg, struct err *e);

struct vet_stats {
	struct pki_rev_stats engine;
	uint64_t asked, allowed, refused, soft;
};
void vet_stats(const struct vet *v, struct vet_stats *out);

#endif
