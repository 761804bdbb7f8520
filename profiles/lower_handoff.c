/* "handoff" of a server, and "rotate" of its key: who is told of which credential, and when. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "profiles/lower_account.h"
#include "profiles/material.h"

#define DEADLINE_S 60
#define DEADLINE_MAX_S 240
#define ROTATE_MIN_S 3600
#define ROTATE_MAX_S (INT64_C(3650) * 86400)

/* The first account of a server that has a credential; NULL: none has. */
static const struct laccount *
account_with_credential(const struct lower *l, size_t server)
{
	for (size_t i = 0; i < l->n_accounts; i++)
		if (l->accounts[i].server == server && l->accounts[i].mode >= 0 &&
		    l->accounts[i].mode != PROFILE_NOSEC && l->accounts[i].mode != PROFILE_EST)
			return &l->accounts[i];
	return NULL;
}

static char *
copy(struct lower *l, const char *s)
{
	char *to = str_dup_n(s, strlen(s));

	if (to == NULL)
		l->rc = err_no_memory(l->e);
	return to;
}

/* ---- rotate ---- */

/* "never", "on_bootstrap", or a time. true: it is to be rotated. */
static bool
read_rotate(struct lower *l, const struct pnode *n, struct profile_handoff *h)
{
	int64_t s = 0;

	if (n->open)
		return false;
	if (n->type == PN_STRING && strcmp(n->s, "never") == 0)
		return false;
	if (n->type == PN_STRING && strcmp(n->s, "on_bootstrap") == 0)
		return true;
	if (!value_seconds(l, n, ROTATE_MIN_S, ROTATE_MAX_S, &s))
		return false;
	h->rotate_s = (uint32_t)s;
	return true;
}

static void
lower_rotate(struct lower *l, const struct pnode *key, struct profile_handoff *h)
{
	const struct pnode *rotate = pnode_get(key, "rotate"), *generate = pnode_get(key, "generate");
	struct gbuf slot = { 0 };

	if (rotate == NULL || generate == NULL || !read_rotate(l, rotate, h) || generate->type != PN_INT ||
	    generate->i < 16 || generate->i > 64)
		return;
	h->octets = (uint16_t)generate->i;
	material_slot(key, &slot);
	h->slot = copy(l, gbuf_cstr(&slot));
	gbuf_clear(&slot);
}

/* Every key that says rotate must be one that we make, of a server that is told. */
static void
check_rotate(struct lower *l, const struct laccount *a, bool told)
{
	const struct pnode *key = account_get(a, "key"), *rotate = pnode_get(key, "rotate");

	if (rotate == NULL)
		return;
	if (pnode_get(key, "generate") == NULL)
		finding_add(l->f, RULE_ROTATE, rotate, "only a key that is made here can be made anew: {\"generate\": 16}");
	else if (!told && !(rotate->type == PN_STRING && strcmp(rotate->s, "never") == 0))
		finding_add(l->f, RULE_ROTATE, rotate,
		    "its server would never learn of the new key: say \"handoff\" of it");
}

/* ---- handoff ---- */

static void
check_delay(struct lower *l, const struct lserver *s, const struct pnode *n, const struct profile_handoff *h)
{
	const struct lwm2m_value *v = lwm2m_tree_get(&l->d.tree, lwm2m_path3(LWM2M_SERVER, s->iid, 14));
	int64_t delay = 0;

	if (pnode_get(s->node, "initial_registration_delay_timer") != NULL && v == NULL)
		return; /* it is wrong by itself, or not known yet */
	if (v != NULL)
		(void)lwm2m_value_number(v, &delay);
	if (h->within_delay && delay * 1000 < (int64_t)h->deadline_ms)
		finding_add(l->f, RULE_HANDOFF, n,
		    "the device waits %" PRId64 " s before it registers (initial_registration_delay_timer), the server has "
		    "%u s to take the credential: the device may come first",
		    delay, h->deadline_ms / 1000);
}

static void
check_session(struct lower *l, const struct pnode *n, const struct profile_handoff *h)
{
	if (!h->within_delay && h->deadline_ms >= l->d.session_timeout_ms)
		finding_add(l->f, RULE_HANDOFF, n, "%u s for the server in a session of %u s", h->deadline_ms / 1000,
		    l->d.session_timeout_ms / 1000);
}

static void
check_once(struct lower *l, const struct pnode *to)
{
	for (size_t i = 0; i < l->d.n_handoffs; i++)
		if (strcmp(l->d.handoffs[i].to, to->s) == 0)
			finding_add(l->f, RULE_HANDOFF, to,
			    "\"%s\" is told of two credentials of one device (servers %s and another)", to->s,
			    l->d.handoffs[i].server);
}

static void
read_times(struct lower *l, const struct pnode *n, struct profile_handoff *h)
{
	const struct pnode *late = pnode_get(n, "within_delay"), *deadline = pnode_get(n, "deadline");
	int64_t s = DEADLINE_S;

	if (late != NULL)
		(void)value_bool(l, late, &h->within_delay);
	if (deadline != NULL)
		(void)value_seconds(l, deadline, 1, DEADLINE_MAX_S, &s);
	h->deadline_ms = (uint32_t)s * 1000;
}

static void
add_handoff(struct lower *l, const struct lserver *s, const struct pnode *to, struct profile_handoff *h)
{
	h->to = copy(l, to->s);
	h->server = copy(l, s->node->key);
	h->short_server_id = (uint16_t)s->ssid;
	if (l->rc == ERR_OK)
		l->rc = profile_desired_hand_off(&l->d, h, l->e);
}

/* Of one server; true: it is told. */
static bool
lower_handoff(struct lower *l, size_t server)
{
	const struct lserver *s = &l->servers[server];
	const struct pnode *n = lower_object(l, s->node, "handoff"), *to = pnode_get(n, "to");
	const struct laccount *a = account_with_credential(l, server);
	struct profile_handoff h = { 0 };

	if (n == NULL)
		return pnode_get(s->node, "handoff") != NULL;
	lower_keys(l, n, SEC_HANDOFF);
	if (to == NULL && !lower_partial(l))
		finding_member(l->f, RULE_MISSING, n, "to", "to is missing");
	read_times(l, n, &h);
	if (to != NULL && !to->open && (to->type != PN_STRING || to->n == 0 || !str_is_printable(to->s, to->n))) {
		finding_add(l->f, RULE_TYPE, to, "must be the name of an LwM2M Server in the daemon's configuration");
		to = NULL;
	}
	if (a == NULL && !lower_partial(l))
		finding_add(l->f, RULE_HANDOFF, n, "the server has no account with a credential: there is nothing to tell");
	if (to != NULL && !to->open && a != NULL) {
		h.account = a->iid;
		lower_rotate(l, account_get(a, "key"), &h);
		check_once(l, to);
		check_delay(l, s, n, &h);
		check_session(l, n, &h);
		if (s->ssid >= 0)
			add_handoff(l, s, to, &h);
	}
	profile_handoff_clear(&h);
	return true;
}

void
lower_handoffs(struct lower *l)
{
	for (size_t i = 0; i < l->n_servers && l->rc == ERR_OK; i++) {
		bool told = lower_handoff(l, i);

		for (size_t k = 0; k < l->n_accounts; k++)
			if (l->accounts[k].server == i)
				check_rotate(l, &l->accounts[k], told);
	}
}
