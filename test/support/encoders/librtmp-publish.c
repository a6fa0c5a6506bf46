/* Publishes an FLV file in real time with librtmp: librtmp-publish URL FILE. Ends with 0 after a clean stop. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <librtmp/rtmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FILE_HEADER_BYTES = 13, TAG_HEADER_BYTES = 11, BACK_POINTER_BYTES = 4 };

/*
 * Debian's librtmp takes the output of nettle's base64 for a string, but nettle writes no 0 after it. The bytes that the
 * stack held before would go along in the proof of a login, and overflow the block that it is printed into. librtmp's own
 * buffers have room for the 0.
 */
void nettle_base64_encode_raw(char *text, size_t length, const unsigned char *bytes) {
  void (*encode)(char *, size_t, const unsigned char *) =
      (void (*)(char *, size_t, const unsigned char *))dlsym(RTLD_NEXT, "nettle_base64_encode_raw");
  encode(text, length, bytes);
  text[(length + 2) / 3 * 4] = 0;
}

static int fail(const char *what) {
  fprintf(stderr, "%s failed\n", what);
  return 1;
}

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

static void wait_until_ms(long at_ms) {
  long left_ms = at_ms - now_ms();
  if (left_ms <= 0) return;
  struct timespec left = {left_ms / 1000, left_ms % 1000 * 1000000L};
  nanosleep(&left, NULL);
}

int main(int argc, char **argv) {
  if (argc != 3) return fail("usage");
  FILE *file = fopen(argv[2], "rb");
  if (file == NULL || fseek(file, FILE_HEADER_BYTES, SEEK_SET) != 0) return fail("opening the file");
  RTMP *rtmp = RTMP_Alloc();
  RTMP_Init(rtmp);
  if (!RTMP_SetupURL(rtmp, argv[1])) return fail("reading the URL");
  RTMP_EnableWrite(rtmp);
  if (!RTMP_Connect(rtmp, NULL)) return fail("connecting");
  if (!RTMP_ConnectStream(rtmp, 0)) return fail("publishing");
  long start_ms = now_ms();
  unsigned char head[TAG_HEADER_BYTES];
  while (fread(head, 1, TAG_HEADER_BYTES, file) == TAG_HEADER_BYTES) {
    long body = head[1] << 16 | head[2] << 8 | head[3];
    long at_ms = (long)head[7] << 24 | head[4] << 16 | head[5] << 8 | head[6];
    char *tag = malloc(TAG_HEADER_BYTES + body + BACK_POINTER_BYTES);
    for (int index = 0; index < TAG_HEADER_BYTES; index += 1) tag[index] = (char)head[index];
    size_t rest = (size_t)body + BACK_POINTER_BYTES;
    if (fread(tag + TAG_HEADER_BYTES, 1, rest, file) != rest) return fail("reading the file");
    wait_until_ms(start_ms + at_ms);
    if (RTMP_Write(rtmp, tag, (int)(TAG_HEADER_BYTES + rest)) <= 0) return fail("sending");
    free(tag);
  }
  RTMP_Close(rtmp);
  RTMP_Free(rtmp);
  fclose(file);
  return 0;
}
