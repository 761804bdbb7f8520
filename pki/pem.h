/*
 * pki/pem.h: PEM blocks (RFC 7468), and files of them or of DER.
 */
#ifndef PKI_PEM_H
#define PKI_PEM_H

#include "lib/base/buf.h"
#include "lib/base/secret.h"

#define PEM_LABEL_MAX 64

struct pem_block {
	char label[PEM_LABEL_MAX]; /* "CERTIFICATE" */
	struct secret der;         /* owned; it may be a key */
};

void pem_block_clear(struct pem_block *b);

/* Whether there is a "-----BEGIN " at the start of a line anywhere in it. */
bool pem_is(const void *text, size_t n);

/*
 * The next block; text between blocks is passed over. *b must be empty; ERR_OK fills it,
 * ERR_NOT_FOUND at the end (e is left as it was), ERR_PARSE when a block is cut short, has headers,
 * or is no base64.
 */
enum err_code pem_next(struct rbuf *in, struct pem_block *b, struct err *e);

/* A file whole, of at most max bytes. *out must be empty. ERR_IO, ERR_NOT_FOUND, ERR_LIMIT. */
enum err_code pem_read_file(const char *file, size_t max, struct secret *out, struct err *e);

/* A block, appended. */
void pem_write(struct gbuf *out, const char *label, const void *der, size_t n);

#endif
