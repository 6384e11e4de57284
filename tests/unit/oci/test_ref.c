#include "oci/ref.h"

#include "base/auto.h"
#include "base/compiler.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define D64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LONG_HOST_LABEL "a12345678901234567890123456789012345678901234567890123456789012"

struct row {
	const char *text;
	const char *host, *name, *tag, *digest;
};

static const struct row accepted[] = {
	{"orders", NULL, "orders", NULL, NULL},
	{"orders:1", NULL, "orders", "1", NULL},
	{"shop/orders", NULL, "shop/orders", NULL, NULL},
	{"test.com", NULL, "test.com", NULL, NULL},
	{"test.com:tag", NULL, "test.com", "tag", NULL},
	{"test.com:5000", NULL, "test.com", "5000", NULL},
	{"test.com/repo:tag", "test.com", "repo", "tag", NULL},
	{"test:5000/repo", "test:5000", "repo", NULL, NULL},
	{"test:5000/repo:tag", "test:5000", "repo", "tag", NULL},
	{"test:5000/repo@sha256:" D64, "test:5000", "repo", NULL, "sha256:" D64},
	{"test:5000/repo:tag@sha256:" D64, "test:5000", "repo", "tag", "sha256:" D64},
	{"localhost/x", "localhost", "x", NULL, NULL},
	{"localhost", NULL, "localhost", NULL, NULL},
	{"localhost:5000/x", "localhost:5000", "x", NULL, NULL},
	{"127.0.0.1:5000/x:1", "127.0.0.1:5000", "x", "1", NULL},
	{"[::1]:5000/x:1", "[::1]:5000", "x", "1", NULL},
	{"[2001:db8::1]/x", "[2001:db8::1]", "x", NULL, NULL},
	{"Uppercase/lowercase:tag", "Uppercase", "lowercase", "tag", NULL},
	{"REGISTRY.example.com/x", "REGISTRY.example.com", "x", NULL, NULL},
	{"registry.example.com/a/b/c/d/e:f", "registry.example.com", "a/b/c/d/e", "f", NULL},
	{"lowercase:Uppercase", NULL, "lowercase", "Uppercase", NULL},
	{"sub-dom1.foo.com/bar/baz/quux", "sub-dom1.foo.com", "bar/baz/quux", NULL, NULL},
	{"sub-dom1.foo.com/bar/baz/quux:some-long-tag", "sub-dom1.foo.com", "bar/baz/quux",
	 "some-long-tag", NULL},
	{"b.gcr.io/test.example.com/my-app:test.example.com", "b.gcr.io", "test.example.com/my-app",
	 "test.example.com", NULL},
	{"xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com", "myimage", "xn--n3h.com", NULL},
	{"foo_bar.com:8080", NULL, "foo_bar.com", "8080", NULL},
	{"foo/foo_bar.com:8080", NULL, "foo/foo_bar.com", "8080", NULL},
	{"a--b", NULL, "a--b", NULL, NULL},
	{"a__b", NULL, "a__b", NULL, NULL},
	{"docker.io/alpine", "docker.io", "library/alpine", NULL, NULL},
	{"docker.io/library/alpine:3", "docker.io", "library/alpine", "3", NULL},
	{"index.docker.io/alpine", "docker.io", "library/alpine", NULL, NULL},
	{"docker.io/user/alpine", "docker.io", "user/alpine", NULL, NULL},
	{"x:_tag", NULL, "x", "_tag", NULL},
	{"0/1:2", NULL, "0/1", "2", NULL},
	{LONG_HOST_LABEL ".com/x", LONG_HOST_LABEL ".com", "x", NULL, NULL},
};

static const char *const refused[] = {
	"",
	" ",
	"\t",
	":",
	":justtag",
	"/",
	"@sha256:" D64,
	"repo@sha256:short",
	"repo@",
	"repo:",
	"repo@" D64,
	"validname@invaliddigest:ffffffffffffffffffffffffffffffffff",
	"Uppercase:tag",
	"test:5000/Uppercase/lowercase:tag",
	"aa/asdf$$^/aa",
	"a//b",
	"/a",
	"a/",
	"a/./b",
	"a/../b",
	"../a",
	"a..b",
	"a___b",
	".a",
	"a.",
	"-a",
	"a-",
	"_a",
	"a_",
	"a-_b",
	"a-.b",
	"example.com%2F10.0.0.1/x",
	"%2e%2e%2f",
	"x%00",
	"http://a.com/x",
	"https://a.com/x:1",
	"a\nb",
	"a\rb",
	"a\x1b[31mb",
	"a\xe2\x80\xae"
	"b",
	"\xff",
	"exämple.com/x",
	"a b",
	"a:b c",
	"a.com:99999/x",
	"a.com:0/x",
	"a.com:/x",
	"a.com:5000x/x",
	"-a.com/x",
	"a-.com/x",
	"a..com/x",
	"[::1/x",
	"[]/x",
	"[::1]x/x",
	"[::1]",
	"[fe80::1%eth0]:5000/x",
	"a_b.com/x",
	".com/x",
	"repo@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
	"repo@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
	"repo@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
	"repo@sha512:" D64,
	"repo@sha256:../../etc/x",
	"repo@md5:" D64,
	"repo@sha256:" D64 "@sha256:" D64,
	"repo@sha256:" D64 ":tag",
	"repo:.tag",
	"repo:-tag",
	"repo:a/b:c:d",
	"repo:a:b",
	D64,
	LONG_HOST_LABEL "x.com/x",
	"user@host/x",
	"a\\b",
	"C:\\x",
	"repo:tág",
};

