#include "chassis/log.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "chassis/stamp.h"
#include "chassis/text.h"

static void add_field(struct text *line, const struct log_field *field)
{
	if (field->kind == LOG_KIND_STRING && !field->string)
		return;
	text_addf(line, ",\"%s\":", field->name);
	switch (field->kind) {
	case LOG_KIND_STRING:
		text_add_json(line, field->string);
		break;
	case LOG_KIND_INTEGER:
		text_addf(line, "%" PRId64, field->integer);
		break;
	case LOG_KIND_NUMBER:
		text_addf(line, "%.3f", field->number);
		break;
	case LOG_KIND_END:
		break;
	}
}

static void write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return; /* nobody reads: losing the line is better than stopping the service */
		data += n;
		size -= (size_t)n;
	}
}

void log_write(
	struct log *log, enum log_level level, const char *msg, const struct log_field *fields)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	struct text line = {0};
	char now[STAMP_TIME_BYTES];

	if (level < log->level)
		return;
	stamp_time(now);
	text_addf(&line, "{\"ts\":\"%s\",\"level\":\"%s\",\"msg\":", now, names[level]);
	text_add_json(&line, msg);
	text_addf(&line, ",\"service\":\"%s\",\"version\":\"%s\"", log->service, log->version);
	for (; fields->kind != LOG_KIND_END; fields++)
		add_field(&line, fields);
	text_add(&line, "}\n", 2);
	pthread_mutex_lock(&log->lock);
	write_all(log->fd, line.data, line.size);
	pthread_mutex_unlock(&log->lock);
	text_release(&line);
}
