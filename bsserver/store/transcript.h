/*
 * bsserver/store/transcript.h: the entries of a session's record as a store keeps them: a third of
 * their JSON, which is made when somebody reads them.
 *
 * A version octet, 1, then each entry: flags (1 remark, 2 uplink, 4 format, 8 text), step, at_ms; of
 * an exchange also method, code, sent, received, the format when flagged, and the path; the text when
 * flagged. Numbers are little-endian base 128, shortest form; strings their length and octets without NUL.
 */
#ifndef BSSERVER_STORE_TRANSCRIPT_H
#define BSSERVER_STORE_TRANSCRIPT_H

#include "bsserver/bootstrap/record.h"
#include "lib/base/err.h"

/* Appended. */
void transcript_pack(const struct bs_record *r, struct gbuf *out);
/* The entries are added to r, which has none. ERR_PARSE: these are not octets that transcript_pack() made. */
enum err_code transcript_unpack(const void *p, size_t n, struct bs_record *r, struct err *e);

#endif
