// Keys in order: a prefix as a table, a second prefix as an index, and a snapshot that does not move.
//
// c++ -std=c++17 prefix_scan.cpp $(pkg-config --cflags --libs lightning_db) -o prefix_scan && ./prefix_scan FOLDER
#include <iostream>
#include <iterator>
#include <lightning_db.hpp>
#include <string>
#include <utility>

namespace ldb = lightning_db;

namespace {

long count(ldb::Scan scan) { return std::distance(scan.begin(), scan.end()); }

}  // namespace

int main(int argc, char** argv) try {
  const std::string folder = argc > 1 ? argv[1] : ".";
  auto db = ldb::Database::create(folder + "/prefix_scan");

  const std::pair<std::string, std::string> books[] = {
      {"Emma", "1815"}, {"Ulysses", "1922"}, {"Dracula", "1897"}, {"Beloved", "1987"}};
  // Record and index entry are in one batch, so that they never disagree.
  auto batch = db.batch();
  for (const auto& [title, year] : books) {
    batch.put("book/" + title, year);
    batch.put("year/" + year + "/" + title, "");
    batch.write();
  }

  std::cout << "by title:\n";
  for (const auto& [key, year] : db.scan_prefix("book/")) std::cout << "  " << key.substr(5) << ", " << year << "\n";

  std::cout << "of the 20th century, newest first:\n";
  std::string titles;
  for (const auto& entry : db.scan(ldb::ScanOptions().gte("year/1901").lt("year/2001").reverse())) {
    titles += " ";
    titles += entry.first.substr(10);
  }
  std::cout << " " << titles << "\n";
  if (titles != " Beloved Ulysses") return 1;

  const auto snapshot = db.snapshot();
  db.erase("book/Emma");
  if (count(snapshot.scan_prefix("book/")) != 4 || count(db.scan_prefix("book/")) != 3) return 1;

  db.close();
  return 0;
} catch (const ldb::Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
