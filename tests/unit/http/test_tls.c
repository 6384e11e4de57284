/* Whom we trust, against real handshakes: `openssl s_server` on a free loopback port. */
#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "http/client.h"
#include "tests/unit/http/server.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char answer[] =
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";

static void openssl(const char *dir, const char *const *argv)
{
	struct proc_spec spec = {.argv = argv, .cwd = dir, .out = PROC_NULL, .err_out = PROC_BUFFER};
	AUTO(proc_result) struct proc_result result = {0};
	struct error err = {0};

	cr_assert_eq(proc_run(&spec, &result, &err), 0, "%s", err.msg);
	cr_assert_eq(result.exit_status, 0, "%s: %s", argv[1], buf_str(&result.err_out));
}

static void make_ca(const char *dir, const char *name)
{
	AUTO_FREE char *key = xasprintf("%s.key", name);
	AUTO_FREE char *cert = xasprintf("%s.pem", name);
	AUTO_FREE char *subject = xasprintf("/CN=%s", name);

	openssl(dir,
			ARGV("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
				 "-nodes", "-keyout", key, "-out", cert, "-subj", subject, "-days", "2"));
}

static void make_cert(const char *dir, const char *name, const char *san, const char *days)
{
	AUTO_FREE char *key = xasprintf("%s.key", name);
	AUTO_FREE char *cert = xasprintf("%s.pem", name);
	AUTO_FREE char *subject = xasprintf("/CN=%s", name);
	AUTO_FREE char *extension = xasprintf("%s/%s.ext", dir, name);
	AUTO_FREE char *text = xasprintf("subjectAltName=%s\n", san);
	struct error err = {0};

	cr_assert_eq(fs_write_atomic(extension, text, strlen(text), 0600, &err), 0);
	openssl(dir, ARGV("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
					  "-nodes", "-keyout", key, "-out", "request.pem", "-subj", subject));
	openssl(dir,
			ARGV("openssl", "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey",
				 "ca.key", "-CAcreateserial", "-out", cert, "-days", days, "-extfile", extension));
}

struct tls_server {
	pid_t pid;
	unsigned port;
	FILE *out;
};

static void tls_start(struct tls_server *s, const char *dir, const char *name, bool wants_client)
{
	AUTO_FREE char *key = xasprintf("%s.key", name);
	AUTO_FREE char *cert = xasprintf("%s.pem", name);
	char line[256];
	int out[2];

	cr_assert_eq(pipe(out), 0);
	s->port = 0;
	s->pid = fork();
	if (s->pid == 0) {
		if (chdir(dir) < 0 || dup2(out[1], 1) < 0 || !freopen("/dev/null", "w", stderr))
			_exit(127);
		close(out[0]);
		execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-HTTP", "-cert", cert,
			   "-key", key, wants_client ? "-Verify" : "-verify_depth", "1", "-verify_return_error",
			   "-CAfile", "ca.pem", NULL);
		_exit(127);
	}
	close(out[1]);
	s->out = fdopen(out[0], "r");
	while (!s->port && fgets(line, sizeof(line), s->out))
		sscanf(line, "ACCEPT 127.0.0.1:%u", &s->port);
	cr_assert_neq(s->port, 0, "openssl s_server did not start");
}

static void tls_stop(struct tls_server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	fclose(s->out);
}

static int fetch(const struct tls_server *s, const char *path, struct http_tls tls,
				 struct error *err)
{
	struct http_options options = {.tls = tls, .max_tries = 1};
	AUTO_FREE char *url = xasprintf("https://127.0.0.1:%u/%s", s->port, path);
	struct http_request r = {.method = "GET", .url = url};
	AUTO(http_response) struct http_response response = {0};
	AUTO_PTR(http_client) struct http_client *c = NULL;

	cr_assert_eq(http_client_new(&options, &c, err), 0, "%s", err->msg);
	if (http_send(c, &r, &response, err) < 0)
		return -1;
	cr_expect_eq(response.status, 200);
	cr_expect_str_eq(buf_str(&response.body), "hello");
	return 0;
}

static char *make_certificates(void)
{
	char *dir = NULL;
	AUTO_FREE char *file = NULL;
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-tls-", &dir, &err), 0, "%s", err.msg);
	make_ca(dir, "ca");
	make_ca(dir, "other");
	make_cert(dir, "good", "IP:127.0.0.1", "2");
	make_cert(dir, "named", "DNS:server.test", "2");
	make_cert(dir, "expired", "IP:127.0.0.1", "-1");
	make_cert(dir, "client", "DNS:client.test", "2");
	file = fs_join(dir, "ok");
	cr_assert_eq(fs_write_atomic(file, answer, strlen(answer), 0600, &err), 0);
	return dir;
}

