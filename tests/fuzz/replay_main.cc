// Runs a fuzz target over files, without libFuzzer: what ctest does with each corpus.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::filesystem::path> files_of(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return {path};
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(path)) {
    if (file.is_regular_file()) files.push_back(file.path());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t runs = 0;
  for (int index = 1; index < argc; ++index) {
    for (const std::filesystem::path& file : files_of(argv[index])) {
      std::ifstream stream(file, std::ios::binary);
      if (!stream) {
        std::fprintf(stderr, "%s: can't be read\n", file.c_str());
        return 1;
      }
      const std::vector<char> input{std::istreambuf_iterator<char>(stream), {}};
      // A block of exactly that size, so that a sanitizer sees a read beyond it.
      const auto octets = std::make_unique<std::uint8_t[]>(input.size());
      std::ranges::copy(input, octets.get());
      std::fprintf(stderr, "%s\n", file.c_str());  // the last one named is the one that crashed
      LLVMFuzzerTestOneInput(octets.get(), input.size());
      ++runs;
    }
  }
  std::printf("%zu inputs\n", runs);
  return runs == 0 ? 1 : 0;  // an empty corpus tests nothing
}
