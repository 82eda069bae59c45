#include <arpa/inet.h>

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sidecar/config/values.h"
#include "sidecar/text/printable.h"

namespace zrs::config {
namespace {

using text::Quoted;

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

std::optional<uint16_t> ParsePort(absl::string_view text) {
  uint32_t port = 0;
  const bool digits = !text.empty() && text.size() <= 5 && AllOf(text, absl::ascii_isdigit, "");
  if (!digits || !absl::SimpleAtoi(text, &port) || port == 0 || port > 65535) return std::nullopt;
  return static_cast<uint16_t>(port);
}

bool IsV6(const std::string& host) {
  // A zone ("fe80::1%eth0") is the system's to understand.
  const size_t percent = host.find('%');
  const std::string zone = percent == std::string::npos ? "1" : host.substr(percent + 1);
  if (zone.empty() || !AllOf(zone, absl::ascii_isalnum, "._-")) return false;
  in6_addr ignored;
  return inet_pton(AF_INET6, host.substr(0, percent).c_str(), &ignored) == 1;
}

bool IsV4(const std::string& host) {
  in_addr ignored;
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1;
}

// What is wrong with a host that is not in brackets; "" when nothing is.
absl::string_view WrongWithHost(const std::string& host) {
  if (host == "*") return "a bare port listens on all interfaces";
  if (host.size() > 253) return "the host's name is longer than 253 bytes";
  if (!AllOf(host, absl::ascii_isalnum, "._-")) return "a host's name has letters, digits, '.', '-' and '_' only";
  if (host[0] == '-' || host[0] == '.') return "a host's name begins with a letter or digit";
  if (AllOf(host, absl::ascii_isdigit, ".") && !IsV4(host)) return "no IPv4 address has this form";
  return "";
}

}  // namespace

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  if (text.empty()) return Bad(text, "it is empty");
  if (absl::StrContains(text, "://")) return Bad(text, "it is a URL");
  Address address;
  if (absl::StrContains(text, '/')) {
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
  const std::optional<uint16_t> port = ParsePort(port_text);
  if (!port) return Bad(text, "a port is a number from 1 to 65535");
  address.port = *port;
  address.host = absl::AsciiStrToLower(brackets ? host_text.substr(1, host_text.size() - 2) : host_text);
  if (brackets && !IsV6(address.host)) return Bad(text, "in the brackets is no IPv6 address");
  if (!brackets && !address.host.empty()) {
    const absl::string_view wrong = WrongWithHost(address.host);
    if (!wrong.empty()) return Bad(text, wrong);
  }
  return address;
}

bool IsLoopback(const Address& address) {
  if (address.is_unix()) return false;
  return address.host == "localhost" || address.host == "::1" || absl::StartsWith(address.host, "127.");
}

bool IsEveryInterface(const Address& address) {
  if (address.is_unix()) return false;
  return address.host.empty() || address.host == "0.0.0.0" || address.host == "::";
}

std::string AddressText(const Address& address) {
  if (address.is_unix()) return address.path;
  if (address.host.empty()) return absl::StrCat(address.port);
  if (absl::StrContains(address.host, ':')) return absl::StrCat("[", address.host, "]:", address.port);
  return absl::StrCat(address.host, ":", address.port);
}

}  // namespace zrs::config
