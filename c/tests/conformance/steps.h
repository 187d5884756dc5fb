// Runs steps against a face.
#ifndef STEPS_H
#define STEPS_H

#include "cases.h"

#define MAX_HANDLES 128

struct named {
  char name[64];
  struct handle handle;
};

// One case while it runs.
struct run {
  const char *folder;
  struct named handles[MAX_HANDLES];
  size_t count;
};

void run_step(struct run *run, const cJSON *step);
void run_steps(struct run *run, const cJSON *steps);
// As run_step, but a step that fails is no mistake: its status.
int try_step(struct run *run, const cJSON *step);
// Frees so many handles; their names are free again.
void end_handles(struct run *run, size_t first, size_t count);

#endif
