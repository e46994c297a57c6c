#include "health/store/image_file.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include <pthread.h>

#include "config/base/clock.h"
#include "health/store/database_file.h"
#include "health/store/journal.h"

namespace sluice::health {
namespace {

namespace fs = std::filesystem;
using base::Done;
using base::Unexpected;

struct OpenedImage {
  Database database;
  LoadedImage content;
};

SqliteResult<OpenedImage> examine(const std::string& path) {
  if (auto header = check_header(path); !header) return Unexpected{std::move(header).error()};
  // Later transactions were durable behind one that can't be read: they may have been served.
  if (scan_journal(path) == Journal::Lost) return corrupt("its journal can't be read to its end");
  auto database = Database::open(path, false);
  if (!database) return Unexpected{std::move(database).error()};
  database->keep_journal(true);  // until it is found whole
  auto done = configure(*database);
  if (!done) return Unexpected{std::move(done).error()};
  const auto version = read_version(*database, kImageApplicationId, kImageVersion);
  if (!version) return Unexpected{version.error()};
  done = check_pages(*database);
  if (!done) return Unexpected{std::move(done).error()};
  auto content = load_image(*database);
  if (!content) return Unexpected{std::move(content).error()};
  done = write_ahead(*database);
  if (done) done = check_size(*database, path);
  if (!done) return Unexpected{std::move(done).error()};
  database->keep_journal(false);
  return OpenedImage{std::move(*database), std::move(*content)};
}

base::Checked<Done> make_image(const std::string& path) {
  return make_database(path, make_image_tables,
                       [](const std::string& draft) -> base::Checked<Done> {
                         const auto made = examine(draft);
                         if (!made) return base::failure(draft + ": " + made.error().text);
                         return Done{};
                       });
}

// Whether there is something of that name, or its journal, without which it is not what it was.
base::Checked<bool> is_there(const std::string& path) {
  std::error_code code;
  const bool there = fs::exists(path, code) || (!code && fs::exists(path + "-wal", code));
  if (code) return base::failure(path + ": " + code.message());
  return there;
}

base::Checked<OpenedImage> use(const std::string& path) {
  auto opened = examine(path);
  if (!opened) return base::failure(path + ": " + opened.error().text);
  return std::move(*opened);
}

base::Checked<OpenedImage> open_image(const std::string& path, const ImageFile::Notice& notice) {
  const auto there = is_there(path);
  if (!there) return Unexpected{there.error()};
  if (*there) {
    auto opened = examine(path);
    if (opened) return std::move(*opened);
    const bool missing = !fs::exists(path);
    if (!missing && !opened.error().is_damage()) {
      return base::failure(path + ": " + opened.error().text);
    }
    auto kept = keep_aside(path, base::SystemClock().now().wall);
    if (!kept) return Unexpected{std::move(kept).error()};
    notice("copy: " + path + " " +
           (missing ? "is missing beside its journal" : damaged(opened.error().text)) +
           "; went on with an empty one; what was found is kept as " +
           fs::path(*kept).filename().string());
  }
  if (auto made = make_image(path); !made) return Unexpected{std::move(made).error()};
  return use(path);
}

}  // namespace

std::string image_path(const std::string& directory) {
  return directory + "/cluster.db";
}

base::Checked<std::optional<std::string>> put_image_away(const std::string& directory,
                                                         base::WallTime now) {
  const std::string path = image_path(directory);
  const auto there = is_there(path);
  if (!there) return Unexpected{there.error()};
  if (!*there) return std::optional<std::string>();
  const std::string away = path + ".before-" + time_in_a_name(now);
  std::error_code code;
  // The journal first: beside a file that is not its own it would be put into that.
  for (const char* end : {"-wal", "-shm", ""}) {
    if (fs::exists(path + end, code)) fs::rename(path + end, away + end, code);
    if (code) return base::failure(path + end + ": " + code.message());
  }
  if (auto synced = sync_directory(directory); !synced) return Unexpected{synced.error()};
  return std::optional(away);
}

base::Checked<std::unique_ptr<ImageFile>> ImageFile::open(const std::string& directory, Post post,
                                                          const Notice& notice,
                                                          cluster::Kept& state) {
  auto made = make_directory(directory);
  if (!made) return Unexpected{std::move(made).error()};
  auto lock = DirectoryLock::take(directory);
  if (!lock) return Unexpected{std::move(lock).error()};
  auto opened = open_image(image_path(directory), notice);
  if (!opened) return Unexpected{std::move(opened).error()};
  auto tables = ImageTables::prepare(opened->database, opened->content);
  if (!tables) return base::failure(image_path(directory) + ": " + tables.error().text);
  state = std::move(opened->content.kept);
  return std::unique_ptr<ImageFile>(new ImageFile(std::move(*lock), std::move(opened->database),
                                                  std::move(*tables), state.revision,
                                                  std::move(post)));
}

ImageFile::ImageFile(DirectoryLock lock, Database database, ImageTables tables,
                     std::int64_t revision, Post post)
    : lock_(std::move(lock)),
      database_(std::move(database)),
      tables_(std::move(tables)),
      post_(std::move(post)),
      newest_(revision),
      thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "store");
}

