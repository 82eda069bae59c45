#include "sidecar/address/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sidecar/text/printable.h"

namespace zrs::address {
namespace {

using text::Quoted;

constexpr uint32_t kLargestPort = 65535;
constexpr absl::string_view kForms =
    "write PORT, HOST:PORT, [V6ADDRESS]:PORT, or the path of a Unix socket with a slash in it";

absl::Status Bad(absl::string_view text, absl::string_view why, absl::string_view remedy = kForms) {
  return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is not an address: ", why, "; ", remedy));
}

bool AllOf(absl::string_view text, bool (*test)(unsigned char), absl::string_view others) {
  for (const char c : text) {
    if (!test(static_cast<unsigned char>(c)) && !absl::StrContains(others, c)) return false;
  }
  return true;
}

std::optional<uint16_t> ParsePort(absl::string_view text, uint16_t least) {
  uint32_t port = 0;
  const bool digits = !text.empty() && text.size() <= 5 && AllOf(text, absl::ascii_isdigit, "");
  if (!digits || !absl::SimpleAtoi(text, &port) || port < least || port > kLargestPort) return std::nullopt;
  return static_cast<uint16_t>(port);
}

std::optional<in6_addr> ParseV6(const std::string& number) {
  in6_addr parsed;
  if (inet_pton(AF_INET6, number.c_str(), &parsed) != 1) return std::nullopt;
  return parsed;
}

std::optional<in_addr> ParseV4(const std::string& number) {
  in_addr parsed;
  if (inet_pton(AF_INET, number.c_str(), &parsed) != 1) return std::nullopt;
  return parsed;
}

// What is in the brackets, in lower case but for its zone ("fe80::1%eth0"), which is an interface's name and the
// system's to understand. Nothing where it is no IPv6 address.
std::optional<std::string> V6Host(absl::string_view text) {
  const size_t percent = text.find('%');
  const bool has_zone = percent != absl::string_view::npos;
  const absl::string_view zone = has_zone ? text.substr(percent + 1) : absl::string_view();
  if (has_zone && (zone.empty() || !AllOf(zone, absl::ascii_isalnum, "._-"))) return std::nullopt;
  const std::string number = absl::AsciiStrToLower(text.substr(0, percent));
  if (!ParseV6(number)) return std::nullopt;
  return has_zone ? absl::StrCat(number, "%", zone) : number;
}

// What is wrong with a host that is not in brackets; "" when nothing is.
absl::string_view WrongWithHost(const std::string& host) {
  if (host == "*") return "a bare port listens on all interfaces";
  if (host.size() > 253) return "the host's name is longer than 253 bytes";
  if (!AllOf(host, absl::ascii_isalnum, "._-")) return "a host's name has letters, digits, '.', '-' and '_' only";
  if (host[0] == '-' || host[0] == '.') return "a host's name begins with a letter or digit";
  if (AllOf(host, absl::ascii_isdigit, ".") && !ParseV4(host)) return "no IPv4 address has this form";
  return "";
}

}  // namespace

absl::StatusOr<Address> ParseAddress(absl::string_view text, uint16_t least_port) {
  if (text.empty()) return Bad(text, "it is empty");
  if (absl::StrContains(text, "://")) return Bad(text, "it is a URL");
  Address address;
  if (absl::StrContains(text, '/')) {
    if (absl::Status status = CheckSocketPath(text); !status.ok()) return status;
    address.path = std::string(text);
    return address;
  }
  const size_t colon = text.rfind(':');
  const bool bare = colon == absl::string_view::npos;
  if (bare && !AllOf(text, absl::ascii_isdigit, "")) return Bad(text, "it has no port");
  const absl::string_view port_text = bare ? text : text.substr(colon + 1);
  const absl::string_view host_text = bare ? absl::string_view() : text.substr(0, colon);
  const bool brackets = absl::StartsWith(host_text, "[") && absl::EndsWith(host_text, "]");
  if (!brackets && absl::StartsWith(text, "[") && absl::EndsWith(text, "]")) return Bad(text, "it has no port");
  if (!brackets && absl::StrContains(host_text, ':')) {
    return Bad(text, "it has several colons", "write an IPv6 address as [ADDRESS]:PORT");
  }
  const std::optional<uint16_t> port = ParsePort(port_text, least_port);
  if (!port) return Bad(text, absl::StrCat("a port is a number from ", least_port, " to ", kLargestPort));
  address.port = *port;
  if (brackets) {
    std::optional<std::string> host = V6Host(host_text.substr(1, host_text.size() - 2));
    if (!host) return Bad(text, "in the brackets is no IPv6 address");
    address.host = *std::move(host);
    return address;
  }
  address.host = absl::AsciiStrToLower(host_text);
  const absl::string_view wrong = address.host.empty() ? "" : WrongWithHost(address.host);
  if (!wrong.empty()) return Bad(text, wrong);
  return address;
}

absl::Status CheckSocketPath(absl::string_view path) {
  if (absl::StrContains(path, '\0')) {
    return absl::InvalidArgumentError(
        absl::StrCat("the path ", Quoted(path), " has a zero byte; write it without, or choose another one"));
  }
  if (path.size() <= kMostSocketPathBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the path ", text::Escaped(path), " has ", path.size(),
                                                 " bytes, but that of a Unix socket at most ", kMostSocketPathBytes,
                                                 "; choose a shorter one"));
}

bool IsLoopbackNumber(const std::string& host) {
  if (const std::optional<in_addr> v4 = ParseV4(host)) return (ntohl(v4->s_addr) >> 24) == 127;
  const std::optional<in6_addr> v6 = ParseV6(host);
  if (!v6) return false;
  return IN6_IS_ADDR_V4MAPPED(&*v6) ? v6->s6_addr[12] == 127 : IN6_IS_ADDR_LOOPBACK(&*v6);
}

bool IsLoopback(const Address& address) { return address.host == "localhost" || IsLoopbackNumber(address.host); }

bool IsEveryInterface(const Address& address) {
  if (address.is_unix()) return false;
  const std::optional<in6_addr> v6 = ParseV6(address.host);
  return address.host.empty() || address.host == "0.0.0.0" || (v6 && IN6_IS_ADDR_UNSPECIFIED(&*v6));
}

std::string AddressText(const Address& address) {
  if (address.is_unix()) return address.path;
  if (address.host.empty()) return absl::StrCat(address.port);
  if (absl::StrContains(address.host, ':')) return absl::StrCat("[", address.host, "]:", address.port);
  return absl::StrCat(address.host, ":", address.port);
}

}  // namespace zrs::address
