/*
 * What the store kept of registrations and jobs: what is accepted is the same when it is written and
 * read again. The input: one octet says which, then the text; of a job's device the first line is the head.
 */
#include <stdlib.h>
#include <string.h>

#include "bsserver/registry/job.h"
#include "bsserver/registry/regs.h"
#include "lib/base/str.h"
#include "tests/fuzz/fuzz.h"

static void
registration(char *text)
{
	struct regs *t = NULL;
	struct regs_kept k;
	struct gbuf out = { 0 }, again = { 0 };
	struct err e;

	if (regs_read("d", text, &k, &e) != ERR_OK)
		return;
	FUZZ_MUST(regs_new(1, 1, &t, &e) == ERR_OK, "no table");
	if (regs_restore(t, &k, 1000, 1000, &e) == ERR_OK) {
		regs_write(regs_find(t, "d"), &out);
		char *second = str_dup_n(gbuf_cstr(&out), out.len);
		FUZZ_MUST(regs_read("d", second, &k, &e) == ERR_OK, "not read again: %s", e.msg);
		regs_remove(t, regs_find(t, "d"));
		FUZZ_MUST(regs_restore(t, &k, 1000, 1000, &e) == ERR_OK, "not taken again: %s", e.msg);
		regs_write(regs_find(t, "d"), &again);
		FUZZ_MUST(strcmp(gbuf_cstr(&out), gbuf_cstr(&again)) == 0, "became another");
		free(second);
	}
	regs_free(t);
	gbuf_clear(&out);
	gbuf_clear(&again);
}

static void
head(const char *text)
{
	struct job *j = NULL, *k = NULL;
	struct gbuf out = { 0 };
	struct err e;

	if (job_read_head(1, text, 1, &j, &e) != ERR_OK)
		return;
	job_write_head(j, &out);
	FUZZ_MUST(job_read_head(1, gbuf_cstr(&out), 1, &k, &e) == ERR_OK, "not read again: %s", e.msg);
	job_free(j);
	job_free(k);
	gbuf_clear(&out);
}

static void
row(const char *text)
{
	struct job *j = NULL;
	struct gbuf out = { 0 };
	struct err e;

	FUZZ_MUST(job_read_head(1, "1 1 0 0 1000 -1 -1 0 0 0 0\n\n\n\n", 1, &j, &e) == ERR_OK, "no head");
	if (job_read_row(j, 0, text, &e) == ERR_OK) {
		job_write_row(&j->rows[0], &out);
		FUZZ_MUST(job_restored(j, &e) == ERR_OK, "not restored");
		FUZZ_MUST(strchr(gbuf_cstr(&out), '\n') != NULL, "no line");
	}
	job_free(j);
	gbuf_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || memchr(data, 0, size) != NULL)
		return 0;
	char *text = str_dup_n((const char *)data + 1, size - 1);
	if (data[0] == 'r')
		registration(text);
	else if (data[0] == 'h')
		head(text);
	else
		row(text);
	free(text);
	return 0;
}
