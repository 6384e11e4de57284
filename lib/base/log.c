#include "base/log.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdlib.h>

void log_line(const struct log *log, int level, const char *fmt, ...)
{
	AUTO_FREE char *line = NULL;
	va_list ap;

	if (!log || !log->write || log->level < level)
		return;
	va_start(ap, fmt);
	line = xvasprintf(fmt, ap);
	va_end(ap);
	utf8_sanitize(line);
	log->write(log->user, line);
}
