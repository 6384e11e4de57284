#include "build/inputs.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_BYTES 80 /* of a value, in a reason */

struct input {
	char *name; /* with its kind */
	char *value;
	size_t len;
};

void inputs_release(struct inputs *i)
{
	buf_release(&i->bytes);
}

static void add_sized(struct buf *b, const void *data, size_t len)
{
	uint32_t n = (uint32_t)len;

	buf_add(b, &n, sizeof(n));
	buf_add(b, data, len);
}

void inputs_add(struct inputs *i, char kind, const char *name, const void *value, size_t len)
{
	uint32_t n = (uint32_t)strlen(name) + 1;

	buf_add(&i->bytes, &n, sizeof(n));
	buf_addc(&i->bytes, kind);
	buf_adds(&i->bytes, name);
	add_sized(&i->bytes, value, len);
}

void inputs_text(struct inputs *i, char kind, const char *name, const char *value)
{
	inputs_add(i, kind, name, value ? value : "", value ? strlen(value) : 0);
}

/* What is in these is no secret. */
static bool is_open(const char *name)
{
	static const char *const names[] = {"CC",
										"CXX",
										"CPP",
										"AR",
										"LD",
										"CFLAGS",
										"CXXFLAGS",
										"CPPFLAGS",
										"LDFLAGS",
										"LDLIBS",

										"LC_ALL",
										"LANG",
										"TZ",
										"SOURCE_DATE_EPOCH",
										"DESTDIR",
										"PREFIX",
										"PKG_CONFIG_PATH",
										"PKG_CONFIG_LIBDIR"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

void inputs_env(struct inputs *i, const char *setting)
{
	size_t len = strcspn(setting, "=");
	AUTO_FREE char *name = xstrndup(setting, len);
	const char *value = setting + len + (setting[len] == '=');
	uint8_t sum[SHA256_BYTES];

	if (is_open(name)) {
		inputs_text(i, INPUT_ENV, name, value);
		return;
	}
	sha256_of(value, strlen(value), sum);
	inputs_add(i, INPUT_ENV, name, sum, sizeof(sum));
}

void inputs_key(const struct inputs *i, uint8_t key[SHA256_BYTES])
{
	sha256_of(i->bytes.data, i->bytes.len, key);
}

/* --- reasons --- */

static bool take_sized(struct span *rest, struct span *out)
{
	uint32_t n;

	if (rest->len < sizeof(n))
		return false;
	memcpy(&n, rest->data, sizeof(n));
	if (n > rest->len - sizeof(n))
		return false;
	*out = (struct span){rest->data + sizeof(n), n};
	*rest = (struct span){rest->data + sizeof(n) + n, rest->len - sizeof(n) - n};
	return true;
}

static bool take_input(struct span *rest, struct input *out)
{
	struct span name, value;

	if (!take_sized(rest, &name) || !take_sized(rest, &value) || name.len < 2)
		return false;
	out->name = xstrndup(name.data, name.len);
	out->value = xmalloc(value.len + 1);
	memcpy(out->value, value.data, value.len);
	out->value[value.len] = '\0';
	out->len = value.len;
	return true;
}

static void input_release(struct input *i)
{
	free(i->name);
	free(i->value);
	*i = (struct input){0};
}

static void say_was(struct buf *why, const char *name, const struct input *was,
					const struct input *is)
{
	buf_addf(why, "%s was '%.*s', is '%.*s'", name, SHOWN_BYTES, was->value, SHOWN_BYTES,
			 is->value);
}

/* Which word of a file's description is another? */
static void say_file(struct buf *why, const char *path, const struct input *was,
					 const struct input *is)
{
	static const char *const words[] = {"type", "mode", "owner", "time"};
	const char *a = was->value, *b = is->value;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t la = strcspn(a, " "), lb = strcspn(b, " ");

		if (la != lb || memcmp(a, b, la) != 0) {
			buf_addf(why, "%s has another %s", path, words[i]);
			return;
		}
		a += la + (a[la] == ' ');
		b += lb + (b[lb] == ' ');
	}
	buf_addf(why, "%s changed", path);
}

static void say_changed(struct buf *why, const struct input *was, const struct input *is)
{
	const char *name = is->name + 1;

	switch (is->name[0]) {
	case INPUT_SETTING:
		say_was(why, name, was, is);
		break;
	case INPUT_STEP:
		buf_addf(why, "step %s is another", name);
		break;
	case INPUT_ENV:
		if (is_open(name))
			say_was(why, name, was, is);
		else
			buf_addf(why, "variable %s has another value", name);
		break;
	case INPUT_FILE:
		say_file(why, name, was, is);
		break;
	default:
		buf_addf(why, "%s changed", name);
	}
}

static void say_alone(struct buf *why, const char *name, bool is_new)
{
	static const struct {
		char kind;
		const char *before, *is_new, *gone;
	} words[] = {
		{INPUT_STEP, "step ", "is new", "is gone"},
		{INPUT_ENV, "variable ", "is set now", "is not set any more"},
	};
	const char *before = "", *how = is_new ? "is new" : "is gone";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].kind == name[0]) {
			before = words[i].before;
			how = is_new ? words[i].is_new : words[i].gone;
		}
	buf_addf(why, "%s%s %s", before, name + 1, how);
}

/* name -> struct input *, of all. */
static void index_inputs(const struct buf *bytes, struct map *out)
{
	struct span rest = buf_span(bytes);
	struct input i;

	while (take_input(&rest, &i)) {
		struct input *kept;

		if (map_has(out, i.name)) {
			input_release(&i);
			continue;
		}
		kept = xmalloc(sizeof(*kept));
		*kept = i;
		map_put(out, i.name, kept);
	}
}

static void index_release(struct map *m)
{
	for (size_t i = 0; i < m->count; i++) {
		struct input *in = m->entries[i].value;

		if (in)
			input_release(in);
		free(in);
	}
	map_release(m);
}

char *inputs_reason(const struct buf *before, const struct buf *now)
{
	AUTO(buf) struct buf why = {0};
	struct map old = {0}, fresh = {0};
	size_t count = 0;

	index_inputs(before, &old);
	index_inputs(now, &fresh);
	for (size_t i = 0; i < fresh.count; i++) {
		const struct input *is = fresh.entries[i].value;
		const struct input *was = map_get(&old, is->name);

		if (was && was->len == is->len && memcmp(was->value, is->value, is->len) == 0)
			continue;
		if (count++ > 0)
			continue;
		if (was)
			say_changed(&why, was, is);
		else
			say_alone(&why, is->name, true);
	}
	for (size_t i = 0; i < old.count; i++)
		if (!map_has(&fresh, old.entries[i].key) && count++ == 0)
			say_alone(&why, old.entries[i].key, false);
	if (count > 1)
		buf_addf(&why, " (and %zu more)", count - 1);
	index_release(&old);
	index_release(&fresh);
	if (why.len == 0)
		buf_adds(&why, "it was made in another order");
	utf8_sanitize(why.data);
	return buf_take(&why);
}
