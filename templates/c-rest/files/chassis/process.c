#include "chassis/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct process {
	struct metric *cpu;
	struct metric *memory;
	struct metric *fds;
};

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%*d %ld", &pages) != 1)
		pages = 0;
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double open_fds(void)
{
	DIR *directory = opendir("/proc/self/fd");
	double count = -3; /* ".", ".." and the directory itself */

	if (!directory)
		return 0;
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void collect(void *context)
{
	struct process *process = context;

	metric_set(process->cpu, cpu_seconds(), NULL);
	metric_set(process->memory, resident_bytes(), NULL);
	metric_set(process->fds, open_fds(), NULL);
}

struct process *process_metrics(struct metrics *metrics)
{
	struct process *process = must_alloc(1, sizeof(*process));
	struct metric *start = metrics_gauge(
		metrics, "process_start_time_seconds", "Start of the process, in Unix time.", "");

	metric_set(start, (double)time(NULL), NULL);
	process->cpu = metrics_counter(metrics, "process_cpu_seconds_total", "CPU time used.", "");
	process->memory = metrics_gauge(metrics, "process_resident_memory_bytes", "Memory in use.", "");
	process->fds = metrics_gauge(metrics, "process_open_fds", "Open file descriptors.", "");
	metrics_collect(metrics, collect, process);
	return process;
}

void process_free(struct process *process)
{
	free(process);
}
