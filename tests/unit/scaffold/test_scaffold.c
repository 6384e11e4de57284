#include "scaffold/scaffold.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "scaffold/source.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder for one test, with a template in "tpl". */
struct room {
	char *dir;
	char *template_dir;
	char *target;
};

static void put(const char *dir, const char *path, const char *text, mode_t mode)
{
	AUTO_FREE char *full = fs_join(dir, path);
	AUTO_FREE char *parent = fs_dirname(full);
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(parent, 0755, &err), 0, "%s", err.msg);
	cr_assert_eq(fs_write_atomic(full, text, strlen(text), mode, &err), 0, "%s", err.msg);
}

static struct room enter(const char *variables)
{
	struct room r = {0};
	struct error err = {0};
	AUTO_FREE char *manifest =
		xasprintf("apiVersion: msctl/v1\nkind: Template\nname: t\nversion: '1'\n"
				  "summary: s\n%s",
				  variables);

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-test-", &r.dir, &err), 0, "%s", err.msg);
	r.template_dir = fs_join(r.dir, "tpl");
	r.target = fs_join(r.dir, "orders-api");
	put(r.template_dir, "template.yaml", manifest, 0644);
	return r;
}

static void leave(struct room *r)
{
	struct error err = {0};

	cr_assert_eq(fs_remove_tree(r->dir, &err), 0, "%s", err.msg);
	free(r->dir);
	free(r->template_dir);
	free(r->target);
}

static int make(const struct room *r, const char *const *set, size_t set_count, struct error *err)
{
	AUTO(scaffold_result) struct scaffold_result result = {0};
	struct scaffold_request request = {.template_ = r->template_dir,
									   .name = "orders-api",
									   .target = r->target,
									   .set = set,
									   .set_count = set_count};

	return scaffold_new(&request, &result, err);
}

/* Nothing but the template is in the room: no target, no staging folder. */
static void expect_nothing(const struct room *r)
{
	AUTO(strv) struct strv names = {0};
	struct error err = {0};

	cr_assert_eq(fs_list(r->dir, &names, &err), 0);
	cr_expect_eq(names.count, 1, "something was left behind: %s", names.items[0]);
}

static void expect_content(const struct room *r, const char *path, const char *text)
{
	AUTO_FREE char *full = fs_join(r->target, path);
	AUTO(buf) struct buf content = {0};
	struct error err = {0};

	cr_assert_eq(fs_read(full, 1 << 20, &content, &err), 0, "%s", err.msg);
	cr_expect_str_eq(buf_str(&content), text);
}

static void expect_fails(const char *variables, const char *set, enum err_code code,
						 const char *message)
{
	struct room r = enter(variables);
	struct error err = {0};

	cr_expect_eq(make(&r, &set, set ? 1 : 0, &err), -1, "%s %s", variables, set ? set : "");
	cr_expect_eq(err.code, code, "%s", err.msg);
	cr_expect(strstr(err.msg, message), "%s", err.msg);
	expect_nothing(&r);
	leave(&r);
}

Test(scaffold, renders_names_and_contents)
{
	struct room r = enter("variables:\n- {name: port, type: int, default: 8080}\n- {name: who, "
						  "type: string, default: a b}\n"
						  "- {name: image, type: string, default: 'r/<% name %>'}\n- {name: flag, "
						  "type: bool, default: yes}\n");
	struct error err = {0};
	AUTO_FREE char *script = fs_join(r.target, "bin/orders_api.sh");
	AUTO_FREE char *plain = fs_join(r.target, "plain");
	struct stat st;

	put(r.template_dir, "files/bin/<% name_snake %>.sh.tmpl", "'<% who %>' <% port %>\n", 0755);
	put(r.template_dir, "files/plain", "<% stays %>\n", 0644);
	put(r.template_dir, "files/a.c.tmpl",
		"<% name_upper %> <% name_pascal %> <% who_pascal %> <% image %> <% flag %>", 0644);
	put(r.template_dir, "README", "not part of the project", 0644);
	cr_assert_eq(make(&r, NULL, 0, &err), 0, "%s", err.msg);
	expect_content(&r, "bin/orders_api.sh", "'a b' 8080\n");
	expect_content(&r, "plain", "<% stays %>\n");
	expect_content(&r, "a.c", "ORDERS_API OrdersApi AB r/orders-api true");
	cr_assert_eq(stat(script, &st), 0);
	cr_expect_eq(st.st_mode & 0111, 0111);
	cr_assert_eq(stat(plain, &st), 0);
	cr_expect_eq(st.st_mode & 0111, 0);
	leave(&r);
}

