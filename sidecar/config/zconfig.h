// ZConfig's own grammar: from text to a tree of sections and keys, each with the place where it was written. What
// sections and keys mean is not known here.
//
// The rules are those of ZConfig 4's parser: lines are stripped; "#" begins a comment only at the start of a line;
// section types, section names and keys are case-insensitive (lowered here); values and the arguments of directives
// are substituted, sections' headers are not; %define is in force from its line on, in the files that include its file
// too, and may be repeated with the same value only; an included file is complete in itself (it opens what it closes).
// Where this differs: files only are included (no URLs), %import is accepted and ignored, keys are not limited to one
// alphabet here, lower case is ASCII's, and sizes and depths are bounded.
#ifndef ZRS_SIDECAR_CONFIG_ZCONFIG_H_
#define ZRS_SIDECAR_CONFIG_ZCONFIG_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sidecar/config/location.h"
#include "sidecar/config/substitution.h"

namespace zrs::config {

// Bounds on what is read; going beyond one is an error.
inline constexpr size_t kMostFileBytes = size_t{1} << 20;
inline constexpr size_t kMostFiles = 256;                    // read, in all
inline constexpr size_t kMostBytes = size_t{4} << 20;        // read, in all
inline constexpr size_t kMostValueBytes = size_t{1} << 16;   // of one value, once substituted
inline constexpr size_t kMostValuesBytes = size_t{4} << 20;  // of all values and definitions
inline constexpr int kMostIncludeDepth = 16;
inline constexpr size_t kMostSectionDepth = 32;

struct Key {
  std::string name;   // lower case
  std::string value;  // substituted; "" where none is written
  Location location;
  absl::Status error = {};  // why it could not be substituted, with the place; OK but after ParseZConfigTolerantly
};

struct Section {
  std::string type;  // lower case; "" for the root
  std::string name;  // lower case; "" where it has none
  Location location;
  std::vector<Key> keys;          // in the order written, duplicates too
  std::vector<Section> sections;  // in the order written
};

// "<type name>", for messages.
std::string HeaderText(const Section& section);

// The content of a file, or why there is none. Should not read much more than kMostFileBytes.
using ReadFile = std::function<absl::StatusOr<std::string>(const std::string& path)>;

// The root section of the configuration in the file `path`. InvalidArgument "FILE:LINE: what; remedy"; when `path`
// itself cannot be read, the reader's status code with "FILE: ...".
absl::StatusOr<Section> ParseZConfig(const std::string& path, const ReadFile& read_file,
                                     const GetEnvironment& environment);

// The same for a file of somebody else's, of which a few values matter: one that cannot be substituted is an error of
// its key only, and a definition is an error only where it is referred to.
absl::StatusOr<Section> ParseZConfigTolerantly(const std::string& path, const ReadFile& read_file,
                                               const GetEnvironment& environment);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_ZCONFIG_H_
