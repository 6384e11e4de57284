/* msctl doctor - look at everything msctl relies on and print each fix. */
#include "base/auto.h"
#include "base/dl.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cmd/out.h"
#include "oci/store.h"
#include "runtime/runtime.h"

#include <string.h>

enum verdict {
	GOOD,
	WARNING, /* something optional is missing */
	BAD,
};

static const char *const verdict_names[] = {"ok", "warning", "bad"};

struct finding {
	enum verdict verdict;
	char *detail;
	const char *fix;
};

static void any_program(const char *const *names, struct finding *f)
{
	for (; *names; names++) {
		char *path = proc_find(*names);

		if (path) {
			f->verdict = GOOD;
			f->detail = path;
			return;
		}
	}
}

static void check_compiler(struct finding *f)
{
	*f = (struct finding){WARNING, NULL, "apt-get install gcc"};
	any_program((const char *const[]){"cc", "gcc", "clang", NULL}, f);
}

static void check_make(struct finding *f)
{
	*f = (struct finding){WARNING, NULL, "apt-get install make"};
	any_program((const char *const[]){"make", NULL}, f);
}

/* The one that msctl run would take here. */
static void check_runtime(struct finding *f)
{
	struct error err = {0};

	*f = (struct finding){WARNING, NULL, "apt-get install crun (needed by msctl run)"};
	if (runtime_find(NULL, &f->detail, &err) == 0) {
		f->verdict = GOOD;
		return;
	}
	f->detail = xstrdup(err.msg);
	f->fix = text_starts(err.hint, "apt-get install runc")
				 ? "apt-get install runc (crun refuses this machine's cgroups)"
				 : f->fix;
}

static void check_library(const char *const *sonames, const char *package, const char *fix,
						  struct finding *f)
{
	static const struct dl_symbol none[] = {{NULL, 0}};
	struct error err = {0};

	for (; *sonames; sonames++)
		if (dl_load(*sonames, package, none, NULL, &err) == 0) {
			*f = (struct finding){GOOD, xstrdup(*sonames), NULL};
			return;
		}
	*f = (struct finding){BAD, xstrdup(err.msg), fix};
}

static void check_curl(struct finding *f)
{
	check_library((const char *const[]){"libcurl.so.4", NULL}, "libcurl4",
				  "apt-get install libcurl4 (push, pull, deploy)", f);
}

static void check_git(struct finding *f)
{
	check_library((const char *const[]){"libgit2.so.1.5", "libgit2.so.1.7", "libgit2.so.1.8",
										"libgit2.so.1.9", NULL},
				  "libgit2-1.5", "apt-get install libgit2-1.5 (new, build)", f);
}

static void check_store(struct finding *f)
{
	AUTO_PTR(oci_store) struct oci_store *store = NULL;
	struct error err = {0};

	if (oci_store_open(NULL, &store, &err) < 0)
		*f = (struct finding){BAD, xstrdup(err.msg), "make the folder writable or set MSCTL_STORE"};
	else
		*f = (struct finding){GOOD, xstrdup(oci_store_path(store)), NULL};
}

static void check_kubeconfig(struct finding *f)
{
	const char *listed = getenv("KUBECONFIG");
	const char *home = getenv("HOME");
	AUTO_FREE char *path = NULL;

	if (listed && *listed)
		path = xstrndup(listed, strcspn(listed, ":"));
	else if (home)
		path = fs_join(home, ".kube/config");
	if (path && fs_exists(path))
		*f = (struct finding){GOOD, TAKE(path), NULL};
	else
		*f = (struct finding){WARNING, xstrdup("no kubeconfig found"),
							  "set KUBECONFIG or write ~/.kube/config (needed by msctl deploy)"};
}

static void check_roots(struct finding *f)
{
	static const char path[] = "/etc/ssl/certs/ca-certificates.crt";

	if (fs_exists(path))
		*f = (struct finding){GOOD, xstrdup(path), NULL};
	else
		*f = (struct finding){WARNING, xstrdup("no CA certificates"),
							  "apt-get install ca-certificates"};
}

static void check_clock(struct finding *f)
{
	const int64_t year_2025 = 1735689600;
	char now[32];

	clock_rfc3339(clock_system.wall_s(NULL), now);
	*f = (struct finding){GOOD, xstrdup(now), NULL};
	if (clock_system.wall_s(NULL) < year_2025) {
		f->verdict = BAD;
		f->fix = "set the clock: certificates and tokens depend on it";
	}
}

static const struct {
	const char *name;
	void (*look)(struct finding *f);
} checks[] = {
	{"compiler", check_compiler},
	{"make", check_make},
	{"container runtime", check_runtime},
	{"image store", check_store},
	{"libcurl", check_curl},
	{"libgit2", check_git},
	{"CA certificates", check_roots},
	{"kubeconfig", check_kubeconfig},
	{"clock", check_clock},
};

static const struct opt no_opts[] = {OPT_DONE};

static int doctor_run(struct ctx *ctx, const void *options, int argc, char **argv,
					  struct error *err)
{
	static const struct print_column columns[] = {
		{"CHECK", "check"}, {"STATE", "state"}, {"DETAIL", "detail"}, {"FIX", "fix"}, {0}};
	AUTO_JSON json_t *rows = json_array();
	size_t bad = 0;

	(void)options;
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		struct finding f = {0};

		checks[i].look(&f);
		if (f.detail) /* a path may be any bytes, and must not take its row away */
			utf8_sanitize(f.detail);
		json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s}", "check", checks[i].name,
											  "state", verdict_names[f.verdict], "detail",
											  f.detail ? f.detail : "not found", "fix",
											  f.verdict != GOOD && f.fix ? f.fix : ""));
		bad += f.verdict == BAD;
		free(f.detail);
	}
	if (out_print(ctx, rows, columns, err) < 0)
		return -1;
	if (bad == 0)
		return 0;
	err_set(err, ERR_SYS, "%zu of %zu checks failed", bad, ARRAY_LEN(checks));
	return err_hint(err, "apply the fixes of the rows that say 'bad'");
}

const struct command cmd_doctor = {
	.name = "doctor",
	.group = GROUP_START,
	.summary = "Check what msctl relies on and print each fix",
	.operands = "",
	.options = no_opts,
	.run = doctor_run,
};
