#include "tools/pages/frame.h"

#include <sstream>

#include "tools/pages/keys.h"
#include "tools/pages/mdoc.h"

namespace sluice::pages {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') {
      out += "\\(dq";
    } else {
      out += c;
    }
  }
  return out + '"';
}

// ".It Cm idle : No "duration 100ms..1h" Pq "default 10s""
std::string item(const Key& key) {
  std::string text = ".It Cm " + quoted(key.name) + " : No " + quoted(key.takes);
  if (key.otherwise == "none") return text + '\n';
  if (key.is_required()) return text + " Pq required\n";
  const std::string value =
      key.has_value() ? key.otherwise : key.otherwise.substr(1, key.otherwise.size() - 2);
  return text + " Pq " + quoted("default " + value) + '\n';
}

class Rendering {
 public:
  Rendering(const std::string& file, const CLI::App* program) : file_(file), program_(program) {}

  base::Checked<base::Done> take(const std::string& line) {
    ++number_;
    if (line.starts_with('@')) return take_directive(line);
    if (line.starts_with(".Sh") || line.starts_with(".Ss")) close_list();
    page_ += line + '\n';
    return base::Done{};
  }

  std::string finish() && {
    close_list();
    return std::move(page_);
  }

 private:
  base::Checked<base::Done> take_directive(const std::string& line) {
    if (line.starts_with("@block")) {
      close_list();
      block_ = line.size() > 7 ? line.substr(7) : "";
      return base::Done{};
    }
    if (line.starts_with("@key ")) {
      const auto key = read_key(std::string_view(line).substr(4), block_, {file_, number_});
      if (!key) return base::Unexpected{key.error()};
      if (!in_list_) page_ += ".Bl -tag -width Ds\n";
      in_list_ = true;
      page_ += item(*key);
      return base::Done{};
    }
    if (program_ != nullptr && line == "@synopsis") {
      page_ += synopsis(*program_);
    } else if (program_ != nullptr && line == "@options") {
      page_ += option_list(*program_);
    } else if (program_ != nullptr && line == "@commands") {
      page_ += command_list(*program_);
    } else {
      return base::Unexpected{base::Error{{file_, number_}, {}, "knows no " + line}};
    }
    return base::Done{};
  }

  void close_list() {
    if (in_list_) page_ += ".El\n";
    in_list_ = false;
  }

  const std::string& file_;
  const CLI::App* program_;
  int number_ = 0;
  std::string block_;
  bool in_list_ = false;
  std::string page_;
};

// mdoc(7) sources have lines of 80 octets at most; where the text is filled anew, breaks mean
// nothing.
std::string wrapped(const std::string& page) {
  constexpr std::size_t kWidth = 78;
  std::istringstream lines(page);
  std::string out;
  bool literal = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(".Bd ")) literal = true;
    if (line.starts_with(".Ed")) literal = false;
    while (!literal && line.size() > kWidth && !line.starts_with('.')) {
      const auto space = line.rfind(' ', kWidth);
      if (space == std::string::npos || space == 0) break;
      out += line.substr(0, space) + '\n';
      line = line.substr(space + 1);
    }
    out += line + '\n';
  }
  return out;
}

}  // namespace

base::Checked<std::string> render(std::string_view frame, const std::string& file,
                                  const CLI::App* program) {
  Rendering rendering(file, program);
  std::istringstream lines{std::string(frame)};
  for (std::string line; std::getline(lines, line);) {
    if (auto taken = rendering.take(line); !taken) return base::Unexpected{taken.error()};
  }
  return wrapped(std::move(rendering).finish());
}

}  // namespace sluice::pages
