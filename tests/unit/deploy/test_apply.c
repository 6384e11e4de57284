#include "../kube/server.h"
#include "base/auto.h"
#include "base/mem.h"
#include "deploy/apply.h"
#include "deploy/strict.h"

#include <criterion/criterion.h>
#include <string.h>

#define MAPS SERVER "/api/v1/namespaces/shop/configmaps"
#define ASKED "?fieldManager=msctl&force=false&fieldValidation=Strict"
#define FORCED "?fieldManager=msctl&force=true&fieldValidation=Strict"
#define FIELDS                                                                                 \
	"\"managedFields\":[{\"manager\":\"msctl\",\"operation\":\"Apply\",\"apiVersion\":\"v1\"," \
	"\"fieldsV1\":{\"f:data\":{\"f:a\":{}}}}]"
#define LIVE(value, rv)                                                                        \
	"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"web\","            \
	"\"namespace\":\"shop\",\"resourceVersion\":\"" rv "\"," FIELDS "},\"data\":{\"a\":" value \
	"}}"
#define CONFLICT(field, manager)                                                        \
	"{\"kind\":\"Status\",\"status\":\"Failure\",\"code\":409,\"reason\":\"Conflict\"," \
	"\"message\":\"conflict\",\"details\":{\"causes\":[{"                               \
	"\"reason\":\"FieldManagerConflict\",\"field\":\"" field                            \
	"\",\"message\":\"conflict with \\\"" manager "\\\" using v1\"}]}}"
#define STATUS(code, reason, message)                                                     \
	"{\"kind\":\"Status\",\"status\":\"Failure\",\"code\":" #code ",\"reason\":\"" reason \
	"\",\"message\":\"" message "\"}"

/* One ConfigMap {data: {a: x}} against answers. */
struct world {
	struct server server;
	struct deploy_session session;
	struct deploy_set set;
};

static void world_release(struct world *w)
{
	deploy_set_release(&w->set);
	deploy_session_release(&w->session);
	server_release(&w->server);
}

static int play(struct world *w, const struct script_answer *answers,
				const struct deploy_apply_options *o, struct error *err)
{
	static struct kube_resource maps;
	struct deploy_item *item = xcalloc(1, sizeof(*item));
	AUTO_JSON json_t *doc =
		json_pack("{s:s,s:s,s:{s:s,s:s},s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap",
				  "metadata", "name", "web", "namespace", "shop", "data", "a", "x");

	maps = (struct kube_resource){(char[]){""},           (char[]){"v1"}, (char[]){"ConfigMap"},
								  (char[]){"configmaps"}, true,           false};
	cr_assert_eq(server_init(&w->server, answers, err), 0);
	w->session.client = w->server.client;
	w->session.namespace_ = "shop";
	w->session.discovery.aggregated = true;
	cr_assert_eq(kube_object_read(doc, "test", &item->object, err), 0);
	item->object.resource = &maps;
	list_push(&w->set.items, item);
	return deploy_apply(&w->session, &w->set, o, err);
}

static const struct script_answer *row(const char *method, const char *url, int status,
									   const char *body)
{
	static struct script_answer answers[8];
	static size_t n;

	if (!method)
		n = 0;
	else
		answers[n++] = (struct script_answer){method, url, status, .body = body};
	answers[n] = (struct script_answer){0};
	return answers;
}

struct exchange {
	const char *method, *url;
	int status;
	const char *body;
};

