#include "elf/reader.h"

#include "base/auto.h"
#include "base/mem.h"
#include "doc/json.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define DLOPEN_OWNER "FDO"
#define DLOPEN_TYPE 0x407c0c0a

struct note {
	uint64_t type;
	const unsigned char *owner;
	size_t owner_len; /* the NUL is counted */
	const unsigned char *data;
	size_t len;
};

static bool is_of(const struct note *n, const char *owner, uint64_t type)
{
	size_t len = strlen(owner) + 1;

	return n->type == type && n->owner_len == len && memcmp(n->owner, owner, len) == 0;
}

void elf_dlopen_release(struct elf_dlopen *d)
{
	strv_release(&d->sonames);
	free(d->feature);
	free(d->description);
	*d = (struct elf_dlopen){0};
}

static bool take_priority(const json_t *item, struct elf_dlopen *d)
{
	static const char *const names[] = {
		[ELF_REQUIRED] = "required",
		[ELF_RECOMMENDED] = "recommended",
		[ELF_SUGGESTED] = "suggested",
	};
	const char *text = doc_text(item, "priority", names[ELF_RECOMMENDED]);

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			d->priority = (enum elf_priority)i;
			return true;
		}
	}
	return false;
}

static bool take_sonames(const json_t *item, struct elf_dlopen *d)
{
	const json_t *list = json_object_get(item, "soname");

	if (json_array_size(list) > ELF_MAX_SONAMES)
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (!name || !name[0])
			return false;
		strv_add(&d->sonames, name);
	}
	return d->sonames.count > 0;
}

/* False: it does not follow the specification. */
static bool add_dlopen(struct elf_file *f, const json_t *item)
{
	AUTO(elf_dlopen) struct elf_dlopen d = {0};

	if (f->dlopen_count >= ELF_MAX_DLOPENS || !take_sonames(item, &d) || !take_priority(item, &d))
		return false;
	d.feature = xstrdup_opt(doc_text(item, "feature", NULL));
	d.description = xstrdup_opt(doc_text(item, "description", NULL));
	f->dlopens = xrealloc(f->dlopens, f->dlopen_count + 1, sizeof(*f->dlopens));
	f->dlopens[f->dlopen_count++] = MOVE(d);
	return true;
}

static void take_dlopens(struct elf_file *f, const struct note *n)
{
	struct span text = {(const char *)n->data, strnlen((const char *)n->data, n->len)};
	AUTO_JSON json_t *doc = NULL;
	struct error ignored = {0};

	if (doc_json_parse(text, ".note.dlopen", &doc, &ignored) < 0 || !json_is_array(doc)) {
		f->has_bad_note = true;
		return;
	}
	for (size_t i = 0; i < json_array_size(doc); i++)
		if (!add_dlopen(f, json_array_get(doc, i)))
			f->has_bad_note = true;
}

static void take_note(struct elf_file *f, const struct note *n)
{
	if (is_of(n, "GNU", NT_GNU_BUILD_ID) && n->len <= ELF_MAX_BUILD_ID) {
		memcpy(f->build_id, n->data, n->len);
		f->build_id_len = n->len;
	} else if (is_of(n, DLOPEN_OWNER, DLOPEN_TYPE)) {
		take_dlopens(f, n);
	}
}

static size_t padded(size_t len, size_t align)
{
	return (len + align - 1) & ~(align - 1);
}

/* Notes help, programs start without them: what cannot be read of them is left out. */
int elf_read_notes(const struct elf_reader *r, const struct elf_segment *s, struct error *err)
{
	AUTO_FREE unsigned char *data = NULL;
	size_t size = (size_t)s->file_size, at = 0, align = s->align == 8 ? 8 : 4;

	data = xmalloc(size);
	if (elf_read_at(r, s->offset, data, size, err) < 0)
		return -1;
	while (size - at >= 12) {
		struct note n = {
			.type = elf_get(r, data + at + 8, 4),
			.owner = data + at + 12,
			.owner_len = (size_t)elf_get(r, data + at, 4),
			.len = (size_t)elf_get(r, data + at + 4, 4),
		};
		size_t start, end;

		if (n.owner_len > size - at - 12)
			return 0;
		start = at + padded(12 + n.owner_len, align);
		if (start > size || n.len > size - start)
			return 0;
		n.data = data + start;
		take_note(r->f, &n);
		end = start + padded(n.len, align);
		at = end < size ? end : size;
	}
	return 0;
}
