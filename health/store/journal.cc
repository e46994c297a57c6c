#include "health/store/journal.h"

#include <array>
#include <bit>
#include <cstddef>
#include <fstream>
#include <vector>

namespace sluice::health {
namespace {

// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr std::size_t kHeaderOctets = 32;
constexpr std::size_t kFrameHeaderOctets = 24;
constexpr std::uint32_t kMagic = 0x377f0682;  // the lowest bit: checksums over big-endian words

std::uint32_t word_at(const unsigned char* octets, bool big_endian = true) {
  const std::uint32_t a = octets[0];
  const std::uint32_t b = octets[1];
  const std::uint32_t c = octets[2];
  const std::uint32_t d = octets[3];
  return big_endian ? a << 24 | b << 16 | c << 8 | d : d << 24 | c << 16 | b << 8 | a;
}

struct Checksum {
  std::uint32_t first = 0;
  std::uint32_t second = 0;

  // `size` is a multiple of 8.
  void add(const unsigned char* octets, std::size_t size, bool big_endian) {
    for (std::size_t at = 0; at + 8 <= size; at += 8) {
      first += word_at(octets + at, big_endian) + second;
      second += word_at(octets + at + 4, big_endian) + first;
    }
  }
  friend bool operator==(const Checksum&, const Checksum&) = default;
};

Checksum stored(const unsigned char* octets) {
  return {word_at(octets), word_at(octets + 4)};
}

// Reads the frames one after the other.
class Scan {
 public:
  explicit Scan(const std::string& path) : file_(path, std::ios::binary) {}

  Journal run() {
    // What is shorter holds nothing: a header is synced before the first frame.
    if (!file_.read(reinterpret_cast<char*>(header_.data()), kHeaderOctets)) return Journal::Whole;
    if (!read_header()) return more() ? Journal::Lost : Journal::Whole;
    while (next_frame()) ours() ? take() : pass_over();
    if (readable_) return Journal::Whole;
    return lost_ ? Journal::Lost : Journal::Torn;
  }

 private:
  bool read_header() {
    const std::uint32_t magic = word_at(header_.data());
    if ((magic & ~1U) != kMagic) return false;
    big_endian_ = (magic & 1U) != 0;
    const std::uint32_t page = word_at(header_.data() + 8);
    if (page < 512 || page > 65'536 || !std::has_single_bit(page)) return false;
    page_octets_ = page;
    chain_.add(header_.data(), 24, big_endian_);
    return chain_ == stored(header_.data() + 24);
  }

  bool more() { return file_.peek() != std::ifstream::traits_type::eof(); }

  bool next_frame() {
    frame_.resize(kFrameHeaderOctets + page_octets_);
    return static_cast<bool>(file_.read(reinterpret_cast<char*>(frame_.data()),
                                        static_cast<std::streamsize>(frame_.size())));
  }

  // The salts change each time the journal starts from its beginning again.
  bool ours() const {
    for (std::size_t i = 0; i < 8; ++i) {
      if (frame_[8 + i] != header_[16 + i]) return false;
    }
    return true;
  }
  // The last frame of a transaction has the number of pages that the database has then.
  bool ends_transaction() const { return word_at(frame_.data() + 4) != 0; }

  void take() {
    // Rounds don't mix: what stands before a frame of this one was of this one too.
    if (passed_over_) readable_ = false;
    chain_.add(frame_.data(), 8, big_endian_);
    chain_.add(frame_.data() + kFrameHeaderOctets, page_octets_, big_endian_);
    const Checksum own = stored(frame_.data() + 16);
    const bool follows = chain_ == own;
    if (!follows) readable_ = false;
    if (!readable_) {
      // Left over from transactions that failed are frames that follow none of those before them.
      if (!follows) transaction_ended_ = false;
      // A transaction's first frame was written after the one before it was synced.
      if (transaction_ended_) lost_ = true;
      if (ends_transaction()) transaction_ended_ = true;
    }
    chain_ = own;
  }

  void pass_over() {
    passed_over_ = true;
    transaction_ended_ = ends_transaction();
    chain_ = stored(frame_.data() + 16);
  }

  std::ifstream file_;
  std::array<unsigned char, kHeaderOctets> header_{};
  std::vector<unsigned char> frame_;
  std::size_t page_octets_ = 0;
  bool big_endian_ = false;
  Checksum chain_;  // of the header and all frames so far, by what the last one says itself
  bool readable_ = true;
  bool passed_over_ = false;
  bool transaction_ended_ = false;  // by a frame that SQLite will not read
  bool lost_ = false;
};

}  // namespace

Journal scan_journal(const std::string& database_path) {
  return Scan(database_path + "-wal").run();
}

}  // namespace sluice::health