static void expect(const char *text, const char *what, const char *want, const char *got)
{
	if (!want || !got)
		cr_expect_eq(want, got, "%s: %s: %s", text, what, got ? got : "(null)");
	else
		cr_expect_str_eq(got, want, "%s: %s: %s", text, what, got);
}

Test(oci_ref, accepts_what_the_grammar_accepts)
{
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		const struct row *row = &accepted[i];
		AUTO(oci_ref) struct oci_ref r = {0};
		struct error err = {0};

		cr_assert_eq(oci_ref_parse(row->text, &r, &err), 0, "%s: %s", row->text, err.msg);
		expect(row->text, "host", row->host, r.host);
		expect(row->text, "name", row->name, r.name);
		expect(row->text, "tag", row->tag, r.tag);
		expect(row->text, "digest", row->digest, r.digest);
	}
}

Test(oci_ref, refuses_everything_else_and_leaves_out_alone)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct oci_ref r = {0};
		struct error err = {0};

		cr_assert_eq(oci_ref_parse(refused[i], &r, &err), -1, "%s was accepted", refused[i]);
		cr_expect_eq(err.code, ERR_INPUT, "%s", refused[i]);
		cr_expect_null(r.name, "%s", refused[i]);
		cr_expect(err.hint[0], "%s: %s", refused[i], err.msg);
		for (const char *p = err.msg; *p; p++)
			cr_expect(*p >= ' ' && *p <= '~', "%s", refused[i]);
	}
}

Test(oci_ref, text_parses_to_itself)
{
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		AUTO(oci_ref) struct oci_ref a = {0}, b = {0};
		struct error err = {0};
		AUTO_FREE char *first = NULL;
		AUTO_FREE char *second = NULL;

		cr_assert_eq(oci_ref_parse(accepted[i].text, &a, &err), 0);
		first = oci_ref_text(&a);
		cr_assert_eq(oci_ref_parse(first, &b, &err), 0, "%s: %s", first, err.msg);
		second = oci_ref_text(&b);
		cr_expect_str_eq(first, second);
	}
}

Test(oci_ref, lengths_are_bounded)
{
	struct error err = {0};
	char name[OCI_REF_MAX_NAME + 2], tag[OCI_REF_MAX_TAG + 4];
	AUTO(oci_ref) struct oci_ref longest = {0}, tagged = {0};
	struct oci_ref none = {0};

	memset(name, 'a', sizeof(name));
	name[OCI_REF_MAX_NAME] = '\0';
	cr_expect_eq(oci_ref_parse(name, &longest, &err), 0, "%s", err.msg);
	name[OCI_REF_MAX_NAME] = 'a';
	name[OCI_REF_MAX_NAME + 1] = '\0';
	cr_expect_eq(oci_ref_parse(name, &none, &err), -1);
	cr_expect(err.hint[0], "%s", err.msg);

	memset(tag, 't', sizeof(tag));
	memcpy(tag, "a:", 2);
	tag[OCI_REF_MAX_TAG + 2] = '\0';
	cr_expect_eq(oci_ref_parse(tag, &tagged, &err), 0, "%s", err.msg);
	tag[OCI_REF_MAX_TAG + 2] = 't';
	tag[OCI_REF_MAX_TAG + 3] = '\0';
	cr_expect_eq(oci_ref_parse(tag, &none, &err), -1);
}

Test(oci_ref, default_tag_only_when_nothing_is_written)
{
	AUTO(oci_ref) struct oci_ref plain = {0}, digest = {0};
	struct error err = {0};

	cr_assert_eq(oci_ref_parse_tagged("x", &plain, &err), 0);
	cr_expect_str_eq(plain.tag, "latest");
	cr_assert_eq(oci_ref_parse_tagged("x@sha256:" D64, &digest, &err), 0);
	cr_expect_null(digest.tag);
}

Test(oci_ref, the_api_of_docker_hub_has_another_name)
{
	AUTO(oci_ref) struct oci_ref hub = {0}, own = {0};
	struct error err = {0};

	cr_assert_eq(oci_ref_parse("docker.io/alpine", &hub, &err), 0);
	cr_expect_str_eq(oci_ref_api_host(&hub), "registry-1.docker.io");
	cr_assert_eq(oci_ref_parse("r.example.com/x", &own, &err), 0);
	cr_expect_str_eq(oci_ref_api_host(&own), "r.example.com");
}
