#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/agent_model.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "tools/tls/material.h"

namespace sluice::agent {

// What the agent shows to its authorities, and how it knows them: a token, a certificate, or both.
// All of it may be replaced under a running agent: the token is read again after forget_token(),
// the files of TLS when they have changed. What is wrong with them is logged when it becomes so.
class Credentials {
 public:
  struct Shown {
    std::string token;  // empty: none is shown
    std::shared_ptr<const tls::Material> material;
  };

  Credentials(std::string token_file, const config::AgentTls& tls, const base::Clock& clock);

  // For the next request; or why none can be made.
  base::Checked<Shown> current();
  // An authority did not take it.
  void forget_token() { token_.reset(); }

  // What is wrong with certificate, key or authorities, or soon will be.
  std::optional<std::string> trouble() const;
  // Of the certificate in use.
  std::optional<base::WallTime> expires() const;

 private:
  void tell(const std::shared_ptr<const tls::Material>& before);

  std::string token_file_;
  tls::MaterialFiles files_;
  const base::Clock& clock_;
  std::optional<std::string> token_;
  std::shared_ptr<const tls::Material> material_;
  std::optional<std::string> told_;  // the trouble that was logged
};

}  // namespace sluice::agent
