#include "health/etcd/etcd_kv.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "health/etcd/forms.h"
#include "health/etcd/notices.h"
#include "health/etcd/sender.h"
#include "health/etcd/watcher.h"

namespace sluice::etcd {
namespace {

using base::Unexpected;
using cluster::Committed;
using cluster::Failure;
using cluster::Listing;
using cluster::Reply;
using Again = Sender::Again;

// Of some hundred octets each: an answer of half a megabyte, read in some milliseconds.
constexpr std::size_t kPageKeys = 1'000;
// etcd's words. A renewal is mostly told by a life of zero instead.
constexpr std::string_view kNoLease = "requested lease not found";
// How often a listing begins anew because its revision was compacted in the middle.
constexpr unsigned kMostBeginnings = 3;

// An answer as what it says; one that can't be read says nothing.
template <class T>
Reply<T> read_as(const Reply<std::string>& body, Read<T> (*read)(std::string_view)) {
  if (!body) return Unexpected{body.error()};
  auto value = read(*body);
  if (!value) return Unexpected{Failure{Failure::Kind::Unreachable, value.error()}};
  return *std::move(value);
}

// One listing, page by page.
struct Paging {
  std::string under;
  std::function<void(Reply<Listing>)> done;
  unsigned beginnings = 1;
  Listing listing;  // so far
};

}  // namespace

struct EtcdKv::Parts {
  Parts(uv_loop_t* loop, config::Etcd given, Notice notice)
      : settings(std::move(given)),
        keys(settings.prefix),
        notices(std::move(notice)),
        sender(loop, settings, notices),
        watcher(loop, sender, keys) {}

  void next_page(std::shared_ptr<Paging> paging);
  void take_page(std::shared_ptr<Paging> paging, const Reply<std::string>& body);

  const config::Etcd settings;
  const Keys keys;
  Notices notices;
  Sender sender;
  Watcher watcher;
};

EtcdKv::EtcdKv(uv_loop_t* loop, config::Etcd settings, Notice notice)
    : parts_(std::make_unique<Parts>(loop, std::move(settings), std::move(notice))) {}

EtcdKv::~EtcdKv() = default;

void EtcdKv::commit(cluster::Transaction transaction, std::function<void(Reply<Committed>)> done) {
  parts_->sender.send(path::kTransaction, transaction_request(parts_->keys, transaction),
                      Again::Never, [done = std::move(done)](const Reply<std::string>& body) {
                        done(read_as<Committed>(body, &read_committed));
                      });
}

void EtcdKv::list(std::string under, std::function<void(Reply<Listing>)> done) {
  auto paging = std::make_shared<Paging>();
  paging->under = std::move(under);
  paging->done = std::move(done);
  parts_->next_page(std::move(paging));
}

void EtcdKv::Parts::next_page(std::shared_ptr<Paging> paging) {
  PageRequest request{paging->under, {}, paging->listing.revision, kPageKeys};
  if (!paging->listing.entries.empty()) request.after = paging->listing.entries.back().key;
  sender.send(path::kRange, page_request(keys, request), Again::Harmless,
              [this, paging = std::move(paging)](const Reply<std::string>& body) {
                take_page(paging, body);
              });
}

void EtcdKv::Parts::take_page(std::shared_ptr<Paging> paging, const Reply<std::string>& body) {
  if (!body) {
    const bool compacted = body.error().text.find("compacted") != std::string::npos;
    if (!compacted || paging->beginnings == kMostBeginnings) {
      paging->done(Unexpected{body.error()});
      return;
    }
    ++paging->beginnings;
    paging->listing = {};
    next_page(std::move(paging));
    return;
  }
  auto page = read_page(keys, *body);
  if (!page) {
    paging->done(Unexpected{Failure{Failure::Kind::Unreachable, page.error()}});
    return;
  }
  Listing& listing = paging->listing;
  // The first page says as of when all are.
  if (listing.revision == 0) listing.revision = page->listing.revision;
  std::ranges::move(page->listing.entries, std::back_inserter(listing.entries));
  if (page->more) {
    next_page(std::move(paging));
  } else {
    paging->done(std::move(listing));
  }
}

void EtcdKv::newest(std::string under, std::size_t limit,
                    std::function<void(Reply<Listing>)> done) {
  parts_->sender.send(
      path::kRange, newest_request(parts_->keys, under, limit), Again::Harmless,
      [keys = parts_->keys, done = std::move(done)](const Reply<std::string>& body) {
        if (!body) {
          done(Unexpected{body.error()});
          return;
        }
        auto page = read_page(keys, *body);
        if (!page) {
          done(Unexpected{Failure{Failure::Kind::Unreachable, page.error()}});
          return;
        }
        std::ranges::reverse(page->listing.entries);
        done(std::move(page->listing));
      });
}

void EtcdKv::watch(std::int64_t after, WatchCalls calls) {
  parts_->watcher.start(after, std::move(calls));
}

void EtcdKv::renew_watch() {
  parts_->watcher.renew();
}

void EtcdKv::grant(std::chrono::seconds ttl, std::function<void(Reply<std::int64_t>)> done) {
  // Granted twice, the lease that nobody knows ends by itself.
  parts_->sender.send(path::kGrant, grant_request(ttl), Again::Harmless,
                      [done = std::move(done)](const Reply<std::string>& body) {
                        done(read_as<std::int64_t>(body, &read_granted));
                      });
}

void EtcdKv::renew(std::int64_t lease, std::function<void(Reply<bool>)> done) {
  parts_->sender.send(path::kRenew, lease_request(lease), Again::Harmless,
                      [done = std::move(done)](const Reply<std::string>& body) {
                        if (!body && body.error().kind == Failure::Kind::Refused &&
                            body.error().text.find(kNoLease) != std::string::npos) {
                          done(false);
                          return;
                        }
                        done(read_as<bool>(body, &read_renewed));
                      });
}

void EtcdKv::revoke(std::int64_t lease, std::function<void()> done) {
  parts_->sender.send(path::kRevoke, lease_request(lease), Again::Harmless,
                      [done = std::move(done)](const auto&) { done(); });
}

}  // namespace sluice::etcd
