#include "tests/unit/registry/image.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

/* A server that hears one hello and answers with these bytes. */
struct server {
	int fd;
	uint16_t port;
	const char *answer; /* NULL: closes at once */
	size_t len;
	pthread_t thread;
};

static void *serve(void *user)
{
	struct server *s = user;
	AUTO_CLOSE int c = accept(s->fd, NULL, NULL);
	char heard[256];

	if (c >= 0 && s->answer && recv(c, heard, sizeof(heard), 0) > 0)
		cr_expect_eq(send(c, s->answer, s->len, MSG_NOSIGNAL), (ssize_t)s->len);
	return NULL;
}

static void server_start(struct server *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(s->fd, (struct sockaddr *)&a, len), 0);
	cr_assert_eq(listen(s->fd, 1), 0);
	cr_assert_eq(getsockname(s->fd, (struct sockaddr *)&a, &len), 0);
	s->port = ntohs(a.sin_port);
	cr_assert_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

Test(session, a_loopback_port_is_asked_whether_it_speaks_tls)
{
	static const struct {
		const char *answer;
		size_t len;
		bool tls;
	} rows[] = {
		{"\x16\x03\x03", 3, true},
		{"\x15\x03\x03", 3, true},
		{"HTTP/1.1 400 Bad Request\r\n", 26, false},
		{NULL, 0, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct server s = {.answer = rows[i].answer, .len = rows[i].len};

		server_start(&s);
		cr_expect_eq(probe_speaks_tls("127.0.0.1", s.port), rows[i].tls, "row %zu", i);
		pthread_join(s.thread, NULL);
		close(s.fd);
	}
	cr_expect(!probe_speaks_tls("127.0.0.1", 1), "nobody listens");
}

static void expect_api(const char *host, bool plain_http, const char *api)
{
	struct registry_options o = {.host = host, .plain_http = plain_http};
	static const struct script_answer none[] = {{0}};
	AUTO(world) struct world w = {0};
	AUTO_FREE char *is = NULL;

	world_open(&w, none, NULL, o);
	is = url_origin(&w.registry->api);
	cr_expect_str_eq(is, api);
}

Test(session, https_unless_asked_otherwise)
{
	expect_api("r.test", false, "https://r.test");
	expect_api("r.test:5000", false, "https://r.test:5000");
	expect_api("r.test:5000", true, "http://r.test:5000");
	expect_api("docker.io", false, "https://registry-1.docker.io");
}

static void put(const char *dir, const char *name, const char *text)
{
	AUTO_FREE char *path = fs_join(dir, name);
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(dir, 0700, &err), 0);
	cr_assert_eq(fs_write_atomic(path, text, strlen(text), 0600, &err), 0);
}

Test(session, certs_d_is_read_as_docker_keeps_it)
{
	char home[] = "/tmp/msctl-test-certs-XXXXXX";
	AUTO_FREE char *dir = NULL;
	struct registry r = {0};
	struct error err = {0};
	bool found = false;

	cr_assert(mkdtemp(home) != NULL);
	setenv("HOME", home, 1);
	unsetenv("XDG_CONFIG_HOME");
	dir = xasprintf("%s/.config/containers/certs.d/r.test:5000", home);
	cr_assert_eq(certs_load("r.test:5000", &r, &found, &err), 0);
	cr_expect(!found);
	put(dir, "ca.crt", "CA1");
	put(dir, "more.crt", "CA2");
	put(dir, "client.cert", "CERT");
	cr_assert_eq(certs_load("r.test:5000", &r, &found, &err), -1, "a certificate without a key");
	cr_expect_eq(err.code, ERR_INPUT);
	buf_release(&r.ca);
	put(dir, "client.key", "KEY");
	cr_assert_eq(certs_load("r.test:5000", &r, &found, &err), 0, "%s", err.msg);
	cr_expect(found);
	cr_expect_str_eq(buf_str(&r.ca), "CA1\nCA2\n");
	cr_expect_str_eq(buf_str(&r.cert), "CERT\n");
	cr_expect_str_eq(buf_str(&r.key), "KEY\n");
	buf_release(&r.ca);
	buf_release(&r.cert);
	buf_release(&r.key);
	cr_assert_eq(fs_remove_tree(home, &err), 0);
}

Test(session, a_host_that_may_be_a_name_in_upper_case_says_so)
{
	static const struct {
		const char *host;
		bool by_case;
	} rows[] = {
		{"Shop", true},       {"Shop.test", false}, {"Shop:5000", false},
		{"localhost", false}, {"r.test", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct registry r = {.o.host = rows[i].host};
		struct error err = {0};

		err_set_(&err, ERR_NET, "cannot resolve the host name %s", rows[i].host);
		err_hint_(&err, "check the name");
		session_hint(&r, &err);
		cr_expect_eq(strstr(err.hint, "upper-case") != NULL, rows[i].by_case, "%s: %s",
					 rows[i].host, err.hint);
	}
}
