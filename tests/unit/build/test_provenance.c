#include "build/provenance.h"

#include "base/fs.h"
#include "base/mem.h"
#include "supply/intoto.h"
#include "tar/layer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static void forget_ci(void)
{
	static const char *const names[] = {
		"GITHUB_SERVER_URL", "GITHUB_REPOSITORY",   "GITHUB_RUN_ID",    "GITHUB_RUN_ATTEMPT",
		"CI_JOB_URL",        "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL", "BUILD_URL"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
}

TestSuite(provenance, .init = forget_ci);

/* A build of a folder that has no msctl.yaml. */
struct world {
	struct build_request request;
	struct project project;
	struct build_stamp stamp;
	struct build b;
};

static void make_world(struct world *w)
{
	static char dir[] = "/", file[] = "msctl.yaml";

	*w = (struct world){.project = {.dir = dir, .file = file, .name = "orders"},
						.stamp = {.created = 86400}};
	w->project.build.base = "scratch";
	w->project.build.compression = "gzip";
	w->b = (struct build){.request = &w->request, .project = &w->project, .stamp = &w->stamp};
	w->b.platform = (struct oci_platform){.os = "linux", .arch = "arm64"};
}

static json_t *statement(const struct world *w)
{
	json_t *doc = NULL;
	struct error err = {0};

	cr_assert_eq(provenance_statement(&w->b, DIGEST, &doc, &err), 0, "%s", err.msg);
	return doc;
}

Test(provenance, addresses_lose_their_credentials)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"", ""},
		{"make -s", "make -s"},
		{"curl https://user:pass@host/x", "curl https://host/x"},
		{"curl https://token@host", "curl https://host"},
		{"curl 'https://u:p@ss@host:8080/a@b' https://host/c@d",
		 "curl 'https://host:8080/a@b' https://host/c@d"},
		{"a://b@c d://e@f", "a://c d://f"},
		{"git clone ssh://git@host/x;echo a@b", "git clone ssh://host/x;echo a@b"},
		{"://", "://"},
		{"x://@", "x://"},
		{"mail a@b.example", "mail a@b.example"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_FREE char *got = provenance_without_credentials(cases[i].text);

		cr_expect_str_eq(got, cases[i].want, "%s", cases[i].text);
	}
}

Test(provenance, a_folder_without_anything_is_told_as_such)
{
	struct world w;
	AUTO_JSON json_t *doc = NULL;
	AUTO_JSON json_t *again = NULL;
	const json_t *external, *internal;

	make_world(&w);
	doc = statement(&w);
	again = statement(&w);
	external = doc_get(doc, "predicate.buildDefinition.externalParameters");
	internal = doc_get(doc, "predicate.buildDefinition.internalParameters");
	cr_expect_str_eq(doc_text(doc, "_type", ""), INTOTO_STATEMENT);
	cr_expect_str_eq(doc_text(doc, "predicateType", ""), INTOTO_PROVENANCE);
	cr_expect_str_eq(doc_text(doc, "subject.0.digest.sha256", ""), DIGEST + 7);
	cr_expect_str_eq(doc_text(external, "configuration.name", ""), "none (detected)");
	cr_expect_null(doc_get(external, "configuration.digest"));
	cr_expect_str_eq(doc_text(external, "platform", ""), "linux/arm64");
	cr_expect_str_eq(doc_text(external, "base", ""), "scratch");
	cr_expect_eq(json_object_size(doc_get(external, "source")), 0);
	cr_expect_eq(doc_int(internal, "SOURCE_DATE_EPOCH", 0), 86400);
	cr_expect_eq(doc_int(internal, "compat", 0), LAYER_COMPAT);
	cr_expect_eq(json_array_size(doc_get(doc, "predicate.buildDefinition.resolvedDependencies")),
				 0);
	cr_expect_null(doc_get(doc, "predicate.runDetails.metadata"));
	cr_expect(json_equal(doc, again));
}

