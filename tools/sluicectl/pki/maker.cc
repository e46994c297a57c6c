#include "tools/sluicectl/pki/maker.h"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "config/base/address.h"
#include "config/base/nearest.h"

namespace sluice::ctl::pki {
namespace {

// Two authorities of one name would be hard to tell apart.
std::string made_up_name() {
  std::array<unsigned char, 4> octets{};
  RAND_bytes(octets.data(), octets.size());
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string name = "Sluice CA ";
  for (const unsigned char octet : octets) name += {kDigits[octet >> 4U], kDigits[octet & 0xFU]};
  return name;
}

std::vector<std::string> texts_of(const Holder& holder) {
  std::vector<std::string> texts;
  for (const AltName& name : holder.names) texts.push_back(name.text);
  return texts;
}

bool same_names(std::vector<std::string> one, std::vector<std::string> other) {
  std::ranges::sort(one);
  std::ranges::sort(other);
  return one == other;
}

bool signed_by(const X509* certificate, const X509* authority) {
  auto* const key = X509_get0_pubkey(authority);
  const bool good = key != nullptr && X509_verify(const_cast<X509*>(certificate), key) == 1;
  ERR_clear_error();
  return good;
}

// A key that does not belong stays out of use.
State state_of(const tls::Facts& facts, const X509* certificate, const EVP_PKEY* key,
               const X509* authority, base::WallTime now) {
  if (authority != nullptr && !signed_by(certificate, authority)) return State::OtherIssuer;
  if (now >= facts.not_after) return State::Expired;
  if (now < facts.not_before) return State::NotYet;
  if (key == nullptr) return State::NoKey;
  if (!tls::belong_together(certificate, key)) return State::OtherKey;
  return is_due({facts.not_before, facts.not_after}, now) ? State::Due : State::Good;
}

}  // namespace

Item Maker::describe(Kind kind, const std::string& name, const X509* certificate) const {
  Item item;
  item.kind = kind;
  item.name = name;
  item.certificate_file = folder_.certificate_file(kind, name);
  item.key_file = folder_.key_file(kind, name);
  item.facts = tls::facts_of(certificate);
  item.fingerprint = fingerprint_of(certificate);
  return item;
}

Maker::Result<Item> Maker::make_authority(std::string name, const Wish& wish) {
  auto before = folder_.certificate(Kind::Authority, "");
  if (!before) return wrong(std::move(before).error());
  auto key = folder_.key(Kind::Authority, "");
  if (!key) return wrong(std::move(key).error());
  const bool exists = *before != nullptr;
  if (exists && wish.new_key) {
    return wrong(
        "the authority keeps its key: with another one nothing that it has signed would "
        "be believed. Make another authority in another --directory, let everybody believe "
        "both (a ca: file may hold several certificates), renew all, and drop the old one");
  }
  if (exists && wish.existing == Existing::Keep) {
    Item item = describe(Kind::Authority, (*before) ? tls::facts_of(before->get()).subject : "",
                         before->get());
    item.made = false;
    item.state = state_of(item.facts, before->get(), key->get(), nullptr, now_);
    return item;
  }
  if (exists && !*key) {
    return wrong(folder_.key_file(Kind::Authority, "") +
                 " is not there: without its key an authority cannot be renewed");
  }
  if (exists && !tls::belong_together(before->get(), key->get())) {
    return wrong(folder_.key_file(Kind::Authority, "") + " does not belong to " +
                 folder_.certificate_file(Kind::Authority, ""));
  }
  // Whom it has signed for knows it by its name.
  if (exists) name = tls::facts_of(before->get()).subject;
  if (auto made = folder_.make(Kind::Authority); !made) return wrong(std::move(made).error());
  if (!*key) {
    auto fresh = make_key();
    if (!fresh) return wrong(fresh.error().message);
    *key = *std::move(fresh);
    auto written = folder_.write_key(Kind::Authority, "", key->get(), Folder::Earlier::Keep);
    if (!written) return wrong(std::move(written).error());
  }
  if (name.empty()) name = made_up_name();
  const auto days = wish.days.value_or(default_days(Kind::Authority));
  const auto certificate = pki::make_authority(name, key->get(), valid_for(days, now_));
  if (!certificate) return wrong(certificate.error().message);
  auto written =
      folder_.write_certificate(Kind::Authority, "", certificate->get(),
                                exists ? Folder::Earlier::Replace : Folder::Earlier::Keep);
  if (!written) return wrong(std::move(written).error());
  return describe(Kind::Authority, name, certificate->get());
}

Maker::Result<base::Done> Maker::open_authority() {
  if (authority_) return base::Done{};
  auto certificate = folder_.certificate(Kind::Authority, "");
  if (!certificate) return wrong(std::move(certificate).error());
  auto key = folder_.key(Kind::Authority, "");
  if (!key) return wrong(std::move(key).error());
  const std::string file = folder_.certificate_file(Kind::Authority, "");
  if (!*certificate) {
    return wrong(folder_.path() +
                 " has no authority: sluicectl pki ca makes one there, and --directory names "
                 "another folder");
  }
  if (!*key) {
    return wrong(folder_.key_file(Kind::Authority, "") +
                 " is not there: without its key the authority signs nothing");
  }
  if (!tls::belong_together(certificate->get(), key->get())) {
    return wrong(folder_.key_file(Kind::Authority, "") + " does not belong to " + file);
  }
  const tls::Facts facts = tls::facts_of(certificate->get());
  if (!facts.authority) return wrong(file + " is no authority's certificate");
  if (now_ >= facts.not_after) {
    return wrong(file + " expired on " + tls::day_of(facts.not_after) +
                 ": sluicectl pki renew ca makes a new one with the same key");
  }
  authority_ = Authority{*std::move(certificate), *std::move(key)};
  return base::Done{};
}

// sluiced knows who asks by the name alone: the certificate of a reader anna is one of the operator
// anna.
Maker::Result<base::Done> Maker::name_is_free(const Holder& holder) const {
  if (holder.kind == Kind::Server) return base::Done{};  // not for clients
  for (const Kind other : {Kind::Agent, Kind::Operator, Kind::Reader}) {
    if (other == holder.kind) continue;
    const auto taken = folder_.certificate(other, holder.name);
    if (taken && !*taken) continue;
    return wrong(folder_.certificate_file(other, holder.name) +
                 " has that name, and names are all that sluiced tells people and servers by: "
                 "choose another one, or move that file away");
  }
  return base::Done{};
}

Maker::Result<base::Done> Maker::may_be_made(const Holder& holder, const Wish& wish) const {
  const auto before = folder_.certificate(holder.kind, holder.name);
  if (before && !*before) {
    if (auto free = name_is_free(holder); !free) return wrong(std::move(free).error());
  }
  if (wish.existing == Existing::Renew) {
    // What cannot be read is no reason against another one that is asked for.
    if (wish.new_key || !before || !*before) return base::Done{};
    auto key = folder_.key(holder.kind, holder.name);
    if (!key) return wrong(std::move(key).error());
    if (*key) return base::Done{};
    return wrong(folder_.key_file(holder.kind, holder.name) +
                 " is not there: put it back, or let --new-key make another one");
  }
  if (!before) return wrong(before.error());
  if (!*before) return base::Done{};
  const tls::Facts facts = tls::facts_of(before->get());
  if (same_names(facts.names, texts_of(holder))) return base::Done{};
  std::string names;
  for (const std::string& each : facts.names) names += (names.empty() ? "" : ", ") + each;
  return wrong(folder_.certificate_file(holder.kind, holder.name) + " exists, and is for " + names +
               "; --renew makes another one in its place");
}

Maker::Result<tls::KeyPtr> Maker::key_for(const Holder& holder, const Wish& wish) const {
  const bool replace = wish.existing == Existing::Renew && wish.new_key;
  if (!replace) {
    // One that an interrupted run has left behind is as good as a new one.
    auto key = folder_.key(holder.kind, holder.name);
    if (!key || *key) return key;
  }
  auto fresh = make_key();
  if (!fresh) return wrong(fresh.error().message);
  auto written = folder_.write_key(holder.kind, holder.name, fresh->get(),
                                   replace ? Folder::Earlier::Replace : Folder::Earlier::Keep);
  if (!written) return wrong(std::move(written).error());
  return *std::move(fresh);
}

Maker::Result<Item> Maker::make_one(const Holder& holder, const Wish& wish) {
  if (wish.existing == Existing::Keep) {
    auto before = folder_.certificate(holder.kind, holder.name);
    if (!before) return wrong(std::move(before).error());
    if (*before) {
      auto item = item_of({holder.kind, holder.name}, authority_->certificate.get());
      if (item) item->made = false;
      return item;
    }
  }
  auto key = key_for(holder, wish);
  if (!key) return wrong(std::move(key).error());
  Validity validity = valid_for(wish.days.value_or(default_days(holder.kind)), now_);
  const base::WallTime end = tls::facts_of(authority_->certificate.get()).not_after;
  const bool shortened = validity.not_after > end;
  if (shortened) validity.not_after = end;
  const auto certificate = make_certificate(
      holder, key->get(), {authority_->certificate.get(), authority_->key.get()}, validity);
  if (!certificate) return wrong(certificate.error().message);
  const auto earlier =
      wish.existing == Existing::Renew ? Folder::Earlier::Replace : Folder::Earlier::Keep;
  auto written = folder_.write_certificate(holder.kind, holder.name, certificate->get(), earlier);
  if (!written) return wrong(std::move(written).error());
  Item item = describe(holder.kind, holder.name, certificate->get());
  item.shortened = shortened;
  return item;
}

Maker::Result<std::vector<Item>> Maker::make(const std::vector<Holder>& holders, const Wish& wish) {
  if (auto open = open_authority(); !open) return wrong(std::move(open).error());
  for (const Holder& holder : holders) {
    if (auto free = may_be_made(holder, wish); !free) return wrong(std::move(free).error());
    if (auto made = folder_.make(holder.kind); !made) return wrong(std::move(made).error());
  }
  std::vector<Item> items;
  for (const Holder& holder : holders) {
    auto item = make_one(holder, wish);
    if (!item) return wrong(std::move(item).error());
    items.push_back(*std::move(item));
  }
  return items;
}

Maker::Result<Holder> Maker::holder_of(const Folder::Entry& entry) const {
  const auto certificate = folder_.certificate(entry.kind, entry.name);
  if (!certificate) return wrong(certificate.error());
  const tls::Facts facts = tls::facts_of(certificate->get());
  CheckedHolder holder = entry.kind == Kind::Server  ? server_holder(entry.name, facts.names)
                         : entry.kind == Kind::Agent ? agent_holder(entry.name)
                                                     : user_holder(entry.kind, entry.name);
  if (holder) return holder;
  return wrong(folder_.certificate_file(entry.kind, entry.name) + ": its name " + holder.error());
}

Maker::Result<std::vector<Folder::Entry>> Maker::called(
    const std::vector<std::string>& names) const {
  auto entries = folder_.entries();
  if (!entries) return wrong(std::move(entries).error());
  std::vector<Folder::Entry> chosen;
  std::vector<std::string_view> known{"ca"};
  for (const Folder::Entry& entry : *entries) known.push_back(entry.name);
  for (const std::string& name : names) {
    const std::size_t before = chosen.size();
    for (const Folder::Entry& entry : *entries) {
      const bool is_it = entry.kind == Kind::Authority ? name == "ca" : entry.name == name;
      if (is_it) chosen.push_back(entry);
    }
    if (chosen.size() == before) {
      return wrong(folder_.path() + " has no certificate of " + name +
                   base::did_you_mean(name, known));
    }
  }
  return chosen;
}

Maker::Result<std::vector<Item>> Maker::renew(const std::vector<std::string>& names, Wish wish) {
  wish.existing = Existing::Renew;
  auto found = called(names);
  if (!found) return wrong(std::move(found).error());
  std::vector<Folder::Entry> chosen = *std::move(found);
  std::vector<Item> items;
  // First, so that the others may be valid for as long as it is.
  const auto authority = std::ranges::find(chosen, Kind::Authority, &Folder::Entry::kind);
  if (authority != chosen.end()) {
    auto item = make_authority("", wish);
    if (!item) return wrong(std::move(item).error());
    items.push_back(*std::move(item));
    std::erase_if(chosen, [](const auto& entry) { return entry.kind == Kind::Authority; });
  }
  if (names.empty()) {
    auto all = this->items();
    if (!all) return wrong(std::move(all).error());
    for (const Item& item : *all) {
      const bool due = item.state != State::Good && item.state != State::NoKey;
      if (due && item.kind != Kind::Authority) chosen.push_back({item.kind, item.name});
    }
  }
  std::vector<Holder> holders;
  for (const Folder::Entry& entry : chosen) {
    auto holder = holder_of(entry);
    if (!holder) return wrong(std::move(holder).error());
    holders.push_back(*std::move(holder));
  }
  auto made = make(holders, wish);
  if (!made) return made;
  items.insert(items.end(), std::make_move_iterator(made->begin()),
               std::make_move_iterator(made->end()));
  return items;
}

Maker::Result<Item> Maker::item_of(const Folder::Entry& entry, const X509* authority) const {
  auto certificate = folder_.certificate(entry.kind, entry.name);
  if (!certificate) return wrong(std::move(certificate).error());
  auto key = folder_.key(entry.kind, entry.name);
  if (!key) return wrong(std::move(key).error());
  const std::string name =
      entry.kind == Kind::Authority ? tls::facts_of(certificate->get()).subject : entry.name;
  Item item = describe(entry.kind, name, certificate->get());
  item.made = false;
  item.state = state_of(item.facts, certificate->get(), key->get(),
                        entry.kind == Kind::Authority ? nullptr : authority, now_);
  return item;
}

Maker::Result<std::vector<Item>> Maker::items() {
  auto entries = folder_.entries();
  if (!entries) return wrong(std::move(entries).error());
  auto authority = folder_.certificate(Kind::Authority, "");
  if (!authority) return wrong(std::move(authority).error());
  std::vector<Item> all;
  for (const Folder::Entry& entry : *entries) {
    auto item = item_of(entry, authority->get());
    if (!item) return wrong(std::move(item).error());
    all.push_back(*std::move(item));
  }
  return all;
}

}  // namespace sluice::ctl::pki