Test(http_tls, who_is_trusted)
{
	AUTO_FREE char *dir = make_certificates();
	AUTO_FREE char *ca = fs_join(dir, "ca.pem");
	AUTO_FREE char *other = fs_join(dir, "other.pem");
	const struct {
		const char *server;
		struct http_tls tls;
		enum err_code want;
		const char *says;
	} rows[] = {
		{"good", {.ca_file = ca}, 0, NULL},
		{"good", {.insecure = true}, 0, NULL},
		{"good", {0}, ERR_DENIED, "is not trusted: self-signed certificate in certificate chain"},
		{"good", {.ca_file = other}, ERR_DENIED, "not trusted"},
		{"expired", {.ca_file = ca}, ERR_DENIED, "certificate has expired"},
		{"named", {.ca_file = ca}, ERR_DENIED, "no alternative certificate subject name"},
		{"named", {.ca_file = ca, .server_name = "server.test"}, 0, NULL},
		{"good", {.ca_file = ca, .server_name = "server.test"}, ERR_DENIED, "not trusted"},
	};
	struct error err = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tls_server s;
		int rc;

		tls_start(&s, dir, rows[i].server, false);
		memset(&err, 0, sizeof(err));
		rc = fetch(&s, "ok", rows[i].tls, &err);
		cr_expect_eq(rc, rows[i].want ? -1 : 0, "%zu: %s", i, err.msg);
		cr_expect_eq(err.code, rows[i].want, "%zu: %s", i, err.msg);
		if (rows[i].says) {
			cr_expect(strstr(err.msg, rows[i].says), "%zu: %s", i, err.msg);
			cr_expect(strstr(err.hint, "--ca"), "%s", err.hint);
		}
		tls_stop(&s);
	}
	cr_expect_eq(fs_remove_tree(dir, &err), 0);
}

Test(http_tls, a_ca_that_is_none_is_named)
{
	static const char garbage[] =
		"-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n";
	AUTO_FREE char *dir = make_certificates();
	AUTO_FREE char *ca = fs_join(dir, "garbage.pem");
	AUTO_FREE char *missing = fs_join(dir, "missing.pem");
	const char *const files[] = {missing, dir};
	struct error err = {0};
	struct tls_server s;

	cr_assert_eq(fs_write_atomic(ca, garbage, strlen(garbage), 0600, &err), 0);
	tls_start(&s, dir, "good", false);
	cr_expect_eq(fetch(&s, "ok", (struct http_tls){.ca_file = ca}, &err), -1);
	cr_expect(strstr(err.msg, ca) && err.hint[0], "%s", err.msg);
	tls_stop(&s);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct http_options options = {.tls.ca_file = files[i]};
		struct http_client *c = NULL;

		memset(&err, 0, sizeof(err));
		cr_expect_eq(http_client_new(&options, &c, &err), -1);
		cr_expect(strstr(err.msg, files[i]) && err.hint[0], "%s", err.msg);
	}
	cr_expect_eq(fs_remove_tree(dir, &err), 0);
}

Test(http_tls, client_certificates)
{
	AUTO_FREE char *dir = make_certificates();
	AUTO_FREE char *ca = fs_join(dir, "ca.pem");
	AUTO_FREE char *cert = fs_join(dir, "client.pem");
	AUTO_FREE char *key = fs_join(dir, "client.key");
	AUTO_FREE char *other_key = fs_join(dir, "other.key");
	const struct {
		const char *cert, *key;
		enum err_code want;
	} rows[] = {
		{cert, key, 0},
		{NULL, NULL, ERR_DENIED},
		{cert, other_key, ERR_INPUT},
	};
	struct error err = {0};
	struct tls_server s;

	tls_start(&s, dir, "good", true);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_tls tls = {.ca_file = ca, .cert_file = rows[i].cert, .key_file = rows[i].key};

		memset(&err, 0, sizeof(err));
		cr_expect_eq(fetch(&s, "ok", tls, &err), rows[i].want ? -1 : 0, "%zu: %s", i, err.msg);
		cr_expect_eq(err.code, rows[i].want, "%zu: %s", i, err.msg);
	}
	tls_stop(&s);
	cr_expect_eq(fs_remove_tree(dir, &err), 0);
}

/* What was allowed for one server is not allowed for the next one. */
Test(http_tls, insecure_ends_at_the_origin)
{
	AUTO_FREE char *dir = make_certificates();
	AUTO_FREE char *file = fs_join(dir, "go");
	AUTO_FREE char *redirect = NULL;
	struct error err = {0};
	struct tls_server first;
	struct tls_server second;

	tls_start(&first, dir, "good", false);
	tls_start(&second, dir, "good", false);
	redirect = xasprintf("HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:%u/ok\r\n"
						 "Content-Length: 0\r\nConnection: close\r\n\r\n",
						 second.port);
	cr_assert_eq(fs_write_atomic(file, redirect, strlen(redirect), 0600, &err), 0);
	cr_expect_eq(fetch(&first, "ok", (struct http_tls){.insecure = true}, &err), 0);
	cr_expect_eq(fetch(&first, "go", (struct http_tls){.insecure = true}, &err), -1);
	cr_expect_eq(err.code, ERR_DENIED, "%s", err.msg);
	tls_stop(&first);
	tls_stop(&second);
	cr_expect_eq(fs_remove_tree(dir, &err), 0);
}

Test(http_tls, a_plain_port_is_recognised)
{
	struct http_options options = {.max_tries = 1};
	AUTO_FREE char *url = NULL;
	AUTO_PTR(http_client) struct http_client *c = NULL;
	struct http_request r = {.method = "GET"};
	struct http_response response = {0};
	struct error err = {0};
	struct server plain;

	server_start(&plain);
	url = xasprintf("https://127.0.0.1:%u/", plain.port);
	r.url = url;
	options.stall_timeout_ms = options.connect_timeout_ms = 500;
	cr_assert_eq(http_client_new(&options, &c, &err), 0, "%s", err.msg);
	cr_expect_eq(http_send(c, &r, &response, &err), -1);
	cr_expect_eq(err.code, ERR_NET, "%s", err.msg);
	server_stop(&plain);
}
