#include "build/provenance.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "supply/intoto.h"
#include "tar/layer.h"

#include <stdlib.h>
#include <string.h>

static void set_text(json_t *object, const char *key, const char *text)
{
	AUTO_FREE char *clean = text ? xstrdup(text) : NULL;

	if (!clean)
		return;
	utf8_sanitize(clean);
	json_object_set_new(object, key, json_string(clean));
}

char *provenance_without_credentials(const char *text)
{
	AUTO(buf) struct buf out = {0};
	const char *scheme;

	while ((scheme = strstr(text, "://"))) {
		const char *host = scheme + 3;
		size_t len = strcspn(host, "/?# \t\r\n\"'`<>|;&()");

		buf_add(&out, text, (size_t)(host - text));
		/* what is before the last @: a password may have one, too */
		for (size_t i = len; i > 0; i--) {
			if (host[i - 1] != '@')
				continue;
			host += i;
			break;
		}
		text = host;
	}
	buf_adds(&out, text);
	return buf_take(&out);
}

/* The address of the run that the builder is a part of, as the CI systems tell it; NULL outside of
 * one. Caller frees. */
static char *ci_run(void)
{
	static const char *const addresses[] = {"CI_JOB_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL",
											"BUILD_URL", NULL};
	const char *server = getenv("GITHUB_SERVER_URL");
	const char *repository = getenv("GITHUB_REPOSITORY");
	const char *run = getenv("GITHUB_RUN_ID");
	const char *attempt = getenv("GITHUB_RUN_ATTEMPT");
	AUTO_FREE char *url = NULL;

	if (server && repository && run && *run) {
		url = xasprintf("%s/%s/actions/runs/%s%s%s", server, repository, run,
						attempt ? "/attempts/" : "", attempt ? attempt : "");
		return provenance_without_credentials(url);
	}
	for (const char *const *name = addresses; *name; name++) {
		const char *value = getenv(*name);

		if (value && strstr(value, "://"))
			return provenance_without_credentials(value);
	}
	return NULL;
}

/* "git+https://git.example/shop@COMMIT"; NULL without a remote. Caller frees. */
static char *source_uri(const struct repo_info *repo)
{
	AUTO_FREE char *url = repo->origin ? build_source_url(repo->origin) : NULL;

	return url ? xasprintf("git+%s%s%s", url, repo->commit[0] ? "@" : "", repo->commit) : NULL;
}

static json_t *source(const struct repo_info *repo)
{
	AUTO_FREE char *uri = source_uri(repo);
	json_t *s = json_object();

	set_text(s, "uri", uri);
	if (repo->commit[0]) {
		json_object_set_new(s, "digest", json_pack("{s:s}", "gitCommit", repo->commit));
		json_object_set_new(s, "dirty", json_boolean(repo->dirty));
	}
	return s;
}

/* The file that says how to build, or that there is none. */
static int configuration(const struct project *p, json_t **out, struct error *err)
{
	AUTO(buf) struct buf text = {0};
	struct error why = {0};
	uint8_t sum[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];

	if (!p->is_written) {
		*out = json_pack("{s:s}", "name", "none (detected)");
		return 0;
	}
	/* a file that was a pipe is gone; that there was one is known */
	if (fs_read_settled(p->file, PROJECT_MAX_BYTES, &text, &why) < 0) {
		if (why.code != ERR_INPUT && why.code != ERR_MISSING) {
			*err = why;
			return -1;
		}
		*out = json_pack("{s:s}", "name", "not kept");
		return 0;
	}
	sha256_of(text.data, text.len, sum);
	*out = json_pack("{s:s, s:{s:s}}", "name", fs_basename(p->file), "digest", "sha256",
					 sha256_hex(sum, hex));
	return 0;
}

/* What names folders of this machine: the project's is told as "." */
static char *portable_text(const struct project *p, const char *step)
{
	AUTO_FREE char *dir = realpath(p->dir, NULL);
	AUTO_FREE char *text = provenance_without_credentials(step);
	size_t len = dir ? strlen(dir) : 0;
	AUTO(buf) struct buf out = {0};
	const char *rest = text;

	for (const char *hit; len > 1 && (hit = strstr(rest, dir));) {
		buf_add(&out, rest, (size_t)(hit - rest));
		rest = hit + len;
		/* "/src/app" is no part of "/src/application" */
		buf_adds(&out, strchr("/ \t\n\"';)&|", *rest) ? "." : dir);
	}
	buf_adds(&out, rest);
	if (out.len > PROVENANCE_MAX_STEP)
		buf_cut(&out, PROVENANCE_MAX_STEP);
	return buf_take(&out);
}

/* Steps of several lines stay such. */
static void sanitize_lines(char *text)
{
	char *rest = text;

	while (*rest) {
		size_t len = strcspn(rest, "\n\t");
		char end = rest[len];

		rest[len] = '\0';
		utf8_sanitize(rest);
		rest[len] = end;
		rest += len + (end != '\0');
	}
}

static json_t *steps(const struct build *b)
{
	json_t *all = json_array();

	for (size_t i = 0; !b->request->no_steps && i < b->plan.steps.count; i++) {
		AUTO_FREE char *text = portable_text(b->project, b->plan.steps.items[i]);

		sanitize_lines(text);
		json_array_append_new(all, json_string(text));
	}
	return all;
}

static const char *toolchain_name(const struct build *b)
{
	return b->request->toolchain ? b->request->toolchain : b->project->build.toolchain;
}

