#include "chassis/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/check.h"

struct settings {
	char *text;
	char *secret;
	int number;
	int choice;
	bool flag;
};

static const struct config_row rows[] = {
	{.name = "T_TEXT",
		.type = CONFIG_TEXT,
		.offset = offsetof(struct settings, text),
		.initial = "default",
		.summary = "a text"},
	{.name = "T_SECRET",
		.type = CONFIG_TEXT,
		.offset = offsetof(struct settings, secret),
		.secret = true,
		.summary = "a secret"},
	{.name = "T_NUMBER",
		.type = CONFIG_INT,
		.offset = offsetof(struct settings, number),
		.min = 1,
		.max = 10,
		.summary = "a number"},
	{.name = "T_CHOICE",
		.type = CONFIG_CHOICE,
		.offset = offsetof(struct settings, choice),
		.choices = "red green blue",
		.initial = "green",
		.summary = "a choice"},
	{.name = "T_FLAG",
		.type = CONFIG_BOOL,
		.offset = offsetof(struct settings, flag),
		.initial = "false",
		.summary = "a flag"},
	CONFIG_DONE,
};

static void clear_environment(void)
{
	static const char *const names[] = {
		"T_TEXT", "T_SECRET", "T_SECRET_FILE", "T_NUMBER", "T_CHOICE", "T_FLAG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
}

TEST(config_takes_defaults)
{
	struct settings settings = {.number = 7};
	struct text errors = {0};

	clear_environment();
	CHECK_INT(config_load(rows, &settings, &errors), 0);
	CHECK_STRING(settings.text, "default");
	CHECK(settings.secret == NULL);
	CHECK_INT(settings.number, 7);
	CHECK_INT(settings.choice, 1);
	CHECK(!settings.flag);
	config_release(rows, &settings);
	text_release(&errors);
}

TEST(config_reads_the_environment)
{
	struct settings settings = {0};
	struct text errors = {0};

	clear_environment();
	setenv("T_TEXT", "", 1);
	setenv("T_NUMBER", "10", 1);
	setenv("T_CHOICE", "blue", 1);
	setenv("T_FLAG", "true", 1);
	CHECK_INT(config_load(rows, &settings, &errors), 0);
	CHECK_STRING(settings.text, "");
	CHECK_INT(settings.number, 10);
	CHECK_INT(settings.choice, 2);
	CHECK(settings.flag);
	config_release(rows, &settings);
	text_release(&errors);
}

TEST(config_reports_every_error_at_once)
{
	struct settings settings = {0};
	struct text errors = {0};

	clear_environment();
	setenv("T_NUMBER", "11", 1);
	setenv("T_CHOICE", "gree", 1);
	setenv("T_FLAG", "yes", 1);
	setenv("T_SECRET_FILE", "/nowhere/at/all", 1);
	CHECK_INT(config_load(rows, &settings, &errors), -1);
	CHECK_CONTAINS(
		text_string(&errors), "T_NUMBER: must be a whole number from 1 to 10, not '11'\n");
	CHECK_CONTAINS(text_string(&errors), "T_CHOICE: must be one of: red green blue; not 'gree'\n");
	CHECK_CONTAINS(text_string(&errors), "T_FLAG: must be true or false, not 'yes'\n");
	CHECK_CONTAINS(text_string(&errors), "T_SECRET_FILE: cannot read /nowhere/at/all");
	config_release(rows, &settings);
	text_release(&errors);
	clear_environment();
}

TEST(config_refuses_odd_numbers)
{
	static const char *const cases[] = {"", " ", "1x", "0x5", "99999999999999999999", "-1", "1.5"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct settings settings = {0};
		struct text errors = {0};

		clear_environment();
		setenv("T_NUMBER", cases[i], 1);
		CHECK_INT(config_load(rows, &settings, &errors), -1);
		config_release(rows, &settings);
		text_release(&errors);
	}
	clear_environment();
}

TEST(config_reads_a_secret_from_its_file)
{
	char path[] = "/tmp/config-test-XXXXXX";
	int fd = mkstemp(path);
	struct settings settings = {.number = 1};
	struct text errors = {0};
	char printed[2048] = "";
	FILE *out = fmemopen(printed, sizeof(printed), "w");

	REQUIRE(fd >= 0 && out);
	CHECK_INT(write(fd, "hush\n", 5), 5);
	close(fd);
	clear_environment();
	setenv("T_SECRET_FILE", path, 1);
	CHECK_INT(config_load(rows, &settings, &errors), 0);
	CHECK_STRING(settings.secret, "hush");
	config_print(rows, &settings, out);
	fclose(out);
	CHECK_CONTAINS(printed, "T_SECRET=***\n");
	CHECK_CONTAINS(printed, "# a choice (red green blue)\nT_CHOICE=green\n");
	CHECK(strstr(printed, "hush") == NULL);
	config_release(rows, &settings);

	setenv("T_SECRET", "both", 1);
	CHECK_INT(config_load(rows, &settings, &errors), -1);
	CHECK_CONTAINS(text_string(&errors), "T_SECRET: set it or T_SECRET_FILE, not both\n");
	config_release(rows, &settings);
	text_release(&errors);
	unlink(path);
	clear_environment();
}
