#include "oci/ref.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/span.h"
#include "base/text.h"
#include "oci/digest.h"

#include <ctype.h>
#include <string.h>

#define MAX_HOST 261 /* a DNS name of 253 bytes, ':' and a port, or an address in brackets */
#define MAX_TEXT (MAX_HOST + OCI_REF_MAX_NAME + OCI_REF_MAX_TAG + OCI_DIGEST_LEN + 3)

void oci_ref_release(struct oci_ref *r)
{
	free(r->host);
	free(r->name);
	free(r->tag);
	free(r->digest);
	*r = (struct oci_ref){0};
}

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* [a-z0-9]+ joined by one '.', one or two '_', or any number of '-' */
static bool is_path_component(struct span s)
{
	size_t i = 0;

	for (;;) {
		size_t start = i;
		char c;

		while (i < s.len && is_lower_alnum(s.data[i]))
			i++;
		if (i == start)
			return false;
		if (i == s.len)
			return true;
		c = s.data[i++];
		if (c == '_' && i < s.len && s.data[i] == '_')
			i++;
		while (c == '-' && i < s.len && s.data[i] == '-')
			i++;
		if (c != '.' && c != '_' && c != '-')
			return false;
	}
}

static bool is_host_label(struct span s)
{
	if (s.len == 0 || s.len > 63 || !is_alnum(s.data[0]) || !is_alnum(s.data[s.len - 1]))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_alnum(s.data[i]) && s.data[i] != '-')
			return false;
	return true;
}

static bool is_port(struct span s)
{
	char digits[8];
	int64_t port;

	if (s.len == 0 || s.len >= sizeof(digits))
		return false;
	memcpy(digits, s.data, s.len);
	digits[s.len] = '\0';
	return text_to_int(digits, 1, 65535, &port);
}

static bool is_host_name(struct span s)
{
	for (;;) {
		const char *dot = memchr(s.data, '.', s.len);
		size_t len = dot ? (size_t)(dot - s.data) : s.len;

		if (!is_host_label((struct span){s.data, len}))
			return false;
		if (!dot)
			return true;
		s.data += len + 1;
		s.len -= len + 1;
	}
}

static bool is_host(struct span s)
{
	const char *end = s.data + s.len;
	const char *name_end;

	if (s.len == 0 || s.len > MAX_HOST)
		return false;
	if (s.data[0] == '[') {
		name_end = memchr(s.data, ']', s.len);
		if (!name_end || name_end == s.data + 1)
			return false;
		for (const char *p = s.data + 1; p < name_end; p++)
			if (!isxdigit((unsigned char)*p) && *p != ':' && *p != '.')
				return false;
		name_end++;
	} else {
		name_end = memchr(s.data, ':', s.len);
		name_end = name_end ? name_end : end;
		if (!is_host_name((struct span){s.data, (size_t)(name_end - s.data)}))
			return false;
	}
	if (name_end == end)
		return true;
	return *name_end == ':' && is_port((struct span){name_end + 1, (size_t)(end - name_end - 1)});
}

bool oci_is_tag(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > OCI_REF_MAX_TAG || text[0] == '.' || text[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(text[i]) && !strchr("_.-", text[i]))
			return false;
	return true;
}

/* distribution/reference, splitDockerDomain: what makes a first component a host */
static bool looks_like_host(struct span first)
{
	if (span_is(first, "localhost"))
		return true;
	for (size_t i = 0; i < first.len; i++)
		if (first.data[i] == '.' || first.data[i] == ':' || isupper((unsigned char)first.data[i]))
			return true;
	return false;
}

static int check_name(const char *text, struct span name, struct error *err)
{
	struct span rest = name;

	if (name.len == 0)
		return err_set(err, ERR_INPUT, "image reference '%s' has no name", text);
	if (name.len > OCI_REF_MAX_NAME)
		return err_set(err, ERR_INPUT, "image name is longer than %d bytes", OCI_REF_MAX_NAME);
	for (size_t i = 0; i < name.len; i++) {
		if (isupper((unsigned char)name.data[i])) {
			err_set(err, ERR_INPUT, "image name in '%s' has upper-case letters", text);
			return err_hint(err, "write the name in lower case");
		}
	}
	for (;;) {
		const char *slash = memchr(rest.data, '/', rest.len);
		size_t len = slash ? (size_t)(slash - rest.data) : rest.len;

		if (!is_path_component((struct span){rest.data, len})) {
			err_set(err, ERR_INPUT, "'%.*s' in image reference '%s' is no valid name", (int)len,
					rest.data, text);
			return err_hint(err, "use a-z and 0-9, joined by '.', '_' or '-', "
								 "as in HOST/shop/orders:1.0");
		}
		if (!slash)
			return 0;
		rest.data += len + 1;
		rest.len -= len + 1;
	}
}

