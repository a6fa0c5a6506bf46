// Takes what any number of publishers send and discards it. Usage: sink [ADDRESS:]PORT CLIP WATCHED [CERTIFICATE KEY].
// The first WATCHED connections are read message by message and compared with the clip, byte for byte; of all others the kernel
// discards the bytes before they are copied. Commands on standard input: "stats", "reset" (of latencies), "stick N"
// (every Nth connection stops reading); the reply to each is a line of JSON. Ends with its input.
#include "received.h"
#include <sys/epoll.h>
#ifdef WITH_TLS
#include <openssl/ssl.h>
#endif

enum { READ_BYTES = 1 << 20, STUCK_MAX = 4096 };

struct connection {
  int fd;
  enum { HELLO, ECHO, MESSAGES, DISCARD } state;
  size_t awaited;
  uint8_t *hello;
  struct reader *reader;
  struct bytes out;
  char key[256];
  bool is_watched, is_publishing, is_stuck;
  struct received received;
#ifdef WITH_TLS
  SSL *tls;
  bool is_greeted;
#endif
};

static struct connection *connections[65536];
static int connection_count, open_count, publishing_count, accepted_count, watched_max, watched_count, epoll;
static uint64_t bytes_received;
/// Of connections that are gone.
static struct extremes gone;
static char stuck_keys[STUCK_MAX][256];
static int stuck_count;
static uint8_t part[READ_BYTES];

static bool is_stuck_key(const char *key) {
  for (int index = 0; index < stuck_count; index += 1) {
    if (strcmp(stuck_keys[index], key) == 0) return true;
  }
  return false;
}

/// What a connection got in all, unless its kind was set to be stuck.
static void tally_connection(struct extremes *of, const struct connection *connection) {
  if (connection->is_watched && !is_stuck_key(connection->key)) tally(of, &connection->received);
}

static void take(void *context, const struct message *message) {
  struct connection *connection = context;
  if (message->type == TYPE_COMMAND) {
    if (!answer_command(message, &connection->out, connection->key)) return;
    connection->is_publishing = true;
    publishing_count += 1;
    accepted_count += 1;
    connection->is_watched = watched_count < watched_max;
    if (connection->is_watched) watched_count += 1;
    else connection->state = DISCARD;
  } else if (connection->is_watched) {
    note(&connection->received, message);
  }
}

static void drop(struct connection *connection) {
  tally_connection(&gone, connection);
  open_count -= 1;
  if (connection->is_publishing) publishing_count -= 1;
  if (connection->is_watched) watched_count -= 1;
#ifdef WITH_TLS
  if (connection->tls != NULL) SSL_free(connection->tls);
#endif
  close(connection->fd);
  free_reader(connection->reader);
  free(connection->hello);
  free(connection->out.at);
  for (int index = 0; index < connection_count; index += 1) {
    if (connections[index] == connection) {
      connections[index] = connections[--connection_count];
      break;
    }
  }
  free(connection);
}

static void reply(struct connection *connection, const uint8_t *from, size_t count) {
#ifdef WITH_TLS
  if (connection->tls != NULL) {
    if (SSL_write(connection->tls, from, (int)count) != (int)count) fail("a short TLS write");
    return;
  }
#endif
  send_all(connection->fd, from, count);
}

static void take_bytes(struct connection *connection, const uint8_t *from, size_t count) {
  while (count > 0 && (connection->state == HELLO || connection->state == ECHO)) {
    size_t now = count < connection->awaited ? count : connection->awaited;
    if (connection->state == HELLO) memcpy(connection->hello + 1 + HANDSHAKE_BYTES - connection->awaited, from, now);
    from += now;
    count -= now;
    connection->awaited -= now;
    if (connection->awaited > 0) continue;
    if (connection->state == HELLO) {
      static const uint8_t mine[1 + HANDSHAKE_BYTES] = {3};
      reply(connection, mine, sizeof mine);
      reply(connection, connection->hello + 1, HANDSHAKE_BYTES);
    }
    connection->state += 1;
    connection->awaited = HANDSHAKE_BYTES;
  }
  if (count == 0 || connection->state == DISCARD) return;
  feed(connection->reader, from, count, take, connection);
  if (connection->out.length == 0) return;
  reply(connection, connection->out.at, connection->out.length);
  connection->out.length = 0;
}

