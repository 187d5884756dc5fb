// Reports, figures and progress of lightning_db.hpp, which includes this.
#ifndef LIGHTNING_DB_REPORTS_HPP
#define LIGHTNING_DB_REPORTS_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "../lightning_db.h"
#include "basics.hpp"

namespace lightning_db {

/// Something about a place of a file.
struct Finding {
  std::string file{};
  std::optional<std::uint64_t> offset{};
  std::string what{};
  std::optional<std::string> keyspace{};
  /// Keys from here to last_key, inclusive, may be concerned.
  std::optional<std::string> first_key{};
  std::optional<std::string> last_key{};
  std::optional<std::uint64_t> records{};
};

/// What a check found, and what a repair did.
class Report {
 public:
  explicit Report(::lightning_db_report_t* handle) noexcept : handle_(handle) {}

  /// Whether nothing is wrong or, behind a repair, was.
  bool is_ok() const {
    bool ok = false;
    detail::check(::lightning_db_report_is_ok(handle_.get(), &ok));
    return ok;
  }
  /// What is damaged, missing or contradictory; behind a repair: what was.
  std::vector<Finding> problems() const { return list(LIGHTNING_DB_PROBLEMS); }
  /// What is worth knowing and no damage.
  std::vector<Finding> notes() const { return list(LIGHTNING_DB_NOTES); }
  /// What is gone after a repair.
  std::vector<Finding> lost() const { return list(LIGHTNING_DB_LOST); }
  /// Where the files that a repair has replaced are now: findings with a file alone.
  std::vector<Finding> set_aside() const { return list(LIGHTNING_DB_SET_ASIDE); }
  /// A number by its name: "files", "bytes", "pages", "records", "repaired", "salvaged_records".
  std::uint64_t number(const char* name) const {
    std::uint64_t value = 0;
    detail::check(::lightning_db_report_int(handle_.get(), name, &value));
    return value;
  }
  /// The whole report, some lines.
  std::string text() const {
    const std::unique_ptr<char, detail::FreeValue> text(
        detail::check_handle(::lightning_db_report_text(handle_.get())));
    return std::string(text.get());
  }

 private:
  std::vector<Finding> list(int which) const {
    std::vector<Finding> findings;
    ::lightning_db_finding_t lent = LIGHTNING_DB_FINDING;
    int status = 0;
    while ((status = ::lightning_db_report_finding(handle_.get(), which, findings.size(), &lent)) == LIGHTNING_DB_OK) {
      findings.push_back(owned(lent));
    }
    if (status != LIGHTNING_DB_NOT_FOUND) detail::check(status);
    return findings;
  }

  static Finding owned(const ::lightning_db_finding_t& lent) {
    Finding finding;
    finding.file = lent.file;
    finding.what = lent.what;
    if (lent.offset != LIGHTNING_DB_UNKNOWN) finding.offset = lent.offset;
    if (lent.records != LIGHTNING_DB_UNKNOWN) finding.records = lent.records;
    if (lent.keyspace != nullptr) finding.keyspace = lent.keyspace;
    if (lent.first_key.data != nullptr) finding.first_key.emplace(lent.first_key.data, lent.first_key.len);
    if (lent.last_key.data != nullptr) finding.last_key.emplace(lent.last_key.data, lent.last_key.len);
    return finding;
  }

  detail::Owner<::lightning_db_report_t, ::lightning_db_report_free> handle_;
};

/// Figures of one instant, by name.
class Figures {
 public:
  explicit Figures(::lightning_db_figures_t* handle) noexcept : handle_(handle) {}

  /// Their names.
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    while (const char* name = ::lightning_db_figures_name(handle_.get(), names.size())) names.emplace_back(name);
    detail::check(::lightning_db_last_error_code());
    return names;
  }
  /// A count or number of bytes: "reads".
  std::uint64_t count(const char* name) const {
    std::uint64_t value = 0;
    detail::check(::lightning_db_figures_int(handle_.get(), name, &value));
    return value;
  }
  /// A figure of any kind: "avg_read_latency_us".
  double number(const char* name) const {
    double value = 0;
    detail::check(::lightning_db_figures_number(handle_.get(), name, &value));
    return value;
  }

 private:
  detail::Owner<::lightning_db_figures_t, ::lightning_db_figures_free> handle_;
};

namespace detail {

/// One call of compact() with progress: no exception crosses the library.
template <class Progress>
struct Compaction {
  std::remove_reference_t<Progress>& progress;
  std::exception_ptr thrown;

  static int run(const ::lightning_db_compaction_t* done, void* user) noexcept {
    auto& self = *static_cast<Compaction*>(user);
    try {
      return self.progress(*done) ? 0 : 1;
    } catch (...) {
      self.thrown = std::current_exception();
      return 1;
    }
  }
};

}  // namespace detail

}  // namespace lightning_db

#endif  // LIGHTNING_DB_REPORTS_HPP
