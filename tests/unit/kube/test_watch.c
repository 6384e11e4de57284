#include "base/auto.h"
#include "kube/watch.h"
#include "server.h"

#include <criterion/criterion.h>

static struct kube_resource pods = {.plural = (char[]){"pods"},
									.version = (char[]){"v1"},
									.group = (char[]){""},
									.kind = (char[]){"Pod"},
									.namespaced = true};

/* timeoutSeconds differs each time: the script matches everything but that. */
struct world {
	struct server server;
	struct buf heard;
	size_t changes;
	size_t enough;
	bool optional;
};

static void world_release(struct world *w)
{
	server_release(&w->server);
	buf_release(&w->heard);
}

static int heard(void *user, enum kube_change change, json_t *object, struct error *err)
{
	struct world *w = user;

	if (change == KUBE_SYNCED)
		buf_adds(&w->heard, "synced;");
	else
		buf_addf(&w->heard, "%c%s;", change == KUBE_DELETED ? '-' : '+',
				 doc_text(object, "metadata.name", "?"));
	if (++w->changes < w->enough)
		return 0;
	return err_set(err, ERR_INTERRUPTED, "enough");
}

static void refused(void *user, const struct error *err)
{
	struct world *w = user;

	buf_addf(&w->heard, "refused %d;", err->code == ERR_DENIED);
}

#define PODS SERVER "/api/v1/namespaces/shop/pods?limit=500"
#define WATCH(rv) "watch " rv
#define ITEM(name, rv) "{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" rv "\"}}"
#define EVENT(type, name, rv) "{\"type\":\"" type "\",\"object\":" ITEM(name, rv) "}\n"
#define ONE_LIST(rv)                                                                      \
	"{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"" rv \
	"\"},\"items\":[" ITEM("a", "5") "]}"
#define GONE                                                                                   \
	"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}" \
	"}\n"

/* Rows name a watch by its resourceVersion only. */
static int start(struct http_transport *t, struct http_attempt *a, struct error *err)
{
	return script_start_(t, a, err);
}

static struct http_attempt *poll_watch(struct http_transport *t, int64_t wait_ms)
{
	struct script *s = (struct script *)t;

	for (size_t i = 0; i < s->running.count; i++) {
		struct http_attempt *a = s->running.items[i];
		AUTO_FREE char *url = url_text(a->url);
		const char *rv = strstr(url, "resourceVersion=");
		AUTO_FREE char *name =
			strstr(url, "watch=1") ? xasprintf("watch %s", rv ? rv + 16 : "") : xstrdup(url);

		for (size_t k = 0; s->answers[k].method; k++) {
			if (s->used[k] || strcmp(s->answers[k].url, name) != 0)
				continue;
			s->used[k] = true;
			script_drop_(s, i);
			a->failed = script_play_(a, &s->answers[k]) < 0;
			return a;
		}
	}
	s->now_ms += wait_ms > 0 ? wait_ms : 0;
	return NULL;
}

/* Plays until `enough` changes came, or nothing happens any more. */
static int play(struct world *w, const struct script_answer *answers, size_t enough,
				struct error *err)
{
	struct kube_watch_options o = {.resource = &pods,
								   .namespace_ = "shop",
								   .change = heard,
								   .refused = w->optional ? refused : NULL,
								   .user = w};
	struct kube_watch *watch;
	int rc = 0;

	cr_assert_eq(server_init(&w->server, answers, err), 0);
	w->server.script.base.start = start;
	w->server.script.base.poll = poll_watch;
	w->enough = enough;
	watch = kube_watch_start(w->server.client, &o);
	for (int i = 0; i < 200 && rc == 0; i++) {
		rc = kube_wait(w->server.client, 500, err);
		if (rc == 0)
			kube_watch_tick(watch);
	}
	kube_watch_stop(watch);
	return rc;
}