Test(scaffold, bytes_are_copied_as_they_are)
{
	static const char bytes[] = "a\0b\xff\r\n";
	struct room r = enter("");
	AUTO_FREE char *from = fs_join(r.template_dir, "files/bin.dat");
	AUTO_FREE char *to = fs_join(r.target, "bin.dat");
	AUTO(buf) struct buf content = {0};
	struct error err = {0};

	put(r.template_dir, "files/bin.dat", "", 0644);
	cr_assert_eq(fs_write_atomic(from, bytes, sizeof(bytes), 0644, &err), 0);
	cr_assert_eq(make(&r, NULL, 0, &err), 0, "%s", err.msg);
	cr_assert_eq(fs_read(to, 100, &content, &err), 0);
	cr_assert_eq(content.len, sizeof(bytes));
	cr_expect_eq(memcmp(content.data, bytes, sizeof(bytes)), 0);
	leave(&r);
}

Test(scaffold, values_from_the_command_line)
{
	static const char variables[] = "variables:\n- {name: port, type: int, default: 1, min: 1, "
									"max: 9}\n- {name: flag, type: bool, default: true}\n"
									"- {name: kind, type: string, default: a, choices: [a, b]}\n- "
									"{name: pat, type: string, default: xx, pattern: 'x+'}\n";
	static const char *const good[] = {"port=9", "flag=false", "kind=b", "pat=x", "pat=xxxx"};
	static const struct {
		const char *set, *message;
	} bad[] = {
		{"port=0", "variable port cannot be '0'"},
		{"port=10", "variable port cannot be '10'"},
		{"port=x", "variable port cannot be 'x'"},
		{"port=", "variable port cannot be ''"},
		{"flag=yes", "variable flag cannot be 'yes'"},
		{"kind=c", "variable kind cannot be 'c'"},
		{"pat=xy", "variable pat cannot be 'xy'"},
		{"pat=\xff", "variable pat cannot be '?'"},
		{"prt=1", "template t has no variable 'prt'"},
		{"name=x", "template t has no variable 'name'"},
		{"port", "--set port has no value"},
	};
	struct room r = enter(variables);
	struct error err = {0};

	put(r.template_dir, "files/x.tmpl", "<% port %> <% flag %> <% kind %> <% pat %>", 0644);
	cr_assert_eq(make(&r, good, ARRAY_LEN(good), &err), 0, "%s", err.msg);
	expect_content(&r, "x", "9 false b xxxx");
	leave(&r);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		expect_fails(variables, bad[i].set, ERR_USAGE, bad[i].message);
}

