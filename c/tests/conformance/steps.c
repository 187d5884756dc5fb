#define _GNU_SOURCE
#include "operations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const cJSON *field(const struct context *context, const char *name) {
  return cJSON_GetObjectItemCaseSensitive(context->step, name);
}

char *path_of(const struct context *context, const char *name) {
  char *path = NULL;
  if (asprintf(&path, "%s/%s", context->run->folder, text_of(field(context, name))) < 0) fail("no memory");
  return path;
}

struct handle *find(struct run *run, const char *name) {
  for (size_t i = 0; i < run->count; i++) {
    if (strcmp(run->handles[i].name, name) == 0) return &run->handles[i].handle;
  }
  return NULL;
}

void add(struct run *run, const char *name, struct handle handle) {
  if (find(run, name)) fail("%s is taken", name);
  if (run->count == MAX_HANDLES || strlen(name) >= sizeof run->handles[0].name) fail("%s: no room", name);
  struct named *named = &run->handles[run->count++];
  strcpy(named->name, name);
  named->handle = handle;
}

int added(const struct context *context, int status, struct handle handle) {
  if (status == 0) add(context->run, text_of(field(context, "as")), handle);
  return status;
}

static const struct operation *operation_of(const char *name) {
  const struct operation *const tables[] = {
      HANDLE_OPERATIONS, DATA_OPERATIONS, UPKEEP_OPERATIONS,
#ifdef LIGHTNING_DB_FAULTS
      FAULT_OPERATIONS,
#endif
  };
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    for (const struct operation *operation = tables[i]; operation->name; operation++) {
      if (strcmp(operation->name, name) == 0) return operation;
    }
  }
  fail("unknown op %s", name);
}

static void check_step(const cJSON *step, const struct operation *operation) {
  char known[256];
  snprintf(known, sizeof known, " op error %s %s", operation->on ? "on" : "", operation->fields);
  check_fields(step, known);
  bool has_result = *operation->results == 0;
  for (const cJSON *item = step->child; item; item = item->next) {
    char name[64];
    snprintf(name, sizeof name, " %s ", item->string);
    has_result |= strstr(operation->results, name) != NULL;
  }
  bool has_error = cJSON_HasObjectItem(step, "error");
  if (*operation->results && has_result == has_error) fail("either a result or an error is expected");
}

// Does a step; its status.
static int do_step(struct run *run, const cJSON *step, const struct operation **done) {
  step_op = text_of(cJSON_GetObjectItemCaseSensitive(step, "op"));
  const struct operation *operation = operation_of(step_op);
  check_step(step, operation);
  const cJSON *on = cJSON_GetObjectItemCaseSensitive(step, "on");
  const char *name = on ? text_of(on) : "db";
  struct context context = {run, step, operation->on ? find(run, name) : NULL};
  if (operation->on && !context.on) fail("no handle is named %s", name);
  if (operation->on && !(operation->on & 1u << context.on->kind)) fail("%s is of another kind", name);
  *done = operation;
  return operation->run(&context);
}

int try_step(struct run *run, const cJSON *step) {
  const struct operation *operation;
  if (cJSON_HasObjectItem(step, "error")) fail("a step that fails for another reason");
  int status = do_step(run, step, &operation);
  bool right = status == 0 || (status > 0 && face_error_code() == status &&
                               strcmp(face_error_name(), lightning_db_error_name(status)) == 0);
  if (!right) fail("%d (%s)", status, face_error_message());
  return status;
}

void run_step(struct run *run, const cJSON *step) {
  const struct operation *operation;
  int status = do_step(run, step, &operation);
  const cJSON *error = cJSON_GetObjectItemCaseSensitive(step, "error");
  if (!error) {
    if (status != 0) fail("%d: %s", status, face_error_message());
    return;
  }
  bool right = status > 0 && face_error_code() == status && strcmp(face_error_name(), text_of(error)) == 0;
  right = right && strcmp(lightning_db_error_name(status), text_of(error)) == 0;
  if (!right) fail("%d (%s) in place of %s", status, face_error_message(), text_of(error));
  bool found_by_engine = status == LIGHTNING_DB_CORRUPTION && strcmp(operation->name, "raise") != 0;
  if (found_by_engine && !face_error_has_place()) fail("%s: no file and offset", face_error_message());
}

void run_steps(struct run *run, const cJSON *steps) {
  const cJSON *step;
  cJSON_ArrayForEach(step, steps) run_step(run, step);
}

void end_handles(struct run *run, size_t first, size_t count) {
  struct named *handles = run->handles;
  for (size_t i = first; i < first + count; i++) face_release(&handles[i].handle);
  run->count -= count;
  memmove(&handles[first], &handles[first + count], (run->count - first) * sizeof *handles);
}
