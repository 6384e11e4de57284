#include "tar/ustar.h"

#include "base/auto.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define MAX_OCTAL_7 07777777ull      /* uid, gid */
#define MAX_OCTAL_11 077777777777ull /* size, mtime */

struct ustar {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char linkname[100];
	char magic[6];
	char version[2];
	char uname[32];
	char gname[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char rest[12];
};

_Static_assert(sizeof(struct ustar) == USTAR_BLOCK, "a header is one block");

/* width includes the NUL that ends the field */
static void put_octal(char *field, size_t width, uint64_t value)
{
	field[--width] = '\0';
	while (width > 0) {
		field[--width] = (char)('0' + (value & 7));
		value >>= 3;
	}
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text > 0x7e)
			return false;
	return true;
}

/* What a reader sees that knows no extended headers. */
static void put_stand_in(char *field, size_t width, const char *text)
{
	size_t len = strlen(text);

	if (len > width)
		len = width;
	for (size_t i = 0; i < len; i++)
		field[i] = (unsigned char)text[i] > 0x7e ? '?' : text[i];
}

/* Split at the first slash that leaves at most 100 bytes for the name. False: it does not fit. */
static bool put_path(struct ustar *h, const char *path)
{
	size_t len = strlen(path);
	const char *slash;

	if (!is_ascii(path))
		return false;
	if (len <= sizeof(h->name)) {
		memcpy(h->name, path, len);
		return true;
	}
	slash = strchr(path + len - sizeof(h->name) - 1, '/');
	if (!slash || slash == path || slash[1] == '\0' || (size_t)(slash - path) > sizeof(h->prefix))
		return false;
	memcpy(h->prefix, path, (size_t)(slash - path));
	memcpy(h->name, slash + 1, len - (size_t)(slash - path) - 1);
	return true;
}

static void add_block(struct ustar *h, struct buf *out)
{
	const unsigned char *bytes = (const unsigned char *)h;
	unsigned sum = 0;

	memcpy(h->magic, "ustar", sizeof(h->magic));
	memcpy(h->version, "00", sizeof(h->version));
	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += bytes[i];
	put_octal(h->checksum, sizeof(h->checksum) - 1, sum);
	buf_add(out, h, sizeof(*h));
}

static void pad(struct buf *out)
{
	static const char zeros[USTAR_BLOCK];

	buf_add(out, zeros, (USTAR_BLOCK - out->len % USTAR_BLOCK) % USTAR_BLOCK);
}

/* "LEN KEY=VALUE\n", where LEN counts itself */
static void add_bytes(struct buf *records, const char *key, const void *value, size_t value_len)
{
	size_t rest = strlen(key) + value_len + 3;
	size_t len = rest + 1;

	for (;;) {
		size_t digits = (size_t)snprintf(NULL, 0, "%zu", len);

		if (rest + digits == len)
			break;
		len = rest + digits;
	}
	buf_addf(records, "%zu %s=", len, key);
	buf_add(records, value, value_len);
	buf_addc(records, '\n');
}

static void add_record(struct buf *records, const char *key, const char *value)
{
	add_bytes(records, key, value, strlen(value));
}

static void add_number(struct buf *records, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	add_record(records, key, text);
}

static void add_xattrs(struct buf *records, const struct layer_entry *entry)
{
	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct layer_xattr *x = &entry->xattrs[i];
		AUTO_FREE char *key = xasprintf("SCHILY.xattr.%s", x->name);

		add_bytes(records, key, x->value, x->len);
	}
}

static void add_extended(const struct buf *records, struct buf *out)
{
	struct ustar h = {.name = "PaxHeaders.0/entry", .type = 'x'};

	put_octal(h.mode, sizeof(h.mode), 0644);
	put_octal(h.uid, sizeof(h.uid), 0);
	put_octal(h.gid, sizeof(h.gid), 0);
	put_octal(h.size, sizeof(h.size), records->len);
	put_octal(h.mtime, sizeof(h.mtime), 0);
	add_block(&h, out);
	buf_add(out, records->data, records->len);
	pad(out);
}

static void put_id(char field[8], const char *key, uint32_t id, struct buf *records)
{
	put_octal(field, 8, id > MAX_OCTAL_7 ? 0 : id);
	if (id > MAX_OCTAL_7)
		add_number(records, key, id);
}

void ustar_header(const struct layer_entry *entry, struct buf *out)
{
	static const char types[] = {
		[LAYER_FILE] = '0', [LAYER_DIR] = '5', [LAYER_SYMLINK] = '2', [LAYER_HARDLINK] = '1'};
	char path[LAYER_MAX_PATH + 2];
	const char *target = entry->target ? entry->target : "";
	struct ustar h = {.type = types[entry->type]};
	struct buf records = {0};
	bool late = entry->mtime_s < 0 || (uint64_t)entry->mtime_s > MAX_OCTAL_11;

	snprintf(path, sizeof(path), "%s%s", entry->path, entry->type == LAYER_DIR ? "/" : "");
	put_octal(h.mode, sizeof(h.mode), entry->mode & 07777);
	/* records in the order of their keys: SCHILY.*, gid, linkpath, mtime, path, size, uid */
	add_xattrs(&records, entry);
	put_id(h.gid, "gid", entry->gid, &records);
	if (strlen(target) <= sizeof(h.linkname) && is_ascii(target)) {
		memcpy(h.linkname, target, strlen(target));
	} else {
		put_stand_in(h.linkname, sizeof(h.linkname), target);
		add_record(&records, "linkpath", target);
	}
	put_octal(h.mtime, sizeof(h.mtime), late ? 0 : (uint64_t)entry->mtime_s);
	if (late)
		add_number(&records, "mtime", entry->mtime_s);
	if (!put_path(&h, path)) {
		put_stand_in(h.name, sizeof(h.name), path);
		add_record(&records, "path", path);
	}
	put_octal(h.size, sizeof(h.size), entry->size > MAX_OCTAL_11 ? 0 : entry->size);
	if (entry->size > MAX_OCTAL_11)
		add_number(&records, "size", (int64_t)entry->size);
	put_id(h.uid, "uid", entry->uid, &records);
	put_octal(h.major, sizeof(h.major), 0);
	put_octal(h.minor, sizeof(h.minor), 0);
	if (records.len > 0)
		add_extended(&records, out);
	buf_release(&records);
	add_block(&h, out);
}
