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

namespace zrs::config {

using Definitions = std::map<std::string, std::string, std::less<>>;  // keys in lower case
using GetEnvironment = std::function<std::optional<std::string>(const std::string& name)>;

// Whether `name` can be defined: a letter or underscore, then letters, digits and underscores.
bool IsDefinitionName(absl::string_view name);

// `text` with its references replaced. What replaces a reference is not looked at again. Names of definitions are
// case-insensitive, names of the environment are not. InvalidArgument "what; remedy" for a malformed reference, one
// that has no replacement, or a result of more than `most` bytes.
absl::StatusOr<std::string> Substitute(absl::string_view text, const Definitions& definitions,
                                       const GetEnvironment& environment, size_t most);

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_SUBSTITUTION_H_
