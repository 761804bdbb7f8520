/*
 * profiles/material.h: keys and certificates as text and as files; for profiles/ alone.
 */
#ifndef PROFILES_MATERIAL_H
#define PROFILES_MATERIAL_H

#include "pki/pem.h"
#include "profiles/doc.h"

enum material_encoding {
	ENCODING_AUTO,
	ENCODING_RAW,
	ENCODING_HEX,
	ENCODING_BASE64,
	ENCODING_PEM,
	ENCODING_DER
};
bool material_encoding(const char *name, enum material_encoding *out);

/*
 * Text that is hex, base64 or PEM, told apart by itself: ERR_INVALID when it could be two of them,
 * or none. label is that of the PEM, "" otherwise. Messages say what was found, never its content.
 */
enum err_code material_decode_text(
    const char *s, size_t n, char label[PEM_LABEL_MAX], struct secret *out, struct err *e);
/* A file's content: octets that are no text are the key (or DER) itself. */
enum err_code material_decode_file(const uint8_t *p, size_t n, enum material_encoding how,
    char label[PEM_LABEL_MAX], struct secret *out, struct err *e);
/* One DER SEQUENCE and nothing behind it. */
bool material_is_der(const struct secret *s);

/* Relative, and not out of its folder: ERR_REFUSED otherwise. */
enum err_code material_file_name(const char *s, struct err *e);

/* The slot of a key: where it stands, in the short spelling. Appended. */
void material_slot(const struct pnode *n, struct gbuf *out);

#endif
