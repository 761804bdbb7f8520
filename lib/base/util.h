/* lib/base/util.h: what the language lacks. */
#ifndef LIB_BASE_UTIL_H
#define LIB_BASE_UTIL_H

#include <stddef.h>
#include <stdlib.h>

#define N_ELEMS(a) (sizeof(a) / sizeof(*(a)))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* The structure that the member at p lies in. */
#define CONTAINER_OF(p, type, member) ((type *)(void *)((char *)(p) - offsetof(type, member)))

/* free(), of what is mostly NULL: not every allocator gives that away as fast as it could. */
static inline void
free_some(void *p)
{
	if (p != NULL)
		free(p);
}

void *grow_more(void *arr, size_t *cap, size_t elem_size); /* for grow() alone */

/*
 * Room for one more element in a growing array: returns arr, moved perhaps, with *cap raised when
 * n has reached it (starts at 8, doubles). NULL when memory is short: arr is then unchanged.
 */
static inline void *
grow(void *arr, size_t n, size_t *cap, size_t elem_size)
{
	return n < *cap ? arr : grow_more(arr, cap, elem_size);
}

#endif
