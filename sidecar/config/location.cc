#include "sidecar/config/location.h"

#include "absl/strings/str_cat.h"

namespace zrs::config {
namespace {

// A path may have any byte but zero; a message goes to terminals and logs.
std::string WithoutControls(absl::string_view text) {
  std::string clean;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= ' ' && c != '\x7f') {
      clean.push_back(c);
    } else {
      absl::StrAppend(&clean, "\\x", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return clean;
}

}  // namespace

std::string Location::ToString() const {
  const absl::string_view name = file ? absl::string_view(*file) : absl::string_view("configuration");
  return line == 0 ? std::string(name) : absl::StrCat(name, ":", line);
}

absl::Status ErrorAt(const Location& location, absl::string_view what, absl::string_view remedy) {
  return absl::InvalidArgumentError(WithoutControls(absl::StrCat(location.ToString(), ": ", what, "; ", remedy)));
}

}  // namespace zrs::config
