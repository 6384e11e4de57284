#include "base/text.h"
#include "http/curl_api.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int curl_task_fail(struct curl_task *k, bool can_retry, enum err_code code, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	if (k->own_failure)
		return -1;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set(&k->a->err, code, "%s", text);
	k->a->can_retry = can_retry;
	k->own_failure = true;
	return -1;
}

/* libcurl names whom it could not reach; when that is not the URL's host it is the proxy. */
static bool blames_proxy(const struct curl_task *k, char host[256], unsigned *port)
{
	const char *want = k->a->url->host;

	return sscanf(k->errbuf, "Failed to connect to %255s port %u", host, port) == 2 &&
		   !strcasestr(want, host);
}

static void explain_connect(struct curl_task *k)
{
	struct http_attempt *a = k->a;
	const char *host = a->url->host;
	unsigned port = a->url->port;
	long number = 0;
	long proxy_status = 0;
	char proxy[256];

	k->t->api.easy_getinfo(k->easy, CURLINFO_OS_ERRNO, &number);
	k->t->api.easy_getinfo(k->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	a->can_retry = true;
	if (proxy_status >= 300) {
		err_set(&a->err, proxy_status == 407 ? ERR_DENIED : ERR_NET,
				"the proxy refused to connect to %s:%u: status %ld", host, port, proxy_status);
		err_hint(&a->err, "check https_proxy, or name %s in no_proxy", host);
		a->can_retry = proxy_status >= 500;
		return;
	}
	if (blames_proxy(k, proxy, &port)) {
		err_set(&a->err, ERR_NET, "cannot connect to the proxy %s:%u: %s", proxy, port,
				number ? strerror((int)number) : "no connection");
		err_hint(&a->err, "check https_proxy, or name %s in no_proxy", host);
		a->unreachable = true;
		return;
	}
	err_set(&a->err, ERR_NET, "%s by %s:%u",
			number == ECONNREFUSED ? "connection refused" : "connection not accepted", host, port);
	a->unreachable = true;
	if (number && number != ECONNREFUSED)
		err_set(&a->err, ERR_NET, "cannot connect to %s:%u: %s", host, port, strerror((int)number));
	err_hint(&a->err, "check that a server is listening on %s, port %u", host, port);
}

static void explain_timeout(struct curl_task *k)
{
	struct http_attempt *a = k->a;
	char time[16];

	text_duration(clock_now(k->t->clock) - k->begun_ms, time);
	a->can_retry = true;
	err_set(&a->err, ERR_NET, "no connection to %s:%u within %s", a->url->host, a->url->port, time);
	err_hint(&a->err, "check the address, the network and a firewall in between");
}

static void explain_verification(struct curl_task *k)
{
	static const char said[] = "SSL certificate problem: ";
	struct http_attempt *a = k->a;
	const char *why = k->errbuf;

	if (text_starts(why, said))
		why += sizeof(said) - 1;
	err_set(&a->err, ERR_DENIED, "TLS: the certificate of %s is not trusted: %s", a->url->host,
			*why ? why : k->t->api.easy_strerror(CURLE_PEER_FAILED_VERIFICATION));
	err_hint(&a->err,
			 "if the server is yours, give its CA certificate with --ca FILE, or put it "
			 "where certs.d keeps those of %s",
			 a->url->host);
}

static void explain_handshake(struct curl_task *k)
{
	struct http_attempt *a = k->a;

	err_set(&a->err, ERR_NET, "TLS handshake with %s:%u failed: %s", a->url->host, a->url->port,
			k->errbuf[0] ? k->errbuf : "no reason given");
	if (strstr(k->errbuf, "wrong version number") || strstr(k->errbuf, "packet length too long"))
		err_hint(&a->err, "the port may speak plain http");
	else if (strstr(k->errbuf, "reset by peer") || strstr(k->errbuf, "SYSCALL"))
		a->can_retry = true;
}

/* The connection broke after it stood. A server that wants a client certificate says so only now
 * (TLS 1.3). */
static void explain_break(struct curl_task *k, CURLcode code)
{
	struct http_attempt *a = k->a;
	const char *what = "broke the connection";

	if (strstr(k->errbuf, "certificate required") || strstr(k->errbuf, "bad certificate") ||
		strstr(k->errbuf, "unknown ca")) {
		err_set(&a->err, ERR_DENIED, "TLS: %s refused our client certificate: %s", a->url->host,
				k->errbuf);
		return;
	}
	if (strstr(k->errbuf, "Too large response headers") || strstr(k->errbuf, "Nul byte") ||
		strstr(k->errbuf, "chunked-encoding")) {
		err_set(&a->err, ERR_NET, "invalid HTTP answer from %s: %s", a->url->host, k->errbuf);
		return;
	}
	if (code == CURLE_GOT_NOTHING)
		what = "closed the connection without an answer";
	else if (code == CURLE_PARTIAL_FILE)
		what = "closed the connection before the answer was complete";
	else if (code == CURLE_SEND_ERROR)
		what = "broke the connection while we were sending";
	err_set(&a->err, ERR_NET, "%s %s", a->url->host, what);
	a->can_retry = true;
}

static void explain_rest(struct curl_task *k, CURLcode code)
{
	struct http_attempt *a = k->a;
	const char *text = k->errbuf[0] ? k->errbuf : k->t->api.easy_strerror(code);

	switch (code) {
	case CURLE_SSL_CACERT_BADFILE:
		err_set(&a->err, ERR_INPUT, "TLS: the CA certificates%s%s cannot be used: %s",
				k->t->keys.ca_path ? " of " : "", k->t->keys.ca_path ? k->t->keys.ca_path : "",
				text);
		err_hint(&a->err, "%s",
				 k->t->keys.has_ca ? "check the file given as CA certificate"
								   : "install the package ca-certificates");
		break;
	case CURLE_SSL_CERTPROBLEM:
		err_set(&a->err, ERR_INPUT, "TLS: the client certificate or key cannot be used: %s", text);
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
		err_set(&a->err, ERR_NET, "cannot resolve the host name %s", a->url->host);
		err_hint(&a->err, "check the name and this machine's DNS");
		a->can_retry = a->unreachable = true;
		break;
	case CURLE_COULDNT_RESOLVE_PROXY:
		err_set(&a->err, ERR_NET, "cannot resolve the host name of the proxy");
		err_hint(&a->err, "check the variables http_proxy, https_proxy and all_proxy");
		break;
	case CURLE_OUT_OF_MEMORY: /* what libcurl says of one line of 100 KB; our own memory cannot run
								 out */
		err_set(&a->err, ERR_NET, "invalid HTTP answer from %s: a header line of more than 100 KB",
				a->url->host);
		break;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_BAD_CONTENT_ENCODING:
		err_set(&a->err, ERR_NET, "invalid HTTP answer from %s: %s", a->url->host, text);
		break;
	default:
		err_set(&a->err, ERR_NET, "%s: %s", a->url->host, text);
		break;
	}
}

void curl_task_explain(struct curl_task *k, CURLcode code)
{
	if (k->own_failure)
		return;
	k->a->can_retry = false;
	switch (code) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_PROXY:
		explain_connect(k);
		break;
	case CURLE_OPERATION_TIMEDOUT:
		explain_timeout(k);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		explain_verification(k);
		break;
	case CURLE_SSL_CONNECT_ERROR:
		explain_handshake(k);
		break;
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_SEND_FAIL_REWIND:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM: {
		long proxy_status = 0;

		k->t->api.easy_getinfo(k->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
		if (proxy_status >= 300)
			explain_connect(k);
		else
			explain_break(k, code);
		break;
	}
	default:
		explain_rest(k, code);
		break;
	}
}
