// A store's files after octets were changed, cut or swapped, and rows edited behind our back -> a
// start goes on from a state that was committed, or refuses in words; never a hold that nobody
// placed, never one less. What started takes one more hold, and has it after the next start.
//
// The input is a program: a picture of a directory, then steps of eight octets that damage it.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <sqlite3.h>
#include <unistd.h>

#include "dns/wire/writer.h"
#include "health/store/recovery.h"
#include "health/store/store_file.h"
#include "health/store/table_shapes.h"
#include "tests/fuzz/require.h"
#include "tests/health/store/fault_vfs.h"
#include "tests/health/store/samples.h"
#include "tests/health/store/state_words.h"

namespace {

using namespace sluice;
using namespace sluice::health;
using namespace sluice::health::testing;
namespace fs = std::filesystem;
using fuzz::require;

using File = std::vector<char>;

constexpr WallTime kNow{Duration(1'795'168'890'000)};
constexpr std::array<const char*, 4> kEnds{"/sluice.db", "/sluice.db-wal", "/sluice.backup.db",
                                           "/sluice.backup.db-wal"};
constexpr std::size_t kOfCopy = 2;  // from here on the files are the copy's

// In memory where that is to be had: thousands of files a second.
fs::path scratch() {
  const bool memory = ::access("/dev/shm", W_OK) == 0;
  std::string pattern =
      (memory ? fs::path("/dev/shm") : fs::temp_directory_path()) / "sluice-fuzz-XXXXXX";
  require(::mkdtemp(pattern.data()) != nullptr);
  return pattern;
}

File read_file(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

struct Picture {
  std::array<File, kEnds.size()> files;
  std::string last;                 // the state that was acknowledged last
  std::set<std::string> committed;  // all
  std::uint64_t generation = 0;
};

// A file that is open, as the store's thread has it.
struct OpenFile {
  Database database;
  Tables tables;
};

void commit(OpenFile& file, const std::vector<Change>& changes) {
  require(file.tables.begin().has_value());
  for (const Change& change : changes) require(file.tables.apply(change).has_value());
  require(file.tables.commit(file.tables.seal().commits + 1, kNow).has_value());
}

OpenFile open_copy(const std::string& path) {
  auto file = inspect(path, 0);
  require(file.has_value() && file->condition == StoreFile::Condition::Whole);
  auto tables = Tables::prepare(file->database, file->content.seal);
  require(tables.has_value());
  return {std::move(file->database), std::move(*tables)};
}

class Stage {
 public:
  Stage() : directory_(scratch()) {
    disk_.pretend_syncs();
    make_pictures();
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage() { fs::remove_all(directory_); }

  const Picture& set(std::uint8_t which) const {
    const Picture& picture = pictures_[which % pictures_.size()];
    fs::remove_all(state());
    fs::create_directory(state());
    for (std::size_t at = 0; at < kEnds.size(); ++at) {
      if (!picture.files[at].empty()) write(at, picture.files[at]);
    }
    return picture;
  }

  File read(std::size_t file) const { return read_file(path(file)); }
  void write(std::size_t file, const File& octets) const {
    std::ofstream(path(file), std::ios::binary)
        .write(octets.data(), static_cast<std::streamsize>(octets.size()));
  }
  std::string path(std::size_t file) const { return state() + kEnds[file]; }
  std::string state() const { return directory_ / "state"; }

 private:
  void keep(Picture& picture, std::size_t files) const {
    for (std::size_t at = 0; at < files; ++at) {
      if (fs::exists(path(at))) picture.files[at] = read(at);
    }
  }

  // The end of a run that was clean, without a copy and with one; and a kill in the middle of the
  // next, when both files have journals.
  void make_pictures() {
    constexpr int kCommits = 8;
    auto& [alone, clean, killed] = pictures_;
    fs::create_directory(state());
    run(0, kCommits, false, alone);
    keep(alone, kOfCopy);
    fs::copy_file(path(0), path(kOfCopy));
    clean.last = alone.last;
    clean.generation = alone.generation;
    alone.committed = clean.committed = {clean.last};
    keep(clean, kEnds.size());
    killed.committed = {clean.last};
    run(kCommits, 2 * kCommits, true, killed);
  }

  void run(int from, int to, bool with_copy, Picture& picture) const {
    auto opened = open_store(state(), kNow);
    require(opened.has_value() && opened->notices.empty());
    std::vector<OpenFile> files;
    files.push_back({std::move(opened->database), std::move(opened->tables)});
    if (with_copy) files.push_back(open_copy(path(kOfCopy)));
    for (int number = from + 1; number <= to; ++number) {
      for (OpenFile& file : files) commit(file, commit_of_history(number));
      const auto loaded = load_tables(files.front().database);
      require(loaded.has_value());
      picture.last = words(loaded->state);
      picture.generation = loaded->state.generation;
      picture.committed.insert(picture.last);
    }
    if (with_copy) keep(picture, kEnds.size());
  }

  FaultVfs disk_;
  fs::path directory_;
  std::array<Picture, 3> pictures_;
};

// One thing that happens to the files.
struct Step {
  static constexpr std::size_t kOctets = 8;

  explicit Step(const std::uint8_t* octets)
      : kind(octets[0]),
        file(octets[1] % kEnds.size()),
        a(dns::load_u16(octets + 2)),
        b(dns::load_u16(octets + 4)),
        c(dns::load_u16(octets + 6)) {}

  std::uint8_t kind;
  std::size_t file;
  std::uint16_t a, b, c;
};

constexpr std::uint8_t kOctetKinds = 6;

void change_octets(const Stage& stage, const Step& step) {
  File octets = stage.read(step.file);
  if (octets.empty()) return;
  const std::size_t at = (step.a * std::size_t{65'536} + step.b) % octets.size();
  const std::size_t rest = octets.size() - at;
  const auto octet = static_cast<char>(step.c);
  switch (step.kind % kOctetKinds) {
    case 0:
      octets[at] = static_cast<char>(octets[at] ^ octet);
      break;
    case 1:
      octets[at] = octet;
      break;
    case 2:
      std::fill_n(octets.begin() + static_cast<std::ptrdiff_t>(at),
                  std::min<std::size_t>(rest, step.c), '\0');
      break;
    case 3:
      // Never to nothing: no file at all is a new store, where no copy says otherwise.
      octets.resize(std::max<std::size_t>(at, 1));
      break;
    case 4: {  // two pages change places
      constexpr std::size_t kPage = 4'096;
      const std::size_t pages = octets.size() / kPage;
      if (pages < 2) return;
      const auto page = [&](std::size_t number) {
        return octets.begin() + static_cast<std::ptrdiff_t>(number % pages * kPage);
      };
      if (page(step.a) != page(step.c))
        std::swap_ranges(page(step.a), page(step.a) + kPage, page(step.c));
      break;
    }
    default:  // another day's octets stand there
      for (std::size_t i = 0; i < std::min<std::size_t>(rest, step.c % 1'024U); ++i) {
        octets[at + i] = octets[(step.b + i) % octets.size()];
      }
  }
  stage.write(step.file, octets);
}

// A table of the schema, its columns with the check.
struct Edited {
  std::string name;
  std::vector<std::string> columns;
};

const std::vector<Edited>& tables() {
  static const std::vector<Edited> kTables = [] {
    std::vector<Edited> tables;
    const auto add = [&](const Shape& shape) {
      Edited table{std::string(shape.name), {}};
      for (const auto column : shape.columns) {
        if (!column.empty()) table.columns.emplace_back(column);
      }
      table.columns.emplace_back("row_check");
      tables.push_back(std::move(table));
    };
    for (const Shape* shape : kShapes) add(*shape);
    add(kSealShape);
    tables.push_back({"audit", {"at", "type", "server", "text", "generation", "row_check"}});
    return tables;
  }();
  return kTables;
}

std::string list(const std::vector<std::string>& columns, const std::string& instead_of = "",
                 const std::string& value = "") {
  std::string text;
  for (const std::string& column : columns) {
    text += (text.empty() ? "" : ", ") + (column == instead_of ? value : column);
  }
  return text;
}

// What somebody may do with `sqlite3 sluice.db`. Statements that the schema refuses do nothing.
std::string statement(const Step& step) {
  const Edited& table = tables()[step.a % tables().size()];
  const std::string& column = table.columns[step.b % table.columns.size()];
  const std::string& other = table.columns[step.b / 64U % table.columns.size()];
  // Not every table has a rowid: a row is found by the rank of its check.
  const std::string row = " WHERE row_check = (SELECT row_check FROM " + table.name +
                          " ORDER BY row_check LIMIT 1 OFFSET " + std::to_string(step.c % 16U) +
                          ")";
  const std::array values{
      std::string("NULL"),
      std::string("''"),
      "'fe" + std::to_string(step.c % 8U) + "'",
      std::to_string(step.c),
      column + " + 1",
      "-" + column,
      other,
      column + " || 'x'",
      "(SELECT " + column + " FROM " + table.name + " ORDER BY 1 DESC LIMIT 1)"};
  const std::string& value = values[step.c / 16U % values.size()];
  switch (step.kind % 12) {
    case 0:
    case 1:
    case 2:
      return "UPDATE " + table.name + " SET " + column + " = " + value + row;
    case 3:
      return "DELETE FROM " + table.name + row;
    case 4:
      return "DELETE FROM " + table.name;
    case 5:
    case 6:
      return "INSERT INTO " + table.name + " (" + list(table.columns) + ") SELECT " +
             list(table.columns, column, value) + " FROM " + table.name + row;
    case 7:
      return "DROP TABLE " + table.name;
    case 8:
      return "CREATE TRIGGER t AFTER INSERT ON " + table.name + " BEGIN DELETE FROM " +
             tables()[step.b % tables().size()].name + "; END";
    case 9:
      return "PRAGMA user_version = " + std::to_string(step.a % 4);
    case 10:
      return "CREATE INDEX i ON " + table.name + " (" + column + ")";
    default:
      return "ALTER TABLE " + table.name + " RENAME COLUMN " + column + " TO " + other + "_";
  }
}

void edit_rows(const Stage& stage, const Step& step) {
  const std::size_t file = step.file < kOfCopy ? 0 : kOfCopy;
  if (!fs::exists(stage.path(file))) return;
  sqlite3* database = nullptr;
  if (sqlite3_open_v2(stage.path(file).c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) ==
      SQLITE_OK) {
    sqlite3_exec(database, statement(step).c_str(), nullptr, nullptr, nullptr);
  }
  sqlite3_close_v2(database);
}

bool is_newer(const std::string& refusal) {
  return refusal.find("newer sluiced") != std::string::npos;
}

// A start, one more hold, and a start that has it.
void require_goes_on(const Stage& stage, OpenedStore opened) {
  Hold hold = plain_hold("fe99.pool01.contoso.example");
  opened.state.holds.push_back(hold);
  std::ranges::sort(opened.state.holds, {}, &Hold::key);
  const std::string expected = words(opened.state);
  const std::uint64_t generation = opened.state.generation;
  {
    OpenFile file{std::move(opened.database), std::move(opened.tables)};
    commit(file, {PutHold{hold}, AppendAudit{Event{}}});
    opened = {};
  }
  const auto again = open_store(stage.state(), kNow);
  require(again.has_value() && words(again->state) == expected);
  require(again->state.generation >= generation);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostSteps = 8;
  static const Stage kStage;
  if (size == 0) return 0;
  const Picture& picture = kStage.set(data[0]);
  std::array<bool, 2> hit{};  // sluice.db and its journal; the copy and its
  for (std::size_t at = 1, steps = 0; at + Step::kOctets <= size && steps < kMostSteps;
       at += Step::kOctets, ++steps) {
    const Step step(data + at);
    hit[step.file / kOfCopy] = true;
    step.kind < 128 ? change_octets(kStage, step) : edit_rows(kStage, step);
  }

  auto opened = open_store(kStage.state(), kNow);
  if (!opened) {
    const std::string refusal = to_string(opened.error());
    require(refusal.find(kStage.state()) != std::string::npos);
    for (const char c : refusal) require(c < 0 || c >= ' ');
    // One good file is enough, unless the other one says that it is of a version yet to come.
    const bool has_copy = !picture.files[kOfCopy].empty();
    require(is_newer(refusal) || !has_copy || (hit[0] && hit[1]));
    require(hit[0]);
    return 0;
  }
  for (const std::string& notice : opened->notices) {
    for (const char c : notice) require(c < 0 || c >= ' ');
  }
  const std::string found = words(opened->state);
  require(picture.committed.contains(found));
  // While the copy is good nothing that was acknowledged is lost, and no number comes twice.
  if (!hit[1]) {
    require(found == picture.last && opened->state.generation >= picture.generation);
  }
  require_goes_on(kStage, std::move(*opened));
  return 0;
}
