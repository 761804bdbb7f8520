#include "bsserver/transport/interpose.h"

#include <dlfcn.h>
#include <string.h>

void
interpose_resolve(void *to, const char *name)
{
	void *sym = dlsym(RTLD_NEXT, name);

	memcpy(to, &sym, sizeof sym); /* POSIX: a function's address fits a void * */
}

bool
interpose_is_first(const char *name, const void *ours)
{
	return dlsym(RTLD_DEFAULT, name) == ours;
}
