// A backup of a database in use, and its restore into a new folder.
//
// c++ -std=c++17 backup.cpp $(pkg-config --cflags --libs lightning_db) -o backup && ./backup FOLDER
#include <iostream>
#include <lightning_db.hpp>
#include <string>

namespace ldb = lightning_db;

int main(int argc, char** argv) try {
  const std::string folder = argc > 1 ? argv[1] : ".";
  auto db = ldb::Database::create(folder + "/original");
  db.put("color", "green");
  db.backup(folder + "/backups/monday");

  // What is written later is not in the backup.
  db.put("color", "blue");

  ldb::Database::restore(folder + "/backups/monday", folder + "/restored");
  auto restored = ldb::Database::open(folder + "/restored");
  if (restored.get("color") != "green" || db.get("color") != "blue") return 1;
  std::cout << "restored: green, now: blue\n";

  restored.close();
  db.close();
  return 0;
} catch (const ldb::Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
