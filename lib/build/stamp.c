#include "build/memory.h"

#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

char *build_version_tag(const char *described)
{
	AUTO_FREE char *tag = xstrdup(described);
	char *start = tag;

	for (char *p = tag; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", *p))
			*p = '-';
	start += strspn(start, ".-");
	if (strlen(start) > OCI_REF_MAX_TAG)
		start[OCI_REF_MAX_TAG] = '\0';
	return xstrdup(*start ? start : "latest");
}

static bool starts_with_any(const char *text, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (text_starts(text, *prefixes))
			return true;
	return false;
}

/* A port is a number: what stands there of a password with a '/' in it is not. */
static bool is_host(const char *host, size_t len)
{
	const char *port = host[0] == '[' ? NULL : memchr(host, ':', len);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)host[i]) && !strchr(".-_:[]", host[i]))
			return false;
	for (const char *p = port ? port + 1 : host + len; p < host + len; p++)
		if (!isdigit((unsigned char)*p))
			return false;
	return len > 0;
}

static bool is_plain(const char *url)
{
	for (; *url; url++)
		if (*url <= ' ' || *url > '~')
			return false;
	return true;
}

/* Everybody who clones the same repository, by whichever protocol, must get the same image. */
char *build_source_url(const char *origin)
{
	static const char *const remote[] = {"https://", "http://", "ssh://", "git://", NULL};
	/* a query is for the server, and often a token */
	AUTO_FREE char *place = xstrndup(origin, strcspn(origin, "?#"));
	AUTO_FREE char *url = NULL;
	const char *scheme = strstr(place, "://");
	const char *host = scheme ? scheme + 3 : place;
	const char *end, *at;
	size_t len;

	if (!is_plain(place) || (scheme && !starts_with_any(place, remote)))
		return NULL;
	end = host + strcspn(host, "/");
	at = memrchr(host, '@', (size_t)(end - host));
	if (at)
		host = at + 1;
	len = strcspn(host, scheme ? "/" : ":/");
	/* "git@host:path" is the scp form; without its colon it is a folder of this machine */
	if (!is_host(host, len) || (!scheme && (host[len] != ':' || host[len + 1] == ':')))
		return NULL;
	end = host + len + (host[len] != '\0');
	if (scheme && memchr(host, ':', len) && text_starts(place, "ssh"))
		len = strcspn(host, ":");
	url = xasprintf("https://%.*s/%s", (int)len, host, end + strspn(end, "/"));
	if (text_ends(url, ".git"))
		url[strlen(url) - 4] = '\0';
	return TAKE(url);
}

static int read_time(struct build_stamp *s, struct error *err)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");

	s->created = s->repo.commit[0] ? s->repo.commit_time : 0;
	if (!epoch || !*epoch)
		return 0;
	/* the year 9999 is the last that RFC 3339 can write */
	if (!text_to_int(epoch, 0, 253402300799, &s->created)) {
		err_set(err, ERR_USAGE, "SOURCE_DATE_EPOCH is '%s'", epoch);
		return err_hint(err, "set it to seconds since 1970, or unset it");
	}
	return 0;
}

/* IMAGE:VERSION; described is NULL where git has nothing to say. */
static int project_reference(const struct project *p, const char *described, struct oci_ref *out,
							 struct error *err)
{
	AUTO(oci_ref) struct oci_ref ref = {0};

	if (oci_ref_parse(p->image, &ref, err) < 0)
		return err_wrap(err, "%s: image", p->file);
	if (!ref.tag)
		ref.tag = build_version_tag(described ? described : "latest");
	*out = MOVE(ref);
	return 0;
}

static const char *describe(const struct project *p, const struct repo_info *repo)
{
	return strcmp(p->version, "git") == 0 ? repo->describe : p->version;
}

int build_reference(const struct project *project, struct oci_ref *out, struct error *err)
{
	AUTO(repo_info) struct repo_info repo = {0};

	if (strcmp(project->version, "git") == 0 && build_repository(NULL, project, &repo, err) < 0)
		return -1;
	return project_reference(project, describe(project, &repo), out, err);
}

static int name_image(const struct build_request *request, struct build_stamp *s, struct error *err)
{
	const struct project *p = request->project;
	const struct build_watch *w = &request->watch;
	const char *described = describe(p, &s->repo);
	AUTO(oci_ref) struct oci_ref ref = {0};
	int rc;

	if (!described && w->note)
		w->note(w->user, "no git commit here: the version is 'latest'");
	s->tag = build_version_tag(described ? described : "latest");
	if (request->reference)
		rc = oci_ref_parse_tagged(request->reference, &ref, err);
	else
		rc = project_reference(p, described, &ref, err);
	if (rc < 0)
		return -1;
	if (ref.digest) {
		err_set(err, ERR_USAGE, "an image that is still to be built has no digest");
		return err_hint(err, "name it by a tag: NAME:TAG");
	}
	s->ref = MOVE(ref);
	return 0;
}

void build_stamp_release(struct build_stamp *s)
{
	build_memory_free(s->memory);
	repo_info_release(&s->repo);
	free(s->tag);
	oci_ref_release(&s->ref);
}

int build_stamp(const struct build_request *request, struct build_stamp *out, struct error *err)
{
	AUTO(build_stamp) struct build_stamp s = {0};

	build_memory_open(request, &s.memory);
	if (build_repository(s.memory, request->project, &s.repo, err) < 0 || read_time(&s, err) < 0 ||
		name_image(request, &s, err) < 0)
		return -1;
	*out = MOVE(s);
	return 0;
}
