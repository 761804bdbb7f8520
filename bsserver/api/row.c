/* One row of the answer, and what a document would change. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/apply.h"

static const char *const names[] = {
	[ROW_CREATED] = "created",
	[ROW_UPDATED] = "updated",
	[ROW_UNCHANGED] = "unchanged",
	[ROW_INVALID] = "invalid",
	[ROW_CONFLICT] = "conflict",
	[ROW_EXISTS] = "exists",
	[ROW_ERROR] = "error",
};
_Static_assert(N_ELEMS(names) == ROW__COUNT, "one name per result");

const char *
row_result_name(enum row_result r)
{
	return names[r];
}

void
row_end(struct row *w, enum row_result result, const struct err *e)
{
	w->over = true;
	w->result = result;
	w->e = e == NULL ? (struct err){ .code = ERR_OK } : *e;
	w->job->results[result]++;
}

static json_t *
json_of_keys(const struct prep *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n_creds; i++) {
		json_t *j = json_of_credential(&p->creds[i]);

		(void)json_object_del(j, "revision"); /* the row's */
		(void)json_array_append_new(list, j);
	}
	return list;
}

static void
put_document(json_t *j, const struct row *w)
{
	bool good =
	    w->result == ROW_CREATED || w->result == ROW_UPDATED || w->result == ROW_UNCHANGED;

	json_put(j, "findings", json_of_findings(&w->p->findings));
	if (good && w->p->n_creds > 0 && w->job->kind == JOB_APPLY)
		json_put(j, "keys", json_of_keys(w->p));
	if (good && w->job->kind == JOB_DIFF)
		json_put(j, "changes", diff_documents(w->p->had, gbuf_cstr(&w->p->text)));
	if (w->counted) {
		json_put(j, "devices", json_u64(w->devices));
		json_put(j, "devices_complete", json_boolean(w->counted_all));
	}
}

void
row_print(const struct row *w, struct gbuf *out)
{
	enum profile_kind kind = w->p == NULL ? PROFILE_NO_KIND : prep_kind(w->p);
	json_t *j = json_object(), *x;
	char *text;

	json_put(j, "row", json_integer(w->no));
	json_put(j, "source", json_text(w->source));
	json_put(j, "kind",
	    kind == PROFILE_NO_KIND ? json_null()
	                            : json_text(kind == PROFILE_DEVICE ? "device" : "profile"));
	json_put(j, "name", w->p == NULL ? json_null() : json_text(prep_name(w->p)));
	json_put(j, "result", json_text(row_result_name(w->result)));
	json_put(j, "revision", w->revision == 0 ? json_null() : json_u64(w->revision));
	if (w->p != NULL)
		put_document(j, w);
	if (w->e.code != ERR_OK) {
		x = json_object();
		json_put(x, "code", json_text(err_name(w->e.code)));
		json_put(x, "detail", json_text(w->e.msg));
		json_put(x, "retryable", json_boolean(answer_retryable(w->e.code)));
		json_put(j, "error", x);
	}
	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	if (text == NULL)
		out->failed = true;
	else
		gbuf_printf(out, "%s\n", text);
	free(text);
}

/* ---- what would change ---- */

#define DIFF_MAX 500 /* places of one document */

struct diff {
	json_t *list;
	struct gbuf path;
};

static void
push_key(struct gbuf *path, const char *key)
{
	gbuf_u8(path, '/');
	for (; *key != 0; key++) {
		if (*key == '~')
			gbuf_str(path, "~0");
		else if (*key == '/')
			gbuf_str(path, "~1");
		else
			gbuf_u8(path, (uint8_t)*key);
	}
}

static void
pop_to(struct gbuf *path, size_t len)
{
	if (path->data != NULL && len <= path->len) {
		path->len = len;
		path->data[len] = 0;
	}
}

static void
note(struct diff *d, json_t *has, json_t *wants)
{
	json_t *x;

	if (json_array_size(d->list) >= DIFF_MAX)
		return;
	x = json_object();
	json_put(x, "path", json_text(gbuf_cstr(&d->path)));
	json_put(x, "has", has == NULL ? json_null() : json_incref(has));
	json_put(x, "wants", wants == NULL ? json_null() : json_incref(wants));
	(void)json_array_append_new(d->list, x);
}

/* Documents nest PROFILE_DEPTH_MAX deep at most. */
static void
compare(struct diff *d, json_t *has, json_t *wants)
{
	size_t len = d->path.len;
	const char *key;
	json_t *v;

	if (!json_is_object(has) || !json_is_object(wants)) {
		if (has == NULL || wants == NULL || !json_equal(has, wants))
			note(d, has, wants);
		return;
	}
	json_object_foreach(has, key, v)
	{
		push_key(&d->path, key);
		compare(d, v, json_object_get(wants, key));
		pop_to(&d->path, len);
	}
	json_object_foreach(wants, key, v)
	{
		if (json_object_get(has, key) != NULL)
			continue;
		push_key(&d->path, key);
		compare(d, NULL, v);
		pop_to(&d->path, len);
	}
}

json_t *
diff_documents(const char *had, const char *wants)
{
	struct diff d = { .list = json_array() };
	json_t *a = had == NULL ? json_object() : json_doc(had), *b = json_doc(wants);

	compare(&d, a, b);
	json_decref(a);
	json_decref(b);
	gbuf_clear(&d.path);
	return d.list;
}
