#include "tools/sluiced/dns_metrics.h"

#include <array>
#include <string_view>
#include <utility>

namespace sluice {
namespace {

// The names of RFC 6895 section 2.3; those that nobody sends are numbers.
std::string rcode_name(std::size_t rcode) {
  switch (static_cast<dns::Rcode>(rcode)) {
    case dns::Rcode::NoError:
      return "NOERROR";
    case dns::Rcode::FormErr:
      return "FORMERR";
    case dns::Rcode::ServFail:
      return "SERVFAIL";
    case dns::Rcode::NXDomain:
      return "NXDOMAIN";
    case dns::Rcode::NotImp:
      return "NOTIMP";
    case dns::Rcode::Refused:
      return "REFUSED";
    case dns::Rcode::YXDomain:
      return "YXDOMAIN";
    case dns::Rcode::BadVers:
      return "BADVERS";
    case dns::Rcode::BadCookie:
      return "BADCOOKIE";
    default:
      return std::to_string(rcode);
  }
}

void append(std::string& page, std::string_view name, std::string_view help, std::uint64_t value) {
  page += "# HELP ";
  page += name;
  page += ' ';
  page += help;
  page += "\n# TYPE ";
  page += name;
  page += " counter\n";
  page += name;
  page += ' ' + std::to_string(value) + '\n';
}

// What the text format escapes in a label's value; a name has it for odd octets only.
std::string escaped(const std::string& owner) {
  std::string label;
  for (const char c : owner) {
    if (c == '\\' || c == '"') label += '\\';
    label += c;
  }
  return label;
}

void append_answer_sets(std::span<const dns::AnswerSetQueries> queries, std::string& page) {
  page +=
      "# HELP sluice_dns_answer_set_queries_total DNS queries that an answer set answered, NODATA "
      "included; those never asked are left out.\n"
      "# TYPE sluice_dns_answer_set_queries_total counter\n";
  for (const auto& [owner, count] : queries) {
    page += "sluice_dns_answer_set_queries_total{answer_set=\"";
    page += escaped(owner);
    page += "\"} " + std::to_string(count) + '\n';
  }
}

}  // namespace

void append_dns_metrics(const dns::Counters& counters,
                        std::span<const dns::AnswerSetQueries> queries, std::string& page) {
  page +=
      "# HELP sluice_dns_queries_total DNS queries answered, by transport and RCODE.\n"
      "# TYPE sluice_dns_queries_total counter\n";
  constexpr std::array<std::string_view, dns::Counters::kTransports> kTransports{"udp", "tcp"};
  for (std::size_t transport = 0; transport < kTransports.size(); ++transport) {
    for (std::size_t rcode = 0; rcode < dns::Counters::kRcodes; ++rcode) {
      const std::uint64_t count = counters.answers[transport][rcode];
      // NOERROR is always there, so that a rate() has a series from the start.
      if (count == 0 && rcode != 0) continue;
      page += "sluice_dns_queries_total{transport=\"";
      page += kTransports[transport];
      page += "\",rcode=\"" + rcode_name(rcode) + "\"} " + std::to_string(count) + '\n';
    }
  }
  append_answer_sets(queries, page);
  append(page, "sluice_dns_truncated_total", "Answers with TC, over UDP.", counters.truncated);
  append(page, "sluice_dns_silent_total", "Messages that deserve no answer.", counters.silent);
  page +=
      "# HELP sluice_dns_rate_limited_total Answers that dns.rate_limit kept back or cut short.\n"
      "# TYPE sluice_dns_rate_limited_total counter\n"
      "sluice_dns_rate_limited_total{action=\"dropped\"} " +
      std::to_string(counters.limited_dropped) +
      "\nsluice_dns_rate_limited_total{action=\"slipped\"} " +
      std::to_string(counters.limited_slipped) + '\n';
  append(page, "sluice_dns_udp_dropped_total", "Answers lost: the interface was slower than we.",
         counters.udp_dropped);
  append(page, "sluice_dns_udp_overflow_total", "Queries lost: a receive buffer was full.",
         counters.udp_overflow);
  append(page, "sluice_dns_udp_send_errors_total", "Answers that the kernel refused.",
         counters.udp_send_errors);
  append(page, "sluice_dns_receive_errors_total", "Failed receive calls.", counters.receive_errors);
  append(page, "sluice_dns_tcp_accepted_total", "TCP connections accepted.", counters.tcp_accepted);
  append(page, "sluice_dns_tcp_closed_total", "TCP connections closed, for any reason.",
         counters.tcp_closed);
  append(page, "sluice_dns_tcp_timed_out_total", "TCP connections closed for their silence.",
         counters.tcp_timed_out);
  append(page, "sluice_dns_tcp_evicted_total", "TCP connections closed to make room.",
         counters.tcp_evicted);
  append(page, "sluice_dns_tcp_accept_errors_total",
         "Clients not accepted at once: no descriptors or memory.", counters.tcp_accept_errors);
  page +=
      "# HELP sluice_dns_tcp_accept_paused Sockets that accept nobody, for want of descriptors.\n"
      "# TYPE sluice_dns_tcp_accept_paused gauge\n"
      "sluice_dns_tcp_accept_paused " +
      std::to_string(counters.tcp_listeners_paused()) + '\n';
}

}  // namespace sluice
