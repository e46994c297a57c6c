#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/new_file.h"
#include "tools/sluicectl/render/text.h"

namespace sluice::ctl {
namespace {

// What the first hundred octets of a database say (SQLite's file format, section 1.3).
constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr std::size_t kHeader = 100;

std::uint64_t big_endian(std::string_view octets) {
  std::uint64_t number = 0;
  for (const char octet : octets) number = number << 8 | static_cast<unsigned char>(octet);
  return number;
}

// How long the database says that it is; 0: it is none.
std::uint64_t whole_size(std::string_view header) {
  if (header.size() < kHeader || !header.starts_with(kMagic)) return 0;
  const std::uint64_t page = big_endian(header.substr(16, 2));
  return (page == 1 ? 65'536 : page) * big_endian(header.substr(28, 4));
}

class Copy {
 public:
  Copy(const Options& options, Context& context)
      : options_(options), context_(context), file_(options.file) {}

  Exit run() {
    if (auto mistake = place_is_free()) return failed(*mistake);
    if (!to_stdout()) {
      if (auto opened = file_.open(); !opened) return failed(opened.error());
    }
    const auto copied =
        context_.api.stream({.path = "/v1/backup",
                             .media_type = "application/vnd.sqlite3",
                             .last_event_id = {},
                             .begun = [] {},
                             .take = [this](std::string_view octets) { return take(octets); }});
    if (!copied) return on_error(copied.error());
    if (size_ == 0 || whole_size(header_) != size_) {
      return failed("what came is not a whole copy: " + std::to_string(size_) + " octets");
    }
    if (to_stdout()) {
      context_.out.flush();
    } else {
      const auto earlier = options_.force ? NewFile::Earlier::Replace : NewFile::Earlier::Keep;
      if (auto placed = file_.take_place(earlier); !placed) return failed(placed.error());
    }
    tell();
    return Exit::Done;
  }

 private:
  bool to_stdout() const { return options_.file == "-"; }

  std::optional<std::string> place_is_free() const {
    if (to_stdout()) {
      if (isatty(STDOUT_FILENO) == 0) return {};
      return "the copy is no text for a terminal: name a file, or send stdout elsewhere";
    }
    struct stat found {};
    if (stat(options_.file.c_str(), &found) != 0) return {};
    const std::string name = printable(options_.file);
    if (!S_ISREG(found.st_mode)) return name + " is no regular file";
    if (!options_.force) return name + " exists; --force takes its place";
    return {};
  }

  bool take(std::string_view octets) {
    size_ += octets.size();
    if (header_.size() < kHeader) header_ += octets.substr(0, kHeader - header_.size());
    if (to_stdout()) return context_.out.write(octets.data(), to_signed(octets.size())).good();
    auto written = file_.write(octets);
    if (!written) trouble_ = std::move(written).error();
    return trouble_.empty();
  }
  static std::streamsize to_signed(std::size_t size) { return static_cast<std::streamsize>(size); }

  Exit on_error(const ApiError& error) {
    if (error.kind == ApiError::Kind::Interrupted) {
      context_.err << "sluicectl: interrupted" << (to_stdout() ? "\n" : ": nothing was written\n");
      return context_.pause(base::Duration{0}).value_or(Exit::Interrupted);
    }
    if (error.kind != ApiError::Kind::NotTaken) return report(error, options_, context_);
    // A stdout that takes no more is main()'s to tell.
    return trouble_.empty() ? Exit::Failed : failed(trouble_);
  }

  Exit failed(const std::string& why) {
    return report(Exit::Failed, "no copy", why, options_, context_);
  }

  void tell() {
    if (options_.json) {
      const Json document{{"file", options_.file}, {"octets", size_}};
      print_document(document.dump(-1, ' ', false, Json::error_handler_t::replace), context_);
      return;
    }
    std::ostream& stream = to_stdout() ? context_.err : context_.out;
    stream << "copied " << size_ << " octets"
           << (to_stdout() ? "" : " to " + printable(options_.file)) << '\n';
  }

  const Options& options_;
  Context& context_;
  NewFile file_;
  std::string header_;
  std::uint64_t size_ = 0;
  std::string trouble_;  // of our disk; empty: none
};

}  // namespace

Exit backup(const Options& options, Context& context) {
  return Copy(options, context).run();
}

}  // namespace sluice::ctl
