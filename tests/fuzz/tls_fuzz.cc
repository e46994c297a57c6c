// Octets of a TLS client, and those of a real one that somebody between changes -> never a plain
// octet but what the client has said, from its beginning on, and none from one without a
// certificate that we trust; the same end however the octets are cut; nothing after a failure.
//
// The first octet chooses the client (0: none, the rest is what it sends), the second the cuts;
// then follow changes of four octets: where in the client's stream, and by what.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "config/base/tls_stream.h"
#include "tests/config/base/certificates.h"
#include "tests/config/base/tls_client.h"
#include "tests/fuzz/cuts.h"
#include "tests/fuzz/require.h"

namespace {

using namespace sluice;
using namespace sluice::base;
using namespace sluice::base::testing;
using fuzz::require;
using State = TlsStream::State;

constexpr std::string_view kSaid = "GET /v1/pools HTTP/1.1\r\nHost: a\r\n\r\n";
// In which a handshake with certificates ends, and more.
constexpr int kMostTurns = 12;

struct Actors {
  Certified authority{{.subject = "authority"}};
  Certified server{{.names = "DNS:a.example"}, authority};
  Certified known{{.names = "DNS:fe01.example"}, authority};
  Certified stranger{{.names = "DNS:fe01.example"}};  // signed by itself
  Folder folder;
  std::shared_ptr<const TlsContext> context = [this] {
    const TlsFiles files{folder.put("certificate", server.certificate_pem()),
                         folder.put("key", server.key_pem()),
                         folder.put("ca", authority.certificate_pem())};
    const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    auto loaded = TlsContext::load(files, ClientCertificates::Required, now);
    require(loaded.has_value());
    return *loaded;
  }();
};

const Actors& actors() {
  static const Actors kActors;
  return kActors;
}

// Takes the octets in pieces, and sees to what each of them may do.
class Server {
 public:
  explicit Server(std::uint8_t manner) : cuts_(manner), stream_(actors().context) {}

  void receive(std::string_view octets, std::string& out) {
    while (!octets.empty()) {
      const std::string_view piece = cuts_.take(octets);
      const std::size_t before = plain_.size();
      const bool failed = stream_.state() == State::Failed;
      const std::size_t sent = out.size();
      const State state = stream_.receive(piece, plain_, out);
      require(state == stream_.state());
      if (failed) require(state == State::Failed && plain_.size() == before && out.size() == sent);
      if (state == State::Handshaking) require(plain_.empty());
    }
  }

  TlsStream& stream() { return stream_; }
  const std::string& plain() const { return plain_; }

 private:
  fuzz::Cuts cuts_;
  TlsStream stream_;
  std::string plain_;
};

constexpr std::size_t kChangeOctets = 4;

// What is between client and server: it counts the octets of one direction.
class Between {
 public:
  explicit Between(std::span<const std::uint8_t> changes) : changes_(changes) {}

  std::string pass(std::string octets) {
    for (std::size_t at = 0; at + kChangeOctets <= changes_.size(); at += kChangeOctets) {
      const std::size_t where = changes_[at] * std::size_t{256} + changes_[at + 1];
      if (where < passed_ || where - passed_ >= octets.size()) continue;
      char& octet = octets[where - passed_];
      octet = static_cast<char>(octet ^ static_cast<char>(changes_[at + 2]));
      // The rest of what is on its way is lost.
      if (changes_[at + 3] == 0xFF) octets.resize(where - passed_);
    }
    passed_ += octets.size();
    return octets;
  }

 private:
  std::span<const std::uint8_t> changes_;
  std::size_t passed_ = 0;
};

void converse(std::uint8_t who, std::uint8_t manner, std::span<const std::uint8_t> changes) {
  TlsClient client;
  const bool trusted = who % 3 == 1;
  if (trusted) client.show(actors().known);
  if (who % 3 == 2) client.show(actors().stranger);
  if (who % 2 == 0) client.speak(TLS1_2_VERSION);
  Server server(manner);
  Between between(changes);
  std::string to_client;
  bool said = false;
  for (int turn = 0; turn < kMostTurns; ++turn) {
    std::string octets = client.go_on(std::exchange(to_client, {}));
    if (client.connected() && !std::exchange(said, true)) octets += client.say(kSaid);
    if (octets.empty()) break;
    server.receive(between.pass(std::move(octets)), to_client);
  }
  const TlsStream& stream = server.stream();
  require(kSaid.starts_with(server.plain()));
  if (!trusted) require(server.plain().empty() && !stream.opened());
  if (stream.state() == State::Open) require(stream.client() != nullptr);
  if (trusted && changes.empty()) require(server.plain() == kSaid && stream.state() == State::Open);
}

void receive_raw(std::uint8_t manner, std::string_view octets) {
  Server whole(0);
  Server pieces(manner);
  std::string out;
  whole.receive(octets, out);
  pieces.receive(octets, out);
  // Nobody without a key comes beyond the handshake.
  require(whole.plain().empty() && pieces.plain().empty());
  require(whole.stream().state() == pieces.stream().state());
  require(whole.stream().state() == State::Handshaking || whole.stream().state() == State::Failed);
  if (whole.stream().state() == State::Failed) {
    require(whole.stream().failure() == pieces.stream().failure());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  if (data[0] == 0) {
    receive_raw(data[1], {reinterpret_cast<const char*>(data + 2), size - 2});
  } else {
    converse(data[0], data[1], {data + 2, size - 2});
  }
  return 0;
}
