#pragma once

#include <cstdint>
#include <string>

namespace sluice::health {

// What SQLite will make of the write-ahead journal of a database that nobody has open: it reads up
// to the first frame whose checksum is wrong, and takes everything behind it for never written.
enum class Journal : std::uint8_t {
  Whole,  // or there is none, or it ends where one ends that was being written at a power cut
  Torn,   // one transaction can't be read: cut off by a power failure, or damaged since
  Lost,   // so can't one behind which others were written: it was durable, and acknowledged
};

// Of "PATH-wal". A journal whose last frames are gone altogether looks whole: see Seal::commits.
Journal scan_journal(const std::string& database_path);

}  // namespace sluice::health