ImageFile::~ImageFile() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void ImageFile::keep(std::int64_t revision, std::vector<cluster::Change> changes,
                     std::function<void(Stored)> done) {
  add({Request::Kind::Keep, {}, revision, std::move(changes), {}, std::move(done)});
}

void ImageFile::replace(std::string cluster, std::int64_t revision,
                        std::vector<cluster::Change> entries, std::function<void(Stored)> done) {
  add({Request::Kind::Replace,
       std::move(cluster),
       revision,
       std::move(entries),
       {},
       std::move(done)});
}

void ImageFile::keep_own(std::vector<cluster::Write> writes, std::function<void(Stored)> done) {
  add({Request::Kind::Own, {}, 0, {}, std::move(writes), std::move(done)});
}

void ImageFile::add(Request request) {
  {
    const std::lock_guard guard(mutex_);
    queue_.push_back(std::move(request));
  }
  work_.notify_one();
}

void ImageFile::run() {
  while (true) {
    auto group = next_group();
    if (group.empty()) break;
    write_group(std::move(group));
  }
  // The last attempt: the next run would be without it.
  if (!unwritten_.empty()) [[maybe_unused]]
    const auto written = write();
}

std::vector<ImageFile::Request> ImageFile::next_group() {
  std::unique_lock guard(mutex_);
  work_.wait(guard, [this] { return stopping_ || !queue_.empty(); });
  return std::exchange(queue_, {});
}

void ImageFile::write_group(std::vector<Request> group) {
  std::vector<std::pair<std::function<void(Stored)>, Stored>> replies;
  for (Request& request : group) {
    Stored taken = take(request);
    if (request.done) replies.emplace_back(std::move(request.done), std::move(taken));
  }
  const auto written = unwritten_.empty() ? SqliteResult<Done>(Done{}) : write();
  if (written) unwritten_.clear();
  for (auto& [done, stored] : replies) {
    if (stored && !written) stored = Stored(Unexpected{written.error().text});
  }
  if (replies.empty()) return;
  post_([replies = std::move(replies)] {
    for (const auto& [done, stored] : replies) done(stored);
  });
}

ImageFile::Stored ImageFile::take(Request& request) {
  switch (request.kind) {
    case Request::Kind::Keep:
      if (request.revision < newest_) {
        return Unexpected{"revision " + std::to_string(request.revision) +
                          " is older than what is kept, " + std::to_string(newest_)};
      }
      newest_ = request.revision;
      unwritten_.keep(request.revision, std::move(request.changes));
      break;
    case Request::Kind::Replace:
      newest_ = request.revision;
      unwritten_.replace(std::move(request.cluster), request.revision, std::move(request.changes));
      break;
    case Request::Kind::Own:
      unwritten_.keep_own(std::move(request.own));
      break;
  }
  return Done{};
}

SqliteResult<Done> ImageFile::write() {
  // What is written into a file that has no name any more would be acknowledged and lost.
  if (database_.file_is_gone()) {
    return Unexpected{
        SqliteError{SQLITE_READONLY_DBMOVED, "the database file was removed or replaced"}};
  }
  const auto begin = std::chrono::steady_clock::now();
  auto done = tables_.write(database_, unwritten_);
  if (done) commit_seconds_.observe(std::chrono::steady_clock::now() - begin);
  return done;
}

}  // namespace sluice::health
