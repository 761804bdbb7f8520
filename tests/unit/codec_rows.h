/*
 * tests/unit/codec_rows.h: what the test of every codec does with its tables. The model is
 * codec_model() of tests/fuzz/codec.h.
 */
#ifndef TESTS_UNIT_CODEC_ROWS_H
#define TESTS_UNIT_CODEC_ROWS_H

#include "lib/lwm2m/format.h"
#include "tests/unit/unit.h"

/* A payload that is right. */
struct good_row {
	const char *base, *payload;
	const char *tree; /* as codec_print() has it */
	bool own;         /* the tree encodes to exactly this payload */
};

/* A payload that is refused, and the words. */
struct bad_row {
	const char *base, *payload;
	enum err_code code;
	const char *msg;
};

/* A value that the format has no way to say: ERR_UNSUPPORTED, and the words. */
struct unsayable {
	const char *base, *path;
	struct lwm2m_value v;
	const char *msg;
};

/* How the table writes payloads. */
enum payload_as { AS_HEX, AS_TEXT };

void check_good(const struct lwm2m_format *f, enum payload_as as, const struct good_row *row);
void check_bad(const struct lwm2m_format *f, enum payload_as as, const struct bad_row *row);
/* Changes the payload by chance, many times over, and codec_check()s each. */
void check_mutations(const struct lwm2m_format *f, enum payload_as as, const struct good_row *row);
void check_unsayable(const struct lwm2m_format *f, const struct unsayable *row);
/* The payload does not fit a buffer that is one octet shorter. */
void check_bounded(const struct lwm2m_format *f, enum payload_as as, const struct good_row *row, const char *msg);

struct lwm2m_path path_of(const char *s);
/* The octets; the caller owes gbuf_clear(). */
struct gbuf payload_of(enum payload_as as, const char *s);

#endif
