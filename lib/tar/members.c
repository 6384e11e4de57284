#include "tar/members.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "tar/codec.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* What a thread needs to make members. Its spare buffer changes places with a member's own. */
struct maker {
	struct codec *codec;
	struct sha256 *hash;
	char *spare;
};

struct slot {
	char *data; /* input until the member is done, then the member; NULL: never used */
	size_t len;
	bool done;
};

/* Members are numbered; number n lives in slots[n % slot_count]. delivered <= taken <= submitted,
 * and submitted - delivered < slot_count, so that there is always a buffer to fill. */
struct members {
	struct layer_sink deliver;
	enum layer_codec which;
	const struct layer_cache *cache;
	size_t room; /* of each buffer */
	struct maker own;
	pthread_mutex_t lock;
	pthread_cond_t work; /* taken < submitted, or stop */
	pthread_cond_t done;
	pthread_t workers[MEMBERS_MAX_THREADS];
	unsigned worker_count, wanted_workers;
	struct slot *slots;
	size_t slot_count;
	size_t submitted, taken, delivered;
	bool stop;
};

static void maker_init(const struct members *m, struct maker *k)
{
	k->codec = codec_new(m->which);
	k->spare = xmalloc(m->room);
	k->hash = m->cache ? sha256_new() : NULL;
}

static void maker_release(struct maker *k)
{
	codec_free(k->codec);
	sha256_free(k->hash);
	free(k->spare);
}

static struct slot *slot_of(struct members *m, size_t number)
{
	return &m->slots[number % m->slot_count];
}

struct members *members_new(const struct members_options *options, const struct layer_sink *deliver)
{
	struct members *m = xcalloc(1, sizeof(*m));
	unsigned threads = options->threads ? options->threads : cpu_count();

	if (threads > MEMBERS_MAX_THREADS)
		threads = MEMBERS_MAX_THREADS;
	m->deliver = *deliver;
	m->which = options->codec;
	m->cache = options->cache;
	m->room = codec_room(m->which);
	m->wanted_workers = threads - 1;
	m->slot_count = MEMBERS_SLOTS(threads);
	m->slots = xcalloc(m->slot_count, sizeof(m->slots[0]));
	maker_init(m, &m->own);
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->work, NULL);
	pthread_cond_init(&m->done, NULL);
	return m;
}

void members_free(struct members *m)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	m->stop = true;
	pthread_cond_broadcast(&m->work);
	pthread_mutex_unlock(&m->lock);
	for (unsigned i = 0; i < m->worker_count; i++)
		pthread_join(m->workers[i], NULL);
	for (size_t i = 0; i < m->slot_count; i++)
		free(m->slots[i].data);
	pthread_cond_destroy(&m->work);
	pthread_cond_destroy(&m->done);
	pthread_mutex_destroy(&m->lock);
	maker_release(&m->own);
	free(m->slots);
	free(m);
}

/* Of everything that decides about the member's bytes. */
static void hash_input(const struct members *m, struct maker *k, const struct slot *s,
					   uint8_t key[SHA256_BYTES])
{
	static const char *const names[] = {[LAYER_GZIP] = "gzip", [LAYER_ZSTD] = "zstd"};
	static const int levels[] = {[LAYER_GZIP] = LAYER_GZIP_LEVEL, [LAYER_ZSTD] = LAYER_ZSTD_LEVEL};
	char form[64] = "";

	snprintf(form, sizeof(form), "member %d %s %d", LAYER_COMPAT, names[m->which],
			 levels[m->which]);
	sha256_add(k->hash, form, sizeof(form));
	sha256_add(k->hash, s->data, s->len);
	sha256_end(k->hash, key);
}

static size_t make_cached(const struct members *m, struct maker *k, const struct slot *s)
{
	const struct layer_cache *c = m->cache;
	uint8_t key[SHA256_BYTES];
	size_t len;

	hash_input(m, k, s, key);
	len = c->find(c->user, key, k->spare, m->room);
	if (len > 0)
		return len;
	len = codec_compress(k->codec, s->data, s->len, k->spare);
	c->keep(c->user, key, k->spare, len);
	return len;
}

static void make(const struct members *m, struct maker *k, struct slot *s)
{
	char *input = s->data;

	if (m->cache && s->len >= LAYER_CACHE_MIN_BYTES)
		s->len = make_cached(m, k, s);
	else
		s->len = codec_compress(k->codec, s->data, s->len, k->spare);
	s->data = k->spare;
	k->spare = input;
}

/* The lock is held on entry and on return, not meanwhile. */
static void make_next(struct members *m, struct maker *k)
{
	struct slot *s = slot_of(m, m->taken++);

	pthread_mutex_unlock(&m->lock);
	make(m, k, s);
	pthread_mutex_lock(&m->lock);
	s->done = true;
	pthread_cond_signal(&m->done);
}

static void *worker(void *arg)
{
	struct members *m = arg;
	struct maker k;

	maker_init(m, &k);
	pthread_mutex_lock(&m->lock);
	while (!m->stop) {
		if (m->taken < m->submitted)
			make_next(m, &k);
		else
			pthread_cond_wait(&m->work, &m->lock);
	}
	pthread_mutex_unlock(&m->lock);
	maker_release(&k);
	return NULL;
}

/* A thread that cannot be had only costs time. Signals stay with the caller's thread. */
static void start_workers(struct members *m)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (m->worker_count < m->wanted_workers &&
		   pthread_create(&m->workers[m->worker_count], NULL, worker, m) == 0)
		m->worker_count++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	m->wanted_workers = m->worker_count;
}

char *members_buffer(struct members *m)
{
	struct slot *s = slot_of(m, m->submitted);

	if (!s->data)
		s->data = xmalloc(m->room);
	return s->data;
}

static int deliver_next(struct members *m, struct error *err)
{
	struct slot *s = slot_of(m, m->delivered);

	pthread_mutex_lock(&m->lock);
	while (!s->done) {
		if (m->taken < m->submitted)
			make_next(m, &m->own);
		else
			pthread_cond_wait(&m->done, &m->lock);
	}
	s->done = false;
	pthread_mutex_unlock(&m->lock);
	m->delivered++;
	return m->deliver.write(m->deliver.user, s->data, s->len, err);
}

int members_submit(struct members *m, size_t len, struct error *err)
{
	slot_of(m, m->submitted)->len = len;
	pthread_mutex_lock(&m->lock);
	m->submitted++;
	pthread_cond_signal(&m->work);
	pthread_mutex_unlock(&m->lock);
	if (m->submitted == 2)
		start_workers(m);
	if (m->submitted - m->delivered == m->slot_count)
		return deliver_next(m, err);
	return 0;
}

int members_finish(struct members *m, struct error *err)
{
	while (m->delivered < m->submitted)
		if (deliver_next(m, err) < 0)
			return -1;
	return 0;
}
