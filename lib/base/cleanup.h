/*
 * Cleanup attributes: what a scope acquired is released on every way out of it. Rooms that own other kinds of
 * handles define their own macro beside the handle, with CLEANUP_PTR.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Defines cleanup_<name>() for a pointer type whose destructor takes NULL. */
#define CLEANUP_PTR(name, type, destroy)                                                                               \
	static inline void cleanup_##name(type **p)                                                                    \
	{                                                                                                              \
		if (*p)                                                                                                \
			destroy(*p);                                                                                   \
	}
#define CLEANUP(name) __attribute__((cleanup(cleanup_##name)))

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static inline void cleanup_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* Hands ownership out of a scope that would release it. */
#define TAKE(p)                                                                                                        \
	({                                                                                                             \
		__typeof__(p) take_ = (p);                                                                             \
		(p) = NULL;                                                                                            \
		take_;                                                                                                 \
	})

#endif
