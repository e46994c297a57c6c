#include "config/url_list.h"

#include <cstddef>
#include <set>
#include <utility>

#include "config/url.h"

namespace sluice::config {

std::vector<std::string> read_urls(
    const Value& value, const char* none,
    const std::function<void(const Value&, const std::string&)>& each) {
  std::vector<std::string> urls;
  std::set<std::string> seen;
  const std::size_t before = value.findings().size();
  value.each([&](const Value& item) {
    const auto text = item.text();
    if (!text) return;
    auto url = check_authority_url(*text);
    if (!url) return item.reject(url.error());
    if (!seen.insert(*url).second) return item.reject(*url + " stands here twice");
    each(item, *url);
    urls.push_back(*std::move(url));
  });
  if (urls.empty() && value.findings().size() == before) value.reject(none);
  return urls;
}

}  // namespace sluice::config
