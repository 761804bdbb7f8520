/*
 * lib/base/str.h: text from outside, read strictly.
 */
#ifndef LIB_BASE_STR_H
#define LIB_BASE_STR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

/* Whole decimal numbers without sign (the second: with '-'), no blanks, within min..max. */
bool str_to_u64(const char *s, size_t n, uint64_t min, uint64_t max, uint64_t *out);
bool str_to_i64(const char *s, size_t n, int64_t min, int64_t max, int64_t *out);

/* Well-formed UTF-8 (RFC 3629) without NUL. */
bool str_is_utf8(const void *s, size_t n);
/* No control characters besides, and none that moves other text: fit to be printed and logged on one line. */
bool str_is_printable(const char *s, size_t n);

/*
 * '*' any run, '?' one byte; no other sign is special, the whole of s must fit. Time is at most the
 * product of both lengths.
 */
bool str_glob(const char *pattern, const char *s);

/* Whole numbers, one unit: "30s", "5m", "1h", "1d", "2w" or a bare number: seconds. false when it is none of these or overflows. */
bool str_to_seconds(const char *s, size_t n, uint64_t *out);

/*
 * The candidate nearest to word by edits (insert, delete, replace, swap of neighbours), the first
 * of several; NULL when none is within a third of the word's length, or the word is longer than 64.
 */
const char *str_nearest(const char *word, const char *const *candidates, size_t n);

/*
 * Percent-decoding (RFC 3986 section 2.1) in place; false when a '%' is not followed by two digits
 * or gives NUL. *n becomes the new length, nothing is put behind it; after false the text is of no use.
 */
bool str_percent_decode(char *s, size_t *n);

/* A copy of n bytes with a NUL behind, or NULL when memory is short. */
char *str_dup_n(const char *s, size_t n);

/*
 * Control characters, quotes, backslashes and bytes that are not UTF-8 made harmless (\n, \", \\,
 * \xNN), appended without quotes around: for messages about text from outside.
 */
void str_quote(struct gbuf *out, const char *s, size_t n);

#endif
