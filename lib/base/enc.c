#include "lib/base/enc.h"

void
enc_hex(struct gbuf *out, const void *src, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = src;

	for (size_t i = 0; i < n; i++) {
		char pair[2] = { digits[p[i] >> 4], digits[p[i] & 15] };
		gbuf_put(out, pair, sizeof pair);
	}
}

/* Each three bytes become four characters; the last one or two become two or three. */
static void
put_base64(struct gbuf *out, const uint8_t *p, size_t n, const char *alphabet_end, bool pad)
{
	static const char first62[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16;
		size_t have = MIN(n - i, (size_t)3);
		char quad[4] = { '=', '=', '=', '=' };

		if (have > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (have > 2)
			v |= p[i + 2];
		for (size_t k = 0; k <= have; k++) {
			uint32_t six = v >> (18 - 6 * k) & 63;
			quad[k] = six < 62 ? first62[six] : alphabet_end[six - 62];
		}
		gbuf_put(out, quad, pad ? 4 : have + 1);
		wipe(quad, sizeof quad);
	}
}

void
enc_base64(struct gbuf *out, const void *src, size_t n)
{
	put_base64(out, src, n, "+/", true);
}

void
enc_base64url(struct gbuf *out, const void *src, size_t n)
{
	put_base64(out, src, n, "-_", false);
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum err_code
dec_hex(const char *s, size_t n, struct secret *out, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (hex_value(s[i]) < 0)
			return err_set(e, ERR_PARSE, "hex: character %zu is no hex digit", i + 1);
	}
	if (n % 2 != 0)
		return err_set(e, ERR_PARSE, "hex: %zu digits, an odd number", n);
	if (secret_alloc(out, n / 2, e) != ERR_OK)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < n / 2; i++)
		out->data[i] = (uint8_t)(hex_value(s[2 * i]) << 4 | hex_value(s[2 * i + 1]));
	return ERR_OK;
}

/* The six bits of a character, -1 when it has none. plus and slash are the alphabet's last two. */
static int
base64_value(char c, char plus, char slash)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == plus)
		return 62;
	return c == slash ? 63 : -1;
}

/*
 * n characters without padding; name is what the message calls the encoding. GnuTLS's decoder skips
 * blanks and cannot say where a text is wrong, hence our own.
 */
static enum err_code
decode_sextets(const char *name, const char *alphabet_end, const char *s, size_t n,
    struct secret *out, struct err *e)
{
	uint32_t acc = 0;
	size_t done = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++) {
		if (base64_value(s[i], alphabet_end[0], alphabet_end[1]) < 0)
			return err_set(e, ERR_PARSE, "%s: character %zu is not of its alphabet", name, i + 1);
	}
	if (n % 4 == 1)
		return err_set(e, ERR_PARSE, "%s: %zu characters cannot be whole bytes", name, n);
	if (secret_alloc(out, n / 4 * 3 + (n % 4 == 0 ? 0 : n % 4 - 1), e) != ERR_OK)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		acc = acc << 6 | (uint32_t)base64_value(s[i], alphabet_end[0], alphabet_end[1]);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out->data[done++] = (uint8_t)(acc >> bits);
			acc &= (1U << bits) - 1;
		}
	}
	if (acc != 0) {
		secret_clear(out);
		return err_set(e, ERR_PARSE, "%s: character %zu has bits left over", name, n);
	}
	return ERR_OK;
}

enum err_code
dec_base64(const char *s, size_t n, struct secret *out, struct err *e)
{
	size_t pad = 0;

	if (n % 4 != 0)
		return err_set(e, ERR_PARSE, "base64: %zu characters, not a multiple of four", n);
	while (pad < 2 && pad < n && s[n - 1 - pad] == '=')
		pad++;
	return decode_sextets("base64", "+/", s, n - pad, out, e);
}

enum err_code
dec_base64url(const char *s, size_t n, struct secret *out, struct err *e)
{
	return decode_sextets("base64url", "-_", s, n, out, e);
}
