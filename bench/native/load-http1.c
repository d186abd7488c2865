/* The load generator's HTTP/1.1 side: keep-alive, one request at a time per connection. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "load-generator.h"

/* Values of `remaining` while the headers are read. */
#define NO_LENGTH SIZE_MAX
#define CHUNKED (SIZE_MAX - 1)

/* The whole request is the same every time: it is put together once. */
static struct bytes request;

static void build_request(void) {
  size_t capacity = 1024 + strlen(options.path) + (options.headers ? strlen(options.headers) : 0);
  request.data = malloc(capacity + options.body_bytes);
  if (!request.data) die("malloc");
  int head_bytes = snprintf((char *)request.data, capacity,
                            "POST %s HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-type: application/json\r\n"
                            "accept: */*\r\n%scontent-length: %zu\r\n\r\n",
                            options.path, options.port, options.headers ? options.headers : "", options.body_bytes);
  memcpy(request.data + head_bytes, options.body, options.body_bytes);
  request.length = (size_t)head_bytes + options.body_bytes;
}

void h1_send(struct slot *s) {
  if (!request.data) build_request();
  s->http_ok = false;
  s->connection->state = H1_HEAD;
  s->connection->line_bytes = 0;
  append_out(s->connection, request.data, request.length);
}

static void take_line(struct connection *c, struct slot *s) {
  c->line[c->line_bytes] = 0;
  if (strncmp(c->line, "HTTP/1.1 ", 9) == 0) {
    s->http_ok = strncmp(c->line + 9, "200", 3) == 0;
    c->remaining = NO_LENGTH;
    if (!s->http_ok) {
      char what[96];
      snprintf(what, sizeof what, "HTTP status %.3s", c->line + 9);
      note_error(what);
    }
  } else if (strncasecmp(c->line, "content-length:", 15) == 0) {
    c->remaining = strtoul(c->line + 15, NULL, 10);
  } else if (strncasecmp(c->line, "transfer-encoding:", 18) == 0) {
    c->remaining = CHUNKED;
  }
}

static void finish(struct connection *c, struct slot *s) {
  if (s->http_ok && options.expects_done && !s->done) {
    note_error("a stream without [DONE]");
    s->http_ok = false;
  }
  c->state = H1_HEAD;
  c->line_bytes = 0;
  end_slot(s, s->http_ok);
}

/* After the empty line that ends the headers. */
static void begin_body(struct connection *c, struct slot *s) {
  if (c->remaining == NO_LENGTH) break_connection(c, "an answer with neither content-length nor chunks");
  else if (c->remaining == CHUNKED) c->state = H1_CHUNK_SIZE;
  else if (c->remaining == 0) finish(c, s);
  else c->state = H1_LENGTH;
}

static void end_line(struct connection *c, struct slot *s) {
  if (c->line_bytes && c->line[c->line_bytes - 1] == '\r') c->line_bytes--;
  c->line[c->line_bytes] = 0;
  bool empty = c->line_bytes == 0;
  switch (c->state) {
    case H1_HEAD:
      if (empty) begin_body(c, s);
      else take_line(c, s);
      break;
    case H1_CHUNK_SIZE:
      c->remaining = strtoul(c->line, NULL, 16);
      c->state = c->remaining ? H1_CHUNK : H1_TRAILER;
      break;
    case H1_CHUNK_END:
      c->state = H1_CHUNK_SIZE;
      break;
    default:
      if (empty) finish(c, s);
  }
  c->line_bytes = 0;
}

void h1_receive(struct connection *c, const uint8_t *data, size_t length, int64_t now) {
  struct slot *s = &c->slots[0];
  size_t i = 0;
  while (i < length && !c->closed) {
    if (!s->active) {
      break_connection(c, "bytes after the end of an answer");
      return;
    }
    if (c->state == H1_LENGTH || c->state == H1_CHUNK) {
      size_t part = length - i < c->remaining ? length - i : c->remaining;
      scan_tokens(s, data + i, part, now);
      i += part;
      c->remaining -= part;
      if (c->remaining == 0 && c->state == H1_CHUNK) c->state = H1_CHUNK_END;
      else if (c->remaining == 0) finish(c, s);
      continue;
    }
    const uint8_t *end = memchr(data + i, '\n', length - i);
    size_t part = (end ? (size_t)(end - data) : length) - i;
    if (c->line_bytes + part >= sizeof c->line) {
      break_connection(c, "a header line of more than 8 KiB");
      return;
    }
    memcpy(c->line + c->line_bytes, data + i, part);
    c->line_bytes += part;
    i += part + (end ? 1 : 0);
    if (end) end_line(c, s);
  }
}