static int external_parameters(const struct build *b, json_t **out, struct error *err)
{
	AUTO_FREE char *platform = oci_platform_text(&b->platform);
	AUTO_FREE char *base = build_base_name(b);
	const char *asked = b->request->sysroot ? b->request->sysroot : b->project->build.sysroot;
	AUTO_FREE char *sysroot = asked ? portable_text(b->project, asked) : NULL;
	AUTO_JSON json_t *p = json_object();
	json_t *config = NULL;

	if (configuration(b->project, &config, err) < 0)
		return -1;
	json_object_set_new(p, "configuration", config);
	json_object_set_new(p, "source", source(&b->stamp->repo));
	json_object_set_new(p, "steps", steps(b));
	set_text(p, "buildSystem", build_system_name(b->plan.kind));
	set_text(p, "platform", platform);
	set_text(p, "base", base ? base : "scratch");
	set_text(p, "sysroot", sysroot);
	set_text(p, "toolchain", build_toolchain_digest(b) ? toolchain_name(b) : NULL);
	*out = TAKE(p);
	return 0;
}

static json_t *internal_parameters(const struct build *b)
{
	return json_pack("{s:i, s:s, s:s, s:I}", "compat", LAYER_COMPAT, "msctl", MSCTL_VERSION,
					 "compression", build_compression(b), "SOURCE_DATE_EPOCH",
					 (json_int_t)b->stamp->created);
}

/* "docker.io/library/debian:12" with the digest that the name led to. */
static void add_image(json_t *all, const char *role, const char *name, const char *digest)
{
	AUTO(oci_ref) struct oci_ref ref = {0};
	AUTO_FREE char *repository = NULL;
	AUTO_FREE char *uri = NULL;
	struct error ignored = {0};

	if (oci_ref_parse(name, &ref, &ignored) < 0)
		return;
	repository = ref.host ? oci_ref_repository(&ref) : NULL;
	uri = sbom_image_url(ref.name, digest, NULL, repository);
	json_array_append_new(all, json_pack("{s:s, s:s, s:{s:s}, s:{s:s}}", "name", name, "uri", uri,
										 "digest", "sha256", oci_digest_hex(digest), "annotations",
										 "role", role));
}

static json_t *dependencies(const struct build *b)
{
	AUTO_FREE char *base = build_base_name(b);
	const char *toolchain = build_toolchain_digest(b);
	json_t *all = json_array();

	if (b->stamp->repo.commit[0]) {
		json_t *s = source(&b->stamp->repo);

		json_object_del(s, "dirty");
		json_object_set_new(
			s, "annotations",
			json_pack("{s:s, s:b}", "role", "source", "dirty", b->stamp->repo.dirty));
		json_array_append_new(all, s);
	}
	if (base) {
		char digest[OCI_DIGEST_LEN + 1];

		add_image(all, "base", base, oci_digest_of(b->base.bytes, b->base.len, digest));
	}
	if (toolchain && toolchain_name(b))
		add_image(all, "toolchain", toolchain_name(b), toolchain);
	return all;
}

int provenance_statement(const struct build *b, const char *digest, json_t **out, struct error *err)
{
	AUTO_FREE char *name = sbom_image_url(b->project->name, digest, b->platform.arch, NULL);
	AUTO_FREE char *run = ci_run();
	json_t *external = NULL;
	json_t *statement;

	if (external_parameters(b, &external, err) < 0)
		return err_wrap(err, "cannot tell how the image was made");
	statement = json_pack(
		"{s:s, s:[{s:s, s:{s:s}}], s:s, s:{s:{s:s, s:o, s:o, s:o}, s:{s:{s:s, s:{s:s}}}}}", "_type",
		INTOTO_STATEMENT, "subject", "name", name, "digest", "sha256", oci_digest_hex(digest),
		"predicateType", INTOTO_PROVENANCE, "predicate", "buildDefinition", "buildType",
		PROVENANCE_BUILD_TYPE, "externalParameters", external, "internalParameters",
		internal_parameters(b), "resolvedDependencies", dependencies(b), "runDetails", "builder",
		"id", PROVENANCE_BUILDER, "version", "msctl", MSCTL_VERSION);
	if (run)
		json_object_set_new(doc_get(statement, "predicate.runDetails"), "metadata",
							json_pack("{s:s}", "invocationId", run));
	*out = statement;
	return 0;
}

char *provenance_compiler(const struct build *b)
{
	const char *name = "cc";

	if (b->request->no_steps || b->plan.steps.count == 0 || b->toolchain || getenv("CC"))
		return NULL;
	for (size_t i = 0; i < b->plan.env.count; i++)
		if (text_starts(b->plan.env.items[i], "CC="))
			name = b->plan.env.items[i] + strlen("CC=");
	return xasprintf("%s%.*s", name[0] == '/' ? "" : "/usr/bin/", (int)strcspn(name, " "), name);
}

static void add_package(json_t *statement, const struct sbom_package *p, const char *role)
{
	json_t *all = doc_get(statement, "predicate.buildDefinition.resolvedDependencies");
	AUTO_FREE char *uri = sbom_package_url(p);
	json_t *d;

	if (!uri)
		return;
	d = json_pack("{s:s, s:{s:s}}", "uri", uri, "annotations", "role", role);
	set_text(d, "name", p->name);
	json_array_append_new(all, d);
}

void provenance_add_packages(json_t *statement, const struct sbom *s)
{
	for (size_t i = 0; i < s->package_count; i++)
		if (!s->packages[i].in_base)
			add_package(statement, &s->packages[i], "package");
}

void provenance_add_compiler(json_t *statement, const struct sbom_package *p)
{
	add_package(statement, p, "compiler");
}
