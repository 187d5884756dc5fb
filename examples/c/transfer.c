/* Transactions: two threads move money between accounts; a conflict is retried, nothing is lost.
 *
 * cc transfer.c $(pkg-config --cflags --libs lightning_db) -lpthread -o transfer && ./transfer FOLDER
 */
#include <lightning_db.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A reason of ours to take a transaction back: negative, as no error of the library is. */
#define NOT_ENOUGH (-1)

static void check(int ok) {
  if (ok) return;
  fprintf(stderr, "%s\n", lightning_db_last_error());
  exit(1);
}

static int balance(lightning_db_txn_t *txn, const char *account, unsigned long *amount) {
  char *text = lightning_db_txn_get(txn, account, strlen(account), NULL);
  *amount = text ? strtoul(text, NULL, 10) : 0;
  int status = text ? 0 : lightning_db_last_error_code();
  lightning_db_free_value(text);
  return status;
}

static int set_balance(lightning_db_txn_t *txn, const char *account, unsigned long amount) {
  char text[32];
  int length = snprintf(text, sizeof text, "%lu", amount);
  return lightning_db_txn_put(txn, account, strlen(account), text, (size_t)length);
}

struct transfer {
  lightning_db_t *db;
  const char *from, *to;
  unsigned long amount;
};

/* May run several times: after a conflict it begins again. */
static int move_money(lightning_db_txn_t *txn, void *user) {
  const struct transfer *transfer = user;
  unsigned long from, to;
  int status = balance(txn, transfer->from, &from);
  if (status == 0 && from < transfer->amount) return NOT_ENOUGH;
  if (status == 0) status = set_balance(txn, transfer->from, from - transfer->amount);
  if (status == 0) status = balance(txn, transfer->to, &to);
  if (status == 0) status = set_balance(txn, transfer->to, to + transfer->amount);
  return status;
}

static void *move_often(void *user) {
  struct transfer *transfer = user;
  for (int i = 0; i < 100; i++) {
    int status = lightning_db_transact(transfer->db, move_money, transfer);
    check(status == 0 || status == NOT_ENOUGH);
  }
  return NULL;
}

int main(int argc, char **argv) {
  char path[4096];
  snprintf(path, sizeof path, "%s/transfer", argc > 1 ? argv[1] : ".");
  lightning_db_t *db = lightning_db_create(path, NULL);
  check(db != NULL);
  check(lightning_db_put(db, "alice", 5, "1000", 4) == 0);
  check(lightning_db_put(db, "bob", 3, "1000", 4) == 0);

  struct transfer there = {db, "alice", "bob", 7}, back = {db, "bob", "alice", 5};
  pthread_t first, second;
  if (pthread_create(&first, NULL, move_often, &there) || pthread_create(&second, NULL, move_often, &back)) return 1;
  pthread_join(first, NULL);
  pthread_join(second, NULL);

  unsigned long alice, bob;
  lightning_db_txn_t *txn = lightning_db_txn_begin(db);
  check(txn != NULL);
  check(balance(txn, "alice", &alice) == 0 && balance(txn, "bob", &bob) == 0);
  lightning_db_txn_free(txn);
  printf("alice %lu, bob %lu, together %lu\n", alice, bob, alice + bob);
  if (alice != 800 || bob != 1200) return 1;

  check(lightning_db_close(db) == 0);
  lightning_db_destroy(db);
  return 0;
}
