#include "sidecar/transport/peer_address.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "sidecar/address/address.h"

namespace zrs::transport {
namespace {

using address::Address;
using address::ParseAddress;

// Characters with a meaning of their own in gRPC's targets, which are URIs.
std::string PercentEncoded(absl::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("._-~/:", c)) {
      encoded += c;
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

// "host:port", where the port is the peer's own and counts for nothing but the form.
bool SplitPort(absl::string_view text, absl::string_view& host) {
  const size_t colon = text.rfind(':');
  uint32_t port = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(text.substr(colon + 1), &port) || port > 65535)
    return false;
  host = text.substr(0, colon);
  return true;
}

// "%5B::1%5D:5000" as "::1". False for another form.
bool HostOfIpv6Peer(absl::string_view text, std::string& host) {
  const std::string decoded = absl::StrReplaceAll(text, {{"%5B", "["}, {"%5D", "]"}, {"%5b", "["}, {"%5d", "]"}});
  absl::string_view inside;
  if (!SplitPort(decoded, inside) || !absl::ConsumePrefix(&inside, "[") || !absl::ConsumeSuffix(&inside, "]")) {
    return false;
  }
  host = std::string(inside);
  return true;
}

}  // namespace

bool IsLocalPeer(const std::string& peer) {
  absl::string_view rest = peer;
  absl::string_view host;
  if (absl::ConsumePrefix(&rest, "unix:") || absl::ConsumePrefix(&rest, "unix-abstract:")) return true;
  if (absl::ConsumePrefix(&rest, "ipv4:")) return SplitPort(rest, host) && address::IsLoopbackNumber(std::string(host));
  std::string host6;
  return absl::ConsumePrefix(&rest, "ipv6:") && HostOfIpv6Peer(rest, host6) && address::IsLoopbackNumber(host6);
}

std::string HostOfPeer(const std::string& peer) {
  absl::string_view rest = peer;
  absl::string_view host;
  if (absl::ConsumePrefix(&rest, "ipv4:") && SplitPort(rest, host)) return std::string(host);
  std::string host6;
  if (absl::ConsumePrefix(&rest, "ipv6:") && HostOfIpv6Peer(rest, host6)) return host6;
  return peer;
}

std::string SocketTarget(const std::string& path) { return absl::StrCat("unix:", PercentEncoded(path)); }

absl::StatusOr<std::string> ConnectTarget(const std::string& address) {
  absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  if (parsed->is_unix()) return SocketTarget(parsed->path);
  if (parsed->host.empty()) parsed->host = "localhost";
  // With its scheme, or a host named "unix" would be taken for one.
  return absl::StrCat("dns:///", PercentEncoded(AddressText(*parsed)));
}

}  // namespace zrs::transport