static bool is_hex_id(struct span s)
{
	if (s.len != SHA256_HEX_LEN)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!isxdigit((unsigned char)s.data[i]))
			return false;
	return true;
}

static int take_name(const char *text, struct span s, struct oci_ref *r, struct error *err)
{
	const char *slash = memchr(s.data, '/', s.len);
	struct span first = {s.data, slash ? (size_t)(slash - s.data) : 0};

	if (slash && looks_like_host(first)) {
		if (!is_host(first))
			return err_set(err, ERR_INPUT, "'%.*s' in '%s' is no valid registry host",
						   (int)first.len, first.data, text);
		r->host = span_is(first, "index.docker.io") ? xstrdup("docker.io")
													: xstrndup(first.data, first.len);
		s.data += first.len + 1;
		s.len -= first.len + 1;
	}
	if (check_name(text, s, err) < 0)
		return -1;
	if (!slash && is_hex_id(s))
		return err_set(err, ERR_INPUT, "'%s' is an image id, not a name", text);
	if (r->host && strcmp(r->host, "docker.io") == 0 && !memchr(s.data, '/', s.len))
		r->name = xasprintf("library/%.*s", (int)s.len, s.data);
	else
		r->name = xstrndup(s.data, s.len);
	return 0;
}

static int check_text(const char *text, struct error *err)
{
	if (text[0] == '\0')
		return err_set(err, ERR_INPUT, "image reference is empty");
	if (strlen(text) > MAX_TEXT)
		return err_set(err, ERR_INPUT, "image reference is longer than %d bytes", (int)MAX_TEXT);
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~')
			return err_set(err, ERR_INPUT, "image reference has the byte \\x%02x at position %d",
						   (unsigned)(unsigned char)*p, (int)(p - text) + 1);
	return 0;
}

static int parse(const char *text, struct oci_ref *out, struct error *err)
{
	AUTO(oci_ref) struct oci_ref r = {0};
	const char *at;
	const char *tag = NULL;
	size_t name_len;

	if (check_text(text, err) < 0)
		return -1;
	at = strchrnul(text, '@');
	name_len = (size_t)(at - text);
	if (*at && !oci_is_digest(at + 1)) {
		err_set(err, ERR_INPUT, "'%s' is no valid digest", at + 1);
		return err_hint(err, "a digest is sha256: and 64 lower-case hex digits");
	}
	for (size_t i = name_len; i > 0 && text[i - 1] != '/'; i--)
		if (text[i - 1] == ':')
			tag = text + i; /* the first one behind the last slash */
	if (tag) {
		r.tag = xstrndup(tag, (size_t)(at - tag));
		name_len = (size_t)(tag - 1 - text);
		if (!oci_is_tag(r.tag)) {
			err_set(err, ERR_INPUT, "'%s' in image reference '%s' is no valid tag", r.tag, text);
			return err_hint(err,
							"a tag has 1 to %d of A-Z a-z 0-9 _ . - and starts with none "
							"of . -",
							OCI_REF_MAX_TAG);
		}
	}
	if (*at)
		r.digest = xstrdup(at + 1);
	if (take_name(text, (struct span){text, name_len}, &r, err) < 0)
		return -1;
	*out = MOVE(r);
	return 0;
}

int oci_ref_parse(const char *text, struct oci_ref *out, struct error *err)
{
	if (parse(text, out, err) == 0)
		return 0;
	return err->hint[0] ? -1
						: err_hint(err, "write it as [HOST[:PORT]/]NAME[:TAG][@DIGEST], as in "
										"registry.example.com/shop/orders:1.0");
}

int oci_ref_parse_tagged(const char *text, struct oci_ref *out, struct error *err)
{
	if (oci_ref_parse(text, out, err) < 0)
		return -1;
	if (!out->tag && !out->digest)
		out->tag = xstrdup("latest");
	return 0;
}

char *oci_ref_repository(const struct oci_ref *r)
{
	return r->host ? xasprintf("%s/%s", r->host, r->name) : xstrdup(r->name);
}

char *oci_ref_text(const struct oci_ref *r)
{
	AUTO_FREE char *repository = oci_ref_repository(r);

	return xasprintf("%s%s%s%s%s", repository, r->tag ? ":" : "", r->tag ? r->tag : "",
					 r->digest ? "@" : "", r->digest ? r->digest : "");
}

const char *oci_ref_api_host(const struct oci_ref *r)
{
	return r->host && strcmp(r->host, "docker.io") == 0 ? "registry-1.docker.io" : r->host;
}
