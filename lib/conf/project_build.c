#include "conf/project_read.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>
#include <sys/utsname.h>

struct fields {
	const char *toolchain, *base, *user, *workdir, *compression, *dockerfile, *stop_signal;
	const char *context, *target, *build_system, *binary, *sysroot;
	json_t *steps, *copy, *libraries, *entrypoint, *cmd, *ports, *env, *labels, *platforms, *args;
	json_t *options, *capabilities, *strip, *hardening;
	bool certificates, timezones;
};

static const struct doc_field build_fields[] = {
	DOC_FIELD(struct fields, steps, "steps", DOC_TEXTS, false),
	DOC_FIELD(struct fields, build_system, "system", DOC_TEXT, false),
	DOC_FIELD(struct fields, options, "options", DOC_TEXTS, false),
	DOC_FIELD(struct fields, binary, "binary", DOC_TEXT, false),
	DOC_FIELD(struct fields, strip, "strip", DOC_ANY, false),
	DOC_FIELD(struct fields, sysroot, "sysroot", DOC_TEXT, false),
	DOC_FIELD(struct fields, hardening, "hardening", DOC_ANY, false),
	DOC_FIELD(struct fields, capabilities, "capabilities", DOC_TEXT_MAP, false),
	DOC_FIELD(struct fields, toolchain, "toolchain", DOC_TEXT, false),
	DOC_FIELD(struct fields, base, "base", DOC_TEXT, false),
	DOC_FIELD(struct fields, copy, "copy", DOC_TEXT_MAP, false),
	DOC_FIELD(struct fields, libraries, "libraries", DOC_ANY, false),
	DOC_FIELD(struct fields, certificates, "certificates", DOC_BOOL, false),
	DOC_FIELD(struct fields, timezones, "timezones", DOC_BOOL, false),
	DOC_FIELD(struct fields, entrypoint, "entrypoint", DOC_TEXTS, false),
	DOC_FIELD(struct fields, cmd, "cmd", DOC_TEXTS, false),
	DOC_FIELD(struct fields, user, "user", DOC_TEXT, false),
	DOC_FIELD(struct fields, workdir, "workdir", DOC_TEXT, false),
	DOC_FIELD(struct fields, ports, "ports", DOC_ARRAY, false),
	DOC_FIELD(struct fields, env, "env", DOC_TEXT_MAP, false),
	DOC_FIELD(struct fields, labels, "labels", DOC_TEXT_MAP, false),
	DOC_FIELD(struct fields, platforms, "platforms", DOC_TEXTS, false),
	DOC_FIELD(struct fields, compression, "compression", DOC_TEXT, false),
	DOC_FIELD(struct fields, stop_signal, "stopSignal", DOC_TEXT, false),
	DOC_FIELD(struct fields, dockerfile, "dockerfile", DOC_TEXT, false),
	DOC_FIELD(struct fields, context, "context", DOC_TEXT, false),
	DOC_FIELD(struct fields, args, "args", DOC_TEXT_MAP, false),
	DOC_FIELD(struct fields, target, "target", DOC_TEXT, false),
	DOC_FIELDS_END,
};

static int read_copy(struct project *p, json_t *copy, struct error *err)
{
	const char *from;
	json_t *to;

	p->build.copy = xcalloc(json_object_size(copy) + 1, sizeof(*p->build.copy));
	json_object_foreach(copy, from, to)
	{
		const char *target = json_string_value(to);

		if (!fs_is_clean_relative(from)) {
			project_fail(p, copy, "build.copy", from, "not a path inside the project", err);
			return err_hint(err, "write it relative to the project's folder, without '..'");
		}
		if (*target != '/' || (target[1] && !fs_is_clean_relative(target + 1))) {
			project_fail(p, copy, "build.copy", from, "the target is no absolute path", err);
			return err_hint(err, "write it like /usr/bin/NAME, without '..' and without a '/' at "
								 "its end");
		}
		p->build.copy[p->build.copy_count++] = (struct project_copy){from, target};
	}
	return 0;
}

static int read_libraries(struct project *p, const json_t *section, const json_t *value,
						  struct error *err)
{
	if (!value || json_is_true(value) ||
		(json_is_string(value) && strcmp(json_string_value(value), "auto") == 0)) {
		p->build.libraries = true;
		return 0;
	}
	if (json_is_false(value) ||
		(json_is_string(value) && strcmp(json_string_value(value), "none") == 0)) {
		p->build.libraries = false;
		return 0;
	}
	project_fail(p, section, "build", "libraries", "neither auto nor none", err);
	return err_hint(err, "auto takes along the shared libraries that the copied programs need");
}

/* 8080, "8080" or "53/udp". */
static bool add_port(struct strv *ports, const json_t *item)
{
	char digits[8] = "";
	const char *text = json_string_value(item);
	const char *protocol = "tcp";
	int64_t number = json_integer_value(item);

	if (text) {
		size_t n = strcspn(text, "/");

		if (n >= sizeof(digits))
			return false;
		memcpy(digits, text, n);
		if (text[n])
			protocol = text + n + 1;
		if (!text_to_int(digits, 1, 65535, &number))
			return false;
	}
	if (number < 1 || number > 65535 ||
		(strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0 &&
		 strcmp(protocol, "sctp") != 0))
		return false;
	strv_addf(ports, "%d/%s", (int)number, protocol);
	return true;
}

static int read_ports(struct project *p, const json_t *section, const json_t *ports,
					  struct error *err)
{
	const json_t *item;
	size_t i;

