// As much of RTMP 1.0 as a load generator and a discarding sink need: chunks, AMF0 commands, the plain handshake.
// Written apart from the server's own code, so that the two cannot share a fault.
#pragma once
#include "sockets.h"

enum { HANDSHAKE_BYTES = 1536, CHUNK_BYTES_DEFAULT = 128, CHUNK_STREAMS = 64, MESSAGE_BYTES_MAX = 16 << 20 };
enum { TYPE_SET_CHUNK_SIZE = 1, TYPE_AUDIO = 8, TYPE_VIDEO = 9, TYPE_DATA = 18, TYPE_COMMAND = 20 };

static uint32_t u24(const uint8_t *at) { return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2]; }
static uint32_t u32(const uint8_t *at) { return (uint32_t)at[0] << 24 | u24(at + 1); }

// ---- bytes to send

struct bytes {
  uint8_t *at;
  size_t length, room;
};

static uint8_t *grow(struct bytes *to, size_t more) {
  if (to->length + more > to->room) {
    to->room = (to->length + more) * 2;
    to->at = realloc(to->at, to->room);
    if (to->at == NULL) fail("memory");
  }
  to->length += more;
  return to->at + to->length - more;
}

static void put(struct bytes *to, const void *from, size_t count) { memcpy(grow(to, count), from, count); }
static void put_big(struct bytes *to, uint64_t value, int count) {
  uint8_t *at = grow(to, (size_t)count);
  for (int index = 0; index < count; index += 1) at[index] = (uint8_t)(value >> (8 * (count - 1 - index)));
}

static void amf_name(struct bytes *to, const char *text) {
  put_big(to, strlen(text), 2);
  put(to, text, strlen(text));
}
static void amf_string(struct bytes *to, const char *text) {
  put_big(to, 2, 1);
  amf_name(to, text);
}
static void amf_number(struct bytes *to, double value) {
  uint64_t bits;
  memcpy(&bits, &value, 8);
  put_big(to, 0, 1);
  put_big(to, bits, 8);
}
static void amf_null(struct bytes *to) { put_big(to, 5, 1); }
static void amf_object(struct bytes *to, const char *const pairs[]) {
  put_big(to, 3, 1);
  for (int index = 0; pairs[index] != NULL; index += 2) {
    amf_name(to, pairs[index]);
    amf_string(to, pairs[index + 1]);
  }
  put_big(to, 9, 3);
}

/// A message in fmt 0 and fmt 3 chunks. Timestamps stay below 0xffffff ms: no run lasts 4 h 39 min.
static void put_message(struct bytes *to, int chunk_stream, int type, uint32_t stream_id, uint32_t time_ms,
                        const uint8_t *payload, size_t length, size_t chunk_bytes) {
  put_big(to, (uint64_t)chunk_stream, 1);
  put_big(to, time_ms, 3);
  put_big(to, length, 3);
  put_big(to, (uint64_t)type, 1);
  for (int shift = 0; shift < 32; shift += 8) put_big(to, stream_id >> shift & 0xff, 1);
  for (size_t at = 0; at < length; at += chunk_bytes) {
    if (at > 0) put_big(to, 0xc0 | (uint64_t)chunk_stream, 1);
    put(to, payload + at, length - at < chunk_bytes ? length - at : chunk_bytes);
  }
}

static void put_command(struct bytes *to, uint32_t stream_id, struct bytes *command) {
  put_message(to, 3, TYPE_COMMAND, stream_id, 0, command->at, command->length, CHUNK_BYTES_DEFAULT);
  command->length = 0;
}

// ---- messages received

struct message {
  int type;
  uint32_t stream_id, time_ms;
  const uint8_t *payload;
  size_t length;
};

struct chunk_stream {
  uint8_t *payload;
  size_t room, length, filled;
  uint32_t stream_id, time_ms, step_ms;
  int type;
  bool is_extended;
};

struct reader {
  size_t chunk_bytes, header_length, chunk_left;
  uint8_t header[18];
  struct chunk_stream *in;
  struct chunk_stream streams[CHUNK_STREAMS];
};

typedef void (*on_message)(void *context, const struct message *message);

static struct reader *new_reader(void) {
  struct reader *reader = calloc(1, sizeof *reader);
  if (reader == NULL) fail("memory");
  reader->chunk_bytes = CHUNK_BYTES_DEFAULT;
  return reader;
}

static void free_reader(struct reader *reader) {
  if (reader == NULL) return;
  for (int index = 0; index < CHUNK_STREAMS; index += 1) free(reader->streams[index].payload);
  free(reader);
}

static const size_t header_bytes_by_format[] = {12, 8, 4, 1};

/// The length of the chunk's header, as far as its first bytes show.
static size_t header_bytes(struct reader *reader) {
  const uint8_t *header = reader->header;
  if ((header[0] & 63) < 2) {
    fprintf(stderr, "chunk stream ids over 63 are not used by anybody here\n");
    exit(1);
  }
  size_t length = header_bytes_by_format[header[0] >> 6];
  if (reader->header_length < length) return length;
  bool is_extended = length > 1 ? u24(header + 1) == 0xffffff : reader->streams[header[0] & 63].is_extended;
  return length + (is_extended ? 4 : 0);
}

