// TCP, the clock and how these programs fail.
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, errno ? strerror(errno) : "failed");
  exit(1);
}

static int64_t now_us(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static void set_nonblocking(int fd) {
  if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL, 0) | O_NONBLOCK) < 0) fail("fcntl");
}

/// PORT of 127.0.0.1, or ADDRESS:PORT.
static struct sockaddr_in address_of(const char *where) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  char host[64] = "127.0.0.1";
  const char *colon = strchr(where, ':');
  if (colon != NULL) snprintf(host, sizeof host, "%.*s", (int)(colon - where), where);
  address.sin_port = htons((uint16_t)atoi(colon == NULL ? where : colon + 1));
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) fail("the address");
  return address;
}

static int listen_on(const char *where) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in address = address_of(where);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
  if (listen(fd, 1024) < 0) fail("listen");
  return fd;
}

static int connect_to(const char *where) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = address_of(where);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
  int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

static void send_all(int fd, const uint8_t *from, size_t count) {
  while (count > 0) {
    ssize_t sent = send(fd, from, count, MSG_NOSIGNAL);
    if (sent > 0) {
      from += sent;
      count -= (size_t)sent;
    } else if (errno == EAGAIN) {
      struct pollfd ready = {fd, POLLOUT, 0};
      poll(&ready, 1, 1000);
    } else {
      fail("send");
    }
  }
}
