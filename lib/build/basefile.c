#include "build/basefile.h"

#include "base/fs.h"
#include "base/mem.h"
#include "build/keep.h"
#include "build/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define MAX_BYTES (64u << 20)

/* The record has the content's digest, which is the content's name. Caller frees. */
static char *record_of(const struct build *b, const char *path)
{
	AUTO_PTR(sha256) struct sha256 *h = sha256_new();
	uint8_t sum[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];

	for (size_t i = 0; i < b->base.layer_count; i++)
		sha256_add(h, b->base.layers[i].digest, OCI_DIGEST_LEN);
	sha256_add(h, path, strlen(path));
	sha256_end(h, sum);
	return xasprintf("%s/bases/%s", b->stamp->memory->cache, sha256_hex(sum, hex));
}

static char *content_of(const struct build *b, const uint8_t sum[SHA256_BYTES])
{
	char hex[SHA256_HEX_LEN + 1];

	return xasprintf("%s/bases/content-%s", b->stamp->memory->cache, sha256_hex(sum, hex));
}

int build_base_file_open(const struct build *b, const char *path)
{
	const struct build_memory *m = b->stamp->memory;
	AUTO_FREE char *record = m->cache ? record_of(b, path) : NULL;
	AUTO_FREE char *file = NULL;
	AUTO(buf) struct buf want = {0};
	struct statindex_sum sum;
	struct error ignored = {0};
	struct stat st;

	if (!record || m->is_forgetful || !keep_load(record, &want) || want.len != SHA256_BYTES)
		return -1;
	file = content_of(b, (const uint8_t *)want.data);
	if (stat(file, &st) < 0 || statindex_get(m->sums, file, &st, NULL, &sum, &ignored) < 0 ||
		memcmp(sum.sha256, want.data, want.len) != 0)
		return -1;
	keep_touch(record);
	keep_touch(file);
	return open(file, O_RDONLY | O_CLOEXEC);
}

void build_base_file_keep(const struct build *b, const char *path, int fd)
{
	AUTO_FREE char *record = b->stamp->memory->cache ? record_of(b, path) : NULL;
	AUTO_FREE char *file = NULL;
	AUTO(buf) struct buf bytes = {0};
	struct error ignored = {0};
	uint8_t sum[SHA256_BYTES];
	struct stat st;

	if (!record || fstat(fd, &st) < 0 || st.st_size > MAX_BYTES)
		return;
	while (bytes.len < (size_t)st.st_size) {
		size_t left = (size_t)st.st_size - bytes.len;
		ssize_t n = pread(fd, buf_grow(&bytes, left), left, (off_t)bytes.len);

		if (n <= 0)
			return;
		bytes.len += (size_t)n;
	}
	sha256_of(bytes.data, bytes.len, sum);
	file = content_of(b, sum);
	if (keep_file(file, bytes.data, bytes.len, &ignored) == 0)
		keep_save(record, sum, sizeof(sum), &ignored);
}
