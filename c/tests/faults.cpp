// Every form of reading in C and C++, with every read failing in turn. Wants a library with the feature `faults`.
#include "faults.h"

#include <functional>

#include "check.h"
#include "lightning_db.hpp"

using namespace lightning_db;

namespace {

constexpr std::size_t COUNT = 20, BIG = 7;
using Keys = std::vector<std::string>;

std::uint64_t steer(const std::string &command) {
  std::uint64_t number = 0;
  STATUS(0, lightning_db_test_disk("forms", command.c_str(), &number));
  return number;
}

std::string key_at(std::size_t number) { return (number < 10 ? "k0" : "k") + std::to_string(number); }
std::string value_at(std::size_t number) { return std::string(number == BIG ? 3000 : 300, 'v'); }

Database loaded() {
  steer("new 1");
  Options options;
  options.set_text("test_disk", "forms").set_int("page_size", 512).set_bool("compression_enabled", false);
  auto db = Database::create("/forms", options);
  for (std::size_t i = 0; i < COUNT; i++) db.put(key_at(i), value_at(i), Level::Eventual);
  db.flush();
  return db;
}

Keys keys(bool reverse = false) {
  Keys all;
  for (std::size_t i = 0; i < COUNT; i++) all.push_back(key_at(reverse ? COUNT - 1 - i : i));
  return all;
}

// Whether what it read is right. Errors are thrown.
using Form = std::function<bool(Database &)>;

// Takes a status of C: an error is thrown, so that all forms tell it alike.
void must(int status) {
  if (status != 0) throw Error::last(status);
}

bool step_in_c(Database &db, bool reverse) {
  lightning_db_scan_options_t options = LIGHTNING_DB_SCAN_OPTIONS;
  options.reverse = reverse;
  lightning_db_scan_t *scan = lightning_db_scan_new(db.c_handle(), &options);
  if (!scan) must(lightning_db_last_error_code());
  Keys found;
  lightning_db_bytes_t key, value;
  int status;
  // The loop that does not look at the status: it must not take an error for the end.
  while (status = lightning_db_scan_next(scan, &key, &value), key.data) {
    if (status != 0) break;
    found.emplace_back(key.data, key.len);
  }
  if (status != 0) {
    CHECK(key.data != nullptr && key.len == 0);
    for (int i = 0; i < 2; i++) {
      STATUS(status, lightning_db_scan_next(scan, &key, &value));
      CHECK(key.data != nullptr);
      STATUS(status, lightning_db_scan_status(scan));
    }
  }
  STATUS(0, lightning_db_scan_free(scan));
  if (status != 0) throw Error::last(status);
  return found == keys(reverse);
}

bool get_in_c(Database &db, std::size_t number) {
  const auto key = key_at(number);
  std::size_t length = 1;
  char *value = lightning_db_get(db.c_handle(), key.data(), key.size(), &length);
  if (!value) must(lightning_db_last_error_code());
  const bool right = value != nullptr && std::string(value, length) == value_at(number);
  lightning_db_free_value(value);
  return right;
}

bool get_into_in_c(Database &db) {
  char buffer[400];
  std::size_t length = 0;
  must(lightning_db_get_into(db.c_handle(), "k00", 3, buffer, sizeof buffer, &length));
  return std::string(buffer, length) == value_at(0);
}

template <class Scanned>
bool looped(Scanned &&scan, bool reverse) {
  Keys found;
  for (auto [key, value] : scan) found.emplace_back(key);
  return found == keys(reverse);
}

bool stepped(Scan scan) {
  Keys found;
  while (auto entry = scan.next()) found.emplace_back(entry->first);
  return found == keys();
}

const std::vector<Form> FORMS = {
    [](Database &db) { return step_in_c(db, false); },
    [](Database &db) { return step_in_c(db, true); },
    [](Database &db) { return get_in_c(db, 3); },
    [](Database &db) { return get_in_c(db, BIG); },
    [](Database &db) { return get_into_in_c(db); },
    [](Database &db) { return looped(db.scan(), false); },
    [](Database &db) { return looped(db.scan(ScanOptions().reverse()), true); },
    [](Database &db) { return looped(db.scan_prefix("k"), false); },
    [](Database &db) { return looped(db.snapshot().scan(), false); },
    [](Database &db) { return looped(db.transaction().scan(), false); },
    [](Database &db) { return stepped(db.scan()); },
    [](Database &db) { return db.count() == COUNT; },
    [](Database &db) { return db.contains("k05") && !db.contains("k05x"); },
    [](Database &db) { return db.get("k03") == value_at(3) && db.get(key_at(BIG)) == value_at(BIG); },
    [](Database &db) { return !db.get("k03x"); },
    [](Database &db) { return db.snapshot().get("k03") == value_at(3); },
    [](Database &db) { return db.transaction().get(key_at(BIG)) == value_at(BIG); },
    [](Database &db) {
      const auto found = db.get_many({"k19", "none", "k07"});
      return found.size() == 3 && found[0] == value_at(19) && !found[1] && found[2] == value_at(BIG);
    },
};

void no_form_takes_an_error_for_an_end(Database &db, const Form &form) {
  int failed = 0;
  bool met = true;
  for (std::uint64_t round = 0; met; round++) {
    db.clear_cache();
    const auto first = steer("reads");
    steer("fail-read " + std::to_string(round) + " 5");
    try {
      CHECK(form(db));
    } catch (const Error &error) {
      CHECK(error.code() == LIGHTNING_DB_IO);
      failed++;
    }
    met = steer("reads") > first + round;
    steer("heal");
    CHECK(looped(db.scan(), false));
  }
  CHECK(failed > 0);
}

}  // namespace

int main() {
  auto db = loaded();
  for (const auto &form : FORMS) no_form_takes_an_error_for_an_end(db, form);
  steer("fail 0 5");
  lightning_db_t *handle = db.c_handle();
  STATUS(LIGHTNING_DB_IO, lightning_db_put(handle, "a", 1, "1", 1));
  STATUS(LIGHTNING_DB_HALTED, lightning_db_put(handle, "a", 1, "1", 1));
  STATUS(LIGHTNING_DB_HALTED, lightning_db_close(handle));
  STATUS(LIGHTNING_DB_INVALID_ARGUMENT, lightning_db_test_disk("forms", "explode", nullptr));
  STATUS(0, lightning_db_test_disk("forms", "drop", nullptr));
  printf("faults: %d checks, %zu forms of reading passed\n", checks, FORMS.size());
}
