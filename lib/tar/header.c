#include "tar/header.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MAX_TIME (1ll << 40)

struct field {
	size_t at, len;
};

static const struct field NAME = {0, 100}, MODE = {100, 8}, UID = {108, 8}, GID = {116, 8},
						  SIZE = {124, 12}, MTIME = {136, 12}, CHECKSUM = {148, 8},
						  LINKNAME = {157, 100}, MAGIC = {257, 6}, MAJOR = {329, 8},
						  MINOR = {337, 8}, PREFIX = {345, 155};
#define TYPE_AT 156

void tar_overrides_release(struct tar_overrides *o)
{
	buf_release(&o->path);
	buf_release(&o->target);
	*o = (struct tar_overrides){0};
}

bool tar_block_is_zero(const unsigned char block[TAR_BLOCK])
{
	return block[0] == 0 && memcmp(block, block + 1, TAR_BLOCK - 1) == 0;
}

/* GNU: the high bit set, then a big-endian number in two's complement. */
static bool read_base256(const unsigned char *p, size_t len, int64_t *out)
{
	bool negative = (p[0] & 0x40) != 0;
	uint64_t v = negative ? ~0ull : 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = i ? p[i] : (unsigned char)((p[0] & 0x7f) | (negative ? 0x80 : 0));

		/* what is shifted out may only be sign */
		if ((v >> 55) != (negative ? 0x1ff : 0))
			return false;
		v = (v << 8) | byte;
	}
	memcpy(out, &v, sizeof(v));
	return (*out < 0) == negative;
}

static bool read_number(const unsigned char *block, struct field f, int64_t *out)
{
	const unsigned char *p = block + f.at, *end = p + f.len;
	int64_t v = 0;

	if (*p & 0x80)
		return read_base256(p, f.len, out);
	while (p < end && (*p == ' ' || *p == '\0'))
		p++;
	/* at most 12 digits of three bits: no overflow */
	for (; p < end && *p >= '0' && *p <= '7'; p++)
		v = v * 8 + (*p - '0');
	if (p < end && *p != ' ' && *p != '\0')
		return false;
	*out = v;
	return true;
}

static void read_text(const unsigned char *block, struct field f, char *out)
{
	size_t len = strnlen((const char *)block + f.at, f.len);

	memcpy(out, block + f.at, len);
	out[len] = '\0';
}

/* Old writers summed signed bytes. */
static bool is_checksum_right(const unsigned char *block)
{
	int64_t want, plain = 0, with_sign = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++) {
		bool inside = i >= CHECKSUM.at && i < CHECKSUM.at + CHECKSUM.len;
		unsigned char byte = inside ? ' ' : block[i];

		plain += byte;
		with_sign += (signed char)byte;
	}
	return read_number(block, CHECKSUM, &want) && (want == plain || want == with_sign);
}

static int64_t clamp_time(int64_t t)
{
	return t > MAX_TIME ? MAX_TIME : t < -MAX_TIME ? -MAX_TIME : t;
}

