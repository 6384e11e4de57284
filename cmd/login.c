/* msctl login - check credentials against a registry and keep them. */
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/remote.h"

#include <string.h>
#include <termios.h>

#define MAX_PASSWORD_BYTES (64u << 10)

struct login_options {
	struct remote_options remote;
	const char *username;
	bool password_stdin;
};

static const struct opt login_opts[] = {
	OPT_STRING('u', "username", struct login_options, username, "NAME", "the account"),
	OPT_FLAG(0, "password-stdin", struct login_options, password_stdin,
			 "read the password from standard input"),
	REMOTE_OPTS(struct login_options),
	OPT_DONE,
};

static void wipe_buf(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_release(b);
}
#define AUTO_SECRET __attribute__((cleanup(wipe_buf)))

static char *take_line(const struct buf *text)
{
	return xstrndup(buf_str(text), strcspn(buf_str(text), "\r\n"));
}

/* One line of the terminal, byte by byte so that nothing is read ahead. */
static int read_line(struct buf *out, struct error *err)
{
	char c;

	for (;;) {
		ssize_t n = read(STDIN_FILENO, &c, 1);

		if (n < 0)
			return err_set(err, ERR_INTERRUPTED, "interrupted");
		if (n == 0 || c == '\n')
			return 0;
		if (out->len >= MAX_PASSWORD_BYTES)
			return err_set(err, ERR_INPUT, "the line is too long");
		buf_addc(out, c);
	}
}

static int ask(struct ctx *ctx, const char *what, bool echo, char **out, struct error *err)
{
	AUTO_SECRET struct buf line = {0};
	struct termios before;
	struct termios quiet;
	int rc;

	fprintf(ctx->err, "%s: ", what);
	fflush(ctx->err);
	if (!echo && tcgetattr(STDIN_FILENO, &before) == 0) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
		rc = read_line(&line, err);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', ctx->err);
	} else {
		rc = read_line(&line, err);
	}
	if (rc < 0)
		return -1;
	*out = take_line(&line);
	return 0;
}

static int need_terminal(const char *what, struct error *err)
{
	err_set(err, ERR_USAGE, "there is no %s, and no terminal to ask for it", what);
	return err_hint(err, "give -u NAME, and the password by --password-stdin");
}

static int read_creds(struct ctx *ctx, const struct login_options *o, struct creds *out,
					  struct error *err)
{
	AUTO_SECRET struct buf text = {0};
	bool terminal = isatty(STDIN_FILENO);

	if (o->username)
		out->username = xstrdup(o->username);
	else if (o->password_stdin || !terminal)
		return need_terminal("user name", err);
	else if (ask(ctx, "Username", true, &out->username, err) < 0)
		return -1;
	if (strchr(out->username, ':')) {
		err_set(err, ERR_USAGE, "the user name holds a ':'");
		return err_hint(err, "give the name alone with -u, the password by --password-stdin");
	}
	if (o->password_stdin) {
		if (fs_read_fd(STDIN_FILENO, "standard input", MAX_PASSWORD_BYTES, &text, err) < 0)
			return -1;
		out->password = take_line(&text);
	} else if (!terminal) {
		return need_terminal("password", err);
	} else if (ask(ctx, "Password", false, &out->password, err) < 0) {
		return -1;
	}
	if (out->password[0])
		return 0;
	err_set(err, ERR_USAGE, "the password is empty");
	return err_hint(err, "write it to standard input with --password-stdin, or type it when asked");
}

static int keep(struct ctx *ctx, struct creds_store *store, const char *host, const struct creds *c,
				struct error *err)
{
	AUTO_FREE char *where = NULL;

	if (creds_save(store, host, c, &where, err) < 0)
		return err_wrap(err, "logged in to %s, but cannot keep the credentials", host);
	if (!text_starts(where, "docker-credential-"))
		ctx_note(
			ctx,
			"note: the password is kept readable (base64 only) in %s; a credential helper is safer",
			where);
	return 0;
}

static int login_run(struct ctx *ctx, const void *options, int argc, char **argv, struct error *err)
{
	const struct login_options *o = options;
	AUTO(creds) struct creds c = {0};
	AUTO(remote) struct remote remote = {0};
	AUTO_FREE char *host = NULL;

	(void)argc;
	if (remote_host(argv[0], &host, err) < 0 || read_creds(ctx, o, &c, err) < 0)
		return -1;
	if (remote_open(ctx, &o->remote, host, &remote, err) < 0 ||
		registry_check_login(remote.registry, &c, err) < 0)
		return err_wrap(err, "cannot log in to %s", host);
	if (keep(ctx, &remote.creds, host, &c, err) < 0)
		return -1;
	ctx_note(ctx, "logged in to %s as %s", host, c.username);
	return 0;
}

const struct command cmd_login = {
	.name = "login",
	.group = GROUP_REGISTRY,
	.summary = "Check credentials for a registry and keep them",
	.operands = "HOST",
	.min_operands = 1,
	.max_operands = 1,
	.options = login_opts,
	.options_size = sizeof(struct login_options),
	.description =
		"The credentials are tried first, and kept only if the registry takes them: in the "
		"credential helper that the docker configuration names, else in that file, where docker, "
		"podman and skopeo find them as well.",
	.examples = "msctl login registry.example.com\n    ask for user name and password\n"
				"echo \"$TOKEN\" | msctl login -u ci --password-stdin registry.example.com\n    "
				"for scripts",
	.run = login_run,
};
