/*
 * Puts load on one gateway over loopback and says what came of it, as one line of JSON.
 *
 * Closed loop: every slot starts its next request when the last one ended. Open loop
 * (--rate): requests are due at fixed times whatever the gateway does, and latency counts
 * from the due time, so that a stalled gateway cannot hide its queue (coordinated omission).
 *
 * Every answer is checked: HTTP 200, grpc-status 0 for gRPC, the number of tokens, [DONE]
 * for server-sent events. Each token carries its time of sending (see mock-upstream.c);
 * time of receipt minus that is what the gateway added to it.
 *
 * CPU of the gateway is read from /proc/PID/task/<tid>/schedstat, memory from /proc/PID/status.
 * One thread, epoll. Runs for --warm-ms + --measure-ms and stops by itself.
 */
#define _GNU_SOURCE
#include "load-generator.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct options options = {.connection_count = 1, .slots_per_connection = 1, .measure_ms = 1000};
struct totals totals;
static int epoll_fd, timer_fd;
static struct connection *connections;
static struct slot **idle;
static int idle_count;
static int64_t next_due_ns, interval_ns, start_ns, window_start_ns, window_end_ns;
static int64_t *late; /* due times that found no idle slot: a ring */
static size_t late_first, late_count, late_capacity;

void die(const char *what) {
  fprintf(stderr, "load-generator: %s: %s\n", what, errno ? strerror(errno) : "wrong");
  exit(1);
}

void note_reason(const char *what) {
  if (!totals.first_error[0]) snprintf(totals.first_error, sizeof totals.first_error, "%s", what);
}

void note_error(const char *what) {
  totals.error_count++;
  note_reason(what);
}

static bool in_window(int64_t time_ns) { return time_ns >= window_start_ns && time_ns < window_end_ns; }

/* Finds the send times in an answer's text; a mark may be cut anywhere between two reads. */
void scan_tokens(struct slot *s, const uint8_t *data, size_t length, int64_t received_ns) {
  static const char DONE[] = "data: [DONE]";
  for (size_t i = 0; i < length; i++) {
    uint8_t byte = data[i];
    if (s->mark_digits >= 0) {
      if (byte >= '0' && byte <= '9') {
        s->mark_ns = s->mark_ns * 10 + (byte - '0');
        if (++s->mark_digits == 16) {
          s->mark_digits = -1;
          s->token_count++;
          if (in_window(received_ns)) {
            totals.token_count++;
            record(&totals.token_latency, received_ns - s->mark_ns);
          }
        }
        continue;
      }
      s->mark_digits = -1;
    }
    if (byte == '@') {
      s->mark_digits = 0;
      s->mark_ns = 0;
    }
    if (options.openai && !s->done) {
      s->done_matched = byte == (uint8_t)DONE[s->done_matched] ? s->done_matched + 1 : byte == 'd';
      s->done = s->done_matched == (int)sizeof DONE - 1;
    }
  }
}

void begin_slot(struct slot *s, int64_t due_ns) {
  s->due_ns = due_ns;
  s->mark_digits = -1;
  s->token_count = 0;
  s->done_matched = 0;
  s->done = false;
  s->active = true;
  if (options.openai) h1_send(s);
  else h2_send(s);
}

/* Ends a request; the slot takes the next one where there is one. */
void end_slot(struct slot *s, bool ok) {
  if (!s->active) return;
  s->active = false;
  int64_t now = now_ns();
  if (ok && options.expected_tokens >= 0 && s->token_count != options.expected_tokens) {
    char what[64];
    snprintf(what, sizeof what, "%d tokens instead of %d", s->token_count, options.expected_tokens);
    note_error(what);
  } else if (ok && in_window(now)) {
    totals.request_count++;
    if (s->due_ns >= window_start_ns) record(&totals.request_latency, now - s->due_ns);
  }
  if (s->connection->closed) return;
  if (interval_ns == 0) {
    if (now < window_end_ns) begin_slot(s, now);
  } else if (late_count) {
    int64_t due = late[late_first];
    late_first = (late_first + 1) % late_capacity;
    late_count--;
    begin_slot(s, due);
  } else {
    idle[idle_count++] = s;
  }
}

static void start_due(int64_t now) {
  while (next_due_ns <= now && next_due_ns < window_end_ns) {
    if (idle_count) {
      begin_slot(idle[--idle_count], interval_ns ? next_due_ns : now);
    } else if (interval_ns) {
      if (late_count == late_capacity) note_error("more requests waited than the generator holds");
      else late[(late_first + late_count++) % late_capacity] = next_due_ns;
    }
    if (interval_ns) {
      next_due_ns += interval_ns;
    } else if (idle_count == 0) {
      next_due_ns = INT64_MAX;
    } else {
      /* A closed loop starts its slots evenly over the ramp, so that paced streams do not march in step. */
      next_due_ns += options.ramp_ms * 1000000 / (options.connection_count * options.slots_per_connection);
    }
  }
}

