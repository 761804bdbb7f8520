/* tests/sim/property.h: random devices and random profiles. */
#ifndef TESTS_SIM_PROPERTY_H
#define TESTS_SIM_PROPERTY_H

#include "tests/sim/model.h"

struct pair {
	uint64_t seed; /* of this pair */
	const struct lwm2m_model *m;
	struct model d;
	struct lwm2m_tree before;
	struct lwm2m_tree wanted; /* in our last good session */
	struct profile_desired p;
	struct bs_history h;
	struct bs_inventory inv;
	struct bs_plan plan;
	bool untouched;	   /* since our last good session */
	char wrong[400];
};

/* ---- property.c ---- */
/* The first thing that is not as it should be. */
void PRINTF_LIKE(2, 3) wrong(struct pair *x, const char *fmt, ...);
typedef bool each_fn(const struct lwm2m_tree *t, struct lwm2m_path inst, void *arg);
size_t count(const struct lwm2m_tree *t, uint16_t oid, each_fn *is, void *arg);
bool has_ssid(const struct lwm2m_tree *t, struct lwm2m_path inst, void *arg); /* arg: int64_t * */
/* Another's account, which must be left alone. */
bool is_kept(const struct pair *x, int64_t ssid);
bool same_under(const struct lwm2m_tree *a, const struct lwm2m_tree *b, struct lwm2m_path p);
bool find_rule(const struct lwm2m_tree *t, int64_t oid, int64_t iid, struct lwm2m_path *rule);
int64_t target_iid(const struct pair *x, struct lwm2m_path want); /* of a rule of the profile, on the device */

/* ---- property_check.c: what a plan did to a device, seen without the planner's eyes ---- */
/* No link dangles that led somewhere before; after each operation. */
void check_links(struct pair *x, const struct bs_op *op);
/* Other servers may do what they could, where the profile says nothing. */
void check_rights(struct pair *x);
/* What their accounts link to is as it was. */
void check_linked(struct pair *x);
/* One operation for each instance that differs, two where something must vanish. */
void check_fewest(struct pair *x);

/* ---- property_make.c ---- */
uint64_t rnd(uint64_t *state);				/* splitmix64 */
bool chance(uint64_t *state, unsigned percent);
uint16_t below(uint64_t *state, unsigned n);		/* 0..n-1 */

void put_number(struct lwm2m_tree *t, struct lwm2m_path p, int64_t n);
void put_text(struct lwm2m_tree *t, struct lwm2m_path p, enum lwm2m_type type, const char *s);
int64_t number_at(const struct lwm2m_tree *t, struct lwm2m_path p); /* -1: none */

/* "coap://s3.example", or over TCP. */
void uri_of(unsigned server, unsigned transport, char out[64]);

void make_device(uint64_t *state, struct model *d);
void make_profile(uint64_t *state, struct profile_desired *p);
/* Something else that the operator wants: other values, one server more or less. */
void change_profile(uint64_t *state, struct profile_desired *p);

#endif
