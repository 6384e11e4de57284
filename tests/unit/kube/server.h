/* server.h - an API server that plays answers from a table (../http/script.h). */
#pragma once

#include "../http/script.h"
#include "base/mem.h"
#include "kube/client.h"

#define SERVER "https://k.test:6443"

struct server {
	struct script script;
	struct kube_config config;
	struct kube_client *client;
};

static inline UNUSED void server_release(struct server *s)
{
	kube_client_free(s->client);
	kube_config_release(&s->config);
	script_release(&s->script);
}

/* Returns 0; the table is borrowed. */
static inline UNUSED int server_init(struct server *s, const struct script_answer *answers,
									 struct error *err)
{
	struct kube_client_options o = {.config = &s->config};

	script_init(&s->script, answers);
	s->config.server = xstrdup(SERVER);
	s->config.context = xstrdup("test");
	s->config.user = xstrdup("joe");
	s->config.namespace_ = xstrdup("shop");
	o.transport = &s->script.base;
	o.clock = &s->script.clock;
	return kube_client_new(&o, &s->client, err);
}
