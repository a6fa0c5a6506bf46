// The least a relay can do: read what an encoder sent once, write it to N targets, in one thread. It reads no chunk
// after the login. Usage: floor PORT TARGET TARGETS BATCH_MS [tls]. TARGET: [ADDRESS:]PORT; BATCH_MS 0: as it comes.
// With `tls` each write is one SSL_write, with AES-128-GCM in TLS 1.3; certificates are not verified.
#include "rtmp.h"
#include <sys/epoll.h>
#include <sys/timerfd.h>
#ifdef WITH_TLS
#include <openssl/ssl.h>
#endif

enum { TARGETS_MAX = 256, READ_BYTES = 4 << 20 };

struct target {
  int fd;
#ifdef WITH_TLS
  SSL *tls;
#endif
};

struct encoder {
  int fd;
  enum { HELLO, ECHO, COMMANDS, ON_AIR } state;
  size_t awaited;
  uint8_t hello[1 + HANDSHAKE_BYTES];
  struct reader *reader;
  struct bytes out;
  struct target targets[TARGETS_MAX];
};

static struct encoder *encoders[4096];
static int encoder_count, epoll, target_count, batch_ms;
static const char *target_place;
static uint8_t part[READ_BYTES];

#ifdef WITH_TLS
/// NULL: targets are reached in clear.
static SSL_CTX *tls_context;

static void set_up_tls(void) {
  tls_context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(tls_context, TLS1_3_VERSION);
  if (SSL_CTX_set_ciphersuites(tls_context, "TLS_AES_128_GCM_SHA256") != 1) fail("the cipher");
}

static void send_secured(void *of, const uint8_t *from, size_t count) {
  SSL *tls = of;
  for (;;) {
    // It takes all or nothing, in as many records as it needs; after a refusal it is given the same bytes again.
    int sent = SSL_write(tls, from, (int)count);
    if (sent > 0) return;
    if (SSL_get_error(tls, sent) != SSL_ERROR_WANT_WRITE) fail("SSL_write");
    struct pollfd ready = {SSL_get_fd(tls), POLLOUT, 0};
    poll(&ready, 1, 1000);
  }
}

static ssize_t receive_secured(void *of, uint8_t *to, size_t room) { return SSL_read(of, to, (int)room); }
#endif

static struct target open_target(const char *key) {
  struct target target = {.fd = connect_to(target_place)};
  struct wire wire = {&target.fd, send_clear, receive_clear};
#ifdef WITH_TLS
  if (tls_context != NULL) {
    target.tls = SSL_new(tls_context);
    SSL_set_fd(target.tls, target.fd);
    if (SSL_connect(target.tls) != 1) fail("SSL_connect");
    wire = (struct wire){target.tls, send_secured, receive_secured};
  }
#endif
  publish_over(&wire, target_place, "live", key);
  set_nonblocking(target.fd);
  return target;
}

static void send_to(const struct target *target, const uint8_t *from, size_t count) {
#ifdef WITH_TLS
  if (target->tls != NULL) return send_secured(target->tls, from, count);
#endif
  send_all(target->fd, from, count);
}

static void take(void *context, const struct message *message) {
  struct encoder *encoder = context;
  char key[256], target_key[300];
  if (!answer_command(message, &encoder->out, key)) return;
  for (int index = 0; index < target_count; index += 1) {
    snprintf(target_key, sizeof target_key, "%s-%d", key, index);
    encoder->targets[index] = open_target(target_key);
  }
  encoder->state = ON_AIR;
  // On a clock the encoder is read by the timer alone.
  if (batch_ms > 0) epoll_ctl(epoll, EPOLL_CTL_DEL, encoder->fd, NULL);
}

static void take_bytes(struct encoder *encoder, const uint8_t *from, size_t count) {
  while (count > 0 && encoder->state < COMMANDS) {
    size_t now = count < encoder->awaited ? count : encoder->awaited;
    if (encoder->state == HELLO) memcpy(encoder->hello + sizeof encoder->hello - encoder->awaited, from, now);
    from += now;
    count -= now;
    encoder->awaited -= now;
    if (encoder->awaited > 0) continue;
    if (encoder->state == HELLO) {
      static const uint8_t mine[1 + HANDSHAKE_BYTES] = {3};
      send_all(encoder->fd, mine, sizeof mine);
      send_all(encoder->fd, encoder->hello + 1, HANDSHAKE_BYTES);
    }
    encoder->state += 1;
    encoder->awaited = HANDSHAKE_BYTES;
  }
  if (count > 0) feed(encoder->reader, from, count, take, encoder);
  if (encoder->out.length > 0) send_bytes(encoder->fd, &encoder->out);
}

static void relay(struct encoder *encoder) {
  ssize_t got = recv(encoder->fd, part, sizeof part, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    // The end of one encoder is the end of the measurement.
    exit(0);
  }
  if (encoder->state != ON_AIR) return take_bytes(encoder, part, (size_t)got);
  for (int index = 0; index < target_count; index += 1) send_to(&encoder->targets[index], part, (size_t)got);
}

static void accept_all(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    struct encoder *encoder = calloc(1, sizeof *encoder);
    encoder->fd = fd;
    encoder->awaited = sizeof encoder->hello;
    encoder->reader = new_reader();
    encoders[encoder_count++] = encoder;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = encoder};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

int main(int argc, char **argv) {
  if (argc != 5 && argc != 6) {
    fprintf(stderr, "usage: floor PORT TARGET TARGETS BATCH_MS [tls]\n");
    return 2;
  }
  target_place = argv[2];
  if (argc == 6) {
#ifdef WITH_TLS
    set_up_tls();
#else
    fprintf(stderr, "built without OpenSSL: no TLS\n");
    return 2;
#endif
  }
  target_count = atoi(argv[3]);
  batch_ms = atoi(argv[4]);
  if (target_count > TARGETS_MAX) return 2;
  int listener = listen_on(argv[1]);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (batch_ms > 0) {
    struct timespec step = {batch_ms / 1000, batch_ms % 1000 * 1000000L};
    struct itimerspec every = {step, step};
    timerfd_settime(timer, 0, &every, NULL);
    event.data.ptr = &timer;
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
  }
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct epoll_event ready[256];
    int count = epoll_wait(epoll, ready, 256, -1);
    for (int index = 0; index < count; index += 1) {
      void *of = ready[index].data.ptr;
      uint64_t ticks;
      if (of == &listener) accept_all(listener);
      else if (of != &timer) relay(of);
      else if (read(timer, &ticks, 8) == 8) {
        for (int each = 0; each < encoder_count; each += 1) {
          if (encoders[each]->state == ON_AIR) relay(encoders[each]);
        }
      }
    }
  }
}
