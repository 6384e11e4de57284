/* Checksums of this machine's libraries, remembered by what stat says of each file, so that a build
 * in which only the program changed does not read them again. A file that changed a moment ago is
 * not remembered: within one tick of the clock it may change again and look the same. */
#include "build/private.h"

#include "base/fs.h"
#include "base/mem.h"
#include "crypto/sha1.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES (8u << 20) /* of the memory; then it starts anew */
#define QUIET_SECONDS 3

static char *make_key(const struct tree_node *n)
{
	const struct stat *st = &n->seen;

	return xasprintf("%llx %llx %llx %lld.%09ld %lld.%09ld %s", (unsigned long long)st->st_dev,
					 (unsigned long long)st->st_ino, (unsigned long long)st->st_size,
					 (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
					 (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec, n->file);
}

void build_sums_release(struct build_sums *s)
{
	for (size_t i = 0; i < s->known.count; i++)
		free(s->known.entries[i].value);
	map_release(&s->known);
	free(s->file);
}

static bool is_hex(const char *text, size_t len)
{
	return strspn(text, "0123456789abcdef") == len;
}

/* "SHA1 SHA256 KEY" */
static void take_line(struct build_sums *s, char *line)
{
	char *sha256 = line + SHA1_HEX_LEN + 1;
	char *key = sha256 + SHA256_HEX_LEN + 1;
	struct build_sum sum = {0};

	if (strlen(line) <= SHA1_HEX_LEN + SHA256_HEX_LEN + 2 || !is_hex(line, SHA1_HEX_LEN) ||
		!is_hex(sha256, SHA256_HEX_LEN) || key[-1] != ' ' || map_has(&s->known, key))
		return;
	memcpy(sum.sha1, line, SHA1_HEX_LEN);
	memcpy(sum.sha256, sha256, SHA256_HEX_LEN);
	map_put(&s->known, key, memcpy(xmalloc(sizeof(sum)), &sum, sizeof(sum)));
}

void build_sums_load(const struct build *b, struct build_sums *s)
{
	AUTO(buf) struct buf text = {0};
	struct error ignored = {0};
	char *rest = NULL;

	s->now = b->request->clock->wall_s(b->request->clock->user);
	if (!b->request->cache)
		return;
	s->file = fs_join(b->request->cache, "sums");
	if (!fs_exists(s->file) || fs_read(s->file, MAX_BYTES, &text, &ignored) < 0 || text.len == 0)
		return;
	for (char *line = strtok_r(text.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		take_line(s, line);
}

/* A memory that cannot be written makes builds slower and nothing else. */
void build_sums_save(const struct build_sums *s)
{
	AUTO(buf) struct buf text = {0};
	AUTO_FREE char *dir = s->file ? fs_dirname(s->file) : NULL;
	struct error ignored = {0};

	if (!s->file || !s->is_new)
		return;
	for (size_t i = s->known.count; i > 0 && text.len < MAX_BYTES / 2; i--) {
		const struct build_sum *sum = s->known.entries[i - 1].value;

		buf_addf(&text, "%s %s %s\n", sum->sha1, sum->sha256, s->known.entries[i - 1].key);
	}
	if (fs_mkdirs(dir, 0755, &ignored) == 0)
		fs_write_atomic(s->file, buf_str(&text), text.len, 0644, &ignored);
}

static int hash_file(const struct build *b, const struct tree_node *n, struct build_sum *out,
					 struct error *err)
{
	AUTO_CLOSE int fd = open(n->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	AUTO_PTR(sha256) struct sha256 *strong = sha256_new();
	AUTO_PTR(sha1) struct sha1 *weak = sha1_new();
	AUTO_FREE char *block = xmalloc(1u << 17);
	uint8_t sum[SHA256_BYTES];
	ssize_t got;

	if (fd < 0)
		return err_errno(err, "cannot open %s", n->file);
	while ((got = read(fd, block, 1u << 17)) != 0) {
		if (got < 0 && errno != EINTR)
			return err_errno(err, "cannot read %s", n->file);
		if (got > 0) {
			sha256_add(strong, block, (size_t)got);
			sha1_add(weak, block, (size_t)got);
		}
		if (cancel_check(b->request->cancel, err) < 0)
			return -1;
	}
	sha256_end(strong, sum);
	sha256_hex(sum, out->sha256);
	sha1_end_hex(weak, out->sha1);
	return build_check_unchanged(fd, n, err);
}

static void hash_data(const struct tree_node *n, struct build_sum *out)
{
	AUTO_PTR(sha1) struct sha1 *weak = sha1_new();
	uint8_t sum[SHA256_BYTES];

	sha256_of(n->data, n->size, sum);
	sha256_hex(sum, out->sha256);
	sha1_add(weak, n->data, n->size);
	sha1_end_hex(weak, out->sha1);
}

int build_sums_get(const struct build *b, struct build_sums *s, const struct tree_node *n,
				   struct build_sum *out, struct error *err)
{
	AUTO_FREE char *key = n->file ? make_key(n) : NULL;
	const struct build_sum *known = key ? map_get(&s->known, key) : NULL;

	if (!key) {
		hash_data(n, out);
		return 0;
	}
	if (known) {
		*out = *known;
		return 0;
	}
	if (hash_file(b, n, out, err) < 0)
		return -1;
	/* the project's own files change all the time: no use to remember them */
	if (n->layer <= TREE_LIBRARIES_LAST && n->seen.st_ctim.tv_sec + QUIET_SECONDS < s->now &&
		!strchr(key, '\n')) {
		map_put(&s->known, key, memcpy(xmalloc(sizeof(*out)), out, sizeof(*out)));
		s->is_new = true;
	}
	return 0;
}
