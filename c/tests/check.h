// Checks of the tests in C and C++.
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lightning_db.h"

static int checks = 0;

#define CHECK(condition)                                                                               \
  do {                                                                                                 \
    checks++;                                                                                          \
    if (!(condition)) {                                                                                \
      fprintf(stderr, "%s:%d: %s\n  last error: %s\n", __FILE__, __LINE__, #condition, lightning_db_last_error()); \
      exit(1);                                                                                         \
    }                                                                                                  \
  } while (0)

// A call that returns a status: it, and the thread's last error, are the expected ones.
#define STATUS(expected, call)                                              \
  do {                                                                      \
    int status_ = (call);                                                   \
    if (status_ != (expected)) fprintf(stderr, "%s: %d\n", #call, status_); \
    CHECK(status_ == (expected));                                           \
    if (status_ != 0) CHECK(lightning_db_last_error_code() == status_);     \
    if (status_ != 0) CHECK(*lightning_db_last_error() != 0);               \
  } while (0)

// A call that returns a pointer: it is NULL, for the expected reason.
#define NONE(expected, call)                                                  \
  do {                                                                        \
    const void *pointer_ = (call);                                            \
    CHECK(pointer_ == NULL && lightning_db_last_error_code() == (expected));  \
  } while (0)

#define BAD LIGHTNING_DB_INVALID_ARGUMENT
#define GONE LIGHTNING_DB_CLOSED

// A path in the folder of the test. Of static memory: four may be used at a time.
static inline const char *path_in(const char *folder, const char *name) {
  static char paths[4][512];
  static int next = 0;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

#endif
