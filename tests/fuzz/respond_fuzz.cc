// Octets of a query -> an answer that ldns reads, with the same ID, within the limit; a response is
// never answered. The first octet chooses transport and size limit.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "dns/answer/respond.h"
#include "dns/ldns.h"
#include "dns/wire/writer.h"
#include "tests/dns/answer/serving_fixture.h"

namespace {

using namespace sluice::dns;

void require(bool holds) {
  if (!holds) std::abort();
}

const ServingSnapshot& served() {
  static fixture::Serving serving(fixture::pool_config(20));
  static sluice::base::SnapshotReader<ServingSnapshot> reader(serving.publisher().cell());
  return reader.refresh();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  QueryContext context;
  context.transport = (data[0] & 1) != 0 ? Transport::Tcp : Transport::Udp;
  context.max_udp_payload = static_cast<std::uint16_t>(512 + 8 * (data[0] >> 1));
  context.rotation = data[0];
  const std::span<const std::uint8_t> query(data + 1, size - 1);
  const std::size_t limit =
      context.transport == Transport::Tcp ? kMaxMessageOctets : context.max_udp_payload;
  std::vector<std::uint8_t> answer(limit);
  const Answered answered = respond(served(), context, query, answer);
  if (query.size() < kHeaderOctets || (query[2] & 0x80) != 0) {
    require(answered.size == 0);
    return 0;
  }
  require(answered.size >= kHeaderOctets && answered.size <= limit);
  require(load_u16(answer.data()) == load_u16(query.data()));
  ldns_pkt* raw = nullptr;
  require(ldns_wire2pkt(&raw, answer.data(), answered.size) == LDNS_STATUS_OK);
  const LdnsPacket packet(raw);
  require(ldns_pkt_qr(raw));
  require(ldns_pkt_get_rcode(raw) == (static_cast<unsigned>(answered.rcode) & 0xF));
  if (context.transport == Transport::Udp && !ldns_pkt_edns(raw)) {
    require(answered.size <= kMinUdpPayload);
  }
  return 0;
}
