/*
 * An OpenAI-compatible upstream that costs almost nothing, so that what is measured
 * is the gateway in front of it. One thread, epoll, loopback, HTTP/1.1 keep-alive.
 *
 * POST /v1/chat/completions. The model name says how to answer:
 *   mock-d<us>-n<tokens>-i<gap us>-b<tokens per write>
 * d: silence before the answer; n: tokens; i: time between two writes; b: tokens per
 * write. The due times are kept: a late write does not shift the ones after it.
 *
 * Each token's text is " tok@" and 16 digits: the CLOCK_MONOTONIC time of its write in
 * nanoseconds. The load generator subtracts it from the time of receipt.
 *
 * Prints "listening <port>" and ends when its standard input closes.
 */
#define _GNU_SOURCE
#include "mock-upstream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_REQUEST_BYTES (4u << 20)
#define MAX_TOKENS 10000

static int epoll_fd, timer_fd;
static struct connection **heap;
static int heap_count, heap_capacity;

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Timers: a binary heap by due time, one timerfd for the earliest. */

static void heap_put(int index, struct connection *c) {
  heap[index] = c;
  c->heap_index = index;
}

static void heap_sift(int index) {
  struct connection *c = heap[index];
  while (index > 0 && heap[(index - 1) / 2]->due_ns > c->due_ns) {
    heap_put(index, heap[(index - 1) / 2]);
    index = (index - 1) / 2;
  }
  for (;;) {
    int child = index * 2 + 1;
    if (child >= heap_count) break;
    if (child + 1 < heap_count && heap[child + 1]->due_ns < heap[child]->due_ns) child++;
    if (heap[child]->due_ns >= c->due_ns) break;
    heap_put(index, heap[child]);
    index = child;
  }
  heap_put(index, c);
}

static void set_timer(struct connection *c, int64_t due_ns) {
  c->due_ns = due_ns;
  if (c->heap_index < 0) {
    if (heap_count == heap_capacity) {
      heap_capacity = heap_capacity ? heap_capacity * 2 : 256;
      heap = realloc(heap, sizeof *heap * (size_t)heap_capacity);
      if (!heap) die("realloc");
    }
    heap_put(heap_count++, c);
  }
  heap_sift(c->heap_index);
}

static void clear_timer(struct connection *c) {
  if (c->heap_index < 0) return;
  int index = c->heap_index;
  c->heap_index = -1;
  struct connection *last = heap[--heap_count];
  if (last == c) return;
  heap_put(index, last);
  heap_sift(index);
}

static void arm_timer(void) {
  static int64_t armed_ns = -1;
  int64_t due = heap_count ? heap[0]->due_ns : 0;
  if (due == armed_ns) return;
  armed_ns = due;
  struct itimerspec spec = {.it_value = {due / 1000000000, due % 1000000000}};
  if (timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) < 0) die("timerfd_settime");
}

static void close_connection(struct connection *c) {
  clear_timer(c);
  close(c->fd);
  free(c->in.data);
  free(c->out.data);
  free(c);
}

/* Writes what is pending; false when the peer is gone (the connection is then closed). */
static bool flush_out(struct connection *c) {
  while (c->out.start < c->out.length) {
    ssize_t n = send(c->fd, c->out.data + c->out.start, c->out.length - c->out.start, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) {
        close_connection(c);
        return false;
      }
      break;
    }
    c->out.start += (size_t)n;
  }
  bool wants_write = c->out.start < c->out.length;
  if (wants_write != c->wants_write) {
    c->wants_write = wants_write;
    struct epoll_event e = {.events = EPOLLIN | (wants_write ? (uint32_t)EPOLLOUT : 0u), .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
  }
  return true;
}

static bool take_requests(struct connection *c);

/* Writes everything that is due; false when the connection was closed. */
static bool advance(struct connection *c) {
  int64_t now = now_ns();
  while (c->busy && c->due_ns <= now) {
    if (c->streaming) write_tokens(c, now);
    else write_whole(c, now);
    if (c->sent_count >= c->token_count) {
      c->busy = false;
      clear_timer(c);
    } else {
      c->due_ns += c->gap_ns;
    }
  }
  if (c->busy) set_timer(c, c->due_ns);
  if (!flush_out(c)) return false;
  return c->busy || take_requests(c);
}

static bool refuse(struct connection *c, const char *status) {
  char answer[128];
  append(&c->out, answer,
         (size_t)snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                          status));
  if (flush_out(c)) close_connection(c);
  return false;
}

static const char *find(const char *data, size_t length, const char *text) {
  return memmem(data, length, text, strlen(text));
}

/* Whether `"name": true` stands in the body; the benchmark's prompts never contain it. */
static bool has_true(const char *body, size_t length, const char *name) {
  const char *end = body + length, *at = find(body, length, name);
  if (!at) return false;
  at += strlen(name);
  while (at < end && (*at == ' ' || *at == ':')) at++;
  return end - at >= 4 && memcmp(at, "true", 4) == 0;
}