static void deliver(struct reader *reader, struct chunk_stream *stream, on_message take, void *context) {
  struct message message = {stream->type, stream->stream_id, stream->time_ms, stream->payload, stream->length};
  stream->filled = 0;
  if (message.type == TYPE_SET_CHUNK_SIZE && message.length == 4) reader->chunk_bytes = u32(message.payload);
  take(context, &message);
}

/// The time of the message that this header begins: absolute (fmt 0), or a step from the one before it, written or the
/// last one again.
static void take_time(struct chunk_stream *stream, const uint8_t *header, int format) {
  if (format < 3) stream->step_ms = stream->is_extended ? u32(header + header_bytes_by_format[format]) : u24(header + 1);
  stream->time_ms = format == 0 ? stream->step_ms : stream->time_ms + stream->step_ms;
}

static void begin_chunk(struct reader *reader, on_message take, void *context) {
  const uint8_t *header = reader->header;
  struct chunk_stream *stream = &reader->streams[header[0] & 63];
  int format = header[0] >> 6;
  if (format < 3) stream->is_extended = u24(header + 1) == 0xffffff;
  if (stream->filled == 0) take_time(stream, header, format);
  if (format < 2) {
    stream->length = u24(header + 4);
    stream->type = header[7];
  }
  if (format == 0) stream->stream_id = header[8] | header[9] << 8 | header[10] << 16 | (uint32_t)header[11] << 24;
  if (stream->length > stream->room) {
    stream->room = stream->length;
    stream->payload = realloc(stream->payload, stream->room);
    if (stream->payload == NULL) fail("memory");
  }
  reader->header_length = 0;
  reader->in = stream;
  size_t left = stream->length - stream->filled;
  reader->chunk_left = left < reader->chunk_bytes ? left : reader->chunk_bytes;
  if (stream->length == 0) {
    reader->in = NULL;
    deliver(reader, stream, take, context);
  }
}

/// Takes bytes cut anywhere and hands on every whole message.
static void feed(struct reader *reader, const uint8_t *from, size_t count, on_message take, void *context) {
  while (count > 0) {
    if (reader->in == NULL) {
      reader->header[reader->header_length++] = *from++;
      count -= 1;
      if (reader->header_length >= header_bytes(reader)) begin_chunk(reader, take, context);
      continue;
    }
    struct chunk_stream *stream = reader->in;
    size_t part = count < reader->chunk_left ? count : reader->chunk_left;
    memcpy(stream->payload + stream->filled, from, part);
    stream->filled += part;
    reader->chunk_left -= part;
    from += part;
    count -= part;
    if (reader->chunk_left > 0) continue;
    reader->in = NULL;
    if (stream->filled == stream->length) deliver(reader, stream, take, context);
  }
}

/// A command's name and transaction; the place after them, or NULL where it is no command.
static const uint8_t *read_command(const struct message *message, char name[64], double *transaction) {
  if (message->type != TYPE_COMMAND || message->length < 3 || message->payload[0] != 2) return NULL;
  size_t length = (size_t)message->payload[1] << 8 | message->payload[2];
  if (length > 63 || message->length < 3 + length + 9) return NULL;
  memcpy(name, message->payload + 3, length);
  name[length] = 0;
  uint64_t bits = 0;
  for (size_t index = 0; index < 8; index += 1) bits = bits << 8 | message->payload[3 + length + 1 + index];
  memcpy(transaction, &bits, 8);
  return message->payload + 3 + length + 9;
}

static void send_bytes(int fd, struct bytes *bytes) {
  send_all(fd, bytes->at, bytes->length);
  bytes->length = 0;
}

// ---- the publishing side

struct reply {
  const char *wanted;
  double number;
  bool is_there;
};

static void look_for_reply(void *context, const struct message *message) {
  struct reply *reply = context;
  char name[64];
  double transaction;
  const uint8_t *rest = read_command(message, name, &transaction);
  if (rest == NULL) return;
  if (strcmp(name, "_error") == 0) {
    fprintf(stderr, "the server refused a command\n");
    exit(1);
  }
  if (strcmp(name, "onStatus") == 0 && memmem(message->payload, message->length, ".Publish.Start", 14) == NULL) {
    fprintf(stderr, "the server refused to publish\n");
    exit(1);
  }
  if (strcmp(name, reply->wanted) != 0) return;
  reply->is_there = true;
  if (rest + 10 > message->payload + message->length || rest[0] != 5 || rest[1] != 0) return;
  uint64_t bits = 0;
  for (int index = 0; index < 8; index += 1) bits = bits << 8 | rest[2 + index];
  memcpy(&reply->number, &bits, 8);
}

/// A blocking connection, in clear or behind TLS.
struct wire {
  void *of;
  void (*send)(void *of, const uint8_t *from, size_t count);
  /// The bytes received; 0 or less at the end.
  ssize_t (*receive)(void *of, uint8_t *to, size_t room);
};

