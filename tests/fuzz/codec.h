/*
 * tests/fuzz/codec.h: what holds for every content format, for its fuzz target and its unit test.
 */
#ifndef TESTS_FUZZ_CODEC_H
#define TESTS_FUZZ_CODEC_H

#include "lib/lwm2m/format.h"

/*
 * The built-in Objects and Object CODEC_OBJECT, which has a Resource of every type: single at the
 * number of the type, multiple at that number plus CODEC_MULTIPLE.
 */
#define CODEC_OBJECT 32769
#define CODEC_MULTIPLE 20
const struct lwm2m_model *codec_model(void);

/*
 * Decodes p as an answer to base. What is refused must say so in one printable line, name a code
 * that fits and leave nothing in the tree. What is accepted must lie under base, and encode and
 * decode to an equal tree (unless the format has no form for it). Aborts when that does not hold;
 * true when it was accepted.
 */
bool codec_check(const struct lwm2m_format *f, struct lwm2m_path base, const uint8_t *p, size_t n);

/* A whole fuzz target: the first octet chooses the base (codec_base), the rest is the payload. */
int codec_fuzz(const struct lwm2m_format *f, const uint8_t *data, size_t size);
struct lwm2m_path codec_base(uint8_t choice);

/* "/1/0/1 integer 86400; /0/1/5 opaque 0102; /1/3 none": every node, for comparison. Appended. */
void codec_print(const struct lwm2m_tree *t, struct gbuf *out);
/* Hex with blanks anywhere as octets, at most cap of them. Aborts when it is no hex. */
size_t codec_unhex(const char *hex, uint8_t *out, size_t cap);

/*
 * Changes p (n octets, room for cap) a little: flips, cuts, inserts, copies inside. Returns the new
 * length. *state is that of unit_random().
 */
size_t codec_mutate(uint8_t *p, size_t n, size_t cap, uint64_t *state);

#endif
