/* A discrete-event loop over a binary heap, written by hand for these two
 * models alone: no callbacks, no handles, no way to cancel. It is the bar that
 * the kernel is held against.
 *
 *   heap hold PENDING EVENTS DELAYS     heap mm1 CUSTOMERS ARRIVALS SERVICES
 *
 * The files hold little-endian int64 nanoseconds, 65,536 of them, used over
 * and over. It prints: seconds of CPU of the loop, a checksum of the model. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DRAWS 65536

typedef struct { int64_t at; uint64_t seq; int64_t kind; } event;

static event *heap;
static size_t n;
static uint64_t seq;

static inline int before(const event *a, const event *b) {
  return a->at < b->at || (a->at == b->at && a->seq < b->seq);
}

static inline void push(int64_t at, int64_t kind) {
  event e = {at, seq++, kind};
  size_t i = n++;
  while (i > 0) {
    size_t parent = (i - 1) / 2;
    if (!before(&e, &heap[parent])) break;
    heap[i] = heap[parent];
    i = parent;
  }
  heap[i] = e;
}

static inline event pop(void) {
  event top = heap[0], e = heap[--n];
  size_t i = 0;
  for (;;) {
    size_t c = 2 * i + 1;
    if (c >= n) break;
    if (c + 1 < n && before(&heap[c + 1], &heap[c])) c++;
    if (!before(&heap[c], &e)) break;
    heap[i] = heap[c];
    i = c;
  }
  heap[i] = e;
  return top;
}

static int64_t *draws(const char *path) {
  int64_t *d = malloc(DRAWS * sizeof *d);
  FILE *f = fopen(path, "rb");
  if (!f || fread(d, sizeof *d, DRAWS, f) != DRAWS) {
    fprintf(stderr, "heap: cannot read %s\n", path);
    exit(1);
  }
  fclose(f);
  return d;
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

/* Each event schedules the next of its kind. The checksum is the last instant. */
static void hold(size_t pending, uint64_t events, const int64_t *delay) {
  heap = malloc((pending + 1) * sizeof *heap);
  uint64_t i = 0;
  int64_t now = 0;
  for (; i < pending; i++) push(delay[i % DRAWS], i);
  double start = seconds();
  for (uint64_t end = i + events; i < end; i++) {
    event e = pop();
    now = e.at;
    push(now + delay[i % DRAWS], e.kind);
  }
  printf("%.9f %lld\n", seconds() - start, (long long)now);
}

/* One server, first come first served. The checksum is the sum of the times
 * in the system, in nanoseconds. */
static void mm1(uint64_t customers, const int64_t *between, const int64_t *service) {
  enum { ARRIVAL, DEPARTURE };
  heap = malloc(8 * sizeof *heap);
  size_t cap = 1024, head = 0, tail = 0; /* a ring of arrival instants */
  int64_t *queue = malloc(cap * sizeof *queue);
  uint64_t arrived = 0, served = 0;
  int64_t sum = 0;
  double start = seconds();
  push(between[arrived++ % DRAWS], ARRIVAL);
  while (n > 0) {
    event e = pop();
    if (e.kind == ARRIVAL) {
      if (tail - head == cap) {
        int64_t *wider = malloc(2 * cap * sizeof *queue);
        for (size_t j = head; j < tail; j++) wider[j & (2 * cap - 1)] = queue[j & (cap - 1)];
        free(queue);
        queue = wider;
        cap *= 2;
      }
      queue[tail++ & (cap - 1)] = e.at;
      if (tail - head == 1) push(e.at + service[served % DRAWS], DEPARTURE);
      if (arrived < customers) push(e.at + between[arrived++ % DRAWS], ARRIVAL);
    } else {
      sum += e.at - queue[head++ & (cap - 1)];
      served++;
      if (tail != head) push(e.at + service[served % DRAWS], DEPARTURE);
    }
  }
  printf("%.9f %lld\n", seconds() - start, (long long)sum);
}

int main(int argc, char **argv) {
  if (argc == 5 && !strcmp(argv[1], "hold")) {
    hold(strtoul(argv[2], 0, 10), strtoull(argv[3], 0, 10), draws(argv[4]));
  } else if (argc == 5 && !strcmp(argv[1], "mm1")) {
    mm1(strtoull(argv[2], 0, 10), draws(argv[3]), draws(argv[4]));
  } else {
    fprintf(stderr, "usage: heap hold PENDING EVENTS DELAYS | heap mm1 CUSTOMERS ARRIVALS SERVICES\n");
    return 2;
  }
  return 0;
}
