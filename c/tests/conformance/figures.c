// What a step expects of statistics.
#include <stdlib.h>
#include <string.h>

#include "cases.h"

static int check_list(struct handle *db, const cJSON *expected) {
  uint64_t counts[64];
  size_t count = 0;
  int status = face_stat_list(db, expected->string, counts, 64, &count);
  must_be(status != 0 || (int)count == cJSON_GetArraySize(expected), "the number of counts");
  for (size_t i = 0; i < count && status == 0; i++) {
    must_be((double)counts[i] == cJSON_GetArrayItem(expected, (int)i)->valuedouble, "a count");
  }
  return status;
}

static int check_text(struct handle *db, const cJSON *expected) {
  char *text = NULL;
  int status = face_stat_text(db, expected->string, &text);
  bool none = cJSON_IsNull(expected);
  if (status == 0) must_be(none ? !text : text && strcmp(text, text_of(expected)) == 0, "the text");
  free(text);
  return status;
}

int check_figures(struct handle *db, const cJSON *is) {
  const cJSON *expected;
  int status = 0;
  double number = 0;
  if (!is) return face_stat(db, "total_keys", &number);
  cJSON_ArrayForEach(expected, is) {
    if (cJSON_IsArray(expected)) {
      status = check_list(db, expected);
    } else if (cJSON_IsNumber(expected)) {
      status = face_stat(db, expected->string, &number);
      if (status == 0) must_be(number == expected->valuedouble, expected->string);
    } else {
      status = check_text(db, expected);
    }
    if (status != 0) return status;
  }
  return status;
}

int check_more_figures(struct handle *db, bool memory, const cJSON *is, const cJSON *at_least) {
  const cJSON *expected;
  int status = 0;
  double number = 0;
  if (!is && !at_least) return face_figure(db, memory, memory ? "total_bytes" : "reads", &number);
  cJSON_ArrayForEach(expected, is) {
    status = face_figure(db, memory, expected->string, &number);
    if (status != 0) return status;
    must_be(number == expected->valuedouble, expected->string);
  }
  cJSON_ArrayForEach(expected, at_least) {
    status = face_figure(db, memory, expected->string, &number);
    if (status != 0) return status;
    must_be(number >= expected->valuedouble, expected->string);
  }
  return status;
}
