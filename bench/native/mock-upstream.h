/* What the parts of the mock upstream share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_MODEL_BYTES 64

struct buffer {
  char *data;
  size_t length, capacity, start;
};

struct connection {
  int fd;
  bool busy, streaming, include_usage, headers_sent, wants_write;
  struct buffer in, out;
  char model[MAX_MODEL_BYTES];
  long gap_ns;
  int token_count, sent_count, batch_count;
  int64_t due_ns;
  int heap_index; /* -1 when no timer is set */
};

_Noreturn void die(const char *what);

/* Makes room for `extra` more bytes at the end. */
void reserve(struct buffer *b, size_t extra);
void append(struct buffer *b, const char *data, size_t length);
void append_text(struct buffer *b, const char *text);

/* Appends the next write of a stream to c->out: headers before the first, usage and [DONE] after the last. */
void write_tokens(struct connection *c, int64_t time_ns);
/* Appends a whole JSON answer to c->out. */
void write_whole(struct connection *c, int64_t time_ns);
