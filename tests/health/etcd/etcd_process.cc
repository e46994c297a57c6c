#include "tests/health/etcd/etcd_process.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice::etcd {
namespace {

std::string url(std::uint16_t port, bool tls = false) {
  return (tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// What GET /health answers; empty: nothing.
std::string health_at(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  std::string answer;
  const timeval limit{2, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    const std::string ask = "GET /health HTTP/1.0\r\n\r\n";
    std::array<char, 4096> room{};
    ssize_t got = write(fd, ask.data(), ask.size());
    while (got > 0) {
      got = read(fd, room.data(), room.size());
      if (got > 0) answer.append(room.data(), static_cast<std::size_t>(got));
    }
  }
  close(fd);
  return answer;
}

// Replaces the process; its output goes to `log`.
[[noreturn]] void become(const std::vector<std::string>& words, const std::string& log) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It must answer within a second, whatever else this machine builds and tests; if it may.
  setpriority(PRIO_PROCESS, 0, -10);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments.front(), arguments.data());
  _exit(127);
}

std::string read_all(const std::filesystem::path& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace

TestFolder::TestFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "sluice-etcd-XXXXXX").string();
  path_ = mkdtemp(pattern.data());
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TestFolder::put(const std::string& name, const std::string& text) const {
  namespace fs = std::filesystem;
  const fs::path file = path_ / name;
  std::ofstream(file, std::ios::binary) << text;
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  return file.string();
}

std::uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  bind(fd, reinterpret_cast<const sockaddr*>(&address), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

EtcdProcess::EtcdProcess(std::vector<std::string> options, Tls tls)
    : options_(std::move(options)), tls_(std::move(tls)) {
  // Somebody may take a port between looking and listening.
  for (int attempt = 0; attempt < 5; ++attempt) {
    client_port_ = free_port();
    peer_port_ = free_port();
    health_port_ = free_port();
    if (spawn() && wait_until_healthy()) return;
    kill();
    std::filesystem::remove_all(folder_ / "data");
  }
  std::cerr << read_all(folder_ / "log") << "etcd does not start\n";
  std::abort();
}

EtcdProcess::~EtcdProcess() {
  kill();
}

std::string EtcdProcess::endpoint() const {
  return url(client_port_, !tls_.certificate.empty());
}

bool EtcdProcess::spawn() {
  const std::string peer = url(peer_port_);
  std::vector<std::string> words{
      "etcd", "--name", "member", "--data-dir", (folder_ / "data").string(),
      // What a test writes need not survive a power cut.
      "--unsafe-no-fsync", "--logger", "zap", "--log-level", "warn", "--listen-client-urls",
      endpoint(), "--advertise-client-urls", endpoint(), "--listen-peer-urls", peer,
      "--initial-advertise-peer-urls", peer, "--initial-cluster", "member=" + peer,
      "--listen-metrics-urls", url(health_port_)};
  if (!tls_.certificate.empty()) {
    words.insert(words.end(), {"--cert-file", tls_.certificate, "--key-file", tls_.key});
  }
  if (!tls_.client_ca.empty()) {
    words.insert(words.end(), {"--client-cert-auth", "--trusted-ca-file", tls_.client_ca});
  }
  words.insert(words.end(), options_.begin(), options_.end());
  pid_ = fork();
  if (pid_ == 0) become(words, (folder_ / "log").string());
  return pid_ > 0;
}

bool EtcdProcess::wait_until_healthy() {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < until) {
    if (health_at(health_port_).find("\"true\"") != std::string::npos) return true;
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

void EtcdProcess::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void EtcdProcess::start() {
  ASSERT_TRUE(spawn() && wait_until_healthy()) << read_all(folder_ / "log");
}

std::string EtcdProcess::control(const std::vector<std::string>& words) const {
  const std::filesystem::path out = folder_ / "control";
  std::filesystem::remove(out);
  std::vector<std::string> command{"etcdctl", "--endpoints", endpoint()};
  command.insert(command.end(), words.begin(), words.end());
  setenv("ETCDCTL_API", "3", 1);
  const pid_t child = fork();
  if (child == 0) become(command, out.string());
  int status = 0;
  waitpid(child, &status, 0);
  const std::string output = read_all(out);
  EXPECT_EQ(status, 0) << output;
  return output;
}

}  // namespace sluice::etcd