Test(scaffold, templates_that_are_wrong)
{
	static const struct {
		const char *variables, *message;
	} rows[] = {
		{"variable: []\n", "template.yaml:6:1: variable: unknown key"},
		{"variables: [{name: A, type: int}]\n", "'A' cannot be a variable's name"},
		{"variables: [{name: name, type: string}]\n", "the variable name is there already"},
		{"variables: [{name: name_snake, type: string}]\n",
		 "the variable name_snake is there already"},
		{"variables: [{name: a, type: text}]\n", "variable a has the unknown type 'text'"},
		{"variables: [{name: a, type: string}]\n", "template t needs a value for a"},
		{"variables: [{name: a, type: string, default: 1.5}]\n", "the default of a is no text"},
		{"variables: [{name: a, type: int, default: x}]\n", "variable a cannot be 'x'"},
		{"variables: [{name: a, type: string, default: x, pattern: '('}]\n",
		 "is no regular expression"},
		{"variables: [{name: a, type: string, default: '<% b %>'}]\n", "unknown variable 'b'"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_fails(rows[i].variables, NULL, ERR_INPUT, rows[i].message);
}

/* File of a template, and what is said of it. */
static void expect_file_fails(const char *path, const char *text, const char *message)
{
	struct room r = enter("variables: [{name: p, type: string, default: ../../up}, {name: g, type: "
						  "string, default: .git}]\n");
	struct error err = {0};

	put(r.template_dir, "files/first", "x", 0644);
	put(r.template_dir, path, text, 0644);
	cr_expect_eq(make(&r, NULL, 0, &err), -1, "%s", path);
	cr_expect_eq(err.code, ERR_INPUT, "%s", err.msg);
	cr_expect(strstr(err.msg, message), "%s", err.msg);
	expect_nothing(&r);
	leave(&r);
}

Test(scaffold, files_that_are_wrong)
{
	expect_file_fails("files/a.tmpl", "x\n <% nam %>\n", "a.tmpl:2:2: unknown variable 'nam'");
	expect_file_fails("files/a.tmpl", "\xff", "a.tmpl: not valid UTF-8");
	expect_file_fails("files/<% p %>", "x", "is not a path in the project");
	expect_file_fails("files/<% g %>/config", "x", "is not a path in the project");
	expect_file_fails("files/first.tmpl", "x", "twice");
}

Test(scaffold, links_are_refused)
{
	struct room r = enter("");
	AUTO_FREE char *link = fs_join(r.template_dir, "files/link");
	struct error err = {0};

	put(r.template_dir, "files/a", "x", 0644);
	cr_assert_eq(symlink("/etc/passwd", link), 0);
	cr_expect_eq(make(&r, NULL, 0, &err), -1);
	cr_expect(strstr(err.msg, "regular files only"), "%s", err.msg);
	expect_nothing(&r);
	leave(&r);
}

Test(scaffold, what_is_there_stays)
{
	struct room r = enter("");
	struct error err = {0};

	put(r.template_dir, "files/a", "new", 0644);
	put(r.target, "mine", "old", 0644);
	cr_expect_eq(make(&r, NULL, 0, &err), -1);
	cr_expect_eq(err.code, ERR_CONFLICT);
	expect_content(&r, "mine", "old");
	leave(&r);
}

/* rename(2) puts no folder in the place of a link */
Test(scaffold, a_link_is_left_alone)
{
	static const char *const ends[] = {"missing", "empty"};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct room r = enter("");
		AUTO_FREE char *parent = fs_dirname(r.target);
		AUTO_FREE char *empty = fs_join(parent, "empty");
		struct error err = {0};

		put(r.template_dir, "files/a", "new", 0644);
		cr_assert_eq(fs_mkdirs(empty, 0755, &err), 0, "%s", err.msg);
		cr_assert_eq(symlink(ends[i], r.target), 0);
		cr_expect_eq(make(&r, NULL, 0, &err), -1);
		cr_expect_eq(err.code, ERR_CONFLICT, "%s", err.msg);
		cr_expect(strstr(err.msg, r.target) && err.hint[0], "%s", err.msg);
		leave(&r);
	}
}

Test(scaffold, an_empty_folder_is_filled)
{
	struct room r = enter("");
	struct error err = {0};

	put(r.template_dir, "files/a", "new", 0644);
	cr_assert_eq(fs_mkdirs(r.target, 0755, &err), 0);
	cr_expect_eq(make(&r, NULL, 0, &err), 0, "%s", err.msg);
	expect_content(&r, "a", "new");
	leave(&r);
}

Test(scaffold, a_stop_leaves_nothing)
{
	struct room r = enter("");
	struct cancel stop = {.signo = SIGINT, .fd = -1};
	struct scaffold_request request = {
		.template_ = r.template_dir, .name = "orders-api", .target = r.target, .cancel = &stop};
	struct scaffold_result result = {0};
	struct error err = {0};

	put(r.template_dir, "files/a", "new", 0644);
	cr_expect_eq(scaffold_new(&request, &result, &err), -1);
	cr_expect_eq(err.code, ERR_INTERRUPTED);
	expect_nothing(&r);
	leave(&r);
}

Test(scaffold, names_and_targets)
{
	static const char *const names[] = {"",   "A",  "a/b", "..",  "a b",
										"-a", "a-", "2a",  "a_b", "\xc3\xa9"};
	static const char *const targets[] = {"", ".", "..", "./", "/", "x/..", "x/."};
	struct scaffold_result result = {0};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct scaffold_request request = {
			.template_ = "c-rest", .name = names[i], .target = "/nonexistent/x"};
		struct error err = {0};

		cr_expect_eq(scaffold_new(&request, &result, &err), -1, "%s", names[i]);
		cr_expect_eq(err.code, ERR_USAGE, "%s: %s", names[i], err.msg);
		cr_expect(err.hint[0]);
	}
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		struct scaffold_request request = {
			.template_ = "c-rest", .name = "a", .target = targets[i]};
		struct error err = {0};

		cr_expect_eq(scaffold_new(&request, &result, &err), -1, "%s", targets[i]);
		cr_expect_eq(err.code, ERR_USAGE, "%s: %s", targets[i], err.msg);
	}
}

Test(scaffold, templates_that_do_not_exist)
{
	static const char *const names[] = {"c-rst", "nothing-like-it", "", "/nonexistent/t",
										"./none/"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct template_source source = {0};
		struct error err = {0};

		cr_expect_eq(template_source_load(names[i], &source, &err), -1, "%s", names[i]);
		cr_expect_eq(err.code, ERR_MISSING);
		cr_expect(err.hint[0]);
	}
}

/* Each built-in template: complete, and every file of it renders with the defaults. */
Test(scaffold, built_in_templates)
{
	AUTO(strv) struct strv names = {0};

	template_source_names(&names);
	cr_assert(names.count > 0);
	for (size_t i = 0; i < names.count; i++) {
		struct room r = enter("");
		struct scaffold_request request = {
			.template_ = names.items[i], .name = "orders-api", .target = r.target};
		AUTO(scaffold_result) struct scaffold_result result = {0};
		struct error err = {0};

		cr_assert_eq(scaffold_new(&request, &result, &err), 0, "%s: %s", names.items[i], err.msg);
		cr_expect_str_eq(result.template_name, names.items[i]);
		cr_expect(result.files > 0);
		leave(&r);
	}
}