Test(deploy_apply, decisions)
{
	static const struct {
		const char *why;
		struct exchange talk[5];
		bool force, dry_run;
		enum err_code code;
		enum deploy_action action;
	} rows[] = {
		{"absent",
		 {{"GET", MAPS "/web", 404, "{}"}, {"PATCH", MAPS "/web" ASKED, 201, LIVE("\"x\"", "1")}},
		 false,
		 false,
		 ERR_NONE,
		 DEPLOY_CREATED},
		{"unchanged: no write",
		 {{"GET", MAPS "/web", 200, LIVE("\"x\"", "1")}},
		 false,
		 false,
		 ERR_NONE,
		 DEPLOY_UNCHANGED},
		{"changed",
		 {{"GET", MAPS "/web", 200, LIVE("\"y\"", "1")},
		  {"PATCH", MAPS "/web" ASKED, 200, LIVE("\"x\"", "2")}},
		 false,
		 false,
		 ERR_NONE,
		 DEPLOY_CONFIGURED},
		{"the server changes nothing",
		 {{"GET", MAPS "/web", 200, LIVE("{\"b\":1}", "1")},
		  {"PATCH", MAPS "/web" ASKED, 200, LIVE("\"x\"", "1")}},
		 false,
		 false,
		 ERR_NONE,
		 DEPLOY_UNCHANGED},
		{"rehearsal",
		 {{"GET", MAPS "/web", 404, "{}"},
		  {"PATCH", MAPS "/web" ASKED "&dryRun=All", 201, LIVE("\"x\"", "1")}},
		 false,
		 true,
		 ERR_NONE,
		 DEPLOY_CREATED},
		{"set by hand: taken",
		 {{"GET", MAPS "/web", 200, LIVE("\"y\"", "1")},
		  {"PATCH", MAPS "/web" ASKED, 409, CONFLICT(".data.a", "kubectl-edit")},
		  {"PATCH", MAPS "/web" FORCED, 200, LIVE("\"x\"", "2")}},
		 false,
		 false,
		 ERR_NONE,
		 DEPLOY_CONFIGURED},
		{"another manager: stop",
		 {{"GET", MAPS "/web", 200, LIVE("\"y\"", "1")},
		  {"PATCH", MAPS "/web" ASKED, 409, CONFLICT(".data.a", "argocd")}},
		 false,
		 false,
		 ERR_CONFLICT,
		 DEPLOY_UNDECIDED},
		{"another manager, but forced",
		 {{"GET", MAPS "/web", 200, LIVE("\"y\"", "1")},
		  {"PATCH", MAPS "/web" FORCED, 200, LIVE("\"x\"", "2")}},
		 true,
		 false,
		 ERR_NONE,
		 DEPLOY_CONFIGURED},
		{"written at the same moment: again",
		 {{"GET", MAPS "/web", 200, LIVE("\"y\"", "1")},
		  {"PATCH", MAPS "/web" ASKED, 409, STATUS(409, "Conflict", "modified")},
		  {"PATCH", MAPS "/web" ASKED, 200, LIVE("\"x\"", "2")}},
		 false,
		 false,
		 ERR_NONE,
		 DEPLOY_CONFIGURED},
		{"namespace",
		 {{"GET", MAPS "/web", 404, "{}"},
		  {"PATCH", MAPS "/web" ASKED, 404, STATUS(404, "NotFound", "namespaces shop")}},
		 false,
		 false,
		 ERR_MISSING,
		 DEPLOY_UNDECIDED},
		{"unknown field",
		 {{"GET", MAPS "/web", 404, "{}"},
		  {"PATCH", MAPS "/web" ASKED, 400,
		   STATUS(400, "BadRequest", "strict decoding error: unknown field \\\"spec.x\\\"")}},
		 false,
		 false,
		 ERR_INPUT,
		 DEPLOY_UNDECIDED},
		{"immutable",
		 {{"GET", MAPS "/web", 200, LIVE("\"y\"", "1")},
		  {"PATCH", MAPS "/web" ASKED, 422, STATUS(422, "Invalid", "data: field is immutable")}},
		 false,
		 false,
		 ERR_INPUT,
		 DEPLOY_UNDECIDED},
		{"refused",
		 {{"GET", MAPS "/web", 404, "{}"},
		  {"PATCH", MAPS "/web" ASKED, 403, STATUS(403, "Forbidden", "no")}},
		 false,
		 false,
		 ERR_DENIED,
		 DEPLOY_UNDECIDED},
		{"may not even look",
		 {{"GET", MAPS "/web", 403, STATUS(403, "Forbidden", "no")}},
		 false,
		 false,
		 ERR_DENIED,
		 DEPLOY_UNDECIDED},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(world) struct world w = {0};
		struct deploy_apply_options o = {.dry_run = rows[i].dry_run,
										 .force_conflicts = rows[i].force};
		const struct script_answer *answers = row(NULL, NULL, 0, NULL);
		struct error err = {0};
		int rc;

		for (size_t k = 0; rows[i].talk[k].method; k++)
			answers = row(rows[i].talk[k].method, rows[i].talk[k].url, rows[i].talk[k].status,
						  rows[i].talk[k].body);
		rc = play(&w, answers, &o, &err);
		cr_expect_eq(rc, rows[i].code ? -1 : 0, "%s: %s", rows[i].why, err.msg);
		cr_expect_eq(err.code, rows[i].code, "%s: %s", rows[i].why, err.msg);
		cr_expect_eq(w.set.items.items[0]->action, rows[i].action, "%s", rows[i].why);
		cr_expect(script_is_done(&w.server.script), "%s: everything was asked", rows[i].why);
		if (rows[i].code)
			cr_expect(strstr(err.msg, "ConfigMap/web"), "%s: %s", rows[i].why, err.msg);
	}
}

