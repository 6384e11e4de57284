#include "oci/manifest.h"

#include "base/mem.h"
#include "base/text.h"

#include <string.h>
#include <sys/utsname.h>

static bool take_part(struct span s, char *out, size_t size)
{
	if (s.len == 0 || s.len >= size)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_.-", s.data[i]))
			return false;
	memcpy(out, s.data, s.len);
	out[s.len] = '\0';
	return true;
}

int oci_platform_parse(const char *text, struct oci_platform *out, struct error *err)
{
	struct oci_platform p = {0};
	const char *first = strchr(text, '/');
	const char *second = first ? strchr(first + 1, '/') : NULL;
	const char *end = text + strlen(text);
	const char *arch_end = second ? second : end;

	if (!first || !take_part((struct span){text, (size_t)(first - text)}, p.os, sizeof(p.os)) ||
		!take_part((struct span){first + 1, (size_t)(arch_end - first - 1)}, p.arch,
				   sizeof(p.arch)) ||
		(second && !take_part(span_of(second + 1), p.variant, sizeof(p.variant)))) {
		err_set(err, ERR_INPUT, "'%s' is no platform", text);
		return err_hint(err, "write it as OS/ARCH or OS/ARCH/VARIANT: linux/amd64, linux/arm/v7");
	}
	*out = p;
	return 0;
}

/* uname's machine in the words of the Go toolchain, which the image-spec uses */
static const struct {
	const char *machine, *arch, *variant;
} machines[] = {
	{"x86_64", "amd64", ""}, {"aarch64", "arm64", ""},       {"armv7l", "arm", "v7"},
	{"armv6l", "arm", "v6"}, {"armv8l", "arm", "v7"},        {"i686", "386", ""},
	{"i386", "386", ""},     {"riscv64", "riscv64", ""},     {"ppc64le", "ppc64le", ""},
	{"s390x", "s390x", ""},  {"loongarch64", "loong64", ""},
};

void oci_platform_host(struct oci_platform *out)
{
	struct oci_platform p = {.os = "linux"};
	struct utsname u;

	uname(&u);
	snprintf(p.arch, sizeof(p.arch), "%.31s", u.machine);
	for (size_t i = 0; i < ARRAY_LEN(machines); i++) {
		if (strcmp(u.machine, machines[i].machine) != 0)
			continue;
		snprintf(p.arch, sizeof(p.arch), "%s", machines[i].arch);
		snprintf(p.variant, sizeof(p.variant), "%s", machines[i].variant);
	}
	*out = p;
}

char *oci_platform_text(const struct oci_platform *p)
{
	return xasprintf("%s/%s%s%s", p->os, p->arch, p->variant[0] ? "/" : "", p->variant);
}

/* The variant that a platform has when none is written (containerd, platforms.Normalize). */
static const char *variant_of(const struct oci_platform *p)
{
	if (p->variant[0])
		return p->variant;
	if (strcmp(p->arch, "arm64") == 0)
		return "v8";
	if (strcmp(p->arch, "arm") == 0)
		return "v7";
	return strcmp(p->arch, "amd64") == 0 ? "v1" : "";
}

bool oci_platform_equals(const struct oci_platform *a, const struct oci_platform *b)
{
	return strcmp(a->os, b->os) == 0 && strcmp(a->arch, b->arch) == 0 &&
		   strcmp(variant_of(a), variant_of(b)) == 0;
}

/* 0: cannot run; the higher, the nearer. An older variant runs on a newer machine, not the other
 * way round. */
static int64_t nearness(const struct oci_platform *have, const struct oci_platform *want)
{
	const char *h = variant_of(have), *w = variant_of(want);
	int64_t older, newer;

	if (strcmp(have->os, want->os) != 0 || strcmp(have->arch, want->arch) != 0)
		return 0;
	if (strcmp(h, w) == 0)
		return 1000;
	if (h[0] == 'v' && w[0] == 'v' && text_to_int(h + 1, 1, 99, &older) &&
		text_to_int(w + 1, 1, 99, &newer) && older < newer)
		return older;
	return 0;
}

const struct oci_descriptor *oci_index_find(const struct oci_manifest *index,
											const struct oci_platform *want)
{
	const struct oci_descriptor *best = NULL;
	int64_t best_near = 0;

	for (size_t i = 0; i < index->layer_count; i++) {
		int64_t near = nearness(&index->layers[i].platform, want);

		if (near > best_near) {
			best_near = near;
			best = &index->layers[i];
		}
	}
	return best;
}
