// What a step may ask for: its name, its fields, what it runs.
#ifndef OPERATIONS_H
#define OPERATIONS_H

#include "steps.h"

// A step on its way: what it says, the handle it works on (NULL if it needs none), and where a new one goes.
struct context {
  struct run *run;
  const cJSON *step;
  struct handle *on;
};

// Kinds of handles that an operation works on.
enum {
  ON_NONE = 0,
  ON_DATABASE = 1 << DATABASE,
  ON_BATCH = 1 << BATCH,
  ON_SNAPSHOT = 1 << SNAPSHOT,
  ON_TRANSACTION = 1 << TRANSACTION,
  ON_CURSOR = 1 << CURSOR,
  ON_READER = ON_DATABASE | ON_SNAPSHOT | ON_TRANSACTION,
  ON_ANY = ON_READER | ON_BATCH | ON_CURSOR,
};

struct operation {
  const char *name;
  int (*run)(struct context *);
  // Fields beside op, error, and on where there is a handle.
  const char *fields;
  unsigned on;
  // Which of the fields are its result: one of them is there if there is no error.
  const char *results;
};

// Each ends with an operation without a name.
extern const struct operation HANDLE_OPERATIONS[], DATA_OPERATIONS[], UPKEEP_OPERATIONS[];
// Of a runner with LIGHTNING_DB_FAULTS.
extern const struct operation FAULT_OPERATIONS[];

const cJSON *field(const struct context *context, const char *name);
char *path_of(const struct context *context, const char *name);
struct handle *find(struct run *run, const char *name);
void add(struct run *run, const char *name, struct handle handle);
// The new handle gets its name if there was no error.
int added(const struct context *context, int status, struct handle handle);

#endif
