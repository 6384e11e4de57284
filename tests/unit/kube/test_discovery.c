#include "base/auto.h"
#include "kube/discovery.h"
#include "server.h"

#include <criterion/criterion.h>

#define AGGREGATED(version)                                                                \
	"{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/" version    \
	"\",\"items\":["                                                                       \
	"{\"metadata\":{\"name\":\"apps\"},\"versions\":[{\"version\":\"v1\",\"resources\":[{" \
	"\"resource\":\"deployments\","                                                        \
	"\"responseKind\":{\"group\":\"apps\",\"version\":\"v1\",\"kind\":\"Deployment\"},"    \
	"\"scope\":\"Namespaced\","                                                            \
	"\"subresources\":[{\"subresource\":\"status\"}]}]}]}]}"
#define CORE                                                                            \
	"{\"kind\":\"APIGroupDiscoveryList\",\"items\":[{\"metadata\":{},\"versions\":[{"   \
	"\"version\":\"v1\",\"resources\":["                                                \
	"{\"resource\":\"namespaces\",\"responseKind\":{\"kind\":\"Namespace\"},\"scope\":" \
	"\"Cluster\"}]}]}]}"

static void load(const struct script_answer *answers, const char *wanted, struct kube_discovery *d,
				 struct server *s)
{
	AUTO(strv) struct strv gvs = {0};
	struct error err = {0};

	strv_add(&gvs, wanted);
	cr_assert_eq(server_init(s, answers, &err), 0, "%s", err.msg);
	cr_assert_eq(kube_discovery_load(s->client, &gvs, d, &err), 0, "%s", err.msg);
}

static void check_aggregated(const struct script_answer *answers)
{
	AUTO(server) struct server s = {0};
	AUTO(kube_discovery) struct kube_discovery d = {0};
	const struct kube_resource *r;

	load(answers, "apps/v1", &d, &s);
	cr_expect(d.aggregated);
	cr_expect_eq(s.script.seen.count, 2u, "the whole cluster in two requests");
	r = kube_discovery_find(&d, "apps/v1", "Deployment");
	cr_assert_not_null(r);
	cr_expect_str_eq(r->plural, "deployments");
	cr_expect(r->namespaced && r->has_status);
	r = kube_discovery_find(&d, "v1", "Namespace");
	cr_assert_not_null(r);
	cr_expect(!r->namespaced);
	cr_expect_null(kube_discovery_find(&d, "apps/v1beta1", "Deployment"));
	cr_expect_str_eq(kube_discovery_elsewhere(&d, "apps/v1beta1", "Deployment"),
					 "apps/v1/Deployment");
	cr_expect_null(kube_discovery_elsewhere(&d, "app/v1", "Deployment"), "another group");
	cr_expect(strstr(script_header(&s.script, 0, "Accept"),
					 "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"));
}

Test(kube_discovery, aggregated_v2)
{
	static const struct script_answer answers[] = {
		{"GET", SERVER "/api", 200, .body = CORE},
		{"GET", SERVER "/apis", 200, .body = AGGREGATED("v2")},
		{0},
	};

	check_aggregated(answers);
}

Test(kube_discovery, aggregated_v2beta1)
{
	static const struct script_answer answers[] = {
		{"GET", SERVER "/api", 200, .body = CORE},
		{"GET", SERVER "/apis", 200, .body = AGGREGATED("v2beta1")},
		{0},
	};

	check_aggregated(answers);
}

#define OLD_CORE                                                                              \
	{                                                                                         \
		"GET", SERVER "/api", 200, .body = "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"]}" \
	}
#define OLD_GROUPS                                                                    \
	{                                                                                 \
		"GET", SERVER "/apis", 200,                                                   \
			.body = "{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":\"apps\","      \
					"\"versions\":[{\"groupVersion\":\"apps/v1\"}]},"                 \
					"{\"name\":\"stale.io\",\"versions\":[{\"groupVersion\":\"stale." \
					"io/v1\"}]}]}"                                                    \
	}

