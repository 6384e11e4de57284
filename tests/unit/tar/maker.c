#include "maker.h"

#include <stdio.h>
#include <string.h>

void make_checksum(struct buf *tar, size_t offset)
{
	unsigned char *h = (unsigned char *)tar->data + offset;
	unsigned sum = 0;

	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + 148, 7, "%06o", sum);
}

static void pad(struct buf *tar)
{
	while (tar->len % 512)
		buf_addc(tar, '\0');
}

static void make_raw(struct buf *tar, const struct made *m, const char *content, size_t len)
{
	char h[513] = "", size[24];
	char type = m->type ? m->type : '0';
	size_t at = tar->len;

	memcpy(h, m->path, strnlen(m->path, 100));
	snprintf(h + 100, 8, "%07o", (m->mode ? m->mode : type == '5' ? 0755u : 0644u) & 07777);
	snprintf(h + 108, 8, "%07o", 0u);
	snprintf(h + 116, 8, "%07o", 0u);
	snprintf(size, sizeof(size), "%011zo", len);
	memcpy(h + 124, m->size ? m->size : size, 11);
	snprintf(h + 136, 12, "%011o", 1000u);
	h[156] = type;
	if (m->target)
		memcpy(h + 157, m->target, strnlen(m->target, 100));
	memcpy(h + 257, "ustar\00000", 8);
	if (m->major)
		snprintf(h + 329, 8, "%s", m->major);
	if (m->minor)
		snprintf(h + 337, 8, "%s", m->minor);
	buf_add(tar, h, 512);
	make_checksum(tar, at);
	buf_add(tar, content, len);
	pad(tar);
}

void make_entry(struct buf *tar, const struct made *m)
{
	make_raw(tar, m, m->content ? m->content : "", m->content ? strlen(m->content) : 0);
}

void make_pax(struct buf *tar, const char *key, const char *value, size_t len)
{
	struct buf record = {0};
	size_t total = strlen(key) + len + 3;

	total += total + 1 > 9 ? (total + 2 > 99 ? (total + 3 > 999 ? 4 : 3) : 2) : 1;
	buf_addf(&record, "%zu %s=", total, key);
	buf_add(&record, value, len);
	buf_addc(&record, '\n');
	make_raw(tar, &(struct made){.path = "PaxHeaders.0/x", .type = 'x'}, record.data, record.len);
	buf_release(&record);
}

void make_end(struct buf *tar)
{
	for (int i = 0; i < 1024; i++)
		buf_addc(tar, '\0');
}

static ssize_t give(void *user, void *data, size_t len, struct error *err)
{
	struct made_source *s = user;
	size_t n = s->from->len - s->at;

	(void)err;
	if (n > len)
		n = len;
	if (s->step && n > s->step)
		n = s->step;
	if (n > 0)
		memcpy(data, s->from->data + s->at, n);
	s->at += n;
	return (ssize_t)n;
}

struct tar_source made_source(struct made_source *s)
{
	s->at = 0;
	return (struct tar_source){give, s};
}
