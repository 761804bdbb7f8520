/*
 * The main() of a fuzz target that is not linked with libFuzzer: runs it over every file of
 * tests/fuzz/seeds/NAME (or over the files and folders named), one line of TAP for each.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/buf.h"
#include "tests/fuzz/fuzz.h"

static int counted;

static bool
read_file(const char *path, struct gbuf *out)
{
	FILE *f = fopen(path, "rb");
	uint8_t part[4096];
	size_t n;

	if (f == NULL)
		return false;
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		gbuf_put(out, part, n);
	bool ok = !ferror(f) && !out->failed;
	(void)fclose(f);
	return ok;
}

/* Into a block of the very size, so that a sanitizer sees a read past the end. */
static bool
run_file(const char *path)
{
	struct gbuf content = { 0 };
	bool ok = read_file(path, &content);
	uint8_t *exact = ok ? malloc(content.len > 0 ? content.len : 1) : NULL;

	(void)printf("# %s\n", path); /* before: should it crash, the last one named is it */
	(void)fflush(stdout);
	if (exact != NULL) {
		if (content.len > 0)
			memcpy(exact, content.data, content.len);
		(void)LLVMFuzzerTestOneInput(exact, content.len);
	}
	(void)printf("%s %d - %s\n", exact != NULL ? "ok" : "not ok", ++counted, path);
	(void)fflush(stdout);
	free(exact);
	gbuf_clear(&content);
	return ok;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static bool
run_folder(const char *path)
{
	struct dirent **found;
	bool ok = true;
	int n = scandir(path, &found, visible, by_name);

	if (n <= 0) {
		(void)printf("not ok %d - %s: %s\n", ++counted, path,
		    n < 0 ? strerror(errno) : "no seeds");
		return false;
	}
	for (int i = 0; i < n; i++) {
		char file[1024];
		(void)snprintf(file, sizeof file, "%s/%s", path, found[i]->d_name);
		ok = run_file(file) && ok;
		free(found[i]);
	}
	free((void *)found);
	return ok;
}

static bool
run_path(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? run_file(path) : run_folder(path);
}

int
main(int argc, char **argv)
{
	const char *src = getenv("SRCDIR");
	const char *name = strrchr(argv[0], '/');
	bool ok = true;
	char seeds[1024];

	name = name == NULL ? argv[0] : name + 1;
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	(void)snprintf(seeds, sizeof seeds, "%s/tests/fuzz/seeds/%s", src == NULL ? "." : src,
	    name);
	if (argc == 1)
		ok = run_path(seeds);
	for (int i = 1; i < argc; i++)
		ok = run_path(argv[i]) && ok;
	(void)printf("1..%d\n# %d inputs\n", counted, counted);
	return !ok;
}
