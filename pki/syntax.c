#include "pki/syntax.h"

#include <string.h>

#define HOST_MAX 253
#define LABEL_MAX 63

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A label that starts at s; its length, or 0 when it is none. */
static size_t
label_length(struct pki_blob s)
{
	size_t n = 0;

	while (n < s.n && (is_letter(s.p[n]) || is_digit(s.p[n]) || s.p[n] == '-'))
		n++;
	if (n == 0 || n > LABEL_MAX || s.p[0] == '-' || s.p[n - 1] == '-')
		return 0;
	return n;
}

static bool
is_among(const char *set, uint8_t c)
{
	return c != 0 && strchr(set, c) != NULL;
}

static bool
all_digits(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && is_digit(p[i]))
		i++;
	return i == n;
}

bool
syntax_host(struct pki_blob s)
{
	if (s.n > HOST_MAX)
		return false;
	for (;;) {
		size_t n = label_length(s);

		if (n == 0)
			return false;
		if (n == s.n)
			return !all_digits(s.p, n);
		if (s.p[n] != '.')
			return false;
		s = syntax_tail(s, s.n - n - 1);
	}
}

bool
syntax_dns_san(struct pki_blob s)
{
	if (s.n > 2 && s.p[0] == '*' && s.p[1] == '.')
		s = syntax_tail(s, s.n - 2);
	return syntax_host(s);
}

static bool
is_atom_char(uint8_t c)
{
	return is_letter(c) || is_digit(c) || is_among("!#$%&'*+-/=?^_`{|}~", c);
}

static bool
is_dot_string(struct pki_blob s)
{
	bool after_dot = true;

	for (size_t i = 0; i < s.n; i++) {
		bool dot = s.p[i] == '.';

		if (dot ? after_dot : !is_atom_char(s.p[i]))
			return false;
		after_dot = dot;
	}
	return !after_dot;
}

static bool
is_quoted_string(struct pki_blob s)
{
	if (s.n < 3 || s.p[0] != '"' || s.p[s.n - 1] != '"')
		return false;
	for (size_t i = 1; i < s.n - 1; i++) {
		if (s.p[i] == '"')
			return false;
		if (s.p[i] == '\\' && ++i == s.n - 1)
			return false;
	}
	return true;
}

bool
syntax_mailbox(struct pki_blob s)
{
	size_t at = s.n;

	while (at > 0 && s.p[at - 1] != '@')
		at--;
	if (at < 2)
		return false;
	struct pki_blob local = { s.p, at - 1 };
	return (is_dot_string(local) || is_quoted_string(local)) &&
	       syntax_host(syntax_tail(s, s.n - at));
}

/* "scheme:"; its length with the colon, or 0. */
static size_t
scheme_length(struct pki_blob s)
{
	size_t n = 0;

	while (n < s.n &&
	       (is_letter(s.p[n]) || (n > 0 && (is_digit(s.p[n]) || is_among("+-.", s.p[n])))))
		n++;
	return n > 0 && n < s.n && s.p[n] == ':' ? n + 1 : 0;
}

bool
syntax_uri(struct pki_blob s)
{
	size_t n = scheme_length(s);

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > 0x7e || is_among("\"<>\\^`{|}", s.p[i]))
			return false;
	return n > 0 && n < s.n;
}

bool
syntax_uri_host(struct pki_blob uri, struct pki_blob *host)
{
	size_t n = scheme_length(uri);
	struct pki_blob s = syntax_tail(uri, uri.n - n);

	*host = PKI_BLOB_NONE;
	if (!syntax_uri(uri) || s.n < 3 || s.p[0] != '/' || s.p[1] != '/')
		return false;
	s = syntax_tail(s, s.n - 2);
	size_t end = 0;
	while (end < s.n && !is_among("/?#", s.p[end]))
		end++;
	size_t start = end;
	while (start > 0 && s.p[start - 1] != '@')
		start--;
	s = (struct pki_blob){ s.p + start, end - start };
	end = 0;
	while (end < s.n && s.p[end] != ':')
		end++;
	*host = (struct pki_blob){ s.p, end };
	return end > 0 && s.p[0] != '[' && (end == s.n || all_digits(s.p + end + 1, s.n - end - 1));
}

bool
syntax_ip(struct pki_blob s)
{
	return s.n == 4 || s.n == 16;
}

bool
syntax_ip_range(struct pki_blob s)
{
	bool zeros = false;

	if (s.n != 8 && s.n != 32)
		return false;
	for (size_t bit = s.n / 2 * 8; bit < s.n * 8; bit++) {
		bool one = s.p[bit / 8] & (0x80 >> (bit % 8));

		if (one && zeros)
			return false;
		zeros = !one;
	}
	return true;
}

bool
syntax_san(const struct pki_name *name)
{
	switch (name->kind) {
	case PKI_NAME_EMAIL:
		return syntax_mailbox(name->value);
	case PKI_NAME_DNS:
		return syntax_dns_san(name->value);
	case PKI_NAME_URI:
		return syntax_uri(name->value);
	case PKI_NAME_IP:
		return syntax_ip(name->value);
	case PKI_NAME_DIRECTORY:
		return !pki_dn_empty(name->value);
	case PKI_NAME_OTHER:
	case PKI_NAME_X400:
	case PKI_NAME_EDI:
	case PKI_NAME_RID:
		return true;
	}
	return false;
}

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool
syntax_same(struct pki_blob a, struct pki_blob b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

struct pki_blob
syntax_tail(struct pki_blob s, size_t n)
{
	return (struct pki_blob){ s.p + (s.n - n), n };
}
