#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "health/cluster/copy.h"
#include "health/store/checked_table.h"
#include "health/store/seal.h"
#include "health/store/sqlite.h"

// The tables of a responder's own copy of the shared state: cluster.db (image_file.h).
namespace sluice::health {

inline constexpr std::int64_t kImageApplicationId = 0x534c5543;  // "SLUC"
inline constexpr std::int64_t kImageVersion = 1;

// What is to be written in one transaction: of each key the last that was asked for. Pure.
class ImageChanges {
 public:
  void keep(std::int64_t revision, std::vector<cluster::Change> changes);
  void replace(std::string cluster, std::int64_t revision, std::vector<cluster::Change> entries);
  void keep_own(std::vector<cluster::Write> writes);

  bool empty() const noexcept { return !revision_ && own_.empty(); }
  void clear() { *this = {}; }

 private:
  friend class ImageTables;

  void put(std::vector<cluster::Change> changes);

  std::optional<std::string> cluster_;    // instead of all that was there
  std::optional<std::int64_t> revision_;  // none: only what is this responder's own
  std::map<std::string, cluster::Change> shared_;
  std::map<std::string, std::optional<std::string>> own_;
};

struct LoadedImage {
  cluster::Kept kept;
  Seal shared;  // rows and sum of those tables
  Seal own;
};

// In an empty database.
SqliteResult<base::Done> make_image_tables(Database& database);
// Everything, once each row, their number and their sum are found as they were written.
SqliteResult<LoadedImage> load_image(Database& database);

// The statements of one connection, which must outlive it.
class ImageTables {
 public:
  static SqliteResult<ImageTables> prepare(Database& database, const LoadedImage& loaded);

  // One transaction; what failed is undone.
  SqliteResult<base::Done> write(Database& database, const ImageChanges& changes);

 private:
  // What the one row of `meta` says.
  struct State {
    std::string cluster;
    std::int64_t revision = 0;
    Seal shared;
    Seal own;
  };

  SqliteResult<base::Done> write_rows(const ImageChanges& changes, State& state);
  SqliteResult<base::Done> write_shared(const ImageChanges& changes, State& state);
  SqliteResult<base::Done> write_own(const ImageChanges& changes, State& state);
  SqliteResult<base::Done> write_meta(const State& state);

  Statement begin_;
  Statement commit_;
  Statement erase_all_;
  CheckedTable shared_;
  CheckedTable own_;
  CheckedTable meta_;
  State committed_;
  std::uint64_t definitions_ = 0;
};

}  // namespace sluice::health
