#include "tar/gzip_members.h"

#include "base/mem.h"
#include "tar/layer.h"

#include <libdeflate.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#define MAX_THREADS 16

struct slot {
	char *in;
	char *out;
	size_t in_len;
	size_t out_len;
	bool done;
};

/* Members are numbered; number n lives in slots[n % slot_count]. delivered <= taken <= submitted,
 * and submitted - delivered < slot_count, so that there is always a buffer to fill. */
struct gzip_members {
	int (*deliver)(void *user, const void *data, size_t len, struct error *err);
	void *user;
	struct libdeflate_compressor *compressor; /* the caller's */
	pthread_mutex_t lock;
	pthread_cond_t work; /* taken < submitted, or stop */
	pthread_cond_t done;
	pthread_t workers[MAX_THREADS];
	unsigned worker_count, wanted_workers;
	struct slot *slots;
	size_t slot_count;
	size_t submitted, taken, delivered;
	bool stop;
};

static size_t out_room(void)
{
	return libdeflate_gzip_compress_bound(NULL, LAYER_MEMBER_BYTES);
}

static struct slot *slot_of(struct gzip_members *g, size_t number)
{
	struct slot *s = &g->slots[number % g->slot_count];

	if (!s->in) {
		s->in = xmalloc(LAYER_MEMBER_BYTES);
		s->out = xmalloc(out_room());
	}
	return s;
}

static unsigned core_count(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (unsigned)n;
}

struct gzip_members *gzip_members_new(unsigned threads,
									  int (*deliver)(void *user, const void *data, size_t len,
													 struct error *err),
									  void *user)
{
	struct gzip_members *g = xcalloc(1, sizeof(*g));

	if (threads == 0)
		threads = core_count();
	if (threads > MAX_THREADS)
		threads = MAX_THREADS;
	/* the compressor is then never NULL, like everything else that is allocated */
	libdeflate_set_memory_allocator(xmalloc, free);
	g->deliver = deliver;
	g->user = user;
	g->compressor = libdeflate_alloc_compressor(LAYER_GZIP_LEVEL);
	g->wanted_workers = threads - 1;
	g->slot_count = 2 * (size_t)threads;
	g->slots = xcalloc(g->slot_count, sizeof(g->slots[0]));
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->work, NULL);
	pthread_cond_init(&g->done, NULL);
	return g;
}

void gzip_members_free(struct gzip_members *g)
{
	if (!g)
		return;
	pthread_mutex_lock(&g->lock);
	g->stop = true;
	pthread_cond_broadcast(&g->work);
	pthread_mutex_unlock(&g->lock);
	for (unsigned i = 0; i < g->worker_count; i++)
		pthread_join(g->workers[i], NULL);
	for (size_t i = 0; i < g->slot_count; i++) {
		free(g->slots[i].in);
		free(g->slots[i].out);
	}
	pthread_cond_destroy(&g->work);
	pthread_cond_destroy(&g->done);
	pthread_mutex_destroy(&g->lock);
	libdeflate_free_compressor(g->compressor);
	free(g->slots);
	free(g);
}

/* The lock is held on entry and on return, not meanwhile. */
static void compress_next(struct gzip_members *g, struct libdeflate_compressor *compressor)
{
	struct slot *s = slot_of(g, g->taken++);

	pthread_mutex_unlock(&g->lock);
	s->out_len = libdeflate_gzip_compress(compressor, s->in, s->in_len, s->out, out_room());
	pthread_mutex_lock(&g->lock);
	s->done = true;
	pthread_cond_signal(&g->done);
}

static void *worker(void *arg)
{
	struct gzip_members *g = arg;
	struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(LAYER_GZIP_LEVEL);

	pthread_mutex_lock(&g->lock);
	while (!g->stop) {
		if (g->taken < g->submitted)
			compress_next(g, compressor);
		else
			pthread_cond_wait(&g->work, &g->lock);
	}
	pthread_mutex_unlock(&g->lock);
	libdeflate_free_compressor(compressor);
	return NULL;
}

/* A thread that cannot be had only costs time. Signals stay with the caller's thread. */
static void start_workers(struct gzip_members *g)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (g->worker_count < g->wanted_workers &&
		   pthread_create(&g->workers[g->worker_count], NULL, worker, g) == 0)
		g->worker_count++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	g->wanted_workers = g->worker_count;
}

char *gzip_members_buffer(struct gzip_members *g)
{
	return slot_of(g, g->submitted)->in;
}

static int deliver_next(struct gzip_members *g, struct error *err)
{
	struct slot *s = slot_of(g, g->delivered);

	pthread_mutex_lock(&g->lock);
	while (!s->done) {
		if (g->taken < g->submitted)
			compress_next(g, g->compressor);
		else
			pthread_cond_wait(&g->done, &g->lock);
	}
	s->done = false;
	pthread_mutex_unlock(&g->lock);
	g->delivered++;
	return g->deliver(g->user, s->out, s->out_len, err);
}

int gzip_members_submit(struct gzip_members *g, size_t len, struct error *err)
{
	slot_of(g, g->submitted)->in_len = len;
	pthread_mutex_lock(&g->lock);
	g->submitted++;
	pthread_cond_signal(&g->work);
	pthread_mutex_unlock(&g->lock);
	if (g->submitted == 2)
		start_workers(g);
	if (g->submitted - g->delivered == g->slot_count)
		return deliver_next(g, err);
	return 0;
}

int gzip_members_finish(struct gzip_members *g, struct error *err)
{
	while (g->delivered < g->submitted)
		if (deliver_next(g, err) < 0)
			return -1;
	return 0;
}