Test(kube_watch, goes_on_from_the_last_version)
{
	static const struct script_answer answers[] = {
		{"GET", PODS, 200, .body = ONE_LIST("10")},
		{"GET", WATCH("10"), 200,
		 .body =
			 EVENT("ADDED", "b", "11") "{\"type\":\"BOOKMARK\",\"object\":" ITEM("", "20") "}\n"},
		{"GET", WATCH("20"), 200, .body = EVENT("DELETED", "a", "21")},
		{"GET", WATCH("21"), 200, .body = EVENT("MODIFIED", "b", "22")},
		{0},
	};
	AUTO(world) struct world w = {0};
	struct error err = {0};

	play(&w, answers, 5, &err);
	cr_expect_str_eq(buf_str(&w.heard), "+a;synced;+b;-a;+b;");
}

Test(kube_watch, pages)
{
	static const struct script_answer answers[] = {
		{"GET", PODS, 200,
		 .body = "{\"kind\":\"PodList\",\"metadata\":{\"continue\":\"x=1&\"},\"items\":"
				 "[" ITEM("a", "5") "]}"},
		{"GET", PODS "&continue=x%3D1%26", 200,
		 .body = "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"9\"},\"items\":"
				 "[" ITEM("b", "5") "]}"},
		{"GET", WATCH("9"), 200, .body = EVENT("ADDED", "c", "10")},
		{0},
	};
	AUTO(world) struct world w = {0};
	struct error err = {0};

	play(&w, answers, 4, &err);
	cr_expect_str_eq(buf_str(&w.heard), "+a;+b;synced;+c;");
}

Test(kube_watch, history_that_is_gone_is_listed_anew)
{
	static const struct script_answer answers[] = {
		{"GET", PODS, 200, .body = ONE_LIST("10")},
		{"GET", WATCH("10"), 200, .body = GONE},
		{"GET", PODS, 200, .body = ONE_LIST("30")},
		{"GET", WATCH("30"), 410, .body = "{\"kind\":\"Status\",\"code\":410}"},
		{"GET", PODS, 200, .body = ONE_LIST("40")},
		{"GET", WATCH("40"), 200, .body = EVENT("ADDED", "c", "41")},
		{0},
	};
	AUTO(world) struct world w = {0};
	struct error err = {0};

	play(&w, answers, 7, &err);
	cr_expect_str_eq(buf_str(&w.heard), "+a;synced;+a;synced;+a;synced;+c;");
}

#define AGAIN(rv, items)                                         \
	"{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{" \
	"\"resourceVersion\":\"" rv "\"},\"items\":[" items "]}"
#define OTHER_A "{\"metadata\":{\"name\":\"a\",\"uid\":\"2\"}}"

/* What was deleted in the gap is told, before its successor of the same name. */
Test(kube_watch, a_new_list_tells_what_is_gone)
{
	static const struct script_answer answers[] = {
		{"GET", PODS, 200, .body = ONE_LIST("10")},
		{"GET", WATCH("10"), 200,
		 .body = EVENT("ADDED", "b", "11") EVENT("DELETED", "c", "12") GONE},
		{"GET", PODS, 200, .body = AGAIN("30", OTHER_A)},
		{0},
	};
	AUTO(world) struct world w = {0};
	struct error err = {0};

	play(&w, answers, 8, &err);
	cr_expect_str_eq(buf_str(&w.heard), "+a;synced;+b;-c;-a;-b;+a;synced;");
}

Test(kube_watch, the_servers_own_trouble_passes)
{
	static const struct script_answer answers[] = {
		{"GET", PODS, 200, .body = ONE_LIST("10")},
		{"GET", WATCH("10"), 200,
		 .body = "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":500,"
				 "\"message\":\"etcdserver: no leader\"}}\n"},
		{"GET", PODS, 200, .body = ONE_LIST("30")},
		{0},
	};
	AUTO(world) struct world w = {0};
	struct error err = {0};

	play(&w, answers, 4, &err);
	cr_expect_str_eq(buf_str(&w.heard), "+a;synced;+a;synced;", "%s", err.msg);
}

