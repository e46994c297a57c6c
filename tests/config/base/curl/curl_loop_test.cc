#include "config/base/curl/curl_loop.h"

#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "config/base/curl/easy.h"
#include "tests/config/base/curl/http_peer.h"
#include "tests/config/base/loop.h"

namespace sluice::base {
namespace {

using testing::HasSubstr;

// What libcurl reads at once, CURLOPT_BUFFERSIZE's default.
constexpr std::size_t kBuffer = 16'384;

struct Transfer {
  explicit Transfer(const std::string& url) {
    curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, words.data());
    curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, this);
    curl_easy_setopt(
        easy.get(), CURLOPT_WRITEFUNCTION,
        +[](char* octets, std::size_t, std::size_t count, void* self) {
          static_cast<Transfer*>(self)->body.append(octets, count);
          return count;
        });
  }

  long status() const {
    long status = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }

  CurlEasy easy = make_easy();
  std::string body;
  std::array<char, CURL_ERROR_SIZE> words{};
};

class CurlLoopTest : public testing::Test {
 protected:
  void collect() {
    while (const auto next = curl_->next_ended()) ended_.push_back(*next);
  }
  // How the only transfer ends.
  CURLcode run(Transfer& transfer) {
    ended_.clear();
    curl_->add(transfer.easy.get());
    EXPECT_TRUE(ended_.empty()) << "from within add()";
    EXPECT_TRUE(loop_.run_until([&] { return !ended_.empty(); })) << "it does not end";
    if (ended_.size() != 1) return CURLE_OBSOLETE20;
    EXPECT_EQ(ended_[0].easy, transfer.easy.get());
    return ended_[0].result;
  }

  TestLoop loop_;
  std::vector<CurlLoop::Ended> ended_;
  std::unique_ptr<CurlLoop> curl_ =
      std::make_unique<CurlLoop>(loop_.get(), 4, [this] { collect(); });
};

TEST_F(CurlLoopTest, BringsAnAnswer) {
  const std::string page(kBuffer * 20, 'x');
  HttpPeer peer(loop_.get(), [&](const Asked& asked) {
    return asked.path == "/page" ? answer(200, page) : answer(404, "");
  });
  Transfer first(peer.endpoint() + "/page");
  EXPECT_EQ(run(first), CURLE_OK) << first.words.data();
  EXPECT_EQ(first.status(), 200);
  EXPECT_EQ(first.body, page);
  Transfer second(peer.endpoint() + "/none");
  EXPECT_EQ(run(second), CURLE_OK);
  EXPECT_EQ(second.status(), 404);
  long connected = -1;
  curl_easy_getinfo(second.easy.get(), CURLINFO_NUM_CONNECTS, &connected);
  EXPECT_EQ(connected, 0) << "the first one's connection was kept";
}

TEST_F(CurlLoopTest, BringsManyAtATime) {
  HttpPeer peer(loop_.get(), [](const Asked& asked) { return answer(200, asked.path); });
  std::vector<std::unique_ptr<Transfer>> transfers;
  for (int i = 0; i < 30; ++i) {
    transfers.push_back(std::make_unique<Transfer>(peer.endpoint() + "/" + std::to_string(i)));
    curl_->add(transfers.back()->easy.get());
  }
  EXPECT_TRUE(loop_.run_until([&] { return ended_.size() == transfers.size(); }));
  for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(transfers[i]->body, "/" + std::to_string(i));
}

TEST_F(CurlLoopTest, TellsARefusal) {
  std::string nobody;
  {
    const HttpPeer gone(loop_.get(), [](const Asked&) { return ""; });
    nobody = gone.endpoint();
  }
  Transfer transfer(nobody + "/");
  EXPECT_EQ(run(transfer), CURLE_COULDNT_CONNECT);
  EXPECT_THAT(transfer.words.data(), HasSubstr("connect"));
}

// The octets lie in the kernel when the reset comes: the socket is in error, and has some of
// libcurl's buffers to read.
TEST_F(CurlLoopTest, ReadsAllThatCameBeforeAReset) {
  const std::string page(kBuffer * 3, 'x');
  HttpPeer peer(loop_.get(), [&](const Asked&) { return answer(200, page); });
  peer.reset_when_answered();
  Transfer transfer(peer.endpoint() + "/");
  EXPECT_EQ(run(transfer), CURLE_OK) << transfer.words.data();
  EXPECT_EQ(transfer.body.size(), page.size());
}

