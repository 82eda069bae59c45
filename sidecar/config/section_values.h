// The keys of one section, checked against the table of keys and converted.
#ifndef ZRS_SIDECAR_CONFIG_SECTION_VALUES_H_
#define ZRS_SIDECAR_CONFIG_SECTION_VALUES_H_

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sidecar/address/address.h"
#include "sidecar/config/keys.h"
#include "sidecar/config/settings.h"
#include "sidecar/config/zconfig.h"

namespace zrs::config {

class SectionValues {
 public:
  // Checks every key of `section` (known, once, well-formed, in range) and that the required ones are there, and fills
  // in the defaults. Paths are relative to `directory`. Sections inside are not looked at. `section` has to outlive the
  // result. Errors are InvalidArgument "FILE:LINE: what; remedy".
  static absl::StatusOr<SectionValues> Read(const Section& section, SectionKind kind, const std::string& directory);

  // The key as it is written in the section; null where it is not.
  const Key* Written(absl::string_view name) const;
  // Where the key is written, else where the section is.
  const Location& At(absl::string_view name) const;

  // The value of a key with a default, or that was written. The type has to be the table's.
  bool Boolean(absl::string_view name) const { return Get<bool>(name); }
  uint32_t Mode(absl::string_view name) const { return Get<uint32_t>(name); }
  int64_t Integer(absl::string_view name) const { return Get<int64_t>(name); }
  uint64_t ByteSize(absl::string_view name) const { return Get<uint64_t>(name); }
  absl::Duration Time(absl::string_view name) const { return Get<absl::Duration>(name); }
  LogLevel Level(absl::string_view name) const { return Get<LogLevel>(name); }
  // "" where the key is not written.
  std::string Text(absl::string_view name) const;
  // Paths in it are absolute. All empty where the key is not written.
  address::Address AddressOf(absl::string_view name) const;
  // The same of a key that may have several; empty where it is not written. A bare port is as it is written.
  std::vector<address::Address> AddressesOf(absl::string_view name) const;

  const Section& section() const { return *section_; }

 private:
  using Value = std::variant<bool, int64_t, uint32_t, uint64_t, absl::Duration, LogLevel, std::string, address::Address,
                             std::vector<address::Address>>;

  explicit SectionValues(const Section& section) : section_(&section) {}
  static absl::StatusOr<Value> Convert(const KeySpec& spec, absl::string_view text, const std::string& directory);
  static absl::Status CheckRange(const KeySpec& spec, const Value& value, const std::string& directory);
  absl::Status AddKey(const Key& key, SectionKind kind, const std::string& directory);

  template <typename T>
  const T& Get(absl::string_view name) const {
    return std::get<T>(values_.at(std::string(name)));
  }

  const Section* section_;
  std::map<std::string, Value> values_;
  std::map<std::string, const Key*> written_;
};

// A storage without a name of its own.
inline constexpr absl::string_view kUnnamedStorage = "1";

// The name in lower case: a letter or digit, then those, '.', '_' and '-'; at most 64 bytes. InvalidArgument, without a
// location.
absl::StatusOr<std::string> ParseStorageName(absl::string_view text);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_SECTION_VALUES_H_
