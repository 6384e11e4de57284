/* curl_api.h - libcurl, loaded when the first client is made. Inside lib/http only. */
#pragma once

/* The type checks are macros around the linked functions, which we do not link. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "base/error.h"
#include "http/transport.h"

#include <stdbool.h>
#include <stdint.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt
#undef curl_share_setopt

struct curl_api {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_global_cleanup) *global_cleanup;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_setopt) *easy_setopt;
	__typeof__(curl_easy_getinfo) *easy_getinfo;
	__typeof__(curl_easy_reset) *easy_reset;
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_easy_strerror) *easy_strerror;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_setopt) *multi_setopt;
	__typeof__(curl_multi_add_handle) *multi_add_handle;
	__typeof__(curl_multi_remove_handle) *multi_remove_handle;
	__typeof__(curl_multi_perform) *multi_perform;
	__typeof__(curl_multi_poll) *multi_poll;
	__typeof__(curl_multi_info_read) *multi_info_read;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
	__typeof__(curl_share_init) *share_init;
	__typeof__(curl_share_setopt) *share_setopt;
	__typeof__(curl_share_cleanup) *share_cleanup;
};

int curl_api_load(struct curl_api *api, struct error *err);

/* PEM bytes read once, given to libcurl for each connection; never a path, so a FIFO or a folder is
 * refused up front. */
struct curl_keys {
	struct buf ca, cert, key;
	bool has_ca;
	char *ca_path; /* NULL: from memory */
	char *server_name, *proxy;
};

struct curl_transport {
	struct http_transport base;
	struct curl_api api;
	struct http_options options;
	const struct clock *clock;
	struct curl_keys keys;
	CURLM *multi;
	CURLSH *share; /* TLS sessions: a new connection to a known server costs no full handshake */
	struct curl_task *tasks; /* running */
	struct curl_task *idle;  /* kept for their easy handles */
	int idle_count;
	int streams; /* running; each may hold a connection for itself */
};

/* One attempt on its way. */
struct curl_task {
	struct curl_task *prev, *next;
	struct curl_transport *t;
	struct http_attempt *a;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	char errbuf[CURL_ERROR_SIZE];

	int64_t begun_ms;
	int64_t heard_ms; /* when the last byte moved; 0: not connected yet */
	uint64_t sent;

	struct http_headers head;
	int status;
	int64_t length; /* Content-Length seen in this head; -1: none */
	bool chunked;
	bool in_body;        /* the final head is complete */
	bool own_failure;    /* a->err is set: libcurl's reason is of no interest */
	bool callee_failure; /* on_headers or on_data ended it */
};

/* curl_easy.c: everything that is set on an easy handle for one attempt. */
int curl_task_setup(struct curl_task *k, struct error *err);
/* curl_head.c: the header callback. */
size_t curl_task_header(char *line, size_t size, size_t count, void *user);
/* curl_error.c: why libcurl gave up, in a->err and a->can_retry. */
void curl_task_explain(struct curl_task *k, CURLcode code);
/* End the attempt with a reason of our own. Returns -1. */
int curl_task_fail(struct curl_task *k, bool can_retry, enum err_code code, const char *fmt, ...)
	PRINTF(4, 5);

/* curl_keys.c: read what the options name. */
int curl_keys_load(const struct http_options *options, struct curl_keys *keys, struct error *err);
void curl_keys_release(struct curl_keys *keys);
