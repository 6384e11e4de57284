#include "chassis/health.h"

#include <string.h>

void health_init(struct health *health)
{
	memset(health, 0, sizeof(*health));
	pthread_mutex_init(&health->lock, NULL);
}

void health_started(struct health *health)
{
	pthread_mutex_lock(&health->lock);
	health->started = true;
	pthread_mutex_unlock(&health->lock);
}

void health_draining(struct health *health)
{
	pthread_mutex_lock(&health->lock);
	health->draining = true;
	pthread_mutex_unlock(&health->lock);
}

void health_report(struct health *health, const char *name, bool ok)
{
	int i = 0;

	pthread_mutex_lock(&health->lock);
	while (i < health->check_count && strcmp(health->checks[i].name, name) != 0)
		i++;
	if (i < HEALTH_MAX_CHECKS) {
		health->checks[i].name = name;
		health->checks[i].ok = ok;
		if (i == health->check_count)
			health->check_count++;
	}
	pthread_mutex_unlock(&health->lock);
}

bool health_is_started(struct health *health)
{
	bool started;

	pthread_mutex_lock(&health->lock);
	started = health->started;
	pthread_mutex_unlock(&health->lock);
	return started;
}

static bool is_ready(const struct health *health)
{
	for (int i = 0; i < health->check_count; i++)
		if (!health->checks[i].ok)
			return false;
	return health->started && !health->draining;
}

bool health_is_ready(struct health *health)
{
	bool ready;

	pthread_mutex_lock(&health->lock);
	ready = is_ready(health);
	pthread_mutex_unlock(&health->lock);
	return ready;
}

void health_write(struct health *health, struct text *out)
{
	pthread_mutex_lock(&health->lock);
	text_addf(out, "{\"status\":\"%s\",\"checks\":{",
		health->draining       ? "draining"
			: !health->started ? "starting"
			: is_ready(health) ? "ok"
							   : "failing");
	for (int i = 0; i < health->check_count; i++)
		text_addf(out, "%s\"%s\":\"%s\"", i ? "," : "", health->checks[i].name,
			health->checks[i].ok ? "ok" : "failing");
	text_addf(out, "}}\n");
	pthread_mutex_unlock(&health->lock);
}
