#include "sidecar/config/file_access.h"

#include <cstdint>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sidecar/text/printable.h"

namespace zrs::config {
namespace {

using text::Quoted;

// A number needs no entry on this host: in a container that of the database may have none.
std::optional<uint32_t> Number(const std::string& text) {
  uint32_t number = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
  }
  // The largest one stands for "unchanged" in the system's calls.
  if (!absl::SimpleAtoi(text, &number) || number == std::numeric_limits<uint32_t>::max()) return std::nullopt;
  return number;
}

absl::Status Unknown(const SectionValues& values, absl::string_view key, absl::string_view kind,
                     const std::string& name) {
  return ErrorAt(values.At(key), absl::StrCat(key, ": this host has no ", kind, " ", Quoted(name)),
                 absl::StrCat("create it, or write its number, which has to be the same wherever the files are used"));
}

}  // namespace

absl::Status ReadFileAccess(const SectionValues& values, const Environment& environment, StorageSettings* settings) {
  settings->owner = values.Text("owner");
  if (!settings->owner.empty()) {
    if (const std::optional<User> user = environment.find_user(settings->owner)) {
      settings->owner_id = user->id;
      settings->group_id = user->group_id;
    } else {
      settings->owner_id = Number(settings->owner);
    }
    if (!settings->owner_id) return Unknown(values, "owner", "user", settings->owner);
  }
  settings->group = values.Text("group");
  if (!settings->group.empty()) {
    settings->group_id = environment.find_group(settings->group);
    if (!settings->group_id) settings->group_id = Number(settings->group);
    if (!settings->group_id) return Unknown(values, "group", "group", settings->group);
  }
  if (values.Written("mode") != nullptr) settings->mode = values.Mode("mode");
  return absl::OkStatus();
}

}  // namespace zrs::config
