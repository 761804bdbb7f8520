#include "profiles/uri.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/str.h"

static const struct {
	const char *prefix;
	char letter;
	bool secure;
} schemes[] = {
	[URI_NONE] = { "", 0, false },
	[URI_COAP] = { "coap://", 'U', false },
	[URI_COAPS] = { "coaps://", 'U', true },
	[URI_COAP_TCP] = { "coap+tcp://", 'T', false },
	[URI_COAPS_TCP] = { "coaps+tcp://", 'T', true },
	[URI_TEL] = { "tel:", 'S', false },
	[URI_LORAWAN] = { "lorawan://", 'N', false },
};

const char *
puri_scheme_name(enum puri_scheme s)
{
	static const char *const names[] = { "none", "coap", "coaps", "coap+tcp", "coaps+tcp",
		"tel", "lorawan" };

	return names[s];
}

static bool
host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '-' || c == '_';
}

static void
look_at_v4(const struct in_addr *a, struct puri *out)
{
	uint32_t v = ntohl(a->s_addr);

	out->unspecified = v == 0;
	out->local = v >> 24 == 127;
}

static enum err_code
read_v6(const char **p, struct puri *out, struct err *e)
{
	char text[INET6_ADDRSTRLEN + 1];
	struct in6_addr a;
	const char *end = strchr(*p, ']');
	size_t n = end != NULL ? (size_t)(end - *p - 1) : 0;

	if (end == NULL)
		return err_set(e, ERR_INVALID, "\"[\" without \"]\"");
	if (n >= sizeof text)
		return err_set(e, ERR_INVALID, "what stands in brackets is no IPv6 address");
	memcpy(text, *p + 1, n);
	text[n] = '\0';
	if (inet_pton(AF_INET6, text, &a) != 1)
		return err_set(e, ERR_INVALID, "what stands in brackets is no IPv6 address");
	out->unspecified = IN6_IS_ADDR_UNSPECIFIED(&a);
	out->local = IN6_IS_ADDR_LOOPBACK(&a);
	*p = end + 1;
	return ERR_OK;
}

static enum err_code
read_host(const char **p, struct puri *out, struct err *e)
{
	char host[256];
	struct in_addr a;
	size_t n = 0;

	if (**p == '[')
		return read_v6(p, out, e);
	while (host_char((*p)[n]))
		n++;
	if (n == 0)
		return err_set(e, ERR_INVALID, "it has no host");
	if (n >= sizeof host)
		return err_set(e, ERR_INVALID, "its host has more than 255 characters");
	memcpy(host, *p, n);
	host[n] = '\0';
	if (inet_pton(AF_INET, host, &a) == 1)
		look_at_v4(&a, out);
	else
		out->local = strcasecmp(host, "localhost") == 0 ||
		             (n > 10 && strcasecmp(host + n - 10, ".localhost") == 0);
	*p += n;
	return ERR_OK;
}

static enum err_code
read_port(const char **p, struct puri *out, struct err *e)
{
	size_t n = strspn(*p + 1, "0123456789");
	uint64_t v;

	if (n == 0)
		return err_set(e, ERR_INVALID, "\":\" without a port");
	out->bad_port = !str_to_u64(*p + 1, n, 1, 65535, &v);
	*p += 1 + n;
	return ERR_OK;
}

static enum err_code
parse_authority(const char *p, struct puri *out, struct err *e)
{
	enum err_code rc = read_host(&p, out, e);

	if (rc == ERR_OK && *p == ':')
		rc = read_port(&p, out, e);
	if (rc != ERR_OK)
		return rc;
	if (*p != '\0' && *p != '/' && *p != '?')
		return err_set(e, ERR_INVALID, "after the host there is \"%c\"", *p);
	if (strpbrk(p, "#\"<>\\^`{|}") != NULL)
		return err_set(e, ERR_INVALID, "a character in its path that none has");
	return ERR_OK;
}

bool
puri_name(const char *s, char *out, size_t cap)
{
	const char *host = strstr(s, "://");
	struct in_addr a;
	bool v6 = host != NULL && host[3] == '[';
	int n;

	if (host == NULL)
		return false;
	host += v6 ? 4 : 3;
	n = (int)strcspn(host, v6 ? "]" : ":/?");
	if (n == 0 || (size_t)snprintf(out, cap, "ip:%.*s", n, host) >= cap - 1)
		return false;
	if (!v6 && inet_pton(AF_INET, out + 3, &a) != 1)
		(void)snprintf(out, cap, "dns:%.*s", n, host);
	return true;
}

static enum err_code
parse_tel(const char *p, struct err *e)
{
	if (*p == '+')
		p++;
	if (*p == '\0' || p[strspn(p, "0123456789")] != '\0')
		return err_set(e, ERR_INVALID, "after tel: there is no number");
	return ERR_OK;
}

enum err_code
puri_parse(const char *s, struct puri *out, struct err *e)
{
	*out = (struct puri){ .scheme = URI_NONE };
	for (const char *p = s; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			return err_set(
			    e, ERR_INVALID, "a blank or a character outside ASCII in it");
	for (size_t i = URI_COAP; i < N_ELEMS(schemes); i++) {
		size_t n = strlen(schemes[i].prefix);

		if (strncasecmp(s, schemes[i].prefix, n) != 0)
			continue;
		enum err_code rc =
		    i == URI_TEL ? parse_tel(s + n, e) : parse_authority(s + n, out, e);
		if (rc != ERR_OK)
			return rc;
		out->scheme = (enum puri_scheme)i;
		out->letter = schemes[i].letter;
		out->secure = schemes[i].secure;
		return ERR_OK;
	}
	return err_set(e, ERR_INVALID,
	    "it begins with none of coap://, coaps://, coap+tcp://, coaps+tcp://, tel:, "
	    "lorawan://");
}