/* What is not a conflict of managers is told in the server's words. */
Test(deploy_apply, refusals_in_the_servers_words)
{
	static const struct {
		int status;
		const char *body, *says, *hint;
	} rows[] = {
		{409,
		 "{\"kind\":\"Status\",\"code\":409,\"reason\":\"Conflict\",\"message\":"
		 "\"the volume is in use\",\"details\":{\"causes\":[{\"reason\":\"Other\"}]}}",
		 "the volume is in use", ""},
		{403,
		 STATUS(403, "Forbidden",
				"unable to create new content in namespace shop because it is being "
				"terminated"),
		 "being terminated", "wait until the namespace is gone"},
		{422,
		 "{\"kind\":\"Status\",\"code\":422,\"reason\":\"Invalid\",\"message\":\"x\","
		 "\"details\":{\"causes\":[{\"field\":\"spec.template\",\"message\":\"Invalid "
		 "value: core.PodTemplateSpec{Env:{Value:\\\"hunter2\\\"}}: field is "
		 "immutable\"}]}}",
		 "spec.template: Invalid value: field is immutable", ""},
		{422, STATUS(422, "Odd", "Invalid value: core.PodSpec{hunter2}: field is immutable"),
		 "Invalid value: field is immutable", ""},
		{422, STATUS(422, "Odd", "Invalid value: \\\"Upper{}: x\\\": is not a name"),
		 "\"Upper{}: x\": is not", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(world) struct world w = {0};
		const struct script_answer *answers;
		struct error err = {0};

		row(NULL, NULL, 0, NULL);
		row("GET", MAPS "/web", 404, "{}");
		answers = row("PATCH", MAPS "/web" ASKED, rows[i].status, rows[i].body);
		cr_expect_eq(play(&w, answers, &(struct deploy_apply_options){0}, &err), -1);
		cr_expect(strstr(err.msg, rows[i].says), "%s", err.msg);
		cr_expect_null(strstr(err.msg, "hunter2"), "%s", err.msg);
		cr_expect(strstr(err.hint, rows[i].hint), "%s", err.hint);
	}
}

#define LISTED MAPS "?labelSelector=msctl%2Fapp%3Dorders%2Cmsctl%2Fenv%3Dprod&limit=500"
#define LABELLED(app)                                                                   \
	"{\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"resourceVersion\":\"1\"," \
	"\"labels\":{\"msctl/app\":\"" app "\","                                            \
	"\"msctl/env\":\"prod\"}," FIELDS "},\"data\":{\"a\":\"x\"}}"

Test(deploy_apply, applications)
{
	static const struct {
		struct exchange talk[5];
		enum err_code code;
		enum deploy_action action;
	} rows[] = {
		{{{"GET", LISTED, 200, "{\"items\":[" LABELLED("orders") "]}"}},
		 ERR_NONE,
		 DEPLOY_UNCHANGED},
		{{{"GET", LISTED, 200, "{\"items\":[]}"}, {"GET", MAPS "/web", 200, LABELLED("payments")}},
		 ERR_CONFLICT,
		 DEPLOY_UNDECIDED},
		{{{"GET", LISTED, 200, "{\"items\":[]}"},
		  {"GET", MAPS "/web", 200, LIVE("\"y\"", "1")},
		  {"PATCH", MAPS "/web" ASKED, 200, LIVE("\"x\"", "2")}},
		 ERR_NONE,
		 DEPLOY_CONFIGURED},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(world) struct world w = {.session = {.app = "orders", .env = "prod"}};
		const struct script_answer *answers = row(NULL, NULL, 0, NULL);
		struct error err = {0};
		int rc;

		for (size_t k = 0; rows[i].talk[k].method; k++)
			answers = row(rows[i].talk[k].method, rows[i].talk[k].url, rows[i].talk[k].status,
						  rows[i].talk[k].body);
		rc = play(&w, answers, &(struct deploy_apply_options){0}, &err);
		cr_expect_eq(rc, rows[i].code ? -1 : 0, "row %zu: %s", i, err.msg);
		cr_expect_eq(err.code, rows[i].code, "row %zu: %s", i, err.msg);
		cr_expect_eq(w.set.items.items[0]->action, rows[i].action, "row %zu", i);
		cr_expect(script_is_done(&w.server.script), "row %zu", i);
	}
}

Test(deploy_apply, body_and_headers)
{
	static const struct script_answer answers[] = {
		{"GET", MAPS "/web", 404, .body = "{}"},
		{"PATCH", MAPS "/web" ASKED, 201, .headers = "Warning: 299 - \"old \033[31mkind\"",
		 .body = LIVE("\"x\"", "1")},
		{0},
	};
	AUTO(world) struct world w = {0};
	struct error err = {0};

	cr_assert_eq(play(&w, answers, &(struct deploy_apply_options){0}, &err), 0, "%s", err.msg);
	cr_expect_str_eq(script_header(&w.server.script, 1, "Content-Type"),
					 "application/apply-patch+yaml");
	cr_expect_str_eq(buf_str(&w.server.script.seen.items[1].body),
					 "{\"apiVersion\":\"v1\",\"data\":{\"a\":\"x\"},\"kind\":\"ConfigMap\","
					 "\"metadata\":{\"name\":\"web\",\"namespace\":"
					 "\"shop\"}}");
}

Test(deploy_strict, what_servers_say)
{
	static const struct {
		const char *message, *says;
	} rows[] = {
		{"strict decoding error: unknown field \"spec.replicaz\"", "unknown field spec.replicaz"},
		{"strict decoding error: duplicate field \"spec.a\"", "duplicate field spec.a"},
		{"failed to create typed patch object: .spec.sise: field not declared in schema",
		 "unknown field spec.sise"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct kube_resource r = {.plural = (char[]){"things"}};
		struct kube_object o = {.kind = (char[]){"Thing"},
								.name = (char[]){"t"},
								.file = (char[]){"t.yaml"},
								.resource = &r};
		struct error err = {0};

		cr_expect(strict_is_unknown_field(rows[i].message));
		err_set(&err, ERR_NET, "%s", rows[i].message);
		cr_expect_eq(strict_explain(&o, &err), -1);
		cr_expect_eq(err.code, ERR_INPUT);
		cr_expect(strstr(err.msg, rows[i].says) && strstr(err.msg, "t.yaml"), "%s", err.msg);
	}
	cr_expect(!strict_is_unknown_field("quota exceeded"));
}
