#pragma once

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <openssl/evp.h>

#include "health/api/api.h"
#include "tests/health/api/client.h"
#include "tests/health/fixture.h"

// A real API with a real authority, whose publisher, store and clock are the test's.
namespace sluice::health::testing {

// Stands for the control thread.
class Control {
 public:
  Control() : thread_([this] { run(); }) {}
  ~Control() {
    post(nullptr);
    thread_.join();
  }
  void post(std::function<void()> task) {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    work_.notify_one();
  }
  // Runs it there and waits.
  void call(const std::function<void()>& task) {
    // Shared: set_value() may return after the wait is over.
    const auto done = std::make_shared<std::promise<void>>();
    post([&task, done] {
      task();
      done->set_value();
    });
    done->get_future().wait();
  }

 private:
  void run() {
    while (true) {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return !tasks_.empty(); });
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      if (!task) return;
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<std::function<void()>> tasks_;
  std::thread thread_;
};

// Two threads read it by themselves, also after a reply has left, while the test sets it.
class SharedClock final : public base::Clock {
 public:
  base::Now now() const override {
    const std::lock_guard lock(mutex_);
    return clock_.now();
  }
  base::WallTime wall() const { return now().wall; }
  void advance(base::Duration by) {
    const std::lock_guard lock(mutex_);
    clock_.advance(by);
  }

 private:
  mutable std::mutex mutex_;
  TestClock clock_;
};

inline config::Token token(std::string name, config::Role role, std::string server = {}) {
  config::Token made{name, role, std::move(server), {}};
  const std::string text = name + "-token";
  EVP_Digest(text.data(), text.size(), made.sha256.data(), nullptr, EVP_sha256(), nullptr);
  return made;
}

class ApiTest : public ::testing::Test {
 protected:
  ApiTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "sluice-api-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    config_.api.listen = {*base::SocketAddress::parse("127.0.0.1@0")};
    config_.api.socket.path = directory_ + "/run/sluice.sock";
    config_.api.tokens = {token("operations", config::Role::Operator),
                          token("dashboards", config::Role::Reader),
                          token("a", config::Role::Agent, "a.pool.example"),
                          token("b", config::Role::Agent, "b.pool.example")};
  }
  ~ApiTest() override {
    api_.reset();
    std::filesystem::remove_all(directory_);
  }

  void start(const HttpLimits& limits = {}) {
    control_.call([this] {
      authority_ = std::make_unique<Authority>(
          std::make_shared<Topology>(config_), Authority::Settings{config_.health, "ns1"}, clock_,
          publisher_, store_, StoredState{}, [](const Event&) {});
      authority_->on_served(publisher_.publications);
    });
    auto sockets = open_listen_sockets(config_.api);
    ASSERT_TRUE(sockets) << to_string(sockets.error());
    sockets_ = std::move(*sockets);
    auto api = Api::start(config_.api, sockets_, ports(), limits);
    ASSERT_TRUE(api) << to_string(api.error());
    api_ = std::move(*api);
  }

  ApiPorts ports() {
    ApiPorts ports;
    ports.control = [this](std::function<void(Authority&)> task) {
      control_.post([this, task = std::move(task)] {
        task(*authority_);
        if (serving_) authority_->on_served(publisher_.publications);
      });
    };
    ports.reload = [this](const Actor& by, const auto& done) {
      reloaded_by_ = by.by;
      done(reload_errors_);
    };
    ports.responders = [] {
      return std::vector<ResponderView>{
          {"ns1", {*base::SocketAddress::parse("192.0.2.53@53")}, {"pool.example"}}};
    };
    ports.dns_metrics = [](std::string& page) { page += "sluice_dns_queries_total 7\n"; };
    ports.store_commit_seconds = &store_.histogram;
    ports.history = [this](const std::string& server, std::size_t limit, const auto& done) {
      asked_history_ = {server, limit};
      done(audit_);
    };
    ports.cluster = [this] { return cluster_; };
    ports.forget = [this](const std::string& name, const Actor& by, const auto& done) {
      forgotten_.push_back(by.by + " forgot " + name);
      done(forget_);
    };
    ports.stale = [this] { return stale_; };
    ports.backup = [this](const auto& done) { done(copy_); };
    ports.events = &hub_;
    ports.audit = [this](Event event) {
      const std::lock_guard lock(failures_mutex_);
      failures_.push_back(std::move(event));
      failures_came_.notify_one();
    };
    ports.not_ready = [this] { return not_ready_; };
    ports.clock = &clock_;
    return ports;
  }

  Client connect() { return Client(api_->listening().at(0)); }

  // One request on a connection of its own; `name`: whose token; empty: none.
  Response ask(const std::string& method, const std::string& target, const std::string& name = {},
               const std::string& body = {}) {
    Client client = connect();
    client.send(request(method, target, name, body));
    return client.receive(method == "HEAD");
  }
  static std::string request(const std::string& method, const std::string& target,
                             const std::string& name = {}, const std::string& body = {}) {
    std::string octets = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n";
    if (!name.empty()) octets += "Authorization: Bearer " + name + "-token\r\n";
    if (!body.empty()) octets += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return octets + "\r\n" + body;
  }
  Response heartbeat(const std::string& server, const std::string& members = {}) {
    const std::string up = R"({"health": "up", "instance": "i1", "sessions": {"calls": 2}})";
    return ask("PUT", "/v1/servers/" + server + "/heartbeat", server,
               R"({"instance": "boot", "seq": )" + std::to_string(++seq_) +
                   R"(, "services": {"front-end": )" + up + R"(, "call-park": )" + up + "}" +
                   members + "}");
  }

  config::Config config_ = test_config();
  std::string directory_;
  SharedClock clock_;
  TestPublisher publisher_;
  TestStore store_;
  bool serving_ = true;  // workers reach each publication at once
  std::string reloaded_by_;
  std::vector<base::Error> reload_errors_;
  ApiPorts::Entries audit_ = std::vector<Event>{};
  std::pair<std::string, std::size_t> asked_history_;
  ApiPorts::Copy copy_ = std::string("octets");
  EventHub hub_{"run", 100};
  std::mutex failures_mutex_;
  std::condition_variable failures_came_;
  std::vector<Event> failures_;  // guarded by failures_mutex_
  std::optional<std::string> not_ready_;
  std::optional<ClusterView> cluster_;
  std::optional<Staleness> stale_;
  Outcome<base::Done> forget_ = base::Done{};
  std::vector<std::string> forgotten_;
  std::uint64_t seq_ = 0;
  std::unique_ptr<Authority> authority_;  // the control thread's
  Control control_;                       // ends before what it uses
  ListenSockets sockets_;
  std::unique_ptr<Api> api_;
};

}  // namespace sluice::health::testing
