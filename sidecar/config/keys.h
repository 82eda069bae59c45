// Every key of the configuration, as data: what is validated and what sidecar/config/README.md documents are both made
// from this table.
#ifndef ZRS_SIDECAR_CONFIG_KEYS_H_
#define ZRS_SIDECAR_CONFIG_KEYS_H_

#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace zrs::config {

// Kinds of sections, as bits.
enum SectionKind : unsigned {
  kSidecar = 1,
  kZrs = 2,
  kPrimary = 4,
  kSecondary = 8,
  kFileStorage = 16,
};
inline constexpr unsigned kStorages = kZrs | kPrimary | kSecondary;

enum class ValueType {
  kAddress,
  kAddresses,  // one or several, separated by white space
  kBlobs,      // the word `external`
  kBoolean,
  kByteSize,
  kDirectory,
  kFile,
  kGroup,  // of users, by name or number
  kInteger,
  kLogFile,  // a file, or STDERR
  kLogLevel,
  kMode,    // permissions of a file
  kSocket,  // path of a Unix socket
  kStorageName,
  kText,
  kTime,
  kUser,  // by name or number
};

enum class Effect {
  kAlways,
  kListening,    // only where the storage has a listening address; an error elsewhere
  kFollowing,    // only where the storage follows another one; an error elsewhere
  kPrimaryOnly,  // only where the storage follows none; an error elsewhere
  kIgnored,      // accepted because FileStorage knows it; means nothing to zrs
};

struct KeySpec {
  absl::string_view name;
  unsigned sections;  // SectionKind bits
  ValueType type;
  bool required;
  absl::string_view default_value;  // as one would write it; "" where there is none, or where it is derived
  absl::string_view default_words;  // for people, where default_value is ""
  absl::string_view least;          // as one would write it; "" without a bound. Both inclusive
  absl::string_view most;
  Effect effect;
  absl::string_view help;  // one line
};

// In the order of the reference.
std::span<const KeySpec> Keys();

// Null when sections of that kind have no such key.
const KeySpec* FindKey(SectionKind kind, absl::string_view name);

// The names that sections of that kind know, in the order of the table.
std::vector<absl::string_view> KeyNames(SectionKind kind);

// "zrs" for kZrs.
absl::string_view SectionType(SectionKind kind);

// The kinds of sections that know a key of that name: "<zrs> and <secondary>"; "" when none does.
std::string SectionsWithKey(absl::string_view name);

// "time interval" for kTime: what the reference calls it.
absl::string_view TypeName(ValueType type);

// What to say of a key that the incumbent had and zrs has not; "" for other names.
absl::string_view RetiredKeyRemedy(absl::string_view name);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_KEYS_H_
