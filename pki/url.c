#include "pki/url.h"

#include "lib/base/str.h"

static bool
is_prefix(struct pki_blob url, const char *prefix)
{
	for (size_t i = 0; prefix[i] != '\0'; i++) {
		if (i == url.n)
			return false;
		char c = (char)url.p[i];
		if ((c >= 'A' && c <= 'Z' ? (char)(c + 32) : c) != prefix[i])
			return false;
	}
	return true;
}

static bool
is_host_char(char c, bool bracketed)
{
	bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

	return bracketed ? (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == ':' || c == '.'
	                 : alnum || c == '-' || c == '.';
}

/* Copies the host, in lower case; false when it is empty, too long or has an odd character. */
static bool
take_host(struct rbuf *in, char host[PKI_HOST_MAX])
{
	bool bracketed = rbuf_left(in) > 0 && in->data[in->pos] == '[';
	size_t n = 0;

	in->pos += bracketed ? 1 : 0;
	for (; rbuf_left(in) > 0 && n < PKI_HOST_MAX - 1; in->pos++) {
		char c = (char)in->data[in->pos];

		c = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
		if (!is_host_char(c, bracketed))
			break;
		host[n++] = c;
	}
	host[n] = '\0';
	return n > 0 && host[0] != '-' && host[0] != '.' && (!bracketed || rbuf_u8(in) == ']');
}

static bool
take_port(struct rbuf *in)
{
	size_t start = ++in->pos;
	uint64_t port;

	while (rbuf_left(in) > 0 && in->data[in->pos] >= '0' && in->data[in->pos] <= '9')
		in->pos++;
	return str_to_u64((const char *)in->data + start, in->pos - start, 1, 65535, &port);
}

enum err_code
pki_url_check(struct pki_blob url, char host[PKI_HOST_MAX], struct err *e)
{
	struct rbuf in = rbuf_make(url.p, url.n);

	if (!is_prefix(url, "http://"))
		return err_set(e, ERR_UNSUPPORTED, "only http URLs are asked");
	if (url.n > PKI_URL_MAX)
		return err_set(
		    e, ERR_LIMIT, "a URL of %zu bytes, at most %d are taken", url.n, PKI_URL_MAX);
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] >= 0x7f || url.p[i] == '#' || url.p[i] == '\\')
			return err_set(e, ERR_INVALID, "a character that a URL may not have");
	in.pos = sizeof "http://" - 1;
	if (!take_host(&in, host))
		return err_set(e, ERR_INVALID, "its host is none");
	if (rbuf_left(&in) > 0 && in.data[in.pos] == ':' && !take_port(&in))
		return err_set(e, ERR_INVALID, "its port is none");
	if (rbuf_left(&in) > 0 && in.data[in.pos] != '/' && in.data[in.pos] != '?')
		return err_set(e, ERR_INVALID, "its host is none");
	return ERR_OK;
}

bool
pki_host_allowed(const char *host, const char *const *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_glob(patterns[i], host))
			return true;
	return n == 0;
}