Test(provenance, the_commit_is_named_with_its_repository)
{
	struct world w;
	AUTO_JSON json_t *doc = NULL;
	const json_t *source, *dependency;
	char origin[] = "git@git.example:shop/orders.git";

	make_world(&w);
	memcpy(w.stamp.repo.commit, COMMIT, sizeof(COMMIT));
	w.stamp.repo.origin = origin;
	w.stamp.repo.dirty = true;
	doc = statement(&w);
	source = doc_get(doc, "predicate.buildDefinition.externalParameters.source");
	dependency = doc_get(doc, "predicate.buildDefinition.resolvedDependencies.0");
	cr_expect_str_eq(doc_text(source, "uri", ""), "git+https://git.example/shop/orders@" COMMIT);
	cr_expect_str_eq(doc_text(source, "digest.gitCommit", ""), COMMIT);
	cr_expect(doc_bool(source, "dirty", false));
	cr_expect_str_eq(doc_text(dependency, "digest.gitCommit", ""), COMMIT);
	cr_expect_str_eq(doc_text(dependency, "annotations.role", ""), "source");
	cr_expect(doc_bool(dependency, "annotations.dirty", false));
	/* only what the specification knows */
	cr_expect_null(json_object_get(dependency, "dirty"));
}

/* '#' stands for a folder. */
static char *filled(const char *text, const char *dir)
{
	AUTO(buf) struct buf out = {0};

	for (; *text; text++) {
		if (*text == '#')
			buf_adds(&out, dir);
		else
			buf_addc(&out, *text);
	}
	return buf_take(&out);
}

Test(provenance, steps_are_told_without_this_machine_s_folders)
{
	static const struct {
		const char *step, *want;
	} cases[] = {
		{"make -s", "make -s"},
		{"cd #/build && make", "cd ./build && make"},
		{"DESTDIR='#/out' ninja -C #", "DESTDIR='./out' ninja -C ."},
		{"ls #ectory #", "ls #ectory ."},
		{"a\n\tb\n\001\xff", "a\n\tb\n??"},
		{"git clone https://a:b@host/x #/x", "git clone https://host/x ./x"},
	};
	AUTO_FREE char *dir = NULL;
	struct error err = {0};
	struct world w;

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-unit-", &dir, &err), 0);
	make_world(&w);
	w.project.dir = dir;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_FREE char *step = filled(cases[i].step, dir);
		AUTO_FREE char *want = filled(cases[i].want, dir);
		AUTO_JSON json_t *doc = NULL;

		strv_add(&w.b.plan.steps, step);
		doc = statement(&w);
		cr_expect_str_eq(doc_text(doc, "predicate.buildDefinition.externalParameters.steps.0", ""),
						 want);
		strv_release(&w.b.plan.steps);
	}
	w.request.sysroot = dir;
	AUTO_JSON json_t *with = statement(&w);
	cr_expect_str_eq(doc_text(with, "predicate.buildDefinition.externalParameters.sysroot", ""),
					 ".");
	w.request.sysroot = NULL;
	/* what did not run is not told */
	strv_add(&w.b.plan.steps, "make");
	w.request.no_steps = true;
	AUTO_JSON json_t *doc = statement(&w);
	cr_expect_eq(
		json_array_size(doc_get(doc, "predicate.buildDefinition.externalParameters.steps")), 0);
	strv_release(&w.b.plan.steps);
	fs_remove_tree(dir, &err);
}

Test(provenance, the_compiler_is_the_one_that_steps_find)
{
	static const struct {
		const char *cc, *want;
	} cases[] = {
		{NULL, "/usr/bin/cc"},
		{"CC=aarch64-linux-gnu-gcc -pipe", "/usr/bin/aarch64-linux-gnu-gcc"},
		{"CC=/opt/bin/gcc", "/opt/bin/gcc"},
	};
	struct world w;

	make_world(&w);
	unsetenv("CC");
	cr_expect_null(provenance_compiler(&w.b), "no step ran");
	strv_add(&w.b.plan.steps, "make");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_FREE char *got = NULL;

		if (cases[i].cc)
			strv_add(&w.b.plan.env, cases[i].cc);
		got = provenance_compiler(&w.b);
		cr_expect_str_eq(got, cases[i].want);
		strv_release(&w.b.plan.env);
	}
	/* the caller chooses, and the environment is not told */
	setenv("CC", "mine", 1);
	cr_expect_null(provenance_compiler(&w.b));
	unsetenv("CC");
	w.request.no_steps = true;
	cr_expect_null(provenance_compiler(&w.b));
	strv_release(&w.b.plan.steps);
}

