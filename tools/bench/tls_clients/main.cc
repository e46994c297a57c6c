// Very many clients that want TLS at the same moment, as agents do when their authority is back.
//
// Each line on the standard input is "KIND COUNT": all connections of the line before are ended, so
// many are made at once, and one line of JSON says how it went when all are done or failed. Whoever
// is not done within its patience, or is cut off, begins anew a second later, as agents do. Their
// ClientHellos are made before, so that ten thousand connect within a fraction of a second.
//   full      a whole handshake, then a request
//   resumed   the same with the sessions that the handshakes before left
//   silent    a connection that says nothing, kept until the next line
//   stalled   a ClientHello and no more, likewise
// The input's end ends the program.
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <iostream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nlohmann/json.hpp>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/base/address.h"
#include "config/base/file_descriptor.h"
#include "config/base/openssl.h"
#include "tools/bench/load/exchange.h"

namespace sluice::bench {
namespace {

constexpr unsigned kMostClients = 50'000;
// As many ports as one address has; the rest come from the next ones of 127.0.0.0/8.
constexpr unsigned kClientsAnAddress = 10'000;
constexpr unsigned kMostTries = 20;
constexpr std::uint64_t kPauseNs = 1'000'000'000;
// Of those who begin anew, between two looks at those who have been answered: the clients share a
// processor, and hosts of their own would not wait for each other.
constexpr int kBeginnings = 32;
// A run's end, whoever is not done then.
constexpr std::uint64_t kRunNs = 120'000'000'000;
constexpr std::string_view kRequest = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

using base::OpenSslOwner;

[[noreturn]] void fail(const std::string& what) {
  std::cerr << "bench_tls_clients: " << what << '\n';
  std::exit(1);
}

enum class Kind : std::uint8_t { Full, Resumed, Silent, Stalled };

struct Client {
  base::FileDescriptor fd;
  OpenSslOwner<SSL> tls;
  OpenSslOwner<SSL_SESSION> session;  // for the next time
  std::string hello;
  unsigned tries = 0;
  std::uint64_t due = 0;  // until when it has patience
  bool connected = false;
  bool asked = false;
  bool done = false;
};

class Clients {
 public:
  Clients(const base::SocketAddress& authority, std::uint64_t patience,
          const std::string& certificate, const std::string& key)
      : authority_(authority),
        patience_(patience),
        context_(SSL_CTX_new(TLS_client_method())),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    SSL_CTX_set_session_cache_mode(context_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* tls, SSL_SESSION* session) {
      static_cast<Client*>(SSL_get_app_data(tls))->session.reset(session);
      return 1;
    });
    if (!certificate.empty() &&
        (SSL_CTX_use_certificate_file(context_.get(), certificate.c_str(), SSL_FILETYPE_PEM) != 1 ||
         SSL_CTX_use_PrivateKey_file(context_.get(), key.c_str(), SSL_FILETYPE_PEM) != 1)) {
      fail("the certificate or its key can't be used");
    }
  }

  nlohmann::json run(Kind kind, std::size_t count) {
    end_all();
    if (clients_.size() < count) clients_.resize(count);
    kind_ = kind;
    latencies_ = {};
    failed_ = reused_ = finished_ = most_late_ = again_ = 0;
    waiting_ = count;
    impatient_.clear();
    pausing_.clear();
    for (std::size_t i = 0; i < count; ++i) prepare(clients_[i]);
    begin_ = now_ns();
    for (std::size_t i = 0; i < count; ++i) begin_one(i);
    const double connecting = seconds_since(begin_);
    while (waiting_ > 0 && now_ns() < begin_ + kRunNs) {
      look(pausing_.empty() ? 100 : 10);
      begin_anew();
    }
    const auto milliseconds = [&](double share) {
      return static_cast<double>(latencies_.quantile(share)) / 1e6;
    };
    return {{"clients", count},
            {"done", finished_},
            {"failed", failed_ + waiting_},
            {"again", again_},
            {"reused", reused_},
            {"connecting", connecting},
            {"seconds", seconds_since(begin_)},
            {"p50_ms", milliseconds(0.5)},
            {"p99_ms", milliseconds(0.99)},
            {"out_of_order", most_late_}};
  }

 private:
  static double seconds_since(std::uint64_t begin) {
    return static_cast<double>(now_ns() - begin) / 1e9;
  }

  void end_all() {
    for (Client& client : clients_) {
      end_connection(client);
      client.tries = 0;
    }
  }

