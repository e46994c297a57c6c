#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

// Stands in for libFuzzer where the compiler has none: runs every file of the given folders once,
// so that a crash that a fuzzer found once stays found.

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  const std::vector<std::string> folders(argv + 1, argv + argc);
  std::size_t files = 0;
  for (const std::string& folder : folders) {
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
      if (!file.is_regular_file()) continue;
      std::ifstream stream(file.path(), std::ios::binary);
      const std::vector<char> octets{std::istreambuf_iterator<char>(stream), {}};
      std::printf("%s\n", file.path().c_str());
      std::fflush(stdout);  // the name must be out before a crash
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size());
      ++files;
    }
  }
  std::printf("%zu files replayed\n", files);
  return files == 0 ? 1 : 0;
}
