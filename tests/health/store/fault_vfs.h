#pragma once

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sqlite3.h>

namespace sluice::health {

// SQLite's file layer with failures on demand, for the files of one database that are opened while
// it lives: the disk that is full, the sync that fails. Files live on the real file system.
class FaultVfs {
 public:
  // `part`: what the paths of its files have in them, "/sluice.db" or "/sluice.backup.db".
  explicit FaultVfs(std::string part = "/sluice.db")
      : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_), part_(std::move(part)) {
    vfs_.zName = "fault";
    vfs_.pAppData = this;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.xOpen = [](sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
      return static_cast<FaultVfs*>(vfs->pAppData)->open(name, file, flags, out);
    };
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~FaultVfs() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_, 1);
  }
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  // SQLITE_OK: no failure. Any thread.
  void fail_writes(int code) { write_code_ = code; }
  void fail_syncs(int code) { sync_code_ = code; }
  // From now on no file is really synced, whatever its name: for tests of many files and no crash.
  void pretend_syncs() { pretend_ = true; }
  // Syncs that were asked for until now.
  unsigned syncs() const { return syncs_; }

 private:
  struct File {
    sqlite3_file base;
    FaultVfs* owner;
    bool watched;
    sqlite3_io_methods methods;  // the real ones, but for write and sync
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };

  int open(const char* name, sqlite3_file* raw, int flags, int* out) {
    auto* file = reinterpret_cast<File*>(raw);
    file->base.pMethods = nullptr;
    const int code = real_->xOpen(real_, name, file->real(), flags, out);
    if (file->real()->pMethods == nullptr) return code;
    file->owner = this;
    file->watched = name != nullptr && std::strstr(name, part_.c_str()) != nullptr;
    file->methods = forwarding();
    file->base.pMethods = &file->methods;
    return code;
  }

  static File* of(sqlite3_file* raw) { return reinterpret_cast<File*>(raw); }
  static sqlite3_file* real(sqlite3_file* raw) { return of(raw)->real(); }

  static sqlite3_io_methods forwarding() {
    sqlite3_io_methods m{};
    m.iVersion = 2;  // no memory mapping: all writes come through xWrite
    m.xClose = [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); };
    m.xRead = [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
      return real(f)->pMethods->xRead(real(f), to, n, at);
    };
    m.xWrite = [](sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
      const int code = of(f)->watched ? of(f)->owner->write_code_.load() : SQLITE_OK;
      return code != SQLITE_OK ? code : real(f)->pMethods->xWrite(real(f), from, n, at);
    };
    m.xTruncate = [](sqlite3_file* f, sqlite3_int64 n) {
      return real(f)->pMethods->xTruncate(real(f), n);
    };
    m.xSync = [](sqlite3_file* f, int flags) {
      FaultVfs& owner = *of(f)->owner;
      if (of(f)->watched) ++owner.syncs_;
      const int code = of(f)->watched ? owner.sync_code_.load() : SQLITE_OK;
      if (code == SQLITE_OK && owner.pretend_) return SQLITE_OK;
      return code != SQLITE_OK ? code : real(f)->pMethods->xSync(real(f), flags);
    };
    m.xFileSize = [](sqlite3_file* f, sqlite3_int64* n) {
      return real(f)->pMethods->xFileSize(real(f), n);
    };
    m.xLock = [](sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); };
    m.xUnlock = [](sqlite3_file* f, int level) {
      return real(f)->pMethods->xUnlock(real(f), level);
    };
    m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
      return real(f)->pMethods->xCheckReservedLock(real(f), out);
    };
    m.xFileControl = [](sqlite3_file* f, int op, void* arg) {
      return real(f)->pMethods->xFileControl(real(f), op, arg);
    };
    m.xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); };
    m.xDeviceCharacteristics = [](sqlite3_file* f) {
      return real(f)->pMethods->xDeviceCharacteristics(real(f));
    };
    m.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
      return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
    };
    m.xShmLock = [](sqlite3_file* f, int offset, int n, int flags) {
      return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
    };
    m.xShmBarrier = [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); };
    m.xShmUnmap = [](sqlite3_file* f, int remove) {
      return real(f)->pMethods->xShmUnmap(real(f), remove);
    };
    return m;
  }

  sqlite3_vfs* const real_;
  sqlite3_vfs vfs_;
  const std::string part_;
  std::atomic<bool> pretend_{false};
  std::atomic<int> write_code_{SQLITE_OK};
  std::atomic<int> sync_code_{SQLITE_OK};
  std::atomic<unsigned> syncs_{0};
};

}  // namespace sluice::health