TEST_F(CurlLoopTest, TellsAResetInMidTransfer) {
  const std::string half = answer(200, std::string(kBuffer * 6, 'x')).substr(0, kBuffer * 3);
  HttpPeer peer(loop_.get(), [&](const Asked&) { return half; });
  peer.reset_when_answered();
  Transfer transfer(peer.endpoint() + "/");
  EXPECT_EQ(run(transfer), CURLE_RECV_ERROR);
  EXPECT_THAT(transfer.words.data(), HasSubstr("Connection reset by peer"));
  EXPECT_EQ(transfer.body.size(), half.size() - half.find("\r\n\r\n") - 4);
}

TEST_F(CurlLoopTest, TellsAResetInPlaceOfAnAnswer) {
  HttpPeer peer(loop_.get(), [](const Asked&) { return "H"; });
  peer.reset_when_answered();
  Transfer transfer(peer.endpoint() + "/");
  EXPECT_EQ(run(transfer), CURLE_RECV_ERROR);
  EXPECT_THAT(transfer.words.data(), HasSubstr("Connection reset by peer"));
}

TEST_F(CurlLoopTest, EndsWhatTakesTooLong) {
  HttpPeer peer(loop_.get(), [](const Asked&) { return ""; });
  Transfer transfer(peer.endpoint() + "/");
  curl_easy_setopt(transfer.easy.get(), CURLOPT_TIMEOUT_MS, 50L);
  EXPECT_EQ(run(transfer), CURLE_OPERATION_TIMEDOUT);
}

TEST_F(CurlLoopTest, RemovesWithoutAWord) {
  HttpPeer peer(loop_.get(), [](const Asked&) { return ""; });
  Transfer waiting(peer.endpoint() + "/");
  Transfer unborn(peer.endpoint() + "/");
  curl_->add(waiting.easy.get());
  ASSERT_TRUE(loop_.run_until([&] { return !peer.asked().empty(); }));
  curl_->add(unborn.easy.get());
  curl_->remove(waiting.easy.get());
  curl_->remove(unborn.easy.get());
  HttpPeer other(loop_.get(), [](const Asked&) { return answer(200, ""); });
  Transfer next(other.endpoint() + "/");
  EXPECT_EQ(run(next), CURLE_OK);
}

// One that nobody answers, one with an answer under way, one that is not begun.
TEST_F(CurlLoopTest, DestroyedItCallsNobody) {
  const std::string half = answer(200, std::string(kBuffer * 6, 'x')).substr(0, kBuffer * 3);
  HttpPeer peer(loop_.get(), [&](const Asked& asked) { return asked.path == "/half" ? half : ""; });
  Transfer silent(peer.endpoint() + "/silent");
  Transfer broken(peer.endpoint() + "/half");
  Transfer unborn(peer.endpoint() + "/");
  int turns = 0;
  curl_ = std::make_unique<CurlLoop>(loop_.get(), 4, [&] { ++turns; });
  curl_->add(silent.easy.get());
  curl_->add(broken.easy.get());
  ASSERT_TRUE(
      loop_.run_until([&] { return peer.asked().size() == 2 && broken.body.size() >= kBuffer; }));
  curl_->add(unborn.easy.get());
  for (Transfer* transfer : {&silent, &broken, &unborn}) curl_->remove(transfer->easy.get());
  curl_.reset();
  const int before = turns;
  const std::size_t octets = broken.body.size();
  peer.close_all();
  uv_run(loop_.get(), UV_RUN_NOWAIT);
  uv_run(loop_.get(), UV_RUN_NOWAIT);
  EXPECT_EQ(turns, before);
  EXPECT_EQ(broken.body.size(), octets);
}

// Handles may also go with their transfers under way.
TEST_F(CurlLoopTest, OutlivesHandlesThatAreFreed) {
  HttpPeer peer(loop_.get(), [](const Asked&) { return ""; });
  {
    Transfer transfer(peer.endpoint() + "/");
    curl_->add(transfer.easy.get());
    ASSERT_TRUE(loop_.run_until([&] { return !peer.asked().empty(); }));
  }
  curl_.reset();
}

TEST_F(CurlLoopTest, MayBeDestroyedByWhomItCalls) {
  HttpPeer peer(loop_.get(), [](const Asked&) { return answer(200, ""); });
  Transfer first(peer.endpoint() + "/");
  Transfer second(peer.endpoint() + "/");
  curl_ = std::make_unique<CurlLoop>(loop_.get(), 4, [&] {
    if (!curl_->next_ended()) return;
    first.easy.reset();
    second.easy.reset();
    curl_.reset();
  });
  curl_->add(first.easy.get());
  curl_->add(second.easy.get());
  EXPECT_TRUE(loop_.run_until([&] { return curl_ == nullptr; }));
}

}  // namespace
}  // namespace sluice::base
