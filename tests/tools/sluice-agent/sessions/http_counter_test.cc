#include "tools/sluice-agent/sessions/http_counter.h"

#include <atomic>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/base/file_descriptor.h"
#include "tests/config/base/loop.h"
#include "tests/tools/sluice-agent/sessions/samples.h"

namespace sluice::agent {
namespace {

using samples::kNow;
using testing::HasSubstr;

// Gives each connection the same octets, once it has asked, and closes it; or leaves it open.
class Page {
 public:
  explicit Page(std::string octets, bool close = true)
      : octets_(std::move(octets)), close_(close), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_storage storage{};
    socklen_t length = base::SocketAddress::parse("127.0.0.1@0")->to(storage);
    auto* const address = reinterpret_cast<sockaddr*>(&storage);
    EXPECT_EQ(bind(listener_.get(), address, length), 0);
    EXPECT_EQ(listen(listener_.get(), 16), 0);
    length = sizeof storage;
    getsockname(listener_.get(), address, &length);
    port_ = base::SocketAddress::from(address)->port;
    thread_ = std::thread([this] { serve(); });
  }
  ~Page() {
    over_ = true;
    thread_.join();
  }

  config::HttpMetric metric() const {
    return {"http://127.0.0.1:" + std::to_string(port_) + "/metrics?x=1", "calls", {}, {}};
  }
  std::string asked() const {  // of the last one
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void serve() {
    std::vector<base::FileDescriptor> open;
    while (!over_) {
      pollfd ready{listener_.get(), POLLIN, 0};
      if (poll(&ready, 1, 20) != 1) continue;
      base::FileDescriptor client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      std::string asked;
      std::array<char, 1000> buffer{};
      while (asked.find("\r\n\r\n") == std::string::npos) {
        const ssize_t count = recv(client.get(), buffer.data(), buffer.size(), 0);
        if (count <= 0) break;
        asked.append(buffer.data(), static_cast<std::size_t>(count));
      }
      {
        const std::lock_guard lock(mutex_);
        asked_ = asked;
      }
      std::size_t sent = 0;
      while (sent < octets_.size()) {
        const ssize_t count =
            send(client.get(), octets_.data() + sent, octets_.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) break;
        sent += static_cast<std::size_t>(count);
      }
      if (!close_) open.push_back(std::move(client));
    }
  }

  std::string octets_;
  bool close_;
  base::FileDescriptor listener_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::string asked_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

// A counter that has read once, with its page.
struct Read {
  explicit Read(std::string octets, base::Duration limit = std::chrono::seconds(20),
                bool close = true)
      : page(std::move(octets), close), counter(loop.get(), page.metric(), limit) {
    counter.read(kNow);
    EXPECT_TRUE(loop.run_until([&] { return counter.count() || !counter.failure().empty(); }));
  }
  Page page;
  base::TestLoop loop;
  HttpCounter counter;
};

std::string answer(const std::string& body, const std::string& headers = "",
                   const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\n" + headers + "\r\n" + body;
}
std::string with_length(const std::string& body) {
  return answer(body, "Content-Length: " + std::to_string(body.size()) + "\r\n");
}

TEST(HttpCounter, KnowsTheMetricOfAPage) {
  const Read read(with_length("# a page\nother 1\ncalls{a=\"b\"} 3\ncalls 4\n"));
  EXPECT_EQ(read.counter.count(), 7U);
  EXPECT_THAT(read.page.asked(), testing::StartsWith("GET /metrics?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(read.page.asked(), HasSubstr("\r\nAccept: text/plain;version=0.0.4\r\n"));
  EXPECT_TRUE(read.counter.own_connections().empty()) << "no connection is kept";
}

TEST(HttpCounter, ReadsAPageInChunks) {
  const Read read(answer("5\r\ncalls\r\n3\r\n 8\n\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(read.counter.count(), 8U);
}

TEST(HttpCounter, NeedsTheLastLinesEndWhereOnlyTheConnectionTellsThePages) {
  EXPECT_EQ(Read(answer("calls 12\n")).counter.count(), 12U);
  const Read cut(answer("calls 1"));
  EXPECT_THAT(cut.counter.failure(), HasSubstr("it may be cut off"));
  EXPECT_EQ(Read(with_length("calls 12")).counter.count(), 12U);
}

TEST(HttpCounter, IsUnknownWhenTheAnswerIsNotThePage) {
  EXPECT_THAT(Read(answer("calls 1\n", "", "503 Away")).counter.failure(),
              HasSubstr("answered 503"));
  const Read moved(
      answer("", "Location: http://127.0.0.1:1/\r\nContent-Length: 0\r\n", "302 Found"));
  EXPECT_THAT(moved.counter.failure(), HasSubstr("answered 302"));
  const Read part(answer("calls 1\n", "Content-Length: 100\r\n"));
  EXPECT_FALSE(part.counter.count());
  EXPECT_NE(part.counter.failure(), "");
  EXPECT_FALSE(Read("calls 1\n").counter.count()) << "no HTTP at all";
  EXPECT_THAT(Read(with_length("<html></html>\n")).counter.failure(), HasSubstr("line 1"));
}

TEST(HttpCounter, IsUnknownWhenNobodyListens) {
  config::HttpMetric metric = Page("").metric();  // its port is free again
  base::TestLoop loop;
  HttpCounter counter(loop.get(), metric, std::chrono::seconds(20));
  counter.read(kNow);
  EXPECT_TRUE(loop.run_until([&] { return !counter.failure().empty(); }));
  EXPECT_THAT(counter.failure(), testing::StartsWith(metric.url + ": "));
}

TEST(HttpCounter, EndsAPageThatNeverEnds) {
  const Read large(answer(std::string(HttpCounter::kMaxPage + 1, '\n')));
  EXPECT_THAT(large.counter.failure(), HasSubstr("the answer is larger than 16777216 octets"));
  const Read hangs(answer("calls 1\n", "Content-Length: 100\r\n"), base::Duration(200), false);
  EXPECT_FALSE(hangs.counter.count());
  EXPECT_NE(hangs.counter.failure(), "");
}

TEST(HttpCounter, KnowsItsOwnConnectionWhileItReads) {
  const Page page(answer("calls 1\n", "Content-Length: 100\r\n"), false);
  base::TestLoop loop;
  HttpCounter counter(loop.get(), page.metric(), std::chrono::seconds(20));
  counter.read(kNow);
  EXPECT_TRUE(loop.run_until([&] { return !counter.own_connections().empty(); }));
  EXPECT_EQ(counter.own_connections().front().address.to_string(), "127.0.0.1");
}

}  // namespace
}  // namespace sluice::agent
