/* What a device was seen to hold, and the list of a session's findings. */
#include <stdlib.h>
#include <string.h>

#include "bsserver/bootstrap/record.h"
#include "bsserver/bootstrap/record_json.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

void
bs_held_clear(struct bs_held *h)
{
	free_some(h->links);
	free_some(h->values);
	*h = (struct bs_held){ 0 };
}

bool
bs_held_known(const struct bs_held *h)
{
	return h->links != NULL || h->read != 0;
}

void
bs_findings_clear(struct bs_findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free_some(f->v[i].paths);
		free_some(f->v[i].detail);
	}
	free_some(f->v);
	*f = (struct bs_findings){ 0 };
}

void
bs_findings_add(struct bs_findings *f, enum bs_finding_kind kind, enum bs_remedy remedy, const char *paths,
    const char *detail)
{
	struct bs_finding *v = f->n < BS_FINDINGS_MAX ? grow(f->v, f->n, &f->cap, sizeof *v) : NULL;

	if (v == NULL) {
		f->dropped++;
		return;
	}
	f->v = v;
	v += f->n;
	*v = (struct bs_finding){ .kind = kind, .remedy = remedy };
	v->paths = str_dup_n(paths, strlen(paths));
	v->detail = str_dup_n(detail, strlen(detail));
	if (v->paths != NULL && v->detail != NULL) {
		f->n++;
		return;
	}
	free(v->paths);
	free(v->detail);
	f->dropped++;
}

/* "/0/1 /1/0" as ["/0/1","/1/0"]. */
static void
put_paths(struct gbuf *out, const char *paths)
{
	const char *sep = "\"";

	gbuf_str(out, "[");
	for (const char *p = paths; *p != 0;) {
		size_t n = strcspn(p, " ");

		gbuf_str(out, sep);
		gbuf_put(out, p, n);
		gbuf_str(out, "\"");
		sep = ",\"";
		p += n + (p[n] == ' ');
	}
	gbuf_str(out, "]");
}

void
bs_findings_json(const struct bs_findings *f, struct gbuf *out)
{
	gbuf_str(out, "[");
	for (size_t i = 0; i < f->n; i++) {
		gbuf_str(out, i == 0 ? "{\"finding\":\"" : ",{\"finding\":\"");
		gbuf_str(out, bs_finding_name(f->v[i].kind));
		gbuf_str(out, "\",\"paths\":");
		put_paths(out, f->v[i].paths);
		gbuf_str(out, ",\"does\":\"");
		gbuf_str(out, bs_remedy_name(f->v[i].remedy));
		gbuf_str(out, "\",\"detail\":");
		bs_json_string(out, f->v[i].detail);
		gbuf_str(out, "}");
	}
	gbuf_str(out, "]");
}
