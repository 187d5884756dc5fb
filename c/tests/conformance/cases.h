// Reading of cases: bytes, options, bounds, and the fields that a step may have.
#ifndef CASES_H
#define CASES_H

#include <cjson/cJSON.h>

#include "face.h"

// Ends the run: the case or the face is wrong. Says which case and step.
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Fails if `what` is not as expected.
void must_be(bool right, const char *what);
// What a failure names.
extern const char *case_name;
extern const char *step_op;

void *allocate(size_t size);
char *text_of(const cJSON *item);
// Bytes in any form; data is NULL for null and for an item that is not there. Freed by the caller.
struct blob blob_of(const cJSON *item);
void blob_free(struct blob *blob);
bool blob_is(struct blob blob, const cJSON *expected);

// Fails on a field that is not in the list, which has blanks around each name.
void check_fields(const cJSON *object, const char *known);
int level_of(const cJSON *step);
// Level and timeout of a write.
struct how how_of(const cJSON *step);
struct bounds bounds_of(const cJSON *step);
void bounds_free(struct bounds *bounds);
// An array with its length in *count.
struct option *options_of(const cJSON *object, size_t *count);

// Holds the figures of a database against those of a step; its status.
int check_figures(struct handle *db, const cJSON *is);
// The same for metrics or memory statistics, with the smallest values of some.
int check_more_figures(struct handle *db, bool memory, const cJSON *is, const cJSON *at_least);

// Reads a whole file of cases.
cJSON *read_cases(const char *path);

// What steps do to files; paths are whole.
void damage_file(const char *path, double offset, int mask);
void write_file(const char *path, struct blob bytes);

#endif
