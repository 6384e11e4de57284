#include "doc/json.h"

#include "base/compiler.h"

#include <string.h>

/* jansson itself would go 2048 levels down, recursively. Text in which this finds too much is
 * either too deep or no JSON; both are refused. */
static size_t deepest(struct span text)
{
	size_t depth = 0;
	size_t most = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (quoted && c == '\\') {
			i++;
		} else if (c == '"') {
			quoted = !quoted;
		} else if (!quoted && (c == '[' || c == '{')) {
			if (++depth > most)
				most = depth;
		} else if (!quoted && (c == ']' || c == '}') && depth) {
			depth--;
		}
	}
	return most;
}

/* What jansson quotes behind "near" may be a secret; "without" names flags of its own. */
static void cut_detail(char *text)
{
	static const char *const words[] = {" near ", " without "};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		char *word = strstr(text, words[i]);

		if (word)
			*word = '\0';
	}
}

int doc_json_parse(struct span text, const char *name, json_t **out, struct error *err)
{
	json_error_t why;
	json_t *doc;

	if (deepest(text) > JSON_MAX_DEPTH)
		return err_set(err, ERR_INPUT, "%s: nested deeper than %d levels", name, JSON_MAX_DEPTH);
	doc = json_loadb(text.len ? text.data : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
					 &why);
	if (!doc) {
		cut_detail(why.text);
		return err_set(err, ERR_INPUT, "%s:%d:%d: not valid JSON: %s", name,
					   why.line > 0 ? why.line : 1, why.column > 0 ? why.column : 1, why.text);
	}
	*out = doc;
	return 0;
}

static int add_bytes(const char *data, size_t len, void *out)
{
	buf_add(out, data, len);
	return 0;
}

void doc_json_write(const json_t *doc, struct buf *out)
{
	json_dump_callback(doc, add_bytes, out, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
}

void doc_json_write_pretty(const json_t *doc, struct buf *out)
{
	json_dump_callback(doc, add_bytes, out, JSON_INDENT(2) | JSON_ENCODE_ANY);
	buf_addc(out, '\n');
}

const char *doc_real_text(double value, char out[32])
{
	for (int precision = 1; precision <= 17; precision++) {
		snprintf(out, 32, "%.*g", precision, value);
		if (strtod(out, NULL) == value)
			break;
	}
	return out;
}

/* A number without sign, or SIZE_MAX. */
static size_t array_index(const char *part, size_t len)
{
	size_t index = 0;

	if (len == 0 || len > 9)
		return SIZE_MAX;
	for (size_t i = 0; i < len; i++) {
		if (part[i] < '0' || part[i] > '9')
			return SIZE_MAX;
		index = index * 10 + (size_t)(part[i] - '0');
	}
	return index;
}

static json_t *member(const json_t *parent, const char *part, size_t len)
{
	char key[256];

	if (json_is_array(parent))
		return json_array_get(parent, array_index(part, len));
	if (!json_is_object(parent) || len >= sizeof(key))
		return NULL;
	memcpy(key, part, len);
	key[len] = '\0';
	return json_object_get(parent, key);
}

json_t *doc_get(const json_t *doc, const char *path)
{
	json_t *found = NULL;

	while (doc) {
		size_t len = strcspn(path, ".");

		found = member(doc, path, len);
		if (!path[len])
			return found;
		doc = found;
		path += len + 1;
	}
	return NULL;
}

const char *doc_text(const json_t *doc, const char *path, const char *fallback)
{
	const json_t *value = doc_get(doc, path);

	return json_is_string(value) ? json_string_value(value) : fallback;
}

int64_t doc_int(const json_t *doc, const char *path, int64_t fallback)
{
	const json_t *value = doc_get(doc, path);

	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool doc_bool(const json_t *doc, const char *path, bool fallback)
{
	const json_t *value = doc_get(doc, path);

	return json_is_boolean(value) ? json_is_true(value) : fallback;
}
