#include "sidecar/transport/peer_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace zrs::transport {
namespace {

absl::Status Malformed(absl::string_view address, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("address \"", address, "\": ", why, "; it is PORT, HOST:PORT, [IPV6]:PORT or /path/to/socket"));
}

absl::StatusOr<Address> ParsePath(absl::string_view address) {
  if (address.find('\0') != absl::string_view::npos) return Malformed(address, "there is a zero byte in the path");
  if (address.size() >= sizeof(sockaddr_un::sun_path)) {
    return Malformed(address, absl::StrCat("the path is ", address.size(), " bytes long, and a Unix socket's at most ",
                                           sizeof(sockaddr_un::sun_path) - 1));
  }
  return SocketPath{std::string(address)};
}

bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_';
}

bool IsIpv6(const std::string& host) {
  in6_addr parsed;
  // A zone ("fe80::1%eth0") is the resolver's business.
  return inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &parsed) == 1;
}

// Characters with a meaning of their own in gRPC's targets, which are URIs.
std::string PercentEncoded(absl::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (IsHostCharacter(c) || c == '/' || c == ':' || c == '~') {
      encoded += c;
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string HostAndPortText(const HostAndPort& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return v6 ? absl::StrCat("[", address.host, "]:", address.port) : absl::StrCat(address.host, ":", address.port);
}

bool IsLoopback4(absl::string_view host) {
  in_addr parsed;
  return inet_pton(AF_INET, std::string(host).c_str(), &parsed) == 1 && (ntohl(parsed.s_addr) >> 24) == 127;
}

bool IsLoopback6(absl::string_view host) {
  in6_addr parsed;
  if (inet_pton(AF_INET6, std::string(host).c_str(), &parsed) != 1) return false;
  if (IN6_IS_ADDR_V4MAPPED(&parsed)) return parsed.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&parsed);
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
  if (absl::ConsumePrefix(&rest, "ipv4:")) return SplitPort(rest, host) && IsLoopback4(host);
  std::string host6;
  return absl::ConsumePrefix(&rest, "ipv6:") && HostOfIpv6Peer(rest, host6) && IsLoopback6(host6);
}

std::string HostOfPeer(const std::string& peer) {
  absl::string_view rest = peer;
  absl::string_view host;
  if (absl::ConsumePrefix(&rest, "ipv4:") && SplitPort(rest, host)) return std::string(host);
  std::string host6;
  if (absl::ConsumePrefix(&rest, "ipv6:") && HostOfIpv6Peer(rest, host6)) return host6;
  return peer;
}

absl::StatusOr<Address> ParseAddress(absl::string_view address) {
  if (address.find('/') != absl::string_view::npos) return ParsePath(address);
  const size_t colon = address.rfind(':');
  const bool bare = colon == absl::string_view::npos;
  const absl::string_view port_text = bare ? address : address.substr(colon + 1);
  absl::string_view host = bare ? absl::string_view() : address.substr(0, colon);
  uint32_t port = 0;
  const bool digits = !port_text.empty() && std::all_of(port_text.begin(), port_text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  if (!digits) return Malformed(address, "there is no port number");
  if (!absl::SimpleAtoi(port_text, &port) || port > 65535) return Malformed(address, "the port is past 65535");
  HostAndPort parsed{std::string(host), static_cast<uint16_t>(port)};
  if (absl::ConsumePrefix(&host, "[")) {
    parsed.host = std::string(absl::StripSuffix(host, "]"));
    if (!absl::EndsWith(host, "]") || !IsIpv6(parsed.host)) {
      return Malformed(address, "what is in brackets is no IPv6 address");
    }
  } else if (host.find(':') != absl::string_view::npos) {
    return Malformed(address, "an IPv6 address is written in brackets");
  } else if (!std::all_of(host.begin(), host.end(), IsHostCharacter)) {
    return Malformed(address, "a host has no such characters");
  }
  return parsed;
}

std::string SocketTarget(const std::string& path) { return absl::StrCat("unix:", PercentEncoded(path)); }

absl::StatusOr<std::string> ListenTarget(const std::string& address) {
  const absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  if (const auto* socket = std::get_if<SocketPath>(&*parsed)) return SocketTarget(socket->path);
  HostAndPort listen = std::get<HostAndPort>(*parsed);
  if (listen.host.empty()) listen.host = "::";
  return HostAndPortText(listen);
}

absl::StatusOr<std::string> ConnectTarget(const std::string& address) {
  const absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  if (const auto* socket = std::get_if<SocketPath>(&*parsed)) return SocketTarget(socket->path);
  HostAndPort connect = std::get<HostAndPort>(*parsed);
  if (connect.host.empty()) connect.host = "localhost";
  if (connect.port == 0) return Malformed(address, "there is nothing to connect to at port 0");
  // With its scheme, or a host named "unix" would be taken for one.
  return absl::StrCat("dns:///", PercentEncoded(HostAndPortText(connect)));
}

}  // namespace zrs::transport
