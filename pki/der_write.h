/* pki/der_write.h: DER (X.690), written from the inside out. */
#ifndef PKI_DER_WRITE_H
#define PKI_DER_WRITE_H

#include "pki/der.h"

/* An element: tag, length in its shortest form, content; appended. */
void der_put(struct gbuf *out, int tag, const void *content, size_t n);
/* The same with all of content, which is cleared; a failure of it becomes one of out. */
void der_put_all(struct gbuf *out, int tag, struct gbuf *content);

#endif