	json_array_foreach(ports, i, item)
	{
		if (add_port(&p->build.ports, item))
			continue;
		project_fail(p, section, "build", "ports", "not a port", err);
		return err_hint(err, "write it like 8080 or 53/udp");
	}
	return 0;
}

static int read_env(struct project *p, json_t *env, struct error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach(env, key, value)
	{
		if (project_check_variable(p, env, "build.env", key, err) < 0)
			return -1;
		strv_addf(&p->build.env, "%s=%s", key, json_string_value(value));
	}
	return 0;
}

/* The platform of this machine, in the words of the OCI image specification (Go's GOARCH). */
static const char *host_platform(void)
{
	static const struct {
		const char *machine, *platform;
	} known[] = {
		{"x86_64", "linux/amd64"},    {"aarch64", "linux/arm64"},   {"armv7l", "linux/arm/v7"},
		{"riscv64", "linux/riscv64"}, {"ppc64le", "linux/ppc64le"}, {"s390x", "linux/s390x"},
		{"i686", "linux/386"},
	};
	struct utsname host;

	if (uname(&host) == 0)
		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			if (strcmp(host.machine, known[i].machine) == 0)
				return known[i].platform;
	return "linux/amd64";
}

static int read_hardening(struct project *p, const json_t *section, const json_t *value,
						  struct error *err)
{
	static const char *const words[] = {
		[HARDENING_WARN] = "warn", [HARDENING_REQUIRE] = "require", [HARDENING_OFF] = "off"};

	/* a bare off is false in YAML */
	const char *word = json_is_false(value) ? words[HARDENING_OFF] : json_string_value(value);

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (value && (!word || strcmp(word, words[i]) != 0))
			continue;
		p->build.hardening = (enum project_hardening)i;
		return 0;
	}
	return project_fail(p, section, "build", "hardening", "none of warn, require, off", err);
}

/* What builds a project that says neither steps nor copies. */
static int read_system(struct project *p, const json_t *section, const struct fields *f,
					   struct error *err)
{
	static const char *const systems[] = {"auto", "meson", "cmake", "autotools", "make"};
	struct project_build *b = &p->build;
	bool is_known = false;

	b->build_system = f->build_system ? f->build_system : systems[0];
	for (size_t i = 0; i < ARRAY_LEN(systems); i++)
		is_known |= strcmp(b->build_system, systems[i]) == 0;
	if (!is_known)
		return project_fail(p, section, "build", "system",
							"none of auto, meson, cmake, autotools, make", err);
	if (f->strip && !json_is_boolean(f->strip))
		return project_fail(p, section, "build", "strip", "neither true nor false", err);
	if (f->sysroot && *f->sysroot != '/')
		return project_fail(p, section, "build", "sysroot", "not an absolute path", err);
	b->binary = f->binary;
	b->strip = !f->strip || json_is_true(f->strip);
	b->sysroot = f->sysroot;
	project_add_texts(&b->options, f->options);
	return read_hardening(p, section, f->hardening, err);
}

static int read_capabilities(struct project *p, json_t *capabilities, struct error *err)
{
	const char *path;
	json_t *value;

	json_object_foreach(capabilities, path, value) if (*path != '/')
	{
		project_fail(p, capabilities, "build.capabilities", path, "not an absolute path", err);
		return err_hint(err, "name the program by its path in the image, like /usr/bin/NAME");
	}
	p->build.capabilities = capabilities;
	return 0;
}

static int read_words(struct project *p, const json_t *section, const struct fields *f,
					  struct error *err)
{
	struct project_build *b = &p->build;

	if (f->workdir && *f->workdir != '/')
		return project_fail(p, section, "build", "workdir", "not an absolute path", err);
	if (f->compression && strcmp(f->compression, "gzip") != 0 &&
		strcmp(f->compression, "zstd") != 0)
		return project_fail(p, section, "build", "compression", "neither gzip nor zstd", err);
	b->toolchain = f->toolchain;
	b->base = f->base ? f->base : "scratch";
	b->certificates = f->certificates;
	b->timezones = f->timezones;
	b->user = f->user ? f->user : "65532:65532";
	b->workdir = f->workdir;
	b->labels = f->labels;
	b->compression = f->compression ? f->compression : "gzip";
	b->dockerfile = f->dockerfile;
	b->stop_signal = f->stop_signal;
	return 0;
}

int project_read_build(struct project *p, json_t *section, struct error *err)
{
	struct fields f = {0};
	struct project_build *b = &p->build;

	if (section && project_fields(p, section, "build", build_fields, &f, err) < 0)
		return -1;
	if (read_words(p, section, &f, err) < 0 || read_system(p, section, &f, err) < 0 ||
		read_capabilities(p, f.capabilities, err) < 0 ||
		read_libraries(p, section, f.libraries, err) < 0 || read_copy(p, f.copy, err) < 0 ||
		read_ports(p, section, f.ports, err) < 0 || read_env(p, f.env, err) < 0)
		return -1;
	project_add_texts(&b->steps, f.steps);
	project_add_texts(&b->entrypoint, f.entrypoint);
	project_add_texts(&b->cmd, f.cmd);
	project_add_texts(&b->platforms, f.platforms);
	if (b->platforms.count == 0)
		strv_add(&b->platforms, host_platform());
	return 0;
}

void project_build_release(struct project_build *b)
{
	strv_release(&b->steps);
	strv_release(&b->options);
	free(b->copy);
	strv_release(&b->entrypoint);
	strv_release(&b->cmd);
	strv_release(&b->ports);
	strv_release(&b->env);
	strv_release(&b->platforms);
}