Test(provenance, the_configuration_is_known_by_its_digest)
{
	AUTO_FREE char *dir = NULL;
	AUTO_FREE char *file = NULL;
	AUTO_JSON json_t *doc = NULL;
	AUTO_JSON json_t *gone = NULL;
	struct error err = {0};
	struct world w;

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-unit-", &dir, &err), 0);
	file = fs_join(dir, "build.yaml");
	cr_assert_eq(fs_write_atomic(file, "", 0, 0644, &err), 0);
	make_world(&w);
	w.project.file = file;
	w.project.is_written = true;
	doc = statement(&w);
	cr_expect_str_eq(
		doc_text(doc, "predicate.buildDefinition.externalParameters.configuration.name", ""),
		"build.yaml");
	cr_expect_str_eq(
		doc_text(doc, "predicate.buildDefinition.externalParameters.configuration.digest.sha256",
				 ""),
		DIGEST + 7);
	fs_remove_tree(dir, &err);
	gone = statement(&w);
	cr_expect_null(
		doc_get(gone, "predicate.buildDefinition.externalParameters.configuration.digest"));
}

Test(provenance, a_run_of_ci_is_named)
{
	static const struct {
		const char *name, *value, *want;
	} cases[] = {
		{"CI_JOB_URL", "https://u:p@lab.example/shop/-/jobs/7",
		 "https://lab.example/shop/-/jobs/7"},
		{"BUILD_URL", "https://ci.example/job/7/", "https://ci.example/job/7/"},
		{"BUILD_URL", "seven", ""},
		{"BUILD_URL", "", ""},
	};
	AUTO_JSON json_t *hub = NULL;
	struct world w;

	make_world(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_JSON json_t *doc = NULL;

		forget_ci();
		setenv(cases[i].name, cases[i].value, 1);
		doc = statement(&w);
		cr_expect_str_eq(doc_text(doc, "predicate.runDetails.metadata.invocationId", ""),
						 cases[i].want);
	}
	setenv("GITHUB_SERVER_URL", "https://hub.example", 1);
	setenv("GITHUB_REPOSITORY", "shop/orders", 1);
	setenv("GITHUB_RUN_ID", "12", 1);
	hub = statement(&w);
	cr_expect_str_eq(doc_text(hub, "predicate.runDetails.metadata.invocationId", ""),
					 "https://hub.example/shop/orders/actions/runs/12");
}

Test(provenance, packages_of_the_image_and_not_of_its_base)
{
	static char names[][8] = {"orders", "zlib1g", "libc6"}, version[] = "1", arch[] = "amd64";
	static char distro[] = "debian";
	struct sbom_package packages[] = {
		{.kind = SBOM_PROJECT, .name = names[0]},
		{.kind = SBOM_DEBIAN,
		 .name = names[1],
		 .version = version,
		 .arch = arch,
		 .distro_id = distro},
		{.kind = SBOM_DEBIAN,
		 .name = names[2],
		 .version = version,
		 .arch = arch,
		 .distro_id = distro,
		 .in_base = true},
	};
	const struct sbom s = {.packages = packages, .package_count = 3};
	AUTO_JSON json_t *doc = NULL;
	const json_t *all;
	struct world w;

	make_world(&w);
	doc = statement(&w);
	provenance_add_packages(doc, &s);
	all = doc_get(doc, "predicate.buildDefinition.resolvedDependencies");
	cr_assert_eq(json_array_size(all), 1);
	cr_expect_str_eq(doc_text(all, "0.uri", ""), "pkg:deb/debian/zlib1g@1?arch=amd64");
	cr_expect_str_eq(doc_text(all, "0.annotations.role", ""), "package");
}
