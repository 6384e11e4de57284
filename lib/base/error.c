#include "base/error.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void mark_cut(char *text, size_t size, int wanted)
{
	if (wanted >= (int)size)
		memcpy(text + size - 4, "...", 4);
}

static void store(char *text, size_t size, const char *fmt, va_list ap)
{
	mark_cut(text, size, vsnprintf(text, size, fmt, ap));
	utf8_sanitize(text);
}

void err_set_(struct error *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	err->code = code;
	err->hint[0] = '\0';
	va_start(ap, fmt);
	store(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
}

void err_errno_(struct error *err, const char *fmt, ...)
{
	int saved = errno;
	char what[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	store(what, sizeof(what), fmt, ap);
	va_end(ap);
	err->code = saved == ENOENT                     ? ERR_MISSING
				: saved == EACCES || saved == EPERM ? ERR_DENIED
													: ERR_SYS;
	err->hint[0] = '\0';
	mark_cut(err->msg, sizeof(err->msg),
			 snprintf(err->msg, sizeof(err->msg), "%s: %s", what, strerror(saved)));
	utf8_sanitize(err->msg); /* the cut may have split a character */
}

void err_wrap_(struct error *err, const char *fmt, ...)
{
	char old[ERR_MSG_MAX];
	char context[ERR_MSG_MAX];
	va_list ap;

	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	store(context, sizeof(context), fmt, ap);
	va_end(ap);
	mark_cut(err->msg, sizeof(err->msg),
			 snprintf(err->msg, sizeof(err->msg), "%s: %s", context, old));
	utf8_sanitize(err->msg);
}

void err_hint_(struct error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	store(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
}

static const struct {
	const char *name;
	int status;
} classes[] = {
	[ERR_NONE] = {"none", 0},
	[ERR_SYS] = {"system", 1},
	[ERR_USAGE] = {"usage", 2},
	[ERR_INPUT] = {"input", 3},
	[ERR_MISSING] = {"missing", 4},
	[ERR_DENIED] = {"denied", 5},
	[ERR_NET] = {"network", 6},
	[ERR_CONFLICT] = {"conflict", 7},
	[ERR_NOT_READY] = {"not-ready", 8},
	[ERR_DIFFERENT] = {"different", 9},
	[ERR_INTERRUPTED] = {"interrupted", 130},
};

int err_exit_status(enum err_code code)
{
	return classes[code].status;
}

const char *err_code_name(enum err_code code)
{
	return classes[code].name;
}