static bool read_model(struct connection *c, const char *body, size_t length) {
  const char *at = find(body, length, "\"mock-d");
  const char *end = at ? memchr(at + 1, '"', (size_t)(body + length - at - 1)) : NULL;
  if (!end || end - at - 1 >= MAX_MODEL_BYTES) return false;
  memcpy(c->model, at + 1, (size_t)(end - at - 1));
  c->model[end - at - 1] = 0;
  long delay_us, gap_us;
  int tokens, batch, used = 0;
  if (sscanf(c->model, "mock-d%ld-n%d-i%ld-b%d%n", &delay_us, &tokens, &gap_us, &batch, &used) != 4) return false;
  if (c->model[used] || delay_us < 0 || gap_us < 0 || tokens < 1 || tokens > MAX_TOKENS || batch < 1) return false;
  c->gap_ns = gap_us * 1000;
  c->token_count = tokens;
  c->batch_count = batch;
  c->sent_count = 0;
  c->headers_sent = false;
  c->due_ns = now_ns() + delay_us * 1000;
  return true;
}

/* The value of a header, or NULL; `head` ends with the empty line. */
static const char *header(const char *head, const char *name) {
  for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
    if (strncasecmp(line + 2, name, strlen(name)) == 0) return line + 2 + strlen(name);
  }
  return NULL;
}

/* Begins the next request when it is here whole; false when the connection was closed. */
static bool take_requests(struct connection *c) {
  char *data = c->in.data + c->in.start;
  size_t length = c->in.length - c->in.start;
  const char *end = length ? find(data, length, "\r\n\r\n") : NULL;
  if (!end) return length < 65536 || refuse(c, "431 Request Header Fields Too Large");
  size_t head_bytes = (size_t)(end - data) + 4;
  char saved = data[head_bytes - 2];
  data[head_bytes - 2] = 0;
  const char *value = header(data, "content-length:");
  long body_bytes = value ? strtol(value, NULL, 10) : -1;
  bool known = strncmp(data, "POST /v1/chat/completions ", 26) == 0;
  data[head_bytes - 2] = saved;
  if (!known) return refuse(c, "404 Not Found");
  if (body_bytes < 0) return refuse(c, "411 Length Required");
  if (body_bytes > (long)MAX_REQUEST_BYTES) return refuse(c, "413 Content Too Large");
  if (length < head_bytes + (size_t)body_bytes) return true;
  const char *body = data + head_bytes;
  if (!read_model(c, body, (size_t)body_bytes)) return refuse(c, "400 Bad Request");
  c->streaming = has_true(body, (size_t)body_bytes, "\"stream\"");
  c->include_usage = has_true(body, (size_t)body_bytes, "\"include_usage\"");
  c->in.start += head_bytes + (size_t)body_bytes;
  c->busy = true;
  return advance(c);
}

static void read_connection(struct connection *c) {
  for (;;) {
    reserve(&c->in, 16384);
    size_t space = c->in.capacity - c->in.length;
    ssize_t n = recv(c->fd, c->in.data + c->in.length, space, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n <= 0) {
      close_connection(c);
      return;
    }
    c->in.length += (size_t)n;
    if ((size_t)n < space) break;
  }
  if (!c->busy) take_requests(c);
}

static void accept_all(int listen_fd) {
  for (;;) {
    int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct connection *c = calloc(1, sizeof *c);
    if (!c) die("calloc");
    c->fd = fd;
    c->heap_index = -1;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e);
  }
}

static int listen_on_loopback(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 4096) < 0) die("listen");
  getsockname(fd, (struct sockaddr *)&address, &size);
  printf("listening %d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

int main(void) {
  static char listen_mark, timer_mark, input_mark;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  int listen_fd = listen_on_loopback();
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = &listen_mark};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &e);
  e.data.ptr = &timer_mark;
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &e);
  e.data.ptr = &input_mark;
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &e);
  for (;;) {
    struct epoll_event events[256];
    int count = epoll_wait(epoll_fd, events, 256, -1);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++) {
      void *source = events[i].data.ptr;
      if (source == &listen_mark) {
        accept_all(listen_fd);
      } else if (source == &input_mark) {
        char ignored[64];
        if (read(STDIN_FILENO, ignored, sizeof ignored) <= 0) return 0;
      } else if (source == &timer_mark) {
        uint64_t expirations;
        if (read(timer_fd, &expirations, sizeof expirations) < 0 && errno != EAGAIN) die("read timerfd");
      } else {
        struct connection *c = source;
        if (events[i].events & EPOLLOUT && !flush_out(c)) continue;
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_connection(c);
      }
    }
    /* Timers run after the events, so that no event of this round meets a closed connection. */
    int64_t now = now_ns();
    while (heap_count && heap[0]->due_ns <= now) {
      struct connection *c = heap[0];
      clear_timer(c);
      advance(c);
    }
    arm_timer();
  }
}