#ifdef WITH_TLS
/// The bytes read, 0 for nothing now, -1 at the end.
static ssize_t read_tls(struct connection *connection) {
  if (!connection->is_greeted) {
    int result = SSL_accept(connection->tls);
    if (result != 1) {
      int why = SSL_get_error(connection->tls, result);
      return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    connection->is_greeted = true;
  }
  int got = SSL_read(connection->tls, part, sizeof part);
  if (got > 0) return got;
  return SSL_get_error(connection->tls, got) == SSL_ERROR_WANT_READ ? 0 : -1;
}
#endif

static void receive(struct connection *connection) {
  for (;;) {
    ssize_t got;
    bool is_thrown_away = connection->state == DISCARD;
#ifdef WITH_TLS
    if (connection->tls != NULL) {
      got = read_tls(connection);
      if (got == 0) return;
      if (got < 0) return drop(connection);
      bytes_received += (uint64_t)got;
      take_bytes(connection, part, (size_t)got);
      continue;
    }
#endif
    got = recv(connection->fd, is_thrown_away ? NULL : part, sizeof part, is_thrown_away ? MSG_TRUNC : 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return drop(connection);
    bytes_received += (uint64_t)got;
    if (!is_thrown_away) take_bytes(connection, part, (size_t)got);
    // What did not fill the room is all there was.
    if ((size_t)got < sizeof part) return;
  }
}

static void accept_all(int listener, void *tls) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    struct connection *connection = calloc(1, sizeof *connection);
    connection->fd = fd;
    connection->hello = malloc(1 + HANDSHAKE_BYTES);
    connection->awaited = 1 + HANDSHAKE_BYTES;
    connection->reader = new_reader();
    connections[connection_count++] = connection;
    open_count += 1;
#ifdef WITH_TLS
    if (tls != NULL) {
      connection->tls = SSL_new(tls);
      SSL_set_fd(connection->tls, fd);
    }
#else
    (void)tls;
#endif
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

/// Prints of how many targets a connection stopped reading; one that connects again is the same target.
static void stick(int every) {
  for (int index = 0; every > 0 && index < connection_count; index += every) {
    struct connection *connection = connections[index];
    struct epoll_event event = {.events = 0, .data.ptr = connection};
    epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event);
    connection->is_stuck = true;
    if (stuck_count < STUCK_MAX && !is_stuck_key(connection->key)) strcpy(stuck_keys[stuck_count++], connection->key);
  }
  printf("{\"stuck\":%d}\n", stuck_count);
}

static int by_size(const void *left, const void *right) {
  uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
  return (a > b) - (a < b);
}

static double latency_ms(double share) {
  if (latency_count == 0) return -1;
  size_t index = (size_t)((double)latency_count * share);
  return latencies[index < latency_count ? index : latency_count - 1] / 1000.0;
}

static void tell_number(const char *name, uint64_t value) { printf("\"%s\":%llu,", name, (unsigned long long)value); }

static void tell_stats(void) {
  qsort(latencies, latency_count, sizeof latencies[0], by_size);
  struct extremes all = gone;
  uint64_t readers = 0;
  for (int index = 0; index < connection_count; index += 1) {
    tally_connection(&all, connections[index]);
    if (connections[index]->is_publishing && !connections[index]->is_stuck) readers += 1;
  }
  putchar('{');
  tell_number("atUs", (uint64_t)now_us());
  tell_number("open", (uint64_t)open_count);
  tell_number("publishing", (uint64_t)publishing_count);
  tell_number("readers", readers);
  tell_number("accepted", (uint64_t)accepted_count);
  tell_number("bytes", bytes_received);
  tell_number("whole", frames_whole);
  tell_number("wrong", frames_wrong);
  tell_number("missing", frames_missing);
  tell_number("displaced", frames_displaced);
  tell_number("headless", frames_headless);
  tell_number("connections", all.connections);
  tell_number("videoLeast", all.video_least);
  tell_number("videoMost", all.video_most);
  tell_number("audioLeast", all.audio_least);
  tell_number("audioMost", all.audio_most);
  tell_number("firstVideoMost", all.first_video_most);
  tell_number("nextVideoLeast", all.next_video_least);
  tell_number("nextAudioLeast", all.next_audio_least);
  printf("\"latencies\":%zu,\"p50Ms\":%.2f,\"p99Ms\":%.2f,\"maxMs\":%.2f}\n", latency_count, latency_ms(0.5), latency_ms(0.99),
         latency_ms(1));
}

static void obey(char *line) {
  if (strcmp(line, "stats\n") == 0) tell_stats();
  else if (strncmp(line, "stick ", 6) == 0) stick(atoi(line + 6));
  else if (strcmp(line, "reset\n") == 0) {
    latency_count = 0;
    puts("{}");
  }
  fflush(stdout);
}

static void *tls_context(int argc, char **argv) {
  if (argc < 6) return NULL;
#ifdef WITH_TLS
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, argv[4]) != 1) fail("the certificate");
  if (SSL_CTX_use_PrivateKey_file(context, argv[5], SSL_FILETYPE_PEM) != 1) fail("the certificate's key");
  return context;
#else
  (void)argv;
  fprintf(stderr, "built without OpenSSL: no TLS\n");
  exit(1);
#endif
}

int main(int argc, char **argv) {
  if (argc != 4 && argc != 6) {
    fprintf(stderr, "usage: sink [ADDRESS:]PORT CLIP WATCHED [CERTIFICATE KEY]\n");
    return 2;
  }
  compare_with(argv[2]);
  watched_max = atoi(argv[3]);
  void *tls = tls_context(argc, argv);
  int listener = listen_on(argv[1]);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  event.data.ptr = NULL;
  epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event);
  puts("{\"ready\":true}");
  fflush(stdout);
  for (;;) {
    struct epoll_event ready[256];
    int count = epoll_wait(epoll, ready, 256, -1);
    for (int index = 0; index < count; index += 1) {
      void *of = ready[index].data.ptr;
      char line[64];
      if (of == &listener) {
        accept_all(listener, tls);
      } else if (of == NULL) {
        ssize_t got = read(STDIN_FILENO, line, sizeof line - 1);
        if (got <= 0) return 0;
        line[got] = 0;
        obey(line);
      } else if (!((struct connection *)of)->is_stuck) {
        receive(of);
      }
    }
  }
}