/* Writes what is pending; a connection that breaks counts as an error and stays closed. */
void flush_connection(struct connection *c) {
  while (!c->closed && c->out.start < c->out.length) {
    ssize_t n = send(c->fd, c->out.data + c->out.start, c->out.length - c->out.start, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) {
      break_connection(c, "the gateway closed a connection");
      return;
    }
    c->out.start += (size_t)n;
  }
  if (c->closed) return;
  bool wants_write = c->out.start < c->out.length;
  if (!wants_write) c->out.start = c->out.length = 0;
  if (wants_write != c->wants_write) {
    c->wants_write = wants_write;
    struct epoll_event e = {.events = EPOLLIN | (wants_write ? (uint32_t)EPOLLOUT : 0u), .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
  }
}

void break_connection(struct connection *c, const char *why) {
  if (c->closed) return;
  c->closed = true;
  note_error(why);
  close(c->fd);
  for (int i = 0; i < options.slots_per_connection; i++) end_slot(&c->slots[i], false);
}

static void open_connection(struct connection *c) {
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)options.port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0) die("connect");
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  int flags = 1;
  if (ioctl_nonblocking(c->fd, &flags) < 0) die("ioctl");
  c->slots = calloc((size_t)options.slots_per_connection, sizeof *c->slots);
  if (!c->slots) die("calloc");
  for (int i = 0; i < options.slots_per_connection; i++) {
    c->slots[i].connection = c;
    idle[idle_count++] = &c->slots[i];
  }
  if (!options.openai) h2_open(c);
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e);
}

static void read_connection(struct connection *c) {
  static uint8_t data[1 << 18];
  ssize_t n = recv(c->fd, data, sizeof data, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    break_connection(c, "the gateway closed a connection");
    return;
  }
  int64_t now = now_ns();
  if (options.openai) h1_receive(c, data, (size_t)n, now);
  else h2_receive(c, data, (size_t)n, now);
}

static void set_timer(int64_t due_ns) {
  struct itimerspec spec = {.it_value = {due_ns / 1000000000, due_ns % 1000000000}};
  timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static int64_t earliest(int64_t a, int64_t b) { return a < b ? a : b; }

/* One flush per round and connection: answers of one read start their next requests in one write. */
static void flush_dirty(void) {
  for (int i = 0; i < options.connection_count; i++) {
    struct connection *c = &connections[i];
    if (!c->dirty) continue;
    c->dirty = false;
    if (!options.openai) h2_flush(c);
    flush_connection(c);
  }
}

static void run(void) {
  bool measuring = false;
  int64_t next_sample_ns = 0;
  for (;;) {
    int64_t now = now_ns();
    if (now >= window_end_ns) break;
    if (!measuring && now >= window_start_ns) {
      measuring = true;
      totals.cpu_start_ns = read_cpu_ns();
      totals.busy_start_ns = read_core_busy_ns();
      next_sample_ns = now;
    }
    if (measuring && now >= next_sample_ns) {
      long rss = read_rss_kib();
      if (rss > totals.peak_rss_kib) totals.peak_rss_kib = rss;
      next_sample_ns = now + 250000000;
    }
    start_due(now);
    flush_dirty();
    set_timer(earliest(next_due_ns, earliest(measuring ? next_sample_ns : window_start_ns, window_end_ns)));
    struct epoll_event events[256];
    int count = epoll_wait(epoll_fd, events, 256, 1000);
    for (int i = 0; i < count; i++) {
      struct connection *c = events[i].data.ptr;
      if (!c) {
        uint64_t expirations;
        if (read(timer_fd, &expirations, sizeof expirations) < 0 && errno != EAGAIN) die("read timerfd");
      } else if (!c->closed) {
        if (events[i].events & EPOLLOUT) flush_connection(c);
        if (!c->closed && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_connection(c);
      }
    }
  }
  totals.cpu_end_ns = read_cpu_ns();
  totals.busy_end_ns = read_core_busy_ns();
  totals.measured_ns = now_ns() - window_start_ns;
}

static void print_result(void) {
  printf("{\"requestCount\":%llu,\"tokenCount\":%llu,\"errorCount\":%llu,\"waitingCount\":%zu,"
         "\"measuredMs\":%.3f,\"cpuMs\":%.3f,\"coreBusyMs\":%.3f,\"peakRssKib\":%ld,"
         "\"latencyP50Us\":%.1f,\"latencyP99Us\":%.1f,\"latencySampleCount\":%llu,"
         "\"tokenP50Us\":%.1f,\"tokenP99Us\":%.1f,\"firstError\":\"%s\"}\n",
         (unsigned long long)totals.request_count, (unsigned long long)totals.token_count,
         (unsigned long long)totals.error_count, late_count, (double)totals.measured_ns / 1e6,
         (double)(totals.cpu_end_ns - totals.cpu_start_ns) / 1e6,
         (double)(totals.busy_end_ns - totals.busy_start_ns) / 1e6, totals.peak_rss_kib,
         quantile(&totals.request_latency, 0.50) / 1e3, quantile(&totals.request_latency, 0.99) / 1e3,
         (unsigned long long)totals.request_latency.count, quantile(&totals.token_latency, 0.50) / 1e3,
         quantile(&totals.token_latency, 0.99) / 1e3, totals.first_error);
}

int main(int argc, char **argv) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  /* Wake-ups on time: the default slack of 50 us would count as the gateway's latency. */
  prctl(PR_SET_TIMERSLACK, 1);
  parse_options(argc, argv);
  int slot_count = options.connection_count * options.slots_per_connection;
  connections = calloc((size_t)options.connection_count, sizeof *connections);
  idle = calloc((size_t)slot_count, sizeof *idle);
  late_capacity = 1 << 16;
  late = calloc(late_capacity, sizeof *late);
  if (!connections || !idle || !late) die("calloc");
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &e);
  for (int i = 0; i < options.connection_count; i++) open_connection(&connections[i]);
  start_ns = next_due_ns = now_ns();
  interval_ns = options.rate > 0 ? (int64_t)llround(1e9 / options.rate) : 0;
  window_start_ns = start_ns + options.warm_ms * 1000000;
  window_end_ns = window_start_ns + options.measure_ms * 1000000;
  run();
  print_result();
  return 0;
}
