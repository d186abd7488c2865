/* The load generator's gRPC side: cleartext HTTP/2 by libnghttp2, many streams per connection. */
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load-generator.h"

/* Windows so large that the generator never slows the gateway down. */
#define WINDOW_BYTES (1 << 30)

static int64_t receive_time_ns;

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *out, size_t length, uint32_t *flags,
                         nghttp2_data_source *source, void *user) {
  (void)session, (void)stream_id, (void)user;
  struct slot *s = source->ptr;
  size_t part = options.body_bytes - s->body_sent;
  if (part > length) part = length;
  memcpy(out, options.body + s->body_sent, part);
  s->body_sent += part;
  if (s->body_sent == options.body_bytes) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)part;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_bytes,
                     const uint8_t *value, size_t value_bytes, uint8_t flags, void *user) {
  (void)flags, (void)user;
  struct slot *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
  if (!s) return 0;
  if (name_bytes == 7 && memcmp(name, ":status", 7) == 0) {
    s->http_ok = value_bytes == 3 && memcmp(value, "200", 3) == 0;
    if (options.plain) s->grpc_ok = true;
  } else if (name_bytes == 11 && memcmp(name, "grpc-status", 11) == 0) {
    s->grpc_ok = value_bytes == 1 && value[0] == '0';
    if (!s->grpc_ok) {
      char what[64];
      snprintf(what, sizeof what, "grpc-status %.*s", (int)(value_bytes > 3 ? 3 : value_bytes), (const char *)value);
      note_reason(what);
    }
  }
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data, size_t length,
                   void *user) {
  (void)flags, (void)user;
  struct slot *s = nghttp2_session_get_stream_user_data(session, stream_id);
  if (s) scan_tokens(s, data, length, receive_time_ns);
  return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code, void *user) {
  (void)user;
  struct slot *s = nghttp2_session_get_stream_user_data(session, stream_id);
  if (!s) return 0;
  bool ok = error_code == NGHTTP2_NO_ERROR && s->http_ok && s->grpc_ok;
  if (!ok) note_error(error_code ? "a stream was reset" : "an answer without HTTP 200 and grpc-status 0");
  end_slot(s, ok);
  return 0;
}

void h2_open(struct connection *c) {
  static nghttp2_session_callbacks *callbacks;
  if (!callbacks) {
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
  }
  nghttp2_session *session;
  if (nghttp2_session_client_new(&session, callbacks, c) != 0) die("nghttp2_session_client_new");
  c->session = session;
  nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                       {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES}};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, 2);
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, WINDOW_BYTES);
  c->dirty = true;
}

static nghttp2_nv pair(const char *name, const char *value) {
  return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE};
}

void h2_send(struct slot *s) {
  static char authority[32];
  if (!authority[0]) snprintf(authority, sizeof authority, "127.0.0.1:%d", options.port);
  nghttp2_nv headers[] = {pair(":method", "POST"),
                          pair(":scheme", "http"),
                          pair(":authority", authority),
                          pair(":path", options.path),
                          pair("content-type", "application/grpc"),
                          pair("te", "trailers"),
                          pair("user-agent", "sluice-bench/1")};
  nghttp2_data_provider body = {.source.ptr = s, .read_callback = read_body};
  s->body_sent = 0;
  s->http_ok = s->grpc_ok = false;
  s->stream_id = nghttp2_submit_request(s->connection->session, NULL, headers, sizeof headers / sizeof *headers,
                                        &body, s);
  s->connection->dirty = true;
  if (s->stream_id < 0) {
    s->active = false;
    note_error(nghttp2_strerror(s->stream_id));
  }
}

void h2_flush(struct connection *c) {
  const uint8_t *data;
  ssize_t n;
  while (!c->closed && (n = nghttp2_session_mem_send(c->session, &data)) > 0) append_out(c, data, (size_t)n);
}

void h2_receive(struct connection *c, const uint8_t *data, size_t length, int64_t now) {
  receive_time_ns = now;
  ssize_t n = nghttp2_session_mem_recv(c->session, data, length);
  if (n < 0) break_connection(c, nghttp2_strerror((int)n));
  c->dirty = true;
}
