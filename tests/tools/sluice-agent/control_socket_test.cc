#include "tools/sluice-agent/control_socket.h"

#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/config/base/loop.h"
#include "tests/tools/sluice-agent/folder.h"

namespace sluice::agent {
namespace {

using testing::HasSubstr;

// A peer that sends as it likes and never waits.
class Peer {
 public:
  explicit Peer(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Peer() { close(fd_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void send(std::string_view text) const { ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  void end() const { shutdown(fd_, SHUT_WR); }
  // What has come until now.
  const std::string& received() {
    char buffer[4096];
    ssize_t count = 0;
    while ((count = recv(fd_, buffer, sizeof buffer, 0)) > 0) {
      text_.append(buffer, static_cast<std::size_t>(count));
    }
    closed_ = closed_ || count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    return text_;
  }
  bool closed() {
    received();
    return closed_;
  }

 private:
  int fd_;
  std::string text_;
  bool closed_ = false;
};

std::ptrdiff_t lines(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

struct Socket : testing::Test {
  TestFolder folder;
  base::TestLoop loop;
  config::UnixSocket where{folder.file("run/agent.sock"), {}, 0640};
  std::vector<ControlRequest> requests;
  std::string by;
  std::vector<ControlSocket::Reply> waiting;
  std::unique_ptr<ControlSocket> control;

  // Answers status at once and leaves the others waiting.
  void open() {
    auto made = ControlSocket::listen(loop.get(), where,
                                      [this](const ControlRequest& request, const std::string& peer,
                                             const ControlSocket::Reply& reply) {
                                        requests.push_back(request);
                                        by = peer;
                                        if (request.command == ControlRequest::Command::Status) {
                                          reply({ExitCode::Done, "fine", {}});
                                        } else {
                                          waiting.push_back(reply);
                                        }
                                      });
    ASSERT_TRUE(made) << made.error().message;
    control = *std::move(made);
  }
  bool until(const std::function<bool()>& condition) { return loop.run_until(condition); }
};

constexpr std::string_view kStatus = "{\"v\":1,\"command\":\"status\"}\n";
constexpr std::string_view kPause = "{\"v\":1,\"command\":\"pause\"}\n";

TEST_F(Socket, HasItsModeAndGoesWithItsOwner) {
  open();
  struct stat status {};
  ASSERT_EQ(stat(where.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
  control.reset();
  EXPECT_NE(stat(where.path.c_str(), &status), 0);
}

TEST_F(Socket, ReplacesTheFileOfADeadAgentButNotALivingOne) {
  {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::filesystem::create_directories(folder.file("run"));
    std::memcpy(address.sun_path, where.path.data(), where.path.size());
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    close(fd);
  }
  open();
  const auto second = ControlSocket::listen(loop.get(), where, {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("another sluice-agent answers"));
  Peer peer(where.path);
  peer.send(kStatus);
  EXPECT_TRUE(until([&] { return lines(peer.received()) == 1; })) << "the first still answers";
}

TEST_F(Socket, RefusesPathsAndGroupsThatCannotBe) {
  folder.write("run/agent.sock", "precious");
  EXPECT_FALSE(ControlSocket::listen(loop.get(), where, {}));
  EXPECT_EQ(folder.read("run/agent.sock"), "precious");
  where.path = folder.file(std::string(200, 'x'));
  EXPECT_FALSE(ControlSocket::listen(loop.get(), where, {}));
  where = {folder.file("s"), "no-such-group", 0600};
  const auto made = ControlSocket::listen(loop.get(), where, {});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("no-such-group"));
  EXPECT_FALSE(std::filesystem::exists(where.path));
}

TEST_F(Socket, KnowsThePeerByTheKernelsWord) {
  open();
  Peer peer(where.path);
  peer.send(kStatus);
  ASSERT_TRUE(until([&] { return lines(peer.received()) == 1; }));
  const passwd* me = getpwuid(getuid());
  EXPECT_EQ(by, me == nullptr ? "uid " + std::to_string(getuid()) : me->pw_name);
}

TEST_F(Socket, AnswersGarbageByAnErrorAndGoesOn) {
  open();
  Peer peer(where.path);
  peer.send("GET / HTTP/1.1\n\n\xff\xfe\n");
  peer.send(kStatus);
  ASSERT_TRUE(until([&] { return lines(peer.received()) == 4; }));
  EXPECT_THAT(peer.received(), HasSubstr("\"exit\":2"));
  EXPECT_THAT(peer.received(), HasSubstr("fine"));
}

TEST_F(Socket, CutsALineThatIsTooLong) {
  open();
  Peer peer(where.path);
  peer.send(std::string(20'000, 'x'));
  EXPECT_TRUE(until([&] { return peer.closed(); }));
  EXPECT_THAT(peer.received(), HasSubstr("too long"));
}

TEST_F(Socket, TakesALineInPiecesAndTheLastWithoutItsEnd) {
  open();
  Peer peer(where.path);
  for (const char c : kStatus) {
    peer.send({&c, 1});
    uv_run(loop.get(), UV_RUN_NOWAIT);
  }
  peer.send(kStatus.substr(0, kStatus.size() - 1));
  peer.end();
  EXPECT_TRUE(until([&] { return peer.closed(); }));
  EXPECT_EQ(lines(peer.received()), 2);
}

TEST_F(Socket, AnswersInTheOrderOfTheRequests) {
  open();
  Peer peer(where.path);
  peer.send(std::string(kPause) + std::string(kStatus));
  Peer other(where.path);
  other.send(kStatus);
  ASSERT_TRUE(until([&] { return !waiting.empty() && lines(other.received()) == 1; }))
      << "one who waits holds up nobody else";
  EXPECT_EQ(peer.received(), "");
  waiting.front()({ExitCode::Refused, "floor", {}});
  ASSERT_TRUE(until([&] { return lines(peer.received()) == 2; }));
  EXPECT_LT(peer.received().find("floor"), peer.received().find("fine"));
}

TEST_F(Socket, AnAnswerToSomebodyWhoLeftIsDropped) {
  open();
  {
    Peer peer(where.path);
    peer.send(kPause);
    ASSERT_TRUE(until([&] { return !waiting.empty(); }));
  }
  waiting.front()({ExitCode::Done, "", {}});
  waiting.front()({ExitCode::Done, "", {}});
  Peer next(where.path);
  next.send(kStatus);
  EXPECT_TRUE(until([&] { return lines(next.received()) == 1; }));
}

TEST_F(Socket, HasAPlaceForSoManyClientsAndNoMore) {
  open();
  std::vector<std::unique_ptr<Peer>> peers;
  for (std::size_t i = 0; i < ControlSocket::kMaxClients; ++i) {
    peers.push_back(std::make_unique<Peer>(where.path));
    peers.back()->send(kStatus);
    ASSERT_TRUE(until([&] { return lines(peers.back()->received()) == 1; }));
  }
  Peer one_more(where.path);
  EXPECT_TRUE(until([&] { return one_more.closed(); }));
  peers.pop_back();
  EXPECT_TRUE(until([&] {
    Peer again(where.path);
    again.send(kStatus);
    return until([&] { return again.closed() || lines(again.received()) == 1; }) &&
           lines(again.received()) == 1;
  }));
}

}  // namespace
}  // namespace sluice::agent
