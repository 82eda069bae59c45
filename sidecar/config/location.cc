#include "sidecar/config/location.h"

#include "absl/strings/str_cat.h"

namespace zrs::config {

std::string Location::ToString() const {
  const absl::string_view name = file ? absl::string_view(*file) : absl::string_view("configuration");
  return line == 0 ? std::string(name) : absl::StrCat(name, ":", line);
}

absl::Status ErrorAt(const Location& location, absl::string_view what, absl::string_view remedy) {
  return absl::InvalidArgumentError(absl::StrCat(location.ToString(), ": ", what, "; ", remedy));
}

}  // namespace zrs::config
