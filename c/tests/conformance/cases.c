#include "cases.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *case_name = "";
const char *step_op = "";

_Noreturn void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s: case \"%s\", step %s: ", face_name(), case_name, step_op);
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  va_end(arguments);
  exit(1);
}

void must_be(bool right, const char *what) {
  if (!right) fail("%s is not as expected", what);
}

void *allocate(size_t size) {
  void *memory = calloc(1, size + 1);
  if (!memory) fail("no memory");
  return memory;
}

char *text_of(const cJSON *item) {
  if (!cJSON_IsString(item)) fail("a text is missing");
  return item->valuestring;
}

static int digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  fail("%c is no digit", letter);
}

static struct blob from_hex(const char *hex) {
  size_t len = strlen(hex) / 2;
  struct blob blob = {allocate(len), len};
  for (size_t i = 0; i < len; i++) blob.data[i] = (char)(digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1]));
  return blob;
}

struct blob blob_of(const cJSON *item) {
  if (!item || cJSON_IsNull(item)) return (struct blob){NULL, 0};
  if (cJSON_IsString(item)) {
    size_t len = strlen(item->valuestring);
    struct blob blob = {allocate(len), len};
    memcpy(blob.data, item->valuestring, len);
    return blob;
  }
  const cJSON *hex = cJSON_GetObjectItemCaseSensitive(item, "hex");
  if (hex) {
    check_fields(item, " hex ");
    return from_hex(text_of(hex));
  }
  check_fields(item, " repeat times ");
  const char *text = text_of(cJSON_GetObjectItemCaseSensitive(item, "repeat"));
  const cJSON *number = cJSON_GetObjectItemCaseSensitive(item, "times");
  if (!cJSON_IsNumber(number)) fail("times is no number");
  size_t times = (size_t)number->valuedouble, len = strlen(text);
  struct blob blob = {allocate(len * times), len * times};
  for (size_t i = 0; i < times; i++) memcpy(blob.data + i * len, text, len);
  return blob;
}

void blob_free(struct blob *blob) {
  free(blob->data);
  *blob = (struct blob){NULL, 0};
}

bool blob_is(struct blob blob, const cJSON *expected) {
  struct blob other = blob_of(expected);
  bool same = !blob.data == !other.data && blob.len == other.len;
  if (same && blob.len) same = memcmp(blob.data, other.data, blob.len) == 0;
  blob_free(&other);
  return same;
}

void check_fields(const cJSON *object, const char *known) {
  if (!cJSON_IsObject(object)) fail("not an object");
  for (const cJSON *field = object->child; field; field = field->next) {
    char name[64];
    snprintf(name, sizeof name, " %s ", field->string);
    if (!strstr(known, name)) fail("unknown field %s", field->string);
  }
}

int level_of(const cJSON *step) {
  static const char *const names[] = {"strong", "quorum", "eventual"};
  static const int levels[] = {LIGHTNING_DB_STRONG, LIGHTNING_DB_QUORUM, LIGHTNING_DB_EVENTUAL};
  const cJSON *level = cJSON_GetObjectItemCaseSensitive(step, "level");
  if (!level) return LIGHTNING_DB_DEFAULT_LEVEL;
  for (size_t i = 0; i < 3; i++) {
    if (strcmp(text_of(level), names[i]) == 0) return levels[i];
  }
  return 99;  // There is none with this number either.
}

// A whole number of milliseconds that is not above this.
static int64_t whole(double milliseconds) {
  if (milliseconds >= 9e18) return INT64_MAX;
  if (milliseconds <= -9e18) return INT64_MIN;
  int64_t cut = (int64_t)milliseconds;
  return (double)cut > milliseconds ? cut - 1 : cut;
}

struct how how_of(const cJSON *step) {
  const cJSON *timeout = cJSON_GetObjectItemCaseSensitive(step, "timeout");
  if (timeout && !cJSON_IsNumber(timeout)) fail("no timeout");
  return (struct how){level_of(step), timeout != NULL, timeout ? whole(timeout->valuedouble) : 0, NULL};
}

struct bounds bounds_of(const cJSON *step) {
  const cJSON *limit = cJSON_GetObjectItemCaseSensitive(step, "limit");
  return (struct bounds){
      .gt = blob_of(cJSON_GetObjectItemCaseSensitive(step, "gt")),
      .gte = blob_of(cJSON_GetObjectItemCaseSensitive(step, "gte")),
      .lt = blob_of(cJSON_GetObjectItemCaseSensitive(step, "lt")),
      .lte = blob_of(cJSON_GetObjectItemCaseSensitive(step, "lte")),
      .prefix = blob_of(cJSON_GetObjectItemCaseSensitive(step, "prefix")),
      .reverse = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(step, "reverse")),
      .limited = limit != NULL,
      .limit = limit ? (uint64_t)limit->valuedouble : 0,
  };
}

void bounds_free(struct bounds *bounds) {
  blob_free(&bounds->gt);
  blob_free(&bounds->gte);
  blob_free(&bounds->lt);
  blob_free(&bounds->lte);
  blob_free(&bounds->prefix);
}

struct option *options_of(const cJSON *object, size_t *count) {
  *count = object ? (size_t)cJSON_GetArraySize(object) : 0;
  struct option *options = allocate(*count * sizeof *options), *next = options;
  for (const cJSON *item = object ? object->child : NULL; item; item = item->next, next++) {
    next->name = item->string;
    next->number = cJSON_IsBool(item) ? cJSON_IsTrue(item) : item->valuedouble;
    next->text = item->valuestring;
    // Whole numbers that a 64-bit number can hold and a double is exact about.
    bool whole = next->number > -9e15 && next->number < 9e15 && next->number == (double)(int64_t)next->number;
    next->type = cJSON_IsBool(item)     ? OPTION_BOOL
                 : cJSON_IsString(item) ? OPTION_TEXT
                 : whole                ? OPTION_INT
                                        : OPTION_SECONDS;
  }
  return options;
}
