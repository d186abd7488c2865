/* What the parts of the load generator share. Times are CLOCK_MONOTONIC, in nanoseconds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <time.h>

#define MAX_PIDS 32

struct options {
  bool openai;         /* HTTP/1.1 and OpenAI's shapes; otherwise gRPC over cleartext HTTP/2 */
  bool plain;          /* with HTTP/2: expect no grpc-status (the hello server) */
  int port;
  const char *path;
  const char *headers; /* further HTTP/1.1 header lines, each ended by \r\n, or NULL */
  uint8_t *body;
  size_t body_bytes;
  int connection_count, slots_per_connection;
  int expected_tokens; /* per answer; -1 does not count them */
  bool expects_done;   /* an answer must have data: [DONE] */
  double rate;         /* requests per second; 0 is the closed loop */
  int64_t warm_ms, measure_ms, ramp_ms;
  int pids[MAX_PIDS];
  int pid_count;
  int core;            /* the core the gateway is pinned to, or -1 */
};

struct bytes {
  uint8_t *data;
  size_t start, length, capacity;
};

struct connection;

/* A place for one request at a time. */
struct slot {
  struct connection *connection;
  int64_t due_ns, mark_ns;
  int mark_digits, token_count, done_matched;
  int32_t stream_id;
  size_t body_sent;
  bool active, done, http_ok, grpc_ok;
};

/* Where the reader of an HTTP/1.1 answer stands. */
enum h1_state { H1_HEAD, H1_LENGTH, H1_CHUNK_SIZE, H1_CHUNK, H1_CHUNK_END, H1_TRAILER };

struct connection {
  int fd;
  bool closed, wants_write, dirty;
  struct bytes out;
  struct slot *slots;
  void *session; /* nghttp2_session */
  enum h1_state state;
  size_t remaining;
  char line[8192];
  size_t line_bytes;
};

/* Log-linear: 64 steps per factor of two, so a value is right to 1.6 %. */
#define HISTOGRAM_STEPS 64
#define HISTOGRAM_BUCKETS (64 * HISTOGRAM_STEPS)
struct histogram {
  uint64_t count;
  uint64_t buckets[HISTOGRAM_BUCKETS];
};

struct totals {
  uint64_t request_count, token_count, error_count;
  struct histogram request_latency, token_latency;
  int64_t cpu_start_ns, cpu_end_ns, busy_start_ns, busy_end_ns, measured_ns;
  long peak_rss_kib;
  char first_error[160];
};

extern struct options options;
extern struct totals totals;

static inline int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline int ioctl_nonblocking(int fd, int *on) { return ioctl(fd, FIONBIO, on); }

_Noreturn void die(const char *what);
/* Counts an error; the first one's text is kept. */
void note_error(const char *what);
/* Keeps the text of an error that is counted elsewhere. */
void note_reason(const char *what);
void scan_tokens(struct slot *s, const uint8_t *data, size_t length, int64_t received_ns);
void begin_slot(struct slot *s, int64_t due_ns);
void end_slot(struct slot *s, bool ok);
void flush_connection(struct connection *c);
void break_connection(struct connection *c, const char *why);
void append_out(struct connection *c, const void *data, size_t length);

void h1_send(struct slot *s);
void h1_receive(struct connection *c, const uint8_t *data, size_t length, int64_t now);

void h2_open(struct connection *c);
void h2_send(struct slot *s);
void h2_flush(struct connection *c);
void h2_receive(struct connection *c, const uint8_t *data, size_t length, int64_t now);

void parse_options(int argc, char **argv);
int64_t read_cpu_ns(void);
int64_t read_core_busy_ns(void);
long read_rss_kib(void);
void record(struct histogram *h, int64_t value_ns);
double quantile(const struct histogram *h, double q);
