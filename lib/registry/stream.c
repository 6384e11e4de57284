#include "registry/stream.h"

#include "base/mem.h"
#include "registry/upload.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define WAIT_MS 200 /* how late a request to stop may be seen */

struct registry_stream {
	struct push push; /* this and the next two are the thread's until it is joined */
	struct error err;
	int rc;
	pthread_t thread;
	bool runs;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	LIST(struct oci_descriptor) come;
	bool ended;    /* no more will come */
	bool given_up; /* nobody wants it any more */
};

static void take_layers(struct registry_stream *s)
{
	for (size_t i = 0; i < s->come.count; i++) {
		uploads_add(&s->push, &s->come.items[i]);
		oci_descriptor_release(&s->come.items[i]);
	}
	s->come.count = 0;
}

static int feed(void *user, bool wait, struct error *err)
{
	struct registry_stream *s = user;
	struct timespec until;
	int more;

	pthread_mutex_lock(&s->lock);
	if (wait && s->come.count == 0 && !s->ended) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += WAIT_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&s->changed, &s->lock, &until);
	}
	take_layers(s);
	more = s->given_up ? -1 : !s->ended;
	pthread_mutex_unlock(&s->lock);
	return more < 0 ? err_set(err, ERR_INTERRUPTED, "there is no image after all") : more;
}

/* What is known at the beginning, for the questions to be asked first. */
static int ask(struct registry_stream *s, struct error *err)
{
	LIST(struct oci_descriptor) first = {0};
	int rc;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->come.count; i++) {
		struct oci_descriptor copy;

		oci_descriptor_copy(&s->come.items[i], &copy);
		list_push(&first, copy);
	}
	pthread_mutex_unlock(&s->lock);
	rc = push_ask(&s->push, first.items, first.count, true, err);
	for (size_t i = 0; i < first.count; i++)
		oci_descriptor_release(&first.items[i]);
	list_release(&first);
	return rc;
}

static void *run(void *user)
{
	struct registry_stream *s = user;

	s->push.jobs.feed = feed;
	s->push.jobs.user = s;
	s->rc = ask(s, &s->err) < 0 || uploads_run(&s->push, &s->err) < 0 ? -1 : 0;
	s->push.jobs.feed = NULL;
	return NULL;
}

/* Signals are the main thread's: it is the one that waits in system calls. */
static int start(struct registry_stream *s, struct error *err)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&s->thread, NULL, run, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return err_set(err, ERR_SYS, "cannot start a thread: %s", strerrordesc_np(rc));
	s->runs = true;
	return 0;
}

static void join(struct registry_stream *s, bool given_up)
{
	pthread_mutex_lock(&s->lock);
	s->ended = true;
	s->given_up = given_up;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
	if (s->runs)
		pthread_join(s->thread, NULL);
	s->runs = false;
}

int registry_stream_begin(struct registry *r, const struct registry_push *what,
						  const struct oci_descriptor *layers, size_t count,
						  struct registry_stream **out, struct error *err)
{
	AUTO_PTR(registry_stream) struct registry_stream *s = xcalloc(1, sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	push_open(&s->push, r, what);
	for (size_t i = 0; i < count; i++)
		registry_stream_add(s, &layers[i]);
	if (start(s, err) < 0)
		return -1;
	*out = TAKE(s);
	return 0;
}

void registry_stream_add(struct registry_stream *s, const struct oci_descriptor *layer)
{
	struct oci_descriptor copy;

	oci_descriptor_copy(layer, &copy);
	pthread_mutex_lock(&s->lock);
	list_push(&s->come, copy);
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

int registry_stream_end(struct registry_stream *s, const struct oci_descriptor *image,
						struct registry_result *result, struct error *err)
{
	struct push *p = &s->push;

	join(s, false);
	if (s->rc < 0) {
		*err = s->err;
		return push_fail(p, err);
	}
	p->what.image = image;
	if (oci_graph_add(&p->graph, p->what.store, image, err) < 0 || push_finish(p, result, err) < 0)
		return push_fail(p, err);
	return 0;
}

void registry_stream_free(struct registry_stream *s)
{
	if (s->runs) {
		join(s, true);
		uploads_cancel(&s->push);
	}
	for (size_t i = 0; i < s->come.count; i++)
		oci_descriptor_release(&s->come.items[i]);
	list_release(&s->come);
	push_release(&s->push);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