Test(kube_watch, no_endless_loop_of_lists)
{
	static const struct script_answer answers[] = {
		{"GET", PODS, 200, .body = ONE_LIST("1")}, {"GET", WATCH("1"), 200, .body = GONE},
		{"GET", PODS, 200, .body = ONE_LIST("2")}, {"GET", WATCH("2"), 200, .body = GONE},
		{"GET", PODS, 200, .body = ONE_LIST("3")}, {"GET", WATCH("3"), 200, .body = GONE},
		{"GET", PODS, 200, .body = ONE_LIST("4")}, {"GET", WATCH("4"), 200, .body = GONE},
		{"GET", PODS, 200, .body = ONE_LIST("5")}, {0},
	};
	AUTO(world) struct world w = {0};
	struct error err = {0};

	cr_expect_eq(play(&w, answers, 100, &err), -1);
	cr_expect_eq(err.code, ERR_NET);
	cr_expect(!script_is_done(&w.server.script), "the fourth time is the last");
}

Test(kube_watch, broken_connection_waits_and_goes_on)
{
	static const struct script_answer answers[] = {
		{"GET", PODS, 200, .body = ONE_LIST("10")},
		{"GET", WATCH("10"), 200, .body = EVENT("ADDED", "b", "11") EVENT("ADDED", "c", "12"),
		 .cut = sizeof(EVENT("ADDED", "b", "11")) + 20},
		{"GET", WATCH("11"), 200, .body = EVENT("ADDED", "c", "12")},
		{0},
	};
	AUTO(world) struct world w = {0};
	struct error err = {0};

	play(&w, answers, 4, &err);
	cr_expect_str_eq(buf_str(&w.heard), "+a;synced;+b;+c;", "the half frame is not used");
}

Test(kube_watch, refusal_ends_it)
{
	static const struct script_answer answers[] = {
		{"GET", PODS, 403,
		 .body = "{\"kind\":\"Status\",\"code\":403,\"reason\":\"Forbidden\",\"message\":"
				 "\"pods is "
				 "forbidden: User \\\"joe\\\" cannot list resource\"}"},
		{0},
	};
	AUTO(world) struct world w = {0};
	struct error err = {0};

	cr_expect_eq(play(&w, answers, 1, &err), -1);
	cr_expect_eq(err.code, ERR_DENIED);
	cr_expect(err.hint[0]);
}

#define FORBIDDEN "{\"kind\":\"Status\",\"code\":403,\"reason\":\"Forbidden\"}"

Test(kube_watch, what_is_only_wished_for_may_be_refused)
{
	static const struct script_answer answers[] = {
		{"GET", PODS, 403, .body = FORBIDDEN},
		{0},
	};
	AUTO(world) struct world w = {.optional = true};
	struct error err = {0};

	cr_expect_eq(play(&w, answers, 2, &err), 0, "%s", err.msg);
	cr_expect_str_eq(buf_str(&w.heard), "refused 1;");
}

Test(kube_watch, who_may_not_watch_lists_again)
{
	static const struct script_answer answers[] = {
		{"GET", PODS, 200, .body = ONE_LIST("10")},  {"GET", WATCH("10"), 403, .body = FORBIDDEN},
		{"GET", PODS, 200, .body = AGAIN("11", "")}, {"GET", WATCH("11"), 403, .body = FORBIDDEN},
		{"GET", PODS, 200, .body = ONE_LIST("12")},  {0},
	};
	AUTO(world) struct world w = {0};
	struct error err = {0};

	play(&w, answers, 6, &err);
	cr_expect_str_eq(buf_str(&w.heard), "+a;synced;-a;synced;+a;synced;", "%s", err.msg);
	cr_expect_geq(w.server.script.now_ms, 2 * KUBE_WATCH_POLL_MS);
}
