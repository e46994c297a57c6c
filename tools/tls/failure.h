#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <curl/curl.h>

// Why a request over TLS, or to a port that speaks it, came to nothing: in words that say what to
// do. Any thread.
namespace sluice::tls {

// What libcurl knows after a transfer has failed.
struct Failed {
  CURLcode code = CURLE_OK;
  std::string words;               // its own
  std::string url;                 // what was asked for: "https://ns1.example:8443/..."
  std::string name;                // looked for in the certificate; empty: the URL's host
  long verify_result = 0;          // X509_V_..., of the peer's certificate
  std::vector<std::string> names;  // of that certificate
  bool certificate_shown = false;  // we have one to show
  bool ca_given = false;           // by the user; otherwise the system's authorities count
  bool answered = false;           // some of an answer has come
};
// Of a handle of which CURLOPT_CERTINFO is set.
Failed failed(CURL* easy, CURLcode code, std::string words, std::string url);

enum class Reason {
  Other,        // nothing that has to do with TLS
  NotTrusted,   // nobody whom we believe has signed for the peer
  WrongName,    // it is somebody else's certificate
  NotValidNow,  // expired, or not valid yet
  NotTaken,     // the peer takes no certificate of ours, or wants one
  NotTls,       // https:// to a port of plain HTTP
  MaybeTls,     // http:// to a port that speaks something else
  Silent,       // http://, and the connection was closed without a word
  Handshake,    // it broke off for another reason
};

struct Explanation {
  Reason reason = Reason::Other;
  std::string text;  // empty for Other; does not name the peer
};

// What users call the options; "ca in tls:" of the agent, "--ca" of sluicectl.
struct OptionNames {
  std::string_view ca;
  std::string_view certificate;
};

Explanation explain(const Failed& failed, const OptionNames& options);

}  // namespace sluice::tls
