// The C++ header: owners, exceptions, loops. owners FOLDER
#include <memory>
#include <type_traits>

#include "check.h"
#include "lightning_db.hpp"

using namespace lightning_db;

namespace {

std::string folder;

template <class Call>
Error thrown_by(Call call) {
  try {
    call();
  } catch (const Error &error) {
    return error;
  }
  CHECK(!"an exception");
  std::abort();
}

template <class T>
constexpr bool moves_only = std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
                            !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(moves_only<Database> && moves_only<Transaction> && moves_only<Batch> && moves_only<Scan> &&
              moves_only<Snapshot> && moves_only<Options> && moves_only<Report> && moves_only<Figures> && moves_only<Ingest>);

void errors() {
  const auto error = thrown_by([] { Database::open(folder + "/none"); });
  CHECK(error.code() == LIGHTNING_DB_NOT_FOUND && std::string_view(error.name()) == "NotFound");
  CHECK(error.file() && error.file()->find("none") != std::string::npos);
  CHECK(!error.offset() && error.os_code() == 0 && !error.is_retryable());
  CHECK(std::string_view(error.what()).find("none") != std::string_view::npos);
  const auto wrong = thrown_by([] { Options().set_int("page_sise", 1); });
  CHECK(wrong.code() == LIGHTNING_DB_INVALID_ARGUMENT);
}

void values_of_every_size(Database &db) {
  for (const std::size_t size : {0u, 1u, 1023u, 1024u, 1025u, 1000000u}) {
    const std::string value(size, 'x');
    db.put("sized", value);
    CHECK(db.get("sized") == value);
    auto snapshot = db.snapshot();
    CHECK(snapshot.get("sized") == value);
    CHECK(db.transaction().get("sized") == value);
    const auto many = db.get_many({"sized", "none", "sized"});
    CHECK(many.size() == 3 && many[0] == value && !many[1] && many[2] == value);
  }
  db.put("", std::string_view("\0\0", 2), Level::Quorum);
  CHECK(db.get(std::string_view()) == std::string(2, '\0') && db.contains(""));
  db.erase("", Level::Quorum);
  CHECK(!db.get("") && !db.contains("") && db.get_many({}).empty());
  db.erase("sized");
}

void scans(Database &db) {
  auto batch = db.batch();
  for (const char *key : {"a1", "a2", "a3", "b1"}) batch.put(key, key);
  batch.erase("none");
  batch.write(Level::Strong);
  batch.put("gone", "");
  batch.clear();
  batch.write();
  std::string seen;
  for (const auto &[key, value] : db.scan_prefix("a")) seen += std::string(key) + "=" + std::string(value) + " ";
  CHECK(seen == "a1=a1 a2=a2 a3=a3 ");
  seen.clear();
  for (const auto &[key, value] : db.scan(ScanOptions().gt("a1").lte("b1").reverse().limit(2))) seen += key;
  CHECK(seen == "b1a3");
  // What is left of a loop goes on, and an error comes out of the middle of it.
  auto scan = db.scan();
  for (const auto &entry : scan) {
    if (entry.first == "a2") break;
  }
  CHECK(scan.next()->first == "a3");
  auto other = Database::create(folder + "/other");
  other.put("1", "");
  other.put("2", "");
  int entries = 0;
  const auto error = thrown_by([&] {
    for (const auto &entry : other.scan()) {
      entries += static_cast<int>(entry.first.size());
      other.close();
    }
  });
  CHECK(error.code() == LIGHTNING_DB_CLOSED && entries == 1);
}

void transactions(Database &db) {
  CHECK(db.transact([](Transaction &txn) {
    txn.put("n", "1");
    return std::make_unique<int>(7);
  }) && db.get("n") == "1");
  int attempts = 0;
  db.transact([&](Transaction &txn) {
    const auto n = txn.get("n");
    if (++attempts == 1) db.put("n", "2");
    txn.put("n", *n + "!");
  });
  CHECK(attempts == 2 && db.get("n") == "2!");
  attempts = 0;
  // A Conflict that the callback throws begins again too; its own exceptions come out whole.
  struct Own : std::exception {};
  bool own = false;
  try {
    db.transact([&](Transaction &txn) {
      txn.put("n", "lost");
      if (++attempts == 1) detail::check(lightning_db_error_raise(LIGHTNING_DB_CONFLICT));
      throw Own();
    });
  } catch (const Own &) {
    own = true;
  }
  CHECK(own && attempts == 2 && db.get("n") == "2!");
  const auto error = thrown_by([&] { db.transact([](Transaction &txn) { txn.put(std::string(65536, 'k'), ""); }); });
  CHECK(error.code() == LIGHTNING_DB_INVALID_ARGUMENT);

  auto first = db.transaction(), second = db.transaction(Isolation::Snapshot);
  CHECK(first.get("n") && second.get("n"));
  first.put("n", "first");
  second.put("n", "second");
  first.commit(Level::Quorum);
  CHECK(thrown_by([&] { second.commit(); }).code() == LIGHTNING_DB_CONFLICT);
  CHECK(thrown_by([&] { second.put("n", ""); }).code() == LIGHTNING_DB_CLOSED);
  { auto dropped = db.transaction(); }
  auto aborted = db.transaction();
  aborted.abort();
  CHECK(db.stat_int("active_transactions") == 0);
}

// A C++ exception may leave a callback of the C call.
int throwing(lightning_db_txn_t *, void *) { throw 42; }

void exceptions_through_c(Database &db) {
  int caught = 0;
  try {
    CHECK(lightning_db_transact(db.c_handle(), throwing, nullptr) == -1);
  } catch (int number) {
    caught = number;
  }
  CHECK(caught == 42 && db.stat_int("active_transactions") == 0);
}

void closed_and_moved_owners() {
  auto db = Database::create(folder + "/moved");
  auto snapshot = db.snapshot();
  auto batch = db.batch();
  auto moved = std::move(db);
  moved.put("a", "1");
  CHECK(thrown_by([&] { db.put("a", "1"); }).code() == LIGHTNING_DB_INVALID_ARGUMENT);
  db = Database::create(folder + "/moved2");
  db = std::move(moved);
  CHECK(db.get("a") == "1");
  auto txn = db.transaction();
  txn.close();
  txn.close();
  CHECK(thrown_by([&] { txn.get("a"); }).code() == LIGHTNING_DB_CLOSED);
  snapshot.close();
  CHECK(thrown_by([&] { snapshot.scan_prefix("a"); }).code() == LIGHTNING_DB_CLOSED);
  db.close();
  db.close();
  CHECK(thrown_by([&] { db.get("a"); }).code() == LIGHTNING_DB_CLOSED);
  CHECK(thrown_by([&] { batch.write(); }).code() == LIGHTNING_DB_CLOSED);
  const auto options = std::move(Options().set_bool("compression_enabled", false).set_seconds("checkpoint_interval", 1.5));
  Database::open(folder + "/moved", options).close();
}

void keyspaces_and_orders() {
  auto uses = std::make_shared<int>(0);
  const auto order = [uses](std::string_view a, std::string_view b) { return b.compare(a); };
  Options options;
  options.set_comparator("backwards", order).add_comparator("backwards too", order);
  CHECK(thrown_by([&] { options.set_comparator("decimal", order); }).code() == LIGHTNING_DB_INVALID_ARGUMENT);
  {
    auto db = Database::create(folder + "/orders", options);
    auto words = db.create_keyspace("words", Options().set_comparator("backwards too", order));
    auto batch = db.batch();
    batch.put("a", "1");
    batch.put(words, "b", "2");
    batch.put(words, "c", "3");
    batch.erase(words, "d");
    batch.write_within(std::chrono::seconds(10));
    { auto left = db.ingest(); left.add("left", ""); }
    auto ingest = db.create_keyspace("loaded").ingest();
    ingest.add("1", "one");
    ingest.add("2", "two");
    CHECK(ingest.finish() == 2 && db.keyspace("loaded").get("2") == "two" && !db.get("left"));
    db.drop_keyspace("loaded");
    CHECK(db.list_keyspaces() == (std::vector<std::string>{"default", "words"}));
    CHECK(words.scan().next()->first == "c" && words.count() == 2 && db.count() == 1);
    auto snapshot = db.snapshot();
    words.put_within(std::chrono::milliseconds(100), "b", "4", Level::Strong);
    words.erase_within(std::chrono::milliseconds(0), "c");
    CHECK(thrown_by([&] { words.erase_within(std::chrono::milliseconds(-1), "c"); }).code() == LIGHTNING_DB_INVALID_ARGUMENT);
    CHECK(snapshot.in(words).get("b") == "2" && snapshot.in(words).in(db).get("a") == "1");
    db.transact([&](Transaction &txn) {
      txn.in(words).put("t", "5");
      CHECK(!txn.get("t"));
    });
    CHECK(words.get("t") == "5" && db.stat_int("active_transactions") == 0);
    {
      auto moved = std::move(words);
      words = db.keyspace("words");
      moved.close();
      CHECK(thrown_by([&] { moved.get("t"); }).code() == LIGHTNING_DB_CLOSED);
    }
    db.flush();
    CHECK(words.get("t") == "5" && db.approximate_size() > 0);
    // What a callback throws comes out whole.
    struct Own : std::exception {};
    bool own = false;
    try {
      db.compact([](const lightning_db_compaction_t &) -> bool { throw Own(); });
    } catch (const Own &) {
      own = true;
    }
    CHECK(own);
    CHECK(thrown_by([&] { db.compact([](const auto &) { return false; }); }).code() == LIGHTNING_DB_CANCELLED);
    db.compact([](const auto &progress) { return progress.bytes_done <= progress.bytes_in; });
    CHECK(db.metrics().count("writes") > 0 && db.metrics().number("read_ops_per_sec") >= 0);
    CHECK(db.memory_stats().names().front() == "total_bytes" && !db.prometheus().empty());
    CHECK(Database::open_read_only(folder + "/orders", options).get("a") == "1");
    db.drop_keyspace("words");
    CHECK(thrown_by([&] { words.get("t"); }).code() == LIGHTNING_DB_NOT_FOUND);
  }
  const auto report = Database::repair(folder + "/orders", options);
  CHECK(report.is_ok() && report.problems().empty() && report.number("files") > 0 && !report.text().empty());
  CHECK(thrown_by([] { Database::check(folder + "/orders"); }).code() == LIGHTNING_DB_MISMATCH);
  CHECK(thrown_by([] { Database::check(folder + "/none"); }).code() == LIGHTNING_DB_NOT_FOUND);
  // Freed with the last that uses it: the options are left.
  CHECK(uses.use_count() == 4);
  options = Options();
  CHECK(uses.use_count() == 2);
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  folder = argv[1];
  errors();
  auto db = Database::create(folder + "/db", Options().set_text("default_level", "quorum"));
  values_of_every_size(db);
  scans(db);
  transactions(db);
  exceptions_through_c(db);
  closed_and_moved_owners();
  keyspaces_and_orders();
  db.flush();
  db.compact();
  db.clear_cache();
  db.backup(folder + "/backup");
  Database::restore(folder + "/backup", folder + "/restored");
  CHECK(Database::open(folder + "/restored").get("n") == "first");
  CHECK(db.stat_list("tables_per_level").size() > 1 && db.stat_ratio("cache_hit_rate") >= 0);
  CHECK(!db.stat_text("background_error") && db.stat_text("snapshots") == "0");
  std::printf("owners: %d checks passed\n", checks);
  return 0;
}
