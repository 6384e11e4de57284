/* auto.h - scope cleanup: a local is released when its scope ends, unless it was given away.
 *
 *	AUTO_FREE char *text = xstrdup("x");       freed
 *	AUTO(buf) struct buf out = {0};            buf_release(&out)
 *	AUTO_CLOSE int fd = open(...);             closed unless negative
 *	return TAKE(text);                         given to the caller
 *
 * AUTO(type) needs `void type_release(struct type *)`, which accepts a zeroed struct;
 * AUTO_PTR(type) needs `void type_free(struct type *)` and one DEFINE_AUTO_PTR(type). */
#pragma once

#include "base/compiler.h"

#include <stdlib.h>
#include <unistd.h>

#define AUTO_FREE __attribute__((cleanup(auto_free_)))
#define AUTO_CLOSE __attribute__((cleanup(auto_close_)))
#define AUTO(type) __attribute__((cleanup(type##_release)))
#define AUTO_PTR(type) __attribute__((cleanup(type##_auto_ptr_)))

#define DEFINE_AUTO_PTR(type)                                   \
	static inline UNUSED void type##_auto_ptr_(struct type **p) \
	{                                                           \
		if (*p)                                                 \
			type##_free(*p);                                    \
	}

/* Hand a pointer over and forget it. */
#define TAKE(p)                     \
	({                              \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

/* Hand a file descriptor over and forget it. */
#define TAKE_FD(fd)        \
	({                     \
		int taken_ = (fd); \
		(fd) = -1;         \
		taken_;            \
	})

/* Hand a struct over by value and zero the local. */
#define MOVE(s)                     \
	({                              \
		__typeof__(s) moved_ = (s); \
		memset(&(s), 0, sizeof(s)); \
		moved_;                     \
	})

static inline void auto_free_(void *p)
{
	free(*(void **)p);
}

static inline void auto_close_(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
