/* log.h - the debug trace behind -v. Libraries write to it; whether anything appears is the
 * caller's choice. Never hand it a secret. */
#pragma once

#include "base/compiler.h"

struct log {
	int level; /* 0 nothing, 1 what is done (-v), 2 every request (-vv) */
	void (*write)(void *user, const char *line);
	void *user;
};

/* One line, control characters replaced. NULL log: nothing. */
void log_line(const struct log *log, int level, const char *fmt, ...) PRINTF(3, 4);
