/* The mock upstream's answers, in the shapes of OpenAI's chat completions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mock-upstream.h"

#define TEXT_BYTES 21 /* " tok@" and 16 digits */

_Noreturn void die(const char *what) {
  perror(what);
  exit(1);
}

void reserve(struct buffer *b, size_t extra) {
  if (b->start > 0 && b->start == b->length) b->start = b->length = 0;
  if (b->length + extra <= b->capacity) return;
  if (b->start > 0) {
    memmove(b->data, b->data + b->start, b->length - b->start);
    b->length -= b->start;
    b->start = 0;
    if (b->length + extra <= b->capacity) return;
  }
  size_t capacity = b->capacity ? b->capacity : 4096;
  while (capacity < b->length + extra) capacity *= 2;
  b->data = realloc(b->data, capacity);
  if (!b->data) die("realloc");
  b->capacity = capacity;
}

void append(struct buffer *b, const char *data, size_t length) {
  reserve(b, length);
  memcpy(b->data + b->length, data, length);
  b->length += length;
}

void append_text(struct buffer *b, const char *text) { append(b, text, strlen(text)); }

static void append_token_text(struct buffer *b, int64_t time_ns) {
  char text[TEXT_BYTES + 1] = " tok@";
  for (int i = TEXT_BYTES - 1; i >= 5; i--) {
    text[i] = (char)('0' + time_ns % 10);
    time_ns /= 10;
  }
  append(b, text, TEXT_BYTES);
}

static const char CHUNK_HEAD[] =
    "data: {\"id\":\"chatcmpl-BenchBenchBenchBenchBenchBe\",\"object\":\"chat.completion.chunk\","
    "\"created\":1760000000,\"model\":\"";
static const char CHUNK_SERVICE[] =
    "\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":";

static void append_chunk_head(struct connection *c, struct buffer *b) {
  append(b, CHUNK_HEAD, sizeof CHUNK_HEAD - 1);
  append_text(b, c->model);
  append(b, CHUNK_SERVICE, sizeof CHUNK_SERVICE - 1);
}

static void append_usage(struct connection *c, struct buffer *b) {
  char usage[160];
  snprintf(usage, sizeof usage,
           "\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":%d,\"total_tokens\":%d}", c->token_count,
           12 + c->token_count);
  append_text(b, usage);
}

/* One HTTP chunk per write, as servers that flush after each event send it. */
static void append_http_chunk(struct connection *c, const struct buffer *body) {
  char size[16];
  append(&c->out, size, (size_t)snprintf(size, sizeof size, "%zx\r\n", body->length));
  append(&c->out, body->data, body->length);
  append(&c->out, "\r\n", 2);
}

void write_tokens(struct connection *c, int64_t time_ns) {
  static struct buffer body;
  body.length = body.start = 0;
  if (!c->headers_sent) {
    c->headers_sent = true;
    append_text(&c->out, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                         "cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n");
    append_chunk_head(c, &body);
    append_text(&body, "[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
                       "\"logprobs\":null,\"finish_reason\":null}]}\n\n");
  }
  for (int i = 0; i < c->batch_count && c->sent_count < c->token_count; i++, c->sent_count++) {
    append_chunk_head(c, &body);
    append_text(&body, "[{\"index\":0,\"delta\":{\"content\":\"");
    append_token_text(&body, time_ns);
    append_text(&body, "\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n");
  }
  bool last = c->sent_count >= c->token_count;
  if (last) {
    append_chunk_head(c, &body);
    append_text(&body, "[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n");
    if (c->include_usage) {
      append_chunk_head(c, &body);
      append_text(&body, "[],");
      append_usage(c, &body);
      append_text(&body, "}\n\n");
    }
    append_text(&body, "data: [DONE]\n\n");
  }
  append_http_chunk(c, &body);
  if (last) append_text(&c->out, "0\r\n\r\n");
}

void write_whole(struct connection *c, int64_t time_ns) {
  static struct buffer body;
  body.length = body.start = 0;
  append_text(&body, "{\"id\":\"chatcmpl-BenchBenchBenchBenchBenchBe\",\"object\":\"chat.completion\","
                     "\"created\":1760000000,\"model\":\"");
  append_text(&body, c->model);
  append_text(&body, "\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"");
  for (int i = 0; i < c->token_count; i++) append_token_text(&body, time_ns);
  append_text(&body, "\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],");
  append_usage(c, &body);
  append_text(&body, ",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\"}");
  char head[128];
  append(&c->out, head,
         (size_t)snprintf(head, sizeof head,
                          "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n",
                          body.length));
  append(&c->out, body.data, body.length);
  c->sent_count = c->token_count;
}