static void send_clear(void *of, const uint8_t *from, size_t count) { send_all(*(int *)of, from, count); }
static ssize_t receive_clear(void *of, uint8_t *to, size_t room) { return recv(*(int *)of, to, room, 0); }

static void receive_exactly(const struct wire *wire, uint8_t *to, size_t count) {
  while (count > 0) {
    ssize_t got = wire->receive(wire->of, to, count);
    if (got <= 0) fail("handshake");
    to += got;
    count -= (size_t)got;
  }
}

static void send_over(const struct wire *wire, struct bytes *bytes) {
  wire->send(wire->of, bytes->at, bytes->length);
  bytes->length = 0;
}

static double wait_for_reply(const struct wire *wire, struct reader *reader, const char *wanted) {
  struct reply reply = {wanted, 0, false};
  uint8_t part[4096];
  while (!reply.is_there) {
    ssize_t got = wire->receive(wire->of, part, sizeof part);
    if (got <= 0) fail("the server closed the connection");
    feed(reader, part, (size_t)got, look_for_reply, &reply);
  }
  return reply.number;
}

/// Logs in and publishes, all of it blocking. Returns the id of the message stream.
static uint32_t publish_over(const struct wire *wire, const char *where, const char *app, const char *key) {
  static uint8_t hello[1 + HANDSHAKE_BYTES] = {3}, answer[1 + 2 * HANDSHAKE_BYTES];
  wire->send(wire->of, hello, sizeof hello);
  receive_exactly(wire, answer, sizeof answer);
  wire->send(wire->of, answer + 1, HANDSHAKE_BYTES);

  struct bytes out = {0}, command = {0};
  struct reader *reader = new_reader();
  char url[512];
  snprintf(url, sizeof url, "rtmp://%s%s/%s", strchr(where, ':') == NULL ? "127.0.0.1:" : "", where, app);
  amf_string(&command, "connect");
  amf_number(&command, 1);
  amf_object(&command, (const char *const[]){"app", app, "type", "nonprivate", "flashVer", "FMLE/3.0 (compatible; bench)",
                                             "tcUrl", url, NULL});
  put_command(&out, 0, &command);
  send_over(wire, &out);
  wait_for_reply(wire, reader, "_result");
  amf_string(&command, "createStream");
  amf_number(&command, 2);
  amf_null(&command);
  put_command(&out, 0, &command);
  send_over(wire, &out);
  uint32_t stream_id = (uint32_t)wait_for_reply(wire, reader, "_result");
  amf_string(&command, "publish");
  amf_number(&command, 3);
  amf_null(&command);
  amf_string(&command, key);
  amf_string(&command, "live");
  put_command(&out, stream_id, &command);
  send_over(wire, &out);
  wait_for_reply(wire, reader, "onStatus");
  free_reader(reader);
  free(out.at);
  free(command.at);
  return stream_id;
}

/// Connects and publishes in clear; the id of the message stream comes back in `stream_id`.
static int publish_to(const char *where, const char *app, const char *key, uint32_t *stream_id) {
  int fd = connect_to(where);
  struct wire wire = {&fd, send_clear, receive_clear};
  *stream_id = publish_over(&wire, where, app, key);
  return fd;
}

// ---- the accepting side

/// Writes the reply to a publisher's command into `out`; true once it may send.
static bool answer_command(const struct message *message, struct bytes *out, char key[256]) {
  char name[64];
  double transaction;
  const uint8_t *rest = read_command(message, name, &transaction);
  if (rest == NULL) return false;
  const uint8_t *end = message->payload + message->length;
  struct bytes command = {0};
  bool may_send = false;
  if (strcmp(name, "connect") == 0) {
    amf_string(&command, "_result");
    amf_number(&command, transaction);
    amf_object(&command, (const char *const[]){"fmsVer", "FMS/3,5,7,7009", NULL});
    amf_object(&command, (const char *const[]){"level", "status", "code", "NetConnection.Connect.Success", NULL});
    put_command(out, 0, &command);
  } else if (strcmp(name, "createStream") == 0) {
    amf_string(&command, "_result");
    amf_number(&command, transaction);
    amf_null(&command);
    amf_number(&command, 1);
    put_command(out, 0, &command);
  } else if (strcmp(name, "publish") == 0) {
    key[0] = 0;
    if (rest + 4 <= end && rest[0] == 5 && rest[1] == 2) {
      size_t length = (size_t)rest[2] << 8 | rest[3];
      if (length < 256 && rest + 4 + length <= end) {
        memcpy(key, rest + 4, length);
        key[length] = 0;
      }
    }
    amf_string(&command, "onStatus");
    amf_number(&command, 0);
    amf_null(&command);
    amf_object(&command, (const char *const[]){"level", "status", "code", "NetStream.Publish.Start", NULL});
    put_command(out, message->stream_id, &command);
    may_send = true;
  }
  free(command.at);
  return may_send;
}
