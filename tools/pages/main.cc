// Writes the manual pages and the shells' completion: sluice-pages SOURCES OUT
//   SOURCES/man/NAME.SECTION                 -> OUT/man/NAME.SECTION
//   SOURCES/completion/{bash,zsh} (a script) -> OUT/completion/bash/NAME, OUT/completion/zsh/_NAME
// Runs within the build; the programs' own declarations are linked in.

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <CLI/CLI.hpp>

#include "config/base/file.h"
#include "tools/pages/frame.h"
#include "tools/sluice-agent/command_line.h"
#include "tools/sluicectl/options/declarations.h"
#include "tools/sluiced/command_line.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr std::array kPrograms{"sluiced", "sluice-agent", "sluicectl"};

base::Checked<base::Done> write_file(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) return base::failure(path.string() + ": cannot be written");
  return base::Done{};
}

base::Checked<std::string> source(const fs::path& path) {
  auto text = base::read_file(path.string());
  if (!text) return base::failure(path.string() + ": " + text.error());
  return *std::move(text);
}

base::Checked<base::Done> write_page(const fs::path& frame, const CLI::App* program,
                                     const fs::path& out) {
  const auto text = source(frame);
  if (!text) return base::Unexpected{text.error()};
  const auto page = pages::render(*text, frame.string(), program);
  if (!page) return base::Unexpected{page.error()};
  return write_file(out / "man" / frame.filename(), *page);
}

base::Checked<base::Done> write_pages(const fs::path& sources, const fs::path& out) {
  CLI::App daemon;
  CommandLine daemon_line;
  declare(daemon, daemon_line);
  CLI::App agent;
  agent::Options agent_options;
  agent::declare(agent, agent_options);
  CLI::App control;
  ctl::Parsed control_parsed;
  ctl::declare_program(control, control_parsed);
  for (const auto& entry : fs::directory_iterator(sources / "man")) {
    const std::string name = entry.path().stem().string();
    const CLI::App* program = name == "sluiced"        ? &daemon
                              : name == "sluice-agent" ? &agent
                              : name == "sluicectl"    ? &control
                                                       : nullptr;
    if (auto written = write_page(entry.path(), program, out); !written) return written;
  }
  return base::Done{};
}

// The scripts differ by the program's name alone.
base::Checked<base::Done> write_completion(const fs::path& sources, const fs::path& out) {
  for (const std::string shell : {"bash", "zsh"}) {
    const auto script = source(sources / "completion" / shell);
    if (!script) return base::Unexpected{script.error()};
    for (const std::string program : kPrograms) {
      std::string text = *script;
      const std::string_view mark = "@PROGRAM@";
      for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
        text.replace(at, mark.size(), program);
      }
      const std::string name = (shell == "zsh" ? "_" : "") + program;
      if (auto written = write_file(out / "completion" / shell / name, text); !written) {
        return written;
      }
    }
  }
  return base::Done{};
}

int run(const fs::path& sources, const fs::path& out) {
  auto written = write_pages(sources, out);
  if (written) written = write_completion(sources, out);
  if (written) return 0;
  std::fprintf(stderr, "%s\n", base::to_string(written.error()).c_str());
  return 1;
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  if (argc == 3) return sluice::run(argv[1], argv[2]);
  std::fprintf(stderr, "usage: sluice-pages SOURCES OUT\n");
  return 2;
}
