#include "pki/der_write.h"

void
der_put(struct gbuf *out, int tag, const void *content, size_t n)
{
	size_t octets = 0;

	gbuf_u8(out, (uint8_t)tag);
	for (size_t left = n; n >= 0x80 && left > 0; left >>= 8)
		octets++;
	if (octets > 0)
		gbuf_u8(out, (uint8_t)(0x80 | octets));
	gbuf_be(out, n, MAX(octets, (size_t)1));
	gbuf_put(out, content, n);
}

void
der_put_all(struct gbuf *out, int tag, struct gbuf *content)
{
	if (content->failed)
		out->failed = true;
	der_put(out, tag, content->data, content->len);
	gbuf_clear(content);
}