static bool read_id(const unsigned char *block, struct field f, uint32_t *out)
{
	int64_t v;

	if (!read_number(block, f, &v) || v < 0 || v >= UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool read_numbers(const unsigned char *block, struct tar_header *h)
{
	int64_t mode, size, mtime, major = 0, minor = 0;
	bool is_device = h->type == '3' || h->type == '4';

	if (!read_number(block, MODE, &mode) || !read_number(block, SIZE, &size) || size < 0 ||
		!read_number(block, MTIME, &mtime) || !read_id(block, UID, &h->uid) ||
		!read_id(block, GID, &h->gid))
		return false;
	if (is_device && (!read_number(block, MAJOR, &major) || !read_number(block, MINOR, &minor)))
		return false;
	h->mode = (mode_t)(mode & 07777);
	h->size = (uint64_t)size;
	h->mtime_s = clamp_time(mtime);
	h->dev_major = (unsigned)major;
	h->dev_minor = (unsigned)minor;
	return true;
}

int tar_header_parse(const unsigned char block[TAR_BLOCK], const char *name, struct tar_header *out,
					 struct error *err)
{
	struct tar_header h = {.type = (char)block[TYPE_AT]};
	char prefix[156] = "", last[101];

	if (!is_checksum_right(block)) {
		err_set(err, ERR_INPUT, "%s: no tar header where one must be", name);
		return err_hint(err, "the layer is damaged or no tar archive");
	}
	if (!read_numbers(block, &h))
		return err_set(err, ERR_INPUT, "%s: a tar header with a number out of range", name);
	read_text(block, NAME, last);
	read_text(block, LINKNAME, h.target);
	/* GNU's old format has other things where ustar has the prefix */
	if (memcmp(block + MAGIC.at, "ustar", MAGIC.len) == 0)
		read_text(block, PREFIX, prefix);
	snprintf(h.path, sizeof(h.path), "%s%s%s", prefix, prefix[0] ? "/" : "", last);
	*out = h;
	return 0;
}

static bool record_number(struct span value, int64_t *out)
{
	char text[24];

	if (value.len == 0 || value.len >= sizeof(text))
		return false;
	memcpy(text, value.data, value.len);
	text[value.len] = '\0';
	return text_to_int(text, INT64_MIN, INT64_MAX, out);
}

/* Seconds with an optional fraction, which is dropped. */
static bool record_time(struct span value, int64_t *out)
{
	const char *dot = memchr(value.data, '.', value.len);
	int64_t t;

	if (dot) {
		for (const char *p = dot + 1; p < value.data + value.len; p++)
			if (!isdigit((unsigned char)*p))
				return false;
		value.len = (size_t)(dot - value.data);
	}
	if (!record_number(value, &t))
		return false;
	*out = clamp_time(t);
	return true;
}

static bool record_id(struct span value, uint32_t *out)
{
	int64_t v;

	if (!record_number(value, &v) || v < 0 || v >= UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool record_size(struct span value, uint64_t *out)
{
	int64_t v;

	if (!record_number(value, &v) || v < 0)
		return false;
	*out = (uint64_t)v;
	return true;
}

/* A name with NUL would be two different names for two readers. */
static bool record_text(struct span value, struct buf *out)
{
	if (value.len == 0 || value.len > TAR_MAX_PATH || memchr(value.data, '\0', value.len))
		return false;
	buf_cut(out, 0);
	buf_add(out, value.data, value.len);
	return true;
}

static bool record_capability(struct span value, struct tar_capability *out)
{
	if (value.len == 0 || value.len > sizeof(out->bytes))
		return false;
	memcpy(out->bytes, value.data, value.len);
	out->len = value.len;
	return true;
}

static bool take_record(struct span key, struct span value, struct tar_overrides *o)
{
	if (span_is(key, "path"))
		return o->has_path = record_text(value, &o->path);
	if (span_is(key, "linkpath"))
		return o->has_target = record_text(value, &o->target);
	if (span_is(key, "size"))
		return o->has_size = record_size(value, &o->size);
	if (span_is(key, "uid"))
		return o->has_uid = record_id(value, &o->uid);
	if (span_is(key, "gid"))
		return o->has_gid = record_id(value, &o->gid);
	if (span_is(key, "mtime"))
		return o->has_mtime = record_time(value, &o->mtime_s);
	if (span_is(key, "SCHILY.xattr.security.capability"))
		return record_capability(value, &o->capability);
	return !span_starts(key, "GNU.sparse.");
}

/* "LEN KEY=VALUE\n": cut one record off the front. */
static bool next_record(struct span *rest, struct span *key, struct span *value)
{
	size_t len = 0, i = 0;
	const char *eq;

	for (; i < rest->len && i < 8 && isdigit((unsigned char)rest->data[i]); i++)
		len = len * 10 + (size_t)(rest->data[i] - '0');
	if (i == 0 || len > rest->len || len < i + 4 || rest->data[i] != ' ' ||
		rest->data[len - 1] != '\n')
		return false;
	i++;
	eq = memchr(rest->data + i, '=', len - i);
	if (!eq || eq == rest->data + i)
		return false;
	*key = (struct span){rest->data + i, (size_t)(eq - rest->data) - i};
	*value = (struct span){eq + 1, (size_t)(rest->data + len - 1 - (eq + 1))};
	rest->data += len;
	rest->len -= len;
	return true;
}

int tar_pax_parse(struct span records, const char *name, struct tar_overrides *out,
				  struct error *err)
{
	while (records.len > 0) {
		struct span key, value;

		if (!next_record(&records, &key, &value))
			return err_set(err, ERR_INPUT, "%s: a malformed PAX header", name);
		if (!take_record(key, value, out))
			return err_set(err, ERR_INPUT, "%s: PAX record '%.*s' is not acceptable", name,
						   (int)(key.len < 64 ? key.len : 64), key.data);
	}
	return 0;
}
