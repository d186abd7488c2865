/* The load generator's instruments: options, histograms, CPU and memory of other processes. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load-generator.h"

static int bucket_of(uint64_t value) {
  if (value < HISTOGRAM_STEPS) return (int)value;
  int shift = 63 - __builtin_clzll(value) - 6;
  int bucket = (shift + 1) * HISTOGRAM_STEPS + (int)(value >> shift) - HISTOGRAM_STEPS;
  return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

void record(struct histogram *h, int64_t value_ns) {
  h->buckets[bucket_of(value_ns > 0 ? (uint64_t)value_ns : 0)]++;
  h->count++;
}

/* The middle of the bucket that holds the quantile; 0 where nothing was recorded. */
double quantile(const struct histogram *h, double q) {
  uint64_t rank = (uint64_t)(q * (double)h->count), seen = 0;
  for (int bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    seen += h->buckets[bucket];
    if (seen > rank) {
      if (bucket < HISTOGRAM_STEPS) return bucket;
      int shift = bucket / HISTOGRAM_STEPS - 1;
      double low = (double)((uint64_t)(bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS) << shift);
      return low + (double)(1ull << shift) / 2;
    }
  }
  return 0;
}

void append_out(struct connection *c, const void *data, size_t length) {
  if (c->out.length + length > c->out.capacity) {
    c->out.capacity = (c->out.length + length) * 2;
    c->out.data = realloc(c->out.data, c->out.capacity);
    if (!c->out.data) die("realloc");
  }
  memcpy(c->out.data + c->out.length, data, length);
  c->out.length += length;
  c->dirty = true;
}

/* Time on a CPU of all threads of the processes under test. A thread that has ended is not counted. */
int64_t read_cpu_ns(void) {
  int64_t sum = 0;
  for (int i = 0; i < options.pid_count; i++) {
    char path[320];
    snprintf(path, sizeof path, "/proc/%d/task", options.pids[i]);
    DIR *tasks = opendir(path);
    if (!tasks) {
      note_error("a process under test has gone");
      continue;
    }
    for (struct dirent *task; (task = readdir(tasks));) {
      if (task->d_name[0] == '.') continue;
      snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", options.pids[i], task->d_name);
      FILE *file = fopen(path, "r");
      long long ns = 0;
      if (file && fscanf(file, "%lld", &ns) == 1) sum += ns;
      if (file) fclose(file);
    }
    closedir(tasks);
  }
  return sum;
}

/*
 * How long the core of --core was busy, with whatever: user, nice, system, irq, softirq and steal of
 * /proc/stat, in clock ticks of the kernel. 0 without --core.
 */
int64_t read_core_busy_ns(void) {
  if (options.core < 0) return 0;
  char name[16], line[512];
  int name_bytes = snprintf(name, sizeof name, "cpu%d ", options.core);
  long long user, nice, system, idle, iowait, irq, softirq, steal, busy = 0;
  FILE *file = fopen("/proc/stat", "r");
  while (file && fgets(line, sizeof line, file)) {
    if (strncmp(line, name, (size_t)name_bytes) != 0) continue;
    if (sscanf(line + name_bytes, "%lld %lld %lld %lld %lld %lld %lld %lld", &user, &nice, &system, &idle, &iowait,
               &irq, &softirq, &steal) == 8) {
      busy = user + nice + system + irq + softirq + steal;
    }
  }
  if (file) fclose(file);
  return busy * (1000000000 / sysconf(_SC_CLK_TCK));
}

long read_rss_kib(void) {
  long sum = 0;
  for (int i = 0; i < options.pid_count; i++) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", options.pids[i]);
    FILE *file = fopen(path, "r");
    long kib;
    while (file && fgets(line, sizeof line, file)) {
      if (sscanf(line, "VmRSS: %ld", &kib) == 1) sum += kib;
    }
    if (file) fclose(file);
  }
  return sum;
}

static void read_body_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) < 0) die(path);
  long size = ftell(file);
  rewind(file);
  options.body = malloc((size_t)size + 1);
  if (!options.body || fread(options.body, 1, (size_t)size, file) != (size_t)size) die(path);
  options.body_bytes = (size_t)size;
  fclose(file);
}

/* `\r\n` cannot stand in an argument comfortably, so header lines are divided by a newline. */
static const char *with_line_ends(const char *lines) {
  char *out = calloc(1, strlen(lines) * 2 + 3), *end = out;
  if (!out) die("calloc");
  for (; *lines; lines++) {
    if (*lines == '\n') *end++ = '\r';
    *end++ = *lines;
  }
  memcpy(end, "\r\n", 2);
  return out;
}

static void parse_pids(char *list) {
  for (char *pid = strtok(list, ","); pid && options.pid_count < MAX_PIDS; pid = strtok(NULL, ",")) {
    options.pids[options.pid_count++] = atoi(pid);
  }
}

void parse_options(int argc, char **argv) {
  static const struct option known[] = {
      {"openai", 0, 0, 'o'},  {"plain", 0, 0, 'l'},    {"port", 1, 0, 'p'},    {"path", 1, 0, 'u'},
      {"header", 1, 0, 'h'},  {"body", 1, 0, 'B'},     {"connections", 1, 0, 'c'}, {"slots", 1, 0, 's'},
      {"tokens", 1, 0, 't'},  {"done", 0, 0, 'D'},     {"rate", 1, 0, 'r'},    {"warm-ms", 1, 0, 'w'},
      {"measure-ms", 1, 0, 'd'}, {"ramp-ms", 1, 0, 'R'}, {"pids", 1, 0, 'P'},  {"core", 1, 0, 'C'},  {0, 0, 0, 0}};
  options.expected_tokens = options.core = -1;
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    switch (option) {
      case 'o': options.openai = true; break;
      case 'l': options.plain = true; break;
      case 'p': options.port = atoi(optarg); break;
      case 'u': options.path = optarg; break;
      case 'h': options.headers = with_line_ends(optarg); break;
      case 'B': read_body_file(optarg); break;
      case 'c': options.connection_count = atoi(optarg); break;
      case 's': options.slots_per_connection = atoi(optarg); break;
      case 't': options.expected_tokens = atoi(optarg); break;
      case 'D': options.expects_done = true; break;
      case 'r': options.rate = atof(optarg); break;
      case 'w': options.warm_ms = atol(optarg); break;
      case 'd': options.measure_ms = atol(optarg); break;
      case 'R': options.ramp_ms = atol(optarg); break;
      case 'C': options.core = atoi(optarg); break;
      case 'P': parse_pids(optarg); break;
      default: exit(2);
    }
  }
  errno = 0;
  bool ok = options.port > 0 && options.path && options.body && options.connection_count > 0 &&
            options.slots_per_connection > 0 && (!options.openai || options.slots_per_connection == 1) &&
            options.measure_ms > 0 && options.measure_ms <= 120000 && options.warm_ms >= 0 &&
            options.warm_ms <= 120000;
  if (!ok) die("an option is missing or wrong");
}
