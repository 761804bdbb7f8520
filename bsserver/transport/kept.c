/* Sessions that stay without peers. */
#include "bsserver/transport/internal.h"

uint64_t
transport_keep(struct transport *t, uint64_t peer)
{
	const struct peer *p = slots_get(&t->peers, peer);
	struct link *k = p != NULL ? p->link : NULL;

	if (k == NULL || k->lost != NULL)
		return 0;
	if (k->kept == 0)
		k->kept = slots_add(&t->kept, k);
	if (k->kept != 0)
		k->n_kept++;
	return k->kept;
}

uint64_t
transport_use(struct transport *t, uint64_t kept)
{
	const struct link *k = slots_get(&t->kept, kept);
	const char *why;

	if (k == NULL || !link_alive(k))
		return 0;
	const struct peer *p = peer_new(k->listener, k->session, &why);
	return p != NULL ? p->handle : 0;
}

void
transport_unkeep(struct transport *t, uint64_t kept)
{
	struct link *k = slots_get(&t->kept, kept);

	if (k == NULL || k->lost != NULL || --k->n_kept > 0)
		return; /* of a lost one the user is told all the same, and then it goes */
	transport_enter(t);
	slots_remove(&t->kept, kept);
	k->kept = 0;
	if (k->n_peers == 0) {
		if (k->listener->scheme == TRANSPORT_COAPS)
			session_close(k->listener, k->session);
		link_free(k);
	}
	transport_leave(t);
}

void
kept_lost(struct link *k)
{
	struct transport *t = k->listener->t;

	k->lost_next = t->lost;
	t->lost = k;
}

void
kept_bury(struct transport *t)
{
	while (t->lost != NULL) {
		struct link *k = t->lost;
		uint64_t kept = k->kept;

		t->lost = k->lost_next;
		slots_remove(&t->kept, kept);
		k->kept = 0;
		if (k->n_peers == 0)
			link_free(k);
		if (kept == 0 || t->hooks.kept_gone == NULL)
			continue;
		struct dtls *before = transport_up();
		t->hooks.kept_gone(t->hooks.arg, kept);
		transport_down(before);
	}
}

void
kept_drop_all(struct transport *t)
{
	for (size_t i = 0; i < t->kept.n; i++) {
		struct link *k = t->kept.v[i].p;

		if (k != NULL)
			link_lost(k, "the server is closing");
	}
}
