/* compiler.h - the few compiler attributes that the code base uses by name. */
#pragma once

#define PRINTF(fmt_index, first_arg) __attribute__((format(printf, fmt_index, first_arg)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define UNUSED __attribute__((unused))
#define NORETURN __attribute__((noreturn))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
