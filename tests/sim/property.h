/* tests/sim/property.h: random devices and random profiles. */
#ifndef TESTS_SIM_PROPERTY_H
#define TESTS_SIM_PROPERTY_H

#include "tests/sim/model.h"

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
