#include "lib/base/util.h"

#include <stdint.h>
#include <stdlib.h>

void *
grow_more(void *arr, size_t *cap, size_t elem_size)
{
	size_t want = *cap == 0 ? 8 : *cap * 2;
	if (want <= *cap || want > SIZE_MAX / elem_size)
		return NULL;
	void *p = realloc(arr, want * elem_size);
	if (p != NULL)
		*cap = want;
	return p;
}
