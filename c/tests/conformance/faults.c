// Operations on disks that fail. Wants a library with the feature `faults`.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "operations.h"

#define MAX_ROUNDS 5000

static int do_disk(struct context *context) {
  return face_disk(text_of(field(context, "name")), text_of(field(context, "command")), NULL);
}

static uint64_t steer(const char *disk, const char *command) {
  uint64_t number = 0;
  if (face_disk(disk, command, &number) != 0) fail("%s: %s", command, face_error_message());
  return number;
}

static bool is_among(const cJSON *errors, const char *name) {
  const cJSON *error;
  cJSON_ArrayForEach(error, errors) {
    if (strcmp(text_of(error), name) == 0) return true;
  }
  return false;
}

// Does the steps up to the first that fails; whether one has.
static bool some_fail(struct context *context) {
  const cJSON *step;
  cJSON_ArrayForEach(step, field(context, "steps")) {
    if (try_step(context->run, step) == 0) continue;
    if (!is_among(field(context, "errors"), face_error_name())) fail("%s", face_error_message());
    return true;
  }
  return false;
}

// Whether any call came up to the round's number.
static bool do_round(struct context *context, int round, bool *fails) {
  const char *disk = text_of(field(context, "disk")), *fault = text_of(field(context, "fault"));
  const char *counter = strncmp(fault, "fail-read", 9) == 0 ? "reads" : "calls";
  run_steps(context->run, field(context, "before"));
  uint64_t first = steer(disk, counter);
  char command[64];
  snprintf(command, sizeof command, "%s %d %d", fault, round, field(context, "errno")->valueint);
  steer(disk, command);
  *fails = some_fail(context);
  bool met = steer(disk, counter) > first + (uint64_t)round;
  steer(disk, "heal");
  run_steps(context->run, field(context, "after"));
  return met;
}

static int do_fail_each(struct context *context) {
  int failed = 0, round = 0;
  for (bool met = true; met; round++) {
    if (round == MAX_ROUNDS) fail("a fault in each of very many rounds");
    size_t first = context->run->count;
    bool fails = false;
    met = do_round(context, round, &fails);
    failed += fails;
    end_handles(context->run, first, context->run->count - first);
  }
  step_op = "fail_each";
  if (failed < field(context, "at_least")->valueint) fail("only %d of %d rounds failed", failed, round);
  return 0;
}

const struct operation FAULT_OPERATIONS[] = {
    {"disk", do_disk, " name command ", ON_NONE, ""},
    {"fail_each", do_fail_each, " disk fault errno errors before steps after at_least ", ON_NONE, ""},
    {0},
};