  static void end_connection(Client& client) {
    client.fd = {};
    // Else its session is taken for one that broke.
    if (client.tls) SSL_set_shutdown(client.tls.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    client.tls.reset();
    client.connected = client.asked = client.done = false;
  }

  // Makes its ClientHello.
  void prepare(Client& client) {
    if (kind_ == Kind::Silent) return;
    client.tls.reset(SSL_new(context_.get()));
    SSL* const tls = client.tls.get();
    SSL_set_app_data(tls, &client);
    SSL_set_bio(tls, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(tls);
    if (kind_ == Kind::Resumed && client.session) SSL_set_session(tls, client.session.get());
    SSL_do_handshake(tls);
    char* octets = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(tls), &octets);
    client.hello.assign(octets, static_cast<std::size_t>(size));
  }

  void begin_one(std::size_t number) {
    Client& client = clients_[number];
    ++client.tries;
    client.fd =
        base::FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!client.fd.is_open()) fail(std::string("socket: ") + std::strerror(errno));
    const int on = 1;
    ::setsockopt(client.fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // Ports that are free at once: a run follows another.
    const linger reset{1, 0};
    ::setsockopt(client.fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr =
        htonl(INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(number / kClientsAnAddress));
    ::setsockopt(client.fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (::bind(client.fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) {
      fail(std::string("bind: ") + std::strerror(errno));
    }
    sockaddr_storage address{};
    const socklen_t length = authority_.to(address);
    if (::connect(client.fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 &&
        errno != EINPROGRESS) {
      fail(std::string("connect: ") + std::strerror(errno));
    }
    client.due = now_ns() + patience_;
    impatient_.emplace_back(client.due, number);
    // By edges: most wait most of the time.
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u64 = number;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.fd.get(), &event);
  }

  // Whose patience, or pause, has run out.
  void begin_anew() {
    const std::uint64_t now = now_ns();
    while (!impatient_.empty() && impatient_.front().first <= now) {
      const std::size_t number = impatient_.front().second;
      impatient_.pop_front();
      Client& client = clients_[number];
      if (!client.done && client.due <= now) pause(client, number);
    }
    for (int i = 0; i < kBeginnings && !pausing_.empty() && pausing_.front().first <= now; ++i) {
      const std::size_t number = pausing_.front().second;
      pausing_.pop_front();
      ++again_;
      prepare(clients_[number]);
      begin_one(number);
    }
  }

  void pause(Client& client, std::size_t number) {
    if (client.tries == kMostTries) return end(client, false);
    end_connection(client);
    client.due = std::numeric_limits<std::uint64_t>::max();
    pausing_.emplace_back(now_ns() + kPauseNs, number);
  }

  void look(int milliseconds) {
    std::array<epoll_event, 256> events{};
    const int ready =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), milliseconds);
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events.at(static_cast<std::size_t>(i));
      Client& client = clients_[event.data.u64];
      if (client.done) continue;
      if (client.connected) {
        go_on(client, event.data.u64);
      } else if ((event.events & (EPOLLOUT | EPOLLERR)) != 0) {
        connected(client, event.data.u64);
      }
    }
  }

  void connected(Client& client, std::size_t number) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(client.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return pause(client, number);
    client.connected = true;
    if (kind_ == Kind::Silent) return end(client, true);
    const ssize_t sent =
        ::send(client.fd.get(), client.hello.data(), client.hello.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(client.hello.size())) return pause(client, number);
    SSL_set_fd(client.tls.get(), client.fd.get());
    if (kind_ == Kind::Stalled) end(client, true);
  }

  void go_on(Client& client, std::size_t number) {
    SSL* const tls = client.tls.get();
    if (!client.asked) {
      const int shaken = SSL_do_handshake(tls);
      if (shaken != 1) {
        if (SSL_get_error(tls, shaken) != SSL_ERROR_WANT_READ) pause(client, number);
        return;
      }
      client.asked = true;
      if (SSL_session_reused(tls) == 1) ++reused_;
      if (SSL_write(tls, kRequest.data(), static_cast<int>(kRequest.size())) <= 0) {
        return pause(client, number);
      }
    }
    std::array<char, 4096> octets{};
    const int size = SSL_read(tls, octets.data(), octets.size());
    if (size > 0) {
      latencies_.add(now_ns() - begin_);
      // Those who came first are served first: by how many places somebody was late.
      if (finished_ > number) most_late_ = std::max(most_late_, finished_ - number);
      return end(client, std::string_view(octets.data(), 12) == "HTTP/1.1 200");
    }
    if (SSL_get_error(tls, size) != SSL_ERROR_WANT_READ) pause(client, number);
  }

  // It keeps its connection, as an agent does.
  void end(Client& client, bool well) {
    client.done = true;
    ++(well ? finished_ : failed_);
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, client.fd.get(), nullptr);
    --waiting_;
  }

  const base::SocketAddress authority_;
  const std::uint64_t patience_;  // nanoseconds
  OpenSslOwner<SSL_CTX> context_;
  base::FileDescriptor epoll_;
  std::vector<Client> clients_;
  std::deque<std::pair<std::uint64_t, std::size_t>> impatient_;  // until when, and who
  std::deque<std::pair<std::uint64_t, std::size_t>> pausing_;
  Latencies latencies_;
  Kind kind_ = Kind::Full;
  std::uint64_t begin_ = 0;
  std::size_t waiting_ = 0, failed_ = 0, reused_ = 0, finished_ = 0, most_late_ = 0, again_ = 0;
};

void make_room() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice;
  std::string server;
  std::string certificate;
  std::string key;
  double patience = 10;
  CLI::App app("Very many clients that want TLS at the same moment.");
  app.add_option("authority", server, "ADDRESS@PORT (IPv4, loopback)")->required();
  auto* const shown = app.add_option("--certificate", certificate, "PEM: that clients show");
  app.add_option("--key", key, "PEM: its key")->needs(shown);
  app.add_option("--patience", patience, "seconds until a client begins anew")
      ->check(CLI::Range(0.1, 120.0));
  CLI11_PARSE(app, argc, argv);
  const auto address = base::SocketAddress::parse(server);
  if (!address || !address->address.is_v4()) {
    std::cerr << "needs ADDRESS@PORT\n";
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  bench::make_room();
  bench::Clients clients(*address, static_cast<std::uint64_t>(patience * 1e9), certificate, key);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string kind;
    std::size_t count = 0;
    words >> kind >> count;
    if (count == 0 || count > bench::kMostClients) return 2;
    const auto run = kind == "full"      ? bench::Kind::Full
                     : kind == "resumed" ? bench::Kind::Resumed
                     : kind == "silent"  ? bench::Kind::Silent
                                         : bench::Kind::Stalled;
    std::cout << clients.run(run, count) << std::endl;
  }
  return 0;
}
