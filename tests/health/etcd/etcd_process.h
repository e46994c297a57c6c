#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace sluice::etcd {

// A folder that goes with the test.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  // Of mode 0600; its path.
  std::string put(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

// A port of 127.0.0.1 that was free a moment ago, for who cannot be told to let the kernel pick.
std::uint16_t free_port();

// A real etcd of one member, on loopback, with a data directory of its own; ends with its owner,
// and by the kernel's hand with the test's process.
class EtcdProcess {
 public:
  struct Tls {
    std::string certificate;  // paths
    std::string key;
    std::string client_ca;
  };

  // Runs and answers when the constructor is done; else the test's process ends with its log.
  explicit EtcdProcess(std::vector<std::string> options = {}, Tls tls = {});
  ~EtcdProcess();
  EtcdProcess(const EtcdProcess&) = delete;
  EtcdProcess& operator=(const EtcdProcess&) = delete;

  // "http://127.0.0.1:PORT"
  std::string endpoint() const;
  void kill();   // -9
  void start();  // again, on the same ports and with the same data
  // By etcdctl, without TLS; its output. Anything else than success fails the test.
  std::string control(const std::vector<std::string>& words) const;

 private:
  bool spawn();
  bool wait_until_healthy();

  TestFolder folder_;
  std::vector<std::string> options_;
  Tls tls_;
  std::uint16_t client_port_ = 0;
  std::uint16_t peer_port_ = 0;
  std::uint16_t health_port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace sluice::etcd
