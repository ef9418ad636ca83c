/* Is it wiped before it is given back? Only where malloc is the C library's: a sanitizer keeps freed memory for itself. */
#ifndef COMES_BACK_H
#define COMES_BACK_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MALLOC_IS_WATCHED 1
#else
#define MALLOC_IS_WATCHED 0
#endif

/* Is the text anywhere in memory that was given back? Looked for in what malloc hands out next. */
static inline bool comes_back(const char *text, size_t size)
{
	bool found = false;

	for (int i = 0; i < 64; i++) {
		/* not initialized is the point; kept, so that every free piece has its turn */
		char *volatile next = malloc(size);

		found = found || (next && memmem(next, size, text, strlen(text)));
	}
	return found;
}

#endif
