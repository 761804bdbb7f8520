#include "bsserver/store/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/util.h"

static const struct {
	const char *scheme;
	const struct store_ops *ops;
} backends[] = {
	{ "sqlite:", &store_sqlite },
};

static const char *const state_names[] = {
	[STORE_ACTIVE] = "active",
	[STORE_BLOCKED] = "blocked",
	[STORE_RETIRED] = "retired",
};

static const char *const wish_names[] = {
	[STORE_WISH_ROLLBACK] = "rollback",
	[STORE_WISH_HANDOVER] = "handover",
};
_Static_assert(N_ELEMS(wish_names) == STORE_WISH__COUNT, "one name per kind");

static const struct {
	const char *name, *help;
} handoff_states[] = {
	[STORE_HANDOFF_HELD] = { "held", "nothing is under way: its next session tells the server of the new credential" },
	[STORE_HANDOFF_INTENT] = { "intent", "the server is being told of the new credential" },
	[STORE_HANDOFF_TOLD] = { "told", "the server knows the new credential, the device is being written to" },
	[STORE_HANDOFF_FINISHING] = { "finishing", "the device has the old credential or the new one: its answer to Finish "
						   "is not known" },
	[STORE_HANDOFF_LATE] = { "late", "the device has the new credential, the server is still to be told" },
	[STORE_HANDOFF_RETURNING] = { "returning", "the session came to nothing: the server is to have what it had before" },
	[STORE_HANDOFF_RETIRING] = { "retiring", "both have the new credential, the old one is taken back when it is due" },
	[STORE_HANDOFF_SETTLED] = { "settled", "device and server have the same credential" },
	[STORE_HANDOFF_LEAVING] = { "leaving", "the device was removed: the server is to forget it" },
};
_Static_assert(N_ELEMS(handoff_states) == STORE_HANDOFF__COUNT, "one row per state");

/* A file that is gone (a disk that was not mounted) must not look like a fleet that never was. */
bool
store_is_anew(const char *uri)
{
	const char *path = strchr(uri, ':');
	struct stat st;

	return path != NULL && (stat(path + 1, &st) != 0 || st.st_size == 0);
}

const struct store_ops *
store_by_uri(const char *uri)
{
	for (size_t i = 0; i < N_ELEMS(backends); i++) {
		if (strncmp(uri, backends[i].scheme, strlen(backends[i].scheme)) == 0)
			return backends[i].ops;
	}
	return NULL;
}

const char *
store_wish_name(enum store_wish_kind k)
{
	return (size_t)k < N_ELEMS(wish_names) ? wish_names[k] : "unknown";
}

const char *
store_handoff_state_name(enum store_handoff_state s)
{
	return (size_t)s < N_ELEMS(handoff_states) ? handoff_states[s].name : "unknown";
}

const char *
store_handoff_state_help(enum store_handoff_state s)
{
	return (size_t)s < N_ELEMS(handoff_states) ? handoff_states[s].help : "";
}

void
store_handoff_clear(struct store_handoff *h)
{
	free(h->endpoint);
	free(h->target);
	free(h->server);
	free(h->error);
	secret_clear(&h->known);
	secret_clear(&h->other);
	*h = (struct store_handoff){ 0 };
}

const char *
store_state_name(enum store_state s)
{
	return (size_t)s < N_ELEMS(state_names) ? state_names[s] : "unknown";
}

bool
store_state_from_name(const char *s, enum store_state *out)
{
	for (size_t i = 0; i < N_ELEMS(state_names); i++) {
		if (strcmp(s, state_names[i]) == 0) {
			*out = (enum store_state)i;
			return true;
		}
	}
	return false;
}

void
store_device_clear(struct store_device *d)
{
	free(d->endpoint);
	free(d->doc);
	free(d->compiled_key);
	secret_clear(&d->compiled);
	for (size_t i = 0; i < STORE_WISH__COUNT; i++)
		store_wish_clear(&d->wishes[i]);
	store_held_clear(&d->held);
	store_held_clear(&d->restore);
	*d = (struct store_device){ .remembered_format = -1 };
}

void
store_wish_clear(struct store_wish *w)
{
	free(w->actor);
	free(w->profile);
	*w = (struct store_wish){ 0 };
}

void
store_held_clear(struct store_held *h)
{
	free(h->profile);
	free(h->fingerprints);
	free(h->placed);
	free(h->expiries);
	free(h->links);
	free(h->values);
	free(h->findings);
	secret_clear(&h->wrote);
	free(h->withdrawn.owner);
	free(h->withdrawn.slot);
	free(h->withdrawn.actor);
	*h = (struct store_held){ 0 };
}

void
store_credential_clear(struct store_credential *c)
{
	free(c->owner);
	free(c->slot);
	free(c->identity);
	secret_clear(&c->key);
	*c = (struct store_credential){ 0 };
}

void
store_profile_clear(struct store_profile *p)
{
	free(p->name);
	free(p->doc);
	*p = (struct store_profile){ 0 };
}

void
store_session_row_clear(struct store_session_row *r)
{
	bs_record_clear(&r->rec);
	free(r->transcript);
	r->transcript = NULL;
}

void
store_anchor_clear(struct store_anchor *a)
{
	free(a->sha256);
	free(a->trust);
	free(a->actor);
	free(a->subject);
	secret_clear(&a->der);
	*a = (struct store_anchor){ 0 };
}

void
store_given_clear(struct store_given *g)
{
	free(g->endpoint);
	free(g->kind);
	free(g->path);
	free(g->sha256);
	free(g->subject);
	*g = (struct store_given){ 0 };
}

void
store_audit_row_clear(struct store_audit_row *r)
{
	free(r->actor);
	free(r->action);
	free(r->object);
	free(r->detail);
	free(r->reason);
	*r = (struct store_audit_row){ 0 };
}
