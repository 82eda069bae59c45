// The effective settings, in the words of the configuration.
#ifndef ZRS_SIDECAR_CONFIG_DESCRIBE_H_
#define ZRS_SIDECAR_CONFIG_DESCRIBE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "sidecar/config/settings.h"

namespace zrs::config {

struct EffectiveKey {
  absl::string_view name;
  std::optional<std::string> value;  // as one would write it, without "$$"; none where nothing that is written means it
  absl::string_view otherwise;       // for people: what is done without a value
};

// Every key that can have an effect there, in the order of the reference. Those of a storage are <zrs>'s, but for
// `path`, which is the last one whatever named it.
std::vector<EffectiveKey> EffectiveKeys(const SidecarSettings& settings);
std::vector<EffectiveKey> EffectiveKeys(const StorageSettings& settings);

// A configuration that is loaded to the same settings by whoever knows the same users and groups.
std::string DescribeSettings(const Settings& settings);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_DESCRIBE_H_
