#include "deploy/diagnosis.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <string.h>

void deploy_diagnosis_release(struct deploy_diagnosis *d)
{
	free(d->what);
	free(d->why);
	free(d->next);
	strv_release(&d->events);
	strv_release(&d->log);
	memset(d, 0, sizeof(*d));
}

/* ---- the log */

struct log_fetch {
	struct buf text;
	bool ok;
};

static int log_data(void *user, const void *data, size_t len, struct error *err)
{
	struct log_fetch *f = user;
	size_t room = DIAGNOSIS_MAX_LOG_BYTES - f->text.len;

	(void)err;
	buf_add(&f->text, data, len < room ? len : room);
	return 0;
}

static int log_done(void *user, int status, struct error *err)
{
	struct log_fetch *f = user;

	(void)err;
	/* 400: the container has not started (again); 404: the pod is gone */
	f->ok = status == 200;
	return 0;
}

static int fetch_log(struct deploy_picture *p, const json_t *pod, const char *container,
					 bool previous, struct log_fetch *f, struct error *err)
{
	struct kube_stream stream = {log_data, log_done, f};
	AUTO_FREE char *path = kube_log_path(pod, container, DIAGNOSIS_LOG_LINES, previous);

	kube_start_stream(p->s->client, path, false, &stream);
	return kube_run(p->s->client, -1, err);
}

static void split_log(struct buf *text, struct strv *out)
{
	char *save = NULL;

	if (text->len == 0)
		return;
	for (char *line = strtok_r(text->data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		for (char *c = line; *c; c++)
			if (*c == '\t')
				*c = ' ';
		utf8_sanitize(line);
		if (out->count < DIAGNOSIS_LOG_LINES)
			strv_add(out, line);
	}
}

static int add_log(struct deploy_picture *p, const struct deploy_finding *f,
				   struct deploy_diagnosis *d, struct error *err)
{
	struct log_fetch fetch = {0};
	int rc;

	if (!f->pod || !f->problem.has_log)
		return 0;
	rc = fetch_log(p, f->pod, f->problem.container, f->problem.previous, &fetch, err);
	if (rc == 0 && !fetch.ok && f->problem.previous) {
		buf_cut(&fetch.text, 0);
		rc = fetch_log(p, f->pod, f->problem.container, false, &fetch, err);
	}
	if (rc == 0 && fetch.ok)
		split_log(&fetch.text, &d->log);
	buf_release(&fetch.text);
	return rc;
}

/* ---- the words */

static char *what_text(const struct deploy_picture *p, const struct deploy_item *item,
					   const struct deploy_finding *f)
{
	AUTO_FREE char *label = kube_object_label(&item->object, p->s->namespace_);
	const char *pod = doc_text(f->pod, "metadata.name", "");

	if (!f->problem.found || !f->pod || strcmp(item->object.kind, "Pod") == 0) {
		if (f->problem.found && f->problem.container[0])
			return xasprintf("%s: container %s", label, f->problem.container);
		return xstrdup(label);
	}
	if (f->problem.container[0])
		return xasprintf("%s: container %s of pod %s", label, f->problem.container, pod);
	return xasprintf("%s: pod %s", label, pod);
}

static char *why_text(const struct deploy_finding *f, bool waited)
{
	AUTO(buf) struct buf why = {0};
	const struct kube_readiness *r = &f->readiness;
	char how[96];

	if (r->state == KUBE_FAILED && r->reason[0])
		buf_addf(&why, "%s%s%s", r->reason, r->message[0] ? ": " : "", r->message);
	if (f->problem.found) {
		buf_addf(&why, "%s%s%s%s", why.len ? "; " : "", f->problem.reason,
				 f->problem.message[0] ? ": " : "", f->problem.message);
		if (f->problem.exit_code >= 0)
			buf_addf(&why, "; %s",
					 failfast_exit_text(f->problem.exit_code, f->problem.reason, how));
		if (f->problem.restarts > 0)
			buf_addf(&why, "; restarted %" PRId64 " time%s", f->problem.restarts,
					 f->problem.restarts == 1 ? "" : "s");
	}
	if (why.len == 0)
		buf_addf(&why, "%s%s%s", r->summary, r->message[0] ? ": " : "", r->message);
	if (waited)
		buf_adds(&why, " (the time is up)");
	return buf_take(&why);
}

static const char *next_text(const struct deploy_finding *f)
{
	struct deploy_problem own = {0};

	if (f->problem.found)
		return failfast_next(&f->problem);
	snprintf(own.reason, sizeof(own.reason), "%s", f->readiness.reason);
	return failfast_next(&own);
}

static void add_events(const struct deploy_picture *p, const json_t *object,
					   struct deploy_diagnosis *d)
{
	const struct strv *warnings = object ? deploy_picture_warnings(p, object) : NULL;

	for (size_t i = 0; warnings && i < warnings->count; i++)
		if (!strv_has(&d->events, warnings->items[i]))
			strv_add(&d->events, warnings->items[i]);
}

/* A Job that failed: the newest of its pods has the last words. */
static void blame_last_pod(void *user, json_t *pod)
{
	struct deploy_finding *f = user;
	const json_t *statuses = doc_get(pod, "status.containerStatuses");

	for (size_t i = 0; i < json_array_size(statuses); i++) {
		const json_t *status = json_array_get(statuses, i);
		const json_t *ended = doc_get(status, "state.terminated");

		if (!ended || doc_int(ended, "exitCode", 0) == 0)
			continue;
		f->pod = pod;
		f->problem = (struct deploy_problem){.found = true, .has_log = true};
		f->problem.exit_code = (int)doc_int(ended, "exitCode", 1);
		snprintf(f->problem.container, sizeof(f->problem.container), "%s",
				 doc_text(status, "name", ""));
		snprintf(f->problem.reason, sizeof(f->problem.reason), "%s",
				 doc_text(ended, "reason", "Error"));
	}
}

int deploy_diagnose(struct deploy_picture *p, const struct deploy_item *item,
					const struct deploy_finding *found, bool waited, struct deploy_diagnosis *out,
					struct error *err)
{
	struct deploy_finding f = *found;
	struct deploy_diagnosis d = {0};
	const json_t *live = deploy_picture_live(p, item);

	if (!f.problem.found && f.readiness.state == KUBE_FAILED &&
		strcmp(item->object.kind, "Job") == 0)
		deploy_picture_each(p, "Pod", live, blame_last_pod, &f);
	d.what = what_text(p, item, &f);
	d.why = why_text(&f, waited);
	d.next = xstrdup(next_text(found->problem.found ? found : &f));
	add_events(p, f.pod, &d);
	add_events(p, live, &d);
	if (add_log(p, &f, &d, err) < 0) {
		deploy_diagnosis_release(&d);
		return -1;
	}
	*out = d;
	return 0;
}

static json_t *texts(const struct strv *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->count; i++)
		json_array_append_new(list, json_string(v->items[i]));
	return list;
}

json_t *deploy_diagnosis_json(const struct deploy_diagnosis *d)
{
	json_t *doc = json_object();
	json_t *evidence = json_object();

	json_object_set_new(doc, "what", json_string(d->what));
	json_object_set_new(doc, "why", json_string(d->why));
	json_object_set_new(evidence, "events", texts(&d->events));
	json_object_set_new(evidence, "log", texts(&d->log));
	json_object_set_new(doc, "evidence", evidence);
	json_object_set_new(doc, "next", json_string(d->next));
	return doc;
}
