#pragma once

#include <string>
#include <vector>

namespace sluice {

// What execve(2) and its kin want of arguments and of an environment: pointers with a null behind
// them. Good for as long as `texts` stays as it is.
inline std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace sluice
