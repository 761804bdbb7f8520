/*
 * lib/base/enc.h: bytes as text and back (RFC 4648). Decoding is strict: one wrong character, a
 * wrong length or wrong padding refuses the whole, and the message says where, never what.
 */
#ifndef LIB_BASE_ENC_H
#define LIB_BASE_ENC_H

#include "lib/base/buf.h"
#include "lib/base/secret.h"

/* Lower-case hex, appended. */
void enc_hex(struct gbuf *out, const void *src, size_t n);
/* Standard alphabet with padding, appended. */
void enc_base64(struct gbuf *out, const void *src, size_t n);
/* URL-safe alphabet without padding (RFC 4648 section 5), appended. */
void enc_base64url(struct gbuf *out, const void *src, size_t n);

/* *out must be empty; it is filled only on ERR_OK. Hex takes both cases. ERR_PARSE otherwise. */
enum err_code dec_hex(const char *s, size_t n, struct secret *out, struct err *e);
enum err_code dec_base64(const char *s, size_t n, struct secret *out, struct err *e);
enum err_code dec_base64url(const char *s, size_t n, struct secret *out, struct err *e);

#endif
