#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "config/base/result.h"
#include "tools/sluicectl/pki/folder.h"
#include "tools/sluicectl/pki/issue.h"

namespace sluice::ctl::pki {

// What is wanted of a certificate that exists already.
enum class Existing : std::uint8_t {
  Keep,   // if it has the names that are wanted; others are an error
  Renew,  // another one in its place
};

struct Wish {
  std::optional<std::chrono::days> days;  // default_days()
  Existing existing = Existing::Keep;
  bool new_key = false;  // of a renewal; otherwise the key stays
};

enum class State : std::uint8_t {
  Good,
  Due,  // in the last third of its time
  Expired,
  NotYet,       // begins later: a clock is wrong
  NoKey,        // the key is not there; it may be kept elsewhere
  OtherKey,     // the key there is another one's
  OtherIssuer,  // another authority has signed it
};

// One certificate of the folder.
struct Item {
  Kind kind = Kind::Server;
  std::string name;
  std::string certificate_file;
  std::string key_file;
  tls::Facts facts;
  std::string fingerprint;
  State state = State::Good;
  bool made = true;        // just now; otherwise it was there and stays
  bool shortened = false;  // ends with its authority, before what was wanted
};

// The authority of a folder and what it signs. Errors are sentences.
class Maker {
 public:
  template <class T>
  using Result = base::Result<T, std::string>;

  Maker(Folder folder, base::WallTime now) : folder_(std::move(folder)), now_(now) {}

  const Folder& folder() const noexcept { return folder_; }

  // `name` empty: made up, and unlike any other's. An authority that exists keeps its key whatever
  // is wished: with another one nothing that it has signed would be believed.
  Result<Item> make_authority(std::string name, const Wish& wish);
  // The certificates for these holders, in their order. What can be found wrong is found before
  // the first is made.
  Result<std::vector<Item>> make(const std::vector<Holder>& holders, const Wish& wish);
  // Again for those whom the names call, all of a name; without names for all that are due, but
  // for the authority, which has to be named ("ca").
  Result<std::vector<Item>> renew(const std::vector<std::string>& names, Wish wish);
  Result<std::vector<Item>> items();

 private:
  struct Authority {
    tls::X509Ptr certificate;
    tls::KeyPtr key;
  };

  Result<base::Done> open_authority();
  // The entries of these names; none: none.
  Result<std::vector<Folder::Entry>> called(const std::vector<std::string>& names) const;
  Result<base::Done> name_is_free(const Holder& holder) const;
  Result<base::Done> may_be_made(const Holder& holder, const Wish& wish) const;
  Result<Item> make_one(const Holder& holder, const Wish& wish);
  Result<tls::KeyPtr> key_for(const Holder& holder, const Wish& wish) const;
  Result<Holder> holder_of(const Folder::Entry& entry) const;
  Result<Item> item_of(const Folder::Entry& entry, const X509* authority) const;
  Item describe(Kind kind, const std::string& name, const X509* certificate) const;

  Folder folder_;
  base::WallTime now_;
  std::optional<Authority> authority_;
};

}  // namespace sluice::ctl::pki
