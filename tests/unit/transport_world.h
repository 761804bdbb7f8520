/*
 * tests/unit/transport_world.h: a transport on a loop with two routes, POST /bs and POST /rd, and
 * everything its user gets to see written down.
 */
#ifndef TESTS_UNIT_TRANSPORT_WORLD_H
#define TESTS_UNIT_TRANSPORT_WORLD_H

#include "bsserver/transport/transport.h"
#include "tests/unit/coap_client.h"

#define CHANGED COAP_CODE(2, 4)
#define CONTENT COAP_CODE(2, 5)
#define CONTINUE COAP_CODE(2, 31)
#define POST 2
#define KEY "sixteen octets!!" /* of every identity that does not begin with "unknown" */
#define WAIT_MS 20000	/* for what comes at once, on a machine that does other things as well */
#define PATIENT_MS 60000 /* of a request that is not to run out of time */

#define BODY_MAX 2000 /* of POST /rd, which may come in blocks */

enum when { AT_ONCE, LATER };

struct answer {
	uint64_t tag;
	enum transport_outcome outcome;
	uint8_t code;
	int format;
	char why[128];
	uint8_t payload[4096];
	size_t len;
	bool inside; /* came while transport_send() ran */
};

/* The server's side, as its user sees it. */
struct world {
	struct loop *loop;
	struct transport *t;
	enum when when;
	uint8_t code; /* of the reply */
	const char *text;
	bool send_in_handler;
	unsigned n_requests, n_answers, n_failures, n_gone, n_kept_gone;
	unsigned answers_before_gone; /* n_answers when somebody went away last */
	char gone_why[64];
	struct transport_request last; /* pointers of it are not kept */
	char addr[64], listener[96], identity[200], queries[256];
	size_t identity_len;
	uint8_t body[BODY_MAX];
	size_t body_len;
	struct answer answers[8];
	char why[128], failed_identity[200], failed_addr[64];
	bool wrong_key;
	size_t failed_len;
	/* before world_open_again(): */
	transport_certificate_fn *certificate;
	void (*forget)(void *arg, void *proof);
	struct transport_credentials credentials;
	unsigned takes;
	enum transport_kind failed_kind;
	bool sending;
};

enum { COAP4, COAPS4, COAP6, COAPS6 }; /* the listeners */
extern const struct transport_route world_routes[2];

void world_open(struct world *w);
void world_open_with(struct world *w, bool cbc, unsigned max_peers);
/* The same with what w says of certificates. */
void world_open_again(struct world *w, bool cbc, unsigned max_peers);
void world_close(struct world *w);
/* transport_send() with the answer written down; the tag is 100 + the number of answers. */
void ask(struct world *w, uint64_t peer, enum transport_method method, const char *path,
    const uint8_t *payload, size_t len, uint32_t timeout_ms);
void must_open(struct world *w, struct client *c, int listener, uint16_t local_port,
    const struct client_psk *psk);
void must_open_cert(struct world *w, struct client *c, int listener, const struct client_cert *cert);
/* Turns the loop until something comes; false after ms, and after enough turns for what came meanwhile. */
bool wait_msg(struct world *w, struct client *c, struct msg *m, unsigned ms);
/* Within WAIT_MS; what was repeated because this was slow is passed over. */
void must_get(struct world *w, struct client *c, struct msg *m);
void must_be_silent(struct world *w, struct client *c, unsigned ms);
void turn_until(struct world *w, const unsigned *n, unsigned wanted, unsigned ms);
bool shake(struct world *w, struct client *c, unsigned ms);
struct msg post_bs(uint16_t mid, const char *token);
void reply_to(struct client *c, const struct msg *asked, uint8_t code);
/* POST /bs and its reply; the peer is w->last.peer then. */
void knock(struct world *w, struct client *c, uint16_t mid, const char *token);

#endif
