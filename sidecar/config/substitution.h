// $NAME, ${NAME}, $(ENVIRONMENT) and $$ in values, by ZConfig's rules.
#ifndef ZRS_SIDECAR_CONFIG_SUBSTITUTION_H_
#define ZRS_SIDECAR_CONFIG_SUBSTITUTION_H_

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sidecar/config/location.h"

namespace zrs::config {

// Keys in lower case. An error is why a definition has no value, with the place of that.
using Definitions = std::map<std::string, absl::StatusOr<std::string>, std::less<>>;
using GetEnvironment = std::function<std::optional<std::string>(const std::string& name)>;

// Whether `name` can be defined: a letter or underscore, then letters, digits and underscores.
bool IsDefinitionName(absl::string_view name);

// `text`, which is written at `at`, with its references replaced. What replaces a reference is not looked at again.
// Names of definitions are case-insensitive, names of the environment are not. InvalidArgument "FILE:LINE: what;
// remedy" for a malformed reference, one that has no replacement, or a result of more than `most` bytes; a definition's
// own error for a reference to one that has no value.
absl::StatusOr<std::string> Substitute(absl::string_view text, const Definitions& definitions,
                                       const GetEnvironment& environment, size_t most, const Location& at);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_SUBSTITUTION_H_