Test(kube_discovery, old_server_is_asked_only_for_what_is_wanted)
{
	static const struct script_answer answers[] = {
		OLD_CORE,
		OLD_GROUPS,
		{"GET", SERVER "/apis/apps/v1", 200,
		 .body = "{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"deployments\","
				 "\"kind\":\"Deployment\","
				 "\"namespaced\":true},{\"name\":\"deployments/"
				 "status\",\"kind\":\"Deployment\",\"namespaced\":true},"
				 "{\"name\":\"deployments/"
				 "scale\",\"kind\":\"Scale\",\"namespaced\":true}]}"},
		{0},
	};
	AUTO(server) struct server s = {0};
	AUTO(kube_discovery) struct kube_discovery d = {0};
	const struct kube_resource *r;

	load(answers, "apps/v1", &d, &s);
	cr_expect(!d.aggregated);
	cr_expect(script_is_done(&s.script));
	cr_expect_eq(s.script.seen.count, 3u);
	r = kube_discovery_find(&d, "apps/v1", "Deployment");
	cr_assert_not_null(r);
	cr_expect_str_eq(r->plural, "deployments");
	cr_expect(r->has_status);
	cr_expect_null(kube_discovery_find(&d, "apps/v1", "Scale"));
}

Test(kube_discovery, a_version_that_is_not_listed_is_not_asked_for)
{
	static const struct script_answer answers[] = {OLD_CORE, OLD_GROUPS, {0}};
	AUTO(server) struct server s = {0};
	AUTO(kube_discovery) struct kube_discovery d = {0};

	load(answers, "autoscaling/v2", &d, &s);
	cr_expect_eq(s.script.seen.count, 2u);
	cr_expect_null(kube_discovery_find(&d, "autoscaling/v2", "HorizontalPodAutoscaler"));
}

Test(kube_discovery, a_group_that_goes_at_this_moment_fails_only_its_users)
{
	static const struct script_answer answers[] = {
		OLD_CORE,
		OLD_GROUPS,
		{"GET", SERVER "/apis/stale.io/v1", 404, .body = "404 page not found"},
		{0},
	};
	AUTO(server) struct server s = {0};
	AUTO(kube_discovery) struct kube_discovery d = {0};

	load(answers, "stale.io/v1", &d, &s);
	cr_expect_null(kube_discovery_find(&d, "stale.io/v1", "X"));
}

Test(kube_discovery, a_group_that_cannot_be_reached_fails_only_its_users)
{
	static const struct script_answer answers[] = {
		OLD_CORE,
		OLD_GROUPS,
		{"GET", SERVER "/apis/stale.io/v1", 503, .body = "{}"},
		{"GET", SERVER "/apis/stale.io/v1", 503, .body = "{}"},
		{"GET", SERVER "/apis/stale.io/v1", 503, .body = "{}"},
		{"GET", SERVER "/apis/stale.io/v1", 503, .body = "{}"},
		{"GET", SERVER "/apis/stale.io/v1", 503, .body = "{}"},
		{0},
	};
	AUTO(server) struct server s = {0};
	AUTO(kube_discovery) struct kube_discovery d = {0};

	load(answers, "stale.io/v1", &d, &s);
	cr_expect_null(kube_discovery_find(&d, "stale.io/v1", "X"));
}

Test(kube_discovery, answers_that_are_none)
{
	static const struct {
		int status;
		const char *body;
		enum err_code code;
	} rows[] = {
		{200, "<html>", ERR_INPUT},
		{200, "{\"kind\":\"Pod\"}", ERR_INPUT},
		{200, "{\"kind\":\"Status\",\"status\":\"Failure\",\"code\":403,\"message\":\"no\"}",
		 ERR_DENIED},
		{401, "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"Unauthorized\"}",
		 ERR_DENIED},
		{404, "not found", ERR_MISSING},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct script_answer answers[] = {
			{"GET", SERVER "/api", rows[i].status, .body = rows[i].body},
			{"GET", SERVER "/apis", rows[i].status, .body = rows[i].body},
			{0}};
		AUTO(server) struct server s = {0};
		AUTO(kube_discovery) struct kube_discovery d = {0};
		AUTO(strv) struct strv none = {0};
		struct error err = {0};

		cr_assert_eq(server_init(&s, answers, &err), 0);
		cr_expect_eq(kube_discovery_load(s.client, &none, &d, &err), -1, "row %zu", i);
		cr_expect_eq(err.code, rows[i].code, "row %zu: %s", i, err.msg);
	}
}
